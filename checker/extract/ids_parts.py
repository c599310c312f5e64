"""Serial numbers and slots of parts.

Makers' serials have no common form: six signs or more with a digit, after a word for it or standing where
only a serial can stand. Slots are the bare designation: "bay 3" is ``3``, "DIMM A2" is ``A2``, "FAN3" stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .ids_marks import Marks

_SERIAL = re.compile(r"[A-Z0-9][A-Z0-9]*(?:-[A-Z0-9]+)*\Z")
_CHUNK = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*[0-9A-Za-z]")
_UNLABELLED = re.compile(r"(?=[A-Z0-9]{0,7}[A-Z])(?=[A-Z]{0,7}[0-9])[A-Z0-9]{7,24}\Z")
_FAN = re.compile(r"(?:FAN|PSU)[ _-]?\d{1,2}\Z", re.IGNORECASE)
_DESIGNATION = re.compile(r"[A-Z]?\d{1,2}\Z|[A-Z]\d[A-Z]?\Z", re.IGNORECASE)
_OWN_NAMES = re.compile(r"(?<![\w-])(FAN|PSU|DIMM|M2|M\.2)[ _-]?([A-Z]?\d{1,2})(?![\w])", re.IGNORECASE)
_SMALL = frozenset(
    {
        "pcie",
        "pci",
        "nr",
        "no",
        "n",
        "number",
        "nummer",
        "numero",
        "número",
        "numer",
        "br",
        "št",
        "the",
        "sata",
        "dimm",
        "numéro",
        "num",
    }
)


@dataclass(frozen=True, slots=True)
class Serial:
    """A serial number, the token where it begins, and whether it stands in a pasted log."""

    value: str
    token: int
    log: bool


def serials(marks: Marks) -> list[Serial]:
    """The serial numbers of a reading in order: labelled ones, and bare ones beside a word of swapping or a slot."""
    found: dict[tuple[str, bool], Serial] = {}
    for first, last in marks.spots("serial"):
        labelled = _labelled(marks, last)
        for token in [labelled] if labelled is not None else _column(marks, first):
            value = _chunk(marks, token)
            if value is not None:
                found.setdefault((value, marks.log[first]), Serial(value, token, marks.log[token]))
    for token in _bare(marks):
        value = _chunk(marks, token)
        if value is not None and (value, False) not in found and _UNLABELLED.match(value):
            found[value, False] = Serial(value, token, marks.log[token])
    return sorted(found.values(), key=lambda s: s.token)


def _labelled(marks: Marks, i: int) -> int | None:
    """The token of the value behind a label that ends before token ``i``."""
    start = i - 1
    while (
        i < len(marks.text)
        and i - start <= 6
        and marks.line[i] - marks.line[start] <= 1
        and marks.part[i] == marks.part[start]
    ):
        if marks.text[i] in ":.#(/=-|°º'\"":
            i += 1
            continue
        value = _chunk(marks, i)
        if value is not None:
            return i
        if not {"number", "link", "copula", "serial"} & set(marks.concepts[i]) and i - start > 3:
            return None
        i += 1
    return None


def _column(marks: Marks, head: int) -> list[int]:
    """The first tokens of the cells below ``head``, a table's column title; empty when it is in no table of bars."""
    line = head
    while line > 0 and marks.line[line - 1] == marks.line[head]:
        line -= 1
    column = sum(marks.text[i] == "|" for i in range(line, head))
    cells: list[int] = []
    i, row, bars = head, marks.line[head], -1
    while i < len(marks.text) and marks.part[i] == marks.part[head] and marks.line[i] - row <= 1:
        if marks.line[i] != row:
            row, bars = marks.line[i], 0
        if marks.text[i] == "|":
            bars += 1
            if row != marks.line[head] and bars == column and i + 1 < len(marks.text) and marks.line[i + 1] == row:
                cells.append(i + 1)
        i += 1
    return cells if column else []


def _chunk(marks: Marks, i: int) -> str | None:
    """The serial that begins at token ``i``, hyphens included, if it has the form of one."""
    source = marks.source(i)
    match = _CHUNK.match(source, marks.start[i])
    if match is None or (
        marks.start[i]
        and source[marks.start[i] - 1] in "-_./@:"
        and source[marks.start[i] - 2 : marks.start[i] - 1].isalnum()
    ):
        return None
    value = match[0]
    if not 5 <= len(value) <= 32 or not any(c.isdigit() for c in value) or not _SERIAL.match(value.upper()):
        return None
    return value if value.upper() == value or sum(c.isdigit() for c in value) >= 3 else None


def _bare(marks: Marks) -> Iterator[int]:
    """Tokens that can be an unlabelled serial: in brackets or after a slot, in a sentence or line about the swap."""
    about = {marks.segment[s] for c in ("swap", "slot") for s, _ in marks.spots(c) if not marks.log[s]}
    for i, text in enumerate(marks.text):
        if len(text) >= 7 and marks.segment[i] in about and not marks.log[i] and text.upper() == text and i:
            before = marks.text[i - 1]
            if before in "(,:-–" and not marks.concepts[i]:
                yield i


def slot_near(marks: Marks, token: int | None, *, line: bool) -> str | None:
    """The slot named in the sentence (``line``: the line) of ``token``, or anywhere when it is ``None``."""
    spots = marks.spots("slot")
    if token is not None:  # the nearest one before it, else the nearest behind it
        spots.sort(key=lambda s: (s[0] > token, abs(s[0] - token)))
    for first, last in spots:
        if marks.log[first] or not _here(marks, first, token, line=line):
            continue
        slot = _after(marks, last)
        if slot is not None:
            return slot
    for i, text in enumerate(marks.text):
        if marks.log[i] or not _here(marks, i, token, line=line):
            continue
        if _FAN.match(text) and any(c.isdigit() for c in text):
            return text.upper()
        match = _OWN_NAMES.match(marks.source(i), marks.start[i])
        if match is not None:
            return match[0].upper() if match[1].upper() in ("FAN", "PSU") else _dimm(match)
    return None


def _dimm(match: re.Match[str]) -> str:
    return match[0] if match[1].upper().startswith("M") else match[2].upper()


def _here(marks: Marks, i: int, token: int | None, *, line: bool) -> bool:
    if token is None:
        return marks.part[i] == "body"
    if marks.part[i] != marks.part[token]:
        return False
    return marks.line[i] == marks.line[token] if line else marks.segment[i] == marks.segment[token]


def _after(marks: Marks, i: int) -> str | None:
    start = i - 1
    while (
        i < len(marks.text)
        and i - start <= 5
        and marks.line[i] - marks.line[start] <= 1
        and marks.part[i] == marks.part[start]
    ):
        text = marks.text[i]
        if _DESIGNATION.match(text):
            if i + 1 < len(marks.text) and marks.text[i + 1] == "_" and i + 2 < len(marks.text):
                return f"{text}_{marks.text[i + 2]}".upper()
            return text.upper()
        if _FAN.match(text) and any(c.isdigit() for c in text):
            return text.upper()
        if text in ":.#_-°º(" or text.casefold() in _SMALL or {"slot", "number"} & set(marks.concepts[i]):
            i += 1
            continue
        return None
    return None
