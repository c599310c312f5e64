"""What the tests of the commands share: a service on a folder with the shipped rules, and calling a command."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
from click.testing import CliRunner, Result
from service_kit import MONDAY, ROOT, mail, written

from checker.cli import wiring
from checker.cli.run import run
from checker.cli.tickets import tickets
from checker.edges.files import read_rules
from checker.edges.store.engine import Store, open_store
from checker.pipeline import Engine, build_engine
from checker.service import workshop
from checker.service.workshop import Rules
from checker.settings import HosterSettings

SECRET = "Zx9-hunter-2!"
# Sentences that the shipped rules read, whatever else they learn.
ASKING = f"Hello,\n\nserver 48213 does not answer, please restart it.\nroot / {SECRET}\n\nAda\n"
NO_REBOOT = "Please do not reboot the server.\n"
BACKUP = "All important data is backed up as of this morning.\n"


@cache
def engine() -> Engine:
    """The shipped rules, compiled once."""
    return build_engine(read_rules(ROOT / "rules"), HosterSettings())


@dataclass(slots=True)
class Office:
    """A service on a folder."""

    config: Path
    dropped: int = 0

    def drop(self, raw: bytes) -> str:
        """Deliver a mail. Returns its file name."""
        root = self.config.parent / "var" / "mail"
        for part in ("tmp", "new", "cur"):
            (root / part).mkdir(parents=True, exist_ok=True)
        self.dropped += 1
        name = f"{self.dropped}.a.h"
        path = root / "new" / name
        path.write_bytes(raw)
        os.utime(path)
        return name

    def write(self, body: str, **more: str) -> str:
        """A mail of Ada's, and the round that reads it."""
        name = self.drop(mail(body, **more))  # type: ignore[arg-type]  # texts only
        self.call(run, "--once")
        return name

    def call(self, command: click.Command, *arguments: str, status: int = 0) -> str:
        """What a command prints on stdout. Its exit status is checked."""
        return self.result(command, *arguments, status=status).stdout

    def result(self, command: click.Command, *arguments: str, status: int = 0) -> Result:
        """Everything that a command did."""
        result = CliRunner().invoke(command, [*arguments, "--config", str(self.config)])
        assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
        return result

    def ticket(self) -> str:
        """The id of the ticket that changed last."""
        return str(self.listed()[0]["ticket"])

    def listed(self, *arguments: str) -> list[dict[str, object]]:
        """The tickets as JSON."""
        lines = self.call(tickets, "--all", "--json", *arguments).splitlines()
        return [json.loads(x) for x in lines]

    def parent(self) -> str:
        """The Message-ID of our last mail, for an answer to it."""
        from email import message_from_bytes

        sent = sorted((self.config.parent / "var" / "outbox" / "new").glob("*"), key=lambda p: p.stat().st_mtime_ns)
        return str(message_from_bytes(sent[-1].read_bytes())["Message-ID"])

    def store(self) -> Store:
        """The database itself."""
        return open_store(f"sqlite:///{self.config.parent / 'var' / 'checker.sqlite3'}")


def office(folder: Path, patch: object) -> Office:
    """A service with the shipped rules; ``patch`` is pytest's monkeypatch."""
    rules = Rules(engine(), *written(), "rules-1")
    set_ = patch.setattr  # type: ignore[attr-defined]  # pytest's
    set_(wiring, "load_rules", lambda _: rules)
    set_(workshop, "load_rules", lambda _: rules)
    set_(workshop.RulesHolder, "refresh", lambda _: False)
    file = folder / "config.toml"
    file.write_text(
        f'[folders]\nrules = "{ROOT / "rules"}"\nreplies = "{ROOT / "replies"}"\n'
        '[digest]\ndays = []\n[logs]\nlevel = "error"\n[replies]\nmax_age_days = 36500\n'
    )
    return Office(file)


__all__ = ["ASKING", "BACKUP", "MONDAY", "NO_REBOOT", "SECRET", "Office", "engine", "office"]
