"""Every setting, typed and checked; the texts of its errors name file, key and what to do.

Pure: :func:`build` takes a parsed TOML document and the folder that relative paths count from;
reading the file is :mod:`checker.edges.files`'s work. Every key has a default, so that an empty
document is the embedded service (Maildir in, Maildir out, SQLite) and a file holds differences only.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

LANGUAGES: Final = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class SettingsError(ValueError):
    """A setting that cannot be used; the text names file and key and says what to do."""


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """The rule files as read: path below the rules folder (``lang/it/mail.toml``) to TOML document.

    ``version`` is a hash of their content: two services with the same version judge alike.
    """

    version: str
    files: Mapping[str, Mapping[str, object]]

    def packs(self, name: str) -> dict[str, Mapping[str, object]]:
        """The language packs' files of one name: language to document, in the order of the languages' codes."""
        found = {}
        for path in sorted(self.files):
            parts = path.split("/")
            if len(parts) == 3 and parts[0] == "lang" and parts[2] == name:
                found[parts[1]] = self.files[path]
        return found


# --- kinds of value --------------------------------------------------------------------------------


def _resolved(value: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base", Path())
    return Path(base) / value.expanduser()


def _plain(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        # A line end in a folder or user name would be sent to the server as a command of its own.
        raise ValueError("holds a line end or control character; remove it")
    return value


def _address(value: str) -> str:
    name, address = parseaddr(_plain(value))
    if name or address != value or value.count("@") != 1 or value.startswith("@") or value.endswith("@"):
        raise ValueError(f"{value!r} is no bare address; write it as support@hoster.example")
    local, domain = value.split("@")
    return f"{local}@{domain.lower()}"


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; write it as Europe/Rome")
    return value


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"{value!r} is no language of this program; choose from {', '.join(LANGUAGES)}")
    return value


FilePath = Annotated[Path, AfterValidator(_resolved)]
Plain = Annotated[str, AfterValidator(_plain)]
Email = Annotated[str, AfterValidator(_address)]
Zone = Annotated[str, AfterValidator(_zone)]
Language = Annotated[str, AfterValidator(_language)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


class _Section(BaseModel):
    # Default sections are validated again with the rest: their paths count from the file's folder, too.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, revalidate_instances="always")


# --- sections --------------------------------------------------------------------------------------


class OfficeHours(_Section):
    """When people are there; both times are the hoster's local time."""

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: time = time(9, 0)
    closes: time = time(18, 0)


class HosterSettings(_Section):
    """Who answers: nothing of it stands in code."""

    name: Plain = "INTROSERV"
    addresses: tuple[Email, ...] = ("support@hoster.example",)
    time_zone: Zone = "Europe/Rome"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IT"
    office_hours: OfficeHours = OfficeHours()
    languages: tuple[Language, ...] = LANGUAGES
    default_language: Language = "en"
    staff_language: Language = "en"
    links: dict[str, Plain] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _addresses_given(self) -> HosterSettings:
        if not self.addresses:
            raise ValueError("addresses is empty; name the support address, or our own mail would be answered")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The hoster's time zone."""
        return ZoneInfo(self.time_zone)


class PasswordFrom(_Section):
    """Where a password is found: exactly one of an environment variable, a file, a command."""

    env: Plain | None = None
    file: FilePath | None = None
    command: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one(self) -> PasswordFrom:
        if sum(x is not None for x in (self.env, self.file, self.command)) != 1:
            raise ValueError('give exactly one of env, file, command, as password = { env = "IMAP_PASSWORD" }')
        return self


class _Mailbox(_Section):
    name: Annotated[Plain, Field(min_length=1, max_length=60)] = "support"
    folders: Annotated[tuple[Plain, ...], Field(min_length=1)] = ("INBOX",)
    after: Literal["nothing", "flag", "move"] = "nothing"
    move_to: Plain = "Done"
    quarantine_to: Plain | None = None


class MaildirMailbox(_Mailbox):
    """A Maildir on this machine; other folders are Maildir++ subfolders (``.Done``)."""

    kind: Literal["maildir"] = "maildir"
    path: FilePath = Path("var/mail")


class ImapMailbox(_Mailbox):
    """A mailbox on an IMAP server. ``auth = "xoauth2"``: the password command prints the token."""

    kind: Literal["imap"]
    host: Plain
    port: Port = 993
    tls: Literal["tls", "starttls", "none"] = "tls"
    allow_clear_text: bool = False
    ca_file: FilePath | None = None
    user: Plain
    password: PasswordFrom
    auth: Literal["login", "xoauth2"] = "login"
    keyword: Annotated[str, Field(pattern=r"^[A-Za-z0-9$_-]{1,40}$")] = "checker-done"
    idle: bool = True
    connect_seconds: Seconds = 20
    read_seconds: Seconds = 60
    command_seconds: Seconds = 300

    @model_validator(mode="after")
    def _clear_text(self) -> ImapMailbox:
        if self.tls == "none" and not self.allow_clear_text:
            raise ValueError('tls = "none" sends the password in clear; use "tls", or set allow_clear_text = true')
        return self


Mailbox = Annotated[MaildirMailbox | ImapMailbox, Field(discriminator="kind")]


class MaildirOutgoing(_Section):
    """Replies are put into a Maildir instead of being sent."""

    kind: Literal["maildir"] = "maildir"
    path: FilePath = Path("var/outbox")


class SmtpOutgoing(_Section):
    """Replies go to a relay. ``final_seconds``: the wait for the answer to the final dot (RFC 5321 §4.5.3.2.6)."""

    kind: Literal["smtp"]
    host: Plain
    port: Port = 587
    tls: Literal["tls", "starttls", "none"] = "starttls"
    allow_clear_text: bool = False
    ca_file: FilePath | None = None
    user: Plain | None = None
    password: PasswordFrom | None = None
    connect_seconds: Seconds = 20
    read_seconds: Seconds = 60
    final_seconds: Seconds = 600

    @model_validator(mode="after")
    def _login(self) -> SmtpOutgoing:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; give both or neither")
        if self.user is not None and self.tls == "none" and not self.allow_clear_text:
            raise ValueError('tls = "none" sends the password in clear; use "starttls", or set allow_clear_text = true')
        return self


Outgoing = Annotated[MaildirOutgoing | SmtpOutgoing, Field(discriminator="kind")]


class SendingSettings(_Section):
    """What every mail of ours carries, and what happens when a delivery goes wrong."""

    sender: Email | None = None  # None: the hoster's first address
    sender_name: Plain | None = None  # None: the hoster's name
    envelope_sender: Email | Literal[""] = ""  # empty path: RFC 3834 §4, the safest against loops
    unknown_delivery: Literal["stop", "retry"] = "stop"
    unknown_wait_minutes: Annotated[int, Field(ge=15)] = 15
    attempts: Annotated[int, Field(ge=1)] = 8
    first_retry_seconds: Seconds = 60


class DatabaseSettings(_Section):
    """Where the service remembers; ``postgresql+psycopg://…`` when several hosts share the work."""

    url: Plain | None = None  # None: SQLite in the state folder
    password: PasswordFrom | None = None


class FolderSettings(_Section):
    """Where rules, replies and the service's own files lie."""

    rules: FilePath = Path("rules")
    replies: FilePath = Path("replies")
    state: FilePath = Path("var")


class ServiceSettings(_Section):
    """How the rounds run."""

    poll_seconds: Seconds = 60
    round_seconds: Seconds = 900  # deadline of one round; what is left waits for the next
    lease_seconds: Seconds = 120
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_mail_bytes: Annotated[int, Field(ge=10_000)] = 26_214_400
    watchdog_seconds: Seconds = 1800


class ReplySettings(_Section):
    """Whether and how often the customer is written to; limits are counts of our mails."""

    enabled: bool = True
    confirm: bool = True
    handover: bool = True
    asks_per_ticket: Annotated[int, Field(ge=0, le=3)] = 3  # there are texts for three
    per_sender_day: Count = 5
    per_domain_hour: Count = 20
    global_hour: Count = 60
    max_age_days: Annotated[int, Field(ge=1)] = 14
    reminders: Annotated[int, Field(ge=0, le=3)] = 2
    reminder_working_days: Annotated[int, Field(ge=1)] = 2


class DigestSettings(_Section):
    """The staff's digest: ``at`` is the hoster's local time; not between 02:00 and 03:00, which may not exist."""

    recipients: tuple[Email, ...] = ()
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    at: time = time(7, 30)
    write_files: bool = True

    @model_validator(mode="after")
    def _outside_the_gap(self) -> DigestSettings:
        if self.at.hour == 2:
            raise ValueError("at lies between 02:00 and 03:00, which summer time skips or repeats; choose another hour")
        return self


class SenderSettings(_Section):
    """Whom to believe. ``authserv_ids``: the border servers whose Authentication-Results count (RFC 8601 §5)."""

    authserv_ids: tuple[Plain, ...] = ()
    unverified: Literal["flag", "ask_and_flag"] = "flag"


class LogSettings(_Section):
    """``auto``: JSON when not on a terminal."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(_Section):
    """Prometheus metrics over HTTP, loopback unless told otherwise."""

    enabled: bool = False
    address: Plain = "127.0.0.1"
    port: Port = 9188


class Settings(_Section):
    """The whole configuration."""

    hoster: HosterSettings = HosterSettings()
    mailboxes: Annotated[tuple[Mailbox, ...], Field(min_length=1)] = (MaildirMailbox(),)
    outgoing: Outgoing = MaildirOutgoing()
    sending: SendingSettings = SendingSettings()
    database: DatabaseSettings = DatabaseSettings()
    folders: FolderSettings = FolderSettings()
    service: ServiceSettings = ServiceSettings()
    replies: ReplySettings = ReplySettings()
    digest: DigestSettings = DigestSettings()
    sender: SenderSettings = SenderSettings()
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()

    @model_validator(mode="after")
    def _names_differ(self) -> Settings:
        names = [m.name for m in self.mailboxes]
        doubled = sorted({n for n in names if names.count(n) > 1})
        if doubled:
            raise ValueError(f"mailboxes: the name {doubled[0]!r} is given twice; what is known of them would mix")
        return self

    @property
    def own_addresses(self) -> frozenset[str]:
        """Addresses whose mail is ours, lower case: the hoster's, and the one that we send from."""
        sender = (self.sending.sender,) if self.sending.sender else ()
        envelope = (self.sending.envelope_sender,) if self.sending.envelope_sender else ()
        return frozenset(a.lower() for a in (*self.hoster.addresses, *sender, *envelope))

    @property
    def sender_address(self) -> str:
        """The address that our mails come from, and that answers go to."""
        return self.sending.sender or self.hoster.addresses[0]

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL, without the password that may come from elsewhere."""
        return self.database.url or f"sqlite:///{self.folders.state / 'checker.sqlite3'}"

    @property
    def key_file(self) -> Path:
        """The secret key that signs ticket tokens and fingerprints secrets."""
        return self.folders.state / "secret.key"


# --- building and its errors -----------------------------------------------------------------------


def build(document: Mapping[str, object], *, file: str, base: Path) -> Settings:
    """Check a parsed TOML document. ``file`` names it in errors; relative paths count from ``base``.

    Raises :class:`SettingsError` that names every wrong key of the document.
    """
    try:
        return Settings.model_validate(dict(document), context={"base": base})
    except ValidationError as error:
        _refuse(error, file)


def _refuse(error: ValidationError, file: str) -> NoReturn:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        path = [p for p in problem["loc"] if p not in ("maildir", "imap", "smtp")]
        key = _dotted(path)
        match problem["type"]:
            case "extra_forbidden":
                text = f"unknown key{_near(path)}; remove it or correct its spelling"
            case "missing":
                text = "is missing; add it"
            case "union_tag_not_found" | "union_tag_invalid":
                text = 'needs kind = "maildir", "imap" or "smtp", whichever applies here'
            case "value_error":
                text = problem["msg"].removeprefix("Value error, ")
            case _:
                text = problem["msg"][:1].lower() + problem["msg"][1:]
        sentences.append(f"{file}: {key}: {text}")
    raise SettingsError("\n".join(sentences)) from None  # the cause would print values, which may be secret


def _dotted(path: Sequence[int | str]) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def _near(path: Sequence[int | str]) -> str:
    known: set[str] = set(Settings.model_fields)
    section = path[0] if path else ""
    if len(path) > 1:
        sections: dict[object, tuple[type[BaseModel], ...]] = {
            "mailboxes": (ImapMailbox, MaildirMailbox),
            "outgoing": (SmtpOutgoing, MaildirOutgoing),
        }
        annotation = Settings.model_fields[str(section)].annotation if section in Settings.model_fields else None
        models = sections.get(section) or ((annotation,) if isinstance(annotation, type) else ())
        known = {name for model in models if issubclass(model, BaseModel) for name in model.model_fields}
    if path[-1] in known:
        return " for this kind"
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
