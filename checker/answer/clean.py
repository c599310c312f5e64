"""Foreign words made fit for a line of ours: no control or direction characters, one line, bounded.

Everything here takes what a stranger wrote (a display name, a subject, a host name) and gives back something
that can neither break a header, turn the text around, nor fill a page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from ..model import MASK, Secret
from .model import AnswerError

# Cc control, Cf format (direction marks, zero widths, soft hyphen), Cs lone surrogates, Zl/Zp line separators.
_UNFIT: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAME_LIMIT: Final = 60
_NAME_EXTRA: Final = frozenset(" -.'’")
_REPLY_PREFIXES: Final = ("re", "r", "aw", "antw", "rif", "sv", "odp", "od", "odg", "ref", "fwd", "fw", "wg", "i", "tr")
ELLIPSIS: Final = "…"


def line(text: str, limit: int) -> str:
    """``text`` as one clean line of at most ``limit`` characters, cut between words where that is possible."""
    # Cut before the walk: no ten-megabyte subject is worth reading to its end, and eight raw characters
    # for one that is kept is more than any honest text needs.
    joined = " ".join("".join(map(_fit, text[: limit * 8])).split())
    if len(joined) <= limit:
        return joined
    head = joined[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit // 2 else head).rstrip(" ,;:") + ELLIPSIS


def _fit(char: str) -> str:
    category = unicodedata.category(char)
    return "" if category == "Cf" else " " if category in _UNFIT else char


def quote(text: str, limit: int, secrets: Iterable[Secret] = ()) -> str:
    """The customer's words to be shown back: as :func:`line`, with every known secret masked."""
    for secret in sorted((s.reveal() for s in secrets), key=len, reverse=True):
        if secret:
            text = text.replace(secret, MASK)
    return line(text, limit)


def person(name: str | None) -> str | None:
    """A display name fit for a greeting, or ``None`` when it is not a plain person's name.

    An automatic answer that greets with whatever stands in From would carry a stranger's advertisement to
    whoever the mail claims to be from (backscatter), so letters, spaces and ``-.'`` are all that pass.
    """
    if name is None:
        return None
    plain = line(name, _NAME_LIMIT + 1)
    if not 2 <= len(plain) <= _NAME_LIMIT or any(unicodedata.category(c) in _UNFIT for c in name):
        return None
    if not all(c in _NAME_EXTRA or unicodedata.category(c)[0] in "LM" for c in plain):
        return None
    # "www.example.com" is letters and dots; a dot inside a name ends a word ("J. Smith").
    if any("." in word[:-1] for word in plain.split()):
        return None
    return plain


def bare_subject(subject: str, limit: int) -> str:
    """The subject without its chain of ``Re:``, ``AW:``, ``R:`` … and fit for a header."""
    rest = line(subject, limit)
    while True:
        head, colon, tail = rest.partition(":")
        word = head.strip().lower().partition("[")[0]
        if not colon or word not in _REPLY_PREFIXES:
            return rest
        rest = tail.strip()


def header(text: str) -> str:
    """``text`` unchanged when it is one line; raises :class:`AnswerError` when it could start another header."""
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in text):
        raise AnswerError("a subject must be one line without control characters; look at the subject template")
    return text


def web_link(url: str | None) -> str | None:
    """``url`` when it is http(s) without blanks or control characters, else ``None`` (it is then not a link)."""
    if url is None or not url.lower().startswith(("https://", "http://")) or len(url) > 2000:
        return None
    if any(c.isspace() or unicodedata.category(c) in _UNFIT or c in "<>\"'`" for c in url):
        return None
    return url
