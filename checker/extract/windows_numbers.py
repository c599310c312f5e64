"""Numbers to clock times and dates.

A chain of numbers is judged as a whole before any part of it: ``203.0.113.19``, ``22.04.1``, ``00:1b:44`` and
``10.0.0.1:8080`` are gaps, never times. What only context can decide (``22.04``, ``27/11``, ``16``) is kept as
an open atom for the grammar.
"""

from __future__ import annotations

from .windows_tokens import UNIT_SIGNS, UNITS, Atom, Clock, Day, Kind, Lookahead
from .windows_words import MONTHS

_ORDINAL = frozenset({"st", "nd", "rd", "th", "er", "e", "º", "ª", "giej", "ej", "ego", "go", "ma", "ta", "tej", "ih"})


class NumberReader(Lookahead):
    """Reads what begins with a number."""

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
        if not signs and self._is(stop, ",") and self._glued(stop) and self._decimal(stop + 1):
            return Atom(Kind.GAP, t.start, self._t[stop + 1].end, t.text), stop + 2
        for reader in (self._colon, self._numeric_date, self._month_after, self._duration_or_hour):
            atom = reader(i, signs)
            if atom:
                return atom
        if signs in (".", "/") and not self._letters_glued(stop):
            a, b = self._num(i, 0, 31), self._num(i + 2, 0, 59)
            if a is not None and b is not None and not self._is_unit(stop) and not self._named(i, stop, signs):
                kind = Kind.DOTTED if signs == "." else Kind.SLASH
                return Atom(kind, t.start, self._t[stop - 1].end, pair=(a, b), text=self._t[i + 2].text), stop
        if not signs:
            plain = self._plain(i)
            if plain:
                return plain
        return Atom(Kind.GAP, t.start, self._t[stop - 1].end, t.text), stop

    def _decimal(self, i: int) -> bool:
        """Whether digits stand right behind a comma: 1,92 TB, 16,800 rpm."""
        t = self._at(i)
        return t is not None and t.kind == "n" and self._glued(i)

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

    def _named(self, i: int, stop: int, signs: str) -> bool:
        """Whether a name stands right before ("Ubuntu 22.04"): a version, unless it begins a range."""
        before = self._at(i - 1)
        if signs != "." or before is None or before.kind != "w" or not before.upper or self._is(stop, "-"):
            return False
        return not self._cats(i - 1)

    def _after_abbreviation(self, i: int) -> bool:
        return bool(self._cats(i - 1)) and self._glued(i)

    def _letters_glued(self, i: int) -> bool:
        t = self._at(i)
        return t is not None and self._glued(i) and (t.kind != "p" or t.text in UNIT_SIGNS)

    def _is_unit(self, i: int) -> bool:
        t = self._at(i)
        if t is None:
            return False
        if t.text in self._units or t.text in UNITS or t.text in UNIT_SIGNS:
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

    def _colon(self, i: int, signs: str) -> tuple[Atom, int] | None:
        """22:00, 22:00:00, 5:30pm, 01:30Z (ISO 8601 with a zone)."""
        stop = i + 1 + 2 * len(signs)
        if signs not in (":", "::"):
            return None
        hour, minute = self._num(i, 0, 24), self._num(i + 2, 0, 59)
        if hour is None or minute is None or len(self._t[i + 2].text) != 2 or hour * 60 + minute > 1440:
            return None
        if self._letters_glued(stop) and not (self._cats(stop) & {"am", "pm", "hour_after"} or self._is(stop, "z")):
            return None
        return self._clock_atom(i, stop, hour, minute, padded=len(self._t[i].text) == 2, written=True)

    def _numeric_date(self, i: int, signs: str) -> tuple[Atom, int] | None:
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
            elif sep.text == "." and len(signs) < 2 and (self._timely(j + 1) or not self._named(i, j, ".")):
                j += 1  # "23.04." ends with its dot
            else:
                return None
        elif len(signs) > 1 or sep.text != "." or self._glued(i + 2):
            return None
        if (self._letters_glued(j) and not self._is(j, "h")) or (len(signs) < 2 and sep.text == "-" and year is None):
            return None
        return self._dmy(i, j, day, month, year, slash=sep.text != ".")

    def _timely(self, i: int) -> bool:
        """Whether what follows "Termin 23.04." goes on with a time, unlike "Rocky Linux 9.4."."""
        t = self._at(i)
        return t is not None and (t.kind == "n" or t.text in ",-" or bool(self._cats(i)))

    def _dmy(self, i: int, j: int, day: int, month: int, year: int | None, *, slash: bool) -> tuple[Atom, int] | None:
        if month > 12:
            if not slash or day > 12 or not self._ampm:
                return None
            day, month = month, day
        swapped = slash and self._ampm and day <= 12 and month <= 12 and day != month
        return Atom(Kind.DAY, self._t[i].start, self._t[j - 1].end, day=Day(day, month, year, swapped=swapped)), j

    def _month_after(self, i: int, signs: str) -> tuple[Atom, int] | None:
        """3 December, 3. Mai 2026, 1st of July, 5 de mayo."""
        day = self._num(i, 1, 31)
        if day is None or signs:
            return None
        j = i + 1
        if self._is(j, ".") or (self._at(j) is not None and self._t[j].text in _ORDINAL and self._glued(j)):
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

    def _duration_or_hour(self, i: int, signs: str) -> tuple[Atom, int] | None:
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
            alone = not (self._glued(j + 1) and self._is(j + 1, ":"))
            if late is not None and len(self._t[j].text) == 2 and alone:
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
                    Kind.CLOCK,
                    self._t[i].start,
                    self._t[after - 1].end,
                    clock=Clock(hour * 60 + minute, half=True),
                    written=True,
                ), after
            if "hour_after" in cats:
                stop = after
                padded = padded or "hours_unit" not in cats
        loose = 1 <= hour <= 12 and not padded and self._ampm
        if hour * 60 + minute > 1440:
            return None
        clock = Clock(hour * 60 + minute, loose)
        text = "hours" if not minute and not any(self._is(k, ":") for k in range(i, stop)) else ""
        return Atom(Kind.CLOCK, self._t[i].start, self._t[stop - 1].end, text, clock=clock, written=written), stop

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
