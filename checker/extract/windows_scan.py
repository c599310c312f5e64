"""Text to atoms of time: clock times, dates, weekdays, connecting words, gaps. One pass, no backtracking.

A chain of numbers is judged as a whole before any part of it: ``203.0.113.19``, ``22.04.1``, ``aa:bb:cc``
and ``10.0.0.1:8080`` are gaps, never times. What only context can decide (``22.04``, ``27/11``, ``16``) is
kept as an open atom for the grammar.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .fold import fold
from .windows_words import DAYS, GROUPS, MONTHS, WEEKDAYS, Entry, Table, TimeWords, ZoneWord

MAX_TOKENS: Final = 60_000  # per call; what follows is not read (a mail is cut long before)
_TOKEN = re.compile(r"\d+|[^\W\d_]+|\n\s*\n|[^\s'\"]")
_UNITS = frozenset({"gb", "tb", "mb", "kb", "gib", "tib", "mib", "gbit", "mbit", "gbps", "mbps", "ghz", "mhz", "kg"})
_UNITS_SIGNS = frozenset("%€$£°×*#@_\\=")
_ORDINAL = frozenset({"st", "nd", "rd", "th", "er", "e", "º", "ª", "giej", "ej", "ego", "go", "ma", "ta", "tej", "ih"})
# Words that another language borrows without borrowing the rest ("Sa" aside): looked up in English last.
_BORROWED = frozenset({"weekdays", "weekdays_short", "weekdays_every", "months", "days", "am", "pm", "to", "groups"})
_OTHERS = frozenset({"weekdays", "months", "parts", "days", "clock"})


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


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # "n", "w", "p"
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
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
        result.append(Token(kind, fold(word), found.start(), found.end()))
        if len(result) >= MAX_TOKENS:
            break
    return result


def rank(found: Sequence[Token], words: TimeWords, language: str) -> list[str]:
    """The packs' languages, the likeliest first: by their frequent words and time words in the text."""
    seen = Counter(t.text for t in found if t.kind == "w")
    scores = {
        name: sum(
            n * (2 if w in table.stop else 0) + (n if w in table.phrases else 0)
            for w, n in seen.items()
            if len(w) > 1 or w in table.stop
        )
        + (1_000_000 if name == language else 0)
        for name, table in words.tables.items()
    }
    return sorted(scores, key=lambda name: -scores[name])


class Scanner:
    """The atoms of one stretch of text read with one language first."""

    def __init__(self, found: Sequence[Token], words: TimeWords, order: Sequence[str]) -> None:
        self._t = found
        self._words = words
        self._main: Table | None = words.tables[order[0]] if order else None
        self._english = words.tables.get("en") if self._main and self._main.language != "en" else None
        self._other = words.tables[order[1]] if len(order) > 1 else None
        self._units = _UNITS | (self._main.units if self._main else frozenset())
        self._ampm = bool(self._main and self._main.language == "en")

    @property
    def language(self) -> str:
        return self._main.language if self._main else ""

    def atoms(self) -> list[Atom]:
        result: list[Atom] = []
        i = 0
        while i < len(self._t):
            atom, i = self._next(i)
            result.append(atom)
        return result

    # --- looking ahead ---

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
        if t is None or t.kind == "p":
            return frozenset()
        return frozenset(e.category for e in self._entries(i)[0])

    # --- the parts ---

    def _next(self, i: int) -> tuple[Atom, int]:
        t = self._t[i]
        if t.kind == "n":
            return self._number(i)
        if t.kind == "w":
            return self._word(i)
        if t.text.isspace():
            return Atom(Kind.STOP, t.start, t.end), i + 1
        if t.text in ".!?…":
            # a dot after an abbreviation or an ordinal belongs to it
            kind = Kind.SOFT if t.text == "." and self._short_before(i) else Kind.STOP
            return Atom(kind, t.start, t.end, t.text), i + 1
        if t.text in ",():|;[]/":
            return Atom(Kind.SOFT, t.start, t.end, t.text), i + 1
        if t.text in "-→~>":
            if t.text == "-" and self._is(i + 1, ">") and self._glued(i + 1):
                return Atom(Kind.DASH, t.start, self._t[i + 1].end, "->"), i + 2
            return Atom(Kind.DASH, t.start, t.end, t.text), i + 1
        return Atom(Kind.GAP, t.start, t.end, t.text), i + 1

    def _short_before(self, i: int) -> bool:
        before, after = self._at(i - 1), self._at(i + 1)
        if before is None or before.end != self._t[i].start:
            return False
        if after is not None and after.start == self._t[i].end:
            return True
        if before.kind == "n":
            return len(before.text) <= 2 and after is not None
        return len(before.text) <= 5 and bool(
            self._cats(i - 1) & {"weekdays_short", "months", "hour_before", "hour_after", "am", "pm", "minutes_unit"}
        )

    def _chain(self, i: int) -> tuple[str, int]:
        """The separators of the chain of numbers that starts at ``i``, and its last token + 1."""
        signs = ""
        j = i
        while True:
            sep, nxt = self._at(j + 1), self._at(j + 2)
            if sep is None or nxt is None or sep.text not in ".:/" or nxt.kind != "n":
                break
            if not (self._glued(j + 1) and self._glued(j + 2)):
                break
            signs += sep.text
            j += 2
        return signs, j + 1

    def _number(self, i: int) -> tuple[Atom, int]:
        t = self._t[i]
        if self._bound_before(i):
            _, stop = self._chain(i)
            return Atom(Kind.GAP, t.start, self._t[stop - 1].end, t.text), stop
        iso = self._iso(i)
        if iso:
            return iso
        signs, stop = self._chain(i)
        for reader in (self._colon, self._numeric_date, self._month_after, self._duration_or_hour):
            atom = reader(i, signs, stop)
            if atom:
                return atom
        if signs in (".", "/") and not self._letters_glued(stop):
            a, b = self._num(i, 0, 31), self._num(i + 2, 0, 59)
            if a is not None and b is not None and not self._is_unit(stop):
                kind = Kind.DOTTED if signs == "." else Kind.SLASH
                return Atom(kind, t.start, self._t[stop - 1].end, pair=(a, b), text=self._t[i + 2].text), stop
        if not signs:
            plain = self._plain(i)
            if plain:
                return plain
        return Atom(Kind.GAP, t.start, self._t[stop - 1].end, t.text), stop

    def _bound_before(self, i: int) -> bool:
        """Whether the number hangs on a sign or letter before it: a name, a price, a port, an option."""
        before = self._at(i - 1)
        if before is None or not self._glued(i):
            return False
        if before.kind == "w":
            return not (before.text in ("h", "t", "l") or "hour_before" in self._cats(i - 1))
        if before.text == "-" and self._glued(i - 1):
            earlier = self._at(i - 2)
            return earlier is not None and earlier.kind == "w" and not self._cats(i - 2) and earlier.text != "h"
        return before.text in "#@_\\=+.:/€$£" and not (before.text in ".:" and self._after_abbreviation(i - 1))

    def _after_abbreviation(self, i: int) -> bool:
        return bool(self._cats(i - 1)) and self._glued(i)

    def _letters_glued(self, i: int) -> bool:
        t = self._at(i)
        return t is not None and self._glued(i) and (t.kind != "p" or t.text in _UNITS_SIGNS)

    def _is_unit(self, i: int) -> bool:
        t = self._at(i)
        if t is None:
            return False
        if t.text in self._units or t.text in _UNITS_SIGNS:
            return True
        return t.text == "x" or (t.text == "-" and self._glued(i) and self._glued(i + 1) and self._is_unit(i + 1))

    def _iso(self, i: int) -> tuple[Atom, int] | None:
        t = self._t[i]
        year, month, day = self._num(i, 1990, 2100, width=4), self._num(i + 2, 1, 12), self._num(i + 4, 1, 31)
        if year is None or month is None or day is None or len(t.text) != 4:
            return None
        sep = self._t[i + 1].text
        if sep not in "-/." or not self._is(i + 3, sep) or not all(self._glued(k) for k in range(i + 1, i + 5)):
            return None
        stop = i + 5
        if self._is(stop, "t") and self._glued(stop):
            stop += 1
        return Atom(Kind.DAY, t.start, self._t[i + 4].end, day=Day(day, month, year)), stop

    def _colon(self, i: int, signs: str, stop: int) -> tuple[Atom, int] | None:
        """22:00, 22:00:00, 5:30pm, 01:30Z (ISO 8601 with a zone)."""
        if signs not in (":", "::"):
            return None
        hour, minute = self._num(i, 0, 24), self._num(i + 2, 0, 59)
        if hour is None or minute is None or len(self._t[i + 2].text) != 2 or hour * 60 + minute > 1440:
            return None
        if self._letters_glued(stop) and not (self._cats(stop) & {"am", "pm", "hour_after"} or self._is(stop, "z")):
            return None
        return self._clock_atom(i, stop, hour, minute, padded=len(self._t[i].text) == 2, written=True)

    def _numeric_date(self, i: int, signs: str, stop: int) -> tuple[Atom, int] | None:
        """19.09.2025, 23.04., 8. 3., 27/11/2026, 9-6-2026."""
        day, j = self._num(i, 1, 31), i + 1
        sep = self._at(j)
        if day is None or sep is None or sep.text not in "./-" or not self._glued(j) or set(signs) > {sep.text}:
            return None
        month = self._num(j + 1, 1, 31)
        if month is None or len(signs) > 2 or (":" in signs and sep.text != "-"):
            return None
        if sep.text != "." and not self._glued(j + 1):
            return None
        j += 2
        year = None
        if self._is(j, sep.text) and self._glued(j):
            year = self._num(j + 1, 1990, 2100, width=4) if self._glued(j + 1) or sep.text == "." else None
            if year is None and self._glued(j + 1) and self._num(j + 1, 20, 99) is not None and len(signs) == 2:
                year = 2000 + int(self._t[j + 1].text)
            if year is not None:
                j += 2
            elif sep.text == "." and len(signs) < 2:
                j += 1  # "23.04." ends with its dot
            else:
                return None
        elif len(signs) > 1 or sep.text != "." or self._glued(i + 2):
            return None
        if (self._letters_glued(j) and not self._is(j, "h")) or (len(signs) < 2 and sep.text == "-" and year is None):
            return None
        return self._dmy(i, j, day, month, year, slash=sep.text != ".")

    def _dmy(self, i: int, j: int, day: int, month: int, year: int | None, *, slash: bool) -> tuple[Atom, int] | None:
        if month > 12:
            if not slash or day > 12 or not self._ampm:
                return None
            day, month = month, day
        swapped = slash and self._ampm and day <= 12 and month <= 12 and day != month
        return Atom(Kind.DAY, self._t[i].start, self._t[j - 1].end, day=Day(day, month, year, swapped=swapped)), j

    def _month_after(self, i: int, signs: str, stop: int) -> tuple[Atom, int] | None:
        """3 December, 3. Mai 2026, 1st of July, 5 de mayo."""
        day = self._num(i, 1, 31)
        if day is None or signs:
            return None
        j = i + 1
        if self._is(j, "."):
            j += 1
        elif self._at(j) is not None and self._t[j].text in _ORDINAL and self._glued(j):
            j += 1
        if self._at(j) is not None and self._t[j].text in ("of", "de", "di", "del"):
            j += 1
        return self._with_month(i, j, day)

    def _with_month(self, i: int, j: int, day: int) -> tuple[Atom, int] | None:
        if self._at(j) is None or self._t[j].kind != "w":
            return None
        entries, stop = self._entries(j)
        month = next((MONTHS.index(e.value) + 1 for e in entries if e.category == "months"), None)
        if month is None:
            return None
        year, k = self._year(stop)
        return Atom(Kind.DAY, self._t[i].start, self._t[k - 1].end, day=Day(day, month, year)), k

    def _year(self, j: int) -> tuple[int | None, int]:
        k = j
        while self._at(k) is not None and k < j + 2 and self._t[k].text in (",", ".", "de", "del"):
            k += 1
        year = self._num(k, 1990, 2100, width=4)
        if year is None or self._is(k + 1, ":"):
            return None, j
        return year, k + 1

    def _duration_or_hour(self, i: int, signs: str, stop: int) -> tuple[Atom, int] | None:
        """22h, 22 Uhr, 18 h 30, 10pm, 20. uri, 22-giej; a number of hours stays a number."""
        hour = self._num(i, 0, 24)
        if hour is None or signs not in ("", "."):
            return None
        minute = 0
        j = i + 1
        if signs == ".":
            read = self._num(i + 2, 0, 59)
            if read is None or len(self._t[i + 2].text) != 2:
                return None
            minute, j = read, i + 3
        elif self._is(j, ".") and self._at(j + 1) is not None and self._t[j + 1].kind == "w":
            j += 1
        elif self._is(j, "-") and self._glued(j) and self._at(j + 1) is not None and self._t[j + 1].text in _ORDINAL:
            return self._clock_atom(i, j + 2, hour, 0, padded=True, written=True)
        cats = self._cats(j)
        if cats & {"am", "pm"}:
            return self._clock_atom(i, j, hour, minute, padded=False, written=True)
        if "hour_after" not in cats or hour * 60 + minute > 1440:
            return None
        j = self._entries(j)[1]
        if not minute and not signs:
            late = self._num(j, 0, 59)
            if late is not None and len(self._t[j].text) == 2 and not self._glued(j + 1):
                minute, j = late, j + 1
            elif late is not None and len(self._t[j].text) == 2 and not self._is(j + 1, ":"):
                minute, j = late, j + 1
        return self._clock_atom(i, j, hour, minute, padded=not self._ampm or len(self._t[i].text) == 2, written=True)

    def _clock_atom(
        self, i: int, stop: int, hour: int, minute: int, *, padded: bool, written: bool
    ) -> tuple[Atom, int] | None:
        """A clock; am and pm and an hour word after it are taken along."""
        if self._at(stop) is not None and self._t[stop].kind == "w" and not self._is(stop, "z"):
            entries, after = self._entries(stop)
            cats = {e.category for e in entries}
            if cats & {"am", "pm"}:
                if not 1 <= hour <= 12:
                    return None
                hour = hour % 12 + (12 if "pm" in cats else 0)
                if self._is(after, ".") and self._glued(after) and len(self._t[after - 1].text) == 1:
                    after += 1
                return Atom(
                    Kind.CLOCK, self._t[i].start, self._t[after - 1].end, clock=Clock(hour * 60 + minute), written=True
                ), after
            if "hour_after" in cats:
                stop = after
                padded = padded or "hours_unit" not in cats
        loose = 1 <= hour <= 12 and not padded and self._ampm
        if hour * 60 + minute > 1440:
            return None
        clock = Clock(hour * 60 + minute, loose)
        return Atom(Kind.CLOCK, self._t[i].start, self._t[stop - 1].end, clock=clock, written=written), stop

    def _plain(self, i: int) -> tuple[Atom, int] | None:
        value = self._num(i, 0, 31)
        if value is None:
            minutes = self._num(i, 0, 240, width=3)  # "90 minutes"
            if minutes is None or not self._cats(i + 1) & {"minutes_unit"}:
                return None
            value = minutes
        elif self._is_unit(i + 1) and not self._cats(i + 1) & {"hours_unit", "minutes_unit", "to", "to_hour"}:
            return None
        j = i + 1
        ordinal = self._at(j) is not None and self._glued(j) and self._t[j].text in _ORDINAL
        if ordinal:
            j += 1
        elif self._is(j, ".") and self._glued(j):
            after = self._at(j + 1)
            if after is not None and (after.kind != "p" or after.text in ",-/(") and not after.text.isspace():
                ordinal, j = True, j + 1
        elif self._letters_glued(j):
            return None
        text = "ordinal" if ordinal else ""
        return Atom(Kind.NUMBER, self._t[i].start, self._t[j - 1].end, number=value, text=text), j

    def _word(self, i: int) -> tuple[Atom, int]:
        zone = self._zone(i)
        if zone:
            return zone
        t = self._t[i]
        entries, stop = self._entries(i)
        if not entries or (self._glued(i) and self._at(i - 1) is not None and self._t[i - 1].text in "-_@/."):
            # part of a name ("backup-sun", "sun.example"): not a word of time
            if not entries or not self._range_of_words(i):
                return Atom(Kind.GAP, t.start, t.end, t.text), i + 1
        if self._is(stop, "-") and self._glued(stop) and self._glued(stop + 1) and not self._range_of_words(stop + 1):
            nxt = self._at(stop + 1)
            if nxt is not None and nxt.kind == "w" and not self._cats(stop + 1):
                return Atom(Kind.GAP, t.start, t.end, t.text), i + 1
        by = {e.category: e.value for e in entries}
        end = self._t[stop - 1].end
        month = by.get("months")
        if month:
            dated = self._month_before(i, stop, MONTHS.index(month) + 1)
            if dated:
                return dated
        return self._meaning(t, end, by, stop), stop

    def _range_of_words(self, i: int) -> bool:
        """pn-pt, Mon-Thu: the words on both sides are weekdays."""
        return bool(self._cats(i) & {"weekdays", "weekdays_short"}) and bool(
            self._cats(i - 2) & {"weekdays", "weekdays_short"} or self._cats(i - 3) & {"weekdays_short"}
        )

    def _month_before(self, i: int, stop: int, month: int) -> tuple[Atom, int] | None:
        """Dec 3, May 5th, 2026."""
        if self._is(stop, "."):
            stop += 1
        day = self._num(stop, 1, 31)
        if day is None or not self._ampm or self._is(stop + 1, ":") or self._is_unit(stop + 1):
            return None
        j = stop + 1
        if self._at(j) is not None and self._glued(j) and self._t[j].text in _ORDINAL:
            j += 1
        year, k = self._year(j)
        return Atom(Kind.DAY, self._t[i].start, self._t[k - 1].end, day=Day(day, month, year)), k

    def _meaning(self, t: Token, end: int, by: dict[str, str], stop: int) -> Atom:
        cats = frozenset(by)
        if "past" in cats:
            return Atom(Kind.WORD, t.start, end, t.text, cats=cats, past=True)
        day: Day | None = None
        if "weekdays_every" in by:
            day = Day(weekdays=(WEEKDAYS.index(by["weekdays_every"]),), every=True)
        elif "weekdays" in by:
            day = Day(weekdays=(WEEKDAYS.index(by["weekdays"]),))
        elif "days" in by:
            offset, part = DAYS[by["days"]]
            day = Day(offset=offset, part=part)
        elif "groups" in by:
            day = Day(weekdays=GROUPS[by["groups"]], every=by["groups"] != "weekend")
        elif "weekdays_short" in by and not cats & {"from", "hour_after"}:
            day = Day(weekdays=(WEEKDAYS.index(by["weekdays_short"]),))
        if day is not None:
            short = "weekdays_short" in by and "weekdays" not in by
            return Atom(Kind.DAY, t.start, end, t.text, day=day, cats=cats, short=short)
        if "clock" in by:
            minutes = 720 if by["clock"] == "noon" else 1440
            return Atom(Kind.CLOCK, t.start, end, t.text, clock=Clock(minutes), cats=cats, part=by.get("parts", ""))
        if "parts" in by and not cats & {"fill"}:
            return Atom(Kind.WORD, t.start, end, t.text, cats=cats, part=by["parts"])
        if "hours" in by:
            return Atom(Kind.NUMBER, t.start, end, t.text, number=int(by["hours"]), cats=cats, spelled=True)
        return Atom(Kind.WORD, t.start, end, t.text, cats=cats, part=by.get("parts", ""))

    def _zone(self, i: int) -> tuple[Atom, int] | None:
        name = ""
        best: tuple[Atom, int] | None = None
        for j in range(i, min(i + 4, len(self._t))):
            if self._t[j].kind != "w":
                break
            name = f"{name} {self._t[j].text}".strip()
            zone = self._words.zones.get(name)
            # "west", "est", "z" are words as well: as zones they stand right behind a time
            if zone and (len(name) > 5 or name in ("utc", "cet", "cest", "gmt", "mez", "mesz") or self._time_before(i)):
                best = Atom(Kind.ZONE, self._t[i].start, self._t[j].end, name, zone=zone), j + 1
        return best

    def _time_before(self, i: int) -> bool:
        before = self._at(i - 1)
        if before is None:
            return False
        if before.kind == "n":
            return True
        return bool(self._cats(i - 1) & {"am", "pm", "hour_after"})
