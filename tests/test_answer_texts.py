"""The texts: strict loading, complete languages, correct typography, examples that can be told from answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from answer_support import LANGUAGES, ROOT, tables, texts

from checker.answer.model import REASONS, AnswerError
from checker.answer.schema import EXAMPLES, KEYS
from checker.answer.texts import Fallback, TextsError, build


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    """The texts that would be shown in English instead, by key."""
    assert texts().languages == LANGUAGES
    assert [f.key for f in texts().fallbacks if f.language == language] == []


def test_a_language_without_a_digest_is_one_line_of_what_lacks() -> None:
    tables_ = tables()
    del tables_["de"]["digest"]
    assert build(tables_).fallbacks == (Fallback("de", "digest"),)


def test_every_reason_that_the_program_gives_has_its_words() -> None:
    """Flags, reviews and reasons of silence: each literal in the source is a text, or a value of one."""
    given: set[str] = set()
    for path in (*sorted((ROOT / "checker" / "service").glob("*.py")), ROOT / "checker" / "comply" / "verdict.py"):
        source = path.read_text("utf-8")
        given |= set(re.findall(r"Suppress\(f?\"([a-z-]+)", source))
        given |= set(re.findall(r"flags(?:\.append\(|=\(\*[a-z.]+flags, )\"([a-z-]+)\"", source))
        given |= set(re.findall(r"yield f?\"([a-z]+)(?::\{name\})?\"", source)) if path.name == "verdict.py" else set()
    assert {"paused", "foreign-server", "unverified", "limit", "capped", "conflict", "automatic", "too-old"} <= given
    names = {"unverified": "unverified-sender", "per-ticket": "per-ticket"}
    lacking = [g for g in sorted(given) if f"digest.why_{names.get(g, g).replace('-', '_')}" not in KEYS]
    assert lacking == []


@pytest.mark.parametrize("language", [x for x in LANGUAGES if x != "en"])
def test_no_sentence_is_left_in_english(language: str) -> None:
    table, english = texts().tables[language], texts().tables["en"]
    bare = {k: re.sub(r"\{\w+\}", "", v) for k, v in english.items()}  # placeholders are no language
    named = {"digest.message_id"}  # a header's name is the same in every language
    same = [
        k for k in KEYS if table[k] == english[k] and k not in named and len(re.findall(r"[^\W\d_]{2,}", bare[k])) > 1
    ]
    assert same == []
    seen = " ".join(table.values())
    assert re.findall(r"\b(?:the|your|please|would|thank|which|server’s|and)\b", seen, re.IGNORECASE) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_typography(language: str) -> None:
    opened = texts().get(language, "language.quote_open").strip()
    closed = texts().get(language, "language.quote_close").strip()
    for key, text in texts().tables[language].items():
        assert "'" not in text, f"{language} {key}: a straight apostrophe"
        assert '"' not in text, f"{language} {key}: straight quotation marks"
        assert "..." not in text, f"{language} {key}: three dots for an ellipsis"
        assert "  " not in text, f"{language} {key}: two blanks"
        assert text == text.strip(" ") or key.startswith("language."), f"{language} {key}: blanks at an end"
        if not key.startswith("language."):
            assert text.count(opened) == text.count(closed), f"{language} {key}: quotation marks do not pair"
        if language == "fr":
            assert not re.search(r"(?<![\u00a0\u202f])[?!;»]|«(?!\u00a0)| [:?!;]", text), f"fr {key}: no-break space"
        elif not key.startswith(("language.", "digest.")):
            assert not re.search(r"\s[?!;:]", text), f"{language} {key}: a blank before a stop"


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_ask_and_examples_do_not(language: str) -> None:
    table = texts().tables[language]
    for requirement, reasons in REASONS.items():
        for reason in reasons:
            place = f"question.{requirement}.{reason}"
            assert table[f"{place}.again"].endswith("?"), f"{language} {place}"
            assert "?" in table[f"{place}.ask"] or reason == "announced", f"{language} {place}"
            assert "?" not in table[f"{place}.example"], f"{language} {place}"
            assert len(table[f"{place}.again"]) < len(table[f"{place}.ask"]), f"{language} {place}: not shorter"


def test_examples_are_exported_for_readers() -> None:
    every = texts().examples()
    for language in LANGUAGES:
        own = texts().examples(language)
        assert set(own) <= set(every)
        assert {texts().tables[language][k] for k in EXAMPLES} == set(own)
        marked = texts().marked_examples(language)
        assert len(marked) == len(own)
        mark = texts().example_marks(language)
        assert len(mark) == 1
        assert all(m.startswith(mark[0]) for m in marked)
        assert all(any(o in m for m in marked) for o in own)
    assert not any("{" in e for e in every)
    assert "Yes, nothing on it needs to be kept." in texts().examples("en")
    assert texts().example_marks() == (
        "Beispiel:",
        "Example:",
        "Ejemplo:",
        "Exemple\u00a0:",
        "Primjer:",
        "Esempio:",
        "Przykład:",
        "Primer:",
    )


def test_a_marked_example_stays_on_one_line_of_the_text_twin() -> None:
    assert [m for m in texts().marked_examples() if len(m) > 71] == []


def test_our_sentences_are_exported_without_placeholders() -> None:
    ours = texts().sentences("it")
    assert "Basta una breve risposta sotto ogni punto." in ours
    assert not any("{" in s for s in ours)
    assert set(ours) < set(texts().sentences())


def test_examples_are_not_the_manuals_sentences() -> None:
    manual = ("authoriz", "autorizzo", "confermo di avere un backup", "sono consapevole", "ubuntu 22.04")
    assert [e for e in texts().examples() if any(m in e.lower() for m in manual)] == []


def _drop(table: dict[str, Any]) -> None:
    del table["en"]["closing"]["regards"]


def _unknown(table: dict[str, Any]) -> None:
    table["hr"]["closing"]["regard"] = "Pozdrav"


def _placeholder(table: dict[str, Any]) -> None:
    table["sl"]["closing"]["team"] = "Podpora {hostr}"


def _brace(table: dict[str, Any]) -> None:
    table["pl"]["closing"]["team"] = "Zespół {hoster"


def _attribute(table: dict[str, Any]) -> None:
    table["fr"]["closing"]["team"] = "{hoster.__class__}"


def _spec(table: dict[str, Any]) -> None:
    table["fr"]["closing"]["team"] = "{hoster:>99999999}"


def _number(table: dict[str, Any]) -> None:
    table["de"]["closing"]["regards"] = 7


def _empty(table: dict[str, Any]) -> None:
    table["es"]["closing"]["regards"] = " "


def _lines(table: dict[str, Any]) -> None:
    table["es"]["closing"]["regards"] = "Un\nsaludo"


def _no_english(table: dict[str, Any]) -> None:
    del table["en"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_drop, "replies/texts/en.toml: 'closing.regards' is missing; English must have every text"),
        (
            _unknown,
            "replies/texts/hr.toml: 'closing.regard' is not a text that is used; check the spelling or remove it",
        ),
        (
            _placeholder,
            "replies/texts/sl.toml: 'closing.team' uses {hostr}, which is not filled there; it may use: {hoster}",
        ),
        (
            _brace,
            "replies/texts/pl.toml: 'closing.team' has a brace without its partner; write {{ or }} for a brace itself",
        ),
        (_attribute, "replies/texts/fr.toml: 'closing.team': '{hoster.__class__}' must be a plain name in braces"),
        (_spec, "replies/texts/fr.toml: 'closing.team': '{hoster}' must be a plain name in braces"),
        (_number, "replies/texts/de.toml: 'closing.regards' must be a text in quotation marks, not int"),
        (
            _empty,
            "replies/texts/es.toml: 'closing.regards' is empty; "
            "write the text, or remove the line to fall back to English",
        ),
        (_lines, "replies/texts/es.toml: 'closing.regards' must be one line; templates do the wrapping"),
        (_no_english, "replies/texts/en.toml is missing; English is what other languages fall back to"),
    ],
)
def test_a_broken_file_is_refused_with_file_key_and_remedy(
    change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    broken: dict[str, Any] = tables()
    change(broken)
    with pytest.raises(TextsError) as caught:
        build(broken)
    assert str(caught.value) == sentence


def test_a_missing_text_is_english_and_listed() -> None:
    gap: dict[str, Any] = tables()
    del gap["hr"]["closing"]["regards"]
    del gap["it"]["digest"]["ready"]
    built = build(gap)
    assert built.get("hr", "closing.regards") == "Kind regards"
    assert Fallback("hr", "closing.regards") in built.fallbacks
    assert Fallback("it", "digest.ready") in built.fallbacks


def test_an_unknown_language_is_answered_in_english() -> None:
    assert texts().choose("xx") == "en"
    assert texts().get("xx", "closing.regards") == "Kind regards"


def test_values_are_filled_in_once() -> None:
    assert texts().get("en", "closing.team", hoster="{hoster} {{7*7}}") == "{hoster} {{7*7}} Support"


def test_an_unfilled_placeholder_and_an_unknown_key_say_so() -> None:
    with pytest.raises(TextsError, match=r"'closing\.team' needs 'hoster'"):
        texts().get("en", "closing.team")
    with pytest.raises(TextsError, match=r"no text 'closing\.nothing'"):
        texts().get("en", "closing.nothing")


def test_an_unknown_reason_asks_the_plain_question_and_an_unknown_requirement_is_refused() -> None:
    plain = texts().question("en", "backup", "unsaid", "ask")
    assert texts().question("en", "backup", "from-the-moon", "ask") == plain
    with pytest.raises(AnswerError, match="no question for the requirement 'moon'"):
        texts().question("en", "moon", "unsaid", "ask")
