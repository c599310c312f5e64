"""Two readers, one finding: what rules and second reader say together (``rules/procedure.toml``, ``[reader]``).

Per requirement and case the hoster's table says what follows:

=============== ==========================================================================================
``agree``       the rules read a consent and the second reader does not contradict them
``rules_only``  the rules read a consent in a sentence where the second reader hears nothing of the kind
``reader_only`` the second reader is sure of a consent in a sentence that speaks of the matter (its words are the
                rules' words) and that no rule could read
``opposed``     the second reader is sure of a refusal or a limit in the same sentence and hears hardly a consent
                there, or hears a limit in another sentence that no rule read
=============== ==========================================================================================

``given`` counts; ``confirm`` does not count, and the reply shows the sentence and asks; ``ask`` does not
count; ``person`` counts and a person must look. The second reader never overrules a rule that rejected a
sentence (a question, a hypothesis, another system), and answers to our questions ("1. yes") are the rules'
alone: without its question such a line means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..model import Doubt, Findings, Heard, Hearing, Label, Span, Statement, Status

DOUBTED: Final = 0.5  # the score of a statement that no longer counts
SECOND: Final = "second"

_REQUIREMENT: Final[Mapping[str, str]] = {
    "power": "power_authorization",
    "backup": "backup",
    "loss": "backup",
    "erase": "data_loss_consent",
    "risk": "hardware_acknowledgement",
    "downtime": "impact",
    "request": "request",
}
ROWS: Final = tuple(dict.fromkeys(_REQUIREMENT.values()))

# Topics that a sentence must touch, by the rules' lexicon ("unread" findings), for the second reader alone to be
# believed. Without it small talk was heard as consent on labelled tickets as often as a consent was.
_TOPICS: Final[Mapping[str, frozenset[str]]] = {
    "power_authorization": frozenset({"power", "downtime"}),
    "backup": frozenset({"backup", "loss"}),
    "data_loss_consent": frozenset({"erase", "loss"}),
    "hardware_acknowledgement": frozenset({"loss", "risk"}),
    "impact": frozenset({"downtime", "power"}),
}
HARDLY: Final = 0.1
CLEARLY: Final = 0.8

# What a consent may sound like to the second reader, and what takes it away.
_SUPPORT: Final[Mapping[Label, frozenset[Label]]] = {
    Label.POWER_GRANTED: frozenset({Label.POWER_GRANTED, Label.DOWNTIME_OK}),
    Label.POWER_PARTIAL: frozenset({Label.POWER_PARTIAL, Label.POWER_GRANTED, Label.POWER_DENIED}),
    Label.POWER_WINDOW: frozenset({Label.POWER_WINDOW, Label.DOWNTIME_WINDOW, Label.POWER_GRANTED}),
    Label.POWER_DENIED: frozenset({Label.POWER_DENIED, Label.POWER_PARTIAL, Label.DOWNTIME_REFUSED}),
    Label.BACKUP_CONFIRMED: frozenset({Label.BACKUP_CONFIRMED}),
    Label.LOSS_ACCEPTED: frozenset({Label.LOSS_ACCEPTED, Label.RISK_ACCEPTED, Label.ERASE_CONSENT}),
    Label.ERASE_CONSENT: frozenset({Label.ERASE_CONSENT, Label.LOSS_ACCEPTED}),
    Label.RISK_ACCEPTED: frozenset({Label.RISK_ACCEPTED, Label.LOSS_ACCEPTED}),
    Label.DOWNTIME_OK: frozenset({Label.DOWNTIME_OK, Label.POWER_GRANTED, Label.DOWNTIME_WINDOW}),
    Label.DOWNTIME_WINDOW: frozenset(
        {Label.DOWNTIME_WINDOW, Label.POWER_WINDOW, Label.DOWNTIME_OK, Label.POWER_GRANTED}
    ),
}
_OPPOSE: Final[Mapping[Label, frozenset[Label]]] = {
    Label.POWER_GRANTED: frozenset({Label.POWER_DENIED, Label.POWER_PARTIAL, Label.POWER_WINDOW_MISSING}),
    Label.POWER_PARTIAL: frozenset({Label.POWER_WINDOW_MISSING}),
    Label.POWER_WINDOW: frozenset({Label.POWER_DENIED, Label.POWER_WINDOW_MISSING}),
    Label.POWER_DENIED: frozenset({Label.POWER_GRANTED}),
    Label.BACKUP_CONFIRMED: frozenset({Label.BACKUP_ABSENT, Label.BACKUP_INADEQUATE}),
    Label.LOSS_ACCEPTED: frozenset({Label.RISK_REFUSED, Label.ERASE_REFUSED}),
    Label.ERASE_CONSENT: frozenset({Label.ERASE_REFUSED}),
    Label.RISK_ACCEPTED: frozenset({Label.RISK_REFUSED}),
    Label.DOWNTIME_OK: frozenset({Label.DOWNTIME_REFUSED, Label.DOWNTIME_WINDOW_MISSING}),
    Label.DOWNTIME_WINDOW: frozenset({Label.DOWNTIME_REFUSED, Label.DOWNTIME_WINDOW_MISSING}),
}
CONSENTS: Final = frozenset(_SUPPORT)
_LIMITS: Final = frozenset(label for against in _OPPOSE.values() for label in against) - {Label.POWER_GRANTED}
_ALSO_CONSENTS: Final = CONSENTS & _LIMITS  # a ban on power actions answers the question, too
_WINDOWS: Final = frozenset({Label.POWER_WINDOW, Label.DOWNTIME_WINDOW})


class Case(StrEnum):
    AGREE = "agree"
    RULES_ONLY = "rules_only"
    READER_ONLY = "reader_only"
    OPPOSED = "opposed"


class Outcome(StrEnum):
    GIVEN = "given"
    CONFIRM = "confirm"
    ASK = "ask"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Table:
    """The hoster's table.

    ``silent``: below this probability the second reader hears nothing of a consent; ``limit``: from this one on it
    hears a limit.
    """

    silent: float
    outcomes: Mapping[tuple[str, Case], Outcome]
    limit: float = 0.7

    def outcome(self, requirement: str, case: Case) -> Outcome:
        """What follows; what the table leaves out is asked for."""
        return self.outcomes.get((requirement, case), Outcome.GIVEN if case is Case.AGREE else Outcome.ASK)


# Without a table the second reader gives no consent and takes none of the rules' away.
ALWAYS: Final = Table(
    0.0, {(row, case): Outcome.GIVEN for row in ROWS for case in (Case.AGREE, Case.RULES_ONLY, Case.OPPOSED)}
)


@dataclass(frozen=True, slots=True)
class Combined:
    """Findings after both readers, the sentences to be confirmed, and the requirements a person must look at."""

    findings: Findings
    doubts: tuple[Doubt, ...] = ()
    persons: tuple[str, ...] = ()
    asked: tuple[Statement, ...] = ()  # requests that only the second reader read


def requirement_of(label: Label) -> str:
    """The row of the table that a label belongs to."""
    return _REQUIREMENT[label.value.partition("_")[0]]


def combined(findings: Findings, table: Table) -> Combined:
    """``findings`` of one message as both readers see them; unchanged where the second reader read nothing."""
    if not findings.heard:
        return Combined(findings)
    unread = [(h, x) for h in findings.heard for x in h.hearings if not _covered(findings, h, x.label)]
    limits = [(h, x) for h, x in unread if x.label in _LIMITS and x.p >= table.limit and _plausible(findings, h, x)]
    limited = {requirement_of(x.label): h.span for h, x in limits}
    statements: list[Statement] = []
    doubts: list[Doubt] = []
    persons: list[str] = []
    given: set[str] = set()
    refused: set[str] = set()

    def settle(statement: Statement, case: Case) -> Statement | None:
        requirement = requirement_of(statement.label)
        outcome = table.outcome(requirement, case)
        if outcome is Outcome.CONFIRM:
            doubts.append(Doubt(requirement, limited.get(requirement, statement.span)))
        if outcome is Outcome.PERSON:
            persons.append(requirement)
        return statement if outcome in (Outcome.GIVEN, Outcome.PERSON) else None

    for s in findings.statements:
        if not s.counts or s.label not in CONSENTS or s.answers is not None:
            statements.append(s)
            if s.counts and s.label not in CONSENTS:
                refused.add(requirement_of(s.label))
            elif s.counts:
                given.add(requirement_of(s.label))
            continue
        case = _case(s, findings.heard, limited, table.silent)
        kept = settle(s, case)
        statements.append(kept or replace(s, score=DOUBTED))
        given.add(requirement_of(s.label))
    for h, x in limits:
        if requirement_of(x.label) not in given and (x.sure or x.label not in _ALSO_CONSENTS):
            statements.append(_heard(h, x))
    for h, x in unread:
        requirement = requirement_of(x.label)
        if not x.sure or h.question or x.label in _LIMITS or requirement in given | refused | limited.keys():
            continue
        if requirement == "request" or (_relevant(findings, h, requirement) and _timed(findings, h, x)):
            kept = settle(_heard(h, x), Case.READER_ONLY)
            statements += [kept] if kept is not None else []
    asked = tuple(s for s in statements if s.reader == SECOND and requirement_of(s.label) == "request")
    return Combined(replace(findings, statements=tuple(statements)), tuple(doubts), tuple(persons), asked)


def _heard(place: Heard, hearing: Hearing) -> Statement:
    rule = f"{SECOND}/{hearing.label}"
    return Statement(hearing.label, Status.ASSERTED, place.span, rule, reader=SECOND, score=hearing.p)


def _case(s: Statement, heard: Iterable[Heard], limited: Mapping[str, Span], silent: float) -> Case:
    place = next((h for h in heard if _inside(s.span, h.span)), None)
    if place is None:
        return Case.AGREE  # too short to be heard, or not in the body
    support = max((x.p for x in place.hearings if x.label in _SUPPORT[s.label]), default=0.0)
    against = [x for x in place.hearings if x.label in _OPPOSE[s.label]]
    if support < HARDLY and any(x.sure and x.p >= CLEARLY for x in against):
        return Case.OPPOSED
    if requirement_of(s.label) in limited and s.label not in (Label.POWER_DENIED, Label.POWER_PARTIAL):
        return Case.OPPOSED
    return Case.RULES_ONLY if support < silent else Case.AGREE


def _covered(findings: Findings, place: Heard, label: Label) -> bool:
    """Whether the rules read something of this requirement there, counted or rejected."""
    requirement = requirement_of(label)
    return any(requirement_of(s.label) == requirement and _inside(s.span, place.span) for s in findings.statements)


def _relevant(findings: Findings, place: Heard, requirement: str) -> bool:
    """Whether the rules know what the sentence is about, though not what it says."""
    here = (u for u in findings.unread if u.span.part == place.span.part and _inside(u.span, place.span))
    return any(_TOPICS[requirement] & set(u.topics) for u in here)


def _plausible(findings: Findings, place: Heard, hearing: Hearing) -> bool:
    """A weak backup is told without the word ("of the other one I have nothing"); other limits name the matter."""
    requirement = requirement_of(hearing.label)
    return requirement == "backup" or _relevant(findings, place, requirement)


def _timed(findings: Findings, place: Heard, hearing: Hearing) -> bool:
    """A window is none without a time in the same sentence."""
    return hearing.label not in _WINDOWS or any(w.has_time and _inside(w.span, place.span) for w in findings.windows)


def _inside(span: Span, place: Span) -> bool:
    return span.part == place.part and place.start <= span.start < place.end
