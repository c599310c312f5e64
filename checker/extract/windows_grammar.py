"""Atoms to expressions: what is a range, an open end, a point, a day -- still as it was said.

A run is a row of atoms with nothing foreign between them. The parser walks it once; every step takes at
least one atom, and no step looks further than the run, so the work is linear in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .windows_scan import Atom, Clock, Day, Kind
from .windows_words import ZoneWord

MAX_RUN: Final = 24  # atoms; a longer row of numbers and dates is a table, not a sentence
_SKIP: Final = 4  # small words between two parts of one end
_NEAR: Final = 5  # words between a failure or a backup and its time
_JOIN = ("to", "to_hour")
_OPEN = ("from", "from_hour", "between", "between_hour")
_LATER = ("after", "after_hour")
_EARLIER = ("before", "before_hour")
_LASTING = ("lasting", "hour_lasting", "half_hour_lasting")


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


@dataclass(slots=True)
class Expression:
    """``shape``: range, after, before, point, day, part, outside. ``minutes``: a length that was named."""

    shape: str
    first: End
    last: End
    start: int
    end: int
    minutes: int | None = None
    context: Day | None = None  # a day named beside it in the same sentence
    part: str = ""
    past: bool = False
    atoms: tuple[int, int] = (0, 0)
    extra: list[str] = field(default_factory=list)


class Parser:
    """The expressions of the atoms of one text. ``english`` says that bare hours follow the 12-hour clock."""

    def __init__(self, atoms: Sequence[Atom], *, english: bool) -> None:
        self._a: list[Atom] = []
        for a in atoms:
            if a.kind is Kind.WORD and a.cats == {"fill"}:
                continue
            if a.kind is Kind.SOFT and self._a and self._a[-1].kind is Kind.SOFT:
                continue  # "::::::" is one break
            self._a.append(a)
        self._english = english

    def parse(self) -> list[Expression]:
        found: list[Expression] = []
        i = 0
        while i < len(self._a):
            if self._a[i].kind in (Kind.GAP, Kind.STOP, Kind.SOFT, Kind.DASH):
                i += 1
                continue
            expression = self._expression(i)
            if expression is None:
                i += 1
                continue
            found.append(expression)
            i = max(expression.atoms[1], i + 1)
        self._neighbours(found)
        return [e for e in found if not e.past and not self._is_past(e)]

    # --- one expression ---

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

    def _expression(self, i: int) -> Expression | None:
        a = self._a[i]
        if a.past:
            return self._past(i)
        lead: End | None = None
        j = i
        if not a.has(*_OPEN, *_LATER, *_EARLIER, "outside") or a.kind is Kind.DAY:
            # a day or part, or the first end of "23:30 to 01:30", before any connecting word
            lead = self._end(i, licence="")
            if lead is None:
                return None
            j = self._skip_soft(lead.stop)
            if lead.clock is not None or not self._has(j, *_OPEN, *_LATER, *_EARLIER, *_JOIN, "outside"):
                return self._from_lead(i, lead)
            if self._has(j, *_JOIN) and not self._has(j, "from", "before"):
                return self._from_lead(i, lead)
        connected = self._connected(j, lead)
        if connected is None:
            return self._from_lead(i, lead) if lead else None
        connected.start = self._a[i].start if lead is None else lead.start
        connected.atoms = (i, connected.atoms[1])
        if lead:
            connected.context = lead.named
            connected.part = connected.part or lead.part
            connected.first.zone = connected.first.zone or lead.zone
        return connected

    def _connected(self, j: int, lead: End | None) -> Expression | None:
        a = self._a[j]
        if a.has("outside"):
            inner = self._connected(j + 1, lead) if self._has(j + 1, *_OPEN) else None
            if inner is None:
                first = self._end(j + 1, licence="hour", pair=True)
                inner = self._range(j + 1, first, "", lead) if first else None
            if inner is None or inner.shape != "range":
                return None
            inner.shape = "outside"
            inner.start = a.start
            return inner
        strong = a.has("from_hour", "between_hour", "after_hour", "before_hour")
        if a.has(*_OPEN):
            first = self._end(j + 1, licence="hour", pair=True)
            if first is None:
                return None
            between = a.has("between", "between_hour")
            both = self._range(j, first, "and" if between else "", lead, opened=True)
            if both is not None:
                return both
            if between and not a.has("from", "from_hour"):
                return None
            return self._one("after", j, first, strong, lead)
        if a.has(*_LATER):
            first = self._end(j + 1, licence="hour")
            if first is None:
                return None
            both = self._range(j, first, "", lead, opened=True) or self._after_before(j, first)
            return both or self._one("after", j, first, strong, lead)
        last = self._end(j + 1, licence="hour")
        return self._one("before", j, last, strong or a.has("to_hour"), lead) if last else None

    def _from_lead(self, i: int, lead: End) -> Expression | None:
        """An expression that begins with a day or a time: 'Sat 22:00 to Sun 06:00', 'Friday at 20:00'."""
        if lead.clock is not None:
            both = self._range(i, lead, "", None)
            if both is not None:
                return both
            return self._one("point", i, lead, False, None)
        if lead.day is not None:
            both = self._range(i, lead, "", None)
            if both is not None and both.last.day is not None:
                return both
            shape = "part" if lead.part else "day"
            return Expression(shape, lead, End(), lead.start, lead.end, part=lead.part, atoms=(i, lead.stop))
        if lead.part:
            return Expression("part", lead, End(), lead.start, lead.end, part=lead.part, atoms=(i, lead.stop))
        return None

    def _range(
        self, i: int, first: End, conjunction: str, lead: End | None, *, opened: bool = False
    ) -> Expression | None:
        j = first.stop
        if self._kind(j, Kind.SOFT) and self._has(j + 1, *_JOIN):
            j += 1
        dash = self._kind(j, Kind.DASH)
        if conjunction and not (self._has(j, conjunction, *_JOIN) or dash):
            return None
        if not conjunction and not (self._has(j, *_JOIN) or dash):
            return None
        j += 1
        if self._has(j, "to", "to_hour", "before", "at", "at_hour"):  # "bis zu", "fino alle", "up to"
            j += 1
        last = self._end(j, licence="hour", pair=True)
        if last is None or (last.clock is None and last.named is None):
            return None
        if first.clock is None or last.clock is None:
            if first.named is None or last.named is None:
                return None  # "from 22:00 to Tuesday" and "Friday to 6" are not clear enough
            if dash and first.clock is None and last.clock is not None:
                return None
        if first.bare and last.bare and not opened:
            shown = first.named or last.named or first.part or last.part or last.zone or (lead and lead.named)
            if not shown:
                return None
        expression = Expression("range", first, last, min(first.start, self._a[i].start), last.end)
        expression.atoms = (i, last.stop)
        return expression

    def _after_before(self, i: int, first: End) -> Expression | None:
        """'after nine and before midnight', 'not before 20, then until 6'."""
        j = self._over(first.stop, "and", "fill", soft=True)
        if not self._has(j, *_EARLIER, *_JOIN):
            return None
        last = self._end(j + 1, licence="hour")
        if last is None or last.clock is None or first.clock is None:
            return None
        return Expression("range", first, last, self._a[i].start, last.end, atoms=(i, last.stop))

    def _one(self, shape: str, i: int, end: End, strong: bool, lead: End | None) -> Expression | None:
        if end.clock is None and end.named is None:
            return None
        if end.bare and not strong and not self._plain_hour(end, lead):
            return None
        first, last = (End(), end) if shape == "before" else (end, End())
        if end.clock is None and shape == "point":
            shape = "day"
        result = Expression(shape, first, last, min(self._a[i].start, end.start), end.end, atoms=(i, end.stop))
        if shape in ("point", "after") and end.clock is not None:
            self._lasting(result)
        return result

    def _plain_hour(self, end: End, lead: End | None) -> bool:
        """Whether a bare number after "after", "at", "until" is an hour and not a count of something."""
        if end.named or end.part or end.zone or (lead and lead.named):
            return True
        following = self._get(end.stop)
        clock = end.clock
        if following is None or following.kind in (Kind.STOP, Kind.SOFT) or (clock and clock.minutes >= 780):
            return True
        return following.kind is Kind.WORD and not following.past and not following.has("hours_unit", "minutes_unit")

    def _lasting(self, e: Expression) -> None:
        """', two hours', 'for at most 90 minutes' behind a time."""
        j = self._over(e.atoms[1], "lasting", "fill", soft=True)
        a = self._get(j)
        if a is None:
            return
        minutes: int | None = None
        if a.has("half_hour_lasting"):
            minutes = 30
        elif a.has("hour_lasting"):
            minutes = 60
        elif a.kind is Kind.NUMBER and self._has(j + 1, "hours_unit"):
            minutes, j = 60 * a.number, j + 1
        elif a.kind is Kind.NUMBER and self._has(j + 1, "minutes_unit"):
            minutes, j = a.number, j + 1
        if minutes:
            e.minutes = minutes
            e.end = self._a[j].end
            e.atoms = (e.atoms[0], j + 1)

    # --- one end ---

    def _skip_soft(self, i: int) -> int:
        return i + 1 if self._kind(i, Kind.SOFT) else i

    def _end(self, i: int, *, licence: str, pair: bool = False) -> End | None:
        """The end that begins at ``i``: days, a time, a part of the day, a zone, in any order."""
        e = End(stop=i)
        limit = min(len(self._a), i + MAX_RUN)
        hour = licence == "hour"
        on_day = every = False
        j = i
        while j < limit:
            a = self._a[j]
            if a.past or a.kind in (Kind.GAP, Kind.STOP, Kind.DASH):
                break
            if a.kind is Kind.SOFT:
                if not self._goes_on(j + 1, e):
                    break
            elif a.has("hour_before"):
                hour, on_day = True, False
                e.bare = False
                if self._kind(j + 1, Kind.NUMBER, Kind.DOTTED) and e.clock is None:
                    marked = self._number(j + 1, marked=True)
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
                continue
            elif a.kind is Kind.CLOCK and a.clock is not None:
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
                if not self._add_number(e, j, hour=hour, on_day=on_day, pair=pair):
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
            elif a.has("at", "at_hour") and e.clock is None and not (a.has(*_JOIN) and (e.day or e.part) and not hour and self._kind(j + 1, Kind.DAY)):
                hour = True
                on_day = on_day or a.has("on_day")
                if a.has("at_hour") and self._kind(j + 1, Kind.NUMBER):
                    e.bare = False
                    strong = self._number(j + 1, marked=True)
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
            elif not a.has("fill", "hour_after"):
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
            a.kind in (Kind.CLOCK, Kind.DAY, Kind.NUMBER, Kind.DOTTED)
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
        if e.part == "night" and e.clock is None:
            merged = replace(merged, night=True)
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
            if self._kind(k, Kind.CLOCK, Kind.DAY, Kind.NUMBER, Kind.DOTTED) and abs(k - j) <= 4:
                return True
            if self._kind(k, Kind.DASH) and self._kind(k + step, Kind.DAY):
                return True
        return False

    def _stretch(self, e: End, j: int, day: Day) -> bool:
        """Monday to Thursday, 1 July to 15 August, the night of 8 to 9 December: one stretch of days."""
        k = j + 1
        if not (self._has(k, *_JOIN, "night_to") or self._kind(k, Kind.DASH)):
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
            if e.part == "night" or day.night:
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
        return self._kind(k, Kind.CLOCK) and (self._kind(k + 1, Kind.DASH) or self._has(k + 1, *_JOIN))

    def _add_number(self, e: End, j: int, *, hour: bool, on_day: bool, pair: bool) -> bool:
        a = self._a[j]
        nxt = j + 1
        joined = self._kind(nxt, Kind.DASH) or self._has(nxt, *_JOIN, "and", "night_to")
        weekday = e.day is not None and bool(e.day.weekdays) and e.day.day is None and e.clock is None
        if self._short_stretch(e, j):
            return True
        dom = not a.spelled and 1 <= a.number <= 31
        if dom and e.clock is None and (
            on_day and (a.text == "ordinal" or not joined)
            or (weekday and not hour and (a.text == "ordinal" or not joined) and not self._has(nxt, "hour_after"))
            or (a.text == "ordinal" and not hour and e.day is None and self._dom_follows(nxt))
        ):  # fmt: skip
            if on_day and not weekday and not self._dom_follows(nxt):
                return False
            day = Day(day=a.number, weekdays=e.day.weekdays if weekday and e.day else ())
            e.day = replace(day, night=e.part == "night")
            self._take(e, j)
            return True
        if e.clock is not None:
            return False
        shown = bool(e.day) or bool(e.part)
        if not hour and not (joined and (shown or self._pair_shown(nxt))) and not self._has(nxt, "half_after"):
            following = self._get(nxt)
            if not (following is not None and following.part and a.number <= 24 and not following.has("clock")):
                return False
        clock = self._number(j, marked=False)
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
        if e.clock is not None or not (self._has(k, *_JOIN, "night_to") or self._kind(k, Kind.DASH)):
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

    def _number(self, j: int, *, marked: bool) -> Clock | None:
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
        joined = self._kind(nxt, Kind.DASH) or self._has(nxt, *_JOIN, "and")
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
        anchored = weekday or hour or e.clock is not None or e.part == "night" or self._clock_follows(nxt)
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

    # --- what stands around ---

    def _past(self, i: int) -> Expression:
        """'yesterday at 22:00': read to its end and dropped."""
        end = self._end(i + 1, licence="")
        stop = end.stop if end else i + 1
        return Expression("past", End(), End(), self._a[i].start, self._a[stop - 1].end, past=True, atoms=(i, stop))

    def _is_past(self, e: Expression) -> bool:
        """'since 11:20', 'down from 02:47', 'backup of 03:00', '22:00 yesterday'."""
        i, stop = e.atoms
        if self._has(i - 1, "since") or (e.shape in ("after", "point") and self._has(i, "since") and not self._has(i, "from", "from_hour")):
            return True
        after = self._get(self._skip_soft(stop))
        if after is not None and after.past and e.shape in ("point", "after", "day", "part"):
            return True
        if e.shape not in ("point", "after", "day", "part") or (e.shape == "after" and e.first.clock is None):
            return False
        wanted = ("failure", "backup") if e.shape == "point" else ("failure",)
        for k in range(i - 1, max(-1, i - 1 - _NEAR), -1):
            a = self._a[k]
            if a.kind is Kind.STOP or (a.kind is Kind.SOFT and a.text != "("):
                break
            if a.has(*wanted):
                return True
        return False

    def _neighbours(self, found: list[Expression]) -> None:
        """Gives a time without a day the day that is named beside it, with a few plain words between."""
        for k, e in enumerate(found):
            if e.past or e.shape in ("day", "part") or e.context or e.first.named or e.last.named:
                continue
            for other in (found[k - 1] if k else None, found[k + 1] if k + 1 < len(found) else None):
                if other is None or other.past or other.shape not in ("day", "part"):
                    continue
                if not self._near(*sorted((other.atoms, e.atoms))):
                    continue
                if e.context is None and not e.part:
                    e.context, e.part = other.first.named, other.part
                    e.start, e.end = min(e.start, other.start), max(e.end, other.end)
                    other.past = True  # taken in
                    break

    def _near(self, left: tuple[int, int], right: tuple[int, int]) -> bool:
        gap = self._a[left[1] : right[0]]
        soft = sum(a.kind is Kind.SOFT for a in gap)
        if any(a.kind is Kind.STOP or a.past or a.has("backup", "failure", "since") for a in gap):
            return False
        return len(gap) <= 8 if not soft else len(gap) - soft <= 3 and soft <= 1


def _merge(one: Day, two: Day) -> Day | None:
    """A weekday and a date, a day and its part, as one day; ``None`` when they cannot be one."""
    if one.day is None and two.day is not None and one.offset is None and not one.every:
        return replace(two, weekdays=one.weekdays or two.weekdays, night=one.night)
    if two.day is None and one.day is not None and two.weekdays and two.offset is None and not two.every:
        return replace(one, weekdays=two.weekdays)
    if one.offset is not None and two.offset is None and (two.weekdays or two.day) and not two.every:
        return replace(two, part=one.part, night=one.night)  # "tomorrow, Friday 27/11": the date says it
    if one.weekdays and two.weekdays and one.day is None and two.day is None and one.weekdays == two.weekdays:
        return one
    return None
