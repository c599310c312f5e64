"""``checker check --explain``: a ticket with every statement marked, and why each counted or did not.

One page for a browser and for paper: the mail in its own words, the marks over them, the rule and the cues
behind each mark, what was looked at and rejected, and what nobody read. Secrets are masked (asterisks of
the same length, so that nothing moves).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import jinja2

from ..model import Case, Findings, Message, Statement, Status, Verdict, ZoneKind

TEMPLATE = "explain.html"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text with the same marks: CSS classes, and what a pointer resting on it is told."""

    text: str
    classes: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of the table under a message."""

    label: str
    status: str
    counts: bool
    words: str
    rule: str
    cues: str


@dataclass(frozen=True, slots=True)
class Page:
    """One message of the page."""

    n: int
    sender: str
    subject: str
    date: str
    ours: bool
    automatic: str
    pieces: tuple[Piece, ...]
    rows: tuple[Row, ...]
    unread: tuple[str, ...]
    spans: str  # displaCy's drawing of the statements, where they overlap; escaped HTML


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket of the page."""

    name: str
    verdict: Verdict
    values: tuple[tuple[str, str, str], ...]
    pages: tuple[Page, ...]


Draw = Callable[[Message, Findings, str], str]


def compose(cases: Sequence[tuple[str, Case]], hoster: str, env: jinja2.Environment, draw: Draw) -> str:
    """The page for ``cases`` (name and case); ``env`` must escape HTML and know :data:`TEMPLATE`.

    ``draw`` makes HTML of a message's statements as spans, from its text with secrets masked.
    """
    tickets = [_ticket(name, case, draw) for name, case in cases]
    return env.get_template(TEMPLATE).render(tickets=tickets, hoster=hoster)


def _ticket(name: str, case: Case, draw: Draw) -> Ticket:
    verdict = case.verdict
    hidden = [s.reveal() for f in case.findings for s in f.secrets()]
    fields = ("power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact")
    values = []
    for field in fields:
        value = getattr(verdict, field)
        words = _masked("; ".join(f"“{e.text}”" for e in verdict.evidence if e.field == field), hidden)
        if value is not None or words:
            values.append((field, str(value), words))
    pages = tuple(_page(m, f, hidden, draw) for m, f in zip(case.messages, case.findings, strict=True))
    return Ticket(name, verdict, tuple(values), pages)


def _page(message: Message, findings: Findings, hidden: Sequence[str], draw: Draw) -> Page:
    text = _masked(message.text, hidden)
    sender = message.sender.email if message.sender else "unknown sender"
    date = message.date.isoformat(sep=" ", timespec="minutes") if message.date else ""
    return Page(
        n=message.n,
        sender=sender,
        subject=_masked(message.subject, hidden),
        date=date,
        ours=message.from_us,
        automatic=str(message.automatic) if message.automatic else "",
        pieces=tuple(_pieces(message, findings, text)),
        rows=tuple(_row(s, hidden) for s in findings.statements),
        unread=tuple(_masked(u.span.text, hidden) for u in findings.unread),
        spans=draw(message, findings, text) if findings.statements else "",
    )


def _row(statement: Statement, hidden: Sequence[str]) -> Row:
    cues = ", ".join(f"{c.name} “{c.text}”" for c in statement.cues)
    counts = statement.counts
    status = "weak" if statement.status is Status.ASSERTED and not counts else str(statement.status)
    return Row(statement.label, status, counts, _masked(statement.span.text, hidden), statement.rule, cues)


def _pieces(message: Message, findings: Findings, text: str) -> list[Piece]:
    """The text cut at every border of a zone or mark."""
    marks: list[tuple[int, int, str, str]] = [
        (z.start, z.end, f"zone-{z.kind}", "" if z.kind is ZoneKind.OWN else str(z.kind)) for z in message.zones
    ]
    for s in findings.statements:
        if s.span.part == "body":
            kind = "yes" if s.counts else "no"
            topic = s.label.split("_")[0]
            marks.append((s.span.start, s.span.end, f"mark {kind} {topic}", f"{s.label} ({s.status}) by {s.rule}"))
    for i in findings.identifiers:
        if i.span.part == "body":
            marks.append((i.span.start, i.span.end, f"mark name {i.role}", f"{i.kind} as {i.role} by {i.rule}"))
    for c in findings.credentials:
        if c.span.part == "body":
            marks.append((c.span.start, c.span.end, "mark secret", f"{c.access} credential by {c.rule}"))
    for w in findings.windows:
        if w.span.part == "body" and w.has_time:
            marks.append((w.span.start, w.span.end, "mark time", "time window"))
    for u in findings.unread:
        if u.span.part == "body":
            marks.append((u.span.start, u.span.end, "mark unread", "relevant, but read by no rule"))
    borders = sorted({0, len(text)} | {b for m in marks for b in m[:2] if 0 <= b <= len(text)})
    pieces = []
    for start, end in pairwise(borders):
        here = [m for m in marks if m[0] <= start and end <= m[1]]
        classes = " ".join(dict.fromkeys(c for m in here for c in m[2].split()))
        pieces.append(Piece(text[start:end], classes, "; ".join(dict.fromkeys(m[3] for m in here if m[3]))))
    return pieces


def _masked(text: str, hidden: Sequence[str]) -> str:
    for secret in sorted(hidden, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "*" * len(secret))
    return text
