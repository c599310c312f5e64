"""From a verdict to the bytes of a mail. Pure; times, keys and templates are arguments.

What a reply carries is RFC 3834's: an automatic answer says that it is one, goes to one address, threads
by In-Reply-To and References, and quotes nothing but what was understood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from checker.answer.model import (
    ADVISORIES,
    REASONS,
    UNSAID,
    Contradiction,
    Doubtful,
    Hoster,
    Link,
    Missing,
    Part,
    Rendered,
    ReplyKind,
    ReplyRequest,
    System,
    Understood,
)
from checker.edges.records import Kind
from checker.mail.threads import references
from checker.model import Evidence, Message, Secret, Verdict
from checker.service.evidence import sentence
from checker.settings import HosterSettings

# The library folds long ids as encoded words otherwise, and mail programs lose the thread.
_POLICY: Final = SMTP.clone(max_line_length=998)


@dataclass(frozen=True, slots=True)
class Parent:
    """The mail that is answered, as far as its answer needs it."""

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]

    @classmethod
    def of(cls, message: Message) -> Parent:
        """The parent that a message is to its answer."""
        return cls(message.message_id, message.in_reply_to, message.references)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, under which id and when."""

    sender: str
    sender_name: str
    to: str
    message_id: str
    date: datetime
    parent: Parent | None = None
    automatic: str = "auto-replied"  # RFC 3834 §5; auto-generated for what answers no mail


def hoster(settings: HosterSettings) -> Hoster:
    """The hoster as replies know it."""
    return Hoster(settings.name, tuple(Link(label, url) for label, url in settings.links.items()))


def request(
    kind: Kind,
    verdict: Verdict,
    settings: HosterSettings,
    *,
    ticket: str,
    subject: str,
    name: str,
    round_: int,
    secrets: Iterable[Secret] = (),
    message: Message | None = None,
) -> ReplyRequest:
    """What the reply to a ticket has to say. ``message``: the mail at hand, whose sentences can be shown whole."""
    asking = kind in (Kind.ASK, Kind.REMINDER)
    language = verdict.language if verdict.language in settings.languages else settings.default_language
    return ReplyRequest(
        kind=ReplyKind(kind.value),
        language=language,
        hoster=hoster(settings),
        understood=understood(verdict),
        missing=missing(verdict) if asking else (),
        contradictions=contradictions(verdict, message) if asking else (),
        advisories=tuple(a for a in ADVISORIES if a in verdict.advisories),
        name=name or None,
        subject=subject,
        tag=f"#{ticket}",
        round=round_,
        secrets=tuple(secrets),
        doubtful=tuple(Doubtful(d.requirement, d.span.text) for d in verdict.confirm) if asking else (),
    )


def understood(verdict: Verdict) -> Understood:
    """The verdict as a reply repeats it."""
    return Understood(
        request_kinds=verdict.request_kinds,
        service_ids=verdict.service_ids,
        ip_addresses=verdict.ip_addresses,
        hostnames=verdict.hostnames,
        access=bool(verdict.credentials),
        power=verdict.power,
        backup=verdict.backup,
        data_loss_consent=verdict.data_loss_consent,
        hardware_acknowledgement=verdict.hardware_acknowledgement,
        impact=verdict.impact,
        windows=tuple(w.text for w in verdict.windows),
        system=system(verdict),
        parts=tuple(Part(c.kind, c.slot, c.serial) for c in verdict.components),
    )


def system(verdict: Verdict) -> System | None:
    """The operating system, when its distribution is known."""
    if verdict.os is None or not verdict.os.distribution:
        return None
    return System(verdict.os.distribution, verdict.os.version, verdict.os.edition)


def missing(verdict: Verdict) -> tuple[Missing, ...]:
    """What is missing and why, in the procedure's order."""
    return tuple(Missing(r, _reason(r, verdict)) for r in verdict.missing)


def _reason(requirement: str, verdict: Verdict) -> str:
    reason: str | None = None
    match requirement:
        case "server_id":
            reason = "hostname_only" if verdict.hostnames else None
        case "power_authorization":
            reason = verdict.power
        case "backup" | "data_loss_consent" | "impact" | "hardware_acknowledgement":
            reason = getattr(verdict, requirement)
        case "os_choice" if verdict.os is not None and verdict.os.distribution:
            windows = verdict.os.distribution.startswith("Windows")
            if verdict.os.version:
                reason = "edition"
            else:
                reason = "version_edition" if windows and not verdict.os.edition else "version"
    return reason if reason in REASONS.get(requirement, ()) else UNSAID


def contradictions(verdict: Verdict, message: Message | None = None) -> tuple[Contradiction, ...]:
    """The sentences behind each conflict, where two that differ are in evidence.

    Of earlier mails only the decisive words are kept; those of ``message`` are shown as the sentence they stand in.
    """
    found = []
    for review in verdict.review:
        field = review.removeprefix("conflict:")
        if field == review:
            continue
        evidence = [e for e in verdict.evidence if e.field == field]
        said = list(dict.fromkeys(_sentence(e, message) for e in evidence))
        if len(said) == 1:  # one sentence says both
            said = list(dict.fromkeys(e.text for e in evidence))
        if len(said) > 1:
            requirement = "power_authorization" if field == "power" else field
            found.append(Contradiction(requirement, said[0], said[-1]))
    return tuple(found)


def _sentence(e: Evidence, message: Message | None) -> str:
    """The sentence around a statement, as far as it is the customer's own words; else the words alone."""
    if message is None or (e.message, e.part) != (message.n, "body"):
        return e.text
    own = next((z for z in message.own() if z.start <= e.start and e.end <= z.end), None)
    if own is None or message.text[e.start : e.end] != e.text:
        return e.text
    return sentence(message.text[own.start : own.end], e.start - own.start, e.end - own.start)


def mime(rendered: Rendered, envelope: Envelope) -> bytes:
    """The mail, ready to be sent. Raises :class:`ValueError` for an address or header that cannot be written."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(envelope.sender, envelope.sender_name)
    message["To"] = _address(envelope.to)
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(envelope.date)
    message["Message-ID"] = envelope.message_id
    if envelope.parent is not None and envelope.parent.message_id:
        message["In-Reply-To"] = envelope.parent.message_id
        parent = envelope.parent
        message["References"] = references(parent.references, parent.in_reply_to, parent.message_id)
    message["Auto-Submitted"] = envelope.automatic
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Loop"] = envelope.sender
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    # The library's own boundary is random, and every try has to be the same bytes.
    message.set_boundary(f"=_{hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]}")
    return message.as_bytes()


def _address(email: str, name: str = "") -> HeaderAddress:
    local, _, domain = email.rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    return HeaderAddress(name, local, domain)
