"""The record of consent: what was consented, by whom, when, in which words, and proof that it was not changed. Pure.

Every mail that is filed is noted with its Message-ID, the SHA-256 of its bytes, who sent it, whether the sender
was verified, the rule set that read it, and the verdict over the thread with the words behind each value. These
notes are events, so the ticket's chain of hashes covers them; the record is made from the events alone, and
verifying (:mod:`checker.service.verifying`) makes it again. A seal (HMAC-SHA256 with the service's key) covers
the whole record: a chain that was computed anew after a change does not have it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from checker.comply.procedure import FIELDS
from checker.edges.findings_json import masked
from checker.edges.records import Event
from checker.edges.store.chain import Link, canonical, covered
from checker.model import Verdict
from checker.service.audit import overrides

FORMAT: Final = "record-of-consent-1"
MAIL: Final = "mail"
JUDGED: Final = "judged"  # again, after a person corrected something or the rules changed
SEAL: Final = "seal"
_ENDS: Final = re.compile(r"[.!?…](?=\s)|\n[ \t]*\n")
_AROUND: Final = 300

Json = dict[str, object]


class EvidenceError(ValueError):
    """A file that is no record of consent; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A mail as the chain notes it. ``authentication`` as in :class:`checker.service.situation.Standing`."""

    n: int
    sha256: str
    message_id: str | None
    sender: str
    received_at: datetime
    ours: bool = False
    authentication: str = "unchecked"


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that are evidence, at ``start``, ``end`` of a message, secrets masked; or the sentence around them.

    The sentence is read from the mail when the record is made, since the store keeps the words alone; what it is
    worth follows from the SHA-256 of the mail.
    """

    message: int
    part: str
    start: int
    end: int
    text: str


def sentence(text: str, start: int, end: int) -> str:
    """The sentence of ``text`` around a stretch, in one line and at most 300 characters to either side."""
    first = max(
        (m.end() for m in _ENDS.finditer(text, max(0, start - _AROUND), start)), default=max(0, start - _AROUND)
    )
    after = _ENDS.search(text, end, end + _AROUND)
    return " ".join(text[first : after.end() if after else end + _AROUND].split())


def mail_event(
    at: datetime, ticket: str, mail: Received, rules: str, verdict: Verdict | None, secrets: Iterable[str] = ()
) -> Event:
    """The note of a filed mail, with the verdict over the thread up to it (``None`` for a mail of ours)."""
    noted: Json = {
        "n": mail.n,
        "sha256": mail.sha256,
        "message_id": mail.message_id,
        "sender": mail.sender,
        "received_at": mail.received_at.isoformat(),
        "ours": mail.ours,
        "authentication": mail.authentication,
        "rules": rules,
    }
    if verdict is not None:
        noted["judgement"] = judgement(verdict, secrets)
    return Event(at, ticket, MAIL, canonical(noted).decode())


def judged_event(
    at: datetime, ticket: str, why: str, rules: str, verdict: Verdict, secrets: Iterable[str] = ()
) -> Event:
    """The note that a thread was judged again, and why."""
    noted = {"why": why, "rules": rules, "judgement": judgement(verdict, secrets)}
    return Event(at, ticket, JUDGED, canonical(noted).decode())


def judgement(verdict: Verdict, secrets: Iterable[str] = ()) -> Json:
    """Values, what is missing, and the words behind them, with every known secret masked."""
    hidden = tuple(secrets)
    system = verdict.os
    return {
        "status": verdict.status.value,
        "missing": list(verdict.missing),
        "review": list(verdict.review),
        "values": {
            "request_kinds": list(verdict.request_kinds),
            "service_ids": list(verdict.service_ids),
            "ip_addresses": list(verdict.ip_addresses),
            "hostnames": list(verdict.hostnames),
            "os": [x for x in (system.distribution, system.version, system.edition) if x] if system else [],
            "components": [c.kind for c in verdict.components],
            **{field: getattr(verdict, field) for field in FIELDS},
        },
        "words": [
            {
                "field": e.field, "value": e.value, "message": e.message, "part": e.part, "start": e.start,
                "end": e.end, "text": masked(e.text, hidden), "rule": e.rule,
            }
            for e in verdict.evidence
            if e.field != "credentials"
        ],
    }  # fmt: skip


# --- the record ------------------------------------------------------------------------------------


def record(
    ticket: str,
    links: Sequence[Link],
    hoster: str,
    made_at: datetime,
    key: bytes | None,
    sentences: Sequence[Passage] = (),
) -> Json:
    """The record of a ticket, sealed when there is a key. All but heading and sentences follows from the events."""
    made: Json = {
        "format": FORMAT,
        "ticket": ticket,
        "hoster": hoster,
        "made_at": made_at.isoformat(),
        "events": [{**covered(x.event), "hash": x.hash} for x in links],
        "head": links[-1].hash if links else "",
        "sentences": [
            {"message": s.message, "part": s.part, "start": s.start, "end": s.end, "text": s.text} for s in sentences
        ],
        **sections([x.event for x in links]),
    }
    if key is not None:
        made[SEAL] = seal(made, key)
    return made


def seal(made: Mapping[str, object], key: bytes) -> str:
    """HMAC-SHA256 over the canonical JSON of everything but the seal."""
    rest = {k: v for k, v in made.items() if k != SEAL}
    return hmac.new(key, b"record of consent\0" + canonical(rest), hashlib.sha256).hexdigest()


def sections(events: Sequence[Event]) -> Json:
    """What a reader looks at: consents, corrections, mails; from the events alone."""
    mails = {_int(m, "n"): m for m in (_noted(e) for e in events if e.kind == MAIL)}
    return {
        "consents": list(_consents(events, mails)),
        "corrections": [
            {
                "field": o.field, "value": o.value, "by": o.by, "because": o.because, "at": o.at.isoformat(),
                "words": o.words,
            }
            for o in overrides(events)
        ],
        "mails": [{k: v for k, v in mails[n].items() if k != "judgement"} for n in sorted(mails)],
    }  # fmt: skip


def _consents(events: Sequence[Event], mails: Mapping[int, Json]) -> Iterator[Json]:
    """Each field that has a value now: by the customer's words, or by a person of the staff."""
    judgements = [j for e in events if (j := _judgement(e)) is not None]
    if not judgements:
        return
    last = judgements[-1]
    values, words = last.get("values"), last.get("words")
    if not isinstance(values, Mapping) or not isinstance(words, list):
        raise EvidenceError("an event holds a verdict that cannot be read")
    by_staff = {o.field for o in overrides(events)}
    for field in FIELDS:
        if values.get(field) is None:
            continue
        said = _about(words, field)
        if not said and field in by_staff:  # what the mails said before a person decided otherwise
            said = next((w for j in reversed(judgements) if (w := _about(_list(j, "words"), field))), [])
        yield {
            "field": field,
            "value": values[field],
            "given_by": "staff" if field in by_staff else "customer",
            "words": [{**w, **_source(mails.get(_int(w, "message")))} for w in said],
        }


def _about(words: Sequence[object], field: str) -> list[Json]:
    return [w for w in words if isinstance(w, dict) and w.get("field") == field]


def words_of(events: Sequence[Event]) -> tuple[Passage, ...]:
    """The words behind every consent that stands, as they are noted."""
    mails = {_int(m, "n"): m for m in (_noted(e) for e in events if e.kind == MAIL)}
    found = [w for consent in _consents(events, mails) for w in _list(consent, "words")]
    places = ((_int(w, "message"), str(w["part"]), _int(w, "start"), _int(w, "end"), str(w["text"])) for w in found)
    return tuple(dict.fromkeys(Passage(*place) for place in places))


def _list(noted: Mapping[str, object], name: str) -> list[Json]:
    value = noted.get(name)
    return [x for x in value if isinstance(x, dict)] if isinstance(value, list) else []


def _source(mail: Json | None) -> Json:
    """Who wrote a mail, when, how sure that is, and which mail it is."""
    if mail is None:  # filed before its tickets had a chain
        return {"mail": None}
    wanted = ("message_id", "sha256", "sender", "authentication", "received_at", "rules")
    return {"mail": {name: mail.get(name) for name in wanted}}


def _judgement(event: Event) -> Json | None:
    if event.kind not in (MAIL, JUDGED):
        return None
    found = _noted(event).get("judgement")
    return found if isinstance(found, dict) else None


def _noted(event: Event) -> Json:
    try:
        found = json.loads(event.detail)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EvidenceError(f"an event '{event.kind}' holds no note that can be read")
    return found


def _int(noted: Mapping[str, object], name: str) -> int:
    value = noted.get(name)
    if not isinstance(value, int):
        raise EvidenceError(f"an event holds no number '{name}'")
    return value
