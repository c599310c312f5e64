"""Text to atoms of time: clock times, dates, weekdays, connecting words, gaps. One pass, no backtracking."""

from __future__ import annotations

from datetime import UTC

from .windows_numbers import NumberReader
from .windows_tokens import Atom, Clock, Day, Kind, Token
from .windows_words import DAYS, GROUPS, MONTHS, WEEKDAYS, ZoneWord


class Scanner(NumberReader):
    """The atoms of one stretch of text read with one language first."""

    def atoms(self) -> list[Atom]:
        result: list[Atom] = []
        i = 0
        while i < len(self._t):
            atom, i = self._next(i)
            result.append(atom)
        return result

    def _next(self, i: int) -> tuple[Atom, int]:
        t = self._t[i]
        if t.kind == "n":
            return self._number(i)
        if t.kind == "w":
            if t.text not in self._words.first and not (t.upper and self._known(i + 1)):
                return Atom(Kind.GAP, t.start, t.end, t.text), i + 1  # nine words of ten
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

    def _known(self, i: int) -> bool:
        """Whether any phrase of time can begin at token ``i``."""
        return i < len(self._t) and self._t[i].text in self._words.first

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

    def _word(self, i: int) -> tuple[Atom, int]:
        zone = self._zone(i)
        if zone:
            return zone
        t = self._t[i]
        entries, stop = self._entries(i)
        # part of a name ("backup-sun", "sun.example") is no word of time
        inside = self._glued(i) and self._t[i - 1].text in "-_@/."
        if not entries or (inside and not self._range_of_words(i)):
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
        return self._meaning(t, end, by), stop

    def _range_of_words(self, i: int) -> bool:
        """pn-pt, Mon-Thu: the words on both sides are weekdays."""
        return bool(self._cats(i) & {"weekdays", "weekdays_short"}) and bool(
            self._cats(i - 2) & {"weekdays", "weekdays_short"} or self._cats(i - 3) & {"weekdays_short"}
        )

    def _meaning(self, t: Token, end: int, by: dict[str, str]) -> Atom:
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
        elif "weekdays_short" in by and (t.upper or not (len(cats) > 1 or self._common(t.text))):
            day = Day(weekdays=(WEEKDAYS.index(by["weekdays_short"]),))
        if day is not None:
            short = "weekdays_short" in by and "weekdays" not in by
            return Atom(Kind.DAY, t.start, end, t.text, day=day, cats=cats, short=short)
        if "clock" in by:
            minutes = 720 if by["clock"] == "noon" else 1440
            return Atom(
                Kind.CLOCK, t.start, end, t.text, clock=Clock(minutes, half=True), cats=cats, part=by.get("parts", "")
            )
        if "parts" in by and not cats & {"fill"}:
            return Atom(Kind.WORD, t.start, end, t.text, cats=cats, part=by["parts"])
        if "hours" in by:
            return Atom(Kind.NUMBER, t.start, end, t.text, number=int(by["hours"]), cats=cats, spelled=True)
        return Atom(Kind.WORD, t.start, end, t.text, cats=cats, part=by.get("parts", ""))

    def _common(self, word: str) -> bool:
        """Whether a word is an everyday one ("so" in German), so that small letters mean no weekday."""
        return self._main is not None and word in self._main.stop

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
        return best or self._unknown_zone(i)

    def _unknown_zone(self, i: int) -> tuple[Atom, int] | None:
        """'Beijing time', 'heure de Genève': a zone that no pack knows, so that it is not taken for the sender's."""
        entries, stop = self._entries(i)
        if any(e.category == "zone_before" for e in entries):
            name = self._at(stop)
            stop += 1
        else:
            name = self._at(i)
            after = self._at(i + 1)
            if entries or after is None or after.kind != "w" or "zone_after" not in self._cats(i + 1):
                return None
            stop = self._entries(i + 1)[1]
        if name is None or name.kind != "w" or not name.upper:
            return None
        zone = ZoneWord(name.text, UTC, unknown=True)
        return Atom(Kind.ZONE, self._t[i].start, self._t[stop - 1].end, name.text, zone=zone), stop

    def _time_before(self, i: int) -> bool:
        before = self._at(i - 1)
        if before is None:
            return False
        if before.kind == "n":
            return True
        return bool(self._cats(i - 1) & {"am", "pm", "hour_after"})
