"""A ticket's events as a chain: the hash of each covers the one before it, so that a later change shows.

Pure. The hash is SHA-256 over the canonical JSON of the event and of the hash before it; the first event's
``previous`` is empty. Whoever can write the database can write a whole new chain: what a chain proves against
them rests on copies that left it in time (a record of consent, a backup).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from checker.edges.records import Event


@dataclass(frozen=True, slots=True)
class Link:
    """An event with the hash that was stored when it was written (64 hex digits)."""

    event: Event
    hash: str


def canonical(value: object) -> bytes:
    """JSON with one way to write it: sorted keys, no blanks, UTF-8, no floats (:class:`TypeError`)."""
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def covered(event: Event) -> dict[str, str]:
    """What an event's hash covers, beside the hash before it."""
    return {
        "at": event.at.astimezone(UTC).isoformat(),
        "ticket": event.ticket,
        "kind": event.kind,
        "detail": event.detail,
    }


def hash_of(covered: Mapping[str, str], previous: str) -> str:
    """The hash of an event after another one."""
    return hashlib.sha256(canonical({**covered, "previous": previous})).hexdigest()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float has more than one way to be written; give an int or a text")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError("the keys of an object are texts")
            _refuse_floats(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse_floats(inner)
