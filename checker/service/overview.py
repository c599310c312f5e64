"""What the staff see: the store's rows as the digest's view, whole or for a team. Reads and decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import Connection

from checker.answer.model import Counts, Delivery, DigestView, Figures, Quarantined, Suppressed
from checker.edges import records
from checker.edges.records import Mail, State, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.model import TicketStatus
from checker.service import letters
from checker.service.digest_entry import entry
from checker.service.workshop import Workshop
from checker.settings import DigestTeam


def concerns(ticket: Ticket, team: DigestTeam | None) -> bool:
    """Whether a ticket is in a team's digest. One whose kind is not clear is in everybody's."""
    return team is None or not team.kinds or not ticket.kinds or bool({*team.kinds} & {*ticket.kinds})


def view(c: Connection, shop: Workshop, since: datetime, now: datetime, team: DigestTeam | None = None) -> DigestView:
    """The digest of a period: everything that is open, and what happened since ``since``.

    A team that gets some kinds of request only sees those tickets, and nothing of what belongs to none.
    """
    hoster = shop.settings.hoster
    listed = [t for t in tickets.listed(c) if concerns(t, team)]
    whole = team is None or not team.kinds
    names = None if whole else {t.id for t in listed}
    open_ = [t for t in listed if t.status != TicketStatus.NOT_A_REQUEST and "closed" not in t.flags]
    suppressed = tickets.suppressions(c, since)
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
        language=(team.language if team is not None else None) or hoster.staff_language,
        hoster=letters.hoster(hoster),
        now=now,
        since=since,
        zone=hoster.zone,
        entries=tuple(entry(c, shop, t, since, now) for t in sorted(open_, key=lambda t: (t.created_at, t.id))),
        quarantined=tuple(_quarantined(m, since) for m in messages.in_state(c, State.QUARANTINED)) if whole else (),
        counts=Counts(seen, *kept.values()) if whole else None,
        figures=_figures(c, listed, since),
        suppressed=_suppressed(suppressed, {t.id: t for t in tickets.listed(c)}, names),
        deliveries=tuple(d for d in _deliveries(c, since) if names is None or d.ticket in names),
        held_back=sum(s.reason == "breaker" and (names is None or s.ticket in names) for s in suppressed),
        team=team.name if team is not None else "",
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


def _figures(c: Connection, listed: Sequence[Ticket], since: datetime) -> Figures:
    requests = [t for t in listed if t.status != TicketStatus.NOT_A_REQUEST]
    ready = [t for t in requests if t.ready_at is not None and t.ready_at >= since]
    times = [t.ready_at - t.created_at for t in ready if t.ready_at is not None]
    names = {t.id for t in requests}
    events = [e for e in tickets.events_of(c, "missing", since) if e.ticket in names]
    forgotten = Counter(r for e in events for r in e.detail.split(",") if r)
    return Figures(
        received=sum(t.created_at >= since for t in requests),
        complete_at_first=sum(t.asks == 0 for t in ready),
        complete_after_one=sum(t.asks == 1 for t in ready),
        complete_later=sum(t.asks > 1 for t in ready),
        waiting=sum(t.status == TicketStatus.INCOMPLETE and "closed" not in t.flags for t in requests),
        median_to_complete=timedelta(seconds=median(t.total_seconds() for t in times)) if times else None,
        forgotten=tuple(sorted(forgotten.items(), key=lambda kv: (-kv[1], kv[0]))),
    )


def _suppressed(
    rows: Iterable[records.Suppressed], known: Mapping[str, Ticket], names: Set[str] | None
) -> tuple[Suppressed, ...]:
    """One line per ticket and reason; what belongs to no ticket (newsletters, say) is counted by reason."""
    counted = Counter((s.reason, s.ticket or "") for s in rows if names is None or s.ticket in names)
    return tuple(
        Suppressed(known[ticket].sender if ticket in known else "", reason, ticket, n)
        for (reason, ticket), n in counted.items()
    )


def _deliveries(c: Connection, since: datetime) -> tuple[Delivery, ...]:
    states = (records.Delivery.FAILED, records.Delivery.UNKNOWN)
    return tuple(
        Delivery(p.mail.recipient, p.state.value, p.mail.ticket or "", p.error)
        for p in outbox.listed(c, states=states)
        if p.state is records.Delivery.UNKNOWN or p.created_at >= since
    )
