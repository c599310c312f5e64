"""Moments and durations as the staff read them: ISO dates with a weekday, local time with its zone, and UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from .model import AnswerError
from .texts import Texts


def local(moment: datetime, zone: tzinfo) -> datetime:
    """``moment`` on the staff's clock. Raises :class:`AnswerError` for a moment without a zone: no guessing."""
    if moment.tzinfo is None:
        raise AnswerError("a time without a zone cannot be shown; give aware datetimes")
    return moment.astimezone(zone)


def stamp(moment: datetime, zone: tzinfo, texts: Texts, language: str) -> str:
    """``Sat 2026-11-28 02:00``."""
    there = local(moment, zone)
    names = texts.get(language, "digest.weekdays").split(",")
    weekday = names[there.weekday()] if len(names) == 7 else ""
    return f"{weekday} {there:%Y-%m-%d %H:%M}".strip()


def moment(at: datetime, zone: tzinfo, texts: Texts, language: str) -> str:
    """``Sat 2026-11-28 02:00 CET = 01:00 UTC``."""
    there = local(at, UTC)
    utc = f"{there:%H:%M}" if there.date() == local(at, zone).date() else stamp(at, UTC, texts, language)
    return f"{stamp(at, zone, texts, language)} {local(at, zone).tzname()} = {utc} UTC"


def window(start: datetime | None, end: datetime | None, zone: tzinfo, texts: Texts, language: str) -> str:
    """A window in local time and UTC, an open end as an ellipsis; "" when neither end is known."""
    if start is None and end is None:
        return ""
    here = _between(start, end, zone, texts, language)
    name = next((local(m, zone).tzname() for m in (start, end) if m is not None), "")
    there = _between(start, end, UTC, texts, language)
    if start is not None and end is not None and _one_day(start, end, zone) == _one_day(start, end, UTC) is not None:
        there = f"{local(start, UTC):%H:%M} – {local(end, UTC):%H:%M}"
    return f"{here} {name} = {there} UTC"


def duration(span: timedelta, texts: Texts, language: str) -> str:
    """Whole days from two days on, whole hours from two hours on, else minutes."""
    minutes = max(0, int(span.total_seconds() // 60))
    for name, size in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * size:
            return texts.get(language, f"digest.{name}", count=str(minutes // size))
    return texts.get(language, "digest.minutes", count=str(minutes))


def _one_day(start: datetime, end: datetime, zone: tzinfo) -> date | None:
    """The date that a window lies in, or ``None`` when it crosses midnight."""
    first, last = local(start, zone).date(), local(end, zone).date()
    return first if first == last else None


def _between(start: datetime | None, end: datetime | None, zone: tzinfo, texts: Texts, language: str) -> str:
    if start is None or end is None:
        edge = [stamp(m, zone, texts, language) if m is not None else "…" for m in (start, end)]
        return f"{edge[0]} – {edge[1]}"
    first, last = local(start, zone), local(end, zone)
    tail = f"{last:%H:%M}" if first.date() == last.date() else stamp(end, zone, texts, language)
    return f"{stamp(start, zone, texts, language)} – {tail}"
