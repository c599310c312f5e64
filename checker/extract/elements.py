"""Which elements of the phrases a word of a mail is an instance of: exact forms, stems, and slips of the keyboard.

An element is a number from 1 for one way a phrase asks for a word: exactly so, in any word that begins so, with
exactly these diacritics. Case and diacritics do not matter otherwise (:mod:`.fold`).
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from .fold import fold
from .phrases import PhraseError

MIN_STEM: Final = 3
_SLIP: Final = 5  # letters from which a word may have a doubled letter too many or too few
_LONG: Final = 6  # letters from which one letter may be wrong
_LONGEST: Final = 24
_AMBIGUOUS: Final = 3  # a slip that could be of more words than this is none
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_Table = dict[str, tuple[int, ...]]


class Elements:
    """The elements of one lexicon. Filled by :meth:`slot`; :meth:`of` is pure."""

    def __init__(self) -> None:
        self._count = 0
        self._strict: set[int] = set()  # elements that forgive nothing: the slips of a namesake must not count for them
        self._exact: _Table = {}
        self._accented: _Table = {}
        self._stems: _Table = {}
        self._stem_lengths: tuple[int, ...] = ()
        self._slips: _Slips | None = None  # made when the first word is not found

    def slot(self, slot: str, phrase: str, *, tolerant: bool) -> tuple[int, ...]:
        """The elements of one word of a phrase; ``c'è`` and ``power-cycle`` are several words.

        None for a slot without letters ("/"): punctuation never counts. Raises :class:`PhraseError`.
        """
        if slot.isalpha():
            return (self._element(slot, slot, phrase, accented=False, stem=False, tolerant=tolerant),)
        accented = slot.startswith("=")
        body = slot.removeprefix("=")
        stem = body.endswith("*")
        body = body.removesuffix("*")
        if "*" in body or "~" in body:
            raise PhraseError(f"'{phrase}': '*' stands only at the end of a word, '~' only before a number")
        words: list[str] = _WORD.findall(body)
        last = len(words) - 1
        return tuple(
            self._element(word, slot, phrase, accented=accented, stem=stem and k == last, tolerant=tolerant)
            for k, word in enumerate(words)
        )

    def _element(self, word: str, slot: str, phrase: str, *, accented: bool, stem: bool, tolerant: bool) -> int:
        folded = fold(word)
        if stem and len(folded) < MIN_STEM:
            raise PhraseError(f"'{phrase}': '{slot}' needs at least {MIN_STEM} letters before '*'")
        exactly = accented and not stem
        table = self._accented if exactly else self._stems if stem else self._exact
        name = word.lower() if exactly else folded
        known = table.get(name, ())
        for element in known:
            if exactly or (element in self._strict) != tolerant:
                return element
        self._count = element = self._count + 1
        table[name] = (*known, element)
        if not tolerant:
            self._strict.add(element)
        self._slips = None
        self._stem_lengths = ()
        return element

    def of(self, word: str) -> tuple[int, ...]:
        """The elements that ``word`` (as written) is an instance of, in ascending order."""
        folded = fold(word)
        found = {*self._instances(folded), *self._accented.get(word.lower(), ())}
        if not found and (plain := _without_digraphs(folded)) != folded:
            found = self._instances(plain)
        if not found and len(folded) >= _SLIP and not folded.isdigit():
            if self._slips is None:
                self._slips = _Slips(self._exact, self._stems, self._strict)
            found = self._slips.of(folded)
        return tuple(sorted(found))

    def _instances(self, folded: str) -> set[int]:
        found = set(self._exact.get(folded, ()))
        if not self._stem_lengths:
            self._stem_lengths = tuple(sorted({len(s) for s in self._stems}))
        for length in self._stem_lengths:
            if length > len(folded):
                break
            found.update(self._stems.get(folded[:length], ()))
        return found


class _Slips:
    """Elements one slip away: doubled or undoubled letters, then one letter wrong in a long word.

    A letter is wrong when two words are alike without one letter each. The words of a pack have 30,000 such forms;
    only their hashes are kept, sorted (12 bytes each), and a find is compared letter by letter.
    """

    def __init__(self, exact: _Table, stems: _Table, strict: AbstractSet[int]) -> None:
        self._exact = exact
        tolerant = [(w, e) for w, elements in exact.items() if len(w) >= _SLIP for e in elements if e not in strict]
        begun = [(w, e) for w, elements in stems.items() if len(w) >= _SLIP for e in elements if e not in strict]
        self._squeezed = _by_squeezed(tolerant)
        self._squeezed_stems = _by_squeezed(begun)
        self._long = [(word, element) for word, element in tolerant if len(word) >= _LONG]
        pairs = sorted((hash(form), i) for i, (word, _) in enumerate(self._long) for form in _deletions(word))
        self._hashes = array("q", [h for h, _ in pairs])
        self._places = array("I", [i for _, i in pairs])

    def of(self, folded: str) -> set[int]:
        short = squeeze(folded)
        found = set(self._squeezed.get(short, ()))
        for length in range(4, len(short) + 1):
            found.update(self._squeezed_stems.get(short[:length], ()))
        if found or len(folded) > _LONGEST:
            return found
        found.update(self._without_a_letter(folded))
        if len(folded) > _LONG:
            for form in _deletions(folded):
                found.update(self._without_a_letter(form) or self._exact.get(form, ()))
        return found if len(found) <= _AMBIGUOUS else set()

    def _without_a_letter(self, form: str) -> list[int]:
        """The elements of the words that are ``form`` when a letter is taken out."""
        wanted = hash(form)
        found = []
        at = bisect_left(self._hashes, wanted)
        while at < len(self._hashes) and self._hashes[at] == wanted:
            word, element = self._long[self._places[at]]
            if form in _deletions(word):
                found.append(element)
            at += 1
        return found


def _by_squeezed(words: Iterable[tuple[str, int]]) -> _Table:
    found: _Table = {}
    for word, element in words:
        short = squeeze(word)
        found[short] = (*found.get(short, ()), element)
    return found


def _without_digraphs(word: str) -> str:
    """German written without umlauts ("Luefter", "koennen") as it folds with them."""
    for digraph, letter in (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ss", "s")):
        word = word.replace(digraph, letter)
    return word


def squeeze(word: str) -> str:
    """``word`` with runs of a letter made one: the commonest slip ("riavio", "bakupp")."""
    return "".join(c for i, c in enumerate(word) if i == 0 or c != word[i - 1])


def _deletions(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]
