"""A secret at a place in the text: where it ends, what belongs to it, and whether it is one at all.

Secrets are not words: they hold signs, quotes, blanks, letters of any language, and end where a sentence
also might. A closing full stop belongs to the sentence unless the customer says otherwise or the secret
stands alone on its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_QUOTES = {'"': '"', "'": "'", "„": '“”"', "“": "”“", "«": "»", "»": "«", "‘": "’", "‚": "‘’", "`": "`", "”": "”"}
_CHUNK = re.compile(r"\S+")
_BLANK_FORM = re.compile(r"(?:[_.\-*·…•?# ]+|[xX]{3,})\Z")
_BRACKETED = re.compile(r"[<\[{(].*[>\]})]\Z")
MAX_SECRET = 256


@dataclass(frozen=True, slots=True)
class Value:
    """``text[start:end]`` is the value; ``quoted``: it stood in quotation marks, ``alone``: its line ends there."""

    start: int
    end: int
    quoted: bool
    alone: bool
    cell: bool = False


def value_at(text: str, start: int, *, keep_dot: bool = False, blanks: bool = False) -> Value | None:
    """The value that begins at ``start`` (blanks before it are skipped) on this line; ``None`` when the line is over.

    ``keep_dot``: a final full stop belongs to it; ``blanks``: the customer says that it holds blanks, so the
    whole rest of the line is taken.
    """
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    while start < line_end and text[start].isspace():
        start += 1
    if start >= line_end:
        return None
    closing = _QUOTES.get(text[start])
    if closing is not None:
        end = _closing(text, start + 1, line_end, closing)
        if end is not None and end > start + 1:
            return Value(start + 1, end, quoted=True, alone=not text[end + 1 : line_end].strip(" .,;)"))
    if blanks:
        end = start + len(text[start:line_end].rstrip())
        return Value(start, end, quoted=False, alone=True)
    chunk = _CHUNK.match(text, start, line_end)
    if chunk is None:
        return None
    end = _trim(text, start, min(chunk.end(), start + MAX_SECRET), keep_dot=keep_dot)
    rest = text[chunk.end() : line_end].strip()
    cell = text[end : end + 2] == "  " or rest.startswith("|")
    alone = not rest or rest[0] in "(|" or text[chunk.end() - 1] in ",;"
    return Value(start, end, quoted=False, alone=alone, cell=cell) if end > start else None


def _closing(text: str, start: int, line_end: int, closing: str) -> int | None:
    """The quote that closes: the first one that no letter or digit follows."""
    for i in range(start, line_end):
        if text[i] in closing and (i + 1 == line_end or not text[i + 1].isalnum()):
            return i
    return None


def _trim(text: str, start: int, end: int, *, keep_dot: bool) -> int:
    """``end`` without punctuation that belongs to the sentence."""
    while end > start + 1:
        last, body = text[end - 1], text[start : end - 1]
        if (
            (last in ".;" and keep_dot)
            or (last == ")" and keep_dot and not _inside_brackets(text, start))
            or (last not in ",;.)]»”“" and not (last in "\"'" and last not in body))
        ):
            break
        if (last == ")" and "(" in body) or (last == "]" and "[" in body):
            break
        end -= 1
    return end


def _inside_brackets(text: str, start: int) -> bool:
    """Whether a bracket opened shortly before ``start`` is still open there: then a closing one may be its."""
    before = text[max(0, start - MAX_SECRET) : start]
    return before.rfind("(") > before.rfind(")")


def is_strong(value: str, *, camel: bool = True) -> bool:
    """Whether it cannot be an ordinary word: a digit or sign inside, or (``camel``) capitals after small letters."""
    if len(value) < 4:
        return False
    inner = value[:-1] if value[-1] in ".!?,;:" else value
    if any(c.isdigit() for c in inner):
        return any(not c.isdigit() and c not in ".,:/-" for c in inner) or (len(inner) >= 6 and inner.isdigit())
    plain = inner.replace("-", "").replace("'", "").replace("’", "").replace(".", "", 1).replace("/", "", 1)
    if not plain.isalpha():
        return any(not c.isalnum() and c not in "()[]<>\"'„“”«»…" for c in plain.strip("()\"'„“”«»"))
    body = value.strip(".!?-'")
    return camel and any(a.islower() and b.isupper() for a, b in pairwise(body)) and "-" not in body


def is_placeholder(value: str, words: frozenset[str]) -> bool:
    """Whether a form was left unfilled: ``____``, ``<password>``, ``XXX``, ``[…]``."""
    bare = value.strip("<>[]{}()\"' ").casefold()
    return (
        not bare
        or bool(_BLANK_FORM.match(value))
        or bool(_BRACKETED.match(value) and " " not in value and bare.isalpha())
        or value[0] == "<"
        or bare in words
    )
