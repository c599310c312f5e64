"""What is to be done about a mail. Pure: a situation in, actions out; nothing is written here.

The order of the questions is the order of safety: is it a mail that we know, one of ours, a machine's; may
its sender speak; and only then, what does the verdict want.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from checker.edges.records import Kind, State, Ticket
from checker.model import Automatic, TicketStatus, Verdict
from checker.service.actions import Action, Alarm, Bounced, File, Note, Post, Rebind, Settle, Suppress
from checker.service.customers import foreign
from checker.service.restraint import reply_to, says_something
from checker.service.situation import DOUBLED, Examined, Situation, Standing
from checker.settings import Settings

MAX_PARTICIPANTS: Final = 50
DOUBTS: Final = frozenset({"unverified", "foreign-server", "doubled-header"})  # about who speaks: never complete


def needs_reading(s: Situation) -> bool:
    """Whether the mail has to be examined at all."""
    if s.moved is not None or s.copy_of is not None or s.echo is not None or s.full is not None:
        return False
    if _ours(s):
        return s.belongs.ticket is not None
    return s.message.automatic is None


def plan(s: Situation, examined: Examined | None, settings: Settings) -> tuple[Action, ...]:
    """The actions, in the order in which they are applied. ``examined`` is given when :func:`needs_reading`."""
    if s.moved is not None:
        return (Rebind(s.moved),)
    if s.echo is not None:
        return (Settle(State.AUTOMATIC, str(Automatic.OWN_MAIL)),)
    if s.copy_of is not None:
        return (Settle(State.DUPLICATE, f"same as mail {s.copy_of.id}"),)
    if s.full is not None:
        return tuple(_beyond(s, s.full, settings))
    if _ours(s):
        if examined is None or s.belongs.ticket is None:
            return (Settle(State.AUTOMATIC, str(Automatic.OWN_MAIL)),)
        return tuple(_file_ours(s, s.belongs.ticket, examined))
    if s.message.automatic is not None:
        return tuple(_machine(s))
    if examined is None:
        raise ValueError("the mail has to be examined before it is decided about")
    return tuple(_customer(s, examined, settings))


def _beyond(s: Situation, ticket: str, settings: Settings) -> Iterator[Action]:
    """A mail to a ticket that is full: work for a person, whoever writes on and on."""
    limit = settings.service.max_thread_mails
    if s.message.automatic is not None and not _ours(s):
        yield from _machine(s)
        return
    yield Settle(State.QUARANTINED, f"ticket {ticket} has {limit} mails; read this one in the mailbox")
    yield Suppress("thread-full", f"{ticket} has {limit} mails")


def _ours(s: Situation) -> bool:
    return s.message.from_us and s.message.automatic in (None, Automatic.OWN_MAIL)


def _machine(s: Situation) -> Iterator[Action]:
    reason = str(s.message.automatic)
    yield Settle(State.AUTOMATIC, reason)
    yield Suppress(f"automatic:{reason}", s.message.automatic_detail[:200])
    returned = {a.lower() for a in s.message.bounce_recipients}
    for posted in s.bounced:
        # Only an address that we wrote to is stopped: a delivery report may claim any other.
        ours = posted.mail.recipient.lower()
        permanent = s.message.bounce_permanent and (not returned or ours in returned)
        yield Bounced(posted, ours if permanent else None, "permanent" if permanent else "temporary")
        if posted.mail.ticket is not None:
            yield Note(posted.mail.ticket, "bounced", f"our mail to {ours} came back")


def _file_ours(s: Situation, ticket: Ticket, examined: Examined) -> Iterator[Action]:
    """A colleague writes in the ticket: from here on it is theirs, and the program asks and reminds no more."""
    flags = tuple(dict.fromkeys((*ticket.flags, "paused")))
    doubt = s.standing is Standing.UNVERIFIED
    after = dataclasses.replace(
        ticket,
        updated_at=s.now,
        # Anybody can write our address into a From; whom such a mail names gets no say by it.
        participants=ticket.participants if doubt else _participants(s, ticket),
        flags=flags,
        status=status_of(examined.verdict, flags),
    )
    yield File(ticket, after, s.next_n, State.DONE)
    if "paused" not in ticket.flags:
        yield Note(ticket.id, "paused", f"a colleague wrote in it{' (sender not verified)' if doubt else ''}")


def _customer(s: Situation, examined: Examined, settings: Settings) -> Iterator[Action]:
    ticket = _filed(s, examined)
    reply = reply_to(s, examined, ticket, settings)
    if isinstance(reply, Post):
        ticket = _answered(ticket, reply, s)
    state = State.NOT_REQUEST if ticket.status == TicketStatus.NOT_A_REQUEST else State.DONE
    yield File(s.belongs.ticket, ticket, s.next_n, state)
    if s.belongs.ticket is None or s.belongs.ticket.status != ticket.status:
        yield Note(ticket.id, "status", ticket.status)
    if s.belongs.intruded is not None:
        yield Note(s.belongs.intruded, s.belongs.why, f"{ticket.id} claimed to belong here and was kept apart")
    for sender, server in strangers(s, examined)[:10]:
        yield Note(ticket.id, "foreign-server", f"{server} is not {sender or 'the sender'}'s by the list of customers")
    if isinstance(reply, Post) and reply.kind is Kind.ASK:
        yield Note(ticket.id, "missing", ",".join(ticket.missing))  # the digest counts what is forgotten most
    if reply is not None:
        yield reply
    if isinstance(reply, Suppress) and reply.reason == "breaker":
        yield Alarm(reply.detail)


def _filed(s: Situation, examined: Examined) -> Ticket:
    verdict, message = examined.verdict, s.message
    sender = message.sender.email if message.sender else ""
    # A mail to a closed ticket opens it again.
    flags = [f for f in s.belongs.ticket.flags if f not in ("closed", "foreign-server")] if s.belongs.ticket else []
    if s.belongs.intruded is not None:
        flags.append(f"{s.belongs.why}:{s.belongs.intruded}")
    if s.standing is Standing.UNVERIFIED:
        flags.append("unverified")
    if any(d in message.defects for d in DOUBLED):
        flags.append("doubled-header")
    if strangers(s, examined):
        flags.append("foreign-server")
    unique = tuple(dict.fromkeys(flags))
    status = status_of(examined.verdict, unique)
    base = s.belongs.ticket or Ticket(
        id=s.ticket_id,
        version=0,
        created_at=s.now,
        updated_at=s.now,
        status=status,
        language=verdict.language,
        subject=message.subject[:300],
        sender=sender,
        sender_name=message.sender.name[:120] if message.sender else "",
    )
    complete = status == TicketStatus.COMPLETE
    spoke = base.last_customer_at is None or says_something(examined.findings)
    return dataclasses.replace(
        base,
        updated_at=s.now,
        status=status,
        language=verdict.language,
        participants=_participants(s, base),
        kinds=verdict.request_kinds,
        servers=servers(verdict),
        missing=verdict.missing,
        review=verdict.review,
        flags=unique,
        confirmed=base.confirmed and complete,
        last_customer_at=s.mail.received_at if spoke else base.last_customer_at,
        ready_at=(base.ready_at or s.now) if complete else None,
    )


def status_of(verdict: Verdict, flags: tuple[str, ...]) -> str:
    """The verdict's status, unless something about the sender takes it out of the machine's hands."""
    status = verdict.status
    if any(f.startswith(("stranger:", "forged-token:")) for f in flags):
        return TicketStatus.REVIEW.value
    if status is TicketStatus.COMPLETE and DOUBTS & {*flags}:
        return TicketStatus.REVIEW.value
    return status.value


def strangers(s: Situation, examined: Examined) -> tuple[tuple[str, str], ...]:
    """Who named which server without a right to it, by the list of customers; empty where there is none."""
    verdict = examined.verdict
    if s.holdings is None or verdict.status is TicketStatus.NOT_A_REQUEST:
        return ()
    return foreign(servers(verdict), s.holdings)


def servers(verdict: Verdict) -> tuple[str, ...]:
    """Everything that names the servers of a ticket."""
    return (*verdict.service_ids, *verdict.ip_addresses, *verdict.hostnames)


def _participants(s: Situation, ticket: Ticket) -> tuple[str, ...]:
    """Who may speak in the ticket: whoever wrote in it, and whom they wrote to."""
    message = s.message
    people = [message.sender, *message.recipients] if not message.from_us else [*message.recipients]
    found = [*ticket.participants, *(a.email.lower() for a in people if a is not None)]
    return tuple(dict.fromkeys(found))[:MAX_PARTICIPANTS]


def _answered(ticket: Ticket, reply: Post, s: Situation) -> Ticket:
    match reply.kind:
        case Kind.ASK:
            return dataclasses.replace(ticket, asks=ticket.asks + 1, reminders=0, last_asked_at=s.now)
        case Kind.CONFIRMATION:
            return dataclasses.replace(ticket, confirmed=True)
        case _:
            return dataclasses.replace(ticket, flags=(*ticket.flags, "limit"))
