"""Whether a mail is answered, and with what. Pure.

Silence is the rule that needs no reason to begin with: an answer goes out only when nothing stands against
it, and every silence where an answer might be expected has its reason (:class:`Suppress`).
"""

from __future__ import annotations

from datetime import timedelta

from checker.edges.records import Kind, Ticket
from checker.model import Findings, Message, TicketStatus
from checker.service.actions import Post, Suppress
from checker.service.situation import Examined, Situation, Standing
from checker.settings import Settings


def reply_to(s: Situation, examined: Examined, ticket: Ticket, settings: Settings) -> Post | Suppress | None:
    """What the customer gets, or why not; ``None`` where nobody would expect an answer."""
    if examined.verdict.status is TicketStatus.NOT_A_REQUEST and s.belongs.intruded is None:
        return None
    to = reply_address_of(s.message)
    obstacle = _obstacle(s, ticket, to, settings)
    if obstacle is not None or to is None:
        return obstacle
    wanted = _wanted(examined, ticket, settings)
    if isinstance(wanted, Suppress):
        return wanted
    limit = _limit(s, settings)
    return limit or Post(wanted[0], to, wanted[1])


def reply_address_of(message: Message) -> str | None:
    """Where a reply goes: the sender; the Reply-To only within the sender's own domain, which is what was verified."""
    sender, back = message.sender, message.reply_to
    if sender is None:
        return None
    if back is not None and domain_of(back.email) == domain_of(sender.email):
        return back.email
    return sender.email


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _obstacle(s: Situation, ticket: Ticket, to: str | None, settings: Settings) -> Suppress | None:
    if not settings.replies.enabled:
        return Suppress("replies-off")
    if to is None:
        return Suppress("no-sender")
    if to.lower() in settings.own_addresses:
        return Suppress("own-address")
    if not to.rpartition("@")[0].isascii():
        return Suppress("address-form", "the address needs SMTPUTF8")
    if s.belongs.intruded is not None:
        return Suppress(s.belongs.why, f"claims to belong to {s.belongs.intruded}")
    if s.standing is Standing.UNVERIFIED and settings.sender.unverified == "flag":
        return Suppress("unverified-sender")
    if "paused" in ticket.flags:
        return Suppress("paused", "a colleague answers this ticket")
    if "foreign-server" in ticket.flags and settings.sender.foreign_server == "flag":
        return Suppress("foreign-server", "the list of customers does not give the server to the sender")
    if s.stopped:
        return Suppress("address-bounced")
    if s.now - s.mail.received_at > timedelta(days=settings.replies.max_age_days):
        return Suppress("too-old")
    if s.counts.this_mail > 0:
        return Suppress("answered-already")
    return None


def _wanted(examined: Examined, ticket: Ticket, settings: Settings) -> tuple[Kind, int] | Suppress:
    verdict = examined.verdict
    if verdict.missing:
        if ticket.asks and not says_something(examined.findings) and _as_before(examined):
            return Suppress("nothing-new", "asked already; a reminder follows if no answer comes")
        if ticket.asks < settings.replies.asks_per_ticket:
            return Kind.ASK, ticket.asks + 1
        if settings.replies.handover and "limit" not in ticket.flags:
            return Kind.HANDOVER, 1
        return Suppress("per-ticket", f"asked {ticket.asks} times")
    if ticket.status != TicketStatus.COMPLETE:
        return Suppress("for-a-person", ", ".join((*verdict.review, *ticket.flags))[:200])
    if not settings.replies.confirm:
        return Suppress("confirmations-off")
    if ticket.confirmed:
        return Suppress("confirmed-already")
    return Kind.CONFIRMATION, 1


def says_something(f: Findings) -> bool:
    """Whether a mail holds anything but courtesies: "thanks" neither answers a question nor puts off a reminder."""
    return any((f.identifiers, f.credentials, f.statements, f.windows, f.systems, f.components, f.unread, f.capped))


def _as_before(examined: Examined) -> bool:
    return examined.before is not None and examined.before.missing == examined.verdict.missing


def _limit(s: Situation, settings: Settings) -> Suppress | None:
    limits = settings.replies
    for reason, count, limit in (
        ("per-sender", s.counts.sender_day, limits.per_sender_day),
        ("per-domain", s.counts.domain_hour, limits.per_domain_hour),
        ("breaker", s.counts.global_hour, limits.global_hour),
    ):
        if count >= limit:
            return Suppress(reason, f"{count} mails, the limit is {limit}")
    return None
