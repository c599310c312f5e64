"""The staff's digests: which are due, and writing each once per occasion, whoever writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checker.answer.digest import compose
from checker.answer.model import AnswerError, Rendered
from checker.edges.files import write_private
from checker.edges.records import Kind
from checker.edges.store import leases, outbox
from checker.service.apply import sealed
from checker.service.overview import view
from checker.service.workshop import Workshop
from checker.settings import WEEKDAYS, DigestTeam, Schedule, Settings
from checker.settings.values import Weekday


@dataclass(frozen=True, slots=True)
class Due:
    """A digest whose time has come: its period's key, and the team (``None``: the digest of everything)."""

    period: str
    schedule: Schedule
    team: DigestTeam | None = None

    @property
    def name(self) -> str:
        """The team's name, or nothing."""
        return self.team.name if self.team is not None else ""


def occasion(now: datetime, schedule: Schedule, zone: ZoneInfo) -> str | None:
    """The last occasion of the local day that has come, or ``None``. Pure.

    The first of a day is named by its date and later ones by date and time, not by the moment: summer time may
    repeat an hour, never a date. A service that was down at the time catches up on the same day; of several
    that it missed it makes the last.
    """
    local = now.astimezone(zone)
    times = schedule.times(WEEKDAYS[local.weekday()])
    come = [t for t in times if t <= local.time()]
    if not come:
        return None
    date = local.date().isoformat()
    return date if come[-1] == times[0] else f"{date}T{come[-1]:%H:%M}"


def period_due(now: datetime, settings: Settings) -> str | None:
    """The occasion of the digest of everything, see :func:`occasion`."""
    return occasion(now, settings.digest, settings.hoster.zone)


def all_due(now: datetime, settings: Settings) -> tuple[Due, ...]:
    """Every digest whose time has come today, written or not. Pure."""
    found = []
    for schedule, team in ((settings.digest, None), *((t, t) for t in settings.digest.team)):
        period = occasion(now, schedule, settings.hoster.zone)
        if period is not None:
            found.append(Due(f"{period}/{team.name}" if team is not None else period, schedule, team))
    return tuple(found)


def occasions(settings: Settings) -> tuple[tuple[Weekday, time], ...]:
    """Every weekday and local time at which some digest is due, each once."""
    schedules = (settings.digest, *settings.digest.team)
    return tuple(dict.fromkeys((day, at) for day in WEEKDAYS for s in schedules for at in s.times(day)))


def render(shop: Workshop, since: datetime, now: datetime, team: DigestTeam | None = None) -> Rendered:
    """The digest of a period. Raises :class:`AnswerError` for a template that cannot be used."""
    with shop.store.read() as c:
        seen = view(c, shop, since, now, team)
    return compose(seen, shop.rules.current.env, shop.rules.current.texts)


def digest(shop: Workshop) -> bool:
    """Write the digests that are due and were not written. Says whether there was one."""
    now = shop.clock.now()
    return sum(_one(shop, due, now) for due in all_due(now, shop.settings)) > 0


def _one(shop: Workshop, due: Due, now: datetime) -> bool:
    with shop.store.read() as c:
        if leases.has_period(c, due.period):
            return False
        since = leases.last_digest(c, due.name) or now - timedelta(days=1)
    try:
        rendered = render(shop, since, now, due.team)
    except AnswerError as error:
        shop.log.error("digest-failed", period=due.period, error=str(error))  # noqa: TRY400 - the sentence says it all
        return False
    with shop.store.write() as c:
        if not leases.claim_period(c, due.period, since, now):
            return False
        for to in due.schedule.recipients:
            outbox.post(c, sealed(shop, rendered, Kind.DIGEST, to, key=f"digest:{due.period}:{to}"), now)
    shop.checkpoint("digest-posted")
    if shop.settings.digest.write_files:
        write_files(shop.settings.folders.state / "digest", due.period, rendered)
    shop.log.info("digest", period=due.period, count=len(due.schedule.recipients))
    return True


def write_files(folder: Path, period: str, rendered: Rendered) -> tuple[Path, Path]:
    """The digest as text and HTML files. Returns their paths."""
    name = period.replace("/", "-").replace(":", "")
    text, html = folder / f"{name}.txt", folder / f"{name}.html"
    write_private(text, rendered.text.encode())
    write_private(html, rendered.html.encode())
    return text, html
