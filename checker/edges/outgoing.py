"""Sending: what the service wants of a relay; and a Maildir in its place."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from checker.edges.records import Outgoing as Letter


class Outcome(StrEnum):
    """How a delivery ended. ``LATER``: nothing was accepted; ``UNKNOWN``: the relay may have it."""

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome with what was said, for the staff."""

    outcome: Outcome
    detail: str = ""


class Outgoing(Protocol):
    """Where our mails go. Never raises for what a relay or a disk can do: that is a :class:`Result`."""

    def send(self, letter: Letter) -> Result:
        """Hand a mail over, once."""
        ...

    def has(self, letter: Letter) -> bool | None:
        """Whether it was handed over already; ``None`` where that cannot be known (SMTP)."""
        ...

    def check(self) -> str:
        """Try the way without sending; returns a sentence. Raises :class:`OutgoingError`."""
        ...

    def close(self) -> None:
        """End the session; never raises."""
        ...


class OutgoingError(RuntimeError):
    """Mail cannot be sent; the text says what to do."""


class MaildirOutbox:
    """Mails as files named by their Message-ID: handing one over twice leaves one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, letter: Letter) -> Result:
        """See the protocol. Durable once it returns: written, synced, renamed, folder synced."""
        try:
            self._make()
            target = self._target(letter)
            temporary = self._path / "tmp" / target.name
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(letter.raw)
                stream.flush()
                os.fsync(stream.fileno())
            if self.has(letter):  # a mail program may have moved it to cur
                temporary.unlink()
            else:
                temporary.rename(target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            return Result(Outcome.LATER, f"{self._path}: {error.strerror}; free disk space or make it writable")
        return Result(Outcome.SENT, str(target))

    def has(self, letter: Letter) -> bool | None:
        """See the protocol."""
        target = self._target(letter)
        return target.exists() or any((self._path / "cur").glob(f"{target.name}*"))

    def check(self) -> str:
        """See the protocol."""
        try:
            self._make()
        except OSError as error:
            raise OutgoingError(f"{self._path}: {error.strerror}; set outgoing.path to a writable folder") from error
        return f"replies go to the Maildir {self._path}"

    def close(self) -> None:
        """See the protocol."""

    def _make(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self._path / part).mkdir(parents=True, exist_ok=True, mode=0o700)

    def _target(self, letter: Letter) -> Path:
        return self._path / "new" / f"{hashlib.sha256(letter.message_id.encode()).hexdigest()[:32]}.checker"
