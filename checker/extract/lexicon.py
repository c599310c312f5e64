"""Words of the language packs, compiled into one automaton that reads all languages in one pass.

A pack lists phrases under concepts::

    [concepts]
    reboot = ["riavvi{o,i}", "riavviar*", "far{lo,la} ripartire", "power cycle"]

The phrase syntax is small on purpose, so that a support lead can write it and no phrase can run away:

``word``        that word; case and diacritics do not matter
``=sì``         that word with exactly these diacritics (where ``si`` means something else)
``riavvi*``     every word that begins so (at least three letters before the star)
``{a,b c}``     one of these
``(word)``      the word or nothing; ``(a,b)`` is one of these or nothing
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
_BRACES = re.compile(r"[{}()]")
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
    """One state: edges by element (more than one where alternatives meet again), gap edges, phrases that end here."""

    edges: dict[int, list[_Node]] = field(default_factory=dict)
    gaps: list[tuple[int, _Node]] = field(default_factory=list)
    ends: list[_End] = field(default_factory=list)
    shared: bool = False  # alternatives meet here: no other phrase may go on from it


def items(phrase: str) -> list[list[str]]:
    """The places of ``phrase``, each with its readings; a reading may be several words, or none.

    Alternatives inside a word are written out, alternatives of words stay side by side, so that a phrase
    of many choices costs their sum and not their product.

    >>> items("far{lo,la} (pure) {ripartire,andare su}")
    [['farlo', 'farla'], ['pure', ''], ['ripartire', 'andare su']]
    """
    if not _BRACES.search(phrase):
        return [[word] for word in phrase.split()]
    found: list[list[str]] = []
    at = 0
    while at < len(phrase):
        if phrase[at].isspace():
            at += 1
            continue
        end = _place_end(phrase, at)
        found.append(_readings(phrase[at:end], phrase))
        at = end
    return found


_KNOWN: dict[str, list[str]] = {}  # places recur: "(pure)", "{it,them}"


def _readings(place: str, phrase: str) -> list[str]:
    known = _KNOWN.get(place)
    if known is None:
        options, stop = _sequence(place, 0, "") if _BRACES.search(place) else ([place], len(place))
        if stop != len(place):
            raise PhraseError(f"'{phrase}': '{place[stop]}' closes nothing")
        known = list(dict.fromkeys(" ".join(o.split()) for o in options))
        if len(_KNOWN) < _MEMO_LIMIT:
            _KNOWN[place] = known
    return known


def _place_end(phrase: str, at: int) -> int:
    """Where the place that begins at ``at`` ends: at the next blank outside braces."""
    depth = 0
    for i in range(at, len(phrase)):
        if phrase[i] in "{(":
            depth += 1
        elif phrase[i] in "})":
            depth -= 1
        elif phrase[i].isspace() and depth <= 0:
            return i
    if depth > 0:
        opener = "{" if phrase.count("{") > phrase.count("}") else "("
        raise PhraseError(f"'{phrase}': '{opener}' is never closed; write '{'}' if opener == '{' else ')'}'")
    return len(phrase)


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
            choices = [""]
            while True:
                inner, at = _sequence(phrase, at + 1, ",)")
                if at >= len(phrase):
                    raise PhraseError(f"'{phrase}': '(' is never closed; write ')'")
                choices += inner
                if phrase[at] == ")":
                    break
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
        self._stem_lengths: tuple[int, ...] | None = None  # worked out when first read
        self._memo: dict[str, tuple[int, ...]] = {}
        self._slots: dict[tuple[str, bool], list[int]] = {}

    # -- building --

    def add(self, language: str, concept: str, phrases: Iterable[str], *, tolerant: bool = True) -> None:
        """Teach ``concept`` in ``language``; ``tolerant`` words also match with a slip of the keyboard."""
        number = self.languages.index(language)
        for phrase in phrases:
            body = phrase.removeprefix("+")
            end = _End(number, concept, phrase, body == phrase, body.startswith("^"), body.endswith("$"))
            self._add(end, items(body.removeprefix("^").removesuffix("$")), tolerant)
        self._stem_lengths = None
        self._memo.clear()

    def _add(self, end: _End, places: list[list[str]], tolerant: bool) -> None:
        frontier = [self._root]
        phrase = end.phrase
        self._check_gaps(places, phrase)
        for options in places:
            paths = [p for p in (self._path(option, phrase, tolerant) for option in options) if p]
            reached = self._follow(frontier, paths) if paths else []
            stays = len(paths) < len(options)  # an optional place, or one without letters
            frontier = [*frontier, *reached] if stays else reached
        if any(node is self._root for node in frontier):
            raise PhraseError(f"'{phrase}' has no letters" if places else f"'{phrase}' is empty")
        for node in frontier:
            node.ends.append(end)

    @staticmethod
    def _check_gaps(places: list[list[str]], phrase: str) -> None:
        first, last = (places[0], places[-1]) if places else ([], [])
        if any(o.startswith("~") for o in first) or any(o.split()[-1:] and o.split()[-1][0] == "~" for o in last):
            raise PhraseError(f"'{phrase}': a gap needs a word on both sides")

    def _path(self, option: str, phrase: str, tolerant: bool) -> list[int]:
        """The elements of one reading of a place; a gap is the negative of its width."""
        path: list[int] = []
        for slot in option.split():
            if gap := _GAP.match(slot):
                width = int(gap[1])
                if not 1 <= width <= MAX_GAP:
                    raise PhraseError(f"'{phrase}': a gap is ~1 to ~{MAX_GAP} words")
                path.append(-width)
            else:
                path += self._slot_elements(slot, phrase, tolerant)
        return path

    def _follow(self, frontier: list[_Node], paths: list[list[int]]) -> list[_Node]:
        """The states behind one place: its readings meet again in one, unless there is but one."""
        if len(paths) == 1 and len(frontier) == 1:
            node = frontier[0]
            for element in paths[0]:
                node = self._private(node, element)
            return [node]
        join = _Node()
        for start in frontier:
            for path in paths:
                node = start
                for element in path[:-1]:
                    node = self._private(node, element)
                self._link(node, path[-1], join)
        return [join]

    def _private(self, node: _Node, element: int) -> _Node:
        """The state behind ``element`` that no alternative shares."""
        if element < 0:
            target = next((n for w, n in node.gaps if w == -element), None)
            if target is None:
                target = _Node()
                node.gaps.append((-element, target))
            return target
        for known in node.edges.get(element, ()):
            if not known.shared:
                return known
        target = _Node()
        node.edges.setdefault(element, []).append(target)
        return target

    @staticmethod
    def _link(node: _Node, element: int, target: _Node) -> None:
        target.shared = True
        if element < 0:
            node.gaps.append((-element, target))
        else:
            node.edges.setdefault(element, []).append(target)

    def _slot_elements(self, slot: str, phrase: str, tolerant: bool) -> list[int]:
        """The elements of one slot; ``c'è`` and ``power-cycle`` are several words."""
        known = self._slots.get((slot, tolerant))
        if known is not None:
            return known
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
            if not tolerant and key[0] != "=":
                key = "!" + key  # an element of its own: the slips of a tolerant namesake must not count for it
            element = self._elements.setdefault(key, len(self._elements))
            table = self._accented if key[0] == "=" else self._stems if is_stem else self._exact
            name = word.lower() if key[0] == "=" else folded
            if element not in table.setdefault(name, []):
                table[name].append(element)
            if tolerant and key[0] not in "=!" and len(folded) >= 5:
                self._add_slips(folded, element, is_stem)
            found.append(element)
        self._slots[slot, tolerant] = found
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
        found = [*self._instances(folded), *self._accented.get(word.lower(), ())]
        if not found and (plain := _without_digraphs(folded)) != folded:
            found = self._instances(plain)
        if not found and len(folded) >= 5 and not folded.isdigit():
            found = self._slips(folded)
        result = tuple(dict.fromkeys(found))
        if len(self._memo) > _MEMO_LIMIT:
            self._memo.clear()
        self._memo[word] = result
        return result

    def _instances(self, folded: str) -> list[int]:
        found = list(self._exact.get(folded, ()))
        if self._stem_lengths is None:
            self._stem_lengths = tuple(sorted({len(s) for s in self._stems}))
        for length in self._stem_lengths:
            if length > len(folded):
                break
            found += self._stems.get(folded[:length], ())
        return found

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
                for node in root.get(element, ()):
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
                for following in node.edges.get(element, ()):
                    self.on(following, start, at + 1)
        for width, target in node.gaps:
            for skip in range(width + 1):
                if at + skip >= self.total:
                    break
                for element in self.rows[at + skip]:
                    for following in target.edges.get(element, ()):
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
