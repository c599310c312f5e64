"""A reading cut into tokens with the concepts that the words of each stand for.

One pass that identifiers, credentials, systems and components share. Tokens are kept as parallel lists:
a ticket has a few hundred, and this is the hottest loop of reading it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address

from ..model import ZoneKind
from .ids_words import IdentifierWords
from .reading import Reading, Stretch

WORD, MIXED, NUMBER, IP, HOST, URL, EMAIL, SIGN = "WXNIHUES"

# Fixed and linear: every repetition is bounded or followed by what it cannot contain.
_TOKEN = re.compile(
    r"(?P<W>[^\W\d_]+)(?=[\s,;!?)\"'’“”«»\]]|$)"
    r"|(?P<U>https?://[^\s<>\"«»„“”]+)"
    r"|(?P<E>[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6})"
    r"|(?P<I>(?<![\w.])(?:(?!:[^:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])|\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)))"
    r"|(?P<H>(?<![\w.@/\\-])(?:[^\W_][\w-]{0,62}\.){1,6}[^\W\d_]{2,24}(?![\w@(]))"
    r"|(?P<X>[^\W_]+)"
    r"|(?P<S>[^\w\s]|_)"
)
_LONG = 60  # a line at least this long may be wrapped: the sentence goes on in the next one
_LIST = re.compile(r"[ \t]*(?:[-*•–·]|\(?(?:\d{1,2}|[a-zA-Z])[.):])[ \t]|[ \t]*\|")
_LABEL = re.compile(r"[^\W\d_][^\n:|]{0,40}(?::|\s\.{3,})(?=\s|$)")
_TECHNICAL = re.compile(r"[^\W\d_]{2,3}\d{1,2}\Z|\d{1,2}[gG]\Z")  # FAN3, DDR4, 10G
_GLUED = re.compile(r"([^\W\d_]{4,10})\d{1,4}\Z")  # debian12, gateway4
_NONE: tuple[str, ...] = ()


@dataclass(slots=True)
class Marks:
    """Tokens of a reading; index ``i`` is the same token in all lists.

    ``line`` counts over the whole reading (an empty line is a step of two), ``segment`` sentences and
    label or list lines, ``concepts`` what the token's words stand for, ``log`` whether it is in a log.
    """

    reading: Reading
    text: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    segment: list[int] = field(default_factory=list)
    part: list[str] = field(default_factory=list)
    log: list[bool] = field(default_factory=list)
    concepts: list[tuple[str, ...]] = field(default_factory=list)
    hits: list[tuple[str, int, int]] = field(default_factory=list)  # concept, first token, token after the last

    def has(self, index: int, concept: str) -> bool:
        """Whether token ``index`` exists and stands for ``concept``."""
        return 0 <= index < len(self.text) and concept in self.concepts[index]

    def spots(self, concept: str) -> list[tuple[int, int]]:
        """Where ``concept`` stands, as token ranges."""
        return [(s, e) for c, s, e in self.hits if c == concept]

    def source(self, index: int) -> str:
        """The text that the offsets of token ``index`` count in."""
        return self.reading.text(self.part[index])


def mark(reading: Reading, words: IdentifierWords) -> Marks:
    """Cut ``reading`` into tokens and look their words up."""
    marks = Marks(reading)
    line = 0
    before: Stretch | None = None
    for stretch in reading.stretches:
        text = reading.text(stretch.part)
        if before is not None:
            joined = before.part == stretch.part and not text[before.end : stretch.start].strip()
            line += text.count("\n", before.end, stretch.start) if joined else 2
        line = _cut(marks, text, stretch.start, stretch.end, stretch.part, stretch.kind is ZoneKind.LOG, line)
        before = stretch
    _look_up(marks, words)
    _segments(marks)
    return marks


def _cut(marks: Marks, text: str, start: int, end: int, part: str, log: bool, line: int) -> int:
    """Append the tokens of one stretch; returns the line number at its end."""
    last = start
    before = len(marks.text)
    for found in _TOKEN.finditer(text, start, end):
        group = found.lastgroup or "S"
        a, b = found.span()
        gap = text.count("\n", last, a)
        line += gap
        last = b
        word = found.group()
        if group == "X":
            group = NUMBER if word.isdigit() else WORD if word.isalpha() else MIXED
        elif group == "I" and not _is_address(word):
            _cut_plain(marks, text, a, b, line)
            continue
        elif group == "U":
            word = word.rstrip(".,;:!?)]}'*")
            b = a + len(word)
        _append(marks, word, a, b, group, line)
    count = len(marks.text) - before
    marks.part.extend([part] * count)
    marks.log.extend([log] * count)
    return line + text.count("\n", last, end)


_PLAIN = re.compile(r"[^\W_]+|[^\w\s]|_")


def _cut_plain(marks: Marks, text: str, start: int, end: int, line: int) -> None:
    """What looks like an address and is none ("06:40:12", "1.2.3.400")."""
    for found in _PLAIN.finditer(text, start, end):
        word = found.group()
        group = NUMBER if word.isdigit() else WORD if word.isalpha() else MIXED if word.isalnum() else SIGN
        _append(marks, word, found.start(), found.end(), group, line)


def _append(marks: Marks, word: str, a: int, b: int, kind: str, line: int) -> None:
    marks.text.append(word)
    marks.start.append(a)
    marks.end.append(b)
    marks.kind.append(kind)
    marks.line.append(line)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _look_up(marks: Marks, words: IdentifierWords) -> None:
    """Concepts by token. Odd tokens are kept from the lexicon: they may be secrets, and it remembers words."""
    pairs = zip(marks.text, marks.kind, strict=True)
    plain = [t if k == WORD else _technical(t) if k == MIXED else "" for t, k in pairs]
    index = [i for i, k in enumerate(marks.kind) if k != SIGN]
    concepts: list[tuple[str, ...]] = [_NONE] * len(plain)
    found = words.lexicon.hits([plain[i] for i in index])[0] if index else []
    for hit in found:
        first, last = index[hit.start], index[hit.end - 1]
        if marks.line[last] - marks.line[first] > 1 or marks.part[first] != marks.part[last]:
            continue
        marks.hits.append((hit.concept, first, last + 1))
        for i in range(first, last + 1):
            concepts[i] = (*concepts[i], hit.concept)
    marks.concepts = concepts


def _technical(token: str) -> str:
    """What of a token with digits is looked up: all of a short one, the word of a glued one."""
    if _TECHNICAL.match(token):
        return token
    glued = _GLUED.match(token)
    return glued[1] if glued else ""


def _segments(marks: Marks) -> None:
    """Number the sentences, label lines and list items (see :class:`Marks`)."""
    segment = 0
    for i in range(len(marks.text)):
        if i and _breaks(marks, i):
            segment += 1
        marks.segment.append(segment)


def _breaks(marks: Marks, i: int) -> bool:
    before = i - 1
    step = marks.line[i] - marks.line[before]
    if marks.part[i] != marks.part[before] or step > 1:
        return True
    text = marks.source(i)
    previous = marks.text[before]
    gap = marks.start[i] - marks.end[before]
    if previous in ".!?…" and gap:
        short = before and marks.kind[before - 1] == WORD and len(marks.text[before - 1]) <= 3
        abbreviated = short and previous == "." and not step
        following = marks.text[i]
        if not abbreviated and (step or following[0].isupper() or not following[0].isalnum()):
            return True
    if not step:
        return False
    line_start = text.rfind("\n", 0, marks.start[i]) + 1
    if _LIST.match(text, line_start) or _LABEL.match(text, marks.start[i]):
        return True
    previous_start = text.rfind("\n", 0, marks.end[before]) + 1
    if previous == ":" or marks.end[before] - previous_start < _LONG - 20:
        return True
    return marks.log[i] != marks.log[before]
