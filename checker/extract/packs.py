"""Rule data to a compiled :class:`Reader` -- the lexicon of all languages and the frames over it.

Pure: the caller has read the files. Every error names the file and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..model import Label
from .context import RETRACT, STATUS_CUES
from .frames import Frame, FrameError, build_frame, resolve
from .lexicon import Lexicon, PhraseError
from .lexicons import STOP, Lexicons, Phrases

IDIOM: Final = "idiom."
GIVEN: Final = frozenset(
    {"window", "hours", "system", "component", "identifier"}
)  # concepts that other extractors supply

# Concepts that no frame names because the code asks for them: see statements, answers, requests.
_USED_IN_CODE = frozenset(
    {STOP, "clause.break", "affirm", "answer_no", "only", "except", "unknown_slot", "all_of_it", "adopt", "ask_server",
     "ask_access", "ask_os", "ask_component", "business", "thanks", "server", "this_server", "service"}
)  # fmt: skip
_CUES = frozenset(
    {f"cue.{name}" for name, _ in STATUS_CUES}
    | {RETRACT, "cue.neg", "cue.neg_post", "cue.question", "cue.polite", "cue.discretion"}
)
_EXACT: Final = "cue."  # cues are short and dangerous: they match exactly or not at all


class PackError(ValueError):
    """A rule file that cannot be used; the message names the file, the key and what to do."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The compiled rules: immutable in use, shared by all tickets."""

    languages: tuple[str, ...]
    lexicons: Lexicons
    frames: tuple[tuple[Frame, ...], ...]  # per language, shared ones first
    bits: Mapping[str, int]  # concept -> its bit
    masks: tuple[tuple[tuple[int, ...], ...], ...]  # per language and frame: one mask a part
    abbreviations: frozenset[str]
    groups: Mapping[str, Sequence[str]]
    words: tuple[Phrases, ...]  # per language: concept -> its phrases as written
    shared: int  # how many of each language's frames are shared ones


def build_reader(shared: Mapping[str, object], packs: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Reader:
    """A reader from ``rules/frames.toml`` and the packs (``packs[language][file stem]``)."""
    groups = _groups(shared)
    abbreviations = frozenset(str(a).rstrip(".") for a in _list(shared, "abbreviations", "rules/frames.toml"))
    for key in shared:
        if key not in ("abbreviations", "groups", "frame"):
            raise PackError(f"rules/frames.toml: unknown key '{key}'; use abbreviations, groups, frame")
    common = _frames(shared, groups, "rules/frames.toml")
    idioms = tuple(_idiom_frame(label) for label in Label)
    languages = tuple(packs)
    known = _known_concepts((*common, *idioms), groups)
    per_language: list[tuple[Frame, ...]] = []
    words: dict[str, Phrases] = {}
    for language, files in packs.items():
        place = f"rules/lang/{language}/frames.toml"
        own = _frames(files.get("frames", {}), groups, place)
        allowed = known | _known_concepts(own, groups)
        words[language] = _words(language, files.get("lexicon", {}), allowed)
        per_language.append((*common, *idioms, *own))
    _check_ids(per_language, languages)
    names = {c for frames in per_language for f in frames for part in f.parts for c in part}
    bits = {name: 1 << i for i, name in enumerate(sorted(names))}
    masks = tuple(
        tuple(tuple(sum(bits[c] for c in part) for part in frame.parts) for frame in frames) for frames in per_language
    )
    return Reader(
        languages,
        Lexicons(words, _compile),
        tuple(per_language),
        bits,
        masks,
        abbreviations,
        groups,
        tuple(words.values()),
        len(common) + len(idioms),
    )


def _groups(shared: Mapping[str, object]) -> Mapping[str, Sequence[str]]:
    groups = shared.get("groups", {})
    if not isinstance(groups, Mapping):
        raise PackError("rules/frames.toml: [groups] must be a table of name = [concepts]")
    return {str(k): tuple(str(c) for c in v) for k, v in groups.items()}


def _list(data: Mapping[str, object], key: str, place: str) -> list[object]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise PackError(f"{place}: '{key}' must be a list")
    return value


def _frames(data: Mapping[str, object], groups: Mapping[str, Sequence[str]], place: str) -> tuple[Frame, ...]:
    frames = []
    for entry in _list(data, "frame", place):
        if not isinstance(entry, Mapping):
            raise PackError(f"{place}: each [[frame]] is a table")
        try:
            frames.append(build_frame(entry, groups, place))
        except FrameError as error:
            raise PackError(str(error)) from error
    return tuple(frames)


def _idiom_frame(label: Label) -> Frame:
    """A whole saying that means one label ("carta bianca"); context still decides whether it counts."""
    question = "polite" if label.value.startswith("request") else "drop"
    keep = {"past": "keep", "third": "keep"} if label.value.startswith("backup") else {}
    return Frame(
        f"idiom.{label}", label, (frozenset({IDIOM + label}),), negated=None, on={"question": question, **keep}
    )


def _known_concepts(frames: Sequence[Frame], groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    names = {c for f in frames for part in f.parts for c in part} | {c for f in frames for c in f.none}
    names |= {c for g in groups for c in resolve(g, groups)}
    return frozenset(names) | _CUES | GIVEN | _USED_IN_CODE


def _words(language: str, data: Mapping[str, object], allowed: frozenset[str]) -> Phrases:
    """The phrases of one pack, concept by concept."""
    place = f"rules/lang/{language}/lexicon.toml"
    for key in data:
        if key not in ("concepts", "idioms"):
            raise PackError(f"{place}: unknown table [{key}]; use [concepts] and [idioms]")
    words: dict[str, tuple[str, ...]] = {}
    tables = [("", data.get("concepts", {})), (IDIOM, data.get("idioms", {}))]
    for prefix, table in tables:
        if not isinstance(table, Mapping):
            raise PackError(f"{place}: [concepts] and [idioms] are tables of name = [phrases]")
        for name, phrases in table.items():
            concept = prefix + str(name)
            if concept not in allowed:
                raise PackError(f"{place}: no frame uses '{concept}'; correct the name or write a frame for it")
            if not isinstance(phrases, list) or not all(isinstance(p, str) for p in phrases):
                raise PackError(f"{place}: '{concept}' must be a list of phrases")
            words[concept] = tuple(phrases)
    return words


def _compile(language: str, words: Phrases) -> Lexicon:
    """The lexicon of one pack. Raises :class:`PackError` naming the file and the phrase."""
    lexicon = Lexicon((language,))
    for concept, phrases in words.items():
        try:
            lexicon.add(language, concept, phrases, tolerant=not concept.startswith(_EXACT) and concept != STOP)
        except PhraseError as error:
            raise PackError(f"rules/lang/{language}/lexicon.toml: {concept}: {error}") from error
    return lexicon


def _check_ids(per_language: Sequence[Sequence[Frame]], languages: Sequence[str]) -> None:
    for language, frames in zip(languages, per_language, strict=True):
        seen: set[str] = set()
        for frame in frames:
            if frame.id in seen:
                raise PackError(f"rules/lang/{language}/frames.toml: frame id '{frame.id}' is used twice")
            seen.add(frame.id)
