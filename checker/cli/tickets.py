"""``checker tickets``: what is known; and the few things that people tell the program."""

from __future__ import annotations

import json
from pathlib import Path

import click
from sqlalchemy import Connection

from checker.cli.wiring import settings_from, store_of
from checker.edges.clock import SystemClock
from checker.edges.records import Event, State, Ticket
from checker.edges.store import messages
from checker.edges.store import tickets as rows
from checker.edges.store.engine import Store, StoreError
from checker.model import TicketStatus

_CONFIG = click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")


@click.group("tickets", invoke_without_command=True)
@click.option("--status", type=click.Choice([s.value for s in TicketStatus]), help="Only those with this status.")
@click.option("--all", "everything", is_flag=True, help="Closed tickets and mails that are no request, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per ticket, one per line.")
@_CONFIG
@click.pass_context
def tickets(ctx: click.Context, status: str | None, everything: bool, as_json: bool, config: Path | None) -> None:
    """List the tickets, those that changed last first."""
    if ctx.invoked_subcommand is not None:
        return
    store = _open(config)
    with store.read() as c:
        found = rows.listed(c, [status] if status else None)
    if not everything and status is None:
        found = tuple(t for t in found if t.status != TicketStatus.NOT_A_REQUEST and "closed" not in t.flags)
    for ticket in found:
        click.echo(json.dumps(_plain(ticket), ensure_ascii=False) if as_json else _line(ticket))
    if not found and not as_json:
        click.echo("no tickets", err=True)
    store.close()


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


def _open(config: Path | None) -> Store:
    try:
        return store_of(settings_from(config))
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def _line(t: Ticket) -> str:
    missing = f"missing {', '.join(t.missing)}" if t.missing else ", ".join((*t.review, *t.flags)) or "-"
    servers = ", ".join(t.servers) or "-"
    return f"{t.id}  {t.status:13} {t.updated_at:%Y-%m-%d %H:%M}  {t.sender}  {servers}  {missing}  asked {t.asks}x"


def _plain(t: Ticket) -> dict[str, object]:
    return {
        "ticket": t.id, "status": t.status, "sender": t.sender, "subject": t.subject, "language": t.language,
        "request_kinds": list(t.kinds), "servers": list(t.servers), "missing": list(t.missing),
        "review": list(t.review), "flags": list(t.flags), "asks": t.asks, "reminders": t.reminders,
        "created_at": t.created_at.isoformat(), "updated_at": t.updated_at.isoformat(),
        "ready_at": t.ready_at.isoformat() if t.ready_at else None,
    }  # fmt: skip
