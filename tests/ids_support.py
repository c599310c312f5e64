"""Readings and words for the tests of identifiers, credentials, systems and components."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from checker.extract.ids_words import IdentifierWords, build_words
from checker.extract.reading import Reading, reading_of
from checker.model import Message, Zone, ZoneKind

RULES = Path(__file__).resolve().parents[1] / "rules"


def load(name: str) -> dict[str, Any]:
    """The parsed rule file."""
    return tomllib.loads((RULES / name).read_text(encoding="utf-8"))


def packs() -> dict[str, dict[str, Any]]:
    """``identifiers`` of every language."""
    return {
        d.name: {"identifiers": load(f"lang/{d.name}/identifiers.toml")} for d in sorted((RULES / "lang").iterdir())
    }


@cache
def words() -> IdentifierWords:
    """The shipped rules, compiled once."""
    files = (load("identifiers.toml"), load("systems.toml"), load("components.toml"))
    return build_words(*files, packs(), ["hoster.example"])


def message(body: str, subject: str = "", n: int = 1, log: str = "") -> Message:
    """A mail whose body is all the customer's own words; ``log`` is pasted below it."""
    text = body + ("\n\n" + log if log else "")
    zones = [Zone(ZoneKind.OWN, 0, len(text))]
    if log:
        cut = len(body) + 2
        zones = [Zone(ZoneKind.OWN, 0, cut), Zone(ZoneKind.LOG, cut, len(text))]
    return Message(n, "0" * 64, len(text), None, (), (), subject, None, None, (), None, text, tuple(zones))


def reading(body: str, subject: str = "", n: int = 1, log: str = "") -> Reading:
    """The reading of :func:`message`."""
    return reading_of(message(body, subject, n, log))
