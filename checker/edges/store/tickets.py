"""Rows of ``tickets``, ``events`` and ``suppressed``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, select, update

from checker.edges.records import Event, Suppressed, Ticket
from checker.edges.store.chain import Link, covered, hash_of
from checker.edges.store.engine import Stale
from checker.edges.store.tables import events, suppressed, tickets

_LISTS: Final = ("participants", "kinds", "servers", "missing", "review", "flags")


def get(c: Connection, ticket: str) -> Ticket | None:
    """A ticket, or ``None``."""
    row = c.execute(select(tickets).where(tickets.c.id == ticket)).first()
    return _ticket(row) if row else None


def create(c: Connection, ticket: Ticket) -> None:
    """A new ticket."""
    c.execute(tickets.insert().values(_values(ticket)))


def change(c: Connection, ticket: Ticket, **values: object) -> Ticket:
    """Change a ticket as it was read. Raises :class:`Stale` when it changed meanwhile."""
    changed = dataclasses.replace(ticket, version=ticket.version + 1, **values)  # type: ignore[arg-type]  # by name
    done = c.execute(
        update(tickets)
        .where(tickets.c.id == ticket.id, tickets.c.version == ticket.version)
        .values({k: v for k, v in _values(changed).items() if k != "id"})
    )
    if done.rowcount != 1:
        raise Stale(f"ticket {ticket.id} was changed by another process")
    return changed


def listed(c: Connection, status: Iterable[str] | None = None, limit: int = 10_000) -> tuple[Ticket, ...]:
    """Tickets, those that changed last first."""
    query = select(tickets)
    if status is not None:
        query = query.where(tickets.c.status.in_(list(status)))
    return tuple(_ticket(r) for r in c.execute(query.order_by(tickets.c.updated_at.desc(), tickets.c.id).limit(limit)))


def note(c: Connection, event: Event) -> None:
    """Add to a ticket's history; its hash covers the event before it."""
    # Two hosts that note at once must not both follow the same event: the ticket's row is the turnstile.
    c.execute(select(tickets.c.id).where(tickets.c.id == event.ticket).with_for_update())
    before = select(events.c.hash).where(events.c.ticket == event.ticket).order_by(events.c.id.desc()).limit(1)
    previous = c.execute(before).scalar() or ""
    values = {"at": event.at, "ticket": event.ticket, "kind": event.kind, "detail": event.detail}
    c.execute(events.insert().values(values | {"hash": hash_of(covered(event), previous)}))


def chain(c: Connection, ticket: str) -> tuple[Link, ...]:
    """A ticket's events with their stored hashes, oldest first."""
    rows = c.execute(select(events).where(events.c.ticket == ticket).order_by(events.c.id))
    return tuple(Link(Event(r.at, r.ticket, r.kind, r.detail), r.hash) for r in rows)


def history(c: Connection, ticket: str) -> tuple[Event, ...]:
    """A ticket's history, oldest first."""
    rows = c.execute(select(events).where(events.c.ticket == ticket).order_by(events.c.id))
    return tuple(Event(r.at, r.ticket, r.kind, r.detail) for r in rows)


def events_of(c: Connection, kind: str, since: datetime) -> tuple[Event, ...]:
    """Events of one kind over all tickets since a time, oldest first."""
    query = select(events).where(events.c.kind == kind, events.c.at >= since)
    return tuple(Event(r.at, r.ticket, r.kind, r.detail) for r in c.execute(query.order_by(events.c.id)))


def suppress(c: Connection, s: Suppressed) -> None:
    """Note a reply that was not written."""
    c.execute(suppressed.insert().values(at=s.at, ticket=s.ticket, mail=s.mail, reason=s.reason, detail=s.detail))


def suppressions(c: Connection, since: datetime | None = None, ticket: str | None = None) -> tuple[Suppressed, ...]:
    """Replies that were not written, oldest first."""
    query = select(suppressed)
    if since is not None:
        query = query.where(suppressed.c.at >= since)
    if ticket is not None:
        query = query.where(suppressed.c.ticket == ticket)
    rows = c.execute(query.order_by(suppressed.c.id).limit(10_000))
    return tuple(Suppressed(r.at, r.ticket, r.mail, r.reason, r.detail) for r in rows)


def _values(ticket: Ticket) -> dict[str, object]:
    values = {f.name: getattr(ticket, f.name) for f in dataclasses.fields(ticket)}
    return values | {name: json.dumps(values[name], ensure_ascii=False) for name in _LISTS}


def _ticket(r: Row[tuple[object, ...]]) -> Ticket:
    values = dict(r._mapping)
    return Ticket(**values | {name: tuple(json.loads(values[name])) for name in _LISTS})
