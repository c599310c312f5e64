"""Whether a record of consent is whole, and if not, what was changed. Pure."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from checker.edges.records import Event
from checker.edges.store.chain import Link, canonical, covered, hash_of
from checker.service import evidence
from checker.service.evidence import FORMAT, SEAL, EvidenceError, Json

MAX_BYTES: Final = 50_000_000


def written(made: Json) -> str:
    """The record as its file holds it: for people to read, in the order of the keys."""
    return json.dumps(made, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def read(raw: bytes) -> Json:
    """A record from its file. Raises :class:`EvidenceError`."""
    if len(raw) > MAX_BYTES:
        raise EvidenceError("too large for a record of consent; give the file that 'checker evidence -o' wrote")
    try:
        made = json.loads(raw)
        canonical(made)
    except (ValueError, TypeError, RecursionError):
        raise EvidenceError("no JSON of a record of consent; give the file that 'checker evidence -o' wrote") from None
    if not isinstance(made, dict) or made.get("format") != FORMAT:
        raise EvidenceError(f"no record of consent ({FORMAT}); give the file that 'checker evidence -o' wrote")
    return made


def verify(made: Json, key: bytes | None = None, stored: Sequence[Link] = ()) -> tuple[str, ...]:
    """What is wrong with a record, in sentences; none when it is whole.

    ``key`` checks the seal; ``stored`` are the ticket's events in the database, which may have grown since.
    Raises :class:`EvidenceError` for a record that is not built as one.
    """
    links = _links(made)
    return tuple(_complaints(made, links, key, stored))


def broken(links: Sequence[Link]) -> tuple[int, ...]:
    """The events (from 1) whose hash does not follow from them and from the hash before."""
    previous = ""
    found = []
    for number, link in enumerate(links, start=1):
        if hash_of(covered(link.event), previous) != link.hash:
            found.append(number)
        previous = link.hash
    return tuple(found)


def _complaints(made: Json, links: Sequence[Link], key: bytes | None, stored: Sequence[Link]) -> Iterator[str]:
    for number in broken(links):
        event = links[number - 1].event
        yield (
            f"event {number} ({event.kind}, {event.at:%Y-%m-%d %H:%M} UTC) was changed, or an event before it was "
            "removed or put in: its hash does not follow"
        )
    if made.get("head") != (links[-1].hash if links else ""):
        yield "events at the end were removed or added: the head is not the last event's hash"
    try:
        again = evidence.sections([x.event for x in links])
    except (EvidenceError, ValueError, KeyError, TypeError):
        yield "what was consented cannot be made from the events: one of them was changed"
    else:
        for name, value in again.items():
            if canonical(value) != canonical(made.get(name)):
                yield f"the section '{name}' was changed: the events say something else"
    if any(x.event.ticket != made.get("ticket") for x in links):
        yield "events of another ticket stand in it"
    if key is not None and SEAL not in made:
        yield "the seal was removed"
    elif key is not None and not hmac.compare_digest(str(made[SEAL]).encode(), evidence.seal(made, key).encode()):
        yield "the seal does not fit: something was changed, or another installation's key made it"
    for number, (mine, theirs) in enumerate(zip(links, stored, strict=False), start=1):
        if mine.hash != theirs.hash:
            yield f"the database has another event {number}: it or the record was changed"
            break
    if stored and len(stored) < len(links):
        yield f"the database lacks event {len(stored) + 1} and what follows"


def _links(made: Json) -> tuple[Link, ...]:
    events = made.get("events")
    if not isinstance(events, list):
        raise EvidenceError("the record holds no events")
    found = []
    for number, e in enumerate(events, start=1):
        names = ("at", "ticket", "kind", "detail", "hash")
        if not isinstance(e, Mapping) or not all(isinstance(e.get(name), str) for name in names):
            raise EvidenceError(f"event {number} is not built as one")
        try:
            at = datetime.fromisoformat(e["at"])
        except ValueError:
            raise EvidenceError(f"event {number} has no time that can be read") from None
        if at.tzinfo is None:
            raise EvidenceError(f"event {number} has a time without zone")
        found.append(Link(Event(at, e["ticket"], e["kind"], e["detail"]), e["hash"]))
    return tuple(found)
