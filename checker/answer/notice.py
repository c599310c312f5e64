"""A notice to the staff about one ticket that cannot wait for the digest: its card, as the digest shows it."""

from __future__ import annotations

from functools import partial
from typing import Final

import jinja2

from . import times
from .clean import line
from .environment import render
from .model import NoticeKind, NoticeView, Rendered
from .reply import tidy
from .sheet import card
from .texts import Texts

_WORD: Final = 80


def compose(view: NoticeView, env: jinja2.Environment, texts: Texts) -> Rendered:
    """The notice for ``view``. Raises :class:`AnswerError` when a template or text does not allow it."""
    language = texts.choose(view.language)
    t = partial(texts.get, language)
    server = line(view.entry.server, _WORD) or t("digest.unsaid")
    title = t(f"digest.notice_{view.kind}", server=server, ticket=line(view.entry.ticket, 40))
    lead = t("digest.hint_ready")
    if view.kind is NoticeKind.URGENT and view.start is not None:
        lead = t("digest.lead_urgent", start=times.moment(view.start, view.zone, texts, language))
    context = {
        "lang": language,
        "t": t,
        "title": title,
        "lead": lead,
        "card": card(view.entry, view.now, view.zone, texts, language),
    }
    return Rendered(
        subject=render(env, "digest_subject.txt", {"line": title}).strip(),
        text=tidy(render(env, "notice.txt", context)),
        html=render(env, "notice.html", context).strip() + "\n",
    )
