"""What looks like a secret although no rule reads it as a way in: not to be shown and not to be stored.

Credentials are what can be used; a mail also holds passwords that cannot (one without a user name, one in a
forwarded mail, one that the sentence before announces). They are told by their shape: an odd word near a
word for "password", in anybody's words, or one that only a password looks like. A word
too many that is masked costs nothing; one too few stands in a database.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final

from ..model import Findings, Message, Secret
from .ids_marks import Marks, mark
from .ids_secrets import MAX_SECRET, is_placeholder, is_strong
from .ids_words import IdentifierWords
from .reading import Reading, Stretch

_CHUNK: Final = re.compile(r"\S+")
_LABEL: Final = re.compile(r"[^\W\d_]{1,20}[:=](?=.{4})")  # "pw:S3cret", "password=S3cret"
_NAME: Final = re.compile(  # of a host, a mailbox, a path, a device, a number of something
    r"(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}[/:]?\Z|[^@]{0,80}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\Z|~?\.{0,2}/"
    r"|[^\W\d_]{1,5}\d{1,3}\Z|\d{1,2}[hH]\d{0,2}\Z|#\d+\Z|[A-Z]{1,4}-?[\d-]+\Z|GMT[+-]|UTC[+-]|[^\W\d_]+(?:_[^\W\d_]+)+\Z"
)
_NUMBERS: Final = re.compile(r"[\d.,:/%+~x×–-]+[^\W\d_]{0,3}\Z")  # dates, times, addresses, sizes
_FEW: Final = 40  # in one mail; more odd words than that are code or a log
_MOST: Final = 1_000  # looked at in one text
_LINES: Final = 2  # below the label
_OPENING: Final = "\"'([{<«»„“”‘’‚`*"
_CLOSING: Final = "\"'.,;:)]}>«»„“”‘’`"
_SIGNS: Final = frozenset("!#$%&?@^~§€|*+=")
_LEAST: Final = 6


def find(message: Message, marks: Marks, words: IdentifierWords, read: Findings) -> tuple[Secret, ...]:
    """The stretches of ``message`` (subject and whole text) that may be secrets, each once.

    ``marks`` are those of what is read; the rest is looked at only when something odd stands in it. What was
    ``read`` as a credential is known already, and what was read as a name (server, account, version) is none.
    """
    secrets = [s.reveal() for s in read.secrets()]
    apart = {x.casefold() for x in (*secrets, *_names(read), "")}
    inside = "\0".join(secrets)
    odd: dict[str, list[tuple[int, int, str]]] = {"subject": [], "body": []}
    for part, text in (("subject", message.subject), ("body", message.text)):
        for start, end, word in islice(_odd(text), _MOST):
            if word.casefold() in apart or word in inside:
                continue
            if not is_placeholder(word, words.placeholders):
                odd[part].append((start, end, word))
    if not any(odd.values()):
        return ()
    found: dict[str, None] = {}
    for part, candidates in odd.items():
        text = message.subject if part == "subject" else message.text
        labels = _labels(message, marks, words, part) if candidates else []
        ends = [m.start() for m in re.finditer("\n", text)] if labels else []
        lines = sorted({bisect_right(ends, at) for at in labels})
        few = len(candidates) <= _FEW
        for start, _, word in candidates:
            line = bisect_right(ends, start)
            i = bisect_right(lines, line)
            if (i and line - lines[i - 1] <= _LINES + _blank(text, ends, lines[i - 1], line)) or (
                few and _only_a_password(word)
            ):
                found.update(dict.fromkeys(_pieces(word)))
    return tuple(Secret(x) for x in found if x.casefold() not in apart)


def _names(read: Findings) -> Iterator[str]:
    for i in read.identifiers:
        yield from (i.value, i.span.text)
    for c in read.credentials:
        yield c.username or ""
    for part in read.components:
        yield from (part.serial or "", *part.span.text.split())
    for system in read.systems:
        yield from system.span.text.split()


def _odd(text: str) -> Iterator[tuple[int, int, str]]:
    """Words that are no words: letters with digits or signs in them."""
    for match in _CHUNK.finditer(text):
        start, end = match.span()
        if end - start > MAX_SECRET or end - start < _LEAST - 2:
            continue
        while start < end and text[start] in _OPENING:
            start += 1
        while end > start and text[end - 1] in _CLOSING:
            end -= 1
        word = text[start:end]
        if _is_odd(word) and "://" not in word and not _NAME.match(word) and not _NUMBERS.match(word):
            yield start, end, word


def _is_odd(word: str) -> bool:
    """A digit or sign inside, where "!!" at the end or a question mark before is none."""
    inner = word.strip("".join(c for c in set(word) if not c.isalnum()))
    return is_strong(word, camel=False) and is_strong(inner.ljust(4, "x"), camel=False)


def _labels(message: Message, marks: Marks, words: IdentifierWords, part: str) -> list[int]:
    """Where a word for "password" stands, in whoever's words."""
    read = marks.reading.stretches
    rest = tuple(
        Stretch(z.start, z.end, z.kind)
        for z in message.zones
        if z.start < z.end and not any(s.part == "body" and s.start <= z.start and z.end <= s.end for s in read)
    )
    everything = [marks] + ([mark(Reading(message, rest), words)] if rest and part == "body" else [])
    spots = ((m, first) for m in everything for first, _ in m.spots("password"))
    return [m.start[i] for m, i in spots if m.part[i] == part and not m.log[i]]  # "Failed password for root"


def _blank(text: str, ends: list[int], first: int, last: int) -> int:
    """Empty lines between two lines do not count."""
    if last - first > 2 * _LINES:
        return 0
    starts = [0 if n == 0 else ends[n - 1] + 1 for n in range(first, last + 1)]
    return sum(not text[a:b].strip() for a, b in pairwise(starts))


def _only_a_password(word: str) -> bool:
    """Letters, digits and a sign inside that names, sizes, paths and addresses do not have."""
    body = word.rstrip("!?*%+€$#=")
    if len(body) < _LEAST or body[0] in "/~#@$%=&-|*" or body.count("/") > 1 or "\\" in body or "(" in body:
        return False
    letters = sum(c.isalpha() for c in body)
    signs = [c for c in body[1:] if c in _SIGNS]
    if body.count("#") > 1 or body.count("_") > 2 or {*signs} <= {"=", "+"} or {*signs} == {"@"}:
        return False  # names of devices, settings
    if letters < 2 or not signs or "->" in body or any(x in body for x in ("&&", "||", "==", "$(", "${", "%s")):
        return False
    if {*signs} <= {"=", "+", "*", "|", "&"} and not any(c.isdigit() for c in body):
        return False  # "key=value", "user+tag"
    return any(c.isdigit() for c in body) or (len({*signs}) > 1 and any(c.isupper() for c in body))


def _pieces(word: str) -> Iterator[str]:
    """The word, and what stands behind a label or a user name that is glued to it."""
    yield word
    label = _LABEL.match(word)
    if label is not None:
        yield word[label.end() :]
    head, slash, tail = word.partition("/")
    if slash and head.isalpha() and len(tail) >= _LEAST - 2 and is_strong(tail):
        yield tail
