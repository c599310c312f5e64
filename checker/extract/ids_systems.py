"""The table of operating systems: canonical names, how people write them, which versions exist.

Pure data from ``rules/systems.toml``; one ``[[system]]`` a table::

    [[system]]
    name = "Debian"
    aliases = ["debian{,a,u,om}"]     # phrases of the lexicon
    major = [7, 20]                   # versions outside are not versions ("Debian 64 bit")
    codenames = { bookworm = "12" }
    editions = { Standard = ["standard", "std"] }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = "rules/systems.toml"
_KEYS = ("name", "aliases", "major", "codenames", "editions", "above")


class SystemsError(ValueError):
    """``rules/systems.toml`` cannot be used; the message says what to correct."""


@dataclass(frozen=True, slots=True)
class System:
    """One system. ``above``: from this major version on it is the system named so (Windows 2019 is Windows Server)."""

    name: str
    lowest: int
    highest: int
    editions: Mapping[str, str]  # folded word -> canonical edition
    above: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class SystemTable:
    """``phrases``: lexicon phrases by system, and by ``name=version`` for codenames."""

    systems: Mapping[str, System]
    phrases: Mapping[str, list[str]]


def build_systems(data: Mapping[str, object]) -> SystemTable:
    """The table; raises :class:`SystemsError` for an unknown key or a wrong type."""
    for key in data:
        if key not in ("system", "ignore"):
            raise SystemsError(f"{_PLACE}: unknown key '{key}'; use [[system]] and ignore")
    entries = data.get("system", [])
    if not isinstance(entries, list):
        raise SystemsError(f"{_PLACE}: write each system as [[system]]")
    systems: dict[str, System] = {}
    phrases: dict[str, list[str]] = {"": _texts(data, "ignore", _PLACE)}
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise SystemsError(f"{_PLACE}: every [[system]] needs a name")
        name = str(entry["name"])
        place = f"{_PLACE} {name}"
        for key in entry:
            if key not in _KEYS:
                raise SystemsError(f"{place}: unknown key '{key}'; use {', '.join(_KEYS)}")
        systems[name] = _system(entry, name, place)
        phrases[name] = _texts(entry, "aliases", place)
        codenames = entry.get("codenames", {})
        if not isinstance(codenames, Mapping):
            raise SystemsError(f"{place}: codenames is a table of name = version")
        for word, version in codenames.items():
            phrases.setdefault(f"{name}={version}", []).append(str(word))
    return SystemTable(systems, phrases)


def _system(entry: Mapping[str, object], name: str, place: str) -> System:
    major = entry.get("major", [0, 9999])
    if not (isinstance(major, list) and len(major) == 2 and all(isinstance(m, int) for m in major)):
        raise SystemsError(f"{place}: major is [lowest, highest], two whole numbers")
    editions = entry.get("editions", {})
    if not isinstance(editions, Mapping):
        raise SystemsError(f"{place}: editions is a table of edition = [words]")
    words = {w.casefold(): str(e) for e in editions for w in _texts(editions, e, place)}
    above = entry.get("above")
    if above is not None and not (isinstance(above, Mapping) and isinstance(above.get("major"), int)):
        raise SystemsError(f"{place}: above is {{ major = 2000, name = '…' }}")
    rest = (int(above["major"]), str(above["name"])) if isinstance(above, Mapping) else None
    return System(name, int(major[0]), int(major[1]), words, rest)


def _texts(data: Mapping[str, object], key: str, place: str) -> list[str]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise SystemsError(f"{place}: '{key}' must be a list of texts")
    return [str(v) for v in value]
