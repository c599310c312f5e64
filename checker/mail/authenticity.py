"""Authentication-Results (RFC 8601): was the mail sent by the domain in its From?

Believed only from servers that the configuration names, only the topmost of theirs, and only where the
field stands above the first Received of that server: anybody can write such a field below (§7.1).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..model import Message

_MAX_VALUE: Final = 8_192
_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_METHOD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,31})(?:/\d{1,3})?\s{0,4}=\s{0,4}([A-Za-z]{1,16})")
_PROPERTY: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9-]{0,31}\.[A-Za-z][A-Za-z0-9-]{0,31})\s{0,4}=\s{0,4}(\"[^\"]{0,320}\"|[^\s;()\"]{1,320})"
)
_BY: Final = re.compile(r"(?:^|\s)by\s+([A-Za-z0-9][A-Za-z0-9._-]{0,254})")
_FAILED: Final = frozenset({"fail", "hardfail", "softfail", "policy", "permerror"})


class Outcome(StrEnum):
    """What a trusted server found about one mechanism, or about the From domain as a whole."""

    PASS = "pass"  # noqa: S105 -- a result of RFC 8601, no password
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Authenticity:
    """What a trusted server found, mechanism by mechanism.

    ``spf`` and ``dkim`` are ``pass`` only for the domain of the From address (or, aligned as DMARC's
    relaxed mode has it, one that it is a part of).
    """

    dmarc: Outcome = Outcome.NONE
    spf: Outcome = Outcome.NONE
    dkim: Outcome = Outcome.NONE
    authserv_id: str | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the From domain may be taken for the sender's: DMARC decides where it says something,
        otherwise an aligned DKIM signature does. SPF alone does not (forwarders break it both ways).
        """
        return self.dmarc is Outcome.PASS or (self.dmarc is Outcome.NONE and self.dkim is Outcome.PASS)


@dataclass(frozen=True, slots=True)
class Result:
    """One ``method=result`` with its properties (``header.from`` …), all lower case."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        """A property's value, ``""`` when it is not there."""
        return next((v for n, v in self.properties if n == name), "")


def authenticity(message: Message, trusted: Collection[str]) -> Authenticity:
    """What the configured servers say of a message; all ``none`` without them."""
    ids = {t.lower().rstrip(".") for t in trusted}
    if not ids or message.sender is None:
        return Authenticity()
    domain = message.sender.email.rpartition("@")[2].lower()
    for value, above in zip(message.authentication_results, message.results_below, strict=False):
        parsed = parse_results(value)
        if parsed is None or parsed[0] not in ids:
            continue
        if not _written_by_us(parsed[0], message.received, above):
            return Authenticity()
        return _judge(parsed[0], parsed[1], domain)
    return Authenticity()


def _written_by_us(authserv_id: str, received: tuple[str, ...], above: int) -> bool:
    """Whether no Received of the server itself stands above the field, and one below when others do."""
    ours = [i for i, value in enumerate(received) if _is_host(_by(value), authserv_id)]
    return above == 0 or (bool(ours) and min(ours) >= above)


def _by(received: str) -> str:
    match = _BY.search(received[:_MAX_VALUE])
    return match[1].lower().rstrip(".") if match else ""


def _is_host(host: str, authserv_id: str) -> bool:
    return bool(host) and (host == authserv_id or host.endswith(f".{authserv_id}") or authserv_id.endswith(f".{host}"))


def parse_results(value: str) -> tuple[str, tuple[Result, ...]] | None:
    """The authserv-id and the results of one field; ``None`` when it is not of that form (RFC 8601 §2.2)."""
    if len(value) > _MAX_VALUE:
        return None
    plain = _without_comments(value)
    if plain is None:
        return None
    head, *rest = _split(plain)
    match = _TOKEN.match(head.strip())
    if match is None:
        return None
    results = []
    for part in rest:
        method = _METHOD.match(part.strip())
        if method is None:
            continue  # "none", or a method that is written otherwise: no result
        properties = tuple((m[1].lower(), m[2].strip('"').lower()) for m in _PROPERTY.finditer(part))
        results.append(Result(method[1].lower(), method[2].lower(), properties))
    return match[0].lower().rstrip("."), tuple(results)


def _without_comments(value: str) -> str | None:
    """The value with comments (nested, RFC 5322 §3.2.2) as blanks; ``None`` when they do not close."""
    out: list[str] = []
    depth = 0
    quoted = escaped = False
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
        elif char == ")" and not quoted:
            depth -= 1
            if depth < 0:
                return None
            char = " "
        out.append(" " if depth else char)
    return None if depth or quoted else "".join(out)


def _split(value: str) -> list[str]:
    parts = [""]
    quoted = False
    for char in value:
        quoted ^= char == '"'
        if char == ";" and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _judge(authserv_id: str, results: tuple[Result, ...], domain: str) -> Authenticity:
    dmarc = [r for r in results if r.method == "dmarc" and r.value("header.from") == domain]
    spf = [r for r in results if r.method == "spf" and _aligned(_spf_domain(r), domain)]
    dkim = [r for r in results if r.method == "dkim" and _aligned(_dkim_domain(r), domain)]
    return Authenticity(_merge(dmarc), _merge(spf), _merge(dkim), authserv_id)


def _spf_domain(result: Result) -> str:
    return (result.value("smtp.mailfrom") or result.value("smtp.helo")).rpartition("@")[2]


def _dkim_domain(result: Result) -> str:
    return (result.value("header.d") or result.value("header.i")).rpartition("@")[2]


def _aligned(found: str, domain: str) -> bool:
    """The same domain, or one above or below it ("mail.example.com" for "example.com"), never a bare "com"."""
    return "." in found and (found == domain or domain.endswith(f".{found}") or found.endswith(f".{domain}"))


def _merge(results: list[Result]) -> Outcome:
    if any(r.result == "pass" for r in results):
        return Outcome.PASS
    return Outcome.FAIL if any(r.result in _FAILED for r in results) else Outcome.NONE
