"""Words of the language packs, compiled into one automaton.

A pack lists phrases under concepts (their syntax: :mod:`.phrases`)::

    [concepts]
    reboot = ["riavvi{o,i}", "riavviar*", "far{lo,la} ripartire", "power cycle"]

Phrases are kept as they are written, place after place. What is made of them while mail is read is a
deterministic automaton over the words' *elements* (an exact form or a stem, :mod:`.elements`): a state stands for
all phrases that can still go on, and is worked out when words first lead to it. Mail repeats itself, so nearly every
step is one look-up, and nothing is made of phrases that nobody writes (the engine with eight packs is built in 1.4 s
of CPU; with a tree of all phrases it took 2.9). Rules never reach a backtracking engine: the work
is linear in the text times the phrases that begin alike (design, "patterns that people edit never reach re").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from operator import itemgetter
from typing import Final, NamedTuple

from .elements import Elements, squeeze
from .phrases import MAX_GAP, MAX_READINGS, PhraseError, gap, items, places, readings

__all__ = ["MAX_GAP", "MAX_READINGS", "Hit", "Lexicon", "PhraseError", "items", "squeeze"]

_MEMO_LIMIT: Final = 60_000  # words
_STEP_LIMIT: Final = 100_000  # steps of the automaton that are remembered
_MANY: Final = 8  # readings of a place
_NOTHING: Final = 0  # the word class of words that no phrase asks for

_PLACE: Final = itemgetter(1, 2)  # of a hit

# What is left of one reading of a place: elements, and gaps as the negative of their width (0: a gap used up).
_Path = tuple[int, ...]
# Phrase, place, and what is left to match before that place begins.
_Thread = tuple[int, int, _Path]


class Hit(NamedTuple):
    """A concept found over the tokens ``start`` to ``end`` (half open) of a segment.

    ``start == end == -1``: not in the words themselves but given by the question they answer.
    """

    concept: str
    start: int
    end: int
    phrase: str = ""


class _Place(NamedTuple):
    """One place of a phrase: its readings, none of them empty; ``optional``: it may be left out.

    A tuple, as :class:`_Phrase` is: there are 80,000 of them. Only of many
    readings those that begin with a word are found by it (``heads``) and not one after the other.
    """

    paths: tuple[_Path, ...]
    optional: bool
    heads: dict[int, tuple[_Path, ...]] | None = None


class _Phrase(NamedTuple):
    """A phrase and its places.

    ``needed``: the place after the last one that may not be left out; ``width``: for how many
    sequences of words it stands, those in its gaps left aside.
    """

    language: int
    concept: str
    text: str
    hides: bool
    opens: bool  # only at the start of a clause
    closes: bool  # only at the end of a clause
    places: tuple[_Place, ...]
    needed: int
    width: int


class _End(NamedTuple):
    """A phrase that is complete, and the one that names the hit."""

    phrase: _Phrase
    name: str


class _State(dict[int, "_State | None"]):
    """Phrases that can go on, all after the same words; maps a word class to the next state, ``None`` where none can.

    ``ends``: the phrases that are complete here, in the order of the pack.
    """

    __slots__ = ("ends", "lexicon", "threads")

    def __init__(self, lexicon: Lexicon, threads: tuple[_Thread, ...], ends: tuple[_End, ...]) -> None:
        super().__init__()
        self.lexicon = lexicon
        self.threads = threads
        self.ends = ends

    def __missing__(self, word_class: int) -> _State | None:
        following = self.lexicon.step(self.threads, word_class)
        self[word_class] = following
        return following


class _Root(_State):
    """Before the first word of a phrase."""

    def __missing__(self, word_class: int) -> _State | None:
        following = self.lexicon.first_step(word_class)
        self[word_class] = following
        return following


class _Classes(dict[str, int]):
    """Word as written to its class; words with the same elements are of one."""

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def __missing__(self, word: str) -> int:
        if len(self) > _MEMO_LIMIT:
            self.clear()
        self[word] = found = self._lexicon.class_of(word)
        return found


class Lexicon:
    """All phrases of one or more languages. Build once with :meth:`add`, then :meth:`hits` is pure."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = tuple(languages)
        self._elements = Elements()
        self._phrases: list[_Phrase] = []
        self._first: dict[int, list[int]] = {}  # element -> the phrases that can begin with it
        self._made: dict[tuple[str, bool], _Place] = {}  # only while building: places recur
        self._forget()

    # -- building --

    def add(self, language: str, concept: str, phrases: Iterable[str], *, tolerant: bool = True) -> None:
        """Teach ``concept`` in ``language``; ``tolerant`` words also match with a slip of the keyboard."""
        number = self.languages.index(language)
        for phrase in phrases:
            body = phrase.removeprefix("+")
            text = body.removeprefix("^").removesuffix("$")
            found = tuple(self._place(place, phrase, tolerant) for place in places(text))
            needed = next((k for k in range(len(found), 0, -1) if not found[k - 1].optional), 0)
            if not needed:
                raise PhraseError(f"'{phrase}' has no letters" if found else f"'{phrase}' is empty")
            if any(path[0] < 0 for path in found[0].paths) or any(path[-1] < 0 for path in found[-1].paths):
                raise PhraseError(f"'{phrase}': a gap needs a word on both sides")
            hides, opens, closes = body == phrase, body.startswith("^"), body.endswith("$")
            self._index(_Phrase(number, concept, phrase, hides, opens, closes, found, needed, _width(found)))
        self._forget()

    def built(self) -> Lexicon:
        """This lexicon, without what only building it needs (a fifth of its memory)."""
        self._made = {}
        return self

    def _place(self, place: str, phrase: str, tolerant: bool) -> _Place:
        known = self._made.get((place, tolerant))
        if known is None:
            paths = [self._path(reading, phrase, tolerant) for reading in readings(place, phrase)]
            worded = tuple(dict.fromkeys(filter(None, paths)))
            heads = _by_head(worded) if len(worded) > _MANY else None
            known = self._made[place, tolerant] = _Place(worded, not all(paths), heads)
        return known

    def _path(self, reading: str, phrase: str, tolerant: bool) -> _Path:
        """The elements of one reading of a place; a gap is the negative of its width."""
        if reading.isalpha():
            return self._elements.slot(reading, phrase, tolerant=tolerant)
        path: list[int] = []
        for slot in reading.split():
            if width := gap(slot, phrase):
                path.append(-width)
            else:
                path += self._elements.slot(slot, phrase, tolerant=tolerant)
        return tuple(path)

    def _index(self, phrase: _Phrase) -> None:
        number = len(self._phrases)
        self._phrases.append(phrase)
        for place in phrase.places:
            for element in place.heads or {path[0] for path in place.paths}:
                self._first.setdefault(element, []).append(number)
            if not place.optional:
                break

    def _forget(self) -> None:
        """Forget what was worked out before these phrases."""
        self._classes = _Classes(self)
        self._class_rows: list[tuple[int, ...]] = [()]
        self._class_numbers: dict[tuple[int, ...], int] = {(): _NOTHING}
        self._begin()

    def _begin(self) -> None:
        """Begin the automaton anew; a walk under way goes on in the old one."""
        self._states: dict[tuple[_Thread, ...], _State] = {}
        self._root = _Root(self, (), ())
        self._steps = 0

    # -- the automaton, made while it is used --

    def class_of(self, word: str) -> int:
        """The class of a word; words with the same elements are of one."""
        row = self._elements.of(word)
        number = self._class_numbers.get(row)
        if number is None:
            number = self._class_numbers[row] = len(self._class_rows)
            self._class_rows.append(row)
        return number

    def first_step(self, word_class: int) -> _State | None:
        """The state after the first word of a phrase."""
        row = self._class_rows[word_class]
        found: set[_Thread] = set()
        for number in {n for element in row for n in self._first.get(element, ())}:
            self._into(number, 0, row, found, gaps=False)
        return self._state(found)

    def step(self, threads: Sequence[_Thread], word_class: int) -> _State | None:
        """The state after one more word."""
        row = self._class_rows[word_class]
        found: set[_Thread] = set()
        for number, place, path in threads:
            if path:
                self._along(number, place, path, row, found)
            else:
                self._into(number, place, row, found, gaps=True)
        return self._state(found)

    def _along(self, number: int, place: int, path: _Path, row: tuple[int, ...], found: set[_Thread]) -> None:
        """Where a word leads inside a reading, or across a gap; two gaps in a row match nothing."""
        head, rest = path[0], path[1:]
        if head > 0:
            if head in row:
                found.add((number, place, rest))
            return
        if not rest:
            self._into(number, place, row, found, gaps=False)
        elif rest[0] in row:
            found.add((number, place, rest[1:]))
        if head:
            found.add((number, place, (head + 1, *rest)))

    def _into(self, number: int, place: int, row: tuple[int, ...], found: set[_Thread], *, gaps: bool) -> None:
        """Where a word leads from between two places: into the next one, and over those that may be left out."""
        following = self._phrases[number].places
        for k in range(place, len(following)):
            paths, optional, heads = following[k]
            if heads is not None:
                paths = tuple(path for element in row if element in heads for path in heads[element])
            for path in paths:
                head = path[0]
                if head in row:
                    found.add((number, k + 1, path[1:]))
                elif head < 0 and gaps:
                    self._along(number, k + 1, path, row, found)
            if not optional:
                break

    def _state(self, threads: set[_Thread]) -> _State | None:
        if not threads:
            return None
        self._steps += 1
        if self._steps > _STEP_LIMIT:
            self._begin()
        key = tuple(sorted(threads))
        known = self._states.get(key)
        if known is None:
            done = {n for n, place, path in key if not path and place >= self._phrases[n].needed}
            alive = tuple(t for t in key if t[2] or t[1] < len(self._phrases[t[0]].places))
            known = self._states[key] = _State(self, alive, _ends([self._phrases[n] for n in sorted(done)]))
        return known

    # -- reading --

    def hits(
        self, words: Sequence[str], starts: frozenset[int] = frozenset(), ends: frozenset[int] = frozenset()
    ) -> list[list[Hit]]:
        """Per language, the concepts in ``words``; a longer phrase hides shorter ones strictly inside it.

        ``starts`` are the words that begin a clause, ``ends`` the places behind those that end one (the
        first and the last word always do). "nessun problema" hides the negation in it, "se necessario"
        the condition: ConText's pseudo-cues, without a list of their own. Of several phrases of a concept over the
        same words the first of the pack counts; the most particular (of the fewest readings) names the hit.
        """
        known = self._classes
        classes = [known[word] for word in words]
        total = len(classes)
        found: list[dict[tuple[str, int, int], _End]] = [{} for _ in self.languages]
        root = self._root
        for start, first in enumerate(classes):
            state = root[first]
            at = start + 1
            while state is not None:
                for end in state.ends:
                    phrase = end.phrase
                    if (phrase.opens and start and start not in starts) or (
                        phrase.closes and at != total and at not in ends
                    ):
                        continue
                    found[phrase.language].setdefault((phrase.concept, start, at), end)
                if at == total:
                    break
                state = state[classes[at]]
                at += 1
        return [_visible(entries) if entries else [] for entries in found]


def _width(places: Sequence[_Place]) -> int:
    """The readings of a phrase, a gap of ``n`` words counted as ``n + 1``."""
    return prod(place.optional + sum(prod(1 - e for e in path if e < 0) for path in place.paths) for place in places)


def _by_head(paths: tuple[_Path, ...]) -> dict[int, tuple[_Path, ...]] | None:
    """``paths`` by the word that they begin with; ``None`` when one begins with a gap."""
    found: dict[int, tuple[_Path, ...]] = {}
    for path in paths:
        found[path[0]] = (*found.get(path[0], ()), path)
    return None if min(found) < 0 else found


def _ends(phrases: Sequence[_Phrase]) -> tuple[_End, ...]:
    """``phrases`` that are complete over the same words, each with the most particular one of its concept."""
    names: dict[tuple[int, str, bool, bool], _Phrase] = {}
    for phrase in phrases:
        key = (phrase.language, phrase.concept, phrase.opens, phrase.closes)
        known = names.get(key)
        if known is None or phrase.width < known.width:
            names[key] = phrase
    return tuple(_End(p, names[p.language, p.concept, p.opens, p.closes].text) for p in phrases)


def _visible(entries: dict[tuple[str, int, int], _End]) -> list[Hit]:
    """The hits that no longer phrase hides, in the order of the text."""
    covers = {(s, e) for (_, s, e), last in entries.items() if e - s > 1 and last.phrase.hides}
    found = []
    for (concept, start, end), last in entries.items():
        for s, e in covers:
            if s <= start and end <= e and e - s > end - start:
                break
        else:
            found.append(Hit(concept, start, end, last.name))
    found.sort(key=_PLACE)
    return found
