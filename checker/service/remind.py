"""Reminders: a ticket that waits for its customer is asked about again, politely and not for ever."""

from __future__ import annotations

from datetime import datetime

from checker.edges.records import Kind, Suppressed, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.edges.store.engine import Stale
from checker.model import TicketStatus
from checker.service.apply import Unwritable, post, write_reply
from checker.service.audit import judged, overrides
from checker.service.gather import thread
from checker.service.letters import Parent
from checker.service.workdays import is_open, working_days_since
from checker.service.workshop import Workshop
from checker.settings import Settings


def due(ticket: Ticket, now: datetime, settings: Settings) -> bool:
    """Whether a ticket's customer is to be reminded now. Pure."""
    limits = settings.replies
    if not limits.enabled or ticket.reminders >= limits.reminders or not ticket.missing or not ticket.asks:
        return False
    if ticket.status not in (TicketStatus.INCOMPLETE, TicketStatus.REVIEW):
        return False
    if any(
        f in ("closed", "limit", "bounced", "paused") or f.startswith(("stranger:", "forged-token:"))
        for f in ticket.flags
    ):
        return False
    sender = settings.sender
    if ("unverified" in ticket.flags and sender.unverified == "flag") or (
        "foreign-server" in ticket.flags and sender.foreign_server == "flag"
    ):
        return False
    last = max((t for t in (ticket.last_asked_at, ticket.last_customer_at) if t is not None), default=None)
    if last is None or not is_open(now, settings.hoster):
        return False
    # Each reminder waits its full pause again, counted from the last request.
    pause = limits.reminder_working_days * (ticket.reminders + 1)
    return working_days_since(last, now, settings.hoster) >= pause


def remind(shop: Workshop) -> int:
    """Post the reminders that are due. Returns how many."""
    now = shop.clock.now()
    with shop.store.read() as c:
        waiting = tickets.listed(c, [TicketStatus.INCOMPLETE.value, TicketStatus.REVIEW.value])
    posted = 0
    for ticket in waiting:
        if shop.stopping():
            break
        if not due(ticket, now, shop.settings):
            continue
        try:
            posted += _one(shop, ticket)
        except Stale:
            continue  # the customer wrote this very moment, or another host was faster
        shop.checkpoint("reminder-posted")
    return posted


def _one(shop: Workshop, ticket: Ticket) -> int:
    now, engine = shop.clock.now(), shop.rules.current.engine
    key = f"{ticket.id}:reminder:{ticket.asks}:{ticket.reminders + 1}"
    with shop.store.read() as c:
        said = thread(c, ticket.id)
        standing = overrides(tickets.history(c, ticket.id))
        mails = [m for m, _ in messages.of_ticket(c, ticket.id)]
        asked = outbox.listed(c, kinds=[Kind.ASK, Kind.REMINDER], ticket=ticket.id)
        to = asked[-1].mail.recipient if asked else ticket.sender
        stopped = outbox.is_stopped(c, to)
        counts = outbox.recent(c, to, None, now)
    verdict = judged(engine, said, standing)
    limits = shop.settings.replies
    obstacle = ""
    if stopped:
        obstacle = "address-bounced"
    elif counts.sender_day >= limits.per_sender_day:
        return 0  # tomorrow
    elif counts.domain_hour >= limits.per_domain_hour or counts.global_hour >= limits.global_hour:
        return 0  # next hour
    if not verdict.missing:
        return 0  # newer rules understand what was said; nothing is missing any more
    ids = [m.message_id for m in mails if m.message_id]
    prepared = None
    if not obstacle:
        try:
            prepared = write_reply(
                shop,
                Kind.REMINDER,
                to,
                key=key,
                ticket=ticket,
                verdict=verdict,
                thread=said,
                round_=ticket.reminders + 1,
                parent=Parent(ids[-1] if ids else None, (), tuple(ids[:-1])),
                answers=None,
                subject=ticket.subject,
            )
        except Unwritable as error:
            obstacle = f"template-fault: {error}"
    with shop.store.write() as c:
        tickets.change(c, ticket, reminders=ticket.reminders + 1, updated_at=now)
        if prepared is None:
            tickets.suppress(c, Suppressed(now, ticket.id, None, obstacle.partition(":")[0], obstacle[:300]))
        else:
            post(c, shop, prepared, len(said) + 1)
    return int(prepared is not None)
