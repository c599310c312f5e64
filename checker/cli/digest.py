"""``checker digest``: the staff digest, now, for any period."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from checker.cli.wiring import settings_from, workshop
from checker.edges.files import write_private
from checker.edges.records import Kind
from checker.edges.store import leases, outbox
from checker.edges.store.engine import StoreError
from checker.service.apply import sealed
from checker.service.deliver import deliver
from checker.service.digest import render
from checker.settings import DigestTeam, Settings


@click.command("digest")
@click.option("--since", metavar="WHEN", help="Start of the period: 2026-11-23, 2026-11-23T07:30, or 24h, 7d.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page.")
@click.option("--text", is_flag=True, help="Print it as text (also without any option).")
@click.option("--team", metavar="NAME", help="That team's digest, with its kinds of request and its language.")
@click.option("--send", is_flag=True, help="Send it to the recipients of the configuration.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def digest(since: str | None, html: Path | None, text: bool, team: str | None, send: bool, config: Path | None) -> None:
    """Everything that is open, and what happened since the last digest (or WHEN)."""
    settings = settings_from(config)
    of = named(team, settings) if team is not None else None
    recipients = (of or settings.digest).recipients
    if send and not recipients:
        raise click.UsageError("digest.recipients is empty; name who gets the digest, or leave --send out")
    try:
        shop = workshop(settings)
        now = shop.clock.now()
        with shop.store.read() as c:
            start = (
                moment(since, now, settings) if since else leases.last_digest(c, team or "") or now - timedelta(days=1)
            )
        rendered = render(shop, start, now, of)
        if html is not None:
            write_private(html, rendered.html.encode())
            click.echo(f"written: {html}", err=True)
        if text or not (html or send):
            click.echo(rendered.text)
        if send:
            stamp = now.strftime("%Y%m%dT%H%M%S")
            with shop.store.write() as c:
                for to in recipients:
                    outbox.post(c, sealed(shop, rendered, Kind.DIGEST, to, key=f"digest:manual-{stamp}:{to}"), now)
            click.echo(f"sent: {deliver(shop)}", err=True)
        shop.store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def named(team: str, settings: Settings) -> DigestTeam:
    """A team by its name. Raises :class:`click.UsageError`."""
    found = next((t for t in settings.digest.team if t.name == team), None)
    if found is None:
        known = ", ".join(t.name for t in settings.digest.team)
        raise click.UsageError(
            f"there is no team {team!r}; " + (f"there are {known}" if known else "the settings name none")
        )
    return found


def moment(text: str, now: datetime, settings: Settings) -> datetime:
    """A point in time as people write it. Raises :class:`click.UsageError`."""
    unit = {"h": timedelta(hours=1), "d": timedelta(days=1)}.get(text[-1:])
    if unit is not None and text[:-1].isdecimal() and len(text) <= 5:
        return now - int(text[:-1]) * unit
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--since {text!r} is no time; write 2026-11-23, 2026-11-23T07:30, 24h or 7d") from None
    return found if found.tzinfo else found.replace(tzinfo=settings.hoster.zone)
