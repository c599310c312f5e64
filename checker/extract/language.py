"""The language to answer in: by the visible text, then the thread, then py3langid for the rest."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any, Final

from ..model import ZoneKind
from .reading import Reading

CLEAR: Final = 1.25  # how far ahead the best pack must be of the second to be believed outright
FEW: Final = 4  # different words below which the thread's language stands
ENOUGH: Final = 3  # function words below which a text says little about its language


def choose(scores: Counter[str], reading: Reading, before: str, in_thread: bool) -> str:
    """The language of a message.

    ``scores`` are the function words of each language. Where two packs are close, py3langid restricted to the
    packs decides; where the text is a word or two ("ok, grazie 48213"), the thread does.
    """
    ranked = scores.most_common(2)
    if in_thread and _words(reading) < FEW:
        return before  # "1. Ja 2. Ja 3. Ja" is no Polish, however often "ja" stands there
    if not ranked or ranked[0][1] < ENOUGH:
        if in_thread or not ranked or not ranked[0][1]:
            return before
        # "se" and "ne" are French and Slovenian: of packs that know as much, not the first in the alphabet
        even = tuple(language for language, score in scores.items() if score == ranked[0][1])
        return even[0] if len(even) == 1 else _langid(reading, even, tuple(scores))
    best, top = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0
    if top >= CLEAR * second:
        return best
    guess = _langid(reading, tuple(scores), tuple(scores))
    if in_thread and scores[before] >= top * 0.8:
        return before
    return guess if scores[guess] >= top * 0.6 else best


def _words(reading: Reading) -> int:
    """How many different words the sender wrote; the same one again is no further witness."""
    own = (
        reading.text(s.part)[s.start : s.end] for s in reading.stretches if s.kind is ZoneKind.OWN and s.part == "body"
    )
    return len({w for text in own for word in text.split() if (w := word.strip(".,;:!?()\"'").casefold()).isalpha()})


def _langid(reading: Reading, among: tuple[str, ...], packs: tuple[str, ...]) -> str:
    """The likeliest of ``among``; one model of all ``packs`` (54 MB) serves every choice between some of them."""
    own = " ".join(reading.text(s.part)[s.start : s.end] for s in reading.stretches if s.kind is ZoneKind.OWN)
    ranked: list[tuple[str, float]] = _identifier(packs).rank(own[:4000])
    return next(language for language, _ in ranked if language in among)


@lru_cache(maxsize=1)
def _identifier(languages: tuple[str, ...]) -> Any:
    # 0.6 s to load, and needed only when two packs are close; it ships no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(list(languages))
    # The other 90 languages' weights (21 MB) are not kept.
    return LanguageIdentifier(
        whole.nb_ptc, whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output, tk_row=whole.tk_row
    )
