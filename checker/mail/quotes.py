"""Where a quote is introduced: attribution lines and quoted header blocks.

Attribution lines are found by what they hold (a date, a time, an address, a verb of writing, the colon at
the end), not by one pattern per mail program, so that languages without a pack are found too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .lines import Line, Look
from .words import HeaderRole, MailWords, plain_words

_DATE: Final = re.compile(
    r"\b\d{1,2}\. ?\d{1,2}\. ?\d{2,4}\b|\b\d{1,2}[/-]\d{1,2}[/-]\d{2,4}\b|\b\d{4}[-./]\d{1,2}[-./]\d{1,2}\b"
    r"|\b\d{1,2}\.? (?:de |d')?[^\W\d]{2,12}\.?,? (?:de )?\d{4}\b|\b[^\W\d]{3,12}\.? \d{1,2}(?:st|nd|rd|th)?, ?\d{4}\b"
    r"|\b[^\W\d]{3,9} \d{1,2}, |\d{4} ?年 ?\d{1,2} ?月"
)
_SIGN: Final = re.compile(r"[\d@]")  # of every date, time and address
_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
_TIME: Final = re.compile(r"\b\d{1,2}[:.]\d{2}(?::\d{2})?\b|\b\d{1,2} ?h ?\d{2}\b")
_ADDRESS: Final = re.compile(r"[^\s<>@,;:\"]{1,64}@[^\s<>@,;:\"]{1,190}")
_ANGLED: Final = re.compile(r"<\s*(?:mailto:)?[^\s<>@]{1,64}@[^\s<>@]{1,190}")
_HEADER: Final = re.compile(r"[ \t*_|•]{0,12}([^\W\d_][\w' ./-]{0,28}?)[ \t*_]{0,4}[::][ \t*_]{0,4}(.*)$")
_MAX_WINDOW: Final = 4  # lines that one attribution may be wrapped over
_MAX_CHARS: Final = 320
_MAX_AFTER_VERB: Final = 7
_MAX_BLOCK: Final = 14


@dataclass(frozen=True, slots=True)
class Introduction:
    """Lines ``start`` to ``end`` (half open) that introduce what follows.

    ``address`` is the quoted sender's when one is named, ``known`` whether it can be nothing but an
    introduction (a marker, an address, or a verb of writing with a date).
    """

    start: int
    end: int
    forward: bool = False
    address: str | None = None
    known: bool = True


def attribution(lines: Sequence[Line], at: int, words: MailWords) -> Introduction | None:
    """The attribution that starts at line ``at``, or ``None``.

    Of the windows that end on the same line the longest whose first line opens like an attribution
    wins; otherwise the shortest, so that a sentence above it is not swallowed.
    """
    if lines[at].look is not Look.TEXT:
        return None
    window: list[str] = []
    for end in range(at, min(at + _MAX_WINDOW, len(lines))):
        if lines[end].look is not Look.TEXT:
            return None
        window.append(lines[end].text.strip())
        joined = " ".join(window)
        if len(joined) > _MAX_CHARS:
            return None
        if not _is_attribution(joined, words, followed=_followed(lines, end)):
            continue
        if end > at and not _opens(window[0], words) and attribution(lines, at + 1, words) is not None:
            return None
        if end > at and not _evidence(window[0]):
            return None
        return Introduction(at, end + 1, address=_address(joined))
    return None


def _followed(lines: Sequence[Line], end: int) -> bool:
    """Whether the next line with words is quoted by ``>``."""
    return next((n.look is Look.QUOTED for n in lines[end + 1 : end + 4] if n.look is not Look.EMPTY), False)


def _evidence(text: str) -> bool:
    return "<" in text or "@" in text or _TIME.search(text) is not None or _DATE.search(text) is not None


def _opens(text: str, words: MailWords) -> bool:
    folded = tuple(plain_words(text).split())
    return bool(folded) and (words.starts.prefix(folded) > 0 or text[:1].isdigit()) and _evidence(text)


def _is_attribution(text: str, words: MailWords, *, followed: bool) -> bool:
    if _SIGN.search(text) is None:
        return False
    bare = text.rstrip(" \t*_-–—")
    colon = bare.endswith((":", ":"))
    if not colon and (len(bare) > _MAX_CHARS or not _evidence(text)):
        return False
    padded = plain_words(bare)
    verb_end = words.wrote.find(padded)
    if not colon and verb_end != len(padded):
        return False
    date, time = _DATE.search(text) is not None, _TIME.search(text) is not None
    if verb_end >= 0 and (date or time or _ADDRESS.search(text)):
        clear = _opens(text, words) or _ANGLED.search(text) is not None or followed
        if clear and _ends_soon(text, padded, verb_end):
            return True
    if not colon or not (date or (followed and time)):
        return False
    ends_with_address = len(bare.rpartition(">")[2].split()) <= 3
    if _ANGLED.search(text) and (followed or ends_with_address or (time and _opens(text, words))):
        return True
    if _ADDRESS.search(text):
        return followed
    return followed and time and len(text.split()) <= 15 and _opens(text, words)


def _ends_soon(text: str, padded: str, verb_end: int) -> bool:
    """After the verb come only a name and an address, as in "schrieb Max Muster <m@x>:"."""
    rest = padded[verb_end:].split()
    address = _ADDRESS.findall(text)
    return len(rest) - sum(len(plain_words(a).split()) for a in address) <= _MAX_AFTER_VERB


def _address(text: str) -> str | None:
    found = _ANGLED.search(text) or _ADDRESS.search(text)
    return found[0].lstrip("<").strip().removeprefix("mailto:").lower() if found else None


def header_block(lines: Sequence[Line], at: int, words: MailWords, *, announced: bool) -> Introduction | None:
    """The quoted header block ("Da: … Inviato: … A: … Oggetto: …") that starts at line ``at``, or ``None``.

    Without a marker or rule above it (``announced``) a line must name an address, or sender, moment and
    receiver be there, or a subject with two more: "From: 22:00 / To: 04:00" is somebody's maintenance window.
    """
    roles: set[HeaderRole] = set()
    address: str | None = None
    addresses = moment = False
    end = at
    last_header = at - 1
    for index in range(at, min(at + _MAX_BLOCK, len(lines))):
        line = lines[index]
        if line.look is not Look.TEXT:
            break
        found = _header_roles(line.text, words)
        if found is None:
            if index == at or not _continues(lines[index - 1].text, line.text, index - last_header):
                break
            addresses = addresses or "@" in line.text
            if address is None and HeaderRole.FROM in roles and len(roles) == 1:
                address = _address(line.text)
            continue
        kinds, value = found
        new = kinds - roles
        if not new and index > at and HeaderRole.CC not in kinds:
            break
        roles |= new
        if HeaderRole.FROM in new:
            address = _address(value)
        addresses = addresses or "@" in value
        moment = moment or (HeaderRole.SENT in new and _is_moment(value))
        last_header = index
        end = index + 1
    main = roles - {HeaderRole.CC}
    if HeaderRole.FROM not in roles or len(main) < 2:
        return None
    dated = {HeaderRole.FROM, HeaderRole.SENT, HeaderRole.TO} <= main and moment
    if not (announced or addresses or dated or len(main) >= 4 or (len(main) == 3 and HeaderRole.SUBJECT in main)):
        return None
    return Introduction(at, end, address=address, known=announced or addresses)


def foreign_header_block(lines: Sequence[Line], at: int) -> Introduction | None:
    """A header block in a language without a pack: three to five labels, two addresses, one moment."""
    if "@" not in lines[at].text:
        return None
    end = at
    addresses = moments = 0
    for line in lines[at : at + 5]:
        match = _HEADER.match(line.text) if line.look is Look.TEXT else None
        if match is None:
            break
        value = match[2]
        addresses += "@" in value
        moments += _is_moment(value)
        end += 1
    if end - at < 3 or addresses < 2 or moments != 1:
        return None
    return Introduction(at, end, address=_address(lines[at].text))


def _is_moment(value: str) -> bool:
    """Whether a value names a day with its year and a time."""
    return bool(_TIME.search(value) and (_DATE.search(value) or _YEAR.search(value)))


def _header_roles(line: str, words: MailWords) -> tuple[frozenset[HeaderRole], str] | None:
    match = _HEADER.match(line) if ":" in line else None
    if match is None:
        return None
    roles = words.headers.get(plain_words(match[1]).strip())
    return (roles, match[2]) if roles else None


def _continues(previous: str, line: str, distance: int) -> bool:
    """Whether a line without a header name goes on with the header above it."""
    return distance <= 2 and (line.startswith((" ", "\t", "<")) or previous.rstrip().endswith((",", ";", ":", "<")))
