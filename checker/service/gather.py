"""Gathering: a mail's bytes and what the store knows, into one frozen situation. Reads, never writes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from checker.edges.findings_json import fingerprints_of, load
from checker.edges.records import Counts, Mail, Posted, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.mail.authenticity import authenticity
from checker.mail.threads import tagged_ticket, verify_message_id
from checker.model import Findings, Message
from checker.service.audit import overrides
from checker.service.customers import Holding
from checker.service.restraint import reply_address_of
from checker.service.situation import DOUBLED_FROM, Belongs, Situation, Standing
from checker.service.workshop import Workshop

SAME_WORDS_WITHIN: Final = timedelta(hours=24)
_OURS: Final = "<ticket."
_ALPHABET: Final = "23456789BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that looks alike


@dataclass(frozen=True, slots=True)
class _Claim:
    ticket: str
    how: str


def gather(
    c: Connection, shop: Workshop, mail: Mail, sha256: str, message: Message, signed: frozenset[str] | None = None
) -> Situation:
    """Everything that deciding about a mail needs. ``signed``: domains whose DKIM signature was verified here."""
    now = shop.clock.now()
    content = content_hash(message)
    belongs = _belongs(c, shop, message)
    ticket, full = belongs.ticket, None
    if ticket is not None and messages.length(c, ticket.id) >= shop.settings.service.max_thread_mails:
        full, ticket, belongs = ticket.id, None, Belongs()
    stored = [text for _, text in messages.of_ticket(c, ticket.id)] if ticket else []
    earlier = tuple(map(load, stored))
    own_id = (message.message_id,) if message.message_id else ()
    echoes = outbox.by_message_ids(c, own_id)
    moved, copy_of = _seen_before(c, mail, sha256, message, content)
    to = reply_address_of(message)
    return Situation(
        mail=mail,
        message=message,
        content=content,
        ticket_id="" if ticket else _new_id(c, sha256),
        next_n=len(earlier) + 1,
        now=now,
        moved=moved,
        copy_of=copy_of,
        echo=echoes[0] if echoes else None,
        belongs=belongs,
        earlier=earlier,
        bounced=_bounced(c, message),
        standing=standing(message, shop.settings.sender.authserv_ids, signed),
        counts=outbox.recent(c, to, sha256, now) if to else Counts(),
        stopped=to is not None and outbox.is_stopped(c, to),
        holdings=_holdings(c, shop, message, ticket),
        overrides=overrides(tickets.history(c, ticket.id)) if ticket else (),
        fingerprints=fingerprints_of(stored),
        full=full,
    )


def thread(c: Connection, ticket: str) -> tuple[Findings, ...]:
    """What was found in a ticket's messages, in order."""
    return tuple(load(stored) for _, stored in messages.of_ticket(c, ticket))


def content_hash(message: Message) -> str:
    """What makes two mails the same to a person: sender, subject, what they answer, and the words."""
    sender = message.sender.email.lower() if message.sender else ""
    parts = (sender, message.subject, " ".join(message.in_reply_to), message.text.strip())
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def standing(message: Message, trusted: Collection[str], signed: frozenset[str] | None) -> Standing:
    """Whether the sender is who the mail says: by the border servers (RFC 8601), or by a signature verified here.

    A mail with two From headers is never verified: what was signed may be the one that nobody sees.
    """
    if not trusted and signed is None:
        return Standing.UNCHECKED
    if message.sender is None or DOUBLED_FROM in message.defects:
        return Standing.UNVERIFIED
    domain = message.sender.email.rpartition("@")[2].lower()
    if authenticity(message, trusted).confirmed or any(_aligned(d, domain) for d in signed or ()):
        return Standing.VERIFIED
    return Standing.UNVERIFIED


def _aligned(signing: str, domain: str) -> bool:
    """The same domain, or one above or below it; never a bare top-level one."""
    return "." in signing and (signing == domain or domain.endswith(f".{signing}") or signing.endswith(f".{domain}"))


def _holdings(c: Connection, shop: Workshop, message: Message, ticket: Ticket | None) -> tuple[Holding, ...] | None:
    """What everybody who spoke in the ticket may speak for; a colleague may speak for any server."""
    if shop.customers is None or message.automatic is not None:
        return None
    spoke = [m.sender for m, _ in messages.of_ticket(c, ticket.id)] if ticket is not None else []
    spoke.append(message.sender.email if message.sender is not None else "")
    theirs = dict.fromkeys(s.lower() for s in spoke if s is not None)
    return tuple(Holding(s, shop.customers.of(s)) for s in theirs if s not in shop.settings.own_addresses)


def _seen_before(
    c: Connection, mail: Mail, sha256: str, message: Message, content: str
) -> tuple[Mail | None, Mail | None]:
    """The same mail under an old UIDVALIDITY, and the mail that this one is a copy of."""
    same = [m for m in messages.by_sha256(c, sha256) if m.id != mail.id]
    for old in same:
        p, q = old.place, mail.place
        if (p.account, p.folder) == (q.account, q.folder) and p.uidvalidity != q.uidvalidity:
            return old, None
    if same:
        return None, same[0]
    if message.message_id:
        # One id with other words is no copy: a mail program that reuses ids, or somebody who pretends.
        named = messages.by_message_ids(c, (message.message_id,))
        hashes = messages.contents(c, [m.id for m in named])
        for old in named:
            if old.id != mail.id and hashes.get(old.id) == content:
                return None, old
    for old in messages.by_content(c, content, mail.received_at - SAME_WORDS_WITHIN):
        if old.id != mail.id and message.automatic is None:
            return None, old
    return None, None


def _bounced(c: Connection, message: Message) -> tuple[Posted, ...]:
    if message.automatic is None:
        return ()
    ids = (*message.bounce_of, *message.in_reply_to)
    return outbox.by_message_ids(c, ids) if message.bounce_of or message.bounce_permanent else ()


def _belongs(c: Connection, shop: Workshop, message: Message) -> Belongs:
    """Our signed token first, then known Message-IDs, then the subject's tag; each only for who may speak."""
    sender = message.sender.email.lower() if message.sender else ""
    refused: tuple[str, str] | None = None
    for claim in _claims(c, shop, message):
        ticket = tickets.get(c, claim.ticket)
        if ticket is None:
            continue
        if message.from_us or _may_speak(sender, ticket, claim.how):
            return Belongs(ticket, claim.how)
        refused = refused or (ticket.id, "stranger")
    if refused is not None:
        return Belongs(intruded=refused[0], why=refused[1])
    forged = next((i for i in _parents(message) if i.startswith(_OURS) and not verify_message_id(shop.key, i)), None)
    named = _named_in(c, forged) if forged is not None else None
    return Belongs(intruded=named, why="forged-token") if named is not None else Belongs()


def _may_speak(sender: str, ticket: Ticket, how: str) -> bool:
    if not sender:
        return False
    return sender == ticket.sender.lower() if how == "subject" else sender in ticket.participants


def _claims(c: Connection, shop: Workshop, message: Message) -> Iterator[_Claim]:
    parents = _parents(message)
    for parent in parents:
        signed = verify_message_id(shop.key, parent)
        if signed is not None:
            yield _Claim(signed, "token")
    for posted in outbox.by_message_ids(c, parents):
        if posted.mail.ticket is not None:
            yield _Claim(posted.mail.ticket, "references")
    for known in reversed(messages.by_message_ids(c, parents)):
        if known.ticket is not None:
            yield _Claim(known.ticket, "references")
    tagged = tagged_ticket(message.subject)
    if tagged is not None:
        yield _Claim(tagged, "subject")


def _parents(message: Message) -> tuple[str, ...]:
    """The ids of the mails above this one, the nearest first."""
    return tuple(dict.fromkeys((*message.in_reply_to, *reversed(message.references))))


def _named_in(c: Connection, forged: str) -> str | None:
    """The ticket that a forged id names, if there is such a ticket."""
    named = forged.removeprefix(_OURS).partition(".")[0]
    return named if tickets.get(c, named[:20]) is not None else None


def _new_id(c: Connection, sha256: str) -> str:
    """A ticket id from the mail's own hash, so that a second attempt gives the same one."""
    salt = 0
    while True:
        number = int.from_bytes(hashlib.sha256(f"{sha256}:{salt}".encode()).digest()[:16], "big")
        text = ""
        for _ in range(8):
            number, rest = divmod(number, len(_ALPHABET))
            text += _ALPHABET[rest]
        if tickets.get(c, f"T{text}") is None:
            return f"T{text}"
        salt += 1
