"""Bytes to text: declared charset, then UTF-8, then Windows-1252 (what undeclared Western mail is).

The decoders of the library are named by the sender, so only real, linear text codecs are let through.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Final

# Codecs that are no charset of mail, or whose cost grows with the square of the input.
_REFUSED: Final = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})
# Senders write these for what is Windows-1252 (as browsers read them, WHATWG Encoding).
_WESTERN: Final = frozenset({"iso8859-1", "latin-1", "ascii", "us-ascii", "iso-8859-1"})
_ALIASES: Final = {
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-sjis": "cp932",
    "cp-850": "cp850",
    "x-mac-roman": "mac-roman",
    "ansi_x3.110-1983": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "windows-874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "iso-8859-9": "cp1254",
}
_ENCODED_WORD: Final = re.compile(r"=\?([^?\s]{1,75})\?([bBqQ])\?([^?]*)\?=")
_MOSTLY: Final = 200  # one bad byte in so many still counts as UTF-8 that was cut or patched


def text_codec(charset: str | None) -> str | None:
    """The name of a usable text codec for a declared charset, ``None`` when there is none."""
    if not charset:
        return None
    name = charset.strip().strip("\"'").lower().split("*")[0]
    name = _ALIASES.get(name, name)
    if not name.isascii() or "\x00" in name or len(name) > 40:
        return None
    try:
        info = codecs.lookup(name)
    except LookupError:
        return None
    if info.name in _REFUSED or info.name.replace("-", "_") in _REFUSED:
        return None
    try:
        b"ab".decode(info.name)
    except LookupError:  # "zip", "rot13" and other codecs that are not text
        return None
    except ValueError:
        return info.name  # a text codec that two bytes are not enough for
    return info.name


def decode(raw: bytes, charset: str | None) -> tuple[str, str | None]:
    """The text, and a defect's name when the declared charset was not the right one.

    Never fails: bytes that Windows-1252 leaves undefined become their Latin-1 characters.
    """
    codec = text_codec(charset)
    if codec is not None and codec not in _WESTERN:
        try:
            return raw.decode(codec), None
        except ValueError:
            pass
    text = _utf8(raw)
    if text is not None:
        unknown = bool(charset) and codec is None
        wrong = codec is not None and codec not in ("utf-8", "utf-8-sig") and not raw.isascii()
        return text, f"charset: {_shown(charset)}" if unknown or (wrong and codec not in _WESTERN) else None
    western = codec in _WESTERN and (charset or "").lower() not in ("us-ascii", "ascii")
    return _cp1252(raw), None if western else f"charset: {_shown(charset)}"


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(1 for c in text if c > "\x7f") - bad
    return text if good > bad and bad * _MOSTLY <= len(text) else None


def _cp1252(raw: bytes) -> str:
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in raw)


def _shown(charset: str | None) -> str:
    """A charset's name fit for a defect note."""
    return "".join(c for c in (charset or "none") if c.isalnum() or c in "-_.")[:40] or "unreadable"


def decode_header(value: str) -> str:
    """A raw header value (8-bit bytes as surrogate escapes) with RFC 2047 words decoded.

    More lenient than the RFC, as readers are: raw 8-bit bytes and blanks inside a word are taken,
    and neighbouring words of one charset are joined before decoding (split multi-byte characters).
    """
    out: list[str] = []
    pending: bytes = b""
    charset = ""
    at = 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[at : match.start()]
        if between.strip() or (not out and not pending):
            out.append(_flush(pending, charset))
            out.append(_raw(between))
            pending = b""
        content = _word(match[2], match[3])
        if content is None:
            out.append(_flush(pending, charset))
            out.append(_raw(match[0]))
            pending = b""
        else:
            name = match[1].lower()
            if pending and name != charset:
                out.append(_flush(pending, charset))
                pending = b""
            pending, charset = pending + content, name
        at = match.end()
    out.append(_flush(pending, charset))
    out.append(_raw(value[at:]))
    return "".join(out)


def _flush(pending: bytes, charset: str) -> str:
    return decode(pending, charset)[0] if pending else ""


def _raw(text: str) -> str:
    if text.isascii():
        return text
    try:
        return decode(text.encode("ascii", "surrogateescape"), None)[0]
    except UnicodeEncodeError:  # already decoded by whoever built the header
        return text


def _word(encoding: str, text: str) -> bytes | None:
    """The bytes of one encoded word, ``None`` when it cannot be read."""
    raw = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return None
