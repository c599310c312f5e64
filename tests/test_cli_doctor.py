"""What ``doctor`` says about replies: a text that a language lacks, and a template with a wrong name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from answer_support import env, tables, templates, texts

from checker.answer import samples
from checker.answer.environment import environment
from checker.answer.texts import Texts, build
from checker.settings import SettingsError
from checker.settings import build as settings_of

doctor = importlib.import_module("checker.cli.doctor")
SETTINGS = settings_of({}, file="t", base=Path())


def said(monkeypatch: pytest.MonkeyPatch, words: Texts, **changed: str) -> str:
    """The line about rules and replies, with these texts and templates."""
    made = environment(templates() | changed) if changed else env()
    rules = SimpleNamespace(env=made, texts=words, version="r1")
    monkeypatch.setattr(doctor, "load_rules", lambda _: rules)
    return str(doctor._rules(SETTINGS))


def test_complete_texts_are_worth_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "check", lambda *_: ())  # rendered by other tests
    assert said(monkeypatch, texts()) == "version r1"


def test_what_is_shown_in_english_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "check", lambda *_: ())
    gap = tables()
    del gap["hr"]["closing"]
    del gap["sl"]["digest"]
    assert said(monkeypatch, build(gap)) == (
        "version r1; shown in English: hr lacks closing.regards, closing.team, closing.links, closing.tag, "
        "closing.automatic; sl lacks digest"
    )


def test_a_wrong_name_in_a_template_fails_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    one = build({"en": tables()["en"]})
    with pytest.raises(SettingsError, match=r"^replies/notice\.txt, line 2: 'titel' is undefined"):
        said(monkeypatch, one, **{"notice.txt": templates()["notice.txt"].replace("{{ title }}", "{{ titel }}")})
