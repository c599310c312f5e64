"""One ticket as the staff see it: which heap it is in, why, its work sheet, the words behind it, a link to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from string import Formatter
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection

from checker.answer.model import Correction, Entry, Group, Part, Quote, SheetWindow, Way, WorkSheet
from checker.edges.records import Event, State, Ticket
from checker.edges.store import messages, tickets
from checker.model import Evidence, TicketStatus, Verdict
from checker.service import letters
from checker.service.audit import judged, overrides
from checker.service.gather import thread
from checker.service.workdays import working_days_since
from checker.service.workshop import Workshop

_QUOTED: Final = frozenset({"power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact"})
_ASKED: Final = frozenset({"request_kinds", "components"})
_WHY: Final = frozenset({"limit", "unanswered", "bounced", "unverified", "doubled-header", "foreign-server", "paused"})
# What moves a ticket from one heap to another, or brings it before a person.
_NEWS: Final = frozenset({"status", "paused", "resumed", "reopened", "bounced", "foreign-server"})
_ASKED_SHOWN: Final = 3


def entry(c: Connection, shop: Workshop, ticket: Ticket, since: datetime, now: datetime) -> Entry:
    """One ticket's line, judged by today's rules."""
    history = tickets.history(c, ticket.id)
    standing = overrides(history)
    verdict = judged(shop.rules.current.engine, thread(c, ticket.id), standing)
    group = group_of(ticket, shop, now)
    theirs = [m for m, _ in messages.of_ticket(c, ticket.id) if m.state is not State.OURS]
    message_id = theirs[-1].message_id if theirs else None
    waits = ticket.ready_at if group is Group.READY else ticket.last_asked_at if group is Group.WAITING else None
    return Entry(
        ticket=ticket.id,
        group=group,
        who=f"{ticket.sender_name} <{ticket.sender}>" if ticket.sender_name else ticket.sender,
        server=", ".join(ticket.servers),
        request_kinds=ticket.kinds,
        since=waits or ticket.created_at,
        why=why(ticket, verdict),
        missing=letters.missing(verdict),
        asked=ticket.asks,
        reminded=ticket.reminders,
        quotes=tuple(quotes(verdict.evidence)),
        link=link(shop.settings.digest.ticket_url, ticket, message_id),
        message_id=message_id,
        new=_is_new(ticket, history, group, shop, since),
        urgent=soonest(verdict, shop, now) is not None,
        sheet=sheet(verdict) if group is Group.READY else None,
        corrections=tuple(Correction(o.field, o.value, o.by, o.because) for o in standing),
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


def _is_new(ticket: Ticket, history: Iterable[Event], group: Group, shop: Workshop, since: datetime) -> bool:
    """Whether the ticket, or its being in this heap, is news since the last digest."""
    if ticket.created_at >= since or any(e.kind in _NEWS and e.at >= since for e in history):
        return True
    return group is Group.GONE_QUIET and group_of(ticket, shop, since) is not Group.GONE_QUIET


def why(ticket: Ticket, verdict: Verdict) -> tuple[str, ...]:
    """Why a person must look, as reason ids. Whose ticket was claimed stays with ``stranger`` and ``forged-token``."""
    names = {"unverified": "unverified-sender"}
    flags = (names.get(f, f) for f in ticket.flags if f != "closed")
    return tuple(dict.fromkeys((*verdict.review, *flags)))


def sheet(verdict: Verdict) -> WorkSheet:
    """What the technician needs. The secret stays in the mailbox."""
    asked = _united(e for e in verdict.evidence if e.field in _ASKED)
    return WorkSheet(
        service_ids=verdict.service_ids,
        ip_addresses=verdict.ip_addresses,
        hostnames=verdict.hostnames,
        ways=tuple(Way(x.access.value, x.username) for x in verdict.credentials),
        power=verdict.power,
        impact=verdict.impact,
        windows=tuple(SheetWindow(w.text, w.start, w.end, w.ambiguous, w.advisories) for w in verdict.windows),
        backup=verdict.backup,
        data_loss_consent=verdict.data_loss_consent,
        hardware_acknowledgement=verdict.hardware_acknowledgement,
        parts=tuple(Part(x.kind, x.slot, x.serial) for x in verdict.components),
        system=letters.system(verdict),
        layout=verdict.os.layout if verdict.os else None,
        asked=tuple(dict.fromkeys(e.text for e, _ in asked))[:_ASKED_SHOWN],
    )


def quotes(evidence: Iterable[Evidence]) -> Iterator[Quote]:
    """The words behind the consents. Statements that overlap are one quotation that names every field."""
    for e, fields in _united(e for e in evidence if e.field in _QUOTED):
        yield Quote(e.field, e.text, e.message, tuple(f for f in fields if f != e.field))


def _united(evidence: Iterable[Evidence]) -> list[tuple[Evidence, tuple[str, ...]]]:
    """Evidence whose words overlap or touch, united; with the fields that rest on it.

    Only where the words are exactly those between the offsets: masked or joined words cannot be cut.
    """
    found: list[tuple[Evidence, tuple[str, ...]]] = []
    order = {e: i for i, e in enumerate(evidence)}
    first: dict[Evidence, int] = {}
    for e in sorted(order, key=lambda e: (e.message, e.part, e.start, e.end)):
        last, fields = found[-1] if found else (None, ())
        if last is not None and (together := _together(last, e)) is not None:
            found[-1] = together, tuple(dict.fromkeys((*fields, e.field)))
            first[together] = min(first[last], order[e])
        else:
            found.append((e, (e.field,)))
            first[e] = order[e]
    return sorted(found, key=lambda pair: first[pair[0]])


def _together(a: Evidence, b: Evidence) -> Evidence | None:
    """Two stretches of one message as one; ``None`` where more than a blank stands between them."""
    if (a.message, a.part) != (b.message, b.part) or b.start > a.end + 1:
        return None
    if any(len(x.text) != x.end - x.start for x in (a, b)):
        return a if a.text == b.text and (a.start, a.end) == (b.start, b.end) else None
    if b.end <= a.end:
        return a
    gap = " " * (b.start - a.end)
    return replace(a, text=a.text + gap + b.text[max(0, a.end - b.start) :], end=b.end)


def soonest(verdict: Verdict, shop: Workshop, now: datetime) -> datetime | None:
    """When the next window begins, if that is soon."""
    last = now + timedelta(hours=shop.settings.digest.soon_hours)
    return min((w.start for w in verdict.windows if w.start is not None and now <= w.start <= last), default=None)


def link(template: str, ticket: Ticket, message_id: str | None) -> str | None:
    """The page of a ticket in the helpdesk in use; ``None`` without a template, or when it lacks a value.

    Every value is percent-encoded whole, so that none can leave its place in the address.
    """
    if not template:
        return None
    values = {
        "ticket": ticket.id,
        "message_id": (message_id or "").strip("<>"),
        "sender": ticket.sender,
        "server": ticket.servers[0] if ticket.servers else "",
    }
    if any(not values[name] for _, name, _, _ in Formatter().parse(template) if name is not None):
        return None
    return template.format(**{name: quote(value, safe="", errors="replace") for name, value in values.items()})
