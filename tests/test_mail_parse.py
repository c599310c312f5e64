"""Bytes to a message: charsets, parts, defects, passed-on mails, delivery reports."""

from __future__ import annotations

import base64
import email
from datetime import UTC, datetime

import mailparser  # type: ignore[import-untyped]  # ships no stubs
import pytest
from mail_helpers import OURS, covers, own_of, parts_of, words

from checker.mail.charset import decode, decode_header, text_codec
from checker.mail.envelope import by_mail_parser, ordinary
from checker.mail.limits import DEFAULT_LIMITS
from checker.mail.parse import Unparsable, parse
from checker.model import Address, Automatic, Message, ZoneKind

TOP = (
    b"From: Mario Rossi <mario@Client.Example>\r\nTo: Support <support@hoster.example>\r\nSubject: Server fermo\r\n"
    b"Message-ID: <1@client.example>\r\nDate: Thu, 19 Nov 2026 10:00:00 +0100\r\n"
)


def read(raw: bytes, n: int = 1) -> Message:
    return parse(raw, n, OURS, words())


def text_of(headers: bytes, body: bytes) -> str:
    return read(TOP + headers + b"\r\n" + body).text


def multipart(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(b"--b\r\n" + p + b"\r\n" for p in parts)
    return TOP + b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n" + body + b"--b--\r\n"


def test_everything_of_an_ordinary_mail() -> None:
    raw = (
        TOP + b"Cc: a@x.example, B <b@x.example>\r\nReply-To: reply@x.example\r\nIn-Reply-To: <p@x>\r\n"
        b"References: <r@x>\r\n\t<p@x>\r\nReceived: from a by mx.hoster.example; Thu, 19 Nov 2026 10:00:01 +0100\r\n"
        b"\r\nRiavviate pure.\r\n"
    )
    message = read(raw, 3)
    assert message.n == 3
    assert message.sender == Address("mario@client.example", "Mario Rossi")
    assert message.reply_to == Address("reply@x.example")
    assert [a.email for a in message.recipients] == ["support@hoster.example", "a@x.example", "b@x.example"]
    assert message.subject == "Server fermo"
    assert message.message_id == "<1@client.example>"
    assert message.in_reply_to == ("<p@x>",)
    assert message.references == ("<r@x>", "<p@x>")
    assert message.date == datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    assert message.text == "Riavviate pure.\n"
    assert len(message.received) == 1
    assert message.size == len(raw)
    assert len(message.sha256) == 64
    assert not message.from_us
    assert message.automatic is None
    assert message.defects == ()


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        (
            b"Content-Type: text/plain; charset=iso-2022-jp\r\n",
            "日本語のサーバ".encode("iso-2022-jp"),
            "日本語のサーバ",
        ),
        (b"Content-Type: text/plain; charset=utf-7\r\n", "Grüße".encode("utf-7"), "Grüße"),
        (b"", "perché no".encode("latin-1"), "perché no"),
        (b"", "perché no".encode(), "perché no"),
        (b"", "30 € “netti”".encode("cp1252"), "30 € “netti”"),
        (b"Content-Type: text/plain; charset=iso-8859-1\r\n", "30 €".encode("cp1252"), "30 €"),
        (b"Content-Type: text/plain; charset=us-ascii\r\n", "zażółć".encode(), "zażółć"),
        (b"Content-Type: text/plain; charset=iso-8859-2\r\n", "zażółć".encode("iso-8859-2"), "zażółć"),
        (b"Content-Type: text/plain; charset=windows-1250\r\n", "žaba".encode("cp1250"), "žaba"),
        (b"Content-Type: text/plain; charset=utf-8\r\n", "però".encode("latin-1"), "però"),
        (b"Content-Type: text/plain; charset=klingon\r\n", "però".encode(), "però"),
        (b"Content-Type: text/plain; charset=utf-16\r\n", "però".encode("utf-16"), "però"),
        (b"Content-Type: text/plain; charset=gb2312\r\n", "服务器".encode("gb18030"), "服务器"),
        (
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
            base64.encodebytes("più".encode()),
            "più",
        ),
        (
            b"Content-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            b"pi=F9 =A4",
            "più €",
        ),
        (
            b"Content-Type: text/plain; format=flowed\r\n",
            b"uno \r\ndue\r\n> tre \r\n> quattro",
            "uno due\n> tre quattro",
        ),
        (b"Content-Type: text/html; charset=utf-8\r\n", "<p>però <b>sì</b></p>".encode(), "però sì"),
    ],
)
def test_bodies(headers: bytes, body: bytes, text: str) -> None:
    assert text_of(headers, body).strip() == text


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: St\xf6rung am Server", "Störung am Server"),
        ("Subject: Störung".encode(), "Störung"),
        (b"Subject: =?iso-8859-1?Q?St=F6rung_am?= =?iso-8859-1?Q?_Server?=", "Störung am Server"),
        (b"Subject: =?utf-8?b?U3TDtnJ1bmc=?=\r\n =?utf-8?q?_zwei?=", "Störung zwei"),
        (b"Subject: =?utf-8?q?half_=C3?= =?utf-8?q?=B6_whole?=", "half ö whole"),
        (b"Subject: =?iso-8859-1?Q?St\xf6rung?=", "Störung"),
        (b"Subject: =?utf-8?q?with blank inside?=", "with blank inside"),
        (b"Subject: =?klingon?q?=E9?= x", "é x"),
        (b"Subject: =?utf-8?q?a=0D=0ABcc:_evil=40x?=", "a Bcc: evil@x"),
        (b"Subject: a =?utf-8?q?b?= c", "a b c"),
        (b"Subject: first\r\nSubject: second", "first"),
        (b"Subject:", ""),
    ],
)
def test_subjects(raw: bytes, subject: str) -> None:
    assert read(b"From: a@x.example\r\n" + raw + b"\r\n\r\nx\r\n").subject == subject


def test_raw_8_bit_display_name() -> None:
    sender = read(b"From: M\xfcller <m@x.example>\r\n\r\nx\r\n").sender
    assert sender == Address("m@x.example", "Müller")


@pytest.mark.parametrize(
    ("value", "email"),
    [
        (b"ceo@bank.example <evil@x.example>", "evil@x.example"),
        (b"Hans Meier hans@x.example", None),
        (b"a@x.example\x00b@y.example", None),
        (b'"Rossi, Mario" <m@x.example>', "m@x.example"),
        (b"undisclosed", None),
    ],
)
def test_senders(value: bytes, email: str | None) -> None:
    message = read(b"From: " + value + b"\r\nSubject: x\r\n\r\nx\r\n")
    if value == b"a@x.example\x00b@y.example":
        # NUL bytes are taken out before anyone parses; the address that is left is no one's
        assert message.sender is None or message.sender.email not in ("a@x.example", "b@y.example")
        assert "header: NUL bytes removed" in message.defects
        return
    assert (message.sender.email if message.sender else None) == email
    assert (email is None) == ("from: no valid address" in message.defects)


def test_doubled_headers_are_defects() -> None:
    message = read(TOP + b"From: evil@x.example\r\nSubject: two\r\nMessage-ID: <2@x>\r\n\r\nx\r\n")
    assert message.sender == Address("mario@client.example", "Mario Rossi")
    assert message.message_id == "<1@client.example>"
    assert {"duplicate header: from", "duplicate header: subject", "duplicate header: message-id"} <= set(
        message.defects
    )


def test_alternative_prefers_plain() -> None:
    plain = b"Content-Type: text/plain\r\n\r\nthe plain one"
    rich = b"Content-Type: text/html\r\n\r\n<p>the <b>rich</b> one"
    assert read(multipart(b"alternative", plain, rich)).text == "the plain one\n"
    assert read(multipart(b"alternative", rich)).text == "the rich one\n"


@pytest.mark.parametrize(
    "stub",
    [b"", b"   ", b"Please view this email in your browser", b"Visualizza nel browser: https://x.example/1", b"--"],
)
def test_alternative_with_a_stub_takes_the_html(stub: bytes) -> None:
    rich = b"Content-Type: text/html\r\n\r\n<p>Please reboot the server 48213, thank you very much for the help."
    message = read(multipart(b"alternative", b"Content-Type: text/plain\r\n\r\n" + stub, rich))
    assert message.text.startswith("Please reboot")


def test_parts_side_by_side_are_one_text() -> None:
    message = read(
        multipart(
            b"mixed",
            b"Content-Type: text/plain\r\n\r\nfirst",
            b"Content-Type: image/png; name=a.png\r\nContent-Disposition: inline\r\n\r\nxx",
            b"Content-Type: text/html\r\n\r\n<p>second",
        )
    )
    assert message.text == "first\n\nsecond\n"
    assert [(a.filename, a.content_type) for a in message.attachments] == [("a.png", "image/png")]


def test_text_files_are_attachments() -> None:
    message = read(
        multipart(
            b"mixed",
            b"Content-Type: text/plain\r\n\r\nsee the log",
            b'Content-Type: text/plain; name="sys.log"\r\nContent-Disposition: inline; filename="sys.log"\r\n\r\nroot',
            b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="../../etc/passwd"\r\n\r\nx',
            b"Content-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\nxyz",
        )
    )
    assert message.text == "see the log\n"
    assert [(a.filename, a.size) for a in message.attachments] == [("sys.log", 4), ("passwd", 1), ("unnamed", 3)]


INNER = (
    b"From: Luca <luca@pavan.example>\r\nSubject: =?utf-8?q?perch=C3=A9?=\r\nMessage-ID: <in@pavan>\r\n\r\n"
    b"Riavviate pure."
)


@pytest.mark.parametrize(
    "disposition", [b"", b"Content-Disposition: attachment\r\n", b"Content-Disposition: inline\r\n"]
)
def test_a_mail_inside_the_mail_is_kept_apart(disposition: bytes) -> None:
    message = read(
        multipart(
            b"mixed",
            b"Content-Type: text/plain\r\n\r\nConfermo.",
            b"Content-Type: message/rfc822\r\n" + disposition + b"\r\n" + INNER,
        )
    )
    assert own_of(message) == "Confermo."
    assert parts_of(message.text, message.zones, ZoneKind.ATTRIBUTION) == [
        "From: Luca <luca@pavan.example>\nSubject: perché"
    ]
    assert parts_of(message.text, message.zones, ZoneKind.FORWARDED) == ["Riavviate pure."]
    assert covers(message.text, message.zones)


def test_a_mail_of_ours_inside_the_mail_is_quoted() -> None:
    ours = INNER.replace(b"luca@pavan.example", b"support@hoster.example")
    message = read(multipart(b"mixed", b"Content-Type: message/rfc822\r\n\r\n" + ours))
    assert own_of(message) == ""
    assert parts_of(message.text, message.zones, ZoneKind.QUOTED) == ["Riavviate pure."]
    assert covers(message.text, message.zones)


REPORT = multipart(
    b"report; report-type=delivery-status",
    b"Content-Type: text/plain\r\n\r\nIt could not be delivered.",
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.x.example\r\n\r\n"
    b"Final-Recipient: rfc822; Mario@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n",
    b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <ours@hoster.example>\r\nSubject: Re: x\r\n\r\nExample: I agree.",
)


def test_delivery_report() -> None:
    message = read(REPORT)
    assert message.automatic is Automatic.DELIVERY_REPORT
    assert message.bounce_of == ("<ours@hoster.example>",)
    assert message.bounce_recipients == ("mario@x.example",)
    assert message.bounce_permanent
    assert "Example" not in message.text


@pytest.mark.parametrize(
    ("old", "new", "permanent"),
    [
        (b"Action: failed", b"Action: delayed", False),
        (b"Status: 5.1.1", b"Status: 4.4.7", False),
        (b"Status: 5.1.1\r\n", b"", True),
        (b"Action: failed", b"Action: failed (bad mailbox)", True),
        (b"Action: failed", b"Action: relayed", False),
    ],
)
def test_delivery_report_for_good_or_not(old: bytes, new: bytes, permanent: bool) -> None:
    assert read(REPORT.replace(old, new)).bounce_permanent is permanent


def test_report_in_plain_words() -> None:
    raw = (
        b"From: MAILER-DAEMON@x.example\r\nReturn-Path: <>\r\nSubject: failure notice\r\n\r\n<mario@x.example>:\r\n"
        b"host mx said: 550 5.1.1 User unknown\r\n\r\n--- Below is a copy.\r\n\r\nMessage-ID: <ours@hoster.example>\r\n"
    )
    message = read(raw)
    assert message.automatic is Automatic.NULL_RETURN_PATH
    assert message.bounce_of == ("<ours@hoster.example>",)
    assert message.bounce_permanent


def test_absence_note_is_no_bounce() -> None:
    raw = b"From: m@x.example\r\nReturn-Path: <>\r\nSubject: Abwesend\r\n\r\nTel. 0203 550 0148, ab 5.1.2027 da\r\n"
    message = read(raw)
    assert message.automatic is Automatic.NULL_RETURN_PATH
    assert not message.bounce_permanent
    assert message.bounce_of == ()


def test_a_name_that_cannot_be_decoded_does_not_stop_the_mail() -> None:
    message = read(b"From: =?utf-8?b?TWFya?= <mario@client.example>\r\nSubject: x\r\n\r\nRiavviate.\r\n")
    assert message.sender is not None
    assert message.sender.email == "mario@client.example"
    assert message.text == "Riavviate.\n"
    assert message.defects == ("mail-parser: HeaderParseError", "date: unreadable")


ORDINARY = [
    b"From: a@x.example,\r\n",
    b"From: Mario Rossi <m@x.example>\r\nTo: support@hoster.example\r\nDate: Thu, 19 Nov 2026 10:00:00 +0100\r\n",
    b'From: "Rossi, Mario" <m@x.example>\r\nCc: B C <b.c@x.example>,d@x.example\r\nReply-To: <e@x.example>\r\n',
    b"From: =?utf-8?q?J=C3=B6rg?= <j@x.example>\r\nTo: a@x.example,\r\n b@x.example\r\nReceived: from a by b; "
    b"Thu, 19 Nov 2026 10:00:00 +0100\r\nContent-Type: text/plain; charset=iso-8859-1\r\n",
]
ODD = [
    b"From: a@x.example <b@x.example>\r\n",
    b"From: Mario m@x.example\r\n",
    b"From: a@x.example\r\nDate: Mon, 19 Nov 2026 10:00:00 +0100\r\n",
    b"From: a@x.example\r\nContent-Type: text/plain; charset=no-such\r\nContent-Transfer-Encoding: base64\r\n",
    b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n",
    b"From: a@x.example\r\nContent-Type: text/plain; name*=utf-8''%ff\r\n",
]


@pytest.mark.parametrize("top", [*ORDINARY, *ODD])
def test_a_mail_taken_for_ordinary_has_the_envelope_that_mail_parser_gives_it(top: bytes) -> None:
    raw = top + b"Subject: x\r\n\r\ndGV4dA==\r\n"
    quick = ordinary(email.message_from_bytes(raw), DEFAULT_LIMITS)
    whole = by_mail_parser(raw, DEFAULT_LIMITS)
    assert not isinstance(whole, str)
    assert (quick is not None) == (top in ORDINARY)
    assert quick is None or quick == whole[1]


def test_the_second_stage_reads_when_mail_parser_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> object:
        raise AttributeError("'NoneType' object has no attribute 'index'")

    monkeypatch.setattr(mailparser, "parse_from_bytes", broken)
    message = read(TOP + b"Cc: c@x.example, <unclosed\r\n\r\nRiavviate.\r\n")
    assert message.sender == Address("mario@client.example", "Mario Rossi")
    assert [a.email for a in message.recipients] == ["support@hoster.example", "c@x.example"]
    assert message.date == datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    assert message.text == "Riavviate.\n"
    assert message.defects == ("mail-parser: AttributeError",)
    undated = read(b"From: a@x.example\r\nDate: never\r\n\r\nx\r\n")
    assert undated.date is None
    assert "date: unreadable" in undated.defects


def test_own_mail_is_from_us() -> None:
    message = read(b"From: Support <SUPPORT@hoster.example>\r\n\r\nx\r\n")
    assert message.from_us
    assert message.automatic is Automatic.OWN_MAIL


def test_empty_body_is_a_message() -> None:
    message = read(b"From: a@x.example\r\nSubject: riavviate 48213\r\n\r\n")
    assert message.text == ""
    assert message.zones == ()


@pytest.mark.parametrize("raw", [b"", b"just some words\nwithout a header", b"\x00\x01\x02"])
def test_no_mail_is_unparsable(raw: bytes) -> None:
    with pytest.raises(Unparsable, match="it has no header; look at the stored file"):
        read(raw)


def test_results_stand_among_the_received() -> None:
    raw = (
        b"Received: from lmtp by imap.hoster.example\r\nAuthentication-Results: hoster.example; spf=pass\r\n"
        b"Received: from x by mx.hoster.example\r\nAuthentication-Results: forged.example; dmarc=pass\r\n"
        + TOP
        + b"\r\nx"
    )
    message = read(raw)
    assert message.authentication_results == ("hoster.example; spf=pass", "forged.example; dmarc=pass")
    assert message.results_below == (1, 2)


@pytest.mark.parametrize(
    "name", ["zip", "rot13", "base64", "punycode", "idna", "unicode_escape", "undefined", "x" * 99, "é", ""]
)
def test_no_codec_for(name: str) -> None:
    assert text_codec(name) is None


def test_decode_names_what_was_wrong() -> None:
    assert decode(b"abc", "utf-8") == ("abc", None)
    assert decode(b"\xe9", "iso-8859-1") == ("é", None)
    assert decode(b"\xe9", None) == ("é", "charset: none")
    assert decode(b"a\x81b\xe9", "utf-8")[0] == "a\x81bé"
    assert decode(("è" * 300).encode() + b"\xc3", "utf-8")[0] == "è" * 300 + "\ufffd"
    assert decode("è".encode(), "<script>") == ("è", "charset: script")


def test_decode_header_leaves_what_it_cannot_read() -> None:
    assert decode_header("=?utf-8?b?!!!?= x =?utf-8?z?a?=").endswith("=?utf-8?z?a?=")
    assert decode_header("plain") == "plain"
