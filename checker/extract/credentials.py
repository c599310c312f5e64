"""Ways in that the customer gives: accounts, consoles, remote tools, keys, one-time links.

A credential is listed when it can be used: a user name with its secret, or what needs only one of them.
Halves are kept apart (rules ``credentials.half.*``) so that :func:`settle` can join a user name of one mail
with the password of a later one; a half that stays alone is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..model import Access, Credential, Secret
from .ids_access import SAID, Owner, access_of, as_written, in_path, labelled_users, owner_before, token_at
from .ids_marks import IP, MIXED, NUMBER, SIGN, URL, WORD, Marks, mark
from .ids_remote import keys, links, tools
from .ids_secrets import Value, is_placeholder, is_strong, value_at
from .ids_words import IdentifierWords
from .reading import Reading

ASKED = "credentials"
HALF_USER = "credentials.half.user"
HALF_SECRET = "credentials.half.secret"  # noqa: S105 -- the name of a rule, no secret
_SKIP = frozenset({"link", "copula", "user", "entry", "and", "remote", "vpn", "console", "desktop", "server", "once"})
_BETWEEN = frozenset(":=-–>|(\"'„“«‘`,")
_PAIR = re.compile(r"[ \t]*(?:/|\||,|:(?!//)|->|→)[ \t]*")
_LABEL_LINE = re.compile(r"[^\W\d_][^\n:|]{1,40}:(?:\s|$)")
_STARTERS = frozenset({"password", "remote", "key", "once", "user", "entry", "nopassword", "desktop", "console"})


def find(
    reading: Reading,
    words: IdentifierWords,
    asked: frozenset[str] = frozenset(),
    *,
    marks: Marks | None = None,
) -> tuple[Credential, ...]:
    """The credentials of one message in the order of its text, halves included.

    ``asked`` holds the requirements that our last message asked about: with ``credentials`` in it, a bare pair
    ("deploy, s3cr!t") answers.
    """
    marks = marks or mark(reading, words)
    if (
        ASKED not in asked
        and not any(h[0] in _STARTERS or h[0].startswith("account:") for h in marks.hits)
        and URL not in marks.kind
    ):
        return ()
    users = labelled_users(marks, words)
    found: list[Credential] = links(marks, words)
    taken: list[tuple[str, int, int]] = [(c.span.part, c.span.start, c.span.end) for c in found]
    secrets = _labelled(marks, words, users, taken)
    secrets += _pairs(marks, words, users, taken, asked=ASKED in asked)
    found += _with_tools(marks, secrets)
    found += keys(marks, users)
    if not any(c.username is not None for c in found):
        found += _half_users(marks, users)
    return _unique(sorted(found, key=lambda c: (c.span.part != "subject", c.span.start)))


def settle(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """The usable credentials of the whole thread, in order; halves of different mails joined.

    A secret joins the user name given last before it, else the first one after it.
    """
    usable: list[Credential] = []
    users: list[Credential] = []
    secrets: list[Credential] = []
    for item in credentials:
        if item.rule == HALF_USER:
            users.append(item)
            if secrets:
                usable.append(_join(item, secrets.pop()))
        elif item.rule == HALF_SECRET:
            if users:
                usable.append(_join(users[-1], item))
            else:
                secrets.append(item)
        else:
            usable.append(item)
    return _unique(usable)


def _join(user: Credential, secret: Credential) -> Credential:
    access = secret.access if secret.access is not Access.OS else user.access
    return Credential(access, user.username, secret.secret, secret.span, "credentials.joined")


def _unique(credentials: Sequence[Credential]) -> tuple[Credential, ...]:
    kept: dict[tuple[object, ...], Credential] = {}
    for c in credentials:
        kept.setdefault((c.username, c.secret, c.rule if c.secret is None else ""), c)
    return tuple(kept.values())


# --- secrets with a label --------------------------------------------------------------------------


def _labelled(
    marks: Marks, words: IdentifierWords, users: Sequence[Owner], taken: list[tuple[str, int, int]]
) -> list[Credential]:
    found: list[Credential] = []
    for first, last in marks.spots("password"):
        if marks.log[first] or _inside(taken, marks.part[first], marks.start[first]):
            continue
        pair = _both(marks, words, first, last)
        if pair is not None:
            found.append(pair)
            taken.append((pair.span.part, pair.span.start, pair.span.end))
            continue
        value = _secret_of(marks, words, last)
        if value is None:
            continue
        part, source = marks.part[first], marks.source(first)
        if _inside(taken, part, value.start):
            continue
        taken.append((part, value.start, value.end))
        at = token_at(marks, part, value.start)
        owner = owner_before(marks, users, first, at)
        span = marks.reading.span(value.start, value.end, part)
        secret = Secret(source[value.start : value.end])
        rule = "credentials.label" if owner is not None else HALF_SECRET
        found.append(Credential(access_of(marks, first), owner.name if owner else None, secret, span, rule))
    return found


def _inside(taken: Sequence[tuple[str, int, int]], part: str, offset: int) -> bool:
    return any(p == part and a <= offset < b for p, a, b in taken)


def _both(marks: Marks, words: IdentifierWords, first: int, last: int) -> Credential | None:
    """ "user/password: a/b", "IP/ID/PW 192.0.2.1/root/abc": a label of several names with a value of as many."""
    if marks.text[max(0, first - 1)] not in "/+&" or not marks.has(first - 2, "user"):
        return None
    source = marks.source(first)
    i = marks.end[last - 1]
    while i < len(source) and source[i] in " \t:=-|":
        i += 1
    value = value_at(source, i)
    if value is None:
        return None
    line_end = source.find("\n", i)
    whole = source[i : len(source) if line_end < 0 else line_end].strip()
    text = source[value.start : value.end]
    pieces = [p.strip() for p in (text if "/" in text.strip("/") else whole).split("/")]
    if len(pieces) < 2:
        pieces = [p.strip() for p in text.split(":")]
    if len(pieces) < 2 or any(is_placeholder(p, words.placeholders) for p in pieces if p):
        return None
    skip = 1 if len(pieces) > 2 and marks.text[max(0, first - 3)] == "/" else 0
    user, secret = pieces[skip], "/".join(pieces[skip + 1 :])
    if not user or not secret or " " in user:
        return None
    start = source.index(secret.split(" ")[0], i) if " " in secret else source.index(secret, i + len(user))
    secret = secret.split(" ")[0]
    span = marks.reading.span(start, start + len(secret), marks.part[first])
    return Credential(access_of(marks, first), user, Secret(secret), span, "credentials.label_pair")


def _secret_of(marks: Marks, words: IdentifierWords, i: int) -> Value | None:
    """The value of a password label that ends before token ``i``."""
    part, start_line = marks.part[i - 1], marks.line[i - 1]
    source = marks.source(i - 1)
    unknown = 0
    colon = False
    end = marks.end[i - 1]
    while i < len(marks.text) and marks.part[i] == part:
        step = marks.line[i] - start_line
        if step and not colon and not (step == 1 and unknown == 0 and marks.has(i - 1, "copula")):
            return None
        if step > 2:
            return None
        if colon:
            break
        text = marks.text[i]
        spaced = (
            source[marks.start[i] - 1 : marks.start[i]].isspace() and source[marks.end[i] : marks.end[i] + 1].isspace()
        )
        if text in ":=" or (text in "->→|" and spaced):
            colon = True
            end = marks.end[i]
            i += 1
            continue
        if text in _BETWEEN and text in "\"'„“«‘`":
            break
        concepts = set(marks.concepts[i])
        if "not_given" in concepts or "nopassword" in concepts or text in ".!?;)":
            return None
        if marks.kind[i] == SIGN and text not in _BETWEEN:
            break
        whole = _peek(source, marks.start[i])
        if is_strong(whole) and (whole.rstrip(":") != text or not _SKIP & concepts):
            if not _of_something(marks, i):
                break
            after = marks.start[i] + len(whole)
            if not whole.endswith(":") or not source[after : after + 1].isspace():
                return None
            colon, end = True, after  # "the password of deploy_x: ...": the name ends with the label's colon
            while i < len(marks.text) and marks.part[i] == part and marks.start[i] < after:
                i += 1
            continue
        if not (_SKIP & concepts or as_written(marks, i) or text in _BETWEEN):
            unknown += 1
            if unknown > 2 and not _colon_follows(source, marks.start[i]):
                return None
        end = marks.end[i]
        i += 1
    line_end = source.find("\n", end)
    nothing = not source[end : line_end if line_end >= 0 else len(source)].strip()
    return _accept(
        marks, words, source, _next_line(source, end) if nothing else end, colon=colon, below=nothing, part=part
    )


def _of_something(marks: Marks, i: int) -> bool:
    """Whether a preposition leads to token ``i``: "the password of tfz1cvkr" gives none."""
    concepts = marks.concepts[i - 1]
    return "link" in concepts and "copula" not in concepts and as_written(marks, i - 1) is None


def _peek(source: str, start: int) -> str:
    value = value_at(source, start)
    return source[value.start : value.end] if value else ""


def _colon_follows(source: str, start: int) -> bool:
    line_end = source.find("\n", start)
    return source[start : line_end if line_end >= 0 else len(source)].rstrip().endswith(":")


def _next_line(source: str, end: int) -> int:
    """The first offset after ``end`` that is not blank, at most two lines further."""
    i = end
    while i < len(source) and source[i].isspace() and source.count("\n", end, i + 1) <= 3:
        i += 1
    return i


def _accept(
    marks: Marks, words: IdentifierWords, source: str, start: int, *, colon: bool, below: bool, part: str
) -> Value | None:
    """The value at ``start`` if it is believable as a secret, given how it was announced."""
    line = marks.line[min(token_at(marks, part, start), len(marks.text) - 1)] if marks.text else 0
    dot = any(abs(marks.line[a] - line) <= 2 and marks.part[a] == part for a, _ in marks.spots("dot_belongs"))
    near = 2 if below else 1  # lines: an empty one may stand between the remark and the secret
    blank = any(abs(marks.line[a] - line) <= near and marks.part[a] == part for a, _ in marks.spots("blanks"))
    alone = below or _only_label(marks, part, line)
    value = value_at(
        source,
        start,
        keep_dot=dot or alone,
        blanks=blank and (below or colon) and source[start : start + 1] not in "\"'„“«",
    )
    if value is None or (below and not value.quoted and _LABEL_LINE.match(source, start)):
        return None
    text = source[value.start : value.end]
    if is_placeholder(text, words.placeholders) or len(text) < 3:
        return None
    if value.quoted or is_strong(text):
        return value
    i = token_at(marks, part, value.start)
    if i < len(marks.text) and SAID & set(marks.concepts[i]) and not colon:
        return None
    if i < len(marks.text) and {"not_given", "user", "password", "link", "unless"} & set(marks.concepts[i]):
        return None
    return (
        value
        if colon and (value.alone or value.cell) and len(text) >= 4 and (text.isascii() or below or value.alone)
        else None
    )


def _only_label(marks: Marks, part: str, line: int) -> bool:
    """Whether the line is a label and its value and nothing else: then a full stop is the secret's."""
    tokens = [i for i in range(len(marks.text)) if marks.line[i] == line and marks.part[i] == part]
    words = [i for i in tokens if marks.kind[i] == WORD]
    return (
        any(marks.has(i, "password") for i in words[:2])
        and (marks.has(words[0], "password") or marks.has(words[0], "remote"))
        and not any(marks.concepts[i] and not {"password", "remote"} & set(marks.concepts[i]) for i in words[1:])
        and len([i for i in words if marks.start[i]]) <= 6
    )


# --- pairs without a label -------------------------------------------------------------------------


def _pairs(
    marks: Marks, words: IdentifierWords, users: Sequence[Owner], taken: list[tuple[str, int, int]], *, asked: bool
) -> list[Credential]:
    """ "root / x", "root:x", "ssh deploy / x", "https://192.0.2.9, ADMIN, x", and two bare lines "root", "x"."""
    found: list[Credential] = []
    for owner in _heads(marks, users, asked=asked):
        part, source = marks.part[owner.token], marks.source(owner.token)
        value = _second(source, owner)
        if value is None or _inside(taken, part, value.start):
            continue
        text = source[value.start : value.end]
        if (
            not is_strong(text, camel=False)
            or is_placeholder(text, words.placeholders)
            or text.startswith(("/", "http"))
        ):
            continue
        i = token_at(marks, part, value.start)
        if i < len(marks.text) and marks.kind[i] in (IP, URL) and marks.end[i] >= value.end:
            continue
        taken.append((part, value.start, value.end))
        access = access_of(marks, owner.token)
        if access is Access.OS and _web_console(marks, owner.token):
            access = Access.CONSOLE
        span = marks.reading.span(value.start, value.end, part)
        found.append(Credential(access, owner.name, Secret(text), span, "credentials.pair"))
    return found


def _heads(marks: Marks, users: Sequence[Owner], *, asked: bool) -> list[Owner]:
    """Names after which a secret may stand without a label."""
    heads = list(users)
    known = {u.start for u in users}
    for i, kind in enumerate(marks.kind):
        if kind not in (WORD, MIXED) or marks.start[i] in known or marks.log[i] or in_path(marks, i):
            continue
        if marks.part[i] == "subject":
            continue
        account = as_written(marks, i)
        if account is not None:
            heads.append(Owner(account, marks.start[i], marks.end[i], i))
        elif not SAID & set(marks.concepts[i]) and _in_context(marks, i, asked=asked):
            heads.append(Owner(marks.text[i], marks.start[i], marks.end[i], i))
    return heads


def _in_context(marks: Marks, i: int, *, asked: bool) -> bool:
    """Whether a name that nothing labels stands where one is expected: after "ssh", a console, a link, in an answer."""
    reach = 8 if marks.text[i - 1] == ":" else 4
    for j in range(i - 1, max(-1, i - reach), -1):
        if marks.part[j] != marks.part[i] or marks.line[i] - marks.line[j] > 1:
            break
        if marks.kind[j] == URL or {"console", "vpn", "desktop", "user", "entry"} & set(marks.concepts[j]):
            return True
    first = i == 0 or marks.line[i - 1] != marks.line[i] or marks.kind[i - 1] == SIGN
    return asked and first


def _second(source: str, owner: Owner) -> Value | None:
    """The value that follows a name: after a slash, bar, colon or comma (a remark skipped), or on the next line."""
    i = owner.end
    while i < len(source) and source[i] in " \t\"'”“»":
        i += 1
    if source[i : i + 1] == "(":
        close = source.find(")", i, i + 60)
        if close > 0:
            i = close + 1
    match = _PAIR.match(source, i)
    if match is not None and match.end() > i:
        return value_at(source, match.end())
    line_start = source.rfind("\n", 0, owner.start) + 1
    if source[i : i + 1] == "\n" and not source[line_start : owner.start].strip(" \t-*>•"):
        return value_at(source, i + 1, keep_dot=True) if _alone(source, i + 1) else None
    return None


def _alone(source: str, start: int) -> bool:
    line_end = source.find("\n", start)
    line = source[start : line_end if line_end >= 0 else len(source)].strip()
    return bool(line) and " " not in line


def _web_console(marks: Marks, i: int) -> bool:
    """Whether a link to a bare address stands right before the name: what is logged in to there is a console."""
    for j in range(i - 1, max(-1, i - 5), -1):
        if marks.kind[j] == URL and marks.line[i] - marks.line[j] <= 1:
            return marks.text[j].split("//", 1)[1][:1].isdigit()
    return False


# --- remote tools and halves -----------------------------------------------------------------------


def _with_tools(marks: Marks, secrets: Sequence[Credential]) -> list[Credential]:
    """Secrets of remote tools get the tool's number as user name; a tool that needs none stands alone."""
    rest = list(secrets)
    found = []
    for tool, start, end, after in tools(marks):
        source, part = marks.source(tool), marks.part[tool]
        number = source[start:end]
        near = [c for c in rest if c.span.part == part and 0 <= c.span.start - end <= 160]
        if near and near[0].access is not Access.CONSOLE and not _other_owner(near[0], start):
            rest.remove(near[0])
            found.append(Credential(Access.OTHER, number, near[0].secret, near[0].span, "credentials.remote"))
        elif any(
            abs(marks.line[a] - marks.line[min(after, len(marks.text) - 1)]) <= 1 for a, _ in marks.spots("nopassword")
        ):
            found.append(
                Credential(Access.OTHER, number, None, marks.reading.span(start, end, part), "credentials.remote")
            )
        else:
            found.append(Credential(Access.OTHER, number, None, marks.reading.span(start, end, part), HALF_USER))
    return [*found, *rest]


def _other_owner(credential: Credential, start: int) -> bool:
    """Whether the secret has a user name of its own after the tool's number ("AnyDesk 1…, then root / x")."""
    return credential.rule == "credentials.pair" or (credential.username is not None and credential.span.start < start)


def _half_users(marks: Marks, users: Sequence[Owner]) -> list[Credential]:
    half = []
    for user in users:
        span = marks.reading.span(user.start, user.end, marks.part[user.token])
        if marks.kind[user.token] != NUMBER:
            half.append(Credential(access_of(marks, user.token), user.name, None, span, HALF_USER))
    return half
