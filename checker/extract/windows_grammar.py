"""Atoms to expressions: what is a range, an open end, a point, a day -- still as it was said.

The parser walks the atoms once; every step takes at least one, so the work is linear in the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .windows_ends import JOIN, End, EndReader
from .windows_tokens import Day, Kind

_NEAR: Final = 5  # words between a failure or a backup and its time
_OPEN: Final = ("from", "from_hour", "between", "between_hour")
_LATER: Final = ("after", "after_hour")
_EARLIER: Final = ("before", "before_hour")


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


class Parser(EndReader):
    """The expressions of the atoms of one text."""

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
            if lead.clock is not None or not self._has(j, *_OPEN, *_LATER, *_EARLIER, *JOIN, "outside"):
                return self._from_lead(i, lead)
            if self._has(j, *JOIN) and not self._has(j, "from", "before"):
                return self._from_lead(i, lead)
        connected = self._connected(j, lead)
        if connected is None:
            return self._from_lead(i, lead) if lead else None
        connected.start = self._a[i].start if lead is None else lead.start
        connected.atoms = (i, connected.atoms[1])
        if lead:
            connected.context = connected.context or lead.named
            connected.part = connected.part or lead.part
            connected.first.zone = connected.first.zone or lead.zone
        return connected

    def _connected(self, j: int, lead: End | None) -> Expression | None:
        a = self._a[j]
        if a.has("outside"):
            inner = self._connected(j + 1, lead) if self._has(j + 1, *_OPEN) else None
            if inner is None:
                first = self._end(j + 1, licence="hour")
                inner = self._range(j + 1, first, "", lead, opened=True) if first else None
            if inner is None or inner.shape != "range":
                return None
            inner.shape = "outside"
            inner.start = a.start
            return inner
        strong = a.has("from_hour", "between_hour", "after_hour", "before_hour")
        if a.has(*_OPEN):
            first = self._end(
                j + 1,
                licence="hour",
                dom=a.has("on_day"),
                night=lead is not None and lead.part in ("night", "evening") and lead.day is None,
            )
            if first is None:
                return None
            stretch = self._after_stretch(first)
            if stretch is not None:
                return stretch
            between = a.has("between", "between_hour")
            both = self._range(j, first, "and" if between else "", lead, opened=True)
            if both is not None:
                return both
            if between and not a.has("from", "from_hour"):
                return None
            if first.bare and (self._has(first.stop, *JOIN) or self._kind(first.stop, Kind.DASH)):
                return None  # "from 20 to 30 euro"
            # "de", "di": of as well as from; without an end it opens nothing
            return self._one("point" if a.has("fill") else "after", j, first, strong, lead)
        if a.has(*_LATER):
            first = self._end(j + 1, licence="hour")
            if first is None:
                return None
            both = self._range(j, first, "", lead, opened=True) or self._after_before(j, first)
            return both or self._one("after", j, first, strong, lead)
        last = self._end(j + 1, licence="hour")
        return self._one("before", j, last, strong or a.has("to_hour"), lead) if last else None

    def _after_stretch(self, days: End) -> Expression | None:
        """'from Saturday to Sunday' as one stretch of days, with the hours that follow it."""
        day = days.day
        if days.clock is not None or day is None or not (day.last or day.part == "night-to"):
            return None
        j = self._skip_soft(days.stop)
        hours = self._connected(j, days) if self._has(j, *_OPEN, *_LATER, *_EARLIER) else None
        if hours is None and self._kind(j, Kind.CLOCK, Kind.NUMBER):
            first = self._end(j, licence="hour")
            hours = self._range(j, first, "", days) if first else None
        if hours is None:
            return Expression("range" if day.last else "part", days, End(), days.start, days.end, atoms=(0, days.stop))
        hours.context = day
        return hours

    def _from_lead(self, i: int, lead: End) -> Expression | None:
        """An expression that begins with a day or a time: 'Sat 22:00 to Sun 06:00', 'Friday at 20:00'."""
        if lead.clock is not None:
            both = self._range(i, lead, "", None)
            if both is not None:
                return both
            if (
                self._a[i].kind is Kind.CLOCK
                and self._a[i].text == "hours"
                and not (lead.named or lead.part or lead.zone)
            ):
                return None  # "2 horas", "SLA 4 h": a length
            return self._one("point", i, lead, False, None)
        if lead.day is not None:
            both = self._range(i, lead, "", None)
            if both is not None and both.last.day is not None:
                return both
            if self._has(lead.stop, "months"):
                return None  # "the first Wednesday of March": not the next Wednesday
            if lead.day.day and not (lead.day.month or lead.day.weekdays or lead.part):
                return None  # "port 22", "point 2": a number alone is no day
            shape = "part" if lead.part else "day"
            return Expression(shape, lead, End(), lead.start, lead.end, part=lead.part, atoms=(i, lead.stop))
        if lead.part:
            return Expression("part", lead, End(), lead.start, lead.end, part=lead.part, atoms=(i, lead.stop))
        return None

    def _range(
        self, i: int, first: End, conjunction: str, lead: End | None, *, opened: bool = False
    ) -> Expression | None:
        j = first.stop
        if self._kind(j, Kind.SOFT) and self._has(j + 1, *JOIN):
            j += 1
        dash = self._kind(j, Kind.DASH)
        if conjunction and not (self._has(j, conjunction, *JOIN) or dash):
            return None
        if not conjunction and not (self._has(j, *JOIN) or dash):
            return None
        dom = self._has(j, "on_day") and first.clock is None
        j += 1
        if self._has(j, "to", "to_hour", "before", "at", "at_hour"):  # "bis zu", "fino alle", "up to"
            j += 1
        last = self._end(j, licence="hour", dom=dom)
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
        if not self._has(j, *_EARLIER, *JOIN):
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
        named = end.named
        if end.clock is None and named is not None:
            if shape == "after" and named.offset == 0:
                return None  # "since today"
            shape = "range" if named.last else shape
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
        elif a.kind is Kind.CLOCK and a.clock and a.clock.minutes % 60 == 0 and self._has(j - 1, "lasting"):
            minutes = a.clock.minutes  # "at most 3 h"
        elif a.kind is Kind.NUMBER and self._has(j + 1, "hours_unit"):
            minutes, j = 60 * a.number, j + 1
        elif a.kind is Kind.NUMBER and self._has(j + 1, "minutes_unit"):
            minutes, j = a.number, j + 1
        if minutes:
            e.minutes = minutes
            e.end = self._a[j].end
            e.atoms = (e.atoms[0], j + 1)

    # --- what stands around ---

    def _past(self, i: int) -> Expression:
        """'yesterday at 22:00': read to its end and dropped."""
        end = self._end(i + 1, licence="")
        stop = end.stop if end else i + 1
        return Expression("past", End(), End(), self._a[i].start, self._a[stop - 1].end, past=True, atoms=(i, stop))

    def _is_past(self, e: Expression) -> bool:
        """'since 11:20', 'down from 02:47', 'backup of 03:00', '22:00 yesterday'."""
        i, stop = e.atoms
        if self._has(i - 1, "since") or (
            e.shape in ("after", "point") and self._has(i, "since") and not self._has(i, "from", "from_hour")
        ):
            return True
        after = self._get(self._skip_soft(stop))
        if after is not None and after.past and e.shape in ("point", "after", "day", "part"):
            return True
        if e.shape not in ("point", "after", "day", "part") or (e.shape == "after" and e.first.clock is None):
            return False
        day = e.first.named
        if e.shape in ("day", "part") and day and day.offset == 0 and self._has(i - 1, "from"):
            return True  # "since tonight" of a copy that has been there since
        opened = e.shape == "after" and self._has(i, *_OPEN)
        if opened and any(self._has(k, "failure") for k in (stop, stop + 1)):
            return True  # "dalle 02:47 non risponde"
        wanted = ("failure",) if e.shape == "after" else ("failure", "backup")
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
        if any(a.kind is Kind.STOP or a.past or a.has("backup", "failure", "since", "months") for a in gap):
            return False
        words = sum(a.kind is Kind.GAP for a in gap)
        if not soft:
            return words <= 7 and len(gap) <= 12
        if any(a.has("backup") for a in self._a[max(0, left[0] - _NEAR) : left[0]]):
            return False
        opens = self._kind(left[0] - 1, Kind.STOP) or left[0] == 0
        return words <= 3 and (soft == 1 or (soft == 2 and opens)) and len(gap) <= 9
