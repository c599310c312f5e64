"""What a decision rests on: everything gathered, nothing decided. Frozen, so that deciding cannot write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from checker.edges.records import Counts, Mail, Posted, Ticket
from checker.model import Findings, Message, Verdict
from checker.service.audit import Override
from checker.service.customers import Holding

# As the parser names it: a header that may stand only once.
DOUBLED_FROM: Final = "duplicate header: from"
DOUBLED: Final = (DOUBLED_FROM, "duplicate header: message-id", "duplicate header: subject")


class Standing(StrEnum):
    """Whether the sender is who the mail says. ``UNCHECKED``: no border server is configured to tell."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Belongs:
    """The ticket that a mail belongs to, how that is known, and what is suspicious about it.

    ``ticket`` is ``None`` for a new conversation. ``intruded`` is the ticket that it claims and may not
    join; ``why`` is then ``stranger`` or ``forged-token``.
    """

    ticket: Ticket | None = None
    how: str = "new"
    intruded: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """One mail, and what the store knows about it."""

    mail: Mail
    message: Message
    content: str  # hash of sender, subject, parent and words
    ticket_id: str  # for a new conversation
    next_n: int
    now: datetime
    moved: Mail | None = None  # the same bytes, listed before under another UIDVALIDITY
    copy_of: Mail | None = None
    echo: Posted | None = None  # it is a mail of ours that came back to us
    belongs: Belongs = field(default_factory=Belongs)
    earlier: tuple[Findings, ...] = ()
    bounced: tuple[Posted, ...] = ()
    standing: Standing = Standing.UNCHECKED
    counts: Counts = field(default_factory=Counts)
    stopped: bool = False  # mail to the sender came back for good
    holdings: tuple[Holding, ...] | None = None  # of everybody who spoke; None: there is no list of customers
    overrides: tuple[Override, ...] = ()  # what the staff set
    fingerprints: frozenset[str] = frozenset()  # of the secrets in the ticket's earlier mails
    full: str | None = None  # the ticket that it belongs to, which has as many mails as are judged together


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading found, and the verdict over the thread with it."""

    findings: Findings
    verdict: Verdict
    before: Verdict | None = None  # over the thread without it
