"""The words of time windows: ``rules/lang/<xx>/time.toml`` to lookup tables.

Pure: the caller has read the files. Words are compared folded (:func:`checker.extract.fold.fold`) and looked
up in dictionaries; nothing that people write in a rule file becomes a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .fold import fold

MAX_EXPANSIONS: Final = 64  # of one entry with {a,b} alternatives
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
PARTS: Final = ("morning", "noon", "afternoon", "evening", "night")
CLOCK: Final = ("noon", "midnight")
# name: (days from the day of sending, part of the day); "past" days never make a window
DAYS: Final[Mapping[str, tuple[int, str]]] = {
    "today": (0, ""),
    "today_morning": (0, "morning"),
    "today_afternoon": (0, "afternoon"),
    "today_evening": (0, "evening"),
    "tonight": (0, "night"),
    "tomorrow": (1, ""),
    "tomorrow_morning": (1, "morning"),
    "tomorrow_afternoon": (1, "afternoon"),
    "tomorrow_evening": (1, "evening"),
    "tomorrow_night": (1, "night"),
    "day_after_tomorrow": (2, ""),
}
GROUPS: Final[Mapping[str, tuple[int, ...]]] = {
    "weekend": (5, 6),
    "weekdays": (0, 1, 2, 3, 4),
    "daily": (0, 1, 2, 3, 4, 5, 6),
}
WORDS: Final = frozenset(
    {
        # an hour, a day or a date may follow …
        *("from", "to", "between", "and", "after", "before", "at", "night_to", "outside", "every", "on_day"),
        # … an hour always follows ("dalle", "a las"): a bare number there is an hour
        *("from_hour", "to_hour", "between_hour", "after_hour", "before_hour", "at_hour"),
        *("hour_before", "hour_after", "hours_unit", "minutes_unit", "lasting", "hour_lasting", "half_hour_lasting"),
        *("am", "pm", "half_before", "half_after", "half_past", "fill", "since", "past", "failure", "backup"),
        *("zone_after", "zone_before"),
    }
)
# Of these a word must be where no digit is, or there is no time: the others only join them.
_TELLING: Final = frozenset(
    {"weekdays", "weekdays_short", "weekdays_every", "days", "groups", "clock", "parts", "hours"}
)
_LISTS: Final = frozenset({"stop", "units", "letters"})
_TABLES: Final[Mapping[str, Sequence[str]]] = {
    "weekdays": WEEKDAYS,
    "weekdays_short": WEEKDAYS,
    "weekdays_every": WEEKDAYS,
    "months": MONTHS,
    "parts": PARTS,
    "clock": CLOCK,
    "days": tuple(DAYS),
    "groups": tuple(GROUPS),
    "hours": tuple(str(n) for n in range(1, 25)),
    "words": tuple(sorted(WORDS)),
}
_PIECE = re.compile(r"\d+|[^\W\d_]+")

# Abbreviations that mean the same everywhere. The second entry is a place that keeps that time in winter:
# people write "CET" all the year round, so on a summer date it is not clear what they mean.
_FIXED: Final[Mapping[str, tuple[float, str | None]]] = {
    "utc": (0, None),
    "gmt": (0, "Europe/London"),
    "z": (0, None),
    "zulu": (0, None),
    "cet": (1, "Europe/Paris"),
    "mez": (1, "Europe/Paris"),
    "cest": (2, None),
    "mesz": (2, None),
    "bst": (1, None),
    "wet": (0, "Europe/Lisbon"),
    "west": (1, None),
    "eet": (2, "Europe/Athens"),
    "eest": (3, None),
    "msk": (3, None),
    "est": (-5, "America/New_York"),
    "edt": (-4, None),
    "pst": (-8, "America/Los_Angeles"),
    "pdt": (-7, None),
}


class TimeWordsError(ValueError):
    """A ``time.toml`` that cannot be used; the message names the file, the key and what to do."""


@dataclass(frozen=True, slots=True)
class ZoneWord:
    """A zone that was named. ``seasonal`` keeps summer time where ``zone`` (a fixed offset) does not."""

    name: str
    zone: tzinfo
    seasonal: tzinfo | None = None
    unknown: bool = False  # a place whose time nobody told us ("Beijing time")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase can mean: ``category`` as the table in the file, ``value`` its key there."""

    category: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """One language. ``phrases`` maps a first word to its phrases, longest first, with their meanings."""

    language: str
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], tuple[Entry, ...]], ...]]
    stop: frozenset[str]
    units: frozenset[str]
    letters: frozenset[str]  # with which the language shows itself ("ł", "ß")


@dataclass(frozen=True, slots=True)
class TimeWords:
    """All languages; ``zones`` maps the names of zones (all packs together) to what they are.

    ``first``: the words that any phrase or zone begins with. ``telling``: by first word the further words of the
    phrases that name a time by themselves ("the day after tomorrow", not "until").
    """

    tables: Mapping[str, Table]
    zones: Mapping[str, ZoneWord]
    first: frozenset[str]
    telling: Mapping[str, tuple[frozenset[str], ...]]

    def may_name_a_time(self, seen: AbstractSet[str]) -> bool:
        """Whether a text of these folded words, without a digit, can hold a time."""
        return any(rest <= seen for word in self.telling.keys() & seen for rest in self.telling[word])


def time_words(packs: Mapping[str, Mapping[str, object]]) -> TimeWords:
    """The tables of ``packs[language]`` = the content of that language's ``time.toml``.

    Raises :class:`TimeWordsError` on an unknown key, a wrong type, an unknown zone, or a word that is
    empty; the message names file and key.
    """
    tables: dict[str, Table] = {}
    zones = {name: _fixed(name) for name in _FIXED}
    for language, data in packs.items():
        place = f"rules/lang/{language}/time.toml"
        tables[language] = _table(language, data, place)
        for name, phrases in _mapping(data.get("zones", {}), f"{place}: [zones]").items():
            word = _named_zone(name, place)
            for phrase in _strings(phrases, f"{place}: zones.{name}"):
                for pieces in _expand(phrase, f"{place}: zones.{name}"):
                    zones[" ".join(pieces)] = word
    first = {w for table in tables.values() for w in table.phrases} | {name.partition(" ")[0] for name in zones}
    return TimeWords(tables, zones, frozenset(first), _telling(tables.values()))


def _telling(tables: Iterable[Table]) -> Mapping[str, tuple[frozenset[str], ...]]:
    found: dict[str, set[frozenset[str]]] = {}
    for table in tables:
        for word, phrases in table.phrases.items():
            for pieces, entries in phrases:
                if any(e.category in _TELLING for e in entries):
                    found.setdefault(word, set()).add(frozenset(pieces[1:]))
    return {word: tuple(rests) for word, rests in found.items()}


def _fixed(name: str) -> ZoneWord:
    hours, place = _FIXED[name]
    zone = timezone(timedelta(hours=hours), name.upper() if name not in ("z", "zulu") else "UTC")
    return ZoneWord(str(zone), zone, ZoneInfo(place) if place else None)


def _named_zone(name: str, place: str) -> ZoneWord:
    if name.lower() in _FIXED:
        return _fixed(name.lower())
    try:
        return ZoneWord(name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise TimeWordsError(f"{place}: zones.{name} is no zone; use a name like 'Europe/Rome' or 'UTC'") from error


def _table(language: str, data: Mapping[str, object], place: str) -> Table:
    found: dict[str, dict[tuple[str, ...], list[Entry]]] = {}
    for key, value in data.items():
        if key == "zones" or key in _LISTS:
            continue
        if key not in _TABLES:
            known = ", ".join(sorted([*_TABLES, *_LISTS, "zones"]))
            raise TimeWordsError(f"{place}: unknown key '{key}'; use {known}")
        for name, phrases in _mapping(value, f"{place}: [{key}]").items():
            if name not in _TABLES[key]:
                raise TimeWordsError(f"{place}: unknown key '{key}.{name}'; use {', '.join(_TABLES[key])}")
            category = name if key == "words" else key
            for phrase in _strings(phrases, f"{place}: {key}.{name}"):
                for pieces in _expand(phrase, f"{place}: {key}.{name}"):
                    entries = found.setdefault(pieces[0], {}).setdefault(pieces, [])
                    entry = Entry(category, name)
                    if entry not in entries:
                        entries.append(entry)
    phrases_by_first = {
        first: tuple(sorted(((p, tuple(e)) for p, e in by.items()), key=lambda item: -len(item[0])))
        for first, by in found.items()
    }
    return Table(
        language,
        phrases_by_first,
        _words(data.get("stop", []), f"{place}: stop"),
        _words(data.get("units", []), f"{place}: units"),
        frozenset("".join(_strings(data.get("letters", []), f"{place}: letters"))),
    )


def _words(value: object, where: str) -> frozenset[str]:
    return frozenset(" ".join(p) for phrase in _strings(value, where) for p in _expand(phrase, where))


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TimeWordsError(f"{where} must be a table of name = [words]")
    return {str(k): v for k, v in value.items()}


def _strings(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise TimeWordsError(f"{where} must be a list of words")
    return [str(v) for v in value]


def _expand(phrase: str, where: str) -> Iterator[tuple[str, ...]]:
    """The readings of ``niedziel{a,e}``, each as folded pieces (letters or digits; the rest separates)."""
    done = [""]
    rest = phrase
    while rest:
        head, brace, tail = rest.partition("{")
        done = [d + head for d in done]
        if not brace:
            break
        inner, close, rest = tail.partition("}")
        if not close or "{" in inner:
            raise TimeWordsError(f"{where}: unclosed or nested brace in {phrase!r}; write stem{{a,b}}")
        done = [d + option for d in done for option in inner.split(",")]
        if len(done) > MAX_EXPANSIONS:
            raise TimeWordsError(f"{where}: {phrase!r} has more than {MAX_EXPANSIONS} readings; split it")
    for reading in done:
        pieces = tuple(_PIECE.findall(fold(reading)))
        if not pieces:
            raise TimeWordsError(f"{where}: {phrase!r} has no letters; remove it")
        yield pieces
