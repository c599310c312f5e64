"""What the staff see: the store's rows as the digest's view. Reads; the only decision is which heap a ticket is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import Connection

from checker.answer.model import (
    Counts,
    Delivery,
    DigestView,
    Entry,
    Figures,
    Group,
    Part,
    Quarantined,
    Quote,
    SheetWindow,
    Suppressed,
    Way,
    WorkSheet,
)
from checker.edges import records
from checker.edges.records import Mail, State, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.model import TicketStatus, Verdict
from checker.service import letters
from checker.service.audit import judged, overrides
from checker.service.gather import thread
from checker.service.workdays import working_days_since
from checker.service.workshop import Workshop

_QUOTED: Final = frozenset({"power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact"})
_SOON: Final = timedelta(hours=24)
_WHY: Final = frozenset({"limit", "unanswered", "bounced", "unverified", "doubled-header", "foreign-server", "paused"})


def view(c: Connection, shop: Workshop, since: datetime, now: datetime) -> DigestView:
    """The digest of a period: everything that is open, and what happened since ``since``."""
    hoster = shop.settings.hoster
    listed = tickets.listed(c)
    open_ = [t for t in listed if t.status != TicketStatus.NOT_A_REQUEST and "closed" not in t.flags]
    everything = messages.counts(c, since, now)
    kept = {
        State.DONE: everything.get(State.DONE, 0),
        State.AUTOMATIC: everything.get(State.AUTOMATIC, 0),
        State.DUPLICATE: everything.get(State.DUPLICATE, 0),
        State.NOT_REQUEST: everything.get(State.NOT_REQUEST, 0),
        State.QUARANTINED: everything.get(State.QUARANTINED, 0),
    }
    # Counted apart from its parts, so that a mail in no heap shows as a difference.
    seen = sum(n for state, n in everything.items() if state not in (State.NEW, State.VANISHED, State.OURS))
    return DigestView(
        language=hoster.staff_language,
        hoster=letters.hoster(hoster),
        now=now,
        since=since,
        zone=hoster.zone,
        entries=tuple(entry(c, shop, t, since, now) for t in sorted(open_, key=lambda t: (t.created_at, t.id))),
        quarantined=tuple(_quarantined(m, since) for m in messages.in_state(c, State.QUARANTINED)),
        counts=Counts(seen, *kept.values()),
        figures=_figures(c, listed, since),
        suppressed=_suppressed(c, since),
        deliveries=_deliveries(c, since),
        breakers=_breakers(c, since),
    )


def entry(c: Connection, shop: Workshop, ticket: Ticket, since: datetime, now: datetime) -> Entry:
    """One ticket's line, judged by today's rules."""
    standing = overrides(tickets.history(c, ticket.id))
    verdict = judged(shop.rules.current.engine, thread(c, ticket.id), standing)
    group = group_of(ticket, shop, now)
    theirs = [m for m, _ in messages.of_ticket(c, ticket.id) if m.state is not State.OURS]
    waits = ticket.ready_at if group is Group.READY else ticket.last_asked_at if group is Group.WAITING else None
    return Entry(
        ticket=ticket.id,
        group=group,
        who=f"{ticket.sender_name} <{ticket.sender}>" if ticket.sender_name else ticket.sender,
        server=", ".join(ticket.servers),
        request_kinds=ticket.kinds,
        since=waits or ticket.created_at,
        why=(*why(ticket, verdict), *(o.sentence() for o in standing)),
        missing=letters.missing(verdict),
        asked=ticket.asks,
        reminded=ticket.reminders,
        quotes=tuple(Quote(e.field, e.text, e.message) for e in verdict.evidence if e.field in _QUOTED),
        message_id=theirs[-1].message_id if theirs else None,
        new=ticket.created_at >= since,
        urgent=any(w.start is not None and now <= w.start <= now + _SOON for w in verdict.windows),
        sheet=sheet(verdict) if group is Group.READY else None,
    )


def group_of(ticket: Ticket, shop: Workshop, now: datetime) -> Group:
    """What the staff have to do with a ticket."""
    if ticket.status == TicketStatus.COMPLETE:
        return Group.READY
    if ticket.status == TicketStatus.REVIEW or _WHY & {*ticket.flags} or not ticket.asks:
        return Group.NEEDS_YOU
    limits, last = shop.settings.replies, ticket.last_asked_at
    quiet = last is not None and working_days_since(last, now, shop.settings.hoster) > limits.reminder_working_days * (
        limits.reminders + 1
    )
    return Group.GONE_QUIET if quiet else Group.WAITING


def why(ticket: Ticket, verdict: Verdict) -> tuple[str, ...]:
    """Why a person must look, as reason ids."""
    names = {"unverified": "unverified-sender"}
    flags = (names.get(f, f.partition(":")[0]) for f in ticket.flags if f != "closed")
    return tuple(dict.fromkeys((*verdict.review, *flags)))


def sheet(verdict: Verdict) -> WorkSheet:
    """What the technician needs. The secret stays in the mailbox."""
    return WorkSheet(
        service_ids=verdict.service_ids,
        ip_addresses=verdict.ip_addresses,
        hostnames=verdict.hostnames,
        ways=tuple(Way(x.access.value, x.username) for x in verdict.credentials),
        power=verdict.power,
        impact=verdict.impact,
        windows=tuple(SheetWindow(w.text, w.start, w.end, w.ambiguous) for w in verdict.windows),
        backup=verdict.backup,
        data_loss_consent=verdict.data_loss_consent,
        hardware_acknowledgement=verdict.hardware_acknowledgement,
        parts=tuple(Part(x.kind, x.slot, x.serial) for x in verdict.components),
        system=letters.system(verdict),
        layout=verdict.os.layout if verdict.os else None,
    )


def place(mail: Mail) -> str:
    """Where a mail lies, for a person."""
    folder = mail.moved_to or mail.place.folder
    return f"{mail.place.account}/{folder}, UID {mail.place.uid}"


Gauges = tuple[dict[str, int], dict[str, int], dict[str, int], dict[str, int], dict[str, datetime]]


def gauges(shop: Workshop) -> Gauges:
    """Counts for monitoring: mails, our mails, tickets, replies not written today, last good polls."""
    today = shop.clock.now() - timedelta(days=1)
    with shop.store.read() as c:
        mails = {state.value: n for state, n in messages.counts(c).items()}
        posts = Counter(p.state.value for p in outbox.listed(c))
        statuses = Counter(t.status for t in tickets.listed(c))
        unwritten = Counter(s.reason for s in tickets.suppressions(c, today))
        polled = {h.account: h.last_ok_at for h in messages.health(c) if h.last_ok_at is not None}
    return mails, dict(posts), dict(statuses), dict(unwritten), polled


def _quarantined(mail: Mail, since: datetime) -> Quarantined:
    return Quarantined(
        reason=mail.reason,
        place=place(mail),
        who=mail.sender or "",
        message_id=mail.message_id,
        since=mail.received_at,
        new=mail.seen_at is not None and mail.seen_at >= since,
    )


def _figures(c: Connection, listed: Iterable[Ticket], since: datetime) -> Figures:
    requests = [t for t in listed if t.status != TicketStatus.NOT_A_REQUEST]
    ready = [t for t in requests if t.ready_at is not None and t.ready_at >= since]
    times = [t.ready_at - t.created_at for t in ready if t.ready_at is not None]
    forgotten = Counter(r for e in tickets.events_of(c, "missing", since) for r in e.detail.split(",") if r)
    return Figures(
        received=sum(t.created_at >= since for t in requests),
        complete_at_first=sum(t.asks == 0 for t in ready),
        complete_after_one=sum(t.asks == 1 for t in ready),
        complete_later=sum(t.asks > 1 for t in ready),
        waiting=sum(t.status == TicketStatus.INCOMPLETE and "closed" not in t.flags for t in requests),
        median_to_complete=timedelta(seconds=median(t.total_seconds() for t in times)) if times else None,
        forgotten=tuple(sorted(forgotten.items(), key=lambda kv: (-kv[1], kv[0]))),
    )


def _suppressed(c: Connection, since: datetime) -> tuple[Suppressed, ...]:
    found = []
    for s in tickets.suppressions(c, since):
        ticket = tickets.get(c, s.ticket) if s.ticket else None
        found.append(Suppressed(ticket.sender if ticket else "", s.reason, s.ticket or ""))
    return tuple(found)


def _deliveries(c: Connection, since: datetime) -> tuple[Delivery, ...]:
    states = (records.Delivery.FAILED, records.Delivery.UNKNOWN)
    return tuple(
        Delivery(p.mail.recipient, p.state.value, p.mail.ticket or "", p.error)
        for p in outbox.listed(c, states=states)
        if p.state is records.Delivery.UNKNOWN or p.created_at >= since
    )


def _breakers(c: Connection, since: datetime) -> tuple[str, ...]:
    held = [s for s in tickets.suppressions(c, since) if s.reason == "breaker"]
    return (f"{len(held)} replies held back: {held[-1].detail}",) if held else ()
