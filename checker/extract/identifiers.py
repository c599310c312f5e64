"""Servers in a ticket: service IDs, addresses and host names, with the role that the text gives each.

An address in the customer's own words is the server's unless a word beside it says otherwise: a console,
an office, a gateway, a resolver, another machine that must be left alone. Roles are local: the nearest
word wins, and what is said after a name counts for it up to the next name or the end of the sentence.
:func:`settle` then lets the thread decide: later words correct earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network
from itertools import pairwise
from urllib.parse import urlsplit

from ..model import Identifier, IdentifierKind, Role
from .ids_marks import HOST, IP, NUMBER, URL, Marks, mark
from .ids_numbers import Numbered, numbered
from .ids_words import IdentifierWords
from .reading import Reading

ASKED = "server_id"  # requirement id: asked for it, a bare ID or address answers
_LEFT = 8  # tokens: how far back a word can give an address its role
_RIGHT = 14
_OLD = "identifiers.old"
_CORRECTED = "identifiers.correction"
_NAMES = frozenset({"server", "service", "id"})


@dataclass(frozen=True, slots=True)
class Settled:
    """The identifiers to report, each once, in the order first given; and those that do not count."""

    service_ids: tuple[Identifier, ...]
    ip_addresses: tuple[Identifier, ...]
    hostnames: tuple[Identifier, ...]
    rejected: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    """Something that names a machine: tokens ``first`` to ``last``, its offsets, and how it was recognised."""

    kind: IdentifierKind
    value: str
    first: int
    last: int
    start: int
    end: int
    part: str
    rule: str
    named: bool = True
    role: Role | None = None  # known from the name itself


def find(
    reading: Reading,
    words: IdentifierWords,
    asked: frozenset[str] = frozenset(),
    *,
    marks: Marks | None = None,
) -> tuple[Identifier, ...]:
    """All identifiers of one message in the order of its text, with their roles.

    ``asked`` holds the requirements that our last message asked about.
    """
    marks = marks or mark(reading, words)
    names = _names(marks, words, asked=ASKED in asked)
    roles: list[tuple[Role, str]] = []
    for k in range(len(names)):
        roles.append(_role(marks, names, roles, k))
    found = []
    for name, (role, rule) in zip(names, roles, strict=True):
        if not name.named and role is Role.SERVER:
            continue
        span = reading.span(name.start, name.end, name.part)
        found.append(Identifier(name.kind, name.value, role, span, rule))
    return tuple(found)


def settle(identifiers: Iterable[Identifier]) -> Settled:
    """What the whole thread says, from all its identifiers in order.

    A name that was the server's counts until the customer says of it that it is another machine, or that
    the number was wrong; a name given again later counts again.
    """
    everything = tuple(identifiers)
    state: dict[tuple[IdentifierKind, str], Identifier] = {}
    for item in everything:
        key = (item.kind, item.value.casefold())
        if item.rule == _CORRECTED and item.role is Role.SERVER:
            for other, known in list(state.items()):
                if other != key and other[0] is item.kind and known.role is Role.SERVER:
                    state[other] = replace(known, role=Role.WITHDRAWN, rule=_CORRECTED)
        before = state.get(key)
        if before is None or (_replaces(before, item) and before.role is not item.role):
            state[key] = item
    if not any(i.role is Role.SERVER and i.kind is not IdentifierKind.HOSTNAME for i in state.values()):
        # "our old server 48213 needs a new disk": nothing else is named, so the old one is meant
        for key, item in state.items():
            if item.rule == _OLD and item.kind is not IdentifierKind.HOSTNAME:
                state[key] = replace(item, role=Role.SERVER)
    rejected = [i for i in state.values() if i.role is not Role.SERVER]
    by_kind = {k: tuple(i for i in state.values() if i.kind is k and i.role is Role.SERVER) for k in IdentifierKind}
    return Settled(
        by_kind[IdentifierKind.SERVICE_ID],
        by_kind[IdentifierKind.IP],
        by_kind[IdentifierKind.HOSTNAME],
        tuple(rejected),
    )


def _replaces(known: Identifier, new: Identifier) -> bool:
    """Whether a later mention changes what a name stands for."""
    if new.role is Role.SERVER:
        return known.role is not Role.CONSOLE and new.span.part == "body"
    if new.role is Role.CONTRAST:
        return known.role is not Role.SERVER or new.rule != _OLD or new.span.message > known.span.message
    return known.role is not Role.SERVER


# --- names -----------------------------------------------------------------------------------------


def _names(marks: Marks, words: IdentifierWords, *, asked: bool) -> list[_Name]:
    numbers = numbered(marks, words, asked=asked)
    names = [_from_number(n) for n in numbers if n.rule is not None or n.value.isdigit()]
    for i, kind in enumerate(marks.kind):
        if marks.log[i] or kind not in (IP, HOST, URL) or _hop(marks, i):
            continue
        if kind == IP:
            name = _address(marks, words, i)
        elif kind == HOST:
            name = _host(marks, words, i)
        else:
            name = _link(marks, words, i)
        if name is not None:
            names.append(name)
    return sorted(names, key=lambda n: n.first)


def _hop(marks: Marks, i: int) -> bool:
    """Whether the line is a hop of a trace that was taken for the customer's words ("4. core1.example  0.3%")."""
    before = [j for j in range(max(0, i - 3), i) if marks.line[j] == marks.line[i]]
    after = [marks.text[j] for j in range(i + 1, min(i + 6, len(marks.text))) if marks.line[j] == marks.line[i]]
    head = all(marks.kind[j] == NUMBER or marks.text[j] in ".)|-" for j in before) and bool(before)
    return head and (i < 4 or marks.line[i - 4] != marks.line[i]) and ("%" in after or "ms" in after)


def _from_number(number: Numbered) -> _Name:
    named = number.rule is not None
    rule = number.rule or "service_id.unnamed"
    return _Name(
        IdentifierKind.SERVICE_ID,
        *(number.value, number.token, number.last, number.start, number.end, number.part, rule, named),
    )


def _address(marks: Marks, words: IdentifierWords, i: int, text: str | None = None) -> _Name | None:
    address = ip_address(text or marks.text[i])
    if address.is_unspecified or address.is_loopback or address.is_multicast:
        return None
    role = None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    value = str(address)
    if value in words.resolvers or _is_range(marks, i, value) or address.is_link_local or _is_private(value):
        role = Role.FOREIGN
    return _Name(IdentifierKind.IP, value, i, i, marks.start[i], marks.end[i], marks.part[i], "address", role=role)


def _is_private(value: str) -> bool:
    """RFC 1918, RFC 6598 and RFC 4193; the documentation ranges (RFC 5737, 3849) count as public here."""
    address = ip_address(value)
    if isinstance(address, IPv6Address):
        return (int(address) >> 121) == 0x7E  # fc00::/7
    return any(address in net for net in _PRIVATE)


_PRIVATE = tuple(
    IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8")
)


def _is_range(marks: Marks, i: int, value: str) -> bool:
    """Whether a prefix length follows and the address is the network's own."""
    if i + 2 >= len(marks.text) or marks.text[i + 1] != "/" or marks.kind[i + 2] != NUMBER:
        return False
    length, full = int(marks.text[i + 2]), 128 if ":" in value else 32
    if not 8 <= length < full - 1:
        return False
    return ip_network(f"{value}/{length}", strict=False).network_address == ip_address(value)


def _host(marks: Marks, words: IdentifierWords, i: int) -> _Name | None:
    value = marks.text[i].casefold()
    labels = value.split(".")
    if labels[-1] in words.not_endings or labels[0] in words.not_first or _under(value, words.own_domains):
        return None
    text = marks.source(i)
    if text[marks.start[i] - 1 : marks.start[i]] in ("/", "@", "\\", "_") or text[marks.end[i] : marks.end[i] + 1] in (
        "/",
        "@",
        "_",
    ):
        return None
    if any(marks.has(i - k, "password") for k in (1, 2, 3)):
        return None  # a secret may look like a name ("Birke.17.Kessel")
    named = any(marks.has(i - k, "server") and marks.segment[i - k] == marks.segment[i] for k in (1, 2))
    if len(labels) < 3 and not named:
        return None
    last = marks.text[i].rsplit(".", 1)[1]
    if any(a.islower() and b.isupper() for a, b in pairwise(last)) or all(len(label) == 1 for label in labels[:-1]):
        return None  # "java.lang.OutOfMemoryError", "z.B.Server"
    return _Name(IdentifierKind.HOSTNAME, value, i, i, marks.start[i], marks.end[i], marks.part[i], "hostname")


def _under(value: str, domains: frozenset[str]) -> bool:
    return any(value == d or value.endswith("." + d) for d in domains)


def _link(marks: Marks, words: IdentifierWords, i: int) -> _Name | None:
    """An address inside a link: a console's, most often; links to names are never servers."""
    try:
        host = urlsplit(marks.text[i]).hostname or ""
        ip_address(host)
    except ValueError:
        return None
    return _address(marks, words, i, host)


# --- roles -----------------------------------------------------------------------------------------


def _role(marks: Marks, names: Sequence[_Name], roles: Sequence[tuple[Role, str]], k: int) -> tuple[Role, str]:
    name = names[k]
    after = _after(marks, names, k)
    before = _before(marks, names, k)
    if before is None and k and _joined(marks, names[k - 1], name):
        before = roles[k - 1] if roles[k - 1][0] is not Role.SERVER else None
        if before is not None and name.kind is not names[k - 1].kind:
            before = None
    if before is not None and before[0] is Role.CONSOLE and name.kind is not IdentifierKind.SERVICE_ID:
        return before
    if name.role is not None:
        return name.role, "identifiers.range"
    if before is None and k and roles[k - 1][0] is not Role.SERVER and _resolver(marks, names[k - 1], name):
        return Role.FOREIGN, "identifiers.foreign"
    if after is not None and after[0] is not Role.SERVER:
        return after
    if before is not None:
        return before
    return after or (Role.SERVER, name.rule)


def _resolver(marks: Marks, left: _Name, right: _Name) -> bool:
    """Whether a sentence about resolvers goes on: "the old resolver is 192.0.2.53, it should be 192.0.2.54"."""
    if left.kind is not IdentifierKind.IP or right.kind is not IdentifierKind.IP or left.part != right.part:
        return False
    segment = marks.segment[left.first]
    if not 0 <= marks.segment[right.first] - segment <= 1 or marks.line[right.first] - marks.line[left.first] > 2:
        return False
    if any(_NAMES & set(marks.concepts[i]) for i in range(left.last + 1, right.first)):
        return False
    i = left.first
    while i > 0 and marks.segment[i] == segment and not marks.text[i].casefold().startswith(("resolv", "nameserver")):
        i -= 1
    return marks.segment[i] == segment and marks.text[i].casefold().startswith(("resolv", "nameserver"))


def _joined(marks: Marks, left: _Name, right: _Name) -> bool:
    """Whether two names are one list ("9.9.9.9 and 1.1.1.1"): what is said of the first holds for the second."""
    between = range(left.last + 1, right.first)
    if len(between) > 3 or left.part != right.part or marks.segment[left.last] != marks.segment[right.first]:
        return False
    return all(marks.text[i] in ",/;&" or "and" in marks.concepts[i] for i in between)


def _before(marks: Marks, names: Sequence[_Name], k: int) -> tuple[Role, str] | None:
    """The nearest word before a name that says what it is; ``None`` when a naming word comes first or nothing."""
    name = names[k]
    floor = names[k - 1].last if k and names[k - 1].part == name.part else -1
    for i in range(name.first - 1, max(floor, name.first - 1 - _LEFT), -1):
        if marks.part[i] != name.part or marks.segment[i] != marks.segment[name.first]:
            break
        concepts = marks.concepts[i]
        if name.kind is not IdentifierKind.SERVICE_ID and ("console" in concepts or "vpn" in concepts):
            return Role.CONSOLE, "identifiers.console"
        if "contrast" in concepts and _binds(marks, i, name.first):
            return (Role.CONTRAST, _OLD if not _negates(marks, i) else "identifiers.contrast")
        if "foreign" in concepts and name.kind is not IdentifierKind.SERVICE_ID:
            return Role.FOREIGN, "identifiers.foreign"
        if floor >= 0 and marks.text[i] == ";":
            break
        if _NAMES & set(concepts) and name.kind is IdentifierKind.IP and not _weak_name(marks, i):
            return _described(marks, i, floor)
    return None


def _described(marks: Marks, i: int, floor: int) -> tuple[Role, str] | None:
    """What stands close before the naming word at ``i``: "our old server", "the neighbour's machine"."""
    for j in range(i - 1, max(floor, i - 4), -1):
        if "contrast" in marks.concepts[j] and _binds(marks, j, i + 1):
            return Role.CONTRAST, _OLD if not _negates(marks, j) else "identifiers.contrast"
        if "foreign" in marks.concepts[j]:
            return Role.FOREIGN, "identifiers.foreign"
    return None


def _weak_name(marks: Marks, i: int) -> bool:
    """ "IP" and "address" name an address, not whose it is ("my home IP is ...")."""
    return marks.text[i].casefold() in ("ip", "ipv4", "ipv6") or marks.text[i][:3].casefold() in (
        "adr",
        "add",
        "ind",
        "dir",
        "nas",
    )


def _binds(marks: Marks, i: int, to: int) -> bool:
    """Whether "not", "old" and the like reach the name: only joining and naming words between."""
    if to - i > 6:
        return False
    return all(
        {"server", "service", "id", "link", "number", "contrast"} & set(marks.concepts[j]) or marks.text[j] in "#'’-("
        for j in range(i + 1, to)
    )


def _negates(marks: Marks, i: int) -> bool:
    """A bare "not" in front excludes; an adjective only describes."""
    return marks.text[i].casefold() in ("not", "nicht", "non", "pas", "no", "nie", "ne", "never")


def _after(marks: Marks, names: Sequence[_Name], k: int) -> tuple[Role, str] | None:
    """What is said after a name, up to the next one: "... must not be touched", "... is my router at home"."""
    name = names[k]
    ceiling = names[k + 1].first if k + 1 < len(names) else len(marks.text)
    end = min(ceiling, name.last + 1 + _RIGHT, len(marks.text))
    for i in range(name.last + 1, end):
        if marks.part[i] != name.part or marks.line[i] - marks.line[i - 1] > 1:
            break
        if marks.segment[i] != marks.segment[name.first]:
            break
        concepts = marks.concepts[i]
        if "another" in concepts or (marks.text[i] == ";" and _short_name(marks, i)):
            break
        if "contrast_after" in concepts or ("unaffected" in concepts and i <= name.last + 4):
            return Role.CONTRAST, "identifiers.contrast"
        if "foreign_after" in concepts and name.kind is not IdentifierKind.SERVICE_ID:
            return Role.FOREIGN, "identifiers.foreign"
    return (Role.SERVER, _CORRECTED) if name.named and _corrects(marks, name, ceiling) else None


def _short_name(marks: Marks, i: int) -> bool:
    """Whether a clause that begins after token ``i`` is about another address by its last part ("; the 51 works")."""
    return any(
        marks.kind[j] == NUMBER and len(marks.text[j]) <= 3 and marks.segment[j] == marks.segment[i]
        for j in range(i + 1, min(i + 4, len(marks.text)))
    )


def _corrects(marks: Marks, name: _Name, ceiling: int) -> bool:
    """Whether the sentence, or the one before it, says that an earlier name was wrong."""
    here = marks.segment[name.first]
    for concept, first, last in marks.hits:
        if concept != "correction" or marks.part[first] != name.part or first >= ceiling:
            continue
        if marks.segment[first] in (here, here - 1) and last <= ceiling:
            return True
    return False
