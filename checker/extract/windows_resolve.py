"""Expressions to moments, without guessing: what is not said stays unresolved and is named.

Reasons for ``ambiguous``: ``date`` (no day, or one that could be two), ``order`` (03/04 with day and month
either way round), ``weekday`` (the weekday is not that date's), ``hour`` (morning or evening), ``zone``,
``dst`` (an hour that the change of clocks repeats or skips).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from .windows_grammar import Expression
from .windows_tokens import Clock, Day
from .windows_words import PARTS, ZoneWord

_PM: Final = frozenset({"afternoon", "evening"})
_RECENT: Final = 31  # days: a date without year that lies this far back is still this one, not next year's
_DAY: Final = 1440
_EARLY: Final = 300  # "this evening at two" is two in the morning


@dataclass(frozen=True, slots=True)
class Moment:
    """The day of sending as the sender saw it, and the zone of times that name none."""

    sent: datetime | None
    zone: tzinfo
    zone_known: bool

    @property
    def today(self) -> date | None:
        return self.sent.date() if self.sent else None


@dataclass(frozen=True, slots=True)
class Resolved:
    """``start`` and ``end`` are aware or ``None``; ``weekday`` counts from Monday = 0."""

    start: datetime | None
    end: datetime | None
    ambiguous: tuple[str, ...]
    recurring: str | None
    weekday: int | None
    hours: tuple[str | None, str | None]
    zone: str | None


def moment(sent: datetime | None, zone: tzinfo) -> Moment:
    """Where the sender's clock stands.

    The offset of the Date header counts (RFC 5322 §3.3), as ``zone`` where the two agree on that day so that
    later summer time is followed. ``+0000`` says nothing about the sender when ``zone`` differs: large mail
    services write it for everybody. Then a time without a zone stays ambiguous.
    """
    if sent is None or not 1970 <= sent.year <= 2200:
        return Moment(None, zone, True)  # a Date header that nobody's clock wrote says nothing
    if sent.tzinfo is None:
        return Moment(sent.replace(tzinfo=zone), zone, True)
    here = sent.astimezone(zone)
    offset = sent.utcoffset()
    if here.utcoffset() == offset:
        return Moment(here, zone, True)
    if not offset:
        return Moment(here, zone, False)
    return Moment(sent, sent.tzinfo, True)


def resolve(e: Expression, now: Moment) -> Resolved:
    """The moments of ``e``, the reasons why some are missing, and how it recurs."""
    reasons: list[str] = []
    word = e.last.zone or e.first.zone
    first, last = _clocks(e)
    day = e.first.named or e.context
    own = e.last.day
    if day is None and e.shape == "before":
        day, own = e.last.named or e.context, None
    elif day is None and e.last.after:
        day, own = e.last.after, None
    elif day is None and own is not None and e.shape != "before":
        reasons.append("date") if e.first.clock else None
    if own is None and e.last.after is not None and e.first.named is not None:
        own = e.last.after
    if own == day and e.first.named is None:
        own = None
    hours = (_hhmm(first), _hhmm(last))
    zone_name = word.name if word else (str(now.zone) if now.zone_known else None)
    weekday = day.weekdays[0] if day and len(day.weekdays) == 1 else None
    recurring = _recurring(day) if day and not own else None
    if e.shape in ("outside", "part") and recurring is None:
        reasons += ["hour"] if e.shape == "part" else []
        return Resolved(None, None, tuple(reasons), recurring, weekday, hours, zone_name)
    for clock in (first, last):
        if clock is not None and clock.loose and "hour" not in reasons:
            reasons.append("hour")
    if e.shape == "outside" or (recurring and first is None and last is None and e.shape != "day"):
        return Resolved(None, None, tuple(reasons), recurring, weekday, hours, zone_name)
    start, end = _moments(e, day, own, first, last, now, word, reasons, recurring)
    return Resolved(start, end, tuple(dict.fromkeys(reasons)), recurring, weekday, hours, zone_name)


# --- clocks ----------------------------------------------------------------------------------------


def _clocks(e: Expression) -> tuple[Clock | None, Clock | None]:
    """Both times with morning or evening settled where the words settle it."""
    shared = e.part or next((d.part for d in (e.first.named, e.last.named, e.context) if d and d.part in PARTS), "")
    first, last = _with_part(e.first.clock, e.first.part), _with_part(e.last.clock, e.last.part)
    if first is not None and last is not None:
        if last.half and not first.half:
            first = _close(first, last, before=True)
        elif first.half and not last.half:
            last = _close(last, first, before=False)
        elif not first.half and any(c.minutes >= 780 or c.minutes < 60 for c in (first, last)):
            # one of the two can only be the 24-hour clock, so both are
            first, last = replace(first, loose=False), replace(last, loose=False)
    return _with_part(first, shared), _with_part(last, shared)


def _with_part(clock: Clock | None, part: str) -> Clock | None:
    """The hour with its part of the day: nine in the evening is 21:00, one at night 01:00."""
    if clock is None or not part or clock.half or not 60 <= clock.minutes < 780:
        return clock
    minutes = clock.minutes
    late = part in _PM and (minutes >= _EARLY or part == "afternoon")
    if late or (part == "noon" and minutes < 240) or (part == "night" and 480 <= minutes < 720):
        minutes = minutes if minutes >= 720 else minutes + 720
    elif part == "night" and minutes >= 720:
        minutes -= 720
    return Clock(minutes, half=True)


def _close(one: Clock, other: Clock, *, before: bool) -> Clock:
    """The reading of ``one`` that lies nearest to ``other`` on its side: '7 to 9 pm', '11 to 2 am'."""
    if one.minutes >= 780 or one.minutes < 60:
        return replace(one, loose=False)
    early = one.minutes % 720 if one.loose else one.minutes
    if not one.loose and (other.minutes <= 720 or (other.minutes == _DAY) or one.minutes >= 720):
        return one
    readings = (early, early % 720 + 720)
    sign = 1 if before else -1
    return Clock(min(readings, key=lambda m: (sign * (other.minutes - m) - 1) % _DAY))


def _hhmm(clock: Clock | None) -> str | None:
    if clock is None or clock.loose:
        return None
    return f"{clock.minutes // 60:02d}:{clock.minutes % 60:02d}"


# --- days ------------------------------------------------------------------------------------------


def _recurring(day: Day) -> str | None:
    if not day.every or not day.weekdays:
        return None
    if len(day.weekdays) == 7:
        return "daily"
    return "weekly:" + ",".join(str(d) for d in day.weekdays)


def _date(day: Day, now: Moment, reasons: list[str], *, passed: int | None = None) -> date | None:
    """The calendar date of ``day``; ``passed``: minutes from midnight when the window is over."""
    today = now.today
    if day.swapped and not _only_order(day, today):
        reasons.append("order")
        return None
    if day.day is not None and day.month is not None and day.year is not None:
        return _checked(_make(day.year, day.month, day.day), day, reasons)
    if today is None or now.sent is None:
        reasons.append("date")
        return None
    # close to midnight it is not even clear which day it was for a sender whose zone is unknown
    counted = day.offset is not None or day.day is None
    if counted and not now.zone_known and not 2 <= now.sent.hour < 22:
        reasons.append("date")
        return None
    if day.offset is not None:
        return today + timedelta(
            days=day.offset - (1 if "night" in (day.part, day.night and "night") and now.sent.hour < 5 else 0)
        )
    if day.day is not None and day.month is not None:
        return _checked(_nearest_year(day.month, day.day, today), day, reasons)
    if day.day is not None:
        return _next_dom(day, today, reasons)
    if len(day.weekdays) == 1:
        ahead = (day.weekdays[0] - today.weekday()) % 7
        if ahead == 0 and not day.every:
            minute = now.sent.hour * 60 + now.sent.minute
            if passed is None or passed > minute:
                reasons.append("date")  # said on that weekday: today or in a week?
                return None
            ahead = 7
        return today + timedelta(days=ahead)
    if day.weekdays and day.weekdays[0] == 5 and len(day.weekdays) == 2:
        return today + timedelta(days=(5 - today.weekday()) % 7)
    return None


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None  # 31 April: unresolved, the caller names it


def _checked(found: date | None, day: Day, reasons: list[str]) -> date | None:
    if found is None:
        reasons.append("date")
    elif day.weekdays and found.weekday() not in day.weekdays:
        reasons.append("weekday")
        return None
    return found


def _only_order(day: Day, today: date | None) -> bool:
    """Whether the weekday that was named rules one order out."""
    if not day.weekdays or day.day is None or day.month is None:
        return False
    year = day.year or (today.year if today else None)
    if year is None:
        return False
    one, two = _make(year, day.month, day.day), _make(year, day.day, day.month)
    return bool(one and two and one.weekday() in day.weekdays and two.weekday() not in day.weekdays)


def _nearest_year(month: int, day: int, today: date) -> date | None:
    here = _make(today.year, month, day)
    after = _make(today.year + 1, month, day)
    if here is None:
        return after  # 29 February
    if (today - here).days > _RECENT:
        return after
    before = _make(today.year - 1, month, day)
    return before if before and 0 <= (today - before).days <= _RECENT else here


def _next_dom(day: Day, today: date, reasons: list[str]) -> date | None:
    """The next such day of a month, within two months; a weekday must agree."""
    year, month = today.year, today.month
    for _ in range(3):
        found = _make(year, month, day.day or 1)
        if found and found >= today and (not day.weekdays or found.weekday() in day.weekdays):
            return found
        if found and found >= today and day.weekdays:
            break
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    reasons.append("weekday" if day.weekdays else "date")
    return None


# --- moments ---------------------------------------------------------------------------------------


def _moments(
    e: Expression, day: Day | None, own: Day | None, first: Clock | None, last: Clock | None, now: Moment,
    word: ZoneWord | None, reasons: list[str], recurring: str | None,
) -> tuple[datetime | None, datetime | None]:  # fmt: skip
    if day is None:
        reasons.append("date")
    if word.unknown if word else not now.zone_known:
        reasons.append("zone")
    if reasons:
        return None, None
    if day is None:
        return None, None
    begin = first.minutes if first else None
    finish = last.minutes if last else None
    if begin is not None and finish is None and e.minutes:
        finish = begin + e.minutes
    over = finish if finish is not None and (begin is None or finish > begin) else (_DAY if begin is None else None)
    if day.night and day.part == "night-to" and day.weekdays:
        day = replace(day, part="")
    elif _unclear_night(e, day, begin):
        reasons.append("date")
        return None, None
    if recurring:
        base = _next_occurrence(day, now, begin, finish)
    else:
        base = _date(day, now, reasons, passed=over if over is not None else (begin if finish is None else _DAY))
    if base is None:
        if not reasons:
            reasons.append("date")
        return None, None
    until = None
    if own is not None:
        until = _date(_later(own, base), Moment(_noon(base, now), now.zone, True), reasons)
        if until is None:
            return None, None
        if own.day is None and own.offset is None and until < base:
            until += timedelta(days=7)
    elif day.last is not None:
        until = _last_day(day, base)
    return _span(e, day, base, until, begin, finish, now, word, reasons)


def _noon(day: date, now: Moment) -> datetime:
    return datetime.combine(day, time(0), now.zone)


def _later(own: Day, base: date) -> Day:
    """The second day of a range, seen from the first: its year and month may be left out."""
    if own.day is not None and own.month is not None and own.year is None:
        return replace(
            own, year=base.year + (1 if (own.month, own.day) < (base.month, base.day) and base.month > 10 else 0)
        )
    return replace(own, every=False) if own.offset is None else own


def _last_day(day: Day, base: date) -> date | None:
    if day.last is None:
        return None
    number, month = day.last
    month = month or (base.month if number > base.day else base.month % 12 + 1)
    return _make(base.year + (1 if month < base.month else 0), month, number)


def _unclear_night(e: Expression, day: Day, begin: int | None) -> bool:
    """'Saturday night, 2 to 4' and 'Thursday, midnight': which of two nights is not said."""
    if begin == _DAY and day.offset:
        return True
    if day.offset is not None or len(day.weekdays) == 7 or day.last or day.part == "into":
        return False
    starts_late = begin is not None and 720 <= begin < _DAY
    weekday_night = e.part == "night" and e.first.day is None and bool(day.weekdays) and day.day is None
    if (weekday_night or (day.night and day.weekdays and day.day is None)) and not starts_late:
        return True
    return begin == _DAY and not day.night


def _next_occurrence(day: Day, now: Moment, begin: int | None, finish: int | None) -> date | None:
    if now.sent is None or now.today is None:
        return None
    minute = now.sent.hour * 60 + now.sent.minute
    end = finish if finish is not None else _DAY
    if begin is not None and finish is not None and finish <= begin:
        end += _DAY
    for ahead in range(8):
        found = now.today + timedelta(days=ahead)
        if found.weekday() in day.weekdays and (ahead or end > minute):
            return found
    return None


def _span(
    e: Expression, day: Day, base: date, until: date | None, begin: int | None, finish: int | None, now: Moment,
    word: ZoneWord | None, reasons: list[str],
) -> tuple[datetime | None, datetime | None]:  # fmt: skip
    if day.part == "into" and begin is not None and begin >= 720:
        base -= timedelta(days=1)
    night = (day.night or day.part == "night" or (day.offset is not None and e.part == "night")) and not day.every
    late = day.part == "evening" and day.offset is not None
    shift = 1 if begin is not None and ((night and begin < 720) or (late and begin < _EARLY)) else 0
    if begin == _DAY:
        shift, begin = (1, 0) if night or day.offset == 0 else (0, 0)
    if night and begin is None and finish is not None and finish < 720:
        shift = 1
    start_day = base + timedelta(days=shift)
    if day.weekdays[:2] == (5, 6) and not day.every and begin is None and until is None:
        until = base + timedelta(days=1)
    if begin is None and finish is None:
        if e.shape == "after":
            return _aware(base, 0, now, word, reasons), None
        if e.shape == "before":
            return None, _aware(base, 0, now, word, reasons)
        end_day = (until or base) + timedelta(days=1)
        return _aware(base, 0, now, word, reasons), _aware(end_day, 0, now, word, reasons)
    # "from 1 July to 15 August, 8 to 12" names days and hours: the stretch as a whole
    end_day = until if until is not None and not night else start_day
    if until is not None and night and (e.last.named is not None and e.last.named is not day):
        end_day = until
    if finish is not None and begin is not None and end_day == start_day and finish <= begin:
        end_day += timedelta(days=1)
    start = _aware(start_day, begin, now, word, reasons) if begin is not None else None
    if begin is None and e.shape == "range":
        start = _aware(start_day, 0, now, word, reasons)
    end = _aware(end_day, finish, now, word, reasons) if finish is not None else None
    if e.shape == "range" and finish is None and until is not None:
        end = _aware(until + timedelta(days=1), 0, now, word, reasons)
    return start, end


def _aware(day: date, minutes: int, now: Moment, word: ZoneWord | None, reasons: list[str]) -> datetime | None:
    """The moment on the clocks of the zone; ``None`` where that clock shows it twice or not at all."""
    zone = word.zone if word else now.zone
    try:
        naive = datetime.combine(day, time(0)) + timedelta(minutes=minutes)
        found = naive.replace(tzinfo=zone)
        offset = found.utcoffset()
        if word and word.seasonal and naive.replace(tzinfo=word.seasonal).utcoffset() != offset:
            reasons.append("zone")
            return None
        if offset != found.replace(fold=1).utcoffset():
            reasons.append("dst")
            return None
        found.astimezone(UTC)
    except OverflowError:
        reasons.append("date")
        return None
    return found
