"""Frames: which parts, said together, make which statement.

A frame names parts (concepts of the lexicon), how near they must stand, and what the statement becomes
when it is negated, asked, put off or doubted. Frames of ``rules/frames.toml`` hold for every language;
a pack adds its own where a language builds sentences its own way. They are data::

    [[frame]]
    id = "power.permitted"
    label = "power_granted"
    all = ["power", "permit|fine"]
    negated = "power_denied"

Keys: ``all`` (each an alternative list ``a|b``; every one must be there), ``none`` (must not be in the
scope), ``scope`` (``clause``, ``group`` or ``segment``), ``gap`` (most words between two parts),
``ordered``, ``negated`` (label when an odd number of negations governs it; "" = says nothing
decidable; absent = negation does not matter), ``on`` (per cue: another label, ``keep`` or ``drop``),
``apart`` (must not stand within three words of it: "restart nginx" is no power action),
``carry`` (a part may come from the sentence before), ``weak`` (only counts when no other frame of its
field spoke in the segment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..model import Label
from .lexicon import Hit

SCOPES: Final = ("clause", "group", "segment")
APART: Final = 3  # words
_MACHINE: Final = ("server", "this_server")
KEEP: Final = "keep"
DROP: Final = "drop"
POLITE: Final = "polite"  # a question counts when it is a polite request


class FrameError(ValueError):
    """A frame that cannot be used; the message names it and what to change."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One compiled frame; see the module docstring for its keys."""

    id: str
    label: Label
    parts: tuple[frozenset[str], ...]
    none: frozenset[str] = frozenset()
    scope: str = "clause"
    gap: int = 8
    ordered: bool = False
    negated: Label | str | None = KEEP
    on: Mapping[str, str] = field(default_factory=dict)
    carry: bool = False
    weak: bool = False
    apart: frozenset[str] = frozenset()

    @property
    def negating(self) -> bool:
        """Whether a negation is itself one of the parts ("no reboot")."""
        return any("cue.neg" in part or "cue.neg_post" in part for part in self.parts)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a frame fits: its hits in the order of its parts, and the word range they span."""

    frame: Frame
    hits: tuple[Hit, ...]
    start: int
    end: int


_KEYS = {"id", "label", "all", "none", "scope", "gap", "ordered", "negated", "on", "carry", "weak", "apart", "why"}


def build_frame(data: Mapping[str, object], groups: Mapping[str, Sequence[str]], where: str) -> Frame:
    """A frame from its table; ``groups`` names unions of concepts. Raises :class:`FrameError`."""
    name = str(data.get("id", ""))
    place = f"{where}: frame '{name}'" if name else f"{where}: a frame without id"
    for key in data:
        if key not in _KEYS:
            raise FrameError(f"{place}: unknown key '{key}'; use one of {', '.join(sorted(_KEYS))}")
    for key in ("id", "label", "all"):
        if key not in data:
            raise FrameError(f"{place}: '{key}' is missing")
    parts = data["all"]
    if not isinstance(parts, list) or not parts:
        raise FrameError(f"{place}: 'all' must be a list of concepts")
    scope = str(data.get("scope", "clause"))
    if scope not in SCOPES:
        raise FrameError(f"{place}: scope '{scope}' is not one of {', '.join(SCOPES)}")
    gap = data.get("gap", 8)
    if not isinstance(gap, int) or not 0 <= gap <= 30:
        raise FrameError(f"{place}: gap must be 0 to 30 words")
    negated: Label | str | None = KEEP
    if "negated" in data:
        negated = _label(str(data["negated"]), place) if data["negated"] else None
    on = data.get("on", {})
    if not isinstance(on, Mapping):
        raise FrameError(f"{place}: 'on' must be a table of cue = label")
    for cue, outcome in on.items():
        if outcome not in (KEEP, DROP, POLITE):
            _label(str(outcome), f"{place}: on.{cue}")
    return Frame(
        id=name,
        label=_label(str(data["label"]), place),
        parts=tuple(resolve(str(p), groups) for p in parts),
        none=frozenset().union(*(resolve(str(p), groups) for p in _strings(data.get("none", []), place))),
        scope=scope,
        gap=gap,
        ordered=bool(data.get("ordered", False)),
        negated=negated,
        on={str(k): str(v) for k, v in on.items()},
        carry=bool(data.get("carry", False)),
        weak=bool(data.get("weak", False)),
        apart=frozenset().union(*(resolve(str(p), groups) for p in _strings(data.get("apart", []), place))),
    )


def resolve(expression: str, groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """``"power|permit"`` to its concepts, groups written out (groups may hold groups)."""
    found: set[str] = set()
    for name in expression.split("|"):
        plain = name.strip()
        if plain in groups:
            for inner in groups[plain]:
                found |= resolve(inner, groups) if inner != plain else {inner}
        found.add(plain)
    return frozenset(found)


def _label(name: str, place: str) -> Label:
    try:
        return Label(name)
    except ValueError:
        raise FrameError(f"{place}: '{name}' is no label; use one of {', '.join(Label)}") from None


def _strings(value: object, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise FrameError(f"{place}: 'none' must be a list of concepts")
    return value


def fit(
    frame: Frame,
    by_concept: Mapping[str, Sequence[Hit]],
    regions: Sequence[int],
    given: frozenset[str],
) -> list[Found]:
    """Every way, at most one per first part, in which ``frame`` fits a segment.

    ``regions[i]`` is the clause or group of word ``i`` (all zero for a whole segment); ``given``
    are concepts that the context supplies without words (the question answered, the sentence before).
    """
    slots: list[list[Hit]] = []
    for part in frame.parts:
        hits = [h for concept in part for h in by_concept.get(concept, ())]
        if not hits:
            if part & given:
                slots.append([])
                continue
            return []
        slots.append(sorted(hits, key=lambda h: (h.start, h.end, h.concept)))
    worded = [s for s in slots if s]
    if not worded:
        return []
    found: list[Found] = []
    for first in worded[0]:
        chosen = [first]
        low, high = first.start, first.end
        region = regions[first.start]
        for options in worded[1:]:
            best = _nearest(options, low, high, region, regions, frame, chosen)
            if best is None:
                break
            chosen.append(best)
            low, high = min(low, best.start), max(high, best.end)
        else:
            if frame.none and _blocked(frame.none, by_concept, regions, region):
                continue
            if frame.apart and _crowded(frame.apart, by_concept, regions, region, chosen):
                continue
            found.append(Found(frame, tuple(chosen), low, high))
    return _distinct(found)


def _nearest(
    options: Sequence[Hit],
    low: int,
    high: int,
    region: int,
    regions: Sequence[int],
    frame: Frame,
    chosen: Sequence[Hit],
) -> Hit | None:
    best: Hit | None = None
    distance = frame.gap + 1
    for hit in options:
        if regions[hit.start] != region:
            continue
        if any(hit.start < c.end and c.start < hit.end for c in chosen):
            continue
        if frame.ordered and hit.start < chosen[-1].end:
            continue
        between = hit.start - high if hit.start >= high else low - hit.end if hit.end <= low else 0
        if between < distance:
            best, distance = hit, between
    return best


def _blocked(
    none: frozenset[str], by_concept: Mapping[str, Sequence[Hit]], regions: Sequence[int], region: int
) -> bool:
    return any(regions[h.start] == region for concept in none for h in by_concept.get(concept, ()))


def _crowded(
    apart: frozenset[str],
    by_concept: Mapping[str, Sequence[Hit]],
    regions: Sequence[int],
    region: int,
    chosen: Sequence[Hit],
) -> bool:
    """Whether something that is restarted without the machine stands beside a part, or between two of them.

    Not where it stands in the part's own words, nor where the machine is named between the parts as well
    ("restarting the server with all its VMs is fine").
    """
    low, high = min(h.start for h in chosen), max(h.end for h in chosen)
    machine = any(low <= h.start and h.end <= high for c in _MACHINE for h in by_concept.get(c, ()))
    for concept in apart:
        for h in by_concept.get(concept, ()):
            if regions[h.start] != region or any(c.start <= h.start and h.end <= c.end for c in chosen):
                continue
            between = low <= h.start and h.end <= high
            if between and machine:
                continue
            if any(h.start - c.end < APART and c.start - h.end < APART for c in chosen):
                return True
    return False


def _distinct(found: list[Found]) -> list[Found]:
    unique: dict[tuple[int, int], Found] = {}
    for entry in found:
        unique.setdefault((entry.start, entry.end), entry)
    return list(unique.values())
