"""Which question of ours a stretch of own words answers.

A short answer is a statement when it is clear what it answers (procedure, "What is not a statement"):
numbers under our numbered list, words under each quoted question, "yes to all", or the first words of a
reply to a mail that asked one thing. What an answer is about is given to the frames as *topics*: the
answer "done yesterday" to the backup question is read as if it said "backup".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..model import Message, Question, ZoneKind
from .packs import Reader
from .segments import Segment, segment
from .statements import TOPICS

# Topic of a question -> the requirement it asks for.
REQUIREMENT: Final[Mapping[str, str]] = {
    "power": "power_authorization",
    "backup": "backup",
    "erase": "data_loss_consent",
    "risk": "hardware_acknowledgement",
    "loss": "loss",
    "downtime": "impact",
    "server": "server_id",
    "access": "credentials",
    "os": "os_choice",
    "component": "component",
}
# Requirement -> the concepts that its answer is about, without saying them.
_GIVES: Final[Mapping[str, frozenset[str]]] = {
    "power_authorization": frozenset({"power_general"}),
    "backup": frozenset({"backup"}),
    "data_loss_consent": frozenset({"erase", "all_data"}),
    "hardware_acknowledgement": frozenset({"risk"}),
    "loss": frozenset({"loss", "risk"}),
    "impact": frozenset({"downtime"}),
}
_ASKS: Final[Mapping[str, str]] = {
    "ask_server": "server",
    "ask_access": "access",
    "ask_os": "os",
    "ask_component": "component",
}

# "Ok, thanks" says that our mail came, whatever question of ours it stands under: never that the answer is yes.
_THANKS: Final = frozenset(
    {"thanks", "thank", "thx", "cheers", "grazie", "danke", "merci", "gracias", "dziękuję", "dziękujemy", "dzięki",
     "dziekuje", "dzieki", "hvala"}
)  # fmt: skip
_AROUND: Final = frozenset(
    {"ok", "okay", "oki", "okey", "you", "very", "much", "many", "mille", "tante", "molte", "vielen", "schön", "dank",
     "beaucoup", "bien", "muchas", "bardzo", "lijepa", "lijepo", "puno", "vam", "najlepša", "lepa"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """What a segment answers: the questions, and the concepts that they supply to its words."""

    questions: tuple[Question, ...] = ()
    topics: frozenset[str] = frozenset()

    @property
    def requirements(self) -> tuple[str, ...]:
        """The ids asked for, in order."""
        return tuple(dict.fromkeys(r for q in self.questions for r in q.requirements))


def questions(reader: Reader, text: str, start: int, end: int, packs: frozenset[str]) -> tuple[Question, ...]:
    """What ``text[start:end]``, written by our side, asks for: one entry per list item or sentence.

    Example sentences in quotation marks are not questions of their own. A text with numbered items asks
    by them alone; what stands around a list only introduces it.
    """
    found: list[Question] = []
    for part in segment(text, start, end, reader.abbreviations):
        topics = _topics(reader, part, packs)
        wanted = tuple(REQUIREMENT[t] for t in REQUIREMENT if t in topics)
        if not wanted:
            continue
        if found and part.marker is None and all(part.quoted):
            continue
        if found and part.marker is None and found[-1].marker is not None and part.paragraph == 0:
            continue
        found.append(Question(part.marker, wanted, part.text))
    numbered = [q for q in found if q.marker is not None]
    return tuple(numbered) if len(numbered) > 1 else tuple(found)


def _topics(reader: Reader, part: Segment, packs: frozenset[str]) -> set[str]:
    """What ``part`` is about, by the packs that know most of it."""
    rows = reader.lexicons.hits(part, packs)
    covered = [len({k for h in row for k in range(h.start, h.end)}) for row in rows]
    best = max(covered, default=0)
    concepts = {
        h.concept
        for row, known in zip(rows, covered, strict=True)
        if known == best
        for h in row
        if not part.quoted[h.start]
    }
    topics = {topic for topic, members in TOPICS.items() if concepts & members}
    topics |= {topic for concept, topic in _ASKS.items() if concept in concepts}
    if "downtime" in topics and topics & {"risk", "loss"}:
        topics -= {"downtime", "loss"}  # "it may mean downtime or lost data: do you accept that?"
        topics.add("risk")
    if "erase" in topics or "risk" in topics or "backup" in topics:
        topics.discard("loss")
    return topics


class Dialogue:
    """The questions open before a message, and how its segments line up with them."""

    def __init__(self, reader: Reader, message: Message, asked: Sequence[Question], packs: frozenset[str]) -> None:
        self._asked = tuple(asked)
        self._markers = {q.marker.lower(): q for q in asked if q.marker}
        self._inline = _inline(reader, message, self._asked, packs)
        self._own_starts = [z.start for z in message.zones if z.kind is ZoneKind.OWN]
        self._seen_first = False

    def of(self, part: Segment, index: int) -> Answered:
        """What ``part``, the ``index``-th own segment of the message, answers."""
        if _THANKS.intersection(part.words) and _THANKS.union(_AROUND).issuperset(part.words):
            return Answered()
        for start, end, question in self._inline:
            if start <= part.start < end:
                return _answered((question,))
        if part.marker is not None and part.marker.lower() in self._markers:
            return _answered((self._markers[part.marker.lower()],))
        if len(self._asked) == 1 and index < 3 and part.marker is None:
            return _answered(self._asked)
        return Answered()

    def all(self) -> tuple[Question, ...]:
        """Every open question, for "yes to all"."""
        return self._asked


def _answered(found: tuple[Question, ...]) -> Answered:
    topics: set[str] = set()
    for question in found:
        known = [r for r in question.requirements if r in _GIVES]
        if len(known) == 1:  # "a backup, or do you accept the loss?": a bare yes decides nothing
            topics |= _GIVES[known[0]]
    return Answered(found, frozenset(topics))


def _inline(
    reader: Reader, message: Message, open_: Sequence[Question], packs: frozenset[str]
) -> list[tuple[int, int, Question]]:
    """Own stretches that follow a quoted question, with that question.

    A question that is open is known by its very words; only others' questions are read for their topics.
    """
    pairs = []
    zones = message.zones
    for before, zone in pairwise(zones):
        if zone.kind is not ZoneKind.OWN or before.kind is not ZoneKind.QUOTED:
            continue
        quoted = message.text[before.start : before.end]
        plain = "\n".join(line.lstrip("> ").rstrip() for line in quoted.split("\n"))
        asked = _known(plain, open_) or questions(reader, plain, 0, len(plain), packs)
        followed = any(z.kind is ZoneKind.QUOTED for z in zones if z.start >= zone.end)
        preceded = sum(1 for z in zones if z.kind is ZoneKind.QUOTED and z.start < zone.start) > 1
        if asked and (len(asked) == 1 or followed or preceded):
            pairs.append((zone.start, zone.end, asked[-1]))
    return pairs


def _known(quoted: str, open_: Sequence[Question]) -> tuple[Question, ...]:
    """The open questions that stand in a quoted stretch word for word, in its order; line ends do not matter."""
    words = " ".join(quoted.split()).casefold()
    places = ((words.rfind(" ".join(q.text.split()).casefold()), q) for q in open_)
    return tuple(q for _, q in sorted(((at, q) for at, q in places if at >= 0), key=lambda pair: pair[0]))
