"""A ticket's line in the digest, and the work sheet of one that is ready: labels and values, nothing laid out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from itertools import islice
from typing import Final

from . import times
from .clean import line, web_link
from .facts import Fact, cleaned, listed, parts_text, quoted, system_text
from .model import REASONS, Correction, Entry, Missing, SheetWindow, Way, WorkSheet
from .schema import KINDS
from .texts import Texts

_SENTENCE: Final = 240
_WORD: Final = 160
_QUOTES: Final = 8
_VALUES: Final = {  # field -> the texts of its values
    "power": "power",
    "backup": "backup",
    "impact": "impact",
    "data_loss_consent": "consent",
    "hardware_acknowledgement": "consent",
}
_GROUPS: Final = {
    "power_authorization": "power",
    "backup": "backup",
    "impact": "impact",
    "data_loss_consent": "consent",
    "hardware_acknowledgement": "consent",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One ticket as the digest shows it. ``link`` is http(s) or ``None``."""

    ticket: str
    server: str
    new: bool
    urgent: bool
    rows: tuple[Fact, ...]
    sheet: tuple[Fact, ...]
    quotes: tuple[Fact, ...]  # label: which field, value: the words
    link: str | None
    message_id: str


def card(entry: Entry, now: datetime, zone: tzinfo, texts: Texts, language: str) -> Card:
    """``entry`` in the staff's words, on their clock."""
    t = partial(texts.get, language)
    waited = t(
        "digest.since",
        day=times.stamp(entry.since, zone, texts, language),
        days=times.duration(now - entry.since, texts, language),
    )
    counted = [
        t(f"digest.{name}", count=str(n)) for name, n in (("asked", entry.asked), ("reminded", entry.reminded)) if n
    ]
    rows = {
        "who": line(entry.who, _WORD),
        "request": _kinds(entry.request_kinds, texts, language),
        "why": listed(texts, language, (why(w, texts, language) for w in entry.why)),
        "corrected": "; ".join(_correction(c, texts, language) for c in entry.corrections),
        "missing": listed(texts, language, (_wanted(m, texts, language) for m in entry.missing)),
        "when": ", ".join((waited, *counted)),
    }
    return Card(
        ticket=line(entry.ticket, 40),
        server=line(entry.server, _WORD),
        new=entry.new,
        urgent=entry.urgent,
        rows=tuple(_facts(rows, texts, language)),
        sheet=tuple(_sheet(entry.sheet, zone, texts, language)) if entry.sheet is not None else (),
        quotes=tuple(_quotes(entry, texts, language)),
        link=web_link(entry.link),
        # What the link leads to need not be searched for.
        message_id="" if web_link(entry.link) else line(entry.message_id or "", _WORD * 2),
    )


def why(reason: str, texts: Texts, language: str) -> str:
    """A reason id (``conflict:power``) in words; a reason that no text knows is shown as it is."""
    name, _, detail = reason.partition(":")
    key = f"digest.why_{name.replace('-', '_')}"
    if key not in texts.tables[language]:
        return line(reason, _WORD)
    return texts.get(language, key, field=_field(detail, texts, language))


def _field(name: str, texts: Texts, language: str) -> str:
    """A field or a requirement in words; one that no text knows by its id."""
    known = (key for key in (f"digest.field_{name}", f"digest.missing_{name}") if key in texts.tables[language])
    key = next(known, None)
    return texts.get(language, key) if key is not None else line(name, 60)


def _correction(c: Correction, texts: Texts, language: str) -> str:
    """A field that a person set, with who and why."""
    value = _value(texts, language, _VALUES.get(c.field, ""), c.value) if c.value != "none" else ""
    kinds = _kinds(c.value.split(","), texts, language) if c.field == "request_kinds" else ""
    return texts.get(
        language,
        "digest.correction",
        field=texts.get(language, "digest.request") if kinds else _field(c.field, texts, language),
        value=kinds or value or texts.get(language, "digest.unsaid"),
        by=line(c.by, 80),
        because=line(c.because, _SENTENCE),
    )


def missing(requirement: str, texts: Texts, language: str) -> str:
    """A requirement's short name; one that no text knows is shown by its id."""
    return texts.get(language, f"digest.missing_{requirement}") if requirement in REASONS else line(requirement, 60)


def _wanted(item: Missing, texts: Texts, language: str) -> str:
    """A missing requirement, with the reason when it is a statement's value: "backup (old, partial or uncertain)"."""
    name = missing(item.requirement, texts, language)
    key = f"digest.{_GROUPS.get(item.requirement, '')}_{item.reason}"
    return f"{name} ({texts.get(language, key)})" if key in texts.tables[language] else name


def _sheet(sheet: WorkSheet, zone: tzinfo, texts: Texts, language: str) -> Iterator[Fact]:
    value = partial(_value, texts, language)
    rows = {
        "server": listed(texts, language, cleaned((*sheet.service_ids, *sheet.ip_addresses, *sheet.hostnames))),
        "asked_for": listed(texts, language, (quoted(texts, language, line(w, _SENTENCE)) for w in sheet.asked)),
        "access": listed(texts, language, (_way(w, texts, language) for w in sheet.ways)),
        "power": value("power", sheet.power),
        "downtime": value("impact", sheet.impact),
        "windows": "; ".join(_window(w, zone, texts, language) for w in sheet.windows),
        "backup": value("backup", sheet.backup),
        "erasure": value("consent", sheet.data_loss_consent),
        "risk": value("consent", sheet.hardware_acknowledgement),
        "parts": listed(texts, language, parts_text(sheet.parts, texts, language)),
        "system": system_text(sheet.system),
        "layout": _layout(sheet, texts, language),
    }
    yield from _facts(rows, texts, language)


def _layout(sheet: WorkSheet, texts: Texts, language: str) -> str:
    if sheet.layout:
        return quoted(texts, language, line(sheet.layout, _SENTENCE))
    return texts.get(language, "digest.default_layout") if sheet.system is not None else ""


def _way(way: Way, texts: Texts, language: str) -> str:
    method = texts.get(language, f"digest.method_{way.method if way.method in ('os', 'console') else 'other'}")
    user = line(way.username or "", 80)
    return f"{method} ({texts.get(language, 'digest.user', name=user)})" if user else method


def _window(window: SheetWindow, zone: tzinfo, texts: Texts, language: str) -> str:
    bits = [quoted(texts, language, line(window.text, _WORD))]
    certain = times.window(window.start, window.end, zone, texts, language)
    if certain:
        bits.append(certain)
    notes = [_named(f"digest.caution_{c.replace('-', '_')}", c, texts, language) for c in window.cautions]
    if window.ambiguous:
        what = ", ".join(_named(f"digest.ambiguous_{a}", a, texts, language) for a in window.ambiguous)
        notes.append(texts.get(language, "digest.window_ambiguous", what=what))
    if notes:
        bits.append(f"({'; '.join(notes)})")
    return " ".join(bits)


def _named(key: str, name: str, texts: Texts, language: str) -> str:
    """The text under ``key``; an id that no text knows is shown as it is."""
    return texts.get(language, key) if key in texts.tables[language] else line(name, 40)


def _quotes(entry: Entry, texts: Texts, language: str) -> Iterator[Fact]:
    for quote in islice(entry.quotes, _QUOTES):
        name = listed(texts, language, (_field(f, texts, language) for f in (quote.field, *quote.also)))
        where = texts.get(language, "digest.message", number=str(quote.message))
        yield Fact(f"{name}, {where}", quoted(texts, language, line(quote.text, _SENTENCE)))


def _kinds(kinds: Iterable[str], texts: Texts, language: str) -> str:
    known = (texts.get(language, f"request.{k}") if k in KINDS else line(k, 60) for k in kinds)
    return listed(texts, language, known)


def _value(texts: Texts, language: str, group: str, value: str | None) -> str:
    """The words for a value; a value that no text knows is shown as it is rather than left out."""
    if value is None:
        return ""
    key = f"digest.{group}_{value}"
    return texts.get(language, key) if key in texts.tables[language] else line(value, 60)


def _facts(rows: dict[str, str], texts: Texts, language: str) -> Iterator[Fact]:
    after = texts.get(language, "language.label_end")
    return (Fact(texts.get(language, f"digest.{name}") + after, value) for name, value in rows.items() if value)
