"""Rule data for identifiers, credentials, systems and components, compiled once per rule set.

All languages share one lexicon: a ticket mixes them (an Italian mail says "login", a Polish one "server"),
and what is looked for here are things, not statements. A longer phrase of one language therefore hides a
shorter one of another ("no password" hides the English number word "no").

Pure: the caller has read the files (``rules/identifiers.toml``, ``systems.toml``, ``components.toml`` and
``rules/lang/<xx>/identifiers.toml``). Every error names file and key and says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from .ids_systems import SystemTable, build_systems
from .lexicon import Lexicon, PhraseError

NAMING: Final = ("server", "service", "id", "number", "link", "having", "copula", "and", "other_number")
ROLES: Final = (
    "console",
    "foreign",
    "foreign_after",
    "contrast",
    "contrast_after",
    "unaffected",
    "another",
    "correction",
)
CREDENTIALS: Final = (
    *("user", "entry", "password", "vpn", "remote", "desktop", "not_given", "nopassword", "key", "installed"),
    *("once", "dot_belongs", "blanks", "unless"),
)
SYSTEMS: Final = (
    "current",
    "outdated",
    "latest",
    "wanted",
    "wanted_with",
    "from",
    "to",
    "os_label",
    "edition_label",
    "layout",
    "version",
)
KINDS: Final = (
    *("drive", "ram", "psu", "fan", "nic", "cpu", "raid_controller", "motherboard", "gpu", "battery", "cable"),
    "other",
)
COMPONENTS: Final = ("swap", "add", "serial", "slot", "part_label", "renew", "demand", "spared", "sound")
CONCEPTS: Final = frozenset((*NAMING, *ROLES, *CREDENTIALS, *SYSTEMS, *COMPONENTS, *(f"part.{k}" for k in KINDS)))
_TOLERANT: Final = frozenset({"password", "swap", "part_label", *(f"part.{k}" for k in KINDS)})

ACCOUNT: Final = "account:"
SYSTEM: Final = "os:"
_MAIN = "rules/identifiers.toml"
_ANY: Final = "*"


class WordsError(ValueError):
    """A rule file that cannot be used; the message names file and key and says what to do."""


@dataclass(frozen=True)
class IdentifierWords:
    """The compiled rules. Immutable in use (the lexicon's memo apart), shared by all tickets.

    ``sure`` and ``named`` find service IDs; group 1 is the ID. ``accounts`` are written out as the system has them.
    """

    lexicon: Lexicon
    sure: Any  # compiled RE2 expressions: google-re2 ships no types
    named: Any
    units_after: frozenset[str]
    units_before: frozenset[str]
    resolvers: frozenset[str]
    not_endings: frozenset[str]
    not_first: frozenset[str]
    link_marks: tuple[str, ...]
    placeholders: frozenset[str]
    systems: SystemTable
    own_domains: frozenset[str] = frozenset()


def build_words(
    identifiers: Mapping[str, object],
    systems: Mapping[str, object],
    components: Mapping[str, object],
    packs: Mapping[str, Mapping[str, Mapping[str, object]]],
    own_domains: Sequence[str] = (),
) -> IdentifierWords:
    """The words from the three rule files and the packs (``packs[language][file stem]``).

    ``own_domains`` are the hoster's own: names under them are never a customer's server.
    """
    tables = {"service_id", "units", "addresses", "hostnames", "accounts", "links", "placeholders", "concepts"}
    _only(identifiers, tables, _MAIN)
    lexicon = Lexicon((_ANY,))
    _concepts(lexicon, identifiers, _MAIN)
    accounts = _table(identifiers, "accounts", _MAIN)
    for name in accounts:
        _add(lexicon, ACCOUNT + name, _strings(accounts, name, f"{_MAIN} [accounts]"), _MAIN)
    _only(components, {"concepts"}, "rules/components.toml")
    _concepts(lexicon, components, "rules/components.toml")
    for language, files in packs.items():
        place = f"rules/lang/{language}/identifiers.toml"
        pack = files.get("identifiers", {})
        _only(pack, {"concepts"}, place)
        _concepts(lexicon, pack, place)
    try:
        table = build_systems(systems)
    except ValueError as error:
        raise WordsError(str(error)) from error
    for name, phrases in table.phrases.items():
        _add(lexicon, SYSTEM + name, phrases, "rules/systems.toml")
    return _compile(identifiers, lexicon, table, own_domains)


def _compile(
    identifiers: Mapping[str, object], lexicon: Lexicon, systems: SystemTable, own_domains: Sequence[str]
) -> IdentifierWords:
    forms = _table(identifiers, "service_id", _MAIN)
    _only(forms, {"sure", "named"}, f"{_MAIN} [service_id]")
    units = _table(identifiers, "units", _MAIN)
    names = _table(identifiers, "hostnames", _MAIN)
    addresses = _table(identifiers, "addresses", _MAIN)
    links = _table(identifiers, "links", _MAIN)
    placeholders = _table(identifiers, "placeholders", _MAIN)
    return IdentifierWords(
        lexicon=lexicon,
        sure=_pattern(_strings(forms, "sure", f"{_MAIN} [service_id]"), "sure"),
        named=_pattern(_strings(forms, "named", f"{_MAIN} [service_id]"), "named"),
        units_after=frozenset(u.casefold() for u in _strings(units, "after", f"{_MAIN} [units]")),
        units_before=frozenset(u.casefold() for u in _strings(units, "before", f"{_MAIN} [units]")),
        resolvers=frozenset(_address(a) for a in _strings(addresses, "resolvers", f"{_MAIN} [addresses]")),
        not_endings=frozenset(_strings(names, "endings", f"{_MAIN} [hostnames]")),
        not_first=frozenset(_strings(names, "first", f"{_MAIN} [hostnames]")),
        link_marks=tuple(m.casefold() for m in _strings(links, "marks", f"{_MAIN} [links]")),
        placeholders=frozenset(w.casefold() for w in _strings(placeholders, "words", f"{_MAIN} [placeholders]")),
        systems=systems,
        own_domains=frozenset(d.casefold().strip(".") for d in own_domains),
    )


def _pattern(forms: Sequence[str], key: str) -> Any:
    if not forms:
        return None
    for form in forms:
        try:
            re2.compile(form)
        except re2.error as error:
            raise WordsError(f"{_MAIN} [service_id] {key}: '{form}' is no RE2 pattern ({error}); correct it") from error
    return re2.compile(r"(?:^|[^\p{L}\p{N}_@])(" + "|".join(f"(?:{f})" for f in forms) + r")\b")


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise WordsError(f"{_MAIN} [addresses] resolvers: '{text}' is no IP address; correct it") from error


def _only(data: Mapping[str, object], allowed: set[str], place: str) -> None:
    for key in data:
        if key not in allowed:
            raise WordsError(f"{place}: unknown key '{key}'; use {', '.join(sorted(allowed))}")


def _table(data: Mapping[str, object], key: str, place: str) -> Mapping[str, object]:
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise WordsError(f"{place}: [{key}] must be a table")
    return value


def _strings(data: Mapping[str, object], key: str, place: str) -> list[str]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise WordsError(f"{place}: '{key}' must be a list of texts")
    return [str(v) for v in value]


def _concepts(lexicon: Lexicon, data: Mapping[str, object], place: str) -> None:
    table = _table(data, "concepts", place)
    for concept in table:
        if concept not in CONCEPTS:
            raise WordsError(f"{place}: nothing uses the concept '{concept}'; use one of {', '.join(sorted(CONCEPTS))}")
        _add(lexicon, concept, _strings(table, concept, f"{place} [concepts]"), place)


def _add(lexicon: Lexicon, concept: str, phrases: Sequence[str], place: str) -> None:
    try:
        lexicon.add(_ANY, concept, phrases, tolerant=concept in _TOLERANT)
    except PhraseError as error:
        raise WordsError(f"{place}: {concept}: {error}") from error
