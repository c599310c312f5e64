"""A ticket's row after its thread was judged again: by a person's correction, or by newer rules."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from checker.edges.records import Event, State, Ticket
from checker.edges.store import messages, tickets
from checker.model import TicketStatus, Verdict
from checker.service.evidence import judged_event
from checker.service.plan import servers, status_of
from checker.service.workshop import Workshop


def rejudge(
    c: Connection, shop: Workshop, ticket: Ticket, verdict: Verdict, why: str, secrets: Iterable[str] = ()
) -> Ticket:
    """Write a new verdict into the ticket and its history. Nothing is sent; the digest has it from now on.

    Raises :class:`checker.edges.store.engine.Stale` when the ticket changed meanwhile.
    """
    now = shop.clock.now()
    status = status_of(verdict, ticket.flags)
    complete = status == TicketStatus.COMPLETE
    changed = tickets.change(
        c, ticket, status=status, kinds=verdict.request_kinds, servers=servers(verdict), missing=verdict.missing,
        review=verdict.review, confirmed=ticket.confirmed and complete, updated_at=now,
        ready_at=(ticket.ready_at or now) if complete else None, rules_version=shop.rules.current.engine.version,
    )  # fmt: skip
    messages.restate(c, ticket.id, State.NOT_REQUEST if status == TicketStatus.NOT_A_REQUEST else State.DONE)
    version = shop.rules.current.version
    tickets.note(c, judged_event(now, ticket.id, why, version, verdict, secrets))
    if status != ticket.status:
        tickets.note(c, Event(now, ticket.id, "status", status))
    return changed
