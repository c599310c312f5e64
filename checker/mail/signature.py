"""Where somebody signs off, and which lines after it are name, office and telephone.

Only lines that look like a signature belong to it; a PS or a further sentence after the closing is the
sender's own words again. A name left among the own words does no harm, a sentence lost does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .lines import Line, Look
from .words import MailWords, plain_words

_LONG: Final = 4  # letters from which a word has to be capitalised in a name or title
_MAX_TAIL: Final = 12
_MAX_NAME_WORDS: Final = 9
_MAX_CONTACT_WORDS: Final = 16
_SENTENCE_WORDS: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+")
_PHONE: Final = re.compile(r"(?:\+|00)\d{1,3}[ ()./\d-]{6,20}\d")
_WEB: Final = re.compile(
    r"(?:https?://)?www\.[\w.-]{3,60}/?|[^\s@<>]{1,64}@[\w.-]{1,100}|https?://[\w.-]{3,60}/?(?=\s|$)"
)
_LABEL: Final = re.compile(r"\s*([^\W\d_][\w .'/-]{0,30}?)\s{0,2}[:=]\s*\S")
_ANSWER: Final = re.compile(r"\s*(?:\(?\d{1,2}|\(?[a-hA-H]|[QqRrA]\d{0,2})[.):]\s*\S")
_ASIDE: Final = re.compile(r"\([^()]{0,80}\)")
_END: Final = re.compile(r"(?<![.!?…])[.!?…]+[\s)\"'»”]*$")
_BARE_DELIMITER: Final = re.compile(r"-- ?$|—$|––$|__$|–$")


def mark_signatures(lines: Sequence[Line], own: list[bool], words: MailWords, *, first: int) -> list[bool]:
    """For each line of one run of own lines whether it belongs to a signature.

    :param own: which lines may be taken (not logs, not disclaimers)
    :param first: index of the message's first line with words, which never is a closing: people greet
        with the words they close with
    """
    marks = [False] * len(lines)
    at = 0
    while at < len(lines):
        if not own[at] or lines[at].look is Look.EMPTY:
            at += 1
        elif lines[at].look is Look.DELIMITER and at != first:
            at = _mark(marks, at, _tail(lines, at + 1, own, words, strict=lines[at].text != "-- "))
        elif is_sent_from(lines[at].text, words):
            at = _mark(marks, at, at + 1)
        elif at != first and (kind := closing(lines[at].text, words)):
            end = _tail(lines, at + 1, own, words, strict=True)
            if kind == "closing" or (end > at + 1 and _at_end(lines, end)):
                at = _mark(marks, at, end)
            else:
                at += 1
        else:
            at += 1
    _mark_contact_block(lines, own, marks, words)
    return marks


def _mark(marks: list[bool], start: int, end: int) -> int:
    marks[start:end] = [True] * (end - start)
    return max(end, start + 1)


def _at_end(lines: Sequence[Line], at: int) -> bool:
    return all(n.look is Look.EMPTY for n in lines[at:])


def closing(line: str, words: MailWords) -> str | None:
    """``closing`` for a formula, alone or with a name ("LG Jasmin"), ``thanks`` for thanks, else ``None``."""
    folded = plain_words(line).split()
    if not folded or len(folded) > _MAX_NAME_WORDS or line.rstrip().endswith(("?", ":", ";")) or ":" in line:
        return None
    rest = tuple(folded)
    kind: str | None = None
    while rest:
        taken = words.closings.prefix(rest)
        if taken:
            kind = "closing"
        else:
            taken = words.thanks.prefix(rest)
            kind = kind or ("thanks" if taken else None)
        if not taken and kind and rest[0] in words.joining:
            taken = 1
        if not taken:
            break
        rest = rest[taken:]
    if kind is None:
        return None
    if not rest:
        return kind
    tail = _last_words(line, len(rest))
    return kind if len(rest) <= _MAX_NAME_WORDS - 3 and _capitalised(tail) and not _END.search(tail) else None


def _last_words(line: str, count: int) -> str:
    """The end of the line that holds its last ``count`` words."""
    starts = [m.start() for m in re.finditer(r"\w+", line)]
    return line[starts[-count] :] if 0 < count <= len(starts) else line


def is_sent_from(line: str, words: MailWords) -> bool:
    """ "Sent from my iPhone" and its like; not a sentence that starts so."""
    folded = tuple(plain_words(line.partition("<")[0]).split())
    taken = words.sent_from.prefix(folded)
    return bool(taken) and len(folded) - taken <= 6 and not re.search(r"[.!?]\s*$|, ", line)


def is_postscript(line: str, words: MailWords) -> bool:
    """Whether the line opens an afterthought ("PS: …")."""
    folded = tuple(plain_words(line).split())
    taken = words.postscript.prefix(folded)
    head = line.strip()[:1]
    return bool(taken) and head.isalpha() and (len(folded[0]) <= 3 or taken > 1 or ":" in line[:30])


def _tail(lines: Sequence[Line], at: int, own: list[bool], words: MailWords, *, strict: bool) -> int:
    """Where the signature lines from ``at`` on end. Not strict (after "-- "): only a PS ends it."""
    end = at
    taken = 0
    paragraph = 0  # of the signature, counted from its second
    while at < len(lines) and taken < _MAX_TAIL:
        line = lines[at]
        if not own[at]:
            break
        if line.look is Look.EMPTY:
            paragraph += 1 if taken else 0
            at += 1
            continue
        if is_postscript(line.text, words):
            break
        fresh = paragraph > 0 and lines[at - 1].look is Look.EMPTY
        if strict and not _belongs(lines, at, words, fresh=fresh, first=taken == 0):
            break
        taken += 1
        at += 1
        end = at
    return end


def _belongs(lines: Sequence[Line], at: int, words: MailWords, *, fresh: bool, first: bool) -> bool:
    line = lines[at]
    if line.look in (Look.RULE, Look.DELIMITER) or is_sent_from(line.text, words) or closing(line.text, words):
        return True
    if contact_like(line.text, words):
        return True
    if not name_like(line.text, words, first=first):
        return False
    if not fresh:
        return True
    # A new paragraph after the name: only a card ("Mario Rossi / Tel. …"), not two words of an answer.
    block = []
    for following in lines[at : at + 6]:
        if following.look is Look.EMPTY:
            break
        block.append(following.text)
    return any(contact_like(text, words) for text in block)


def name_like(line: str, words: MailWords, *, first: bool = False) -> bool:
    """A name, title or company: few words, the long ones capitalised, no sentence, no digits.

    A single word in lower case ("nico") is a name only as the ``first`` line after the closing.
    """
    bare = line.strip().strip("*")
    count = len(bare.split())
    if not bare or count > _MAX_NAME_WORDS or bare[0] == "|" or re.search(r"[\d:=?!@/\\]|--", bare):
        return False
    if words.keep.inside(plain_words(bare)):
        return False
    if _END.search(bare) and not re.search(r"(?:\b[^\W\d_]{1,3}\.){1,4}$", bare):
        return False
    return _capitalised(bare) or (first and count == 1 and bare.islower() and len(bare) <= 12)


def _capitalised(text: str) -> bool:
    words: list[str] = _WORD.findall(text)
    long = [w for w in words if len(w) >= _LONG]
    lower = sum(1 for w in long if w[0].islower())
    if not words:
        return False
    if not long:
        return words[0][0].isupper()
    return lower == 0 or (lower == 1 and len(long) >= 3) or (lower <= 2 and len(long) >= 5)


def contact_like(line: str, words: MailWords) -> bool:
    """A line of a business card: telephone, web address, legal form, street; never a label with an answer."""
    bare = line.strip()
    count = len(bare.split())
    if not bare or count > _MAX_CONTACT_WORDS or (_ANSWER.match(bare) and not _PHONE.search(bare)):
        return False
    padded = plain_words(bare)
    if words.keep.inside(padded):
        return False
    label = _LABEL.match(bare)
    if label is not None and not bare.lower().startswith(("http:", "https:")):
        named = plain_words(label[1])
        if not words.contact.inside(named) and not words.company.inside(named):
            return False
    if count > _SENTENCE_WORDS + 4 and _END.search(bare) and not words.company.inside(padded):
        return False
    if _says_more(bare, words):
        return False
    if _PHONE.search(bare) and count <= 10:
        return True
    digits = sum(c.isdigit() for c in bare)
    if digits >= 3 and _names_contact(bare, padded, words):
        return True
    rest = _WEB.sub("", bare).strip(" |·•-–—,;<>()[]")
    if _WEB.search(bare) and (not any(c.isalnum() for c in rest) or name_like(rest, words)):
        return True
    return words.company.inside(padded) and _capitalised(bare) and not re.search(r"[?!=]", bare)


def _says_more(bare: str, words: MailWords) -> bool:
    """Whether a line with a number also tells something ("spegnete pure e chiamate il 333 …")."""
    plain = [w for w in _WORD.findall(_WEB.sub("", _ASIDE.sub("", bare))) if len(w) >= _LONG and w[0].islower()]
    return sum(1 for w in plain if not (words.contact.inside(p := plain_words(w)) or words.company.inside(p))) > 1


def _names_contact(bare: str, padded: str, words: MailWords) -> bool:
    """A contact word opens the line or a part of it ("Direzione | Tel. 02 …"), or stands before its digits."""
    parts = [plain_words(p) for p in re.split(r"[|·•,;–—/]| - ", bare)]
    return any(words.contact.prefix(tuple(p.split())) and any(c.isdigit() for c in p) for p in parts) or (
        words.company.inside(padded) and _capitalised(bare)
    )


def _mark_contact_block(lines: Sequence[Line], own: list[bool], marks: list[bool], words: MailWords) -> None:
    """A card at the very end without any closing: contact lines, and up to two name lines above them."""
    end = len(lines)
    while end > 0 and (lines[end - 1].look is Look.EMPTY or not own[end - 1] or marks[end - 1]):
        end -= 1
    start = end
    contacts = 0
    while start > 0 and own[start - 1] and not marks[start - 1] and contact_like(lines[start - 1].text, words):
        start -= 1
        contacts += 1
    if not contacts or contacts > 5:
        return
    names = 0
    while start > 0 and own[start - 1] and names < 2 and name_like(lines[start - 1].text, words):
        start -= 1
        names += 1
    if all(n.look is Look.EMPTY for n in lines[:start]):
        return  # nothing would be left: then it is what the mail says
    _mark(marks, start, end)
