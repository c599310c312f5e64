"""Words of the language packs, compiled into one automaton that reads all languages in one pass.

A pack lists phrases under concepts::

    [concepts]
    reboot = ["riavvi{o,i}", "riavviar*", "far{lo,la} ripartire", "power cycle"]

The phrase syntax is small on purpose, so that a support lead can write it and no phrase can run away:

``word``        that word; case and diacritics do not matter
``=sì``         that word with exactly these diacritics (where ``si`` means something else)
``riavvi*``     every word that begins so (at least three letters before the star)
``{a,b c}``     one of these
``(word)``      the word or nothing
``~3``          up to three other words, within the same segment (1 to 8)
``^phrase``     only at the start of a clause
``phrase$``     only at the end of a clause (a label's colon ends one too)
``+phrase``     does not hide shorter matches inside it (see :meth:`Lexicon.hits`)

Matching walks a trie over word *elements* (an exact form or a stem); which elements a word has is
memoised, because mail repeats its words. Rules never reach a backtracking engine: the work is linear
in the text times the few branches of the trie (design, "patterns that people edit never reach re").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .fold import fold

MAX_GAP = 8
MIN_STEM = 3
MAX_READINGS = 2000
_MEMO_LIMIT = 60_000
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_GAP = re.compile(r"~(\d+)\Z")


class PhraseError(ValueError):
    """A phrase that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A concept found over the tokens ``start`` to ``end`` (half open) of a segment.

    ``start == end == -1``: not in the words themselves but given by the question they answer.
    """

    concept: str
    start: int
    end: int
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class _End:
    """A phrase that ends at a state."""

    language: int
    concept: str
    phrase: str
    hides: bool
    opens: bool  # only at the start of a clause
    closes: bool  # only at the end of a clause


@dataclass(slots=True)
class _Node:
    """One state: edges by element, gap edges, and the phrases that end here."""

    edges: dict[int, _Node] = field(default_factory=dict)
    gaps: list[tuple[int, _Node]] = field(default_factory=list)
    ends: list[_End] = field(default_factory=list)


def expand(phrase: str) -> list[str]:
    """``phrase`` with its ``{a,b}`` and ``(optional)`` parts written out; they may be nested.

    >>> expand("far{lo,la} (pure) ripartire")[:2]
    ['farlo pure ripartire', 'farlo ripartire']
    """
    options, at = _sequence(phrase, 0, "")
    if at != len(phrase):
        raise PhraseError(f"'{phrase}': '{phrase[at]}' closes nothing")
    return list(dict.fromkeys(" ".join(option.split()) for option in options))


def _sequence(phrase: str, at: int, closers: str) -> tuple[list[str], int]:
    """The readings of ``phrase`` from ``at`` to one of ``closers`` (or the end), and where that stands."""
    options = [""]
    while at < len(phrase) and phrase[at] not in closers:
        char = phrase[at]
        if char == "{":
            choices: list[str] = []
            while True:
                inner, at = _sequence(phrase, at + 1, ",}")
                if at >= len(phrase):
                    raise PhraseError(f"'{phrase}': '{{' is never closed; write '}}'")
                choices += inner
                if phrase[at] == "}":
                    break
        elif char == "(":
            inner, at = _sequence(phrase, at + 1, ")")
            if at >= len(phrase):
                raise PhraseError(f"'{phrase}': '(' is never closed; write ')'")
            choices = [*inner, ""]
        elif char in "})":
            break
        else:
            choices = [char]
        options = [head + tail for head in options for tail in choices]
        if len(options) > MAX_READINGS:
            raise PhraseError(f"'{phrase}' stands for more than {MAX_READINGS} phrases; split it")
        at += 1
    return options, at


class Lexicon:
    """All packs' phrases. Build once with :meth:`add`, then :meth:`hits` is pure."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = tuple(languages)
        self._root = _Node()
        self._exact: dict[str, list[int]] = {}
        self._accented: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        self._squeezed: dict[str, list[int]] = {}
        self._squeezed_stems: dict[str, list[int]] = {}
        self._deleted: dict[str, list[int]] = {}
        self._elements: dict[str, int] = {}
        self._stem_lengths: tuple[int, ...] = ()
        self._memo: dict[str, tuple[int, ...]] = {}

    # -- building --

    def add(self, language: str, concept: str, phrases: Iterable[str], *, tolerant: bool = True) -> None:
        """Teach ``concept`` in ``language``; ``tolerant`` words also match with a slip of the keyboard."""
        number = self.languages.index(language)
        for phrase in phrases:
            body = phrase.removeprefix("+")
            end = _End(number, concept, phrase, body == phrase, body.startswith("^"), body.endswith("$"))
            for plain in expand(body.removeprefix("^").removesuffix("$")):
                self._add(end, plain, tolerant)
        self._stem_lengths = tuple(sorted({len(s) for s in self._stems}))
        self._memo.clear()

    def _add(self, end: _End, plain: str, tolerant: bool) -> None:
        node = self._root
        phrase = end.phrase
        slots = plain.split()
        if not slots:
            raise PhraseError(f"'{phrase}' is empty")
        if slots[0].startswith("~") or slots[-1].startswith("~"):
            raise PhraseError(f"'{phrase}': a gap needs a word on both sides")
        for slot in slots:
            if gap := _GAP.match(slot):
                width = int(gap[1])
                if not 1 <= width <= MAX_GAP:
                    raise PhraseError(f"'{phrase}': a gap is ~1 to ~{MAX_GAP} words")
                target = next((n for w, n in node.gaps if w == width), None)
                if target is None:
                    target = _Node()
                    node.gaps.append((width, target))
                node = target
                continue
            for element in self._slot_elements(slot, phrase, tolerant):
                node = node.edges.setdefault(element, _Node())
        if node is self._root:
            raise PhraseError(f"'{phrase}' has no letters")
        node.ends.append(end)

    def _slot_elements(self, slot: str, phrase: str, tolerant: bool) -> list[int]:
        """The elements of one slot; ``c'è`` and ``power-cycle`` are several words."""
        accented = slot.startswith("=")
        body = slot.removeprefix("=")
        stem = body.endswith("*")
        body = body.removesuffix("*")
        if "*" in body or "~" in body:
            raise PhraseError(f"'{phrase}': '*' stands only at the end of a word, '~' only before a number")
        words = _WORD.findall(body)
        found: list[int] = []  # none for a slot without letters ("/"): punctuation never counts
        for k, word in enumerate(words):
            is_stem = stem and k == len(words) - 1
            folded = fold(word)
            if is_stem and len(folded) < MIN_STEM:
                raise PhraseError(f"'{phrase}': '{slot}' needs at least {MIN_STEM} letters before '*'")
            key = f"={word.lower()}" if accented and not is_stem else folded + ("*" if is_stem else "")
            element = self._elements.setdefault(key, len(self._elements))
            table = self._accented if key[0] == "=" else self._stems if is_stem else self._exact
            name = word.lower() if key[0] == "=" else folded
            if element not in table.setdefault(name, []):
                table[name].append(element)
            if tolerant and key[0] != "=" and len(folded) >= 5:
                self._add_slips(folded, element, is_stem)
            found.append(element)
        return found

    def _add_slips(self, folded: str, element: int, is_stem: bool) -> None:
        squeezed = self._squeezed_stems if is_stem else self._squeezed
        squeezed.setdefault(squeeze(folded), []).append(element)
        if len(folded) >= 6 and not is_stem:
            for form in _deletions(folded):
                self._deleted.setdefault(form, []).append(element)

    # -- reading --

    def elements(self, word: str) -> tuple[int, ...]:
        """The elements that ``word`` (as written) is an instance of."""
        known = self._memo.get(word)
        if known is not None:
            return known
        folded = fold(word)
        found = list(self._exact.get(folded, ()))
        found += self._accented.get(word.lower(), ())
        for length in self._stem_lengths:
            if length > len(folded):
                break
            found += self._stems.get(folded[:length], ())
        if not found and len(folded) >= 5 and not folded.isdigit():
            found = self._slips(folded)
        result = tuple(dict.fromkeys(found))
        if len(self._memo) > _MEMO_LIMIT:
            self._memo.clear()
        self._memo[word] = result
        return result

    def _slips(self, folded: str) -> list[int]:
        """Elements one slip away: doubled or undoubled letters, then one letter wrong in a long word."""
        short = squeeze(folded)
        found = list(self._squeezed.get(short, ()))
        for length in range(4, len(short) + 1):
            found += self._squeezed_stems.get(short[:length], ())
        if found or len(folded) > 24:
            return found
        found += self._deleted.get(folded, ())
        if len(folded) < 7:
            return found if len(set(found)) <= 3 else []
        for form in _deletions(folded):
            found += self._deleted.get(form, ()) or self._exact.get(form, ())
        return found if len(set(found)) <= 3 else []

    def hits(
        self, words: Sequence[str], starts: frozenset[int] = frozenset(), ends: frozenset[int] = frozenset()
    ) -> list[list[Hit]]:
        """Per language, the concepts in ``words``; a longer phrase hides shorter ones strictly inside it.

        ``starts`` are the words that begin a clause, ``ends`` the places behind those that end one (the
        first and the last word always do). "nessun problema" hides the negation in it, "se necessario"
        the condition: ConText's pseudo-cues, without a list of their own.
        """
        rows = [self.elements(word) for word in words]
        found: list[dict[tuple[str, int, int], _End]] = [{} for _ in self.languages]
        root = self._root.edges
        walk = _Walk(rows, len(rows), starts, ends, found)
        for i, row in enumerate(rows):
            for element in row:
                node = root.get(element)
                if node is not None:
                    walk.on(node, i, i + 1)
        return [_visible(entries) for entries in found]


@dataclass(frozen=True, slots=True)
class _Walk:
    """The trie walked over one segment's elements."""

    rows: list[tuple[int, ...]]
    total: int
    starts: frozenset[int]
    ends: frozenset[int]
    found: list[dict[tuple[str, int, int], _End]]

    def on(self, node: _Node, start: int, at: int) -> None:
        """Note what ends at ``node`` over the words ``start`` to ``at``, and go on from there."""
        for end in node.ends:
            if end.opens and start and start not in self.starts:
                continue
            if end.closes and at != self.total and at not in self.ends:
                continue
            self.found[end.language].setdefault((end.concept, start, at), end)
        if at < self.total and node.edges:
            for element in self.rows[at]:
                following = node.edges.get(element)
                if following is not None:
                    self.on(following, start, at + 1)
        for width, target in node.gaps:
            for skip in range(width + 1):
                if at + skip >= self.total:
                    break
                for element in self.rows[at + skip]:
                    following = target.edges.get(element)
                    if following is not None:
                        self.on(following, start, at + skip + 1)


def _visible(entries: Mapping[tuple[str, int, int], _End]) -> list[Hit]:
    if not entries:
        return []
    covers = sorted({(s, e) for (_, s, e), end in entries.items() if end.hides and e - s > 1})
    result = []
    for (concept, start, end), source in entries.items():
        if any(s <= start and end <= e and e - s > end - start for s, e in covers):
            continue
        result.append(Hit(concept, start, end, source.phrase))
    result.sort(key=lambda h: (h.start, h.end))
    return result


def squeeze(word: str) -> str:
    """``word`` with runs of a letter made one: the commonest slip ("riavio", "bakupp")."""
    return "".join(c for i, c in enumerate(word) if i == 0 or c != word[i - 1])


def _deletions(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]
