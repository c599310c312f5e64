"""One message to its findings' statements: segments, what they answer, what they say, what nobody read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..model import Label, Message, Question, Span, Statement, Status, TimeWindow, Unread, ZoneKind
from .answers import Answered, Dialogue
from .context import REFUSALS
from .lexicon import Hit
from .lexicons import readers
from .packs import Reader
from .reading import Reading, Stretch
from .segments import Segment, segment
from .statements import Given, read_segment

FindWindows = Callable[[int, int, str], tuple[TimeWindow, ...]]

_YES: Final = {
    "power_authorization": Label.POWER_GRANTED,
    "backup": Label.BACKUP_CONFIRMED,
    "data_loss_consent": Label.ERASE_CONSENT,
    "hardware_acknowledgement": Label.RISK_ACCEPTED,
    "loss": Label.LOSS_ACCEPTED,
    "impact": Label.DOWNTIME_OK,
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a message states, the time windows in it, and what looked relevant but was read by no rule."""

    statements: tuple[Statement, ...]
    windows: tuple[TimeWindow, ...]
    unread: tuple[Unread, ...]
    business: bool  # speaks of invoices, orders, domains, or says thanks


def adopts(reader: Reader, message: Message, before: str) -> bool:
    """Whether the sender makes a forwarded mail their own ("I confirm all of the below")."""
    if not any(z.kind is ZoneKind.FORWARDED for z in message.zones):
        return False
    parts = [p for z in message.own() for p in segment(message.text, z.start, z.end, reader.abbreviations)]
    packs = readers(reader.lexicons.function_words(parts), before, reader.languages)
    for part in parts:
        if part.question:
            continue
        for row in reader.lexicons.hits(part, packs):
            concepts = {h.concept for h in row}
            if "adopt" in concepts and not concepts & {"cue.neg", "cue.third", "cue.question"}:
                return True
    return False


def parts_of(reader: Reader, reading: Reading) -> list[tuple[Stretch, list[Segment]]]:
    """The segments of everything in ``reading`` that may state something (logs describe, they state nothing)."""
    return [
        (s, segment(reading.text(s.part), s.start, s.end, reader.abbreviations))
        for s in reading.stretches
        if s.kind is not ZoneKind.LOG
    ]


def read_statements(
    reader: Reader,
    reading: Reading,
    parts: Sequence[tuple[Stretch, Sequence[Segment]]],
    asked: Sequence[Question],
    language: str,
    packs: frozenset[str],
    find_windows: FindWindows,
) -> Said:
    """The statements of one message. ``asked``: the questions of ours that were open before it."""
    message = reading.message
    dialogue = Dialogue(reader, message, asked, packs)
    statements: list[Statement] = []
    windows: list[TimeWindow] = []
    unread: list[Unread] = []
    business = False
    index = 0
    carried: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    paragraph = -1
    said = 0  # where the statements of the segment before begin
    for stretch, segments in parts:
        for part in segments:
            hits, found = _timed(part, find_windows, stretch.part)
            windows += found
            answered = dialogue.of(part, index) if stretch.part == "body" else Answered()
            index += stretch.part == "body"
            answers = answered.requirements[0] if answered.requirements else None
            follows = asks if part.paragraph == paragraph else frozenset()
            given = Given(hits, answered.topics | follows)
            read = read_segment(reader, part, message.n, stretch.part, language, given, carried, answers, packs)
            here = [_placed(s, stretch) for s in read.statements]
            business = business or read.business
            if read.all_of_it and not part.question:
                here += _yes_to_all(dialogue, part, message.n)
            if read.retracts and not part.question and statements[said:]:
                statements[said:] = [taken_back(s) for s in statements[said:]]
            said = len(statements)
            statements += here
            if read.topics and not here:
                text = reading.text(stretch.part)[part.start : part.end]
                unread.append(
                    Unread(Span(message.n, part.start, part.end, text, stretch.part), tuple(sorted(read.topics)))
                )
            asks, paragraph = read.asks, part.paragraph
            carried = read.carries or (carried if len(part.words) < 4 else frozenset())
    return Said(tuple(statements), tuple(windows), tuple(unread), business)


def _timed(part: Segment, find_windows: FindWindows, where: str) -> tuple[tuple[Hit, ...], list[TimeWindow]]:
    """The time windows of a segment, as hits over its words."""
    found = [w for w in find_windows(part.start, part.end, where) if w.has_time]
    return timed_hits(part, found), found


def timed_hits(part: Segment, windows: Sequence[TimeWindow]) -> tuple[Hit, ...]:
    """``windows`` as hits of the concept ``window`` over the words of ``part``, and of ``hours`` if it names some."""
    hits = []
    for window in windows:
        covered = [i for i, (a, b) in enumerate(part.spans) if a < window.span.end and window.span.start < b]
        if covered:
            hits.append(Hit("window", covered[0], covered[-1] + 1, window.text))
            if window.kind != "day":
                hits.append(Hit("hours", covered[0], covered[-1] + 1, window.text))
    return tuple(hits)


def taken_back(statement: Statement) -> Statement:
    """A consent that the next sentence takes back; requests, refusals and what was not said stay as they are."""
    if statement.status is not Status.ASSERTED or statement.label in REFUSALS or statement.label.startswith("request"):
        return statement
    return replace(statement, status=Status.WITHDRAWN)


def _placed(statement: Statement, stretch: Stretch) -> Statement:
    """A statement in its place: a subject line only asks."""
    if stretch.part == "subject" and not statement.label.startswith("request"):
        return replace(statement, status=Status.TEMPLATE)
    return statement


def _yes_to_all(dialogue: Dialogue, part: Segment, message: int) -> list[Statement]:
    span = Span(message, part.start, part.end, part.text)
    found = []
    for question in dialogue.all():
        known = [r for r in question.requirements if r in _YES]
        if len(known) == 1:
            found.append(Statement(_YES[known[0]], Status.ASSERTED, span, "answers/yes-to-all", answers=known[0]))
    return found
