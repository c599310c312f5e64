"""What the service's tests share: a clock that stands still, an engine that reads "key: value" lines, mails."""

from __future__ import annotations

import hashlib
import os
import signal
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path

import jinja2
from sqlalchemy import event

from checker.answer import environment, texts
from checker.comply.procedure import Procedure, build_procedure
from checker.edges.files import ReplyFiles, read_replies
from checker.edges.mailbox import Mailbox
from checker.edges.maildir import Maildir
from checker.edges.outgoing import MaildirOutbox, Outgoing
from checker.edges.store.engine import Store, open_store
from checker.mail.words import MailWords, mail_words
from checker.model import (
    Access,
    Credential,
    Findings,
    Identifier,
    IdentifierKind,
    Label,
    Message,
    Question,
    Role,
    Secret,
    Span,
    Statement,
    Status,
    TicketStatus,
    TimeWindow,
    Verdict,
)
from checker.service.round import Summary, run_round
from checker.service.turn import MailboxSettings
from checker.service.workshop import Rules, RulesHolder, Workshop, no_checkpoint
from checker.settings import MaildirMailbox, Settings, build

ROOT = Path(__file__).resolve().parents[1]
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
US = "support@hoster.example"
KEY = b"k" * 32


@dataclass(slots=True)
class StillClock:
    """A clock that goes only when told to."""

    time: datetime = MONDAY

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def forward(self, **how_far: float) -> None:
        self.time += timedelta(**how_far)


@cache
def words() -> MailWords:
    packs = {p.parent.name: tomllib.loads(p.read_text("utf-8")) for p in (ROOT / "rules/lang").glob("*/mail.toml")}
    return mail_words(packs)


@cache
def procedure() -> Procedure:
    """The shipped requirements."""
    return build_procedure(tomllib.loads((ROOT / "rules/procedure.toml").read_text("utf-8")))


@cache
def reply_files() -> ReplyFiles:
    return read_replies(ROOT / "replies")


@cache
def written() -> tuple[jinja2.Environment, texts.Texts]:
    """The shipped templates and texts, compiled once."""
    files = reply_files()
    return environment.environment(files.templates), texts.build(files.texts)


_LABELS = {
    ("request", "yes"): Label.REQUEST_INTERVENTION,
    ("power", "yes"): Label.POWER_GRANTED,
    ("power", "no"): Label.POWER_DENIED,
    ("backup", "yes"): Label.BACKUP_CONFIRMED,
    ("backup", "no"): Label.BACKUP_ABSENT,
}
_MET = {
    "power_authorization": {Label.POWER_GRANTED, Label.POWER_DENIED},
    "backup": {Label.BACKUP_CONFIRMED},
}


@dataclass(frozen=True, slots=True)
class PlainEngine:
    """Reads ``request: yes``, ``server: 48213``, ``power: yes``, ``root: secret``, ``window: ISO time`` in own words.

    The same Protocol as the real one, without its rules: what the service does must not depend on them.
    """

    version: str = "plain-1"

    @property
    def mail(self) -> MailWords:
        return words()

    @property
    def procedure(self) -> Procedure:
        return procedure()

    def read(self, message: Message, earlier: Sequence[Findings] = ()) -> Findings:
        if "crash-the-reader" in message.text:
            raise RuntimeError(f"a word of the mail: {message.text}")
        if message.from_us:
            return Findings(message.n, "en", True, None, message.date, (Question(None, ("backup",), "?"),))
        identifiers: list[Identifier] = []
        credentials: list[Credential] = []
        statements: list[Statement] = []
        windows: list[TimeWindow] = []
        for zone in message.own():
            place = zone.start
            for line in message.text[zone.start : zone.end].splitlines(keepends=True):
                key, _, value = line.strip().partition(": ")
                at = place + line.find(value) if value else place
                span = Span(message.n, at, at + len(value), value)
                if key == "server":
                    identifiers.append(Identifier(IdentifierKind.SERVICE_ID, value, Role.SERVER, span, "plain"))
                elif key == "root":
                    credentials.append(Credential(Access.OS, "root", Secret(value), span, "plain"))
                elif key == "window":
                    windows.append(TimeWindow(value, datetime.fromisoformat(value), None, span))
                elif (key, value) in _LABELS:
                    statements.append(Statement(_LABELS[key, value], Status.ASSERTED, span, "plain"))
                place += len(line)
        return Findings(
            message.n,
            "en",
            date=message.date,
            identifiers=tuple(identifiers),
            credentials=tuple(credentials),
            statements=tuple(statements),
            windows=tuple(windows),
        )

    def judge(self, thread: Sequence[Findings]) -> Verdict:
        said = {s.label for f in thread for s in f.statements}
        servers = tuple(dict.fromkeys(i.value for f in thread for i in f.identifiers))
        if Label.REQUEST_INTERVENTION not in said:
            return Verdict("en")
        missing = ([] if servers else ["server_id"]) + [r for r, meets in _MET.items() if not meets & said]
        return Verdict(
            "en",
            ("intervention",),
            servers,
            credentials=tuple(c for f in thread for c in f.credentials),
            power="granted" if Label.POWER_GRANTED in said else None,
            backup="confirmed" if Label.BACKUP_CONFIRMED in said else None,
            windows=tuple(w for f in thread for w in f.windows),
            missing=tuple(missing),
            status=TicketStatus.INCOMPLETE if missing else TicketStatus.COMPLETE,
        )


@dataclass(slots=True)
class StillRules(RulesHolder):
    """Rules that are not read from files."""

    def refresh(self) -> bool:
        return False


@dataclass(slots=True)
class Desk:
    """A whole service on a folder: drop mails in, run rounds, look at what came of it."""

    folder: Path
    clock: StillClock = field(default_factory=StillClock)
    settings: Settings = field(default_factory=Settings)
    shop: Workshop = field(init=False)
    dropped: int = 0
    outgoing: Outgoing | None = None

    def __post_init__(self) -> None:
        self.shop = self.workshop()

    def workshop(self, checkpoint: Callable[[str], None] = no_checkpoint) -> Workshop:
        rules = Rules(PlainEngine(), *written(), "plain")
        return Workshop(
            settings=self.settings,
            store=self.store(),
            clock=self.clock,
            rules=StillRules(self.settings, rules),
            outgoing=self.outgoing or MaildirOutbox(self.folder / "out"),
            key=KEY,
            checkpoint=checkpoint,
        )

    def store(self) -> Store:
        store = open_store(self.settings.database_url)
        if store.dialect != "sqlite":
            return store
        # What a killed process leaves behind does not depend on fsync, only what a power cut does: save the time.
        event.listen(store._engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        store.close()
        return store

    def open(self, settings: MailboxSettings) -> Mailbox:
        assert isinstance(settings, MaildirMailbox)
        return Maildir(settings)

    def round(self, shop: Workshop | None = None) -> Summary:
        return run_round(shop or self.shop, self.open)

    def drop(self, raw: bytes, folder: str = "") -> str:
        """Deliver a mail into the Maildir. Returns its file name."""
        self.dropped += 1
        root = self.folder / "mail" / folder
        for part in ("tmp", "new", "cur"):
            (root / part).mkdir(parents=True, exist_ok=True)
        name = f"{int(self.clock.time.timestamp())}.{self.dropped:05d}.host"
        path = root / "new" / name
        path.write_bytes(raw)
        stamp = self.clock.time.timestamp()
        os.utime(path, (stamp, stamp))
        return name

    def sent(self) -> list[bytes]:
        """The mails that went out."""
        return [p.read_bytes() for p in sorted((self.folder / "out" / "new").glob("*"))]


def desk(folder: Path, **sections: dict[str, object]) -> Desk:
    """A desk with settings; sections as in the configuration file."""
    document: dict[str, object] = {
        "mailboxes": [{"name": "support", "kind": "maildir", "path": "mail"}],
        "outgoing": {"kind": "maildir", "path": "out"},
        "digest": {"days": []},
        "hoster": {"addresses": [US]},
    }
    for name, values in sections.items():
        known = document.get(name)
        merge = isinstance(known, dict) and "kind" not in values
        document[name] = {**known, **values} if merge and isinstance(known, dict) else values
    return Desk(folder, settings=build(document, file="test", base=folder))


def mail(
    body: str,
    *,
    sender: str = "Ada <ada@kunde.example>",
    to: str = US,
    subject: str = "server down",
    message_id: str | None = None,
    parent: str | None = None,
    date: datetime = MONDAY,
    **headers: str,
) -> bytes:
    """A plain mail; without a Message-ID it gets one from its words."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(date)
    digest = hashlib.sha256(f"{sender}{subject}{body}{parent}".encode()).hexdigest()[:16]
    message["Message-ID"] = message_id or f"<{digest}@kunde.example>"
    if parent is not None:
        message["In-Reply-To"] = parent
        message["References"] = parent
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


COMPLETE = "request: yes\nserver: 48213\npower: yes\nbackup: yes\n"
WANTING = "request: yes\nserver: 48213\npower: yes\n"


def killed_at(step: int, made: Desk) -> bool:
    """Run a round in a child that kills itself at its ``step``-th checkpoint. Says whether it got there."""
    made.shop.store.close()  # a connection must not be shared with the child
    child = os.fork()
    if child == 0:  # pragma: no cover - the child never comes back
        hits = 0

        def die(_where: str) -> None:
            nonlocal hits
            hits += 1
            if hits == step:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            made.round(made.workshop(die))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def killed_steps(folder: Path, make: Callable[[Path], Desk], *, must_reach: str) -> Iterator[Desk]:
    """For every step of a round: a desk whose service was killed there, ready to be started again."""
    names: list[str] = []
    whole = make(folder / "whole")
    whole.round(whole.workshop(names.append))
    assert must_reach in names
    for step in range(1, len(names) + 1):
        made = make(folder / f"step{step}")
        assert killed_at(step, made), f"step {step} ({names[step - 1]}) was not reached"
        made.shop = made.workshop()
        yield made
        made.shop.store.close()
