"""The whole configuration, built from a document; errors name file and key and say what to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import BaseModel, Field, ValidationError, model_validator

from .digest import DigestSettings
from .mail import (
    ImapMailbox,
    Mailbox,
    MaildirMailbox,
    MaildirOutgoing,
    Outgoing,
    SendingSettings,
    SmtpOutgoing,
)
from .sections import (
    DatabaseSettings,
    FolderSettings,
    HosterSettings,
    LogSettings,
    MetricsSettings,
    ReaderSettings,
    ReplySettings,
    SenderSettings,
    ServiceSettings,
)
from .values import Section, SettingsError


class Settings(Section):
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
    reader: ReaderSettings = ReaderSettings()

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
