"""What replies and digests are made from: frozen inputs, and what comes out of them.

Nothing here holds a secret or a customer's mail: a reply names what was understood (server, work,
permission) and, where two statements contradict each other, those two sentences; a digest adds the short
quotes that decided something. Times are aware datetimes; the view's ``zone`` says which clock the staff read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from ..model import Secret

ROUNDS: Final = 3  # after the third request a person takes over
UNSAID: Final = "unsaid"

# Requirement id (procedure, "Requirements") -> why it is not met; each pair has its own question in the texts.
# A reason that is a statement value keeps that value's name; ``unsaid`` is the value ``null``.
REASONS: Final[dict[str, tuple[str, ...]]] = {
    "server_id": (UNSAID, "hostname_only"),
    "credentials": (UNSAID, "announced", "user_only", "secret_only"),
    "power_authorization": (UNSAID, "window_missing", "conflict"),
    "backup": (UNSAID, "absent", "inadequate", "conflict"),
    "os_choice": (UNSAID, "version", "version_edition", "edition"),
    "data_loss_consent": (UNSAID, "refused", "conflict"),
    "component": (UNSAID,),
    "impact": (UNSAID, "window_missing", "refused"),
    "hardware_acknowledgement": (UNSAID, "refused"),
}

ADVISORIES: Final = (
    "ram_power_off",
    "hot_swap",
    "component_details",
    "data_safety",
    "change_password",
    "default_layout",
)


class AnswerError(ValueError):
    """A reply or digest that cannot be made; the message names the place and what to do."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's subject (one line) and its two bodies with the same content."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Link:
    """A page that the hoster wants named at the end of a reply; only http and https are printed."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Hoster:
    """Who writes: the name in the signature, and links."""

    name: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """The operating system as far as it is known; names as in the rules."""

    distribution: str
    version: str | None = None
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A component; ``kind`` as in the procedure (drive, ram, psu, …)."""

    kind: str
    slot: str | None = None
    serial: str | None = None


# --- replies ---------------------------------------------------------------------------------------


class ReplyKind(StrEnum):
    ASK = "ask"
    REMINDER = "reminder"
    CONFIRMATION = "confirmation"
    HANDOVER = "handover"


@dataclass(frozen=True, slots=True)
class Understood:
    """What the ticket says so far; the values are those of the procedure, ``windows`` the customer's words."""

    request_kinds: tuple[str, ...] = ()
    service_ids: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    access: bool = False  # a usable way in was given; which one is not repeated
    power: str | None = None
    backup: str | None = None
    data_loss_consent: str | None = None
    hardware_acknowledgement: str | None = None
    impact: str | None = None
    windows: tuple[str, ...] = ()
    system: System | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement that is not met, and why (see :data:`REASONS`; an unknown reason asks the plain question)."""

    requirement: str
    reason: str = UNSAID


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sentences of the customer that cannot both hold, and the requirement they are about."""

    requirement: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A sentence of the customer that may be what ``requirement`` wants; it is shown beside the question."""

    requirement: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """Everything that one mail to a customer needs.

    ``missing`` is in the order of the questions. ``round`` counts requests (or reminders) from 1.
    ``subject`` is the customer's own subject, so that mail programs keep the thread together. ``secrets``
    are masked wherever the customer's words are shown; nothing else ever reads them.
    """

    kind: ReplyKind
    language: str
    hoster: Hoster
    understood: Understood = Understood()
    missing: tuple[Missing, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    advisories: tuple[str, ...] = ()
    name: str | None = None
    subject: str = ""
    tag: str = ""
    round: int = 1
    secrets: tuple[Secret, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.round <= ROUNDS:
            raise AnswerError(f"round {self.round}: requests count from 1 to {ROUNDS}; after that a person takes over")
        if self.kind in (ReplyKind.ASK, ReplyKind.REMINDER) and not (self.missing or self.contradictions):
            raise AnswerError(f"{self.kind}: nothing is missing, so there is nothing to ask; send a confirmation")


# --- the digest ------------------------------------------------------------------------------------


class Group(StrEnum):
    """What the staff have to do with a ticket, in the order of the digest."""

    READY = "ready"
    NEEDS_YOU = "needs_you"
    WAITING = "waiting"
    GONE_QUIET = "gone_quiet"


@dataclass(frozen=True, slots=True)
class Quote:
    """The customer's words that gave ``field`` its value; ``message`` counts from 1.

    Words that two fields rest on are shown once: ``also`` names the other fields.
    """

    field: str
    text: str
    message: int
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetWindow:
    """When something may happen: the words, and the times as far as they are certain.

    ``ambiguous`` and ``cautions`` are ids as in :class:`checker.model.TimeWindow` (its ``advisories``).
    """

    text: str
    start: datetime | None = None
    end: datetime | None = None
    ambiguous: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """A way in: ``method`` is ``os``, ``console`` or ``other``. The secret stays in the mailbox."""

    method: str
    username: str | None = None


@dataclass(frozen=True, slots=True)
class WorkSheet:
    """What the technician needs. Values are those of the procedure; ``asked`` and ``layout`` the customer's words."""

    service_ids: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    power: str | None = None
    impact: str | None = None
    windows: tuple[SheetWindow, ...] = ()
    backup: str | None = None
    data_loss_consent: str | None = None
    hardware_acknowledgement: str | None = None
    parts: tuple[Part, ...] = ()
    system: System | None = None
    layout: str | None = None  # partitions, RAID
    asked: tuple[str, ...] = ()  # what is to be done


@dataclass(frozen=True, slots=True)
class Correction:
    """A field that a named person set over what the mails say."""

    field: str
    value: str
    by: str
    because: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One ticket's line. ``why`` are reason ids (``conflict:power``, ``unverified-sender``, …) or plain words.

    ``since`` is when it began to wait as it does now; ``asked`` and ``reminded`` count mails sent.
    """

    ticket: str
    group: Group
    who: str
    server: str
    request_kinds: tuple[str, ...]
    since: datetime
    why: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    asked: int = 0
    reminded: int = 0
    quotes: tuple[Quote, ...] = ()
    link: str | None = None
    message_id: str | None = None
    new: bool = False
    urgent: bool = False  # its window begins soon
    sheet: WorkSheet | None = None
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail that could not be read; ``place`` says where it lies (folder and UID, or file)."""

    reason: str
    place: str
    who: str = ""
    message_id: str | None = None
    since: datetime | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Mails of the period. ``tickets`` are mails that belong to a ticket."""

    seen: int
    tickets: int
    automatic: int
    duplicates: int
    not_requests: int
    quarantined: int

    @property
    def difference(self) -> int:
        """Mails seen that are in none of the five heaps; not zero means that something was lost or doubled."""
        return self.seen - self.tickets - self.automatic - self.duplicates - self.not_requests - self.quarantined


@dataclass(frozen=True, slots=True)
class Figures:
    """The period in numbers of tickets; ``forgotten`` is requirement id and count, most first."""

    received: int = 0
    complete_at_first: int = 0
    complete_after_one: int = 0
    complete_later: int = 0
    waiting: int = 0
    median_to_complete: timedelta | None = None
    forgotten: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A reply that was not sent, and why; ``count`` of the same kind make one line."""

    who: str
    reason: str
    ticket: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail of ours that did not arrive (``failed``) or of which we cannot tell (``unknown``)."""

    recipient: str
    state: str
    ticket: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DigestView:
    """One digest. ``zone`` is the staff's clock; ``held_back`` counts replies that the limit for all mail stopped.

    ``team`` names a digest that is not of everything. Its ``counts`` are ``None`` where it shows some kinds of
    request only: the mails of the period cannot be told apart by kind.
    """

    language: str
    hoster: Hoster
    now: datetime
    since: datetime
    zone: tzinfo
    entries: tuple[Entry, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    counts: Counts | None = Counts(0, 0, 0, 0, 0, 0)
    figures: Figures = Figures()
    suppressed: tuple[Suppressed, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    held_back: int = 0
    team: str = ""

    def __post_init__(self) -> None:
        for name, moment in (("now", self.now), ("since", self.since)):
            if moment.tzinfo is None:
                raise AnswerError(f"digest: '{name}' has no time zone; give an aware datetime")


class NoticeKind(StrEnum):
    """Why the staff are told of a ticket at once."""

    READY = "ready"
    URGENT = "urgent"  # a window that was named begins soon


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One ticket that the staff are told of at once. ``start``: when the window begins (``urgent``)."""

    kind: NoticeKind
    language: str
    hoster: Hoster
    now: datetime
    zone: tzinfo
    entry: Entry
    start: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind is NoticeKind.URGENT and self.start is None:
            raise AnswerError("notice: an urgent one needs to say when its window begins; give 'start'")
