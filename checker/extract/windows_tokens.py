"""The pieces of a text and the atoms of time that they become; which language a text is in.

One fixed pattern cuts the text; everything else is looked up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from .fold import fold
from .windows_words import Entry, Table, TimeWords, ZoneWord

MAX_TOKENS: Final = 60_000  # per call; what follows is not read (a mail is cut long before)
_TOKEN = re.compile(r"\d+|[^\W\d_]+|\n\s*\n|[^\s'\"]")
_LETTERS = re.compile(r"[^\W\d_]+")
UNITS: Final = frozenset(
    {"gb", "tb", "mb", "kb", "gib", "tib", "mib", "gbit", "mbit", "gbps", "mbps", "ghz", "mhz", "kg"}
)
UNIT_SIGNS: Final = frozenset("%€$£°×*#@_\\=")
# What other languages borrow from English without borrowing the rest, and what a second language may add.
_BORROWED = frozenset({"weekdays", "weekdays_short", "weekdays_every", "months", "days", "am", "pm", "to", "groups"})
_OTHERS = frozenset({"weekdays", "months", "days", "clock"})


class Kind(StrEnum):
    CLOCK = "clock"
    DAY = "day"
    NUMBER = "number"  # a bare number from 0 to 31: an hour or a day, if anything says so
    DOTTED = "dotted"  # 22.30: a time, a date or a version
    SLASH = "slash"  # 27/11: a date or a fraction
    WORD = "word"
    ZONE = "zone"
    SOFT = "soft"  # comma, bracket, colon
    DASH = "dash"
    GAP = "gap"
    STOP = "stop"  # the end of a sentence or paragraph


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in minutes from midnight (0 to 1440); ``loose``: morning or evening is not said."""

    minutes: int
    loose: bool = False
    half: bool = False  # which half of the day was said: am, pm, "in the evening", "midnight"


@dataclass(frozen=True, slots=True)
class Day:
    """A day as it was named; what was not named is ``None``. ``offset`` counts from the day of sending."""

    day: int | None = None
    month: int | None = None
    year: int | None = None
    weekdays: tuple[int, ...] = ()
    every: bool = False
    offset: int | None = None
    part: str = ""
    night: bool = False  # "the night of the 11th": hours before noon belong to the next day
    swapped: bool = False  # 03/04 where day and month may stand either way
    last: tuple[int, int] | None = None  # the last (day, month) of a stretch of days


class Token(NamedTuple):
    kind: str  # "n", "w", "p"
    text: str
    start: int
    end: int
    upper: bool = False


@dataclass(slots=True)  # never changed; not frozen, because there is one for every word of a mail
class Atom:
    """``start``/``end`` are offsets in the text; the other fields are filled as ``kind`` wants."""

    kind: Kind
    start: int
    end: int
    text: str = ""
    clock: Clock | None = None
    day: Day | None = None
    number: int = 0
    pair: tuple[int, int] = (0, 0)
    cats: frozenset[str] = frozenset()
    part: str = ""
    zone: ZoneWord | None = None
    past: bool = False
    short: bool = False  # an abbreviated weekday: counts only beside a time or date
    written: bool = False  # a clock with minutes or an hour mark
    spelled: bool = False  # "sette": a number in letters

    def has(self, *names: str) -> bool:
        return not self.cats.isdisjoint(names)


def tokens(text: str, start: int, end: int) -> list[Token]:
    """Digit runs, letter runs, other signs; apostrophes and quotes separate and vanish."""
    result = []
    for found in _TOKEN.finditer(text, start, end):
        word = found[0]
        kind = "n" if word[0].isdecimal() else ("w" if word[0].isalpha() else "p")
        result.append(Token(kind, fold(word), found.start(), found.end(), word[0].isupper()))
        if len(result) >= MAX_TOKENS:
            break
    return result


def letters(text: str, start: int, end: int) -> frozenset[str]:
    """The folded letter runs of ``text[start:end]``: the words that :func:`tokens` would give."""
    return frozenset(fold(" ".join(_LETTERS.findall(text, start, end))).split())


def rank(text: str, found: Sequence[Token], words: TimeWords, language: str) -> list[str]:
    """The packs' languages, the likeliest first: by their frequent words and time words in the text."""
    if language in words.tables:  # the caller knows: no need to count
        return [language, *(name for name in words.tables if name != language)]
    seen = Counter(t.text for t in found if t.kind == "w")
    letters = frozenset(text.lower())
    scores = {
        name: sum(
            n * (2 if w in table.stop else 0) + (n if w in table.phrases else 0)
            for w, n in seen.items()
            if len(w) > 1 or w in table.stop
        )
        + 2 * len(letters & table.letters)
        + (1_000_000 if name == language else 0)
        for name, table in words.tables.items()
    }
    return sorted(scores, key=lambda name: -scores[name])


class Lookahead:
    """Tokens with the words of one language first, to look around in."""

    def __init__(self, found: Sequence[Token], words: TimeWords, order: Sequence[str]) -> None:
        self._t = found
        self._words = words
        self._main: Table | None = words.tables[order[0]] if order else None
        self._english = words.tables.get("en") if self._main and self._main.language != "en" else None
        self._other = words.tables[order[1]] if len(order) > 1 else None
        self._units = self._main.units if self._main else frozenset()
        self._ampm = bool(self._main and self._main.language == "en")

    @property
    def language(self) -> str:
        return self._main.language if self._main else ""

    def _at(self, i: int) -> Token | None:
        return self._t[i] if 0 <= i < len(self._t) else None

    def _is(self, i: int, text: str) -> bool:
        return 0 <= i < len(self._t) and self._t[i].text == text

    def _glued(self, i: int) -> bool:
        """Whether token ``i`` follows the one before without white space."""
        return 0 < i < len(self._t) and self._t[i].start == self._t[i - 1].end

    def _num(self, i: int, low: int, high: int, *, width: int = 2) -> int | None:
        t = self._at(i)
        if t is None or t.kind != "n" or len(t.text) > width or not t.text.isascii():
            return None
        value = int(t.text)
        return value if low <= value <= high else None

    def _entries(self, i: int) -> tuple[tuple[Entry, ...], int]:
        """The meanings of the longest phrase at ``i`` and the token after it."""
        if self._t[i].text not in self._words.first:
            return (), i
        for table, allowed in ((self._main, None), (self._english, _BORROWED), (self._other, _OTHERS)):
            if table is None:
                continue
            for pieces, entries in table.phrases.get(self._t[i].text, ()):
                kept = tuple(e for e in entries if allowed is None or e.category in allowed)
                if not kept or i + len(pieces) > len(self._t):
                    continue
                stop = self._phrase_end(i, pieces)
                if stop:
                    return kept, stop
        return (), i

    def _phrase_end(self, i: int, pieces: Sequence[str]) -> int:
        """Where the phrase ends, dots between its letters allowed ("a. m."); 0 when it is not there."""
        for n, piece in enumerate(pieces):
            if n and len(pieces[n - 1]) == 1 and self._is(i, "."):
                i += 1
            if not self._is(i, piece):
                return 0
            i += 1
        return i

    def _cats(self, i: int) -> frozenset[str]:
        t = self._at(i)
        if t is None or t.kind == "p" or t.text not in self._words.first:
            return frozenset()
        return frozenset(e.category for e in self._entries(i)[0])
