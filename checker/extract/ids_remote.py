"""Ways in that are no account of the system: remote-control tools, installed keys, one-time links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from ..model import Access, Credential, Secret
from .ids_access import Owner, as_written
from .ids_marks import URL, WORD, Marks
from .ids_words import IdentifierWords

_DIGITS = re.compile(r"(?<![\d.])(?:\d[ .\u00a0-]?)?\d{3}[ .\u00a0-]?\d{3}[ .\u00a0-]?\d{3,4}(?![\d.]\d|\d)")
_KEY_FILE = re.compile(r"/(?:home/)?([a-z_][a-z0-9_-]*)/\.ssh/authorized_keys")
_REACH = 120  # characters between the tool's name and its number


def tools(marks: Marks) -> list[tuple[int, int, int, int]]:
    """Remote-control numbers: token of the tool, and start and end of the number; the fourth is the token after."""
    found = []
    seen: set[int] = set()
    for first, last in marks.spots("remote"):
        if marks.log[first]:
            continue
        source = marks.source(first)
        match = _DIGITS.search(source, marks.end[last - 1], min(len(source), marks.end[last - 1] + _REACH))
        if match is None or match.start() in seen or "\n\n" in source[marks.end[last - 1] : match.start()]:
            continue
        seen.add(match.start())
        after = last
        while after < len(marks.text) and marks.start[after] < match.end() and marks.part[after] == marks.part[first]:
            after += 1
        found.append((first, match.start(), match.end(), after))
    return found


def links(marks: Marks, words: IdentifierWords) -> list[Credential]:
    """Links behind which a secret waits: by their host or path, or by the words beside them."""
    found = []
    for i, kind in enumerate(marks.kind):
        if kind != URL or marks.log[i]:
            continue
        if not _is_secret_link(marks, words, i):
            continue
        span = marks.reading.span(marks.start[i], marks.end[i], marks.part[i])
        found.append(Credential(Access.OTHER, None, Secret(marks.text[i]), span, "credentials.link"))
    return found


def _is_secret_link(marks: Marks, words: IdentifierWords, i: int) -> bool:
    try:
        parts = urlsplit(marks.text[i])
        host = (parts.hostname or "").casefold()
    except ValueError:
        return False
    if len(parts.path.strip("/")) < 4 and not parts.fragment:
        return False
    pieces = set(re.split(r"[.\-]", host)) | {p.casefold() for p in parts.path.split("/")[:-1]}
    if any(m in host if len(m) > 5 else m in pieces for m in words.link_marks):
        return True
    return any(
        abs(marks.line[first] - marks.line[i]) <= 3 and marks.part[first] == marks.part[i]
        for first, _ in marks.spots("once")
    )


def keys(marks: Marks, users: Sequence[Owner]) -> list[Credential]:
    """Keys of the support's that the customer has installed, each with its account."""
    installed = [first for first, _ in marks.spots("installed")]
    for first, _ in marks.spots("key"):
        if marks.log[first]:
            continue
        near = [i for i in installed if _close(marks, first, i)]
        if not near or _unless(marks, first, max(near)):
            continue
        owner = _account(marks, first, max(near), users)
        if owner is not None:
            span = marks.reading.span(owner.start, owner.end, marks.part[owner.token])
            return [Credential(Access.OTHER, owner.name, None, span, "credentials.key")]
    return []


def _close(marks: Marks, key: int, i: int) -> bool:
    return marks.part[key] == marks.part[i] and abs(marks.segment[key] - marks.segment[i]) <= 1 and abs(key - i) <= 25


def _unless(marks: Marks, key: int, installed: int) -> bool:
    """Whether the key is only offered: "if you send me your key I'll install it"."""
    first = min(key, installed)
    while first > 0 and marks.segment[first - 1] == marks.segment[min(key, installed)]:
        first -= 1
    return any("unless" in marks.concepts[i] for i in range(first, max(key, installed)))


def _account(marks: Marks, key: int, installed: int, users: Sequence[Owner]) -> Owner | None:
    source = marks.source(key)
    low, high = marks.start[min(key, installed)], marks.end[max(key, installed)] + 60
    match = _KEY_FILE.search(source, low, min(len(source), high + 60))
    near = [
        u for u in users if marks.part[u.token] == marks.part[key] and abs(marks.line[u.token] - marks.line[key]) <= 2
    ]
    if near:
        return min(near, key=lambda u: abs(u.token - installed))
    if match is not None:
        return Owner(match[1], match.start(1), match.end(1), key)
    for i in range(len(marks.text)):
        if marks.kind[i] == WORD and abs(marks.line[i] - marks.line[key]) <= 2 and marks.part[i] == marks.part[key]:
            account = as_written(marks, i)
            if account is not None:
                return Owner(account, marks.start[i], marks.end[i], i)
    return None
