"""Any bytes: a Message or Unparsable, nothing else; and the caps are counted, not timed."""

from __future__ import annotations

import logging

import pytest
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_helpers import covers, words

from checker.mail.limits import Limits
from checker.mail.parse import Unparsable, parse
from checker.model import Message

UNREADABLE = {
    "empty", "blank lines", "binary", "png", "NULs", "nesting 1000", "nesting 5000",
    "inner mails 1000", "inner mails 5000", "utf-16",
}  # fmt: skip


def read(raw: bytes, limits: Limits | None = None) -> Message:
    return parse(raw, 1, frozenset(), words(), limits or Limits())


@pytest.mark.parametrize("name", [n for n in HOSTILE if n not in UNREADABLE])
def test_hostile_mail_is_read(name: str) -> None:
    message = read(HOSTILE[name]())
    assert covers(message.text, message.zones)
    assert len(message.subject) <= 998
    assert not any(c in message.subject for c in "\r\n\x00")
    assert len(message.recipients) <= 100


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_unreadable_mail_says_what_to_do(name: str) -> None:
    with pytest.raises(Unparsable, match=r"(?:delete or forward it|open the stored file in a mail program)"):
        read(HOSTILE[name]())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"From: a@x.example\r\n", b"Content-Type: multipart/mixed; "]))
def test_any_bytes_give_a_message_or_unparsable(raw: bytes, start: bytes) -> None:
    try:
        message = read(start + raw)
    except Unparsable:
        return
    assert covers(message.text, message.zones)


def test_caps_are_named() -> None:
    assert any("2000 of 100001 lines" in d for d in read(HOSTILE["100k headers"]()).defects)
    assert any("cut at 32768 bytes" in d for d in read(HOSTILE["1 MB subject"]()).defects)
    parts = read(HOSTILE["20k parts"]())
    assert parts.capped
    assert "mime: only 500 parts were read" in parts.defects
    assert parts.text.count("x") == 499  # the multipart itself is one of the 500
    deep = read(HOSTILE["nesting 300"]())
    assert deep.capped
    assert "mime: parts nested too deeply" in deep.defects


def test_text_is_cut_at_a_line_and_says_so() -> None:
    raw = b"From: a@x.example\r\n\r\n" + b"0123456789\r\n" * 100
    message = read(raw, Limits(text=105))
    assert message.capped
    assert message.text == "0123456789\n" * 9
    assert covers(message.text, message.zones)
    assert not read(raw, Limits(text=1_100)).capped


def test_size_cap_keeps_the_beginning() -> None:
    raw = b"From: a@x.example\r\n\r\nfirst\r\n" + b"y" * 5_000
    message = read(raw, Limits(size=1_000))
    assert message.capped
    assert message.text.startswith("first\n")
    assert message.size == len(raw)


def test_html_cap() -> None:
    raw = b"From: a@x.example\r\nContent-Type: text/html\r\n\r\n" + b"<p>0123456789</p>" * 1_000
    message = read(raw, Limits(text=500))
    assert message.capped
    assert 400 < len(message.text) <= 500


def test_the_sendgrid_crash_is_read_and_noted() -> None:
    message = read(HOSTILE["lost boundary"]())
    assert message.sender is not None
    assert message.sender.email == "a@client.example"
    assert "mime: StartBoundaryNotFoundDefect" in message.defects


def test_nothing_of_the_mail_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read(
            b"From: secret-name@x.example\r\nSubject: hunter2\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: text/strange\r\n\r\nhunter2\r\n--b--\r\n"
        )
    assert "hunter2" not in caplog.text
    assert "secret-name" not in caplog.text
