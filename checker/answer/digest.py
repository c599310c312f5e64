"""The staff digest: grouped by what to do, with the period in numbers, as text and HTML with the same content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import jinja2

from . import times
from .clean import line
from .environment import render
from .facts import Fact
from .model import Counts, DigestView, Entry, Group, Quarantined, Rendered
from .reply import tidy
from .sheet import Card, card, missing, why
from .texts import Texts

_SHOWN: Final = 40  # cards in a group: mail programs cut a message at about 100 KB
_LISTED: Final = 20
_BAR: Final = 20  # characters of a full bar in the text twin
_FORGOTTEN: Final = 5
_HOSTER: Final = 80
_WORD: Final = 160


@dataclass(frozen=True, slots=True)
class Section:
    """A group of cards. ``more`` says how many are not shown, or nothing."""

    id: str
    title: str
    count: int
    hint: str
    cards: tuple[Card, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A count with its share of the longest bar: ``percent`` for the picture, ``drawn`` for the text."""

    label: str
    count: int
    percent: int
    drawn: str


def compose(view: DigestView, env: jinja2.Environment, texts: Texts) -> Rendered:
    """The digest for ``view``. Raises :class:`AnswerError` when a template or text does not allow it."""
    language = texts.choose(view.language)
    t = partial(texts.get, language)
    hoster = " · ".join(filter(None, (line(view.hoster.name, _HOSTER), line(view.team, 40))))
    sections = tuple(_sections(view, texts, language))
    count = {section.id: section.count for section in sections}
    lost = view.counts.difference if view.counts is not None else 0
    context = {
        "lang": language,
        "t": t,
        "title": t("digest.title", hoster=hoster),
        "period": _period(view, texts, language),
        "sections": sections,
        "bars": _bars(view, texts, language),
        "forgotten": _forgotten(view, texts, language),
        "median": _median(view, texts, language),
        "counts": _counts(view.counts, texts, language) if view.counts is not None else "",
        "mismatch": t("digest.mismatch", difference=str(lost)) if lost else "",
        "notes": tuple(_notes(view, texts, language)),
    }
    subject = render(
        env,
        "digest_subject.txt",
        {
            "line": t(
                "digest.subject",
                hoster=hoster,
                day=f"{times.local(view.now, view.zone):%Y-%m-%d}",
                ready=str(count[Group.READY]),
                needs_you=str(count[Group.NEEDS_YOU]),
            )
        },
    ).strip()
    return Rendered(
        subject=subject,
        text=tidy(render(env, "digest.txt", context)),
        html=render(env, "digest.html", context).strip() + "\n",
    )


def _period(view: DigestView, texts: Texts, language: str) -> str:
    start, end = (times.stamp(m, view.zone, texts, language) for m in (view.since, view.now))
    zone = getattr(view.zone, "key", None) or times.local(view.now, view.zone).tzname() or ""
    return texts.get(language, "digest.period", start=start, end=end, zone=line(str(zone), 40))


def _sections(view: DigestView, texts: Texts, language: str) -> Iterator[Section]:
    for group in Group:
        # What is urgent stands first, and then what has waited longest.
        entries = sorted((e for e in view.entries if e.group is group), key=lambda e: (not e.urgent, e.since, e.ticket))
        yield _section(
            group, entries, [card(e, view.now, view.zone, texts, language) for e in entries[:_SHOWN]], texts, language
        )
    quarantined = [_quarantined(q, view, texts, language) for q in view.quarantined[:_SHOWN]]
    yield _section("quarantined", view.quarantined, quarantined, texts, language)


def _section(
    name: str, members: Iterable[Entry] | Iterable[Quarantined], cards: list[Card], texts: Texts, language: str
) -> Section:
    total = len(tuple(members))
    left = total - len(cards)
    return Section(
        id=name,
        title=texts.get(language, f"digest.{name}"),
        count=total,
        hint=texts.get(language, f"digest.hint_{name}"),
        cards=tuple(cards),
        more=texts.get(language, "digest.more", count=str(left)) if left else "",
    )


def _quarantined(mail: Quarantined, view: DigestView, texts: Texts, language: str) -> Card:
    after = texts.get(language, "language.label_end")
    rows = [Fact(texts.get(language, "digest.why") + after, line(mail.reason, _WORD))]
    if mail.who:
        rows.insert(0, Fact(texts.get(language, "digest.who") + after, line(mail.who, _WORD)))
    if mail.since is not None:
        rows.append(
            Fact(texts.get(language, "digest.when") + after, times.stamp(mail.since, view.zone, texts, language))
        )
    return Card(
        ticket="",
        server=line(mail.place, _WORD),
        new=mail.new,
        urgent=False,
        rows=tuple(rows),
        sheet=(),
        quotes=(),
        link=None,
        message_id=line(mail.message_id or "", _WORD * 2),
    )


def _bars(view: DigestView, texts: Texts, language: str) -> tuple[Bar, ...]:
    f = view.figures
    counted = (
        ("received", f.received),
        ("complete_at_first", f.complete_at_first),
        ("complete_after_one", f.complete_after_one),
        ("complete_later", f.complete_later),
        ("still_waiting", f.waiting),
    )
    return _drawn((texts.get(language, f"digest.{name}"), n) for name, n in counted)


def _forgotten(view: DigestView, texts: Texts, language: str) -> tuple[Bar, ...]:
    ordered = sorted(view.figures.forgotten, key=lambda pair: (-pair[1], pair[0]))[:_FORGOTTEN]
    return _drawn((missing(requirement, texts, language), n) for requirement, n in ordered)


def _drawn(counted: Iterable[tuple[str, int]]) -> tuple[Bar, ...]:
    bars = tuple(counted)
    longest = max((n for _, n in bars), default=0) or 1
    # A small number is still seen beside a big one; nothing is drawn for nothing.
    return tuple(
        Bar(
            label,
            n,
            max(2, round(100 * n / longest)) if n else 0,
            "█" * (max(1, round(_BAR * n / longest)) if n else 0),
        )
        for label, n in bars
    )


def _median(view: DigestView, texts: Texts, language: str) -> str:
    span = view.figures.median_to_complete
    return "" if span is None else times.duration(span, texts, language)


def _counts(c: Counts, texts: Texts, language: str) -> str:
    heaps = (
        ("tickets", c.tickets),
        ("automatic", c.automatic),
        ("duplicates", c.duplicates),
        ("not_requests", c.not_requests),
        ("quarantined", c.quarantined),
    )
    summed = " + ".join(f"{n} {texts.get(language, f'digest.count_{name}')}" for name, n in heaps)
    sign = "≠" if c.difference else "="
    return f"{c.seen} {texts.get(language, 'digest.count_seen')} {sign} {summed}"


def _notes(view: DigestView, texts: Texts, language: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What went wrong on our side: a title and its lines."""
    t = partial(texts.get, language)
    deliveries = (
        _joined(
            t(f"digest.state_{d.state}" if d.state in ("failed", "unknown") else "digest.state_unknown"),
            d.recipient,
            d.ticket,
            d.detail,
        )
        for d in view.deliveries
    )
    suppressed = (
        _joined(why(s.reason, texts, language), s.who, s.ticket, f"{s.count} ×" if s.count > 1 else "")
        for s in view.suppressed
    )
    for name, lines in (
        ("breakers", [t("digest.held_back", count=str(view.held_back))] if view.held_back else []),
        ("deliveries", list(deliveries)),
        ("suppressed", list(suppressed)),
    ):
        if len(lines) > _LISTED:
            lines[_LISTED:] = [t("digest.more", count=str(len(lines) - _LISTED))]
        if lines:
            yield t(f"digest.{name}"), tuple(lines)


def _joined(first: str, *others: str) -> str:
    return " · ".join([first, *(line(o, _WORD) for o in others if o)])
