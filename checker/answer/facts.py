"""What was understood, as the labelled lines that a reply opens with. Values are words of the language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from .clean import line, quote
from .model import Part, ReplyRequest, System
from .schema import KINDS, PARTS
from .texts import Texts

_WORD: Final = 120  # characters of an identifier, a slot, a window's words
_LIST: Final = 8  # members of a list that are named
_DOWNTIME: Final = {"downtime_ok": "downtime_ok", "window": "downtime_window"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, its colon included, and its value, both ready to be shown."""

    label: str
    value: str


def facts(request: ReplyRequest, texts: Texts) -> tuple[Fact, ...]:
    """The facts of a ticket in the order of the procedure; what was not said has no line."""
    u, language = request.understood, texts.choose(request.language)
    window = windows_text(request, texts)
    known = {
        "server": listed(texts, language, cleaned((*u.service_ids, *u.ip_addresses, *u.hostnames))),
        "request": listed(
            texts, language, (texts.get(language, f"request.{k}") for k in u.request_kinds if k in KINDS)
        ),
        "parts": listed(texts, language, parts_text(u.parts, texts, language)),
        "system": system_text(u.system),
        "access": _value(texts, language, "access_given") if u.access else "",
        "power": _value(texts, language, f"power_{u.power}", window=window),
        "downtime": _value(texts, language, _DOWNTIME.get(u.impact or "", ""), window=window),
        "backup": _value(texts, language, f"backup_{u.backup}"),
        "erasure": _value(texts, language, f"erasure_{u.data_loss_consent}"),
        "risk": _value(texts, language, f"risk_{u.hardware_acknowledgement}"),
    }
    after = texts.get(language, "language.label_end")
    return tuple(Fact(texts.get(language, f"facts.{name}") + after, value) for name, value in known.items() if value)


def windows_text(request: ReplyRequest, texts: Texts) -> str:
    """The windows in the customer's own words, each in quotation marks; "" when there is none."""
    language = texts.choose(request.language)
    words = (quote(w, _WORD, request.secrets) for w in request.understood.windows)
    return listed(texts, language, (quoted(texts, language, w) for w in words if w))


def quoted(texts: Texts, language: str, words: str) -> str:
    """``words`` between the quotation marks of the language."""
    return f"{texts.get(language, 'language.quote_open')}{words}{texts.get(language, 'language.quote_close')}"


def cleaned(members: Iterable[str]) -> Iterator[str]:
    """Foreign words, each as one clean line."""
    return (w for w in (line(m, _WORD) for m in members) if w)


def listed(texts: Texts, language: str, members: Iterable[str]) -> str:
    """Clean members joined; a list longer than anyone reads ends in an ellipsis."""
    shown = list(islice(members, _LIST + 1))
    if len(shown) > _LIST:
        shown[_LIST] = "…"
    return texts.get(language, "language.list_separator").join(shown)


def kinds_text(kinds: tuple[str, ...], texts: Texts, language: str) -> Iterator[str]:
    """The kinds of request in words."""
    return (texts.get(language, f"request.{kind}") for kind in kinds if kind in KINDS)


def system_text(system: System | None) -> str:
    """Distribution, version and edition in one line."""
    if system is None:
        return ""
    return line(" ".join(p for p in (system.distribution, system.version, system.edition) if p), _WORD)


def parts_text(parts: tuple[Part, ...], texts: Texts, language: str) -> tuple[str, ...]:
    """Each part with its slot and serial number where they are known."""
    return tuple(_part(part, texts, language) for part in parts)


def _part(part: Part, texts: Texts, language: str) -> str:
    bits = [texts.get(language, f"part.{part.kind if part.kind in PARTS else 'other'}")]
    if part.slot:
        bits.append(texts.get(language, "value.slot", slot=line(part.slot, 40)))
    if part.serial:
        bits.append(texts.get(language, "value.serial", serial=line(part.serial, 60)))
    return " ".join((bits[0], f"({', '.join(bits[1:])})")) if bits[1:] else bits[0]


def _value(texts: Texts, language: str, name: str, window: str = "") -> str:
    """The words for a value, or "" for one that is not said or that the questions speak about."""
    key = f"value.{name}"
    if key not in texts.tables[language] or (name.endswith("_window") and not window):
        return ""
    return texts.get(language, key, window=window)
