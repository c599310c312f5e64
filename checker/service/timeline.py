"""What happened in a ticket, message by message: said, taken back, contradicted, decided, answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from checker.comply.procedure import FIELDS
from checker.edges.records import Mail, Posted, State, Suppressed
from checker.model import Findings, Role, Statement, Status, Verdict
from checker.service.audit import Override, judged
from checker.service.workshop import Judge

_TAKEN_BACK: Final = frozenset({Status.WITHDRAWN, Status.CONDITION, Status.FUTURE})


@dataclass(frozen=True, slots=True)
class Said:
    """Something in a message: what it is, how it was said, in which words, by which rule."""

    what: str
    status: str
    words: str
    rule: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail of ours, or why there is none: ``kind`` and ``state``, or ``suppressed`` and the reason."""

    kind: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One message. ``changed`` are values that it changed (field, before, after); ``conflict`` is one of them."""

    n: int
    at: datetime
    who: str
    ours: bool
    message_id: str
    sha256: str
    stated: tuple[Said, ...]
    withdrew: tuple[Said, ...]
    rejected: tuple[Said, ...]
    changed: tuple[tuple[str, str, str], ...]
    status: str
    missing: tuple[str, ...]
    review: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def contradicted(self) -> tuple[tuple[str, str, str], ...]:
        """The fields that had a value already and say something else now."""
        return tuple(c for c in self.changed if c[1] != "-")


def timeline(
    engine: Judge,
    thread: Sequence[tuple[Mail, Findings]],
    standing: Sequence[Override],
    posted: Iterable[Posted],
    unwritten: Iterable[Suppressed],
) -> tuple[Step, ...]:
    """The steps of a ticket by today's rules; a correction counts from the message after it was made."""
    letters, silences = tuple(posted), tuple(unwritten)
    before: Verdict | None = None
    steps = []
    for i, (mail, findings) in enumerate(thread, start=1):
        known = tuple(o for o in standing if o.after < i)
        verdict = judged(engine, [f for _, f in thread[:i]], known)
        steps.append(
            Step(
                n=mail.n or i,
                at=mail.received_at,
                who="we" if findings.from_us else mail.sender or "?",
                ours=findings.from_us,
                message_id=mail.message_id or "",
                sha256=mail.sha256 or "",
                stated=tuple(_stated(findings)),
                withdrew=tuple(_said(s) for s in findings.statements if s.status in _TAKEN_BACK),
                rejected=tuple(_said(s) for s in findings.statements if _passed_over(s)),
                changed=tuple(_changes(before, verdict)),
                status=verdict.status.value,
                missing=verdict.missing,
                review=verdict.review,
                answers=tuple(_answers(mail, letters, silences)),
            )
        )
        before = verdict
    return tuple(steps)


def _passed_over(s: Statement) -> bool:
    return s.status is not Status.ASSERTED and s.status not in _TAKEN_BACK


def _stated(f: Findings) -> Iterator[Said]:
    for i in f.identifiers:
        status = "asserted" if i.role in (Role.SERVER, Role.CONSOLE) else i.role.value
        yield Said(f"{i.kind}", status, i.value, i.rule)
    for c in f.credentials:
        yield Said(f"access:{c.access}", "asserted", c.username or "-", c.rule)
    for s in f.statements:
        if s.status is Status.ASSERTED:
            yield _said(s)
    for system in f.systems:
        yield Said("os", "asserted", system.span.text, "systems")
    for part in f.components:
        yield Said(f"component:{part.kind}", "asserted", part.span.text, "components")
    for q in f.questions:
        yield Said("asked", "asserted", ", ".join(q.requirements), "questions")


def _said(s: Statement) -> Said:
    cue = f" ({s.cues[0].text})" if s.cues and s.status is not Status.ASSERTED else ""
    return Said(
        s.label.value,
        f"{s.status}{cue}" if s.counts or s.status is not Status.ASSERTED else "weak",
        s.span.text,
        s.rule,
    )


def _changes(before: Verdict | None, after: Verdict) -> Iterator[tuple[str, str, str]]:
    for field in FIELDS:
        old = getattr(before, field) if before is not None else None
        new = getattr(after, field)
        if old != new:
            yield field, old or "-", new or "-"


def _answers(mail: Mail, letters: Iterable[Posted], silences: Iterable[Suppressed]) -> Iterator[Answer]:
    """What became of answering a mail; for a mail of ours, what became of sending it."""
    for p in letters:
        sent = mail.state is State.OURS and p.mail.key == mail.place.uid
        if sent or (mail.sha256 is not None and p.mail.answers == mail.sha256):
            bounced = "came back" if p.bounced else ""
            yield Answer(p.mail.kind.value, p.state.value, ", ".join(x for x in (p.error, bounced) if x))
    for s in silences:
        if s.mail == mail.id:
            yield Answer("suppressed", s.reason, s.detail)
