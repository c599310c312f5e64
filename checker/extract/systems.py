"""The operating system to install: named, versioned, and told apart from the one that runs now.

:func:`find` reads one message, :func:`settle` the thread: the first mail may name the distribution, an answer
its version ("the 12th, bookworm"), a later one the edition. The caller asks only for reinstallations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..model import OperatingSystem
from .ids_marks import MIXED, NUMBER, WORD, Marks, mark
from .ids_systems import System
from .ids_words import SYSTEM, IdentifierWords
from .reading import Reading

ASKED = "os_choice"
_VERSION = re.compile(
    r"[\s:(–-]{0,3}(?:(?:linux|server|lts|stable|gnu/linux)[\s(]{1,2}){0,2}(?:[^\W\d_]{1,10}\.?[\s:]{1,2})?"
    r"v?(\d{1,4}(?:\.\d{1,2}){0,2})(?:\.x)?(\s?R2)?(?!\w|[.,:]\d|-bit|\s?(?:bit|gb|tb|mb|x|%|uhr|h|€|eur)\b)",
    re.IGNORECASE,
)
_SECOND = re.compile(  # the version behind an arrow or a short word
    r"\s*(?:->|→|=>|[^\W\d_]{1,4})\s+(?:v?)(\d{1,4}(?:\.\d{1,2})?)(?![\w.:]*\d|\s?(?:gb|tb|uhr))", re.IGNORECASE
)
_GLUED = re.compile(r"([^\W\d_]+)(\d.*)?\Z")
_BARE = re.compile(
    r"[ \t]*(?:[-*•>]+[ \t]*)?(?:\(?(?:\d{1,2}|[a-zA-Z])[.):][ \t]+)?(?:[^\W\d_]{1,9}:?[ \t]+)?"
    r"(\d{1,4}(?:\.\d{1,2})?)(?:[ \t]+lts)?[ \t]*(?=$|\n|,[ \t]+[^\W\d_]|[.!][ \t]*(?:$|\n)|\()",
    re.IGNORECASE,
)
_SERVER_YEARS = frozenset({"2008", "2012", "2016", "2019", "2022", "2025"})
_LAYOUT_LIMIT = 400  # characters


@dataclass(frozen=True, slots=True)
class _Candidate:
    system: OperatingSystem
    weight: int  # how clearly it is asked for: 4 a form's field, 3 a verb, 2 by itself, 1 a preposition; +1 a version
    order: int


def find(
    reading: Reading,
    words: IdentifierWords,
    asked: frozenset[str] = frozenset(),
    *,
    marks: Marks | None = None,
) -> tuple[OperatingSystem, ...]:
    """The system that one message wants, best named first, and bare answers (a version or an edition alone).

    ``asked`` holds the requirements that our last message asked about: with ``os_choice`` in it, "24.04" answers.
    """
    marks = marks or mark(reading, words)
    found = [c for c in (_candidate(marks, words, *spot) for spot in _spots(marks)) if c is not None]
    result: list[OperatingSystem] = []
    if found:
        best = max(found, key=lambda c: (c.weight, c.system.version is not None, -c.order))
        result.append(replace(best.system, layout=_layout(marks)))
    named = any(s.span.part == "body" for s in result)
    result += _bare(marks, words, asked=ASKED in asked, named=named)
    return tuple(result)


def settle(systems: Iterable[OperatingSystem]) -> OperatingSystem | None:
    """The system that the thread asks for: later words complete or correct earlier ones."""
    state: OperatingSystem | None = None
    for item in systems:
        if state is None:
            state = item if item.distribution else None
        elif item.distribution is None:
            if item.edition and (state.distribution or "").startswith("Windows"):
                state = replace(state, edition=item.edition)
            if item.version and (state.version is None or "." in state.version) and _fits(state, item.version):
                state = replace(state, version=item.version)
        elif _same(state.distribution or "", item.distribution):
            state = OperatingSystem(
                item.distribution if len(item.distribution) >= len(state.distribution or "") else state.distribution,
                item.version or state.version,
                item.edition or state.edition,
                item.span if item.version else state.span,
                item.layout or state.layout,
            )
        elif item.version or not state.version:
            state = replace(item, layout=item.layout or state.layout)
    return state


def _same(one: str, other: str) -> bool:
    """One name is the other or begins it (Windows and Windows Server)."""
    return one == other or (one.startswith("Windows") and other.startswith("Windows"))


def _fits(state: OperatingSystem, version: str) -> bool:
    dotted = {"Ubuntu"}
    if state.distribution in dotted:
        return "." in version and int(version.split(".")[0]) >= 10
    if (state.distribution or "").startswith("Windows"):
        return version in _SERVER_YEARS or version in ("10", "11")
    return 5 <= int(version.split(".")[0]) < 50


# --- candidates ------------------------------------------------------------------------------------


def _spots(marks: Marks) -> list[tuple[str, int, int]]:
    """Where a system is named: name (with ``=version`` for a code name), first token, token after the last."""
    spots = [(c[len(SYSTEM) :], s, e) for c, s, e in marks.hits if c.startswith(SYSTEM) and not marks.log[s]]
    taken = {s for _, s, _ in spots}
    for i in range(1, len(marks.text)):
        year = marks.text[i] in _SERVER_YEARS and marks.kind[i] == NUMBER and not marks.log[i]
        if year and marks.text[i - 1].casefold() == "server" and not {i - 1, i - 2} & taken:
            spots.append(("Windows Server", i - 1, i))
    return sorted(spots, key=lambda spot: spot[1])


def _candidate(marks: Marks, words: IdentifierWords, name: str, first: int, last: int) -> _Candidate | None:
    if not name or any(c == SYSTEM for c in marks.concepts[first]):
        return None
    name, _, version = name.partition("=")
    system = words.systems.systems[name]
    end = marks.end[last - 1]
    if not version:
        version, end = _version(marks, system, last)
    if system.above is not None and version and int(version.split(".")[0].split()[0]) >= system.above[0]:
        system = words.systems.systems[system.above[1]]
    edition = _edition(marks, system, last)
    if _is_old(marks, first, last):
        return None
    moved = _moved(marks, system, first, end)
    if moved is not None:
        version, end = moved
    span = marks.reading.span(marks.start[first], max(end, marks.end[last - 1]), marks.part[first])
    weight = _weight(marks, first) + (1 if version else 0)
    return _Candidate(OperatingSystem(system.name, version or None, edition, span), weight, first)


def _version(marks: Marks, system: System, last: int) -> tuple[str, int]:
    """The version behind a name and where it ends; empty when none is given or it cannot be one."""
    text = marks.source(last - 1)
    glued = _GLUED.match(marks.text[last - 1])
    start = marks.start[last - 1] + len(glued[1]) if glued else marks.end[last - 1]
    match = _VERSION.match(text, start) or _spelled(marks, text, last)
    if match is None:
        return "", marks.end[last - 1]
    version = match[1]
    if marks.kind[last - 1] == MIXED and len(version) == 4 and system.highest < 1000:
        version = f"{version[:2]}.{version[2:]}"  # "ubuntu2204"
    if not system.lowest <= int(version.split(".")[0]) <= system.highest:
        return "", marks.end[last - 1]
    return version + (" R2" if match[2] else ""), match.end()


def _spelled(marks: Marks, text: str, last: int) -> re.Match[str] | None:
    """ "Debian in der Version 12": the word for version within a few words, the number right behind it."""
    for i in range(last, min(last + 4, len(marks.text))):
        if "version" in marks.concepts[i] and marks.segment[i] == marks.segment[last - 1]:
            return _VERSION.match(text, marks.end[i])
    return None


def _edition(marks: Marks, system: System, last: int) -> str | None:
    """The edition within a few words behind the name, before the sentence goes on."""
    if not system.editions:
        return None
    for i in range(last, min(last + 5, len(marks.text))):
        if marks.part[i] != marks.part[last - 1] or marks.line[i] - marks.line[last - 1] > 1:
            break
        edition = system.editions.get(marks.text[i].casefold())
        if edition is not None:
            return edition
        if marks.text[i] in ".;|" and marks.kind[i - 1] != NUMBER:
            break
    return None


def _is_old(marks: Marks, first: int, last: int) -> bool:
    """Whether this is the system that runs now: "currently CentOS 7", "umjesto sadašnjeg CentOS-a", "... is EOL"."""
    segment, part = marks.segment[first], marks.part[first]
    for i in range(first - 1, max(-1, first - 6), -1):
        if marks.part[i] != part or marks.segment[i] != segment or marks.text[i] in ";:":
            break
        concepts = marks.concepts[i]
        if any(c.startswith(SYSTEM) for c in concepts):
            break
        if "current" in concepts:
            return True
        if "wanted" in concepts and not {"link", "from", "to"} & set(concepts):
            break
        if marks.text[i] == ",":
            break
    for i in range(last, min(last + 9, len(marks.text))):
        if marks.part[i] != part or marks.segment[i] != segment:
            break
        if "outdated" in marks.concepts[i]:
            return True
    return False


def _moved(marks: Marks, system: System, first: int, end: int) -> tuple[str, int] | None:
    """The second version of "from Debian 10 to 12", "20.04 -> 22.04"."""
    text = marks.source(first)
    match = _SECOND.match(text, end)
    if match is None or not (marks.has(first - 1, "from") or "->" in match[0] or "→" in match[0]):
        return None
    if not system.lowest <= int(match[1].split(".")[0]) <= system.highest:
        return None
    return match[1], match.end()


def _weight(marks: Marks, first: int) -> int:
    if marks.part[first] == "subject":
        return 0
    line = [i for i in range(max(0, first - 12), first) if marks.line[i] == marks.line[first]]
    for i in line:
        if "os_label" in marks.concepts[i] and any(marks.text[j] in ":|.=" for j in range(i + 1, first)):
            return 4
    here = marks.segment[first]
    near = [i for i in range(max(0, first - 25), min(len(marks.text), first + 25)) if marks.segment[i] == here]
    if any("wanted" in marks.concepts[i] for i in near):
        return 3
    if not line or all(marks.kind[i] != WORD for i in line):
        return 2
    return 1 if any("wanted_with" in marks.concepts[i] for i in near) else 0


# --- answers and layout ----------------------------------------------------------------------------


def _bare(marks: Marks, words: IdentifierWords, *, asked: bool, named: bool) -> list[OperatingSystem]:
    """A version or an edition that stands for itself: "a) 24.04", "Edition - Datacenter", "La Standard."."""
    if not asked and not marks.spots("edition_label"):
        return []
    found = []
    editions = {w: e for s in words.systems.systems.values() for w, e in s.editions.items()}
    lines: dict[int, list[int]] = {}
    for i, line in enumerate(marks.line):
        if marks.part[i] == "body" and not marks.log[i]:
            lines.setdefault(line, []).append(i)
    for tokens in lines.values():
        if any(c.startswith(SYSTEM) for i in tokens for c in marks.concepts[i]):
            continue
        content = [i for i in tokens if marks.kind[i] in (WORD, MIXED)]
        labelled = any("edition_label" in marks.concepts[i] for i in content[:2])
        edition = next(
            (editions[marks.text[i].casefold()] for i in content[:4] if marks.text[i].casefold() in editions), None
        )
        if edition is not None and (labelled or (asked and len(content) <= 3)) and not _about_layout(marks, content):
            span = marks.reading.span(marks.start[tokens[0]], marks.end[tokens[-1]])
            found.append(OperatingSystem(None, None, edition, span))
        elif asked and not named:
            source = marks.source(tokens[0])
            match = _BARE.match(source, source.rfind("\n", 0, marks.start[tokens[0]]) + 1)
            if match is not None:
                found.append(OperatingSystem(None, match[1], None, marks.reading.span(match.start(1), match.end(1))))
    return found


def _about_layout(marks: Marks, tokens: list[int]) -> bool:
    return any("layout" in marks.concepts[i] and len(marks.text[i]) > 1 for i in tokens)


def _layout(marks: Marks) -> str | None:
    """Partitions and RAID in the customer's words: the sentences and lines that speak of them."""
    segments: dict[int, list[int]] = {}
    for i, segment in enumerate(marks.segment):
        if marks.part[i] == "body" and not marks.log[i]:
            segments.setdefault(segment, []).append(i)
    pieces = []
    for tokens in segments.values():
        if _about_layout(marks, tokens):
            text = marks.source(tokens[0])[marks.start[tokens[0]] : marks.end[tokens[-1]]]
            pieces.append(" ".join(text.split()))
    return "; ".join(pieces)[:_LAYOUT_LIMIT] or None
