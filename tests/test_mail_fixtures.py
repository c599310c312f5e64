"""Real mail of many programs and servers (see the fixtures' README for where it comes from)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mail_helpers import OURS, own, own_of, shared, words

from checker.mail.clean import visible
from checker.mail.parse import parse
from checker.mail.text import html_text
from checker.model import Automatic

LOREM = "Fusce bibendum, quam hendrerit"
LAST = "varius aliquet nec nec nibh."

# Own words of the replies whose text is not the usual filler, exactly.
EXACT = {
    "correct_sig": "this is an email with a correct -- signature.",
    "email_20": "On Thursday.",
    "email_4": "Awesome! I haven't had another problem with it.",
    "email_6": "I get proper rendering as well.\n\nSent a magnificent torch of pixels",
    "email_19": "On Thursday, I get proper rendering.",
    "email_2_1": "Outlook with a reply",
    "email_blackberry": "Here is another email",
    "email_iphone": "Here is another email",
    "email_multi_word_sent_from_my_mobile_device": "Here is another email",
    "email_sent_from_my_not_signature": (
        "Here is another email\n\nSent from my desk, is much easier then my mobile phone."
    ),
    "email_custom_quote_header": "Thank you!",
    "email_customer_quote_header_2": "Thank you very much.",
    "email_customer_quote_header_3": ("bonjour,\nje n'ai pas eu de retour sur ma précision..\nmerci d'avance"),
    "email_thread": "This is new email reply in thread from bellow.",
    "email_unquoted_reply": "This is my reply.",
    "email_zoho": ("What is the best way to clear a Riak bucket of all key, values after\nrunning a test?"),
    "email_with_regards": "Hi,\n\nI still have the same problem....\n\nCan you help?\n\nCEO @ Acme !",
    "email_tricky_11_double_signature": "Thanks for your help!",
    "email_tricky_16_unicode_signatures": "Thanks for the update!",
    "email_tricky_17_forward_header": "See the forwarded message below.",
    "email_tricky_18_inline_reply": (
        "I think option A is great.\n\nOption B has some drawbacks.\n\nOption C is not suitable for our use case."
    ),
    "email_tricky_19_quote_without_header": (
        "I wanted to respond to your points:\n\nMy response to the quoted text above.\n\nAnd my final thoughts."
    ),
    "email_tricky_9_nested_quotes": "I agree with the points below.",
    "email_one_is_not_on": (
        "Thank, this is really helpful.\n\nOne outstanding question I had:\n\nLocally (on development), when I run..."
    ),
    "email_sent_from": ("Hi it can happen to any texts you type, as long as you type in between words or paragraphs."),
    "sig_no_empty_line": "this is an email with a signature with no empty line above.",
    "email_emoji": "🎉\n\n@pandaland",
}
# Nothing in these is quoted or signed: all of it is own.
ALL_OWN = (
    "email_5", "email_tricky_13_timestamp_variations", "email_tricky_1_on_false_positive",
    "email_tricky_4_from_in_body", "email_tricky_6_regards_in_sentence", "email_tricky_7_multiple_dashes",
    "email_tricky_8_sent_from_in_content", "email_not_a_signature_2", "email_with_from_headers",
)  # fmt: skip
# Where we differ on purpose: text after "Sent from …" is the sender's; a wrapped line after a full stop is kept.
DIFFERENT = {"email_15", "email_german_3", "email_7"}


def crisp(name: str) -> str:
    return shared("fixtures", "replies", "crisp", f"{name}.txt").read_text(encoding="utf-8")


def test_replies_over_filler_end_where_the_quote_begins() -> None:
    paths = sorted(shared("fixtures", "replies", "crisp").glob("*.txt"))
    filler = {p.stem: p.read_text(encoding="utf-8") for p in paths}
    filler = {n: t for n, t in filler.items() if t.startswith(LOREM)}
    right = {n for n, t in filler.items() if own(t) == t[: t.index(LAST) + len(LAST)]}
    assert len(filler) == 43
    assert set(filler) - right == DIFFERENT  # 40 of 43


@pytest.mark.parametrize("name", sorted(EXACT))
def test_reply_is_split_exactly(name: str) -> None:
    assert own(crisp(name)) == EXACT[name]


@pytest.mark.parametrize("name", ALL_OWN)
def test_nothing_is_taken_for_a_quote(name: str) -> None:
    assert own(crisp(name)).split() == visible(crisp(name)).split()


def test_replies_of_mail_programs() -> None:
    paths = sorted(shared("fixtures", "replies", "talon", "standard_replies").glob("*.eml"))
    found = {p.stem: own_of(parse(p.read_bytes(), 1, OURS, words())) for p in paths}
    assert found == dict.fromkeys(found, "Hello")
    assert len(found) == 12


def test_html_replies_of_mail_programs() -> None:
    paths = sorted(shared("fixtures", "replies", "talon", "html_replies").glob("*.html"))
    found = {p.stem: own(html_text(p.read_text(encoding="utf-8"))) for p in paths}
    assert found == dict.fromkeys(found, "Hi. I am fine.")
    assert len(found) == 9


def test_bounces_are_machines() -> None:
    """At least 98 % of real delivery reports; the number is printed so that a change is seen."""
    paths = sorted(shared("fixtures", "bounces").glob("*.eml"))
    messages = {p.stem: parse(p.read_bytes(), 1, OURS, words()) for p in paths}
    people = sorted(n for n, m in messages.items() if m.automatic is None)
    print(f"automatic: {len(messages) - len(people)} of {len(messages)}; taken for a person's: {people}")
    assert len(messages) == 209
    assert (len(messages) - len(people)) / len(messages) >= 0.98
    reports = [m for m in messages.values() if m.automatic is Automatic.DELIVERY_REPORT]
    assert sum(bool(m.bounce_recipients) for m in reports) >= 130
    assert sum(bool(m.bounce_of) for m in messages.values()) >= 165
    assert sum(m.bounce_permanent for m in messages.values()) >= 120


def _expected(path: Path) -> tuple[str, str | None, str]:
    """Subject, address and visible text of a fixture's JSON."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    headers: dict[str, Any] = {}
    for header in data["parts"][0]["headers"]:
        if isinstance(header["name"], str):
            headers.setdefault(header["name"], header["value"])
    sender = headers["from"]["Address"]["List"][0]["address"] if "from" in headers else None
    texts = []
    for index in data["text_body"]:
        body = data["parts"][index]["body"]
        texts.append(html_text(body["Html"]) if "Html" in body else visible(body.get("Text", "")))
    subject = headers.get("subject") or {"Text": ""}
    return subject["Text"], sender, " ".join(texts)


def _like(found: str, expected: str) -> bool:
    """Equal but for white space; where the fixture gives up on a byte (U+FFFD) any letter will do."""
    a, b = " ".join(found.split()), " ".join(expected.split())
    return len(a) == len(b) and all(x == y or y == "\ufffd" for x, y in zip(a, b, strict=True))


def test_mime_of_legacy_mails() -> None:
    paths = sorted(shared("fixtures", "mime").glob("*.eml"))
    wrong = []
    for path in paths:
        subject, sender, text = _expected(path.with_suffix(".json"))
        message = parse(path.read_bytes(), 1, OURS, words())
        if not _like(message.subject, subject):
            wrong.append((path.stem, "subject", message.subject))
        if (message.sender.email if message.sender else None) != sender:
            wrong.append((path.stem, "from", str(message.sender)))
        if not _like(message.text, text):
            wrong.append((path.stem, "text", message.text[:80]))
        assert "\ufffd" not in message.subject + message.text
    assert len(paths) == 54
    assert wrong == []
