"""Segments to statements: every frame of every pack, then what outweighs what.

A consent must survive everything; a refusal or a weak backup only has to be seen once. So where readings
of the same words disagree, the one that gives less wins (design, "Asymmetry").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..model import Label, Span, Statement, Status
from .context import assertion
from .frames import Found, fit
from .lexicon import Hit
from .packs import IDIOM, Reader
from .segments import Segment

FIELD: Final[Mapping[Label, str]] = {
    label: "request" if label.startswith("request") else label.split("_")[0] for label in Label
}
# Within one segment a label on the left silences those on the right when both rest on shared words
# (or, for backups, anywhere in the segment).
_OUTWEIGHS: Final[Mapping[Label, frozenset[Label]]] = {
    Label.POWER_DENIED: frozenset({Label.POWER_GRANTED}),
    Label.POWER_PARTIAL: frozenset({Label.POWER_GRANTED, Label.POWER_DENIED}),
    Label.POWER_WINDOW: frozenset({Label.POWER_GRANTED}),
    Label.POWER_WINDOW_MISSING: frozenset({Label.POWER_GRANTED, Label.POWER_WINDOW}),
    Label.ERASE_REFUSED: frozenset({Label.ERASE_CONSENT}),
    Label.RISK_REFUSED: frozenset({Label.RISK_ACCEPTED, Label.LOSS_ACCEPTED}),
    Label.DOWNTIME_REFUSED: frozenset({Label.DOWNTIME_OK}),
    Label.DOWNTIME_WINDOW_MISSING: frozenset({Label.DOWNTIME_OK}),
    Label.BACKUP_INADEQUATE: frozenset({Label.BACKUP_CONFIRMED}),
    Label.BACKUP_ABSENT: frozenset({Label.BACKUP_CONFIRMED, Label.BACKUP_INADEQUATE}),
}
_WHOLE_SEGMENT: Final = frozenset(
    {Label.RISK_REFUSED, Label.ERASE_REFUSED, Label.BACKUP_INADEQUATE, Label.BACKUP_ABSENT, Label.POWER_PARTIAL}
)
SHORT_QUESTION: Final = 5  # words
WEAK: Final = 0.5  # the score of a statement that only counts where nothing better was said
_ACTIONS: Final = {
    "reboot": "reboot", "poweroff": "off", "poweron": "on", "powercycle": "cycle",
    "do_reboot": "reboot", "do_poweroff": "off", "do_poweron": "on", "do_powercycle": "cycle",
}  # fmt: skip
_SWAP: Final = frozenset({"hw_work", "do_swap", "swap", "component"})
_DOWNTIME: Final = frozenset(label for label in Label if label.startswith("downtime"))
_WINDOWED: Final = {Label.POWER_GRANTED: Label.POWER_WINDOW, Label.DOWNTIME_OK: Label.DOWNTIME_WINDOW}
_UNSLOTTED: Final = {
    Label.POWER_GRANTED: Label.POWER_WINDOW_MISSING,
    Label.DOWNTIME_OK: Label.DOWNTIME_WINDOW_MISSING,
}


_PLACEHOLDER: Final = re.compile(
    r"_{2,}|(?<!\.)\.{4,}\s*(?:$|[,;\n])|(?<!…)…{2,}\s*(?:$|[,;\n])|\[[ _]*\]"
    r"|\[[^\]\n@]{3,40}\]|\[[^\]\n@/|]{2,80}[/|][^\]\n@]{2,80}\]|<[^>\n@]{2,40}>|\b[xX]{3,}\b|[☐□]"
    r"|\b(?:s[iì]|yes|ja|oui|s[ií]|tak|da)\s?/\s?(?:no|nein|non|nie|ne)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Given:
    """What other extractors know about a segment: concepts over word ranges, and concepts without words."""

    hits: tuple[Hit, ...] = ()
    topics: frozenset[str] = frozenset()  # of the question that the segment answers, or of its list head


@dataclass(frozen=True, slots=True)
class Read:
    """What one segment says, and which topics it touched."""

    statements: tuple[Statement, ...]
    topics: frozenset[str]
    business: bool = False  # an invoice, an order, a domain, thanks: not the kind of thing we answer
    all_of_it: bool = False  # "yes to all"
    asks: frozenset[str] = frozenset()  # "Backup? Of this morning.": what a short question gives to what follows
    retracts: bool = False  # "just kidding", "on second thoughts, no": takes back the sentence before
    carries: frozenset[str] = frozenset()  # what the sentence after may be about without saying it


TOPICS: Final[Mapping[str, frozenset[str]]] = {
    "power": frozenset(
        {"reboot", "poweroff", "poweron", "powercycle", "power_general", "do_reboot", "do_poweroff", "do_poweron",
         "do_powercycle", "do_power_general"}
    ),
    "backup": frozenset({"backup", "backed_up"}),
    "erase": frozenset({"erase", "do_erase", "erase_total"}),
    "loss": frozenset({"loss"}),
    "risk": frozenset({"risk"}),
    "downtime": frozenset({"downtime", "maintenance", "stay_up"}),
}  # fmt: skip
_PART: Final = "component"  # carried like a topic ("A disk has died. Please swap it."), but no topic of ours


def read_segment(
    reader: Reader,
    segment: Segment,
    message: int,
    part: str,
    language: str,
    given: Given = Given(),
    carried: frozenset[str] = frozenset(),
    answers: str | None = None,
    only: Collection[str] = (),
) -> Read:
    """Everything that ``segment`` states, in whatever language it is written.

    ``language`` is the message's; of the packs in ``only`` another reads along where it knows more of the words.
    ``carried`` are the topics of the sentence before, for frames that allow it.
    """
    hits = reader.lexicons.hits(segment, only or {language})
    statements: list[Statement] = []
    touched: set[str] = set()
    concepts: set[str] = set()
    for number in _languages(reader, hits, language):
        by_concept: dict[str, list[Hit]] = {}
        for hit in (*hits[number], *given.hits):
            by_concept.setdefault(hit.concept, []).append(hit)
        _forbidden(by_concept)
        concepts |= by_concept.keys()
        here = _with_breaks(segment, by_concept)
        touched.update(t for t, concepts in TOPICS.items() if any(c in by_concept for c in concepts))
        named = {t for t, members in TOPICS.items() if members & by_concept.keys()}
        follows = carried & {_PART} if named - carried else carried
        found = _fit_all(reader, number, here, by_concept, given.topics, follows)
        for entry in found:
            statements.append(_statement(entry, here, by_concept, message, part, reader.languages[number], answers))
    asks: frozenset[str] = frozenset()
    if segment.question and len(segment.words) <= SHORT_QUESTION and len(touched) == 1:
        asks = frozenset(concepts & TOPICS[next(iter(touched))])
    settled = tuple(_worded(s, segment) for s in _settle(statements))
    if concepts & _SWAP and any(s.label in _DOWNTIME and s.status is Status.ASSERTED for s in settled):
        # a part's exchange: going offline is its impact, not leave for the power button (procedure, settled cases)
        settled = tuple(s for s in settled if FIELD[s.label] != "power" or not _beside_downtime(s, settled))
    if _PLACEHOLDER.search(segment.text):  # a form that nobody filled in says nothing
        settled = tuple(replace(s, status=Status.TEMPLATE) if s.status is Status.ASSERTED else s for s in settled)
    return Read(
        settled,
        frozenset(touched),
        bool(concepts & {"business", "thanks"}),
        "all_of_it" in concepts,
        asks,
        "cue.retract" in concepts,
        frozenset(touched) | concepts & {_PART},
    )


def _forbidden(by_concept: dict[str, list[Hit]]) -> None:
    """Take out what looks like leave and is the beginning of its refusal: "[you may] not" is "you [may not]"."""
    refusals = [h for concept in ("forbid", "refuse") for h in by_concept.get(concept, ())]
    for concept in ("permit", "fine", "affirm"):
        hits = by_concept.get(concept)
        if not hits or not refusals:
            continue
        left = [h for h in hits if not any(h.start < r.start < h.end < r.end for r in refusals)]
        if left:
            by_concept[concept] = left
        else:
            del by_concept[concept]


def _beside_downtime(statement: Statement, settled: Sequence[Statement]) -> bool:
    return any(s.label in _DOWNTIME and _overlap(s.span, statement.span) for s in settled)


def _worded(statement: Statement, segment: Segment) -> Statement:
    """``statement`` with the words of its span (a merged one has none yet)."""
    span = statement.span
    if span.text:
        return statement
    return replace(
        statement, span=replace(span, text=segment.text[span.start - segment.start : span.end - segment.start])
    )


def _languages(reader: Reader, hits: Sequence[Sequence[Hit]], language: str) -> list[int]:
    """The packs that read this segment: the message's own, and any that understands as much of it."""
    scores = []
    for row in hits:
        covered = {i for h in row for i in range(h.start, h.end)}
        scores.append(len(covered))
    own = reader.languages.index(language) if language in reader.languages else -1
    floor = max(2, scores[own] + 1 if own >= 0 else 0)
    chosen = [own] if own >= 0 and hits[own] else []
    best = max(scores, default=0)
    chosen += [i for i, s in enumerate(scores) if i != own and s >= floor and s == best]
    return chosen


def _with_breaks(segment: Segment, by_concept: Mapping[str, Sequence[Hit]]) -> Segment:
    """The segment with a new clause and group at every "but" word of the pack."""
    breaks = sorted({h.start for h in by_concept.get("clause.break", ())} - {0})
    if not breaks:
        return segment
    clauses, groups, extra = [], [], 0
    for i, (clause, group) in enumerate(zip(segment.clauses, segment.groups, strict=True)):
        if i in breaks:
            extra += 1
        clauses.append(clause + 1000 * extra)
        groups.append(group + 1000 * extra)
    return replace(segment, clauses=tuple(clauses), groups=tuple(groups))


def _fit_all(
    reader: Reader,
    number: int,
    segment: Segment,
    by_concept: Mapping[str, Sequence[Hit]],
    topics: frozenset[str],
    carried: frozenset[str],
) -> list[Found]:
    bits = reader.bits
    present = sum(bits.get(c, 0) for c in by_concept.keys() | topics)
    with_carried = present
    for concept in carried:
        with_carried |= bits.get(concept, 0)
    whole = (0,) * len(segment.words)
    found: list[Found] = []
    for frame, masks in zip(reader.frames[number], reader.masks[number], strict=True):
        available = with_carried if frame.carry else present
        for mask in masks:
            if not mask & available:
                break
        else:
            regions = (
                segment.clauses if frame.scope == "clause" else segment.groups if frame.scope == "group" else whole
            )
            supplied = topics | carried if frame.carry else topics
            if frame.negating:  # "I do not know" under the question for power forbids nothing
                supplied = frozenset()
            found += fit(frame, by_concept, regions, supplied)
    strong = {FIELD[f.frame.label] for f in found if not f.frame.weak}
    return [
        f
        for f in found
        if not f.frame.weak or FIELD[f.frame.label] not in strong or f.frame.label is Label.REQUEST_INSIDE_OS
    ]


def _statement(
    found: Found,
    segment: Segment,
    by_concept: Mapping[str, Sequence[Hit]],
    message: int,
    part: str,
    language: str,
    answers: str | None,
) -> Statement:
    label, status, cues = assertion(found, segment, by_concept)
    if status is Status.ASSERTED:
        label = _timed(label, found, segment, by_concept)
    start, end = segment.spans[found.start][0], segment.spans[found.end - 1][1]
    span = Span(message, start, end, segment.text[start - segment.start : end - segment.start], part)
    phrase = next((h.phrase for h in found.hits if h.concept.startswith(IDIOM)), "")
    rule = f"{language}/{found.frame.id}" + (f":{phrase}" if phrase else "")
    actions = frozenset(_ACTIONS[h.concept] for h in found.hits if h.concept in _ACTIONS)
    return Statement(label, status, span, rule, cues, actions, answers, score=WEAK if found.frame.weak else 1.0)


def _timed(label: Label, found: Found, segment: Segment, by_concept: Mapping[str, Sequence[Hit]]) -> Label:
    """A permission with a time beside it is a window; with an unnamed one it waits for it."""
    group = segment.groups[found.start]
    window = label in _WINDOWED and _window_beside(found, segment, by_concept)
    slot = any(segment.groups[h.start] == group for h in by_concept.get("unknown_slot", ()))
    if label in _UNSLOTTED and slot and not window:
        return _UNSLOTTED[label]
    if window:
        return _WINDOWED[label]
    if label is Label.POWER_GRANTED:
        first = min((h.start for h in found.hits if h.concept in _ACTIONS), default=-1)
        if any(0 <= first - h.end <= 2 for h in by_concept.get("only", ())):
            return Label.POWER_PARTIAL
    return label


_OF_ITS_OWN: Final = ("backup", "backed_up", "made", "fault")  # what a time beside it belongs to


def _window_beside(found: Found, segment: Segment, by_concept: Mapping[str, Sequence[Hit]]) -> bool:
    """Whether a named time belongs to what was found: in its clause or the next, and to no backup or fault.

    Where the permission says "only", the time may stand anywhere in its group.
    """
    group = segment.groups[found.start]
    mine = {segment.clauses[h.start] for h in found.hits}
    only = any(segment.groups[h.start] == group for h in by_concept.get("only", ()))
    others = {
        segment.clauses[h.start] for concept in _OF_ITS_OWN for h in by_concept.get(concept, ()) if h not in found.hits
    } - mine
    timed = {segment.clauses[h.start] for h in by_concept.get("window", ())}
    for hit in by_concept.get("window", ()):
        clause = segment.clauses[hit.start]
        if segment.groups[hit.start] != group or clause in others:
            continue
        # "Wednesday night, from 9 to 11, you may switch it off": times may follow each other
        if only or any(abs(clause - m) <= 1 or (abs(clause - m) == 2 and (clause + m) // 2 in timed) for m in mine):
            return True
    return False


def _settle(statements: Sequence[Statement]) -> list[Statement]:
    """One statement per label and place; a lesser reading silences a greater one on the same words."""
    asserted = [s for s in statements if s.status is Status.ASSERTED]
    kept: list[Statement] = []
    for statement in statements:
        if statement.status is Status.ASSERTED and _outweighed(statement, asserted):
            continue
        if statement.status is Status.NEGATED and any(
            o.label == statement.label and _overlap(o.span, statement.span) for o in asserted
        ):
            continue
        same = next((k for k in kept if _same(k, statement)), None)
        if same is None:
            kept.append(statement)
        else:
            better = statement if statement.score > same.score else same
            kept[kept.index(same)] = replace(better, actions=same.actions | statement.actions)
    return _partial(kept)


def _outweighed(statement: Statement, asserted: Sequence[Statement]) -> bool:
    return any(
        statement.label in _OUTWEIGHS.get(other.label, ())
        and (other.label in _WHOLE_SEGMENT or _overlap(statement.span, other.span))
        for other in asserted
    )


def _same(a: Statement, b: Statement) -> bool:
    return a.label == b.label and a.status == b.status and _overlap(a.span, b.span)


def _partial(statements: list[Statement]) -> list[Statement]:
    """ "Reboot yes, power-off no": a grant and a denial of other actions in one breath are one partial grant."""
    granted = [s for s in statements if s.label is Label.POWER_GRANTED and s.status is Status.ASSERTED]
    denied = [s for s in statements if s.label is Label.POWER_DENIED and s.status is Status.ASSERTED]
    if not granted or not denied:
        return statements
    yes = frozenset().union(*(s.actions for s in granted))
    no = frozenset().union(*(s.actions for s in denied))
    if yes == no or not (yes or no):
        return statements
    low, high = (
        min((granted[0], denied[0]), key=lambda s: s.span.start),
        max((granted[-1], denied[-1]), key=lambda s: s.span.end),
    )
    span = replace(low.span, end=high.span.end, text="")
    merged = replace(
        granted[0], label=Label.POWER_PARTIAL, span=span, rule=f"{granted[0].rule}+{denied[0].rule}", actions=yes
    )
    return [s for s in statements if s not in granted and s not in denied] + [merged]


def _overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


__all__ = ["FIELD", "TOPICS", "Given", "Read", "read_segment"]
