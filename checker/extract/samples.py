"""Rules prove themselves: the samples of each pack, run; and what no sample touches.

As fail2ban's samples and semgrep's annotated tests: every failure names the file, the sample and the rule, so
that a support lead can mend it without reading code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..model import Label, Statement, Status, TimeWindow
from .packs import IDIOM, PackError, Reader
from .read import taken_back, timed_hits
from .segments import segment
from .statements import Given, read_segment

WindowsIn = Callable[[str], Sequence[TimeWindow]]
_KEYS: Final = {"text", "labels", "why"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence and exactly what it must be taken to state; no labels: a hostile sample."""

    text: str
    labels: frozenset[Label]
    language: str
    number: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a pack: where, and what to do."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def build_samples(data: Mapping[str, object], language: str) -> tuple[Sample, ...]:
    """The samples of ``rules/lang/<language>/samples.toml``. Raises :class:`PackError`."""
    place = f"rules/lang/{language}/samples.toml"
    entries = data.get("sample", [])
    if not isinstance(entries, list) or set(data) - {"sample"}:
        raise PackError(f"{place}: holds [[sample]] tables only")
    found = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or set(entry) - _KEYS or not {"text", "labels"} <= set(entry):
            raise PackError(
                f'{place}: sample {number}: write text = "…" and labels = ["…"] (empty when it states nothing)'
            )
        labels = entry["labels"]
        if not isinstance(labels, list) or any(label not in set(Label) for label in labels):
            raise PackError(f"{place}: sample {number}: labels must be of {', '.join(Label)}")
        found.append(Sample(str(entry["text"]), frozenset(Label(x) for x in labels), language, number))
    return tuple(found)


def read_text(reader: Reader, text: str, language: str, windows_in: WindowsIn) -> tuple[Statement, ...]:
    """Every statement of a text as a mail's own words, in order; for samples and measurements."""
    found: list[Statement] = []
    carried: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    said = 0
    windows = [w for w in windows_in(text) if w.has_time]
    for part in segment(text, 0, len(text), reader.abbreviations):
        read = read_segment(reader, part, 1, "body", language, Given(timed_hits(part, windows), asks), carried)
        if read.retracts and not part.question:
            found[said:] = [taken_back(s) for s in found[said:]]
        said = len(found)
        found += read.statements
        asks = read.asks
        carried = read.carries or (carried if len(part.words) < 4 else frozenset())
    return tuple(found)


def asserted(statements: Iterable[Statement]) -> frozenset[Label]:
    """The labels that count: asserted, and not merely a fault that somebody describes."""
    return frozenset(s.label for s in statements if s.status is Status.ASSERTED and s.score >= 1)


def run(reader: Reader, samples: Sequence[Sample], windows_in: WindowsIn) -> Iterator[Complaint]:
    """Everything that is wrong with the samples of one language, and what they leave untouched."""
    if not samples:
        return
    language = samples[0].language
    place = f"rules/lang/{language}/samples.toml"
    made: set[str] = set()
    hostile: set[str] = set()
    touched: set[str] = set()
    for sample in samples:
        statements = read_text(reader, sample.text, language, windows_in)
        got = asserted(statements)
        for label in sorted(got - sample.labels):
            rules = ", ".join(s.rule for s in statements if s.label == label and s.status is Status.ASSERTED)
            yield Complaint(
                f"{place}: sample {sample.number}", f'"{sample.text}" states {label} (by {rules}), which it must not'
            )
        for label in sorted(sample.labels - got):
            seen = ", ".join(f"{s.rule} {s.status}" for s in statements) or "nothing was read"
            yield Complaint(f"{place}: sample {sample.number}", f'"{sample.text}" does not state {label} ({seen})')
        rules_here = {s.rule for s in statements}
        made |= {s.rule for s in statements if s.status is Status.ASSERTED and s.label in sample.labels}
        if not sample.labels:
            hostile |= rules_here
        touched |= _concepts(reader, sample)
    yield from _untouched(reader, language, made, touched)


def _concepts(reader: Reader, sample: Sample) -> set[str]:
    number = reader.languages.index(sample.language)
    found: set[str] = set()
    for part in segment(sample.text, 0, len(sample.text), reader.abbreviations):
        for hit in reader.lexicons.hits(part, {sample.language})[number]:
            found.add(f"{hit.concept}:{hit.phrase}" if hit.concept.startswith(IDIOM) else hit.concept)
    return found


def _untouched(reader: Reader, language: str, made: set[str], touched: set[str]) -> Iterator[Complaint]:
    number = reader.languages.index(language)
    for concept, phrases in reader.words[number].items():
        if concept == "stop":
            continue
        if concept.startswith(IDIOM):
            for phrase in phrases:
                if f"{concept}:{phrase}" not in touched:
                    yield Complaint(
                        f"rules/lang/{language}/lexicon.toml",
                        f"no sample uses the saying '{phrase}' ({concept}); add one that it makes and a hostile one",
                    )
        elif concept not in touched:
            yield Complaint(
                f"rules/lang/{language}/lexicon.toml", f"no sample uses a word of '{concept}'; add one to samples.toml"
            )
    own = {f.id for f in reader.frames[number][reader.shared :]}
    for frame in sorted(own - {r.split("/", 1)[1].split(":")[0] for r in made}):
        if not frame.startswith(IDIOM):
            yield Complaint(f"rules/lang/{language}/frames.toml", f"no sample is made by frame '{frame}'; add one")
