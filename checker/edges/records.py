"""What the store holds, as frozen types. Times are aware UTC; no bodies, no secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What became of a mail. ``NEW`` waits; ``VANISHED`` was gone before it could be read; ``OURS`` we wrote."""

    NEW = "new"
    DONE = "done"
    NOT_REQUEST = "not_request"
    AUTOMATIC = "automatic"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    VANISHED = "vanished"
    OURS = "ours"


class Delivery(StrEnum):
    """Where a mail of ours stands. ``UNKNOWN``: the relay may have it (RFC 1047)."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a mail of ours is for."""

    ASK = "ask"
    REMINDER = "reminder"
    CONFIRMATION = "confirmation"
    HANDOVER = "handover"
    DIGEST = "digest"
    NOTICE = "notice"  # to the staff


TO_CUSTOMERS = (Kind.ASK, Kind.REMINDER, Kind.CONFIRMATION, Kind.HANDOVER)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail lies: unique, and meaningless once the folder's UIDVALIDITY changed (RFC 3501 §2.3.1.1)."""

    account: str
    folder: str
    uidvalidity: int
    uid: str


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder is listed: every UID below ``next_uid`` is known."""

    uidvalidity: int
    next_uid: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a folder's listing."""

    uid: str
    size: int  # bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A row of ``messages``. ``attempts`` counts the tries that were begun, not those that ended."""

    id: int
    place: Place
    size: int
    received_at: datetime
    state: State
    attempts: int
    sha256: str | None = None
    message_id: str | None = None
    ticket: str | None = None
    n: int | None = None
    sender: str | None = None
    reason: str = ""
    moved_to: str | None = None
    marked: bool = False
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A row of ``tickets``. ``version`` grows with every change; a change against an old one is refused.

    ``participants`` are the addresses (lower case) that may speak in it. ``flags`` say why a person must
    look that the verdict does not know: ``unverified``, ``stranger``, ``bounced``, ``limit``.
    """

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    status: str
    language: str
    subject: str
    sender: str
    sender_name: str
    participants: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    asks: int = 0
    reminders: int = 0
    confirmed: bool = False
    last_customer_at: datetime | None = None
    last_asked_at: datetime | None = None
    ready_at: datetime | None = None
    rules_version: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail of ours, rendered once: every try sends the same bytes under the same Message-ID."""

    key: str
    kind: Kind
    recipient: str
    message_id: str
    raw: bytes
    ticket: str | None = None
    answers: str | None = None  # SHA-256 of the mail that it answers


@dataclass(frozen=True, slots=True)
class Posted:
    """A row of ``outbox``."""

    id: int
    mail: Outgoing
    state: Delivery
    attempts: int
    created_at: datetime
    next_try: datetime
    sent_at: datetime | None = None
    error: str = ""
    bounced: bool = False


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A reply that was not written, and why."""

    at: datetime
    ticket: str | None
    mail: int | None
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a ticket."""

    at: datetime
    ticket: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often we wrote to customers lately (delivered or on the way)."""

    sender_day: int = 0
    domain_hour: int = 0
    global_hour: int = 0
    this_mail: int = 0


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """How polling a mailbox goes."""

    account: str
    last_ok_at: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None
    error: str = ""
