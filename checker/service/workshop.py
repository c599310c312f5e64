"""What a round works with: store, clock, settings, rules, keys; made once, handed to every step."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import jinja2
import structlog

from checker.answer import environment, texts
from checker.answer.texts import Texts
from checker.comply.procedure import Procedure
from checker.edges.clock import Clock
from checker.edges.files import read_replies, read_rules, replies_version, rules_version
from checker.edges.outgoing import Outgoing
from checker.edges.second_reader import open_reader
from checker.edges.store.engine import Store
from checker.mail.words import MailWords
from checker.model import Findings, Message, Verdict
from checker.pipeline import build_engine
from checker.service.customers import Customers
from checker.settings import Settings, SettingsError

CHECKPOINTS: Final = (
    "listed",
    "attempt-counted",
    "fetched",
    "examined",
    "before-commit",
    "committed",
    "before-mark",
    "marked-in-mailbox",
    "marked",
    "reminder-posted",
    "digest-posted",
    "notice-posted",
    "delivery-claimed",
    "delivered",
    "delivery-settled",
)


def no_checkpoint(_name: str) -> None:
    """Nothing happens between two steps, unless a test wants something to."""


def never() -> bool:
    """Nobody asked to stop."""
    return False


class Judge(Protocol):
    """What the service wants of the rules: words for parsing, findings of a mail, a verdict over a thread."""

    @property
    def mail(self) -> MailWords:
        """The words that parsing needs."""
        ...

    @property
    def version(self) -> str:
        """The rule files' hash."""
        ...

    @property
    def procedure(self) -> Procedure:
        """The requirements, for a verdict that a person corrected."""
        ...

    def read(self, message: Message, earlier: Sequence[Findings] = ()) -> Findings:
        """See :class:`checker.pipeline.Engine`."""
        ...

    def judge(self, thread: Sequence[Findings]) -> Verdict:
        """See :class:`checker.pipeline.Engine`."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """One set of rules, templates and texts that fit together."""

    engine: Judge
    env: jinja2.Environment
    texts: Texts
    version: str


def load_rules(settings: Settings) -> Rules:
    """Read and compile rules and replies.

    Raises :class:`SettingsError` with the builders' own sentence for anything that cannot be used.
    """
    rule_files, reply_files = read_rules(settings.folders.rules), read_replies(settings.folders.replies)
    try:
        return Rules(
            engine=build_engine(rule_files, settings.hoster, second=open_reader(settings.reader)),
            env=environment.environment(reply_files.templates),
            texts=texts.build(reply_files.texts),
            version=f"{rule_files.version}-{reply_files.version}",
        )
    except ValueError as error:  # every builder's error is one, and names file, key and what to do
        raise SettingsError(str(error)) from error


@dataclass(slots=True)
class RulesHolder:
    """The rules in use: new ones replace them only when they can be used as a whole."""

    settings: Settings
    current: Rules
    refused: str = ""
    refused_version: str = ""  # compiling takes seconds: what cannot be used is not tried again each round

    def refresh(self) -> bool:
        """Look at the files again. ``True`` when newer rules are in use now; ``refused`` says why not."""
        try:
            folders = self.settings.folders
            version = f"{rules_version(folders.rules)}-{replies_version(folders.replies)}"
            if version == self.refused_version:
                return False
            self.refused_version = self.refused = ""
            if version == self.current.version:
                return False
            self.refused_version = version
            self.current = load_rules(self.settings)
        except SettingsError as error:
            self.refused = str(error)
            return False
        self.refused_version = ""
        return True


def owner_name() -> str:
    """A name for this process that no other has, also not after a restart under the same process id."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(slots=True)
class Workshop:
    """See the module. ``checkpoint`` is called between steps with a name of :data:`CHECKPOINTS`."""

    settings: Settings
    store: Store
    clock: Clock
    rules: RulesHolder
    outgoing: Outgoing
    key: bytes
    owner: str = field(default_factory=owner_name)
    checkpoint: Callable[[str], None] = no_checkpoint
    stopping: Callable[[], bool] = never
    beat: Callable[[], None] = lambda: None
    customers: Customers | None = None
    signatures: Callable[[bytes], frozenset[str]] | None = None  # domains whose DKIM signature holds; None: not looked
    log: Any = field(default_factory=structlog.get_logger)

    @property
    def host(self) -> str:
        """The domain of our Message-IDs."""
        return self.settings.sender_address.rpartition("@")[2]
