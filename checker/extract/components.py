"""Parts to add or swap: kind, serial number, slot.

A part that a fault description merely mentions is none. A part counts where a word of swapping or adding
stands with it, where such a word points back at it ("... please exchange it"), in a form's field, or where
the customer identifies it with a serial number. The caller asks only for hardware tickets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..model import Component
from .ids_marks import NUMBER, SIGN, Marks, mark
from .ids_parts import Serial, serials, slot_near
from .ids_words import SYSTEM, IdentifierWords
from .reading import Reading

ASKED = "component"
_PART = "part."
_REACH = 14  # tokens between a word of swapping and its part
_ADD_REACH = 9
_NEAR = 8
_BACK = 6  # segments: how far "please exchange it" points back


@dataclass(frozen=True, slots=True)
class _Part:
    """A part named at tokens ``first`` up to ``last``."""

    kind: str
    first: int
    last: int


def find(
    reading: Reading,
    words: IdentifierWords,
    asked: frozenset[str] = frozenset(),
    *,
    marks: Marks | None = None,
) -> tuple[Component, ...]:
    """The parts that one message asks to add or swap, each once.

    ``asked`` holds the requirements that our last message asked about: with ``component`` in it, a part that
    is only named answers.
    """
    marks = marks or mark(reading, words)
    parts = _parts(marks)
    chosen = _chosen(marks, parts)
    numbers = serials(marks)
    if not chosen:
        chosen = [
            p
            for p in parts
            if not _aside(marks, p) and any(_same_segment(marks, p.first, s.token) for s in numbers if not s.log)
        ]
    if not chosen and ASKED in asked:
        said = {marks.segment[s] for s, _ in marks.spots("spared")}
        chosen = [p for p in parts if marks.part[p.first] == "body" and marks.segment[p.first] not in said][:1]
    return _components(marks, _distinct(chosen), parts, numbers)


def settle(components: Iterable[Component]) -> tuple[Component, ...]:
    """The parts of the whole thread: one entry for a part, completed by what later mails say of it."""
    kept: list[Component] = []
    for item in components:
        at = next((i for i, k in enumerate(kept) if _one(k, item)), None)
        if at is None:
            kept.append(item)
        else:
            old = kept[at]
            kept[at] = replace(old, serial=old.serial or item.serial, slot=old.slot or item.slot)
    return tuple(kept)


def _one(known: Component, new: Component) -> bool:
    """Whether two mentions can be the same part: same kind, and nothing that tells them apart."""
    if known.kind != new.kind:
        return False
    if known.serial and new.serial:
        return known.serial.casefold() == new.serial.casefold()
    return not (known.slot and new.slot and known.slot != new.slot) or known.serial is None or new.serial is None


# --- which parts -----------------------------------------------------------------------------------


def _parts(marks: Marks) -> list[_Part]:
    """Parts named in the customer's words, the head of a compound only ("battery of the RAID controller")."""
    spots = [(c[len(_PART) :], s, e) for c, s, e in marks.hits if c.startswith(_PART) and not marks.log[s]]
    parts: list[_Part] = []
    for kind, first, last in sorted(spots, key=lambda s: (s[1], -s[2])):
        if parts and first < parts[-1].last:
            continue
        if parts and _glued(marks, parts[-1].last, first):
            previous = parts.pop()
            kind = kind if _head_last(previous.kind, kind) else previous.kind
            first = previous.first
        elif parts and _belongs(marks, parts[-1], first, kind):
            parts[-1] = replace(parts[-1], last=last)
            continue
        parts.append(_Part(kind, first, last))
    return parts


def _glued(marks: Marks, left: int, right: int) -> bool:
    """Whether two part words stand side by side ("SATA cable", "NVMe-SSD", "DDR4 RAM")."""
    between = range(left, right)
    return (
        len(between) <= 1
        and all(marks.text[i] in "-/" for i in between)
        and marks.segment[left - 1] == marks.segment[right]
    )


def _head_last(left: str, right: str) -> bool:
    """In a compound the second word is the head, but a plain drive or memory word names no other thing's part."""
    return right != left and not (
        right in ("drive", "ram") and left in ("raid_controller", "battery", "cable", "fan", "gpu")
    )


def _belongs(marks: Marks, part: _Part, first: int, kind: str) -> bool:
    """Whether the second part only says whose the first is ("ventilateur du processeur", "cavo ... del disco")."""
    if kind == part.kind or marks.segment[part.last - 1] != marks.segment[first]:
        return False
    between = [i for i in range(part.last, first) if marks.kind[i] != SIGN or marks.text[i] not in "-'’"]
    if not between or len(between) > 3 or any(marks.text[i] in ",;:()/+&" for i in between):
        return kind == "battery" and part.kind == "battery"
    if any("and" in marks.concepts[i] and "link" not in marks.concepts[i] for i in between):
        return False
    if any(marks.text[i].casefold() in _AND for i in between):
        return False
    return kind in _OWNED.get(part.kind, _OWNERS) and any(
        "link" in marks.concepts[i] or marks.text[i].casefold() in _OF for i in between
    )


_OWNED = {
    "battery": frozenset({"raid_controller", "motherboard"}),
    "fan": frozenset({"cpu", "psu", "gpu"}),
    "cable": frozenset({"drive", "raid_controller", "psu", "nic"}),
}
_OWNERS = frozenset({"raid_controller", "motherboard", "cpu", "drive"})
_AND = frozenset({"and", "und", "e", "ed", "et", "y", "i", "in", "oraz", "ter", "te"})
_OF = frozenset(
    {
        "of",
        "for",
        "on",
        "des",
        "der",
        "vom",
        "von",
        "del",
        "della",
        "de",
        "du",
        "za",
        "na",
        "od",
        "do",
        "pri",
        "sopra",
        "über",
        "ober",
    }
)


def _chosen(marks: Marks, parts: Sequence[_Part]) -> list[_Part]:
    chosen: list[_Part] = []
    body = [p for p in parts if marks.part[p.first] == "body"]
    for first, last in marks.spots("part_label"):
        if any(marks.text[i] in ":|." for i in range(last, min(last + 3, len(marks.text)))):
            chosen += [p for p in body if p.first >= last and marks.line[p.first] == marks.line[first]][:1]
    for first, last in marks.spots("swap"):
        if not marks.log[first]:
            chosen += _swapped(marks, body if marks.part[first] == "body" else [], first, last)
    for first, last in marks.spots("add"):
        if not marks.log[first] and marks.part[first] == "body" and not _installs(marks, first):
            chosen += _added(marks, body, first, last)
    for first, _ in marks.spots("renew"):
        before = [p for p in body if _same_segment(marks, p.first, first) and p.first < first and not _spared(marks, p)]
        chosen += before[-1:]  # "the fan is dead, put in a new one"
    chosen += _grown(marks, body)
    if not chosen:
        chosen = _demanded(marks, body)
    if not chosen:
        chosen = _of_subject(marks, [p for p in parts if marks.part[p.first] == "subject"])
    return chosen


def _swapped(marks: Marks, parts: Sequence[_Part], first: int, last: int) -> list[_Part]:
    """The part that a word of swapping is about: the next in its sentence, the last before it, the list after it."""
    segment = marks.segment[first]
    here = [p for p in parts if marks.segment[p.first] == segment and not _spared(marks, p)]
    both = [p for p in here if p.first < last and p.last > first]
    if both:
        return both  # "Plattentausch"
    after = [p for p in here if last <= p.first <= last + _REACH]
    if after:
        return _coordinated(marks, after)
    before = [p for p in here if p.first < first]
    if before:
        return before[-1:] if first - before[-1].last <= _NEAR else before[:1]
    tail = _segment_end(marks, first)
    listed = _listed(marks, parts, tail) if marks.text[tail] == ":" else []
    if _unnamed(marks, segment):
        return listed  # "a part is broken, change it": which one is not said
    return listed or _meant(marks, parts, first)


def _unnamed(marks: Marks, segment: int) -> bool:
    """Whether the sentence speaks of "a part" without saying which."""
    return any(marks.segment[f] == segment for f, _ in marks.spots("part_label"))


def _meant(marks: Marks, parts: Sequence[_Part], first: int) -> list[_Part]:
    """What "please exchange it" at token ``first`` points back at: what the last sentence with a part began with."""
    back = [
        p
        for p in parts
        if p.first < first
        and marks.segment[first] - marks.segment[p.first] <= _BACK
        and not _spared(marks, p)
        and not _aside(marks, p)
    ]
    return [p for p in back if marks.segment[p.first] == marks.segment[back[-1].first]][:1]


def _aside(marks: Marks, part: _Part) -> bool:
    """Whether the part is mentioned in brackets only."""
    for i in range(part.first - 1, -1, -1):
        if marks.segment[i] != marks.segment[part.first] or marks.text[i] == ")":
            return False
        if marks.text[i] == "(":
            return True
    return False


def _added(marks: Marks, parts: Sequence[_Part], first: int, last: int) -> list[_Part]:
    """The part right beside a word of adding ("zwei neue NVMe", "scheda di rete nuova")."""
    segment = marks.segment[first]
    near = [
        p
        for p in parts
        if marks.segment[p.first] == segment
        and (last <= p.first <= last + _ADD_REACH or p.last <= first <= p.last + 2)
        and not _broken(marks, min(last, p.last), max(first, p.first))
        and not _spared(marks, p)
        and not _system_between(marks, last, p.first)
    ]
    return near[:1]


def _demanded(marks: Marks, parts: Sequence[_Part]) -> list[_Part]:
    """The part of a sentence that asks for something without a verb of ours ("10-GbE-Karte, bitte")."""
    wanting = {marks.segment[s] for s, _ in marks.spots("demand") if not marks.log[s]}
    found = [p for p in parts if marks.segment[p.first] in wanting and not _spared(marks, p) and not _aside(marks, p)]
    return [p for p in found if not _system_between(marks, *_bounds(marks, p.first))][:1]


def _bounds(marks: Marks, i: int) -> tuple[int, int]:
    first = i
    while first > 0 and marks.segment[first - 1] == marks.segment[i]:
        first -= 1
    return first, _segment_end(marks, i) + 1


def _grown(marks: Marks, parts: Sequence[_Part]) -> list[_Part]:
    """Memory that is to grow: "from 64 to 128 GB", "na 128 GB RAM-a", "add 64 GB"."""
    grown = []
    for i, text in enumerate(marks.text):
        size = text.isdecimal() and text in _MEMORY and marks.part[i] == "body" and not marks.log[i]
        if not size or i + 1 >= len(marks.text) or marks.text[i + 1].casefold() not in _GIGA:
            continue
        first, end = _bounds(marks, i)
        here = [p for p in parts if marks.segment[p.first] == marks.segment[i]]
        raised = any("to" in marks.concepts[k] for k in range(max(first, i - 3), i)) and any(
            marks.text[k] in _MEMORY for k in range(max(first, i - 6), i - 1)
        )
        memory = [p for p in here if p.kind == "ram"]
        if memory and raised:
            grown.append(memory[0])
        elif not here and _asks_memory(marks, first, end, raised=raised):
            grown.append(_Part("ram", i, i + 2))
    return grown[:1]


def _asks_memory(marks: Marks, first: int, end: int, *, raised: bool) -> bool:
    """Whether a bare size in a sentence is memory to add: not a partition's, not a system's."""
    said = {c for k in range(first, end) for c in marks.concepts[k]}
    return (raised or "add" in said) and "layout" not in said and not any(c.startswith(SYSTEM) for c in said)


_MEMORY = frozenset(str(n) for n in (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048))
_GIGA = frozenset({"gb", "go", "gib", "giga", "gigas", "gigs", "gigabyte"})


def _of_subject(marks: Marks, parts: Sequence[_Part]) -> list[_Part]:
    """The subject's part when the text asks for a swap without naming it ("Swap please")."""
    asks = any(not marks.log[s] for c in ("swap", "add") for s, _ in marks.spots(c))
    return list(parts[:1]) if asks else []


def _installs(marks: Marks, first: int) -> bool:
    """Whether the word of adding puts on a system ("install Ubuntu on the SSD")."""
    return any(
        c.startswith(SYSTEM)
        for i in range(first, min(first + 6, len(marks.text)))
        if marks.segment[i] == marks.segment[first]
        for c in marks.concepts[i]
    )


def _system_between(marks: Marks, start: int, end: int) -> bool:
    return any(c.startswith(SYSTEM) for i in range(start, end) for c in marks.concepts[i])


def _broken(marks: Marks, start: int, end: int) -> bool:
    return any(marks.text[i] in ",;:()" for i in range(start, end))


def _spared(marks: Marks, part: _Part) -> bool:
    """Whether the part is named as sound ("is fine"), as tried, or as where a copy lies ("backup on a disk")."""
    for i in range(part.first - 1, max(-1, part.first - 5), -1):
        if marks.segment[i] != marks.segment[part.first] or marks.text[i] in ",;:(":
            break
        if "spared" in marks.concepts[i]:
            return True
    after = range(part.last, min(len(marks.text), part.last + 3))
    return any("sound" in marks.concepts[i] and marks.segment[i] == marks.segment[part.first] for i in after)


def _coordinated(marks: Marks, parts: Sequence[_Part]) -> list[_Part]:
    """The first of ``parts`` and those joined to it by "and" or a comma."""
    chosen = [parts[0]]
    for part in parts[1:]:
        between = range(chosen[-1].last, part.first)
        joined = any(marks.text[i] in ",+&/" or marks.text[i].casefold() in _AND for i in between)
        if joined and len(between) <= 4:
            chosen.append(part)
    return chosen


def _segment_end(marks: Marks, i: int) -> int:
    while i + 1 < len(marks.text) and marks.segment[i + 1] == marks.segment[i] and marks.part[i + 1] == marks.part[i]:
        i += 1
    return i


def _listed(marks: Marks, parts: Sequence[_Part], tail: int) -> list[_Part]:
    """The first part of each line of the list that follows, until an empty line that no item follows."""
    found: dict[int, _Part] = {}
    line = marks.line[tail]
    for part in parts:
        if part.first > tail and marks.line[part.first] - line <= 2:
            found.setdefault(marks.line[part.first], part)
            line = marks.line[part.first]
    return list(found.values())


def _same_segment(marks: Marks, a: int, b: int) -> bool:
    return marks.part[a] == marks.part[b] and marks.segment[a] == marks.segment[b]


# --- entries ---------------------------------------------------------------------------------------


def _distinct(parts: Sequence[_Part]) -> list[_Part]:
    kinds: dict[str, _Part] = {}
    for part in parts:
        kinds.setdefault(part.kind, part)
    return list(kinds.values())


def _components(
    marks: Marks, chosen: Sequence[_Part], parts: Sequence[_Part], numbers: Sequence[Serial]
) -> tuple[Component, ...]:
    """One entry a kind, or one for every serial number or slot that the customer names of that kind."""
    found: list[Component] = []
    for part in chosen:
        span = marks.reading.span(marks.start[part.first], marks.end[part.last - 1], marks.part[part.first])
        same = [p for p in parts if p.kind == part.kind]
        mine = _own_serials(marks, numbers, part, chosen)
        if mine:
            for serial in mine:
                slot = slot_near(marks, serial.token, line=True) if len(mine) > 1 else _slot(marks, same, serial.token)
                found.append(Component(part.kind, serial.value, slot, span))
        else:
            found.append(Component(part.kind, None, _slot(marks, same, None), span))
    return tuple(found)


def _own_serials(marks: Marks, numbers: Sequence[Serial], part: _Part, chosen: Sequence[_Part]) -> list[Serial]:
    """The serial numbers of ``part``: those in the customer's own words first, a single one of a log otherwise."""
    own = [s for s in numbers if not s.log]
    if len(chosen) > 1:
        own = [s for s in own if _closest(marks, s, chosen) == part]
    if own:
        return list({s.value.casefold(): s for s in own}.values())
    logged = {s.value.casefold(): s for s in numbers if s.log}
    return list(logged.values()) if len(logged) == 1 and (len(chosen) == 1 or part.kind == "drive") else []


def _closest(marks: Marks, serial: Serial, chosen: Sequence[_Part]) -> _Part:
    return min(chosen, key=lambda p: (marks.part[p.first] != marks.part[serial.token], abs(p.first - serial.token)))


def _slot(marks: Marks, parts: Sequence[_Part], serial: int | None) -> str | None:
    """The slot named with one of the mentions of a part, else beside its serial number."""
    for part in sorted(parts, key=lambda p: marks.part[p.first] != "body"):
        slot = _numbered(marks, part) or slot_near(marks, part.first, line=False)
        if slot is not None:
            return slot
    slot = slot_near(marks, serial, line=False) if serial is not None else None
    return slot or slot_near(marks, None, line=False)


def _numbered(marks: Marks, part: _Part) -> str | None:
    """ "power supply 2", "fuente numero 2": the number of a power supply or fan is its place."""
    if part.kind not in ("psu", "fan"):
        return None
    i = part.last
    while i < len(marks.text) and ("number" in marks.concepts[i] or marks.text[i] in "#.°º") and i < part.last + 3:
        i += 1
    if (
        i < len(marks.text)
        and marks.kind[i] == NUMBER
        and int(marks.text[i]) <= 16
        and marks.line[i] == marks.line[part.first]
    ):
        following = marks.text[i + 1] if i + 1 < len(marks.text) else ""
        return marks.text[i] if following.casefold() not in ("x", "rpm", "w", "kw") else None
    return None
