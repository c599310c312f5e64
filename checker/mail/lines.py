"""One letter per line: what a line looks like before anyone reasons about the whole message.

The zones are decided over these letters (:mod:`checker.mail.zones`), never by one expression over the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .words import MailWords, plain_words

_QUOTE: Final = re.compile(r"[ \t]{0,2}(>(?:[ \t]?>)*)")
_RULE: Final = re.compile(r"[ \t>]*(?:[_=*~#–—─-][ \t]?){3,}[ \t]*$")
_DELIMITER: Final = re.compile(r"(?:--|—|––|__|–)[ \t]*$")
_DECORATED: Final = re.compile(r"[ \t]*[-_=*~–—>]{2,}")
_MAX_MARKER: Final = 90


class Look(StrEnum):
    """The letter of a line."""

    EMPTY = "e"
    QUOTED = "q"
    ORIGINAL = "m"  # "-----Messaggio originale-----"
    FORWARD = "f"  # "---------- Forwarded message ---------"
    DELIMITER = "s"  # "-- "
    RULE = "d"  # a line of dashes or underscores
    TEXT = "t"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its place in the text (``end`` is after the line end) and its letter."""

    start: int
    end: int
    text: str  # without the line end
    look: Look
    depth: int = 0  # of quoting by ">"


def split_lines(text: str, words: MailWords) -> tuple[Line, ...]:
    """All lines of a visible text; they cover it without gaps."""
    lines: list[Line] = []
    at = 0
    for raw in text.splitlines(keepends=True):
        content = raw.rstrip("\n")
        depth = quote_depth(content)
        look = Look.QUOTED if depth else _look(content, words)
        lines.append(Line(at, at + len(raw), content, look, depth))
        at += len(raw)
    return tuple(lines)


def quote_depth(line: str) -> int:
    """How often the line is quoted by ``>``; 0 for banners (``>>> offer <<<``)
    and for the ``>:`` that is left of a wrapped address."""
    match = _QUOTE.match(line)
    if match is None or line.rstrip().endswith("<") or line.strip() in (">:", "> :"):
        return 0
    return match[1].count(">")


def _look(line: str, words: MailWords) -> Look:
    bare = line.strip()
    if not bare:
        return Look.EMPTY
    if _DELIMITER.match(line):
        return Look.DELIMITER
    if _RULE.match(line):
        return Look.RULE
    return marker(line, words) or Look.TEXT


def marker(line: str, words: MailWords) -> Look | None:
    """Whether the line announces an original or a forwarded mail ("Inizio messaggio inoltrato:")."""
    bare = line.strip().strip("*")
    if len(bare) > _MAX_MARKER or not (_DECORATED.match(bare) or bare.endswith(":")):
        return None
    padded = plain_words(bare)
    if not _DECORATED.match(bare) and len(padded.split()) < 2:
        return None  # "Original:" may be anybody's label
    if words.forwarded.whole(padded):
        return Look.FORWARD
    if words.original.whole(padded):
        return Look.ORIGINAL
    return None
