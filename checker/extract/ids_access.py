"""Around a secret: what it opens (system, console, something else) and whose it is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ..model import Access
from .ids_marks import EMAIL, HOST, IP, MIXED, NUMBER, SIGN, URL, WORD, Marks
from .ids_secrets import is_placeholder, value_at
from .ids_words import ACCOUNT, CREDENTIALS, NAMING, ROLES, IdentifierWords

_LINES_UP = 4  # lines: how far above its secret a user name or a console's name can stand
_NAME = re.compile(r"[^\W\d_][\w.\\@$-]{1,63}\Z|[\w.-]{2,40}\\[\w.-]{2,40}\Z")
_OPENERS = frozenset(":=-–>|\"'„“«»‘(->")
SAID = frozenset((*NAMING, *ROLES, *CREDENTIALS))  # concepts that keep a word from being a name
_JOINING = frozenset({"link", "copula", "user", "entry", "unless", "not_given", "and"})
_FILLERS = _JOINING | {"server", "desktop", "console"}


@dataclass(frozen=True, slots=True)
class Owner:
    """A user name and where it stands."""

    name: str
    start: int
    end: int
    token: int


def token_at(marks: Marks, part: str, offset: int) -> int:
    """The first token of ``part`` that ends after ``offset``; the number of tokens when there is none."""
    first = bisect_left(marks.part, 1, key=lambda p: int(p == part)) if part == "body" else 0
    last = len(marks.part) if part == "body" else bisect_left(marks.part, 1, key=lambda p: int(p != part))
    return bisect_right(marks.end, offset, first, last)


def account_of(marks: Marks, i: int) -> str | None:
    """The account that token ``i`` is a form of ("roota" is ``root``)."""
    return next((c[len(ACCOUNT) :] for c in marks.concepts[i] if c.startswith(ACCOUNT)), None)


def as_written(marks: Marks, i: int) -> str | None:
    """An account's name as the customer wrote it, when that is a name itself; inflected forms give the account."""
    account = account_of(marks, i)
    if account is None:
        return None
    return marks.text[i] if marks.text[i].casefold() == account.casefold() and account != account.lower() else account


def labelled_users(marks: Marks, words: IdentifierWords) -> list[Owner]:
    """Every user name that a label gives ("user: x", "utente x", "login x (sudo)", "Zugang: x / ...")."""
    found: dict[int, Owner] = {}
    for concept in ("user", "entry"):
        for first, last in marks.spots(concept):
            if marks.log[first] or (marks.text[first].casefold() in ("id", "uid") and not marks.has(first - 1, "user")):
                continue
            owner = _user_after(marks, words, last, weak=concept == "entry")
            if owner is not None:
                found.setdefault(owner.start, owner)
    return sorted(found.values(), key=lambda o: o.token)


def _user_after(marks: Marks, words: IdentifierWords, i: int, *, weak: bool) -> Owner | None:
    """The name after a user label that ends before token ``i``; a ``weak`` label ("access") may introduce prose."""
    colon = False
    first = i - 1
    unknown = 0
    while i < len(marks.text) and i - first <= 9 and marks.part[i] == marks.part[first]:
        if marks.line[i] - marks.line[first] > (1 if colon else 0):
            return None
        text = marks.text[i]
        account = as_written(marks, i) if marks.kind[i] == WORD else None
        if account is not None and not in_path(marks, i):
            return Owner(account, marks.start[i], marks.end[i], i)
        concepts = set(marks.concepts[i])
        if marks.kind[i] == SIGN:
            if text not in _OPENERS:
                return None
            colon = colon or text in ":=|"
        elif (
            "password" in concepts
            or marks.kind[i] in (IP, URL)
            or ("other_number" in concepts and not (colon or i == first + 1))
        ):
            return None
        elif _compound(marks, i) or not concepts & (_JOINING if colon or i == first + 1 else _FILLERS):
            owner = _name_at(marks, words, i, colon=colon and not weak)
            if owner is not None or colon:
                return owner
            unknown += 1
            if unknown > 1 or not (_colon_ahead(marks, i) or marks.has(i + 1, "copula")):
                return None
        i += 1
    return None


def _compound(marks: Marks, i: int) -> bool:
    """Whether the token is the head of a name with a joint in it ("hosting-ext")."""
    source = marks.source(i)
    return (
        source[marks.end[i] : marks.end[i] + 1] in ("-", "_", ".", "@", "\\")
        and source[marks.end[i] + 1 : marks.end[i] + 2].isalnum()
    )


def _colon_ahead(marks: Marks, i: int) -> bool:
    return any(
        marks.text[j] == ":" and marks.line[j] == marks.line[i] for j in range(i + 1, min(i + 5, len(marks.text)))
    )


def in_path(marks: Marks, i: int) -> bool:
    """Whether the token is a piece of a path, an address or a longer name."""
    source, start = marks.source(i), marks.start[i]
    return (start > 0 and source[start - 1] in "/\\.@_") or source[marks.end[i] : marks.end[i] + 1] == "@"


def _name_at(marks: Marks, words: IdentifierWords, i: int, *, colon: bool) -> Owner | None:
    source = marks.source(i)
    value = value_at(source, marks.start[i])
    if value is None or in_path(marks, i):
        return None
    name = source[marks.start[i] : value.end].split("/")[0].rstrip("\"'”“»’:")
    if not _NAME.match(name) or is_placeholder(name, words.placeholders):
        return None
    if not colon and not _plain_name(marks, i, name):
        return None
    return Owner(name, marks.start[i], marks.start[i] + len(name), i)


def _plain_name(marks: Marks, i: int, name: str) -> bool:
    """After a label without a colon ("user deploy, password x") only what is followed like a name is one."""
    j = i
    while j < len(marks.text) and marks.start[j] < marks.start[i] + len(name):
        j += 1
    if j >= len(marks.text) or marks.line[j] != marks.line[i]:
        return True
    following = marks.text[j]
    return (
        following in ",/(;|\"'”“»."
        or {"password", "and", "installed"} & set(marks.concepts[j]) != set()
        or any(c in name for c in "-_.0123456789")
    )


def owner_before(marks: Marks, users: Sequence[Owner], label: int, value: int) -> Owner | None:
    """Whose secret the label at token ``label`` (its value at token ``value``) gives: the nearest user name.

    An account named beside the label ("la password di root è"), then a labelled user in the same sentence or
    the lines above, then a name standing alone before it ("skermarrec, sudo, mdp : …").
    """
    part = marks.part[label]
    for i in (*range(label - 1, max(-1, label - 3), -1), *range(label, min(value, label + 8))):
        if marks.part[i] == part and abs(marks.line[i] - marks.line[label]) <= 1 and not in_path(marks, i):
            account = as_written(marks, i)
            if account is not None:
                return Owner(account, marks.start[i], marks.end[i], i)
    best = next(
        (u for u in reversed(users) if u.token < label and marks.segment[u.token] == marks.segment[label]), None
    )
    best = best or _between(marks, label, value)
    if best is not None:
        return best
    for user in users:
        if marks.part[user.token] == part and user.token < value and _near(marks, user.token, label):
            best = user
    if best is not None:
        return best
    for i in range(label - 1, -1, -1):
        if marks.part[i] != part or not _near(marks, i, label):
            break
        account = as_written(marks, i)
        if account is not None and marks.kind[i] == WORD and not in_path(marks, i):
            return Owner(account, marks.start[i], marks.end[i], i)
    return _leading(marks, label)


def _between(marks: Marks, label: int, value: int) -> Owner | None:
    """ "Password for admin:", "password di deploy: x": the one unknown word between label and value."""
    between = range(label + 1, min(value, len(marks.text)))
    unknown = [i for i in between if marks.kind[i] in (WORD, MIXED) and not SAID & set(marks.concepts[i])]
    if len(unknown) != 1 or not marks.has(unknown[0] - 1, "link"):
        return None
    i = unknown[0]
    return Owner(marks.text[i], marks.start[i], marks.end[i], i)


def _near(marks: Marks, i: int, label: int) -> bool:
    return marks.segment[i] == marks.segment[label] or marks.line[label] - marks.line[i] <= _LINES_UP


def _leading(marks: Marks, label: int) -> Owner | None:
    """A name at the head of the line, followed by a comma or slash, or alone on the line before."""
    i = label
    while i > 0 and marks.line[i - 1] == marks.line[label] and marks.segment[i - 1] == marks.segment[label]:
        i -= 1
    while i < label and (marks.kind[i] in (SIGN, NUMBER) or (len(marks.text[i]) == 1 and marks.text[i + 1] in ".)")):
        i += 1
    for k in (i, i + 1):
        if k >= label:
            break
        name = _chunk(marks, k)
        if marks.kind[k] in (WORD, MIXED, EMAIL) and _NAME.match(name) and not SAID & set(marks.concepts[k]):
            after = k
            while after < label and marks.start[after] < marks.start[k] + len(name):
                after += 1
            if marks.text[after] in ",/(" or "and" in marks.concepts[after]:
                return Owner(name, marks.start[k], marks.start[k] + len(name), k)
    return None


def _chunk(marks: Marks, i: int) -> str:
    value = value_at(marks.source(i), marks.start[i])
    return marks.source(i)[value.start : value.end].split("/")[0] if value else ""


def access_of(marks: Marks, i: int) -> Access:
    """What a secret whose label or user name is token ``i`` opens.

    The nearest of console, VPN or remote tool in the same sentence decides, then in the lines right above
    when they name the console with its address or end with a colon; otherwise it is the system's.
    """
    best: Access | None = None
    for j in range(i, -1, -1):
        if marks.part[j] != marks.part[i] or marks.segment[j] != marks.segment[i]:
            break
        best = _access(marks, j)
        if best is not None:
            return best
    line = marks.line[i]
    for j in range(i - 1, -1, -1):
        if marks.part[j] != marks.part[i]:
            break
        step = line - marks.line[j]
        if step > _LINES_UP or (marks.line[j + 1] - marks.line[j] > 1 and marks.text[j] != ":"):
            break
        found = _access(marks, j) if step else None
        if found is not None and _introduces(marks, j):
            return found
    return Access.OS


def _access(marks: Marks, j: int) -> Access | None:
    concepts = marks.concepts[j]
    if "console" in concepts:
        return Access.CONSOLE
    if "vpn" in concepts or "remote" in concepts:
        return Access.OTHER
    return None


def _introduces(marks: Marks, j: int) -> bool:
    """Whether the line of token ``j`` is about getting in: it has an address or a colon at its end, or is short."""
    line = [k for k in range(len(marks.text)) if marks.line[k] == marks.line[j] and marks.part[k] == marks.part[j]]
    return (
        any(marks.kind[k] in (IP, URL, HOST) for k in line)
        or marks.text[line[-1]] == ":"
        or marks.text[min(j + 1, len(marks.text) - 1)] == ":"
        or len(line) <= 4
    )
