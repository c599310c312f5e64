"""One lexicon a language, compiled when it is first needed.

Function words of every pack read every message; the packs that know enough of them read it through. So a
mail in two languages is read by both, and a mail in one costs one (and the start of a command compiles
one pack, not all).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from .lexicon import Hit, Lexicon
from .segments import Segment

STOP: Final = "stop"  # function words: they say which language a text is in, nothing else
SHARE: Final = 0.34  # of the best pack's function words that make another pack read along
LEAST: Final = 2
FEW: Final = 6  # function words below which a text says little about its language

Phrases = Mapping[str, tuple[str, ...]]
Compile = Callable[[str, Phrases], Lexicon]


class Lexicons:
    """The lexicons of all packs. ``phrases`` are concept -> phrases per language; ``build`` compiles one pack."""

    def __init__(self, phrases: Mapping[str, Phrases], build: Compile) -> None:
        self.languages = tuple(phrases)
        self._phrases = phrases
        self._build = build
        self._built: dict[str, Lexicon] = {}
        self._function = Lexicon(self.languages)
        for language, words in phrases.items():
            self._function.add(language, STOP, words.get(STOP, ()), tolerant=False)

    def of(self, language: str) -> Lexicon:
        """The lexicon of one pack. Raises what ``build`` raises, when the pack is first used."""
        built = self._built.get(language)
        if built is None:
            built = self._built[language] = self._build(language, self._phrases[language]).built()
        return built

    def compile(self) -> None:
        """Compile every pack now, so that a broken one is refused at the start."""
        for language in self.languages:
            self.of(language)

    def hits(self, part: Segment, only: Collection[str]) -> list[list[Hit]]:
        """Per language, in the order of :attr:`languages`, the concepts in ``part``; none for the others."""
        return [
            self.of(language).hits(part.words, part.starts, part.ends)[0] if language in only else []
            for language in self.languages
        ]

    def function_words(self, parts: Iterable[Segment]) -> Counter[str]:
        """How many function words of each language stand in ``parts``; where they are few, other words count too."""
        parts = list(parts)
        scores: Counter[str] = Counter()
        for part in parts:
            for language, row in zip(self.languages, self._function.hits(part.words), strict=True):
                scores[language] += len(row)
        if 0 < max(scores.values(), default=0) < FEW:
            # "se" and "ne" are French, Italian and Slovenian: in a line or two the other words have to tell.
            for language in [x for x, score in scores.items() if score]:
                scores[language] += sum(len(self._known(language, part)) for part in parts)
        return scores

    def _known(self, language: str, part: Segment) -> set[int]:
        """The places of the words of ``part`` that a pack knows."""
        hits = self.of(language).hits(part.words, part.starts, part.ends)[0]
        return {i for hit in hits if hit.concept != STOP for i in range(hit.start, hit.end)}


def readers(scores: Mapping[str, int], language: str, languages: Sequence[str]) -> frozenset[str]:
    """The packs that read a message in ``language``: its own, and those that know much of it."""
    best = max(scores.values(), default=0)
    # Of a few words alone several packs may know as many; then each of them reads.
    along = {x for x in languages if best and scores.get(x, 0) >= min(best, max(LEAST, SHARE * best))}
    return frozenset(along | ({language} & set(languages)))
