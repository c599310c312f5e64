"""What the service wants of a mailbox, whatever it is made of.

A mailbox is listed (cheap, in windows), read (bytes by UID) and, if the settings say so, marked. Nothing
here changes a mail unless it is marked: truth about what was done lies in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from checker.edges.records import Entry, Mail, Position


class MailboxError(RuntimeError):
    """The mailbox cannot be used now; the text says what to do."""


class Unreachable(MailboxError):
    """No session: server away, refused, or too many connections. Nothing is wrong with a mail; wait."""


class Refused(Unreachable):
    """The login was refused for good: trying again soon only locks the account."""


class Broken(MailboxError):
    """The session died while a command ran. Perhaps a mail did it: go one by one."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The mail is no longer there."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The mailbox has the mail and does not give it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a folder: how far it is listed, and (asked only when needed) the UIDs of a UIDVALIDITY."""

    position: Position | None
    uids: Callable[[int], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a listing: new entries, and how far the folder is known once they are noted."""

    position: Position
    entries: tuple[Entry, ...]


Read = bytes | Gone | Unreadable


class Mailbox(Protocol):
    """One account. Not shared between threads. Every method raises :class:`MailboxError`."""

    def listing(self, folder: str, known: Known) -> Iterator[Window]:
        """What is new in a folder, in windows of bounded size; the last one states the position reached."""
        ...

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[str]) -> Mapping[str, Read]:
        """The mails' bytes, unchanged and without marking them as seen; every UID asked for is answered."""
        ...

    def mark(self, folder: str, uidvalidity: int, uids: Sequence[str], move_to: str | None) -> None:
        """Flag mails as handled, or move them (the folder is made when missing). Vanished mails are no error."""
        ...

    def reread(self, mail: Mail) -> bytes | None:
        """A mail that was read before, wherever it went since; ``None`` when it cannot be found."""
        ...

    def close(self) -> None:
        """End the session; never raises."""
        ...
