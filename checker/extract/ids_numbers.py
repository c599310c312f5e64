"""Which numbers are service IDs: the form, the words that name them, and what speaks against it.

A number counts where a word for server, service or ID, or ``#``, names it, be it directly ("server 48213"),
over words that only join ("Server mit der Nummer 30417"), behind it ("48213 (id server)"), or as one of a
list ("services 44120 et 44121"). A word for something else that is numbered (ticket, invoice, port) wins.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .fold import fold
from .ids_marks import MIXED, NUMBER, SIGN, WORD, Marks
from .ids_words import IdentifierWords

_REACH = 7  # tokens between the naming word and the number
_JOINING = frozenset(":#(=|\"'*„“”«»–-‘’.°º")
_BULLETS = frozenset("-*•–·|>")
_MARKER = re.compile(r"(?:\d{1,2}|[a-zA-Z])\Z")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A candidate: its text, where it stands, its last token, and whether and how it is named."""

    value: str
    start: int
    end: int
    token: int  # first token
    last: int  # last token
    part: str
    rule: str | None  # None: nothing names it


def numbered(marks: Marks, words: IdentifierWords, *, asked: bool) -> list[Numbered]:
    """Candidates for service IDs in order; ``asked``: we asked for the server, a bare ID answers."""
    found: list[Numbered] = []
    others: set[str] = set()  # what is elsewhere said to be another thing's number
    for start, end, token, last, part, sure in _forms(marks, words):
        value = marks.reading.text(part)[start:end]
        if sure:
            rule: str | None = "service_id.form"
        elif _amount(marks, words, token, last):
            continue
        else:
            rule = _named(marks, token, last)
            if rule == "other":
                others.add(value.casefold())
                continue
            if rule is None and part == "subject" and _titled(marks, token, last):
                rule = "service_id.subject"
            if rule is None and found and found[-1].rule and _listed(marks, found[-1].last, token):
                rule = "service_id.list"
            if rule is None and asked and _answers(marks, token):
                rule = "service_id.answer"
        found.append(Numbered(value, start, end, token, last, part, rule))
    for k in range(len(found) - 2, -1, -1):  # "38801 in 38802 (ID storitve)"
        named = found[k].rule is None and found[k + 1].rule == "service_id.named_after"
        if named and _listed(marks, found[k].last, found[k + 1].token):
            found[k] = replace(found[k], rule="service_id.named_after")
    known = {n.value.casefold() for n in found if n.rule} | (_repeated(marks, found) - others)
    return [n if n.rule or n.value.casefold() not in known else replace(n, rule="service_id.again") for n in found]


def _titled(marks: Marks, token: int, last: int) -> bool:
    """Whether a subject about a server or work on it ends with the number behind a dash ("Server request - 28391")."""
    if token < 2 or marks.text[token - 1] not in "-–—:|" or len(marks.text[token]) == 4:
        return False
    if last + 1 < len(marks.text) and marks.part[last + 1] == "subject":
        return False
    if any(marks.has(token - k, "other_number") for k in (2, 3)):
        return False
    about = ("server", "swap", "wanted")
    return any(marks.part[i] == "subject" and marks.has(i, c) for i in range(token - 1) for c in about)


def _repeated(marks: Marks, found: list[Numbered]) -> set[str]:
    """Numbers that end the subject and come again in the text: what the whole message is about.

    A subject with a word for something else that is numbered (an invoice, a ticket) names none.
    """
    subject = [i for i, part in enumerate(marks.part) if part == "subject"]
    if not subject or any(marks.has(i, "other_number") for i in subject):
        return set()
    ends = {
        n.value.casefold()
        for n in found
        if n.part == "subject" and n.last == subject[-1] and len(n.value) >= 5 and n.value[-4:].isdigit()
    }
    return ends & {n.value.casefold() for n in found if n.part == "body"}


def _forms(marks: Marks, words: IdentifierWords) -> Iterator[tuple[int, int, int, int, str, bool]]:
    """Every text of the right form with clean borders: start, end, first and last token, part, whether it is sure."""
    spots: dict[tuple[str, int], tuple[int, bool]] = {}
    for stretch in marks.reading.stretches:
        text = marks.reading.text(stretch.part)
        piece = text[stretch.start : stretch.end]
        for pattern, sure in ((words.sure, True), (words.named, False)):
            if pattern is None:
                continue
            for match in pattern.finditer(piece):
                start, end = match.start(1) + stretch.start, match.end(1) + stretch.start
                key = (stretch.part, start)
                if key not in spots and _clean(text, start, end) and _mixed(text[start:end]):
                    spots[key] = (end, sure)
    for part in ("subject", "body"):
        tokens = [i for i, p in enumerate(marks.part) if p == part]
        starts = [marks.start[i] for i in tokens]
        for (where, start), (end, sure) in sorted(spots.items()):
            if where != part:
                continue
            at = bisect_right(starts, start) - 1
            if at < 0 or marks.start[tokens[at]] != start or marks.log[tokens[at]]:
                continue
            to = bisect_right(starts, end - 1) - 1
            if all(marks.kind[tokens[k]] in (NUMBER, MIXED, WORD, SIGN) for k in range(at, to + 1)):
                yield start, end, tokens[at], tokens[to], part, sure


def _mixed(text: str) -> bool:
    """Whether there is a digit, and not only a year."""
    return any(c.isdigit() for c in text) and not (len(text) == 4 and text[:2] in ("19", "20"))


def _clean(text: str, start: int, end: int) -> bool:
    """Whether the form stands by itself and is not a piece of a longer number, date, path or name."""
    after = text[end : end + 2]
    if after and (after[0].isalnum() or after[0] in "@_\\"):
        return False
    if after[:1] in tuple(".:/,-'+") and after[1:].isalnum():
        listed = after[0] in ",/" and _same_length(text[end + 1 : end + 1 + (end - start) + 1], end - start)
        if not listed and not (after[0] == "-" and after[1].isalpha()) and after[0] != "'":
            return False
    if start == 0:
        return True
    before = text[start - 1]
    if before in "+$€£\\":
        return False
    further = text[start - 2] if start > 1 else " "
    if before in ".:":
        return not further.isdigit()
    if before == "-":
        word = re.search(r"[^\W\d_]*\Z", text[max(0, start - 25) : start - 1])
        return further.isspace() or (word is not None and (len(word[0]) > 4 or word[0].casefold() == "id"))
    if before in "/,":
        if not further.isalnum():
            return before == ","
        size = end - start
        run = re.search(r"[0-9A-Za-z]*\Z", text[max(0, start - 1 - size - 1) : start - 1])
        return run is not None and _same_length(run[0], size)
    return True


def _same_length(run: str, size: int) -> bool:
    match = re.match(r"[0-9A-Za-z]*", run)
    return match is not None and len(match[0]) == size and any(c.isdigit() for c in match[0])


def _amount(marks: Marks, words: IdentifierWords, token: int, last: int) -> bool:
    """Whether it is a price, a size, a time, or a piece of a number written in groups (telephone)."""
    following = marks.text[last + 1] if last + 1 < len(marks.text) and marks.line[last + 1] == marks.line[last] else ""
    if following.casefold() in words.units_after:
        return True
    if token and marks.line[token - 1] == marks.line[token]:
        if marks.text[token - 1].casefold() in words.units_before:
            return True
        gap = marks.start[token] - marks.end[token - 1]
        if marks.kind[token - 1] == NUMBER and gap and marks.kind[token] == NUMBER and not _listable(marks, token - 1):
            return True
    grouped = bool(following) and marks.kind[last + 1] == NUMBER and marks.kind[token] == NUMBER
    return grouped and marks.start[last + 1] > marks.end[last] and not _listable(marks, last + 1)


def _listable(marks: Marks, token: int) -> bool:
    return 4 <= len(marks.text[token]) <= 8 and len(marks.text[token]) != 4


def _named(marks: Marks, token: int, last: int) -> str | None:
    """The rule that names the number, ``other`` when it is another thing's number, or ``None``."""
    rule = _left(marks, token)
    return rule if rule is not None else _right(marks, last)


def _left(marks: Marks, token: int) -> str | None:
    numbered_word = False  # a bare "number" or "no." on the way
    hashed = False
    for step in range(1, _REACH + 1):
        i = token - step
        if i < 0 or marks.part[i] != marks.part[token] or marks.line[token] - marks.line[i] > 1:
            break
        concepts = marks.concepts[i]
        if "other_number" in concepts and not _only_link(concepts):
            return "other"
        if "service" in concepts or "server" in concepts or "id" in concepts:
            if step == 1 and "id" in concepts and marks.has(i - 1, "other_number"):
                return "other"
            return "service_id.named"
        if "number" in concepts:
            numbered_word = True
            continue
        if "link" in concepts or ("having" in concepts and numbered_word):
            continue
        text = marks.text[i]
        if text == "#" and step == 1:
            if marks.source(i)[marks.start[i] - 1 : marks.start[i]].isalnum():
                return "other"
            hashed = True
            continue
        if text == "[" and hashed:
            return "other"
        if text in _JOINING or (text == "," and numbered_word):
            if text == "." and not (numbered_word or len(marks.text[i - 1]) <= 3):
                break
            continue
        break
    if hashed:
        return "service_id.hash"
    return "service_id.named" if _told(marks, token) else None


def _told(marks: Marks, token: int) -> bool:
    """ "The service ID, which I found on invoice 8841, is 77310": a copula before, an ID spoken of earlier."""
    if not marks.has(token - 1, "copula") or marks.segment[token - 1] != marks.segment[token]:
        return False
    i = token - 2
    while i >= 0 and marks.segment[i] == marks.segment[token]:
        if "id" in marks.concepts[i] and not marks.has(i - 1, "other_number"):
            return True
        i -= 1
    return False


def _only_link(concepts: tuple[str, ...]) -> bool:
    return "link" in concepts and "other_number" not in concepts


def _right(marks: Marks, last: int) -> str | None:
    """ "90377 è l'id del server", "SRV-36650 (id server)", "58340 (ID de service)"."""
    opened = linked = False
    for i in range(last + 1, min(last + 6, len(marks.text))):
        if marks.line[i] != marks.line[last] or marks.part[i] != marks.part[last]:
            return None
        concepts = marks.concepts[i]
        if "other_number" in concepts:
            return None
        if "id" in concepts and (opened or linked):
            return "service_id.named_after"
        if ("server" in concepts or "service" in concepts) and opened and i == last + 2:
            return "service_id.named_after"
        if marks.text[i] in "(=-–":
            opened = True
        elif "link" in concepts or marks.text[i] in "'’":
            linked = True
        else:
            return None
    return None


def _listed(marks: Marks, before: int, token: int) -> bool:
    """Whether only "and", commas and the like stand between two candidates."""
    between = range(before + 1, token)
    if len(between) > 4 or marks.part[before] != marks.part[token] or marks.line[token] - marks.line[before] > 1:
        return False
    return all(marks.text[i] in ",/;+&#()" or "and" in marks.concepts[i] for i in between) and len(between) > 0


def _answers(marks: Marks, token: int) -> bool:
    """Whether the line begins with the number, a list marker and words that only join apart."""
    i = token - 1
    while i >= 0 and marks.part[i] == marks.part[token] and marks.line[i] == marks.line[token]:
        text = marks.text[i]
        joining = text in _JOINING or text in ")," or text in _BULLETS
        if (
            not joining
            and not _MARKER.match(text)
            and not _soft(marks.concepts[i])
            and fold(text) not in ("re", "ad", "zu")
        ):
            return False
        i -= 1
    return token == 0 or marks.part[token] == "body"


def _soft(concepts: tuple[str, ...]) -> bool:
    return bool({"link", "number", "id", "server", "service"} & set(concepts)) and "other_number" not in concepts
