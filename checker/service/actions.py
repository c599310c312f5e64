"""What can be done about a mail: frozen words that deciding says and applying carries out."""

from __future__ import annotations

from dataclasses import dataclass

from checker.edges.records import Kind, Mail, Posted, State, Ticket


@dataclass(frozen=True, slots=True)
class Rebind:
    """A row known before gets the mail's new place; nothing else happens."""

    old: Mail


@dataclass(frozen=True, slots=True)
class Settle:
    """The mail is dealt with and belongs to no ticket."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class File:
    """The mail becomes the ``n``-th message of a ticket; ``before`` is ``None`` for a new one."""

    before: Ticket | None
    after: Ticket
    n: int
    state: State


@dataclass(frozen=True, slots=True)
class Post:
    """Write to the customer. ``round`` counts requests from 1."""

    kind: Kind
    to: str
    round: int = 1


@dataclass(frozen=True, slots=True)
class Suppress:
    """A reply that might have been expected is not written."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Bounced:
    """A mail of ours came back; ``stop`` is the address that gets no more."""

    posted: Posted
    stop: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Note:
    """Into the history of a ticket."""

    ticket: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The breaker opened: tell the staff, once an hour."""

    detail: str


Action = Rebind | Settle | File | Post | Suppress | Bounced | Note | Alarm
