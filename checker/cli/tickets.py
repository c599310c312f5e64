"""``checker tickets``: what is known; and the few things that people tell the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import click
from sqlalchemy import Connection

from checker.cli.terminal import cell, on_terminal, stamp, table
from checker.cli.wiring import settings_from, store_of
from checker.comply.procedure import IDS, KINDS
from checker.edges.clock import SystemClock
from checker.edges.records import Event, State, Ticket
from checker.edges.store import messages
from checker.edges.store import tickets as rows
from checker.edges.store.engine import Store, StoreError
from checker.model import TicketStatus
from checker.settings import LANGUAGES, Settings

_CONFIG = click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tickets are wanted; empty means all. ``before``: the customer wrote last before then."""

    missing: str | None = None
    kind: str | None = None
    language: str | None = None
    sender: str = ""
    before: datetime | None = None

    def wants(self, t: Ticket) -> bool:
        """Whether a ticket is one of those."""
        return (
            (self.missing is None or self.missing in t.missing)
            and (self.kind is None or self.kind in t.kinds)
            and (self.language is None or t.language == self.language)
            and (not self.sender or self.sender.lower() in f"{t.sender_name} <{t.sender}>".lower())
            and (self.before is None or (t.last_customer_at or t.created_at) < self.before)
        )


_ORDERS: Final[Mapping[str, Callable[[Ticket], object]]] = {
    "changed": lambda t: (-t.updated_at.timestamp(), t.id),
    "waiting": lambda t: ((t.last_customer_at or t.created_at).timestamp(), t.id),
    "created": lambda t: (t.created_at.timestamp(), t.id),
    "sender": lambda t: (t.sender.lower(), t.id),
    "status": lambda t: (t.status, -t.updated_at.timestamp(), t.id),
}


def age(_ctx: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    """A length of time as people write it: ``3d``, ``12h``."""
    if text is None:
        return None
    units = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
    number, unit = text[:-1], units.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdecimal()) or len(number) > 4:
        raise click.BadParameter(f"{text!r} is no length of time; write 12h, 3d or 2w")
    return int(number) * unit


@click.group("tickets", invoke_without_command=True)
@click.option("--status", type=click.Choice([s.value for s in TicketStatus]), help="Only those with this status.")
@click.option("--missing", type=click.Choice(IDS), metavar="REQUIREMENT", help="Only those that lack this.")
@click.option("--kind", type=click.Choice(KINDS), help="Only requests of this kind.")
@click.option("--language", type=click.Choice(LANGUAGES), metavar="XX", help="Only those in this language.")
@click.option("--sender", metavar="TEXT", default="", help="Only those whose sender's name or address holds this.")
@click.option("--older", metavar="3d", callback=age, help="Only where the customer wrote last longer ago: 12h, 3d, 2w.")
@click.option("--sort", type=click.Choice(list(_ORDERS)), default="changed", show_default=True, help="In which order.")
@click.option("--all", "everything", is_flag=True, help="Closed tickets and mails that are no request, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per ticket, one per line.")
@_CONFIG
@click.pass_context
def tickets(
    ctx: click.Context,
    status: str | None,
    missing: str | None,
    kind: str | None,
    language: str | None,
    sender: str,
    older: timedelta | None,
    sort: str,
    everything: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """List the tickets, those that changed last first. Filters add up."""
    if ctx.invoked_subcommand is not None:
        return
    settings = settings_from(config)
    store, zone = _store(settings), settings.hoster.zone
    wanted = Filters(missing, kind, language, sender, SystemClock().now() - older if older is not None else None)
    with store.read() as c:
        found = [t for t in rows.listed(c, [status] if status else None) if wanted.wants(t)]
    store.close()
    if not everything and status is None:
        found = [t for t in found if t.status != TicketStatus.NOT_A_REQUEST and "closed" not in t.flags]
    found.sort(key=_ORDERS[sort])  # type: ignore[arg-type]  # each gives tuples that compare
    if as_json:
        for ticket in found:
            click.echo(json.dumps(plain(ticket), ensure_ascii=False))
    elif found and on_terminal():
        columns = ("ticket", "status", "changed", "sender", "server", "missing or why", "asked")
        table(f"tickets: {len(found)}", columns, (_cells(t, zone) for t in found))
    else:
        for ticket in found:
            click.echo(_line(ticket, zone))
    if not found and not as_json:
        click.echo("no tickets", err=True)


@tickets.command("close")
@click.argument("ticket")
@_CONFIG
def close(ticket: str, config: Path | None) -> None:
    """TICKET is done: out of the digest, no reminders. A new mail of the customer opens it again."""
    _flag(ticket, config, closed=True)


@tickets.command("reopen")
@click.argument("ticket")
@_CONFIG
def reopen(ticket: str, config: Path | None) -> None:
    """TICKET is not done after all."""
    _flag(ticket, config, closed=False)


@tickets.command("resume")
@click.argument("ticket")
@_CONFIG
def resume(ticket: str, config: Path | None) -> None:
    """TICKET is the program's again, after a colleague wrote in it: it asks and reminds as before."""
    store, now = _open(config), SystemClock().now()
    with store.write() as c:
        found = find(c, ticket)
        if "paused" not in found.flags:
            raise click.ClickException(f"ticket {found.id} is not paused")
        rows.change(c, found, flags=tuple(f for f in found.flags if f != "paused"), updated_at=now)
        rows.note(c, Event(now, found.id, "resumed"))
    store.close()
    click.echo(f"{found.id}: asked and reminded by the program again")


@tickets.command("quarantined")
@_CONFIG
def quarantined(config: Path | None) -> None:
    """List the mails that could not be read, and why."""
    store = _open(config)
    with store.read() as c:
        for mail in messages.in_state(c, State.QUARANTINED):
            place = mail.place
            click.echo(f"{mail.id}  {place.account}/{place.folder} UID {place.uid}  {mail.size} bytes: {mail.reason}")
    store.close()


@tickets.command("retry")
@click.argument("mail", type=int)
@_CONFIG
def retry(mail: int, config: Path | None) -> None:
    """Read the quarantined MAIL (a number of ``tickets quarantined``) once more in the next round."""
    store = _open(config)
    with store.write() as c:
        if not messages.release(c, mail):
            raise click.ClickException(f"mail {mail} is not in quarantine; see: checker tickets quarantined")
    store.close()
    click.echo(f"mail {mail}: read again in the next round")


def find(c: Connection, ticket: str) -> Ticket:
    """A ticket by its id, with or without ``#`` and brackets. Raises :class:`click.ClickException`."""
    found = rows.get(c, ticket.strip("[#] ").upper())
    if found is None:
        raise click.ClickException(f"no ticket {ticket}; see: checker tickets --all")
    return found


def _flag(ticket: str, config: Path | None, *, closed: bool) -> None:
    store, now = _open(config), SystemClock().now()
    with store.write() as c:
        found = find(c, ticket)
        flags = tuple(f for f in found.flags if f != "closed") + (("closed",) if closed else ())
        rows.change(c, found, flags=flags, updated_at=now)
        rows.note(c, Event(now, found.id, "closed" if closed else "reopened"))
    store.close()
    click.echo(f"{found.id}: {'closed' if closed else 'open again'}")


def _open(config: Path | None) -> Store:
    return _store(settings_from(config))


def _store(settings: Settings) -> Store:
    try:
        return store_of(settings)
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def _cells(t: Ticket, zone: tzinfo) -> tuple[str, ...]:
    return (
        t.id, t.status, stamp(t.updated_at, zone), cell(t.sender, 80), cell(", ".join(t.servers), 80) or "-",
        ", ".join(t.missing) or ", ".join((*t.review, *t.flags)) or "-", f"{t.asks}x",
    )  # fmt: skip


def _line(t: Ticket, zone: tzinfo) -> str:
    name, status, changed, sender, servers, why, asked = _cells(t, zone)
    why = f"missing {why}" if t.missing else why
    return f"{name}  {status:13} {changed}  {sender}  {servers}  {why}  asked {asked}"


def plain(t: Ticket) -> dict[str, object]:
    """A ticket as JSON."""
    return {
        "ticket": t.id, "status": t.status, "sender": t.sender, "subject": t.subject, "language": t.language,
        "request_kinds": list(t.kinds), "servers": list(t.servers), "missing": list(t.missing),
        "review": list(t.review), "flags": list(t.flags), "asks": t.asks, "reminders": t.reminders,
        "created_at": t.created_at.isoformat(), "updated_at": t.updated_at.isoformat(),
        "ready_at": t.ready_at.isoformat() if t.ready_at else None,
    }  # fmt: skip
