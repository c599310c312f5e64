"""The bytes of our mails: threading, and nothing of a customer's that becomes a header or a template."""

from __future__ import annotations

import email
from email.message import Message as MimeMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service_kit import MONDAY, US, WANTING, Desk, desk, mail, words

from checker.answer.model import Rendered
from checker.edges.store import tickets
from checker.mail.parse import parse
from checker.model import Evidence, Message, Verdict
from checker.service.letters import Envelope, Parent, contradictions, mime

LONG = f"<{'a' * 120}.{'b' * 100}@{'c' * 20}.example>"  # as Outlook and Gmail make them
SECOND = f"<{'d' * 230}@x.example>"
WORDS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=200)


def written(**envelope: object) -> MimeMessage:
    given: dict[str, object] = {
        "sender": "support@hoster.example", "sender_name": "Support", "to": "ada@kunde.example",
        "message_id": "<ticket.T1.x.y@hoster.example>", "date": MONDAY, "parent": Parent(LONG, (), (SECOND,)),
    }  # fmt: skip
    raw = mime(Rendered("Re: x", "text\n", "<p>text</p>"), Envelope(**{**given, **envelope}))  # type: ignore[arg-type]
    assert all(len(line) <= 998 for line in raw.splitlines())
    return email.message_from_bytes(raw)


def test_long_ids_are_never_encoded() -> None:
    message = written()
    assert message["In-Reply-To"] == LONG
    assert message["References"].split() == [SECOND, LONG]
    assert b"=?" not in message.as_bytes().split(b"\n\n")[0]


def test_what_every_automatic_answer_carries() -> None:
    message = written()
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["To"] == "ada@kunde.example"
    assert message["Cc"] is None
    assert written(parent=None, automatic="auto-generated")["In-Reply-To"] is None


def test_the_same_mail_is_the_same_bytes() -> None:
    assert written().as_bytes() == written().as_bytes()


@pytest.mark.parametrize("to", ["a@b.example\r\nBcc: eve@other.example", "a@b.example\nX: y"])
def test_a_line_end_in_an_address_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        written(to=to)


@settings(deadline=None)  # a slow machine is no fault
@given(name=WORDS)
def test_no_name_makes_a_header(name: str) -> None:
    try:
        message = written(sender_name=name)
    except ValueError:
        return  # refused, as an address with a line end is
    assert message.keys().count("From") == 1
    assert set(message.keys()) == set(written().keys())


EVIL = (
    "=?utf-8?q?down=0D=0ABcc=3A_eve=40other=2Eexample?=",
    "{{ 7 * 191 }} {% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "<script>alert(1)</script> <img src=x onerror=y>",
    "server \u202eelpmaxe.live\u202c \x1b[31mred",
)


@pytest.mark.parametrize("subject", EVIL)
def test_a_hostile_subject_stays_words(tmp_path: Path, subject: str) -> None:
    office = desk(tmp_path)
    raw = mail(WANTING).replace(b"Subject: server down", b"Subject: " + subject.encode("utf-8", "surrogateescape"))
    office.drop(raw)
    assert office.round().delivered == 1
    (sent,) = (email.message_from_bytes(x) for x in office.sent())
    assert set(sent.keys()) <= {*written().keys(), "MIME-Version", "Content-Type"}
    assert sent["To"] == "ada@kunde.example"
    whole = "".join(part.get_payload(decode=True).decode() for part in sent.walk() if not part.is_multipart())  # type: ignore[union-attr]
    assert "1337" not in whole + str(sent["Subject"])
    assert "<script" not in whole
    assert "onerror=y>" not in whole
    with office.shop.store.read() as c:
        assert len(tickets.listed(c)) == 1


@pytest.mark.parametrize("name", ['"{{ 7 * 191 }}"', '"<script>alert(1)</script>"', '"eve@other.example"'])
def test_a_hostile_name_stays_a_name(tmp_path: Path, name: str) -> None:
    office: Desk = desk(tmp_path)
    office.drop(mail(WANTING, sender=f"{name} <ada@kunde.example>"))
    assert office.round().delivered == 1
    (sent,) = (email.message_from_bytes(x) for x in office.sent())
    assert sent["To"] == "ada@kunde.example"
    html = next(p for p in sent.walk() if p.get_content_type() == "text/html").get_payload(decode=True)
    assert b"1337" not in html
    assert b"<script" not in html


class TestContradictions:
    TEXT = "Hi,\nyou may restart it any time you like, it is down anyway. Oh, and no reboot before Friday!\n-- \nAda\n"

    def verdict(self, *places: tuple[str, int]) -> Verdict:
        said = []
        for part, n in places:
            at = self.TEXT.index(part)
            said.append(Evidence("power", "conflict", "r", n, at, at + len(part), part))
        return Verdict("en", review=("conflict:power",), evidence=tuple(said))

    def message(self) -> Message:
        return parse(mail(self.TEXT), 2, frozenset({US}), words())

    def test_whole_sentences_of_the_mail_at_hand(self) -> None:
        (found,) = contradictions(self.verdict(("may restart it", 2), ("no reboot", 2)), self.message())
        assert found.requirement == "power_authorization"
        assert found.first == "Hi, you may restart it any time you like, it is down anyway."
        assert found.second == "Oh, and no reboot before Friday!"  # and nothing of the signature

    def test_of_earlier_mails_the_decisive_words(self) -> None:
        (found,) = contradictions(self.verdict(("may restart it", 1), ("no reboot", 2)), self.message())
        assert (found.first, found.second) == ("may restart it", "Oh, and no reboot before Friday!")
        (found,) = contradictions(self.verdict(("may restart it", 1), ("no reboot", 2)))
        assert found.second == "no reboot"

    def test_of_one_sentence_that_says_both_the_two_places(self) -> None:
        (found,) = contradictions(self.verdict(("may restart it", 2), ("down anyway", 2)), self.message())
        assert (found.first, found.second) == ("may restart it", "down anyway")
