"""The staff's digest: when it is due, and writing it once per day, whoever writes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from checker.answer.digest import compose
from checker.answer.model import AnswerError, Rendered
from checker.edges.files import write_private
from checker.edges.records import Kind
from checker.edges.store import leases, outbox
from checker.service.apply import sealed
from checker.service.overview import view
from checker.service.workshop import Workshop
from checker.settings import WEEKDAYS, Settings


def period_due(now: datetime, settings: Settings) -> str | None:
    """The local date whose digest is due, or ``None``. Pure.

    Keyed by the date, not by the hour: summer time may repeat an hour, never a date. A service that was down
    at the time catches up on the same day.
    """
    local = now.astimezone(settings.hoster.zone)
    if WEEKDAYS[local.weekday()] not in settings.digest.days or local.time() < settings.digest.at:
        return None
    return local.date().isoformat()


def render(shop: Workshop, since: datetime, now: datetime) -> Rendered:
    """The digest of a period. Raises :class:`AnswerError` for a template that cannot be used."""
    with shop.store.read() as c:
        seen = view(c, shop, since, now)
    return compose(seen, shop.rules.current.env, shop.rules.current.texts)


def digest(shop: Workshop) -> bool:
    """Write today's digest if it is due and was not written. Says whether it was."""
    now = shop.clock.now()
    period = period_due(now, shop.settings)
    if period is None:
        return False
    with shop.store.read() as c:
        if leases.has_period(c, period):
            return False
        since = leases.last_digest(c) or now - timedelta(days=1)
    try:
        rendered = render(shop, since, now)
    except AnswerError as error:
        shop.log.error("digest-failed", period=period, error=str(error))  # noqa: TRY400 - the sentence says it all
        return False
    with shop.store.write() as c:
        if not leases.claim_period(c, period, since, now):
            return False
        for to in shop.settings.digest.recipients:
            outbox.post(c, sealed(shop, rendered, Kind.DIGEST, to, key=f"digest:{period}:{to}"), now)
    shop.checkpoint("digest-posted")
    if shop.settings.digest.write_files:
        write_files(shop.settings.folders.state / "digest", period, rendered)
    shop.log.info("digest", period=period, count=len(shop.settings.digest.recipients))
    return True


def write_files(folder: Path, name: str, rendered: Rendered) -> tuple[Path, Path]:
    """The digest as text and HTML files. Returns their paths."""
    text, html = folder / f"{name}.txt", folder / f"{name}.html"
    write_private(text, rendered.text.encode())
    write_private(html, rendered.html.encode())
    return text, html
