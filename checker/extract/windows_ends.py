"""One end of an expression: the days, the time, the part of the day and the zone that stand together.

No step looks further than :data:`MAX_RUN` atoms, so that reading an end costs a bounded amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .windows_tokens import Atom, Clock, Day, Kind
from .windows_words import ZoneWord

MAX_RUN: Final = 24  # atoms; a longer row of numbers and dates is a table, not a sentence
_SKIP: Final = 4  # small words between two parts of one end
JOIN: Final = ("to", "to_hour")


@dataclass(slots=True)
class End:
    """One end of an expression. ``after`` is a day named behind the time ("1 to 3 on 5 May")."""

    clock: Clock | None = None
    day: Day | None = None
    after: Day | None = None
    part: str = ""
    zone: ZoneWord | None = None
    bare: bool = False  # a number with nothing to show that it is an hour
    start: int = -1
    end: int = -1
    stop: int = 0  # index of the next atom

    @property
    def named(self) -> Day | None:
        return self.day or self.after


class EndReader:
    """Atoms to look around in, and :meth:`_end`. ``english``: bare hours follow the 12-hour clock."""

    def __init__(self, atoms: Sequence[Atom], *, english: bool) -> None:
        self._a: list[Atom] = []
        for a in atoms:
            if a.kind is Kind.WORD and a.cats == {"fill"}:
                continue
            if a.kind is Kind.SOFT and self._a and self._a[-1].kind is Kind.SOFT:
                continue  # "::::::" is one break
            self._a.append(a)
        self._english = english

    def _get(self, i: int) -> Atom | None:
        return self._a[i] if 0 <= i < len(self._a) else None

    def _has(self, i: int, *names: str) -> bool:
        a = self._get(i)
        return a is not None and a.has(*names)

    def _kind(self, i: int, *kinds: Kind) -> bool:
        a = self._get(i)
        return a is not None and a.kind in kinds

    def _over(self, i: int, *names: str, soft: bool = False) -> int:
        """The first of the next few atoms that is none of ``names`` (and, with ``soft``, no comma)."""
        for k in range(i, min(i + _SKIP, len(self._a))):
            if not (self._has(k, *names) or (soft and self._kind(k, Kind.SOFT))):
                return k
        return i + _SKIP

    def _skip_soft(self, i: int) -> int:
        return i + 1 if self._kind(i, Kind.SOFT) else i

    def _end(self, i: int, *, licence: str, dom: bool = False, night: bool = False) -> End | None:
        """The end that begins at ``i``: days, a time, a part of the day, a zone, in any order."""
        e = End(stop=i, part="night" if night else "")
        limit = min(len(self._a), i + MAX_RUN)
        hour = licence == "hour"
        every = False
        on_day = dom
        j = i
        while j < limit:
            a = self._a[j]
            if a.past or a.kind in (Kind.GAP, Kind.STOP, Kind.DASH) or j - e.stop > _SKIP:
                break
            if a.kind is Kind.SOFT:
                if not self._goes_on(j + 1, e):
                    break
            elif a.has("hour_before") and e.clock is None:
                hour, on_day = True, False
                e.bare = False
                if self._kind(j + 1, Kind.NUMBER, Kind.DOTTED) and e.clock is None:
                    marked = self._number(j + 1)
                    if marked is None:
                        break
                    self._take(e, j + 1, clock=marked)
                    j += 2
                    continue
            elif a.has("half_before", "half_past") and self._kind(j + 1, Kind.NUMBER) and e.clock is None:
                value = self._a[j + 1].number * 60 + (30 if a.has("half_past") else -30)
                if not 0 <= value < 1440:
                    break
                self._take(e, j, clock=Clock(value, loose=value < 780))
                self._take(e, j + 1)
                j += 2
                continue
            elif a.kind is Kind.DAY and a.day is not None:
                if not self._add_day(e, a, j, every):
                    break
                j = e.stop
                hour = False
                continue
            elif a.kind is Kind.CLOCK and a.clock is not None:
                if e.clock is not None and e.clock.minutes == a.clock.minutes == 720:
                    self._take(e, j)  # "12 Uhr mittags"
                    j += 1
                    continue
                if e.clock is not None or (a.cats and a.part and not hour and not a.has("clock")):
                    break
                self._take(e, j, clock=a.clock)
                hour = False
            elif a.kind is Kind.ZONE:
                if e.clock is None:
                    break
                e.zone = a.zone
                self._take(e, j)
            elif a.kind is Kind.NUMBER:
                if not self._add_number(e, j, hour=hour, on_day=on_day, dom_only=dom and j == i):
                    break
                j = e.stop
                hour = on_day = False
                continue
            elif a.kind in (Kind.DOTTED, Kind.SLASH):
                if not self._add_open(e, j, hour=hour):
                    break
                hour = False
            elif a.part:
                if e.part and e.part != a.part:
                    break
                e.part = a.part
                if every and e.clock is None and e.day is None:
                    e.day = Day(weekdays=(0, 1, 2, 3, 4, 5, 6), every=True)
                e.day = replace(e.day, night=True) if a.part == "night" and e.day and not e.clock else e.day
                self._take(e, j)
            elif a.has("every"):
                every = True
                e.start = a.start if e.start < 0 else e.start
            elif (
                a.has("at", "at_hour")
                and e.clock is None
                and not (a.has(*JOIN) and (e.day or e.part) and not hour and self._kind(j + 1, Kind.DAY))
            ):
                hour = True
                on_day = on_day or a.has("on_day")
                if a.has("at_hour") and self._kind(j + 1, Kind.NUMBER):
                    e.bare = False
                    strong = self._number(j + 1)
                    if strong is None:
                        break
                    self._take(e, j + 1, clock=strong)
                    j += 2
                    continue
            elif a.has("on_day"):
                on_day = True
            elif a.has("half_after") and e.clock is not None and e.clock.minutes % 60 == 0:
                e.clock = Clock((e.clock.minutes + 30) % 1440, e.clock.loose)
                self._take(e, j)
            elif not (a.has("fill", "hour_after") or (a.has("night_to") and e.part == "night" and not e.named)):
                break
            j += 1
        return e if e.start >= 0 and e.stop > i and (e.clock or e.named or e.part) else None

    def _take(self, e: End, j: int, *, clock: Clock | None = None) -> None:
        a = self._a[j]
        e.start = a.start if e.start < 0 else min(e.start, a.start)
        e.end = max(e.end, a.end)
        e.stop = j + 1
        if clock is not None:
            e.clock = clock

    def _goes_on(self, j: int, e: End) -> bool:
        """Whether the comma before ``j`` stands inside one end ("Saturday, 30 November, 21:00")."""
        j = self._over(j, "fill", "on_day", soft=True)
        a = self._get(j)
        if a is None:
            return False
        if e.clock is not None:
            return a.kind is Kind.ZONE
        if e.start < 0:
            return a.kind in (Kind.CLOCK, Kind.DAY)
        return (
            a.kind in (Kind.CLOCK, Kind.DAY, Kind.NUMBER, Kind.DOTTED, Kind.SLASH)
            or a.has("at", "at_hour", "hour_before", "every")
            or bool(a.part)
        )

    def _add_day(self, e: End, a: Atom, j: int, every: bool) -> bool:
        day = a.day
        if day is None or (a.short and not self._beside(j)):
            return False
        day = replace(day, every=day.every or (every and bool(day.weekdays)))
        slot = e.day if e.clock is None else e.after
        merged = _merge(slot, day) if slot else day
        if merged is None or (e.clock is not None and e.day is not None):
            return False
        if e.clock is None and self._stretch(e, j, merged):
            return True
        if e.part == "night" and e.clock is None and merged.offset is None:
            # "the night of" begins on that day, "in the night to" ends on it
            into = self._has(j - 1, "night_to") and not self._has(j - 1, "on_day")
            if merged.part != "into":
                merged = replace(merged, part="into") if into else replace(merged, night=True)
        if e.clock is None:
            e.day = merged
        else:
            e.after = merged
        self._take(e, j)
        return True

    def _beside(self, j: int) -> bool:
        """Whether a date or time stands next to an abbreviated weekday ("Sa 2-4", "pn-pt", "Do, 22 Uhr")."""
        for step in (1, -1):
            k = j + step
            while abs(k - j) <= 4 and (
                self._kind(k, Kind.SOFT) or self._has(k, "fill", "at", "from", "between", "on_day", "hour_before")
            ):
                k += step
            if self._kind(k, Kind.CLOCK, Kind.DAY, Kind.NUMBER, Kind.DOTTED, Kind.SLASH) and abs(k - j) <= 4:
                return True
            if self._kind(k, Kind.DASH) and self._kind(k + step, Kind.DAY):
                return True
        return False

    def _stretch(self, e: End, j: int, day: Day) -> bool:
        """Monday to Thursday, 1 July to 15 August, the night of 8 to 9 December: one stretch of days."""
        k = j + 1
        if not (self._has(k, *JOIN, "night_to") or self._kind(k, Kind.DASH)):
            return False
        k = self._over(k + 1, "fill", "on_day")
        nxt = self._get(k)
        if nxt is None or nxt.day is None or nxt.kind is not Kind.DAY:
            return False
        other = nxt.day
        if self._at_time(k + 1) and not self._range_follows(k + 1):
            return False  # "from Saturday to Sunday 06:00": the time belongs to the second day
        if len(day.weekdays) == 1 and len(other.weekdays) == 1 and day.day is None and other.day is None:
            a, b = day.weekdays[0], other.weekdays[0]
            apart = not (self._has(j + 1, *JOIN) or self._kind(j + 1, Kind.DASH)) and (b - a) % 7 != 1
            if apart and e.part != "night" and not day.night:
                return False  # "Monday and Thursday" are two days
            if e.part in ("night", "evening") or day.night:
                e.day = replace(day, night=True, every=False, part="night-to")
            else:
                e.day = Day(weekdays=tuple((a + n) % 7 for n in range((b - a) % 7 + 1)), every=True)
        elif day.day and other.day and (day.month or other.month):
            e.day = replace(
                day, month=day.month or other.month, year=day.year or other.year,
                last=(other.day, other.month or 0), night=e.part == "night" or day.night,
            )  # fmt: skip
        else:
            return False
        self._take(e, j)
        self._take(e, k)
        return True

    def _at_time(self, k: int) -> bool:
        k = self._over(k, "at", "at_hour", "hour_before", "fill")
        return self._kind(k, Kind.CLOCK) or (self._kind(k, Kind.NUMBER) and self._has(k - 1, "at_hour", "hour_before"))

    def _range_follows(self, k: int) -> bool:
        k = self._over(k, "at", "at_hour", "hour_before", "fill", soft=True)
        return self._kind(k, Kind.CLOCK) and (self._kind(k + 1, Kind.DASH) or self._has(k + 1, *JOIN))

    def _add_number(self, e: End, j: int, *, hour: bool, on_day: bool, dom_only: bool) -> bool:
        a = self._a[j]
        nxt = j + 1
        joined = self._kind(nxt, Kind.DASH) or self._has(nxt, *JOIN, "and", "night_to")
        if joined and self._has(nxt, "at", "at_hour") and self._kind(nxt + 1, Kind.CLOCK):
            joined = not on_day  # "le 31 à midi"
        weekday = e.day is not None and bool(e.day.weekdays) and e.day.day is None and e.clock is None
        if self._short_stretch(e, j):
            return True
        dom = not a.spelled and 1 <= a.number <= 31
        if dom and e.clock is None and (
            dom_only or (on_day and (a.text == "ordinal" or not joined))
            or (weekday and not hour and (a.text == "ordinal" or not joined) and not self._has(nxt, "hour_after"))
            or (a.text == "ordinal" and not hour and e.day is None and self._dom_follows(nxt))
        ):  # fmt: skip
            if on_day and not dom_only and not weekday and not self._dom_follows(nxt):
                return False
            day = Day(day=a.number, weekdays=e.day.weekdays if weekday and e.day else ())
            e.day = replace(day, night=e.part == "night")
            self._take(e, j)
            return True
        if e.clock is not None:
            return False
        said = bool(e.day) or bool(e.part)
        if not hour and not (joined and (said or self._pair_shown(nxt))) and not self._has(nxt, "half_after"):
            following = self._get(nxt)
            shown = following is not None and bool(following.part) and not following.has("clock")
            if not shown or a.number > 24 or a.spelled:
                return False
        clock = self._number(j)
        if clock is None:
            return False
        e.bare = not (a.spelled and self._part_near(nxt))
        self._take(e, j, clock=clock)
        return True

    def _part_near(self, j: int) -> bool:
        a = self._get(j)
        return a is not None and bool(a.part)

    def _pair_shown(self, j: int) -> bool:
        """Whether what follows the joining word at ``j`` shows that both numbers are hours."""
        k = self._over(j + 1, "to", "to_hour", "at", "at_hour", "fill")
        if self._kind(k, Kind.CLOCK):
            return True
        if not self._kind(k, Kind.NUMBER):
            return False
        follow = self._get(k + 1)
        return follow is not None and (bool(follow.part) or follow.kind is Kind.ZONE)

    def _short_stretch(self, e: End, j: int) -> bool:
        """The first number of '3 to 4 October' and 's 7. na 8. maj'."""
        k = j + 1
        if e.clock is not None or not (self._has(k, *JOIN, "night_to") or self._kind(k, Kind.DASH)):
            return False
        k = self._over(k + 1, "fill", "on_day")
        nxt = self._get(k)
        a = self._a[j]
        if nxt is None:
            return False
        day = nxt.day
        if nxt.kind is Kind.NUMBER and e.part == "night" and nxt.number == a.number + 1 and not a.spelled:
            day = Day(day=nxt.number)  # "the night of 12 to 13"
        elif nxt.kind is not Kind.DAY or day is None or day.day is None or day.day <= a.number or day.last:
            return False
        if a.spelled or a.number < 1 or day is None or day.day is None:
            return False
        e.day = replace(day, day=a.number, last=(day.day, day.month or 0), night=e.part == "night")
        self._take(e, j)
        self._take(e, k)
        return True

    def _dom_follows(self, j: int) -> bool:
        """Whether what follows lets a bare number be a day of the month."""
        a = self._get(j)
        if a is None or a.kind in (Kind.STOP, Kind.SOFT, Kind.CLOCK, Kind.NUMBER):
            return True
        return a.has("from", "from_hour", "between", "between_hour", "at", "at_hour", "after", "after_hour",
                     "hour_before", "before", "to")  # fmt: skip

    def _number(self, j: int) -> Clock | None:
        a = self._a[j]
        if a.kind is Kind.DOTTED:
            hour, minute = a.pair
            return Clock(hour * 60 + minute) if hour <= 24 and len(a.text) == 2 else None
        if a.number > 24:
            return None
        loose = 1 <= a.number <= 12 and (a.spelled or self._english)
        return Clock(a.number * 60, loose)

    def _add_open(self, e: End, j: int, *, hour: bool) -> bool:
        """22.30 or 27/11: a time in a range or after "at"; a date beside a weekday or before a time."""
        a = self._a[j]
        x, y = a.pair
        nxt = j + 1
        joined = self._kind(nxt, Kind.DASH) or self._has(nxt, *JOIN, "and")
        date = 1 <= x <= 31 and 1 <= y <= 12
        timely = a.kind is Kind.DOTTED and len(a.text) == 2 and x <= 24 and y <= 59 and e.clock is None
        peer = self._get(nxt + 1)
        if timely and ((joined and peer is not None and peer.kind in (Kind.DOTTED, Kind.CLOCK, Kind.NUMBER)) or
                       (hour and not (date and self._clock_follows(nxt)))):  # fmt: skip
            self._take(e, j, clock=Clock(x * 60 + y))
            return True
        if not date and a.kind is Kind.SLASH and self._english and 1 <= x <= 12 and 13 <= y <= 31:
            x, y, date = y, x, True
        weekday = e.day is not None and bool(e.day.weekdays) and e.day.day is None
        anchored = (
            weekday
            or (hour and len(a.text) == 2)
            or e.clock is not None
            or e.part == "night"
            or self._clock_follows(nxt)
        )
        if not date or not anchored or (e.day is not None and not weekday):
            return False
        if a.kind is Kind.SLASH and joined and self._kind(nxt + 1, Kind.NUMBER):
            return False
        day = Day(x, y, swapped=a.kind is Kind.SLASH and self._english and x <= 12 and y <= 12 and x != y)
        if e.clock is None:
            e.day = replace(day, weekdays=e.day.weekdays if e.day else ())
        else:
            e.after = day
        self._take(e, j)
        return True

    def _clock_follows(self, j: int) -> bool:
        for k in range(j, min(j + 4, len(self._a))):
            a = self._a[k]
            if a.kind is Kind.CLOCK or a.has("hour_before", "from_hour", "between_hour", "at_hour", "between"):
                return True
            if a.kind is not Kind.SOFT and not a.has("from", "at", "fill", "to"):
                return False
        return False


def _merge(one: Day, two: Day) -> Day | None:
    """A weekday and a date, a day and its part, as one day; ``None`` when they cannot be one."""
    if one.day is None and two.day is not None and one.offset is None and not one.every:
        return replace(two, weekdays=one.weekdays or two.weekdays, night=one.night, part=one.part or two.part)
    if two.day is None and one.day is not None and two.weekdays and two.offset is None and not two.every:
        return replace(one, weekdays=two.weekdays)
    if one.offset is not None and two.offset is None and (two.weekdays or two.day) and not two.every:
        return replace(two, part=one.part, night=one.night)  # "tomorrow, Friday 27/11": the date says it
    if one.weekdays and two.weekdays and one.day is None and two.day is None and one.weekdays == two.weekdays:
        return one
    return None
