"""A reply to a customer: the request, the words of the language and the templates to a finished mail.

Which mail says what is decided here; the templates only lay it out. A second and third request is shorter and
says it differently, a question that contradicts itself shows both sentences, and every question that is not
met for a known reason asks just for the rest ("which version?").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import jinja2

from ..model import Question
from .clean import bare_subject, line, person, quote, web_link
from .environment import render
from .facts import Fact, facts, quoted, system_text, windows_text
from .model import ADVISORIES, ROUNDS, AnswerError, Contradiction, Link, Missing, Rendered, ReplyKind, ReplyRequest
from .texts import Texts, mark

_SENTENCE: Final = 240  # characters of a sentence that is shown back
_SUBJECT: Final = 120
_TAG: Final = 40
_HOSTER: Final = 80
# What still helps when everything is settled; the others ask for something.
_AFTERWARDS: Final = tuple(a for a in ADVISORIES if a not in ("hot_swap", "component_details"))
# "You have no backup. Do you accept that data can be lost?": a yes is no backup.
_ABOUT: Final = {("backup", "absent"): "loss"}
_SIGNATURE: Final = "-- "  # its blank is what mail programs know it by (RFC 3676 §4.3)


@dataclass(frozen=True, slots=True)
class Asked:
    """One numbered question. ``pair`` holds the contradicting sentences, in quotation marks, or nothing.

    ``about`` is what a bare "yes" to it says: the requirement, or ``loss``.
    """

    number: int
    text: str
    example: str
    about: str
    pair_intro: str = ""
    pair: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A mail before layout: paragraphs, what was understood, the questions, paragraphs below, advisories."""

    lead: tuple[str, ...]
    intro: str = ""
    rows: tuple[Fact, ...] = ()
    need: str = ""
    questions: tuple[Asked, ...] = ()
    how: str = ""
    after: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()


def compose(request: ReplyRequest, env: jinja2.Environment, texts: Texts) -> Rendered:
    """The mail for ``request``. Raises :class:`AnswerError` when a template or text does not allow it."""
    language = texts.choose(request.language)
    t = partial(texts.get, language)
    name = person(request.name)
    hoster = line(request.hoster.name, _HOSTER)
    tag = line(request.tag, _TAG)
    context = {
        "lang": language,
        "page": _page(request, texts, language),
        "greeting": t("greeting.named", name=name) if name else t("greeting.plain"),
        "advisory_title": t("advisory.title"),
        "regards": t("closing.regards"),
        "team": t("closing.team", hoster=hoster),
        "links_title": t("closing.links"),
        "links": _links(request.hoster.links),
        "tag_line": t("closing.tag", tag=tag) if tag else "",
        "automatic": "" if request.kind is ReplyKind.HANDOVER else t("closing.automatic"),
        "hoster": hoster,
    }
    original = bare_subject(quote(request.subject, _SUBJECT, request.secrets), _SUBJECT) or t("subject.fallback")
    # The tag stands once: a customer's answer brings it back in the subject.
    subject = render(
        env,
        "subject.txt",
        {"original": original, "tag": "" if tag and f"[{tag}]" in original else tag, "hoster": hoster},
    ).strip()
    return Rendered(
        subject=subject,
        text=tidy(render(env, f"{request.kind}.txt", context)),
        html=render(env, f"{request.kind}.html", context).strip() + "\n",
    )


def questions(request: ReplyRequest, texts: Texts) -> tuple[Question, ...]:
    """What :func:`compose` asks for, question by question: known exactly, hence never read from the mail again."""
    asked = _questions(request, texts, texts.choose(request.language))
    return tuple(Question(str(a.number), (a.about,), a.text) for a in asked)


def _page(request: ReplyRequest, texts: Texts, language: str) -> Page:
    t = partial(texts.get, language)
    if request.kind is ReplyKind.HANDOVER:
        return Page(lead=(t("handover.thanks"), t("handover.next"), t("handover.nothing_to_do")))
    advisories = tuple(t(f"advisory.{a}") for a in ADVISORIES if a in request.advisories)
    if request.kind is ReplyKind.CONFIRMATION:
        window = windows_text(request, texts)
        after = t("confirmation.window", window=window) if window else t("confirmation.next")
        return Page(
            lead=(t("confirmation.thanks"),),
            intro=t("confirmation.understood"),
            rows=facts(request, texts),
            after=(after, t("confirmation.correct")),
            advisories=tuple(t(f"advisory.{a}") for a in _AFTERWARDS if a in request.advisories),
        )
    questions = _questions(request, texts, language)
    need = "need_one" if len(questions) == 1 else "need_many"
    if request.kind is ReplyKind.REMINDER:
        part = f"reminder{request.round}"
        return Page(lead=(t(f"{part}.opening"),), need=t(f"{part}.{need}"), questions=questions, how=t(f"{part}.how"))
    part = f"ask{request.round}"
    if request.round == ROUNDS:
        # The last request asks and nothing else: everything around the open points has been said twice.
        return Page(lead=(t(f"{part}.thanks"),), need=t(f"{part}.{need}"), questions=questions, how=t(f"{part}.how"))
    rows = facts(request, texts)
    return Page(
        lead=(t(f"{part}.thanks"),),
        intro=t(f"{part}.understood") if rows else "",
        rows=rows,
        need=t(f"{part}.{need}"),
        questions=questions,
        how=t(f"{part}.how_one" if len(questions) == 1 else f"{part}.how"),
        advisories=advisories if request.round == 1 else (),
    )


def _questions(request: ReplyRequest, texts: Texts, language: str) -> tuple[Asked, ...]:
    """The open points in order; a contradiction about something else is a question of its own at the end."""
    if request.kind not in (ReplyKind.ASK, ReplyKind.REMINDER):
        return ()
    asked = {m.requirement for m in request.missing}
    extra = tuple(Missing(c.requirement, "conflict") for c in request.contradictions if c.requirement not in asked)
    form = "ask" if request.round == 1 and request.kind is ReplyKind.ASK else "again"
    hostname = line(next(iter(request.understood.hostnames), ""), 120)
    system = system_text(request.understood.system)
    found: list[Asked] = []
    for number, missing in enumerate((*request.missing, *dict.fromkeys(extra)), start=1):
        reason = missing.reason
        if (reason == "hostname_only" and not hostname) or (missing.requirement == "os_choice" and not system):
            reason = "unsaid"  # the finer question would have nothing to name
        ask = partial(texts.question, language, missing.requirement, reason, hostname=hostname, system=system)
        pair = _pair(request, missing.requirement, texts, language)
        intro = "contradiction.intro"
        if not pair:
            pair, intro = _doubtful(request, missing.requirement, texts, language), "contradiction.doubt"
        found.append(
            Asked(
                number,
                ask(form),
                mark(texts, language, ask("example")),
                _ABOUT.get((missing.requirement, reason), missing.requirement),
                # The first question about a conflict says itself that both can be read.
                texts.get(language, intro) if pair and (form, reason) != ("ask", "conflict") else "",
                pair,
            )
        )
    return tuple(found)


def _pair(request: ReplyRequest, requirement: str, texts: Texts, language: str) -> tuple[str, ...]:
    for found in request.contradictions:
        if found.requirement == requirement:
            return _sentences(found, request, texts, language)
    return ()


def _doubtful(request: ReplyRequest, requirement: str, texts: Texts, language: str) -> tuple[str, ...]:
    """The sentence that the readers do not agree on, if the mail still holds it."""
    said = (d.sentence for d in request.doubtful if d.requirement == requirement)
    shown = (quote(s, _SENTENCE, request.secrets) for s in dict.fromkeys(said))
    return tuple(quoted(texts, language, s) for s in shown if s)[:2]


def _sentences(found: Contradiction, request: ReplyRequest, texts: Texts, language: str) -> tuple[str, ...]:
    both = (quote(s, _SENTENCE, request.secrets) for s in (found.first, found.second))
    return tuple(quoted(texts, language, s) for s in both if s)


def _links(links: tuple[Link, ...]) -> tuple[tuple[str, str], ...]:
    for link in links:
        if web_link(link.url) is None:
            raise AnswerError(
                f"the link '{line(link.label, 60)}' must be a whole address with https://; look at the settings"
            )
    return tuple((line(link.label, 80), link.url) for link in links)


def tidy(text: str) -> str:
    """At most one empty line in a row, none at the ends, no blanks at line ends: templates may be generous."""
    lines: list[str] = []
    for raw in text.splitlines():
        tidy = raw if raw == _SIGNATURE else raw.rstrip()
        if tidy or (lines and lines[-1]):
            lines.append(tidy)
    return "\n".join(lines).strip("\n") + "\n"
