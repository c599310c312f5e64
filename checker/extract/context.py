"""Assertion status of a statement, in the way of ConText (Harkema et al. 2009; medspaCy).

A cue is a concept of the lexicon whose name begins with ``cue.``; its kind decides what it does and how
far it reaches:

=================  =====================================================================================
``cue.neg``        negation before what it governs, to the end of its clause
``cue.neg_post``   negation after it ("nicht", "no" in "lo spegnimento no"), back to the start of its clause
``cue.question``   an opener that asks ("darf", "do I need")
``cue.polite``     makes a question a request ("could you please")
``cue.hyp``        hypothetical ("I would agree if you asked")
``cue.future``     will be said or done later
``cue.cond``       a condition on the customer, not yet met ("once I have confirmed")
``cue.await``      the same, and no discretion lifts it ("call me first", "only after my OK")
``cue.discretion`` leaves the decision to the technician ("if necessary"): lifts ``cue.cond`` and ``cue.hyp``
``cue.past``       a report of what was
``cue.uncertain``  "I think", "should be"
``cue.third``      somebody else says or decides
``cue.other``      another machine, another provider, somebody else's system
``cue.template``   placeholder or an alternative left unchosen
``cue.unneeded``   "no need to": neither consent nor refusal
``cue.withdraw``   takes back what was said before
``cue.retract``    takes back the words right before it ("just kidding", "on second thoughts, no")
=================  =====================================================================================

All but the negations and ``cue.retract`` reach over their group (up to ";", a dash or a "but" word). Longer phrases
hide the cues inside them, so "nessun problema" and "se necessario" need no list of pseudo-cues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..model import Cue, Label, Status
from .frames import DROP, KEEP, Found
from .lexicon import Hit
from .segments import Segment

# What a negation may have taken for itself before the next one comes.
_VERBS: Final = frozenset(
    {
        *(
            "reboot",
            "poweroff",
            "poweron",
            "powercycle",
            "power_general",
            "permit",
            "fine",
            "erase",
            "do_erase",
            "keep",
        ),
        *("do_reboot", "do_poweroff", "do_poweron", "do_powercycle", "do_power_general", "have", "accept", "backup"),
    }
)
REFUSALS: Final = frozenset(
    {Label.POWER_DENIED, Label.ERASE_REFUSED, Label.RISK_REFUSED, Label.DOWNTIME_REFUSED, Label.BACKUP_ABSENT}
)
RETRACT: Final = "cue.retract"
NEGATION_REACH: Final = 5  # words between a negation and the first part that it governs
POST_REACH: Final = 4
PARENTHESIS: Final = 2  # clauses from the one that is cut off to the one that takes it up again

# Order is precedence: the first that holds names the reason.
STATUS_CUES: Final[tuple[tuple[str, Status], ...]] = (
    ("template", Status.TEMPLATE),
    ("withdraw", Status.WITHDRAWN),
    ("other", Status.OTHER_SYSTEM),
    ("third", Status.THIRD_PARTY),
    ("await", Status.CONDITION),
    ("cond", Status.CONDITION),
    ("hyp", Status.HYPOTHETICAL),
    ("future", Status.FUTURE),
    ("past", Status.PAST),
    ("uncertain", Status.UNCERTAIN),
    ("unneeded", Status.NEGATED),
)


def assertion(
    found: Found, segment: Segment, by_concept: Mapping[str, Sequence[Hit]]
) -> tuple[Label, Status, tuple[Cue, ...]]:
    """The label after polarity, the status, and the cues that decided both."""
    frame = found.frame
    inside = {id(h) for h in found.hits}
    cues: list[Cue] = []
    label = frame.label
    if frame.negating and _negations(found, segment, by_concept):
        return label, Status.NEGATED, ()  # "it is not true that I do not allow a reboot"
    if frame.negated != KEEP:
        governing = _negations(found, segment, by_concept)
        if governing:
            cues.extend(_cue("neg", h, segment) for h in governing)
            # Two negations may cancel or add up ("ne … pas et ne … pas"): neither is relied on.
            if len(governing) % 2 == 0 or not isinstance(frame.negated, Label):
                return label, Status.NEGATED, tuple(cues)
            label = frame.negated
    group = segment.groups[found.start]

    behind = next((g for g in segment.groups[found.end :] if g != group), group)

    def present(name: str) -> list[Hit]:
        # "… but only once I have said so": a condition reaches back over the "but" before it
        reach = {group, behind} if name in ("cond", "await") else {group}
        return [
            h for h in by_concept.get(f"cue.{name}", ()) if id(h) not in inside and segment.groups[h.start] in reach
        ]

    discretion = present("discretion")
    question = (segment.question and not (segment.tag and label in REFUSALS)) or bool(present("question"))
    if question:
        polite = any(segment.groups[h.start] == group for h in by_concept.get("cue.polite", ()))
        outcome = frame.on.get("question", DROP)
        if outcome == KEEP or (outcome == "polite" and polite):
            pass
        elif outcome in (DROP, "polite"):
            cues.extend(_cue("question", h, segment) for h in present("question"))
            return label, Status.QUESTION, tuple(cues)
    if segment.quoted[found.start] and segment.quoted[found.end - 1] and not all(segment.quoted):
        return label, Status.TEMPLATE, tuple(cues)
    if label not in REFUSALS:
        later = [h for h in by_concept.get(RETRACT, ()) if h.start >= found.end]
        if later:
            return label, Status.WITHDRAWN, (*cues, _cue("retract", later[0], segment))
    clauses = {segment.clauses[h.start] for h in found.hits}
    for name, status in STATUS_CUES:
        hits = present(name)
        if name == "withdraw" and label in REFUSALS:
            continue  # "do not wipe it, I take back what I said": the refusal is what is said now
        if name == "past" or (name == "cond" and label.startswith("backup")):
            # a report reaches no further than its own clause, a condition on something else no fact
            hits = [h for h in hits if segment.clauses[h.start] in clauses]
        if not hits or (discretion and name in ("cond", "hyp")):
            continue
        outcome = frame.on.get(name, DROP)
        if outcome == KEEP:
            continue
        cues.append(_cue(name, hits[0], segment))
        if outcome == DROP:
            return label, status, tuple(cues)
        label = Label(outcome)
    return label, Status.ASSERTED, tuple(cues)


def _negations(found: Found, segment: Segment, by_concept: Mapping[str, Sequence[Hit]]) -> list[Hit]:
    """The negations that govern what was found: one word counts once, and the frame's own parts not at all.

    A word may be both ``neg`` and ``neg_post`` ("nicht" stands on either side of what it negates).
    """
    clauses = {segment.clauses[h.start] for h in found.hits}
    last = max(h.start for h in found.hits)
    result: dict[tuple[int, int], Hit] = {}
    nearest = min((h.start for h in found.hits if h.concept == "cue.neg"), default=-1)
    for hit in sorted(by_concept.get("cue.neg", ()), key=lambda h: -h.start):
        near = found.start - NEGATION_REACH <= hit.end <= found.end and hit.start < max(last, found.hits[0].end)
        reaches = segment.clauses[hit.start] in clauses or _cut_off(hit, found, segment)
        if not near or not reaches or _shared(hit, found):
            continue
        if _content_between(by_concept, hit.end, nearest if nearest >= 0 else found.start):
            continue  # "do not switch it off and do not restart it": each negation has a verb of its own
        nearest = hit.start
        result.setdefault((hit.start, hit.end), hit)
    for hit in by_concept.get("cue.neg_post", ()):
        near = found.start < hit.start <= found.end + POST_REACH
        if near and segment.clauses[hit.start] in clauses and not _shared(hit, found):
            result.setdefault((hit.start, hit.end), hit)
    return list(result.values())


def _cut_off(hit: Hit, found: Found, segment: Segment) -> bool:
    """ "You may not, under any circumstances, power it off": what was put in between does not end the negation."""
    return (
        hit.end < found.start
        and segment.groups[hit.start] == segment.groups[found.start]
        and segment.clauses[found.start] - segment.clauses[hit.start] == PARENTHESIS
        and segment.clauses[hit.end] != segment.clauses[hit.start]
    )


def _shared(hit: Hit, found: Found) -> bool:
    """Whether the negation is a part itself; one that a part merely spans ("starten Sie nicht neu") is none."""
    return any(hit.start <= h.start and h.end <= hit.end for h in found.hits)


def _content_between(by_concept: Mapping[str, Sequence[Hit]], low: int, high: int) -> bool:
    return any(
        low <= h.start and h.end <= high for concept, hits in by_concept.items() if concept in _VERBS for h in hits
    )


def _cue(name: str, hit: Hit, segment: Segment) -> Cue:
    start, end = segment.spans[hit.start][0], segment.spans[hit.end - 1][1]
    return Cue(name, start, end, segment.text[start - segment.start : end - segment.start])
