"""Time windows: when something may happen, as customers of eight languages write it.

An own grammar over the packs' words (``rules/lang/<xx>/time.toml``). Which of several times in a mail is the
window of a permission is for the caller to decide from the words around; here only what can never be one is
left out: reports of the past ("since 11:20", "yesterday at 22:00"), times of backups, addresses, versions,
prices, sizes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from ..model import Span, TimeWindow
from .windows_grammar import Expression, Parser
from .windows_resolve import Moment, Resolved, moment, resolve
from .windows_scan import Scanner
from .windows_tokens import letters, rank, tokens
from .windows_words import TimeWords, TimeWordsError, time_words

__all__ = ["OfficeHours", "TimeWords", "TimeWordsError", "find_windows", "time_words"]

MAX_WINDOWS: Final = 200  # per call; a table of hundreds of times is a log
_WEEK: Final = 7
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When the data centre is staffed: for each weekday (Monday first) opening and closing, or ``None``.

    A closing time of 00:00 is midnight at the end of the day. Raises ``ValueError`` unless there are seven days.
    """

    zone: tzinfo
    week: tuple[tuple[time, time] | None, ...]

    def __post_init__(self) -> None:
        if len(self.week) != _WEEK:
            raise ValueError(f"office hours need seven days, Monday first; got {len(self.week)}")

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether anybody is there at some time from ``start`` to ``end`` (aware)."""
        if end - start >= timedelta(days=_WEEK):
            return any(self.week)
        day = start.astimezone(self.zone).date() - timedelta(days=1)
        while day <= end.astimezone(self.zone).date():
            hours = self.week[day.weekday()]
            if hours is not None:
                opens = datetime.combine(day, hours[0], self.zone)
                closing = day + timedelta(days=1) if hours[1] <= hours[0] else day
                closes = datetime.combine(closing, hours[1], self.zone)
                if (opens < end and start < closes) or opens <= start == end < closes:
                    return True
            day += timedelta(days=1)
        return False


def find_windows(
    text: str,
    start: int,
    end: int,
    message_n: int,
    part: str,
    sent: datetime | None,
    zone: tzinfo,
    words: TimeWords,
    hours: OfficeHours | None = None,
    language: str = "",
) -> tuple[TimeWindow, ...]:
    """The time windows of ``text[start:end]`` in order, with offsets in ``text``.

    ``sent`` is when the mail was written (``None``: unknown, then only full dates resolve), ``zone`` the
    zone of times that name none (see :func:`.windows_resolve.moment`). ``language`` is the pack to read with
    if the caller knows it; otherwise the words decide. Never raises on any text.
    """
    end = min(end, len(text))
    start = max(start, 0)
    if not _worthwhile(text, start, end, words):
        return ()
    found = tokens(text, start, end)
    order = rank(text[start:end], found, words, language)
    if not order:
        return ()
    now = moment(sent, zone)
    scanner = Scanner(found, words, order)
    expressions = Parser(scanner.atoms(), english=scanner.language == "en").parse()
    result: list[TimeWindow] = []
    for expression in expressions[:MAX_WINDOWS]:
        window = _window(expression, text, message_n, part, now, hours)
        if window is not None:
            result.append(window)
    return tuple(result)


def _worthwhile(text: str, start: int, end: int, words: TimeWords) -> bool:
    """Whether there is a number or a word of time at all: two of three sentences have none."""
    return _DIGIT.search(text, start, end) is not None or words.may_name_a_time(letters(text, start, end))


def _window(
    e: Expression, text: str, message_n: int, part: str, now: Moment, hours: OfficeHours | None
) -> TimeWindow | None:
    resolved = resolve(e, now)
    over = now.sent is not None and resolved.end is not None and resolved.end < now.sent
    if over and e.shape == "day":
        return None  # the date of a letter, an invoice, a report
    span = Span(message_n, e.start, e.end, text[e.start : e.end], part)
    return TimeWindow(
        text=span.text,
        start=resolved.start,
        end=resolved.end,
        span=span,
        has_time=_bounded(e),
        recurring=resolved.recurring,
        ambiguous=resolved.ambiguous,
        advisories=_advisories(e, resolved, now, hours),
        kind=e.shape,
        zone=resolved.zone,
        weekday=resolved.weekday,
        hours=resolved.hours,
    )


def _bounded(e: Expression) -> bool:
    """Whether a time of day, a date, a weekday, or a named day's part is there; "at night", "today" are not."""
    if e.first.clock or e.last.clock:
        return True
    day = e.first.named or e.last.named or e.context
    if day is None:
        return False
    if day.offset == 0 and day.part in ("", "morning"):
        return False  # "today" and "this morning" are said of everything
    if e.shape == "part" or e.part or day.part:
        return True
    return bool(day.weekdays or day.day or day.offset)


def _advisories(e: Expression, resolved: Resolved, now: Moment, hours: OfficeHours | None) -> tuple[str, ...]:
    result = []
    start, end = resolved.start, resolved.end
    if now.sent is not None:
        last = end or (start if e.shape == "point" else None)
        if last is not None and last < now.sent:
            result.append("past")
    if start is not None and end is not None and end <= start:
        result.append("reversed")
    elif start is not None and (end is not None or e.shape == "point") and _unstaffed(hours, start, end or start):
        result.append("outside-hours")
    return tuple(result)


def _unstaffed(hours: OfficeHours | None, start: datetime, end: datetime) -> bool:
    return hours is not None and not hours.overlaps(start, end)
