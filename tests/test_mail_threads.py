"""Ids, signed ids of ours, tags, References and bare subjects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mail_helpers import words

from checker.mail.threads import (
    bare_subject,
    looks_like_ours,
    make_message_id,
    message_ids,
    references,
    subject_tag,
    tagged_ticket,
    verify_message_id,
)

KEY = b"a key of the tests"
PART = st.text(alphabet="ABCxyz019_-", min_size=1, max_size=64)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@x> <b@y>", ("<a@x>", "<b@y>")),
        ("<a@x>\r\n\t<b@y> <a@x>", ("<a@x>", "<b@y>")),
        ("a@x", ()),
        ("<a b@x>", ()),
        ("<<a@x>>", ("<a@x>",)),
        ("<[x]@y>", ("<[x]@y>",)),
        (f"<{'a' * 251}>", ()),
        (f"<{'a' * 250}>", (f"<{'a' * 250}>",)),
        ("", ()),
        ("(" * 50_000, ()),
    ],
)
def test_message_ids(value: str, ids: tuple[str, ...]) -> None:
    assert message_ids(value) == ids


def test_message_ids_are_counted() -> None:
    assert len(message_ids(" ".join(f"<{n}@x>" for n in range(500)))) == 100


@given(PART, PART)
def test_signed_ids_name_their_ticket(ticket: str, seq: str) -> None:
    made = make_message_id(KEY, ticket, seq, "hoster.example")
    assert message_ids(made) == (made,)
    assert made == make_message_id(KEY, ticket, seq, "hoster.example")
    assert verify_message_id(KEY, made) == ticket
    assert verify_message_id(b"another key", made) is None
    assert looks_like_ours(made)


def test_a_changed_id_is_no_longer_ours() -> None:
    made = make_message_id(KEY, "T1", "s1", "hoster.example")
    for forged in (made.replace("T1", "T2"), made.replace(".s1.", ".s2."), made[:-20] + "a" + made[-19:], made + "x"):
        assert verify_message_id(KEY, forged) is None
    assert verify_message_id(KEY, "<T1@x>") is None
    assert not looks_like_ours("<T1@x>")
    assert verify_message_id(KEY, made.replace("@hoster.example", "@mx.other.example")) == "T1"


@pytest.mark.parametrize(
    ("ticket", "seq", "host"),
    [("", "1", "h"), ("a.b", "1", "h"), ("a", "1>", "h"), ("a", "1", "h\r\nx"), ("a", "1", "")],
)
def test_what_makes_no_id(ticket: str, seq: str, host: str) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        make_message_id(KEY, ticket, seq, host)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key for message ids is empty"):
        make_message_id(b"", "T1", "1", "h")


def test_tags() -> None:
    assert tagged_ticket(f"Re: Server {subject_tag('T1AB')}") == "T1AB"
    assert tagged_ticket("[#first] x [#T2]") == "T2"
    assert tagged_ticket("[# x] #123 [#]") is None
    with pytest.raises(ValueError, match="ticket must be"):
        subject_tag("a]b")


def test_references() -> None:
    assert references(["<a@x>"], [], "<b@x>") == "<a@x> <b@x>"
    assert references([], ["<a@x>"], "<b@x>") == "<a@x> <b@x>"
    assert references([], ["<a@x>", "<c@x>"], "<b@x>") == "<b@x>"
    assert references(["<a@x>"], [], None) == ""
    assert references(["<a@x>"], [], "no id") == ""
    assert references(["<a@x>", "bad", "<b@x>"], [], "<b@x>") == "<a@x> <b@x>"


@given(st.integers(0, 200))
def test_references_are_capped(count: int) -> None:
    chain = [f"<{n}@x>" for n in range(count)]
    made = references(chain, [], "<last@x>").split()
    assert len(made) == min(count, 20) + 1
    assert made[-1] == "<last@x>"
    if count:
        assert made[0] == "<0@x>"
        assert made[-2] == chain[-1]


@pytest.mark.parametrize(
    "subject",
    ["Server fermo", "Re: Server fermo", "RE: R: server  fermo", "AW: WG: Server fermo", "Re[2]: Server fermo",
     "Odp: Server fermo [#T1]", "Rif: I: Server fermo", "re : Server fermo"],
)  # fmt: skip
def test_bare_subject(subject: str) -> None:
    assert bare_subject(subject, words()) == "server fermo"


def test_bare_subject_keeps_what_is_no_prefix() -> None:
    assert bare_subject("Server: fermo", words()) == "server fermo"
    assert bare_subject("", words()) == ""
