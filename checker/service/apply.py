"""Applying: the actions of a plan, all in one transaction or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from checker.answer import reply
from checker.answer.model import AnswerError, Rendered
from checker.edges.findings_json import dump, masked, secrets_of
from checker.edges.records import Event, Kind, Outgoing, State, Suppressed, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.mail.threads import make_message_id
from checker.model import Findings, Message, Secret, Verdict
from checker.service import letters
from checker.service.actions import Action, Alarm, Bounced, File, Note, Post, Rebind, Settle, Suppress
from checker.service.evidence import Received, mail_event
from checker.service.letters import Envelope, Parent
from checker.service.situation import Examined, Situation
from checker.service.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail of ours, written but not yet posted, and what it asks."""

    letter: Outgoing
    findings: Findings
    sha256: str


class Unwritable(RuntimeError):
    """A reply that cannot be written: a template or text at fault; the text says where."""


def write_reply(
    shop: Workshop,
    kind: Kind,
    to: str,
    *,
    key: str,
    ticket: Ticket,
    verdict: Verdict,
    thread: Sequence[Findings],
    round_: int,
    parent: Parent,
    answers: str | None,
    subject: str,
    message: Message | None = None,
) -> Prepared:
    """Render a mail to a customer, as the ticket's next message. Raises :class:`Unwritable`."""
    secrets = tuple(Secret(s) for f in thread for s in secrets_of(f))
    asked = letters.request(
        kind, verdict, shop.settings.hoster, ticket=ticket.id, subject=subject, name=ticket.sender_name,
        round_=round_, secrets=secrets, message=message,
    )  # fmt: skip
    try:
        rendered = reply.compose(asked, shop.rules.current.env, shop.rules.current.texts)
    except AnswerError as error:
        raise Unwritable(str(error)) from error
    letter = sealed(shop, rendered, kind, to, key=key, ticket=ticket.id, parent=parent, answers=answers)
    # What it asks is known, question by question; reading it back could only get that wrong.
    findings = Findings(
        n=len(thread) + 1,
        language=thread[-1].language if thread else verdict.language,
        from_us=True,
        date=shop.clock.now().astimezone(shop.settings.hoster.zone).replace(microsecond=0),
        questions=reply.questions(asked, shop.rules.current.texts),
    )
    return Prepared(letter, findings, hashlib.sha256(letter.raw).hexdigest())


def sealed(
    shop: Workshop,
    rendered: Rendered,
    kind: Kind,
    to: str,
    *,
    key: str,
    ticket: str | None = None,
    parent: Parent | None = None,
    answers: str | None = None,
) -> Outgoing:
    """A rendered mail with its headers. The Message-ID follows from the key: the same mail, the same id."""
    settings = shop.settings
    sequence = hashlib.sha256(key.encode()).hexdigest()[:16]
    message_id = make_message_id(shop.key, ticket or "staff", sequence, shop.host)
    envelope = Envelope(
        sender=settings.sender_address,
        sender_name=settings.sending.sender_name or settings.hoster.name,
        to=to,
        message_id=message_id,
        date=shop.clock.now().astimezone(settings.hoster.zone),
        parent=parent,
        automatic="auto-replied" if parent is not None else "auto-generated",
    )
    try:
        raw = letters.mime(rendered, envelope)
    except ValueError as error:
        raise Unwritable(f"the mail's headers cannot be written: {error}") from error
    return Outgoing(key, kind, to, message_id, raw, ticket, answers)


def prepare(
    shop: Workshop, s: Situation, sha256: str, examined: Examined | None, actions: tuple[Action, ...]
) -> tuple[tuple[Action, ...], Prepared | None]:
    """Write the plan's mail, if it has one. One that cannot be written is suppressed with its reason."""
    post = next((a for a in actions if isinstance(a, Post)), None)
    file = next((a for a in actions if isinstance(a, File)), None)
    if post is None or file is None or examined is None:
        return actions, None
    try:
        prepared = write_reply(
            shop,
            post.kind,
            post.to,
            key=f"{file.after.id}:{post.kind}:{sha256}",
            ticket=file.after,
            verdict=examined.verdict,
            thread=(*s.earlier, examined.findings),
            round_=post.round,
            parent=Parent.of(s.message),
            answers=sha256,
            subject=s.message.subject,
            message=replace(s.message, n=s.next_n),
        )
    except Unwritable as error:
        # The mail is filed as it stands, only unanswered; the counters of the ticket stay as before.
        before = s.belongs.ticket
        unasked = replace(
            file.after,
            asks=before.asks if before else 0,
            last_asked_at=before.last_asked_at if before else None,
            confirmed=before.confirmed if before else False,
            flags=tuple(dict.fromkeys((*file.after.flags, "unanswered"))),
        )
        kept = [a for a in actions if a is not post and a is not file]
        return (replace(file, after=unasked), *kept, Suppress("template-fault", str(error)[:300])), None
    return actions, prepared


def apply(
    c: Connection,
    shop: Workshop,
    s: Situation,
    sha256: str,
    examined: Examined | None,
    actions: tuple[Action, ...],
    prepared: Prepared | None,
) -> None:
    """Write everything that was decided about a mail. Raises :class:`checker.edges.store.messages.Stale`."""
    now, ticket_id = s.now, None
    for action in actions:
        match action:
            case Rebind(old):
                messages.rebind(c, s.mail, old)
            case Settle(state, reason):
                _settle(c, s, sha256, state, reason=reason)
            case File(before, after, n, state):
                ticket_id = after.id
                _file(c, shop, s, sha256, examined, File(before, after, n, state))
            case Post():
                if prepared is not None:
                    post(c, shop, prepared, len(s.earlier) + 2)
            case Suppress(reason, detail):
                tickets.suppress(c, Suppressed(now, ticket_id, s.mail.id, reason, detail))
            case Bounced(posted, stop, detail):
                outbox.bounced(c, posted)
                if stop is not None:
                    outbox.stop(c, stop, now, f"our mail came back ({detail})")
            case Note(ticket, kind, detail):
                tickets.note(c, Event(now, ticket, kind, detail))
            case Alarm(detail):
                _alarm(c, shop, s, detail)


def post(c: Connection, shop: Workshop, prepared: Prepared, n: int) -> None:
    """Into the outbox, and into the ticket as its ``n``-th message; only once, whatever happens."""
    now = shop.clock.now()
    letter = prepared.letter
    if not outbox.post(c, letter, now) or letter.ticket is None:
        return
    messages.ours(
        c, letter.key, now, message_id=letter.message_id, sha256=prepared.sha256, size=len(letter.raw),
        ticket=letter.ticket, n=n, findings=dump(prepared.findings, shop.key),
    )  # fmt: skip
    tickets.note(c, Event(now, letter.ticket, letter.kind.value, f"to {letter.recipient}"))
    noted = Received(n, prepared.sha256, letter.message_id, shop.settings.sender_address, now, ours=True)
    tickets.note(c, mail_event(now, letter.ticket, noted, shop.rules.current.version, None))


def _settle(c: Connection, s: Situation, sha256: str, state: State, *, reason: str = "") -> None:
    message = s.message
    messages.settle(
        c, s.mail, state, s.now, reason=reason, sha256=sha256, message_id=message.message_id, content=s.content,
        sender=message.sender.email if message.sender else None,
    )  # fmt: skip


def _file(c: Connection, shop: Workshop, s: Situation, sha256: str, examined: Examined | None, file: File) -> None:
    if examined is None:
        raise ValueError("a mail that was not examined is not filed")
    message = s.message
    secrets = [x for f in (*s.earlier, examined.findings) for x in secrets_of(f)]
    after = replace(
        file.after, subject=masked(file.after.subject, secrets), rules_version=shop.rules.current.engine.version
    )
    if file.before is None:
        tickets.create(c, after)
    else:
        values = {name: getattr(after, name) for name in Ticket.__dataclass_fields__ if name not in ("id", "version")}
        tickets.change(c, file.before, **values)
    messages.settle(
        c, s.mail, file.state, s.now, sha256=sha256, message_id=message.message_id, content=s.content,
        sender=message.sender.email if message.sender else None, ticket=after.id, n=file.n,
        findings=dump(examined.findings, shop.key),
    )  # fmt: skip
    messages.restate(c, after.id, file.state)
    received = Received(
        n=file.n, sha256=sha256, message_id=message.message_id, sender=message.sender.email if message.sender else "",
        received_at=s.mail.received_at, ours=message.from_us, authentication=s.standing.value,
    )  # fmt: skip
    tickets.note(c, mail_event(s.now, after.id, received, shop.rules.current.version, examined.verdict, secrets))


def _alarm(c: Connection, shop: Workshop, s: Situation, detail: str) -> None:
    """One notice an hour to whoever reads the digest; what was held back is in the digest anyway."""
    hour = s.now.strftime("%Y-%m-%dT%H")
    text = (
        f"Replies to customers are held back: {detail} within one hour.\n"
        "Two programs may be answering each other. Tickets that were not answered are listed in the digest.\n"
        "Raise replies.global_hour if so many mails are normal here.\n"
    )
    rendered = Rendered("Replies are held back", text, f"<pre>{text}</pre>")
    for to in shop.settings.digest.everybody:
        letter = sealed(shop, rendered, Kind.NOTICE, to, key=f"breaker:{hour}:{to}")
        outbox.post(c, letter, s.now)
