"""The raw header: trimmed and made valid before any library sees it, then read field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message as MimeMessage
from typing import Final

from .charset import decode, decode_header
from .clean import one_line
from .limits import Limits

_FOLD: Final = re.compile(r"\r?\n[ \t]*|\r")
# Fields of which RFC 5322 §3.6 allows one; a second one is a way to show one thing and mean another.
SINGLE: Final = ("from", "subject", "message-id", "date", "reply-to", "sender", "to")


def trim(raw: bytes, limits: Limits) -> tuple[bytes, tuple[str, ...]]:
    """The mail with a bounded, UTF-8 header, and the defects that this hides.

    Raw 8-bit header bytes that are no UTF-8 are taken as Windows-1252: mail-parser drops them silently
    ("Störung" becomes "Strung").
    """
    header, separator, body = _split(raw)
    if len(header) < 1_000 and header.isascii() and b"\x00" not in header:
        return raw, ()
    defects: list[str] = []
    newline = b"\r\n" if b"\r\n" in header[:1_000] else b"\n"
    lines = header.split(b"\n")
    if len(lines) > limits.header_lines:
        defects.append(f"header: only the first {limits.header_lines} of {len(lines)} lines were read")
        lines = lines[: limits.header_lines]
    kept: list[bytes] = []
    room = limits.header_field
    cut = False
    for line in lines:
        line = line.rstrip(b"\r")
        if not line.startswith((b" ", b"\t")):
            room = limits.header_field
        cut = cut or len(line) > room
        line = line[: max(room, 0)]
        room -= len(line)
        if b"\x00" in line:
            defects.append("header: NUL bytes removed")
            line = line.replace(b"\x00", b"")
        if not line.isascii():
            line = _utf8(line, defects)
        if line.strip():
            kept.append(line)
    if cut:
        defects.append(f"header: a field was cut at {limits.header_field} bytes")
    return newline.join(kept) + newline + (separator or newline) + body, tuple(dict.fromkeys(defects))


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, empty line and body."""
    ends = [(at, sep) for sep in (b"\n\r\n", b"\n\n") if (at := raw.find(sep)) >= 0]
    if not ends:
        return raw, b"", b""
    at, separator = min(ends)
    return raw[:at], separator[1:], raw[at + len(separator) :]


def _utf8(line: bytes, defects: list[str]) -> bytes:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        defects.append("header: 8-bit text without a charset")
        return decode(line, None)[0].encode("utf-8")
    return line


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields in order, names in lower case, values raw but unfolded."""

    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str:
        """The first value, ``""`` when there is none."""
        return next((v for n, v in self.fields if n == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """All values, topmost first."""
        return tuple(v for n, v in self.fields if n == name)

    def text(self, name: str) -> str:
        """The first value decoded (RFC 2047) and on one line."""
        return one_line(decode_header(self.first(name)))

    def has(self, name: str) -> bool:
        """Whether the field is there, even empty."""
        return any(n == name for n, _ in self.fields)

    def duplicates(self) -> tuple[str, ...]:
        """Defects for fields that may stand only once and stand more often."""
        return tuple(f"duplicate header: {n}" for n in SINGLE if len(self.all(n)) > 1)


def headers_of(part: MimeMessage) -> Headers:
    """The header of a compat32 part; read by ``raw_items``, which parses nothing."""
    return Headers(tuple((str(name).lower(), _FOLD.sub(" ", str(value)).strip()) for name, value in part.raw_items()))
