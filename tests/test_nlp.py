"""The spaCy seam: every character in a token, spans where the findings are, nothing left behind between mails."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.vocab import Vocab

from checker.extract import nlp
from checker.model import Findings, Label, Message, Span, Statement, Status, Zone, ZoneKind

TOKENIZER = nlp.WordTokenizer(Vocab())
TEXT = "You may reboot it, and not power it off."


def message(text: str) -> Message:
    return Message(
        n=1, sha256="", size=0, message_id=None, in_reply_to=(), references=(), subject="", sender=None, reply_to=None,
        recipients=(), date=datetime(2026, 11, 2, tzinfo=UTC), text=text, zones=(Zone(ZoneKind.OWN, 0, len(text)),),
    )  # fmt: skip


def findings() -> Findings:
    granted = Statement(Label.POWER_GRANTED, Status.ASSERTED, Span(1, 4, 14, "may reboot"), "en/power.permitted")
    asked = Statement(Label.POWER_DENIED, Status.QUESTION, Span(1, 23, 35, "not power it"), "en/power.none")
    subject = Statement(Label.REQUEST_HARDWARE, Status.ASSERTED, Span(1, 0, 2, "xx", "subject"), "en/x")
    return Findings(1, "en", statements=(granted, asked, subject))


@pytest.fixture(scope="module")
def pipeline() -> object:
    return nlp.pipeline("en")


def test_statements_are_spans_with_their_rule(pipeline: object) -> None:
    doc = nlp.document(pipeline, message(TEXT), findings())  # type: ignore[arg-type]  # a fixture has no better type
    found = nlp.spans_of(doc, nlp.STATEMENTS)
    assert [(s.text, s.label_) for s in found] == [
        ("may reboot", "power_granted"),
        ("not power it", "power_denied (question)"),
    ]
    assert found[0]._.checker == nlp.Note("en/power.permitted", "asserted", 1.0, "rules")


def test_nothing_is_left_for_the_next_mail(pipeline: object) -> None:
    nlp.document(pipeline, message(TEXT), findings())  # type: ignore[arg-type]  # as above
    doc = pipeline(TEXT)  # type: ignore[operator]  # as above
    assert nlp.spans_of(doc, nlp.STATEMENTS) == []


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_every_character_lands_in_a_token(text: str) -> None:
    assert "".join(t.text for t in TOKENIZER(text)) == text
