"""Stored tickets judged again: mails read anew from where they lie, with the rules as they are now.

Nothing is written here; :func:`changes` is pure, and the command writes what it is told to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checker.comply.procedure import FIELDS
from checker.edges.findings_json import dump, load
from checker.edges.records import Mail, Ticket
from checker.edges.store.messages import OURS
from checker.mail.parse import Unparsable, parse
from checker.model import Findings, Verdict
from checker.service.audit import Override, judged
from checker.service.plan import servers, status_of
from checker.service.workshop import Judge

Reread = Callable[[Mail], bytes | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A field that would differ. Values as texts, lists joined by commas, ``-`` for none."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A ticket judged again. ``findings`` are the messages' new findings, as they would be stored (row id, JSON);
    ``gone`` are the numbers of the mails that are no longer in the mailbox: what was found in them then counts.
    """

    ticket: str
    version: int
    changes: tuple[Change, ...]
    gone: tuple[int, ...]
    findings: tuple[tuple[int, str], ...]


def replay(
    engine: Judge,
    ticket: Ticket,
    stored: Sequence[tuple[Mail, str]],
    standing: Sequence[Override],
    reread: Reread,
    own: frozenset[str],
    key: bytes,
) -> Replayed:
    """Read and judge a ticket's mails again. ``reread`` gives a mail's bytes, or ``None`` when it is gone."""
    thread: list[Findings] = []
    gone: list[int] = []
    new: list[tuple[int, str]] = []
    for n, (mail, text) in enumerate(stored, start=1):
        if is_ours(mail):  # what we asked was known when it was written
            thread.append(load(text))
            continue
        raw = reread(mail)
        findings = _read(engine, raw, n, thread, own, ours=load(text).from_us) if raw is not None else None
        if findings is None:
            gone.append(n)
            findings = load(text)
        else:
            again = dump(findings, key)
            if again != text:
                new.append((mail.id, again))
        thread.append(findings)
    verdict = judged(engine, thread, standing)
    old = judged(engine, [load(text) for _, text in stored], standing)
    return Replayed(ticket.id, ticket.version, changes(ticket, old, verdict), tuple(gone), tuple(new))


def changes(ticket: Ticket, old: Verdict, new: Verdict) -> tuple[Change, ...]:
    """What would differ: the ticket's row from the verdict that would be written into it, and the fields' values.

    The values are not in the row: they are compared with those that follow from the findings as stored.
    """
    pairs: list[tuple[str, object, object]] = [
        ("status", ticket.status, status_of(new, ticket.flags)),
        ("request_kinds", ticket.kinds, new.request_kinds),
        ("servers", ticket.servers, servers(new)),
        ("missing", ticket.missing, new.missing),
        ("review", ticket.review, new.review),
    ]
    pairs += [(field, getattr(old, field), getattr(new, field)) for field in FIELDS]
    return tuple(Change(name, _text(a), _text(b)) for name, a, b in pairs if a != b)


def is_ours(mail: Mail) -> bool:
    """Whether it is a mail that this program wrote: those lie in the outbox, not in a mailbox."""
    return mail.place.account == OURS


def _read(
    engine: Judge, raw: bytes, n: int, before: Sequence[Findings], own: frozenset[str], *, ours: bool
) -> Findings | None:
    try:
        message = parse(raw, n, own, engine.mail)
    except Unparsable:  # it was readable once: what was found then counts
        return None
    if ours:
        message = dataclasses.replace(message, from_us=True, automatic=None)
    return engine.read(message, before)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(v) for v in value) or "-"
    return "-" if value is None else str(value)
