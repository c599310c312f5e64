"""Replies: what each mail says, what it never says, and that nothing a stranger writes gets out of its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from answer_support import LANGUAGES, NOW, ROME, env, golden, templates, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from checker.answer import samples
from checker.answer.environment import TemplateFault, environment
from checker.answer.model import (
    REASONS,
    ROUNDS,
    AnswerError,
    Contradiction,
    Doubtful,
    Hoster,
    Link,
    Missing,
    Rendered,
    ReplyKind,
    ReplyRequest,
    Understood,
)
from checker.answer.reply import compose
from checker.model import Secret

ENGLISH = re.compile(r"\b(?:the|your|please|would|thank|which|and|yes|shall)\b", re.IGNORECASE)


def send(request: ReplyRequest) -> Rendered:
    return compose(request, env(), texts())


def visible(html: str) -> str:
    """The words of an HTML mail's body, blanks folded."""
    body = HTMLParser(html).body
    assert body is not None
    return " ".join(body.text(separator=" ").split())


def folded(text: str) -> str:
    """The words of a text mail, without its marks of layout."""
    return " ".join(re.sub(r"(?m)^\s*- |^-- $", " ", text).split())


def ask(language: str = "en", **changes: object) -> ReplyRequest:
    return replace(samples.request(language), **changes)  # type: ignore[arg-type]  # the tests name fields that exist


# --- every mail in every language ---------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_renders_in_its_language(language: str) -> None:
    count = 0
    for request in samples.requests(language):
        rendered = send(request)
        count += 1
        words = f"{rendered.text}\n{visible(rendered.html)}"
        assert f'<html lang="{language}">' in rendered.html
        assert rendered.subject == "Re: Server 48213 [T-1042]"
        assert "\n\n\n" not in rendered.text
        assert not re.search(r"[{}]|None|Undefined", words), words
        assert max(len(line) for line in rendered.text.splitlines()) <= 76
        if language != "en":
            assert ENGLISH.findall(words.replace("support-temp", "")) == []
    assert count == sum(map(len, REASONS.values())) * ROUNDS + ROUNDS * 3 + 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_and_html_say_the_same(language: str) -> None:
    for request in samples.requests(language):
        rendered = send(request)
        links = " ".join(link.url for link in request.hoster.links)
        text = folded(rendered.text).replace(f": {links}", "")
        assert text == visible(rendered.html)


def _lines(rendered: Rendered) -> Iterator[str]:
    yield from rendered.text.splitlines()
    for node in HTMLParser(rendered.html).css("p, li"):
        yield " ".join(node.text().split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_never_stands_without_its_mark(language: str) -> None:
    """A quoted-back example is told from an answer by its mark, so each one has it on its own line."""
    examples, marked = texts().examples(language), texts().marked_examples(language)
    flat = [" ".join(m.split()) for m in marked]
    seen = 0
    for request in samples.requests(language):
        rendered = send(request)
        for line in _lines(rendered):
            plain = " ".join(line.split())
            for example in examples:
                if " ".join(example.split()) in plain:
                    seen += 1
                    assert plain in flat, f"unmarked example: {plain}"
    assert seen > len(examples)


@pytest.mark.parametrize("language", LANGUAGES)
def test_golden_mails(language: str) -> None:
    named = {
        "ask1": ask(language),
        "ask2": ask(language, round=2),
        "ask3": ask(language, round=3, missing=(Missing("backup", "inadequate"),)),
        "reminder1": samples.request(language, ReplyKind.REMINDER),
        "reminder2": samples.request(language, ReplyKind.REMINDER, number=2),
        "confirmation": samples.request(language, ReplyKind.CONFIRMATION),
        "handover": samples.request(language, ReplyKind.HANDOVER),
    }
    rule = "=" * 74
    golden(
        f"replies/{language}.txt",
        "\n".join(
            f"{rule}\n{name}: {r.subject}\n{rule}\n{r.text}" for name, r in ((n, send(q)) for n, q in named.items())
        ),
    )
    golden(f"replies/{language}-ask1.html", send(named["ask1"]).html)


def test_golden_questions() -> None:
    """Every question with its example, language by language: the page that a reviewer of the texts reads."""
    lines: list[str] = []
    for language in LANGUAGES:
        lines.append(f"{texts().get(language, 'language.name')}\n")
        for requirement, reasons in REASONS.items():
            for reason in reasons:
                values = {"hostname": "db1.hoster.example", "system": "Debian"}
                lines.append(f"{requirement}, {reason}")
                lines += [f"  {texts().question(language, requirement, reason, f, **values)}" for f in ("ask", "again")]
                lines.append(f"    {texts().question(language, requirement, reason, 'example')}")
        lines.append("")
    golden("replies/questions.txt", "\n".join(lines))


# --- what a mail says -----------------------------------------------------------------------------------


def test_the_questions_are_numbered_in_order_and_name_the_reason() -> None:
    text = send(ask(missing=(Missing("power_authorization", "window_missing"), Missing("backup", "absent")))).text
    assert "1. You would like the server to be restarted or switched off only at a" in text
    assert "2. You have no backup, and data can be lost during the work." in text
    assert "3. " not in text


def test_what_was_understood_is_said_without_what_is_asked() -> None:
    text = send(ask()).text
    assert "  Server: 48213, 203.0.113.7\n" in text
    assert "  Component: drive (slot 3, serial number S3Z8NB0K)\n" in text
    assert "  Downtime: acceptable\n" in text
    assert "  Backup:" not in text
    conflict = replace(samples.request("en").understood, power="conflict", backup="inadequate", impact="refused")
    assert "Restart" not in send(ask(understood=conflict)).text.split("1. ")[0]


def test_only_the_version_or_edition_is_asked_when_the_rest_is_known() -> None:
    from checker.answer.model import System

    known = Understood(request_kinds=("os_reinstall",), system=System("Windows Server", "2022"))
    assert (
        "Which edition of Windows Server 2022 would you"
        in send(ask(understood=known, missing=(Missing("os_choice", "edition"),))).text
    )
    half = replace(known, system=System("Debian"))
    assert (
        "Which version of Debian would you"
        in send(ask(understood=half, missing=(Missing("os_choice", "version"),))).text
    )
    nothing = replace(known, system=None)
    assert (
        "Which operating system would you like?"
        in send(ask(understood=nothing, missing=(Missing("os_choice", "version"),))).text
    )


def test_a_hostname_is_named_in_the_question_or_the_plain_question_is_asked() -> None:
    known = Understood(hostnames=("db1.hoster.example",))
    one = (Missing("server_id", "hostname_only"),)
    assert "You named db1.hoster.example." in send(ask(understood=known, missing=one)).text
    assert "Which server is this about?" in send(ask(understood=Understood(), missing=one)).text


def test_a_contradiction_shows_both_sentences_under_its_question() -> None:
    pair = Contradiction("power_authorization", "Restart whenever you like.", "No restart before Friday.")
    both = send(ask(missing=(Missing("power_authorization", "conflict"),), contradictions=(pair,))).text
    assert "     - “Restart whenever you like.”\n     - “No restart before Friday.”\n" in both
    later = send(ask(missing=(Missing("power_authorization", "conflict"),), contradictions=(pair,), round=2)).text
    assert "   You wrote both:\n     - “Restart" in later


def test_a_contradiction_about_something_that_is_not_missing_is_asked_at_the_end() -> None:
    pair = Contradiction("data_loss_consent", "Erase it all.", "Keep my data.")
    text = send(ask(missing=(Missing("backup"),), contradictions=(pair,))).text
    assert text.index("1. Do you have an up-to-date backup") < text.index("2. May everything on the server be erased")
    assert "“Keep my data.”" in text


def test_a_sentence_that_the_readers_do_not_agree_on_is_shown_under_its_question() -> None:
    said = (Doubtful("backup", "It is all on the NAS, I think."), Doubtful("impact", "Whenever."))
    text = send(ask(missing=(Missing("backup"),), doubtful=said)).text
    assert (
        "   We read this in your message, but are not sure how it is meant:\n     - “It is all on the NAS, I think.”\n"
        in text
    )
    assert "Whenever." not in text, "what is not asked about is not shown"
    hidden = send(ask(missing=(Missing("backup"),), doubtful=said, secrets=(Secret("NAS"),))).text
    assert "NAS" not in hidden


def test_later_requests_are_shorter_and_say_it_differently() -> None:
    for language in LANGUAGES:
        first, second, third = (send(ask(language, round=n)).text for n in (1, 2, 3))
        assert len(first) > len(second) > len(third)
        for a, b in ((first, second), (second, third)):
            shared = set(a.split("\n\n")[1:3]) & set(b.split("\n\n")[1:3])
            assert shared == set(), f"{language}: {shared}"


def test_one_question_is_spoken_of_as_one() -> None:
    text = send(ask(missing=(Missing("backup"),))).text
    assert "we need your answer to one question:" in text
    assert "below the question;" in " ".join(text.split())


def test_advisories_stand_in_the_first_request_and_the_confirmation_only() -> None:
    hot = "Whether a drive can be changed"
    assert hot in send(ask()).text
    assert hot not in send(ask(round=2)).text
    settled = send(samples.request("en", ReplyKind.CONFIRMATION)).text
    assert "we cannot guarantee that all data will be preserved" in " ".join(settled.split())
    assert hot not in settled  # it asks for something, and there is nothing left to ask
    assert hot not in send(samples.request("en", ReplyKind.HANDOVER)).text
    assert hot not in send(ask(advisories=("no_such_advisory",))).text


def test_the_confirmation_names_the_window_in_the_customers_words() -> None:
    understood = Understood(request_kinds=("intervention",), power="window", windows=("Saturday, 2 to 4 am",))
    text = " ".join(send(replace(samples.request("en", ReplyKind.CONFIRMATION), understood=understood)).text.split())
    assert "Restart and power-off: allowed at the time you named: “Saturday, 2 to 4 am”" in text
    assert "We will keep to the time you named (“Saturday, 2 to 4 am”)" in text


def test_an_unknown_language_is_answered_in_english_and_says_so_to_screen_readers() -> None:
    rendered = send(ask("xx"))
    assert "Hello Marta Bellini," in rendered.text
    assert '<html lang="en">' in rendered.html


def test_the_subject_keeps_the_thread_and_carries_the_tag_once() -> None:
    assert send(ask(subject="R: AW: Re: [Ticket] fermo")).subject == "Re: [Ticket] fermo [T-1042]"
    assert send(ask(subject="Re: fermo [T-1042]")).subject == "Re: fermo [T-1042]"
    assert send(ask(subject="", tag="")).subject == "Re: Your request"
    assert send(ask(subject="Res: 10:30 restart")).subject == "Re: Res: 10:30 restart [T-1042]"


# --- bad input ------------------------------------------------------------------------------------------


def test_nothing_to_ask_and_a_fourth_request_are_refused() -> None:
    with pytest.raises(AnswerError, match="nothing is missing, so there is nothing to ask"):
        ask(missing=())
    with pytest.raises(AnswerError, match="round 4: requests count from 1 to 3; after that a person takes over"):
        ask(round=4)


def test_a_link_that_is_no_web_address_is_refused_with_its_name() -> None:
    hoster = Hoster("INTROSERV", (Link("Help", "javascript:alert(1)"),))
    with pytest.raises(AnswerError, match="the link 'Help' must be a whole address with https://"):
        send(ask(hoster=hoster))


def test_a_requirement_without_a_question_is_refused() -> None:
    with pytest.raises(AnswerError, match="no question for the requirement 'moon'"):
        send(ask(missing=(Missing("moon"),)))


def test_a_wrong_name_in_a_template_is_a_sentence_with_file_and_line() -> None:
    broken = environment(templates() | {"questions.txt": "one\n{{ page.need }}\n{{ page.nead }}\n"})
    with pytest.raises(TemplateFault) as caught:
        compose(ask(), broken, texts())
    assert str(caught.value).startswith("replies/questions.txt, line 3: ")
    assert "nead" in str(caught.value)
    assert samples.check(broken, texts(), NOW, ROME) == (str(caught.value),)


def test_a_missing_template_is_named() -> None:
    without = {k: v for k, v in templates().items() if k != "questions.html"}
    with pytest.raises(TemplateFault, match=r"replies/questions\.html is missing; put the template back"):
        compose(ask(), environment(without), texts())


# --- hostile input --------------------------------------------------------------------------------------

EVIL = (
    "{{7*7}}",
    "{% for x in range(9**9) %}x{% endfor %}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a\r\nBcc: victim@elsewhere.example",
    "a\x0bb\x85c\u2028d\u2029e",
    "\u202egnol txet eht snrut\u202c",
    "\u200f\u2066\u2069\ufeff\u00ad",
    "\ud800 lone",
    "x" * 10_000,
    "word " * 4_000,
    "\x00\x1b[31mred",
    "&lt;b&gt; &amp; \"quotes\" 'single'",
    "e" + "\u0301" * 500,
)


def hostile(evil: str) -> ReplyRequest:
    return ask(
        name=evil,
        subject=evil,
        tag=evil,
        understood=replace(
            samples.request("en").understood,
            service_ids=(evil,) * 30,
            hostnames=(evil,),
            power="window",
            windows=(evil, evil),
        ),
        missing=(Missing("server_id", "hostname_only"), Missing("power_authorization", "conflict")),
        contradictions=(Contradiction("power_authorization", evil, evil),),
    )


def assert_harmless(rendered: Rendered) -> None:
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f]", rendered.text
    )
    assert "\n" not in rendered.subject
    assert "\r" not in rendered.subject
    assert len(rendered.subject) <= 200
    assert len(rendered.text) < 9_000
    rendered.text.encode()
    rendered.html.encode()
    tree = HTMLParser(rendered.html)
    assert tree.css("script, img, iframe, form, object, svg") == []
    assert {a.attributes.get("href") for a in tree.css("a")} == {"https://hoster.example/help"}
    assert not [n for n in tree.css("*") for a in n.attributes if a.startswith("on")]


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_hostile_words_stay_words(evil: str) -> None:
    rendered = send(hostile(evil))
    assert_harmless(rendered)
    assert "Hello,\n" in rendered.text
    if evil == "{{7*7}}":
        assert "{{7*7}}" in rendered.text
        assert "49" not in rendered.text.replace("48213", "")
    if evil.startswith("<script>"):
        assert "&lt;script&gt;" in rendered.html


@settings(deadline=None)  # a slow machine is no fault
@given(st.text(max_size=300))
def test_any_words_stay_words(evil: str) -> None:
    assert_harmless(send(hostile(evil)))


def test_a_name_that_is_no_name_is_not_greeted() -> None:
    for name in (
        "Win 100 EUR now",
        "www.casino.example",
        "a@b.example",
        "See https://x.example",
        "<b>Max</b>",
        "M",
        "",
    ):
        assert "Hello,\n" in send(ask(name=name)).text, name
    for name in ("Marta Bellini", "J. O’Neil", "Ana-Marija Šimić", "Łukasz", "Владимир"):
        assert f"Hello {name},\n" in send(ask(name=name)).text


def test_secrets_are_masked_in_whatever_is_shown_back() -> None:
    pair = Contradiction("backup", "The root password is Tr0ub4dor&3, no backup.", "There is a backup, pw Tr0ub4dor&3")
    request = ask(
        subject="pw Tr0ub4dor&3",
        understood=replace(samples.request("en").understood, impact="window", windows=("after 8, Tr0ub4dor&3",)),
        contradictions=(pair,),
        secrets=(Secret("Tr0ub4dor&3"), Secret("Tr0ub4dor"), Secret("")),
    )
    rendered = send(request)
    assert "ub4dor" not in rendered.subject + rendered.text + rendered.html
    assert "“The root password is ********, no backup.”" in rendered.text
