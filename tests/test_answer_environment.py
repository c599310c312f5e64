"""The Jinja environment: errors as sentences, no way out of the sandbox, filters that refuse and wrap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.answer import clean
from checker.answer.environment import WIDTH, TemplateFault, environment, render, wrap
from checker.answer.model import AnswerError


def test_a_syntax_error_names_file_line_and_remedy() -> None:
    with pytest.raises(TemplateFault) as caught:
        environment({"good.txt": "fine", "ask.txt": "one\ntwo {% if x %}\n{% endfor %}"})
    assert str(caught.value).startswith("replies/ask.txt, line 3: ")
    assert str(caught.value).endswith("correct the template, the version before it stays in use")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ (x.append)(1) }}",
        "{% for i in range(10000000) %}{% endfor %}",
        "{{ 1 // 0 }}",
        "{{ nothing }}",
        "{{ x.nothing }}",
        "{{ x() }}",
    ],
)
def test_what_a_template_may_not_do_is_a_sentence(source: str) -> None:
    env = environment({"t.txt": f"first\n{source}"})
    with pytest.raises(TemplateFault, match=r"^replies/t\.txt, line 2: "):
        render(env, "t.txt", {"x": []})


def test_a_foreign_errors_words_are_not_repeated() -> None:
    def fail() -> str:
        raise ValueError("the password is hunter2")

    with pytest.raises(TemplateFault) as caught:
        render(environment({"t.txt": "{{ f() }}"}), "t.txt", {"f": fail})
    assert str(caught.value) == "replies/t.txt, line 1: ValueError; correct the template"


def test_html_is_escaped_and_text_is_not() -> None:
    env = environment({"a.html": "{{ x }}", "a.txt": "{{ x }}"})
    assert render(env, "a.html", {"x": "<b>&'"}) == "&lt;b&gt;&amp;&#39;"
    assert render(env, "a.txt", {"x": "<b>&'"}) == "<b>&'"


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\x00", "a\u2028b", "\ud800"])
def test_the_subject_filter_refuses_a_second_line(bad: str) -> None:
    with pytest.raises(TemplateFault, match="a subject must be one line without control characters"):
        render(environment({"s.txt": "{{ x | subject }}"}), "s.txt", {"x": bad})


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "ftp://x.example", "https://x.example/a b", "https://x.example/\u202e", 'https://"><', ""],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert clean.web_link(url) is None


def test_a_web_address_stays_as_it_is() -> None:
    assert clean.web_link("https://desk.example/t/1?a=b&c=d#e") == "https://desk.example/t/1?a=b&c=d#e"
    assert clean.web_link(None) is None


def test_wrapping_breaks_at_blanks_only() -> None:
    long = "https://desk.example/" + "a-b/" * 40
    assert wrap(f"see {long} for it") == f"see\n{long}\nfor it"
    assert wrap("word " * 30, 3, first="1. ").startswith("1. word")
    assert all(len(x) <= WIDTH for x in wrap("word " * 30, 3, first="1. ").splitlines())
    assert "»\u00a0?" in wrap("x" * 70 + " «\u00a0oui\u00a0»\u00a0?")


@given(st.text(max_size=500), st.integers(min_value=1, max_value=200))
def test_a_cleaned_line_is_one_bounded_line(text: str, limit: int) -> None:
    cleaned = clean.line(text, limit)
    assert len(cleaned) <= limit
    assert cleaned == clean.header(cleaned)
    assert cleaned == " ".join(cleaned.split())
    assert clean.line(cleaned, limit) == cleaned


def test_a_line_is_cut_between_words() -> None:
    assert clean.line("one two three four", 12) == "one two…"
    assert clean.line("abcdefghijklmnop", 6) == "abcde…"
    assert clean.line("sof\u00adt\u200bly", 20) == "softly"
    assert clean.line("a\x00b\u2028c", 20) == "a b c"


def test_header_refuses_what_could_start_another() -> None:
    with pytest.raises(AnswerError, match="one line"):
        clean.header("x\nBcc: y")
