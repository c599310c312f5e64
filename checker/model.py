"""The domain: what a mail is, what was found in it, and what follows from it.

Everything here is frozen, free of IO and free of clocks. Offsets are character offsets into a
message's visible text (:attr:`Message.text`), half open as Python slices are. Messages of a ticket
count from 1, as in the JSON of ``checker check`` (contract).

The vocabulary of values follows the procedure ("Requirements", "Statement values"); the statement
labels are finer than the values, because one value may rest on several statements ("no backup" and
"losing the data is fine" together make ``absent_accepted``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

MASK: Final = "********"


class Secret:
    """A password, key or one-time link that shows itself only when asked to.

    ``str``, ``repr``, formatting, logging and exceptions print :data:`MASK`; :meth:`reveal` is the one
    way to the text, so that every use can be found by searching for it. Not picklable and not
    JSON-serialisable on purpose.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not written anywhere")


# --- mail ------------------------------------------------------------------------------------------


class ZoneKind(StrEnum):
    """Whose words a stretch of visible text is (contract: ``messages[].zones[].kind``)."""

    OWN = "own"
    ATTRIBUTION = "attribution"  # "Il giorno … ha scritto:", an Outlook header block
    QUOTED = "quoted"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"
    LOG = "log"  # pasted logs, code, traceroutes: read for nothing but what is being described


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of ``Message.text``. The zones of a message are in order, whole lines, without gaps."""

    kind: ZoneKind
    start: int
    end: int
    depth: int = 0  # quoting depth: 0 for own words


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as in RFC 5322 §3.4; ``email`` is lower-cased in its domain and without display name."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What hung on a mail; its bytes are not kept."""

    filename: str
    content_type: str
    size: int


class Automatic(StrEnum):
    """Why a mail counts as a machine's (contract: ``automatic``)."""

    AUTO_SUBMITTED = "auto-submitted"
    NULL_RETURN_PATH = "null-return-path"
    DELIVERY_REPORT = "delivery-report"
    READ_RECEIPT = "read-receipt"
    LIST = "list"
    BULK = "bulk"
    AUTO_RESPONSE_SUPPRESS = "auto-response-suppress"
    AUTO_RESPONDER = "auto-responder"
    MACHINE_SENDER = "machine-sender"
    AUTOMATIC_SUBJECT = "automatic-subject"
    SPAM_FLAG = "spam-flag"
    OWN_MAIL = "own-mail"


@dataclass(frozen=True, slots=True)
class Message:
    """One mail as a person would see it, plus what the service needs of its headers.

    ``text`` is the visible text, line ends ``\\n``. ``zones`` cover it. ``sha256`` is of the raw bytes.
    ``from_us`` says that the hoster's support wrote it (sender is one of the own addresses); such a
    message is context (what was asked), never a statement. ``capped`` says that the text was cut at the
    size limit: a person has to look at the rest.
    """

    n: int
    sha256: str
    size: int
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    sender: Address | None
    reply_to: Address | None
    recipients: tuple[Address, ...]
    date: datetime | None
    text: str
    zones: tuple[Zone, ...]
    attachments: tuple[Attachment, ...] = ()
    automatic: Automatic | None = None
    automatic_detail: str = ""
    from_us: bool = False
    authentication_results: tuple[str, ...] = ()  # raw values, topmost first (RFC 8601)
    received: tuple[str, ...] = ()
    bounce_of: tuple[str, ...] = ()  # Message-IDs returned inside a delivery report
    bounce_recipients: tuple[str, ...] = ()
    bounce_permanent: bool = False
    defects: tuple[str, ...] = ()
    capped: bool = False
    results_below: tuple[int, ...] = ()  # for each authentication result: how many Received stand above it

    def own(self) -> tuple[Zone, ...]:
        """The zones that are the sender's own words."""
        return tuple(z for z in self.zones if z.kind is ZoneKind.OWN)


# --- what is found ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: message number (from 1), offsets, and the words.

    ``part`` says what the offsets count in: ``body`` is :attr:`Message.text`, ``subject`` is
    :attr:`Message.subject`. ``message.text[start:end] == text`` holds for every span (property test).
    """

    message: int
    start: int
    end: int
    text: str
    part: str = "body"


class IdentifierKind(StrEnum):
    SERVICE_ID = "service_id"
    IP = "ip"
    HOSTNAME = "hostname"


class Role(StrEnum):
    """What an address or name stands for in the ticket."""

    SERVER = "server"  # to be worked on
    CONSOLE = "console"  # IPMI, KVM, iDRAC, iLO, VPN gateway: a way in
    FOREIGN = "foreign"  # office, resolver, gateway, log line, private range
    CONTRAST = "contrast"  # another server of the customer's, named so that it is *not* touched
    WITHDRAWN = "withdrawn"  # named by mistake and corrected later


@dataclass(frozen=True, slots=True)
class Identifier:
    """A service ID, address or hostname with the role that the text gives it.

    ``value`` is canonical: service IDs as written without ``#``, addresses compressed and lower case,
    hostnames lower case without a trailing dot.
    """

    kind: IdentifierKind
    value: str
    role: Role
    span: Span
    rule: str


class Access(StrEnum):
    OS = "os"
    CONSOLE = "console"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Credential:
    """A usable way in (procedure, settled cases). ``secret`` is ``None`` for an installed key."""

    access: Access
    username: str | None
    secret: Secret | None
    span: Span  # of the secret, or of the user name where there is none
    rule: str


class Label(StrEnum):
    """What one statement says, as in the corpus's ``statements-*.jsonl``."""

    POWER_GRANTED = "power_granted"
    POWER_DENIED = "power_denied"
    POWER_PARTIAL = "power_partial"
    POWER_WINDOW = "power_window"
    POWER_WINDOW_MISSING = "power_window_missing"
    BACKUP_CONFIRMED = "backup_confirmed"
    BACKUP_ABSENT = "backup_absent"
    BACKUP_INADEQUATE = "backup_inadequate"
    LOSS_ACCEPTED = "loss_accepted"
    ERASE_CONSENT = "erase_consent"
    ERASE_REFUSED = "erase_refused"
    RISK_ACCEPTED = "risk_accepted"
    RISK_REFUSED = "risk_refused"
    DOWNTIME_OK = "downtime_ok"
    DOWNTIME_WINDOW = "downtime_window"
    DOWNTIME_WINDOW_MISSING = "downtime_window_missing"
    DOWNTIME_REFUSED = "downtime_refused"
    REQUEST_INTERVENTION = "request_intervention"
    REQUEST_INSIDE_OS = "request_inside_os"
    REQUEST_REINSTALL = "request_reinstall"
    REQUEST_HARDWARE = "request_hardware"


class Status(StrEnum):
    """Assertion status in the sense of ConText: only ``ASSERTED`` statements count."""

    ASSERTED = "asserted"
    QUESTION = "question"
    HYPOTHETICAL = "hypothetical"
    FUTURE = "future"
    CONDITION = "condition"  # on the customer, not yet met
    PAST = "past"
    UNCERTAIN = "uncertain"
    THIRD_PARTY = "third_party"
    OTHER_SYSTEM = "other_system"
    TEMPLATE = "template"  # placeholder, alternative left unchosen, or our own example sentence
    WITHDRAWN = "withdrawn"
    NEGATED = "negated"  # negated, and the negation says nothing decidable


@dataclass(frozen=True, slots=True)
class Cue:
    """A word that set a statement's status or polarity, with its place."""

    name: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that somebody said, with how it was said.

    ``actions`` holds the power actions it speaks of (``reboot``, ``off``, ``on``, ``cycle``; empty =
    power in general). ``answers`` is the requirement id of the question of ours that it answers.
    ``reader`` names who read it (``rules`` or ``second``), ``score`` is 1.0 for rules that count, less for
    hints, and the calibrated probability for the second reader.
    """

    label: Label
    status: Status
    span: Span
    rule: str
    cues: tuple[Cue, ...] = ()
    actions: frozenset[str] = frozenset()
    answers: str | None = None
    reader: str = "rules"
    score: float = 1.0
    about: frozenset[str] = frozenset()  # the servers that the same sentence names, as identifiers' values

    @property
    def counts(self) -> bool:
        """Asserted, and not merely a hint: a weak rule's, or a sentence that both readers do not agree on."""
        return self.status is Status.ASSERTED and (self.score >= 1 or self.reader != "rules")


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """When something may happen. What cannot be resolved without guessing stays text.

    ``start`` and ``end`` are aware; either may be ``None`` for an open end ("dopo le 22").
    ``ambiguous`` names what is unclear (``date``, ``zone``, ``hour``, …), empty when nothing is.
    ``has_time`` says that a time of day, or a date or weekday that bounds it, was really named:
    "in a maintenance window" alone has none.
    """

    text: str
    start: datetime | None
    end: datetime | None
    span: Span
    has_time: bool = True
    recurring: str | None = None  # "daily", "weekly:5" (Monday = 0), …
    ambiguous: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()  # "past", "reversed", "outside-hours"
    kind: str = "range"  # range, point, after, before, day, part ("Saturday night"), outside (all but this)
    zone: str | None = None  # the zone that start and end were read in, as named or as set
    weekday: int | None = None  # Monday = 0
    hours: tuple[str | None, str | None] = (None, None)  # "HH:MM" as named, also where no day is known


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """The system to install. Names are canonical as in ``rules/systems.toml``."""

    distribution: str | None
    version: str | None
    edition: str | None
    span: Span
    layout: str | None = None  # partitioning, RAID, install parameters in the customer's words


@dataclass(frozen=True, slots=True)
class Component:
    """A part to add or swap; ``kind`` as in the corpus's FORMAT (drive, ram, psu, …)."""

    kind: str
    serial: str | None
    slot: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Unread:
    """A segment that looks relevant and that no rule read: a person, or a second reader, should."""

    span: Span
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which words gave which field its value (contract: ``evidence``). Secrets are masked in ``text``.

    ``score`` is 1.0 for rules and a probability for the second reader, whose rules are named ``second/…``.
    """

    field: str
    value: str
    rule: str
    message: int
    start: int
    end: int
    text: str
    part: str = "body"
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Rejected:
    """What was looked at and did not count, and why."""

    field: str
    value: str
    reason: str
    rule: str
    message: int
    start: int
    end: int
    text: str
    part: str = "body"


# --- what follows ----------------------------------------------------------------------------------


class TicketStatus(StrEnum):
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    REVIEW = "review"
    NOT_A_REQUEST = "not_a_request"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the thread says up to its last message, and what the procedure still wants.

    ``missing`` holds requirement ids in the procedure's order. ``review`` says why a person must look
    (``conflict:power``, ``capped``, ``unread``, …). ``advisories`` are ids for the reply's texts.
    """

    language: str
    request_kinds: tuple[str, ...] = ()
    service_ids: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    power: str | None = None
    backup: str | None = None
    data_loss_consent: str | None = None
    hardware_acknowledgement: str | None = None
    impact: str | None = None
    os: OperatingSystem | None = None
    components: tuple[Component, ...] = ()
    windows: tuple[TimeWindow, ...] = ()
    missing: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()
    status: TicketStatus = TicketStatus.NOT_A_REQUEST
    review: tuple[str, ...] = ()
    inside_os: bool = False
    evidence: tuple[Evidence, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    unread: tuple[Unread, ...] = ()
    confirm: tuple[Doubt, ...] = ()  # sentences that are shown and asked about instead of being believed
    hidden: tuple[Secret, ...] = ()  # every secret of the thread, usable or not: masked wherever words are shown


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sentence that may be what ``requirement`` wants: the rules and the second reader do not agree on it."""

    requirement: str
    span: Span


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that our side asked for: its number or letter if it had one, and the requirements it is about."""

    marker: str | None
    requirements: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """A label with the second reader's calibrated probability, and what that is worth.

    ``sure`` and ``heard`` say whether it reaches the label's thresholds (chosen for precision on other
    authors' text); they are kept with the finding, so that new weights do not judge old readings anew.
    """

    label: Label
    p: float
    heard: bool = False
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What the second reader makes of one segment of the sender's own words; hearings of .005 and more."""

    span: Span
    hearings: tuple[Hearing, ...]
    question: bool = False  # ends with a question mark


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that reading one message found; what is merged over the thread and what is stored.

    A message of ours (``from_us``) has ``questions`` and nothing else. No secret survives storing: a
    reloaded :class:`Credential` holds ``Secret(MASK)``.
    """

    n: int
    language: str
    from_us: bool = False
    automatic: Automatic | None = None
    date: datetime | None = None
    questions: tuple[Question, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    credentials: tuple[Credential, ...] = ()
    statements: tuple[Statement, ...] = ()
    windows: tuple[TimeWindow, ...] = ()
    systems: tuple[OperatingSystem, ...] = ()
    components: tuple[Component, ...] = ()
    unread: tuple[Unread, ...] = ()
    capped: bool = False
    business: bool = False  # speaks of invoices, orders, domains, or says thanks
    heard: tuple[Heard, ...] = ()
    hidden: tuple[Secret, ...] = ()  # what looks like a secret and is no usable way in: masked, never shown

    def secrets(self) -> tuple[Secret, ...]:
        """Everything of the message that is shown to nobody."""
        return (*(c.secret for c in self.credentials if c.secret is not None), *self.hidden)


@dataclass(frozen=True, slots=True)
class Case:
    """A whole ticket, read: its messages, what each holds, and the verdict over the thread."""

    messages: tuple[Message, ...]
    findings: tuple[Findings, ...]
    verdict: Verdict
    quarantined: tuple[str, ...] = field(default=())  # reasons, for messages that could not be read
