"""Machines' mail is told from people's: every signal by itself, and people who look a little like machines."""

from __future__ import annotations

import pytest
from mail_helpers import OURS, words

from checker.mail.parse import parse
from checker.model import Automatic, Message

PERSON = "From: Mario Rossi <mario@client.example>\r\n"


def read(header: str, subject: str = "Server 48213 fermo", sender: str = PERSON) -> Message:
    raw = f"{sender}Subject: {subject}\r\n{header}\r\nRiavviate pure.\r\n".encode()
    return parse(raw, 1, OURS, words())


@pytest.mark.parametrize(
    ("header", "reason", "detail"),
    [
        ("Auto-Submitted: auto-replied\r\n", Automatic.AUTO_SUBMITTED, "auto-replied"),
        ("Auto-Submitted: auto-replied (vacation)\r\n", Automatic.AUTO_SUBMITTED, "auto-replied"),
        ("Auto-Submitted: auto-generated; owner=x\r\n", Automatic.AUTO_SUBMITTED, "auto-generated"),
        ("Auto-Submitted: Yes\r\n", Automatic.AUTO_SUBMITTED, "yes"),
        ("Auto-Submitted:\r\n", Automatic.AUTO_SUBMITTED, "empty"),
        ("Return-Path: <>\r\n", Automatic.NULL_RETURN_PATH, "return-path"),
        ("Received: from x (envelope-from <>) by y\r\n", Automatic.NULL_RETURN_PATH, "received"),
        ("X-Failed-Recipients: a@x.example\r\n", Automatic.DELIVERY_REPORT, "x-failed-recipients"),
        (
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
            Automatic.READ_RECEIPT,
            "content-type",
        ),
        (
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
            Automatic.DELIVERY_REPORT,
            "x-failed-recipients",
        ),
        ("Content-Type: multipart/report; boundary=b\r\n", Automatic.DELIVERY_REPORT, "multipart/report"),
        ("List-Id: <l.x.example>\r\n", Automatic.LIST, "list-id"),
        ("List-Unsubscribe: <https://x.example>\r\n", Automatic.LIST, "list-unsubscribe"),
        ("Precedence: bulk\r\n", Automatic.BULK, "precedence: bulk"),
        ("Precedence: list\r\n", Automatic.BULK, "precedence: list"),
        ("Precedence: auto_reply\r\n", Automatic.AUTO_RESPONDER, "precedence: auto_reply"),
        ("X-Auto-Response-Suppress: DR, OOF\r\n", Automatic.AUTO_RESPONSE_SUPPRESS, "dr,oof"),
        ("X-Autoreply: yes\r\n", Automatic.AUTO_RESPONDER, "x-autoreply"),
        ("X-Autorespond: x\r\n", Automatic.AUTO_RESPONDER, "x-autorespond"),
        ("X-Loop: support@x.example\r\n", Automatic.AUTO_RESPONDER, "x-loop"),
        ("X-MS-Exchange-Inbox-Rules-Loop: m@x.example\r\n", Automatic.AUTO_RESPONDER, "x-ms-exchange-inbox-rules-loop"),
        ("X-Spam-Flag: YES\r\n", Automatic.SPAM_FLAG, "x-spam-flag"),
        ("X-Spam-Status: Yes, score=9\r\n", Automatic.SPAM_FLAG, "x-spam-status"),
    ],
)
def test_header(header: str, reason: Automatic, detail: str) -> None:
    message = read(header)
    assert message.automatic is reason
    if reason is not Automatic.DELIVERY_REPORT:
        assert message.automatic_detail == detail


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Auto-Submitted: no\r\n",
        "Return-Path: <mario@client.example>\r\n",
        "Precedence: normal\r\n",
        "X-Auto-Response-Suppress: None\r\n",
        "X-Spam-Status: No, score=-1\r\n",
        "X-Autoreply: no\r\n",
        "Feedback-ID: 1.eu-west-1.x:AmazonSES\r\n",
        "Disposition-Notification-To: mario@client.example\r\n",
    ],
)
def test_people(header: str) -> None:
    assert read(header).automatic is None


@pytest.mark.parametrize(
    "address",
    ["MAILER-DAEMON@x.example", "postmaster@x.example", "no-reply@x.example", "noreply@x.example",
     "bounce+abc=d@x.example",
     "bounces-12@x.example", "owner-list@x.example", "list-request@x.example", "do-not-reply@x.example",
     "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.example"],
)  # fmt: skip
def test_machines_by_their_address(address: str) -> None:
    message = read("", sender=f"From: <{address}>\r\n")
    assert message.automatic is Automatic.MACHINE_SENDER
    assert message.automatic_detail == address.partition("@")[0]


@pytest.mark.parametrize(
    "address",
    ["root@x.example", "admin@x.example", "postmasters@x.example", "noreen@x.example", "bouncer@x.example",
     "feedback@x.example", "info@x.example", "support@x.example"],
)  # fmt: skip
def test_people_by_their_address(address: str) -> None:
    assert read("", sender=f"From: <{address}>\r\n").automatic is None


@pytest.mark.parametrize(
    "subject",
    ["Automatic reply: Server 48213", "Risposta automatica: x", "Automatische Antwort: x", "Réponse automatique : x",
     "Respuesta automática: x", "Autoodpowiedź: x", "Automatski odgovor: x", "Samodejni odgovor: x",
     "Undelivered Mail Returned to Sender", "Delivery Status Notification (Failure)", "failure notice", "Fuori ufficio",
     "Out of Office Re: Server 48213", "Mail delivery failed: returning message to sender", "Undeliverable: x"],
)  # fmt: skip
def test_subjects_of_machines(subject: str) -> None:
    assert read("", subject).automatic is Automatic.AUTOMATIC_SUBJECT


@pytest.mark.parametrize(
    "subject",
    ["Mail delivery failed on server 48213", "Absence de réponse du serveur", "Ausencia de conexión", "Bounce mails",
     "Re: Automatic reply: x", "AW: Abwesenheitsnotiz", "Undelivered mail from our server 48213",
     "Warning message on the console", "Letto RAID degradato", "Urlop? serwer nie odpowiada", "",
     "bounce server 48213"],
)  # fmt: skip
def test_subjects_of_people(subject: str) -> None:
    assert read("", subject).automatic is None


def test_own_mail_before_everything() -> None:
    message = read("Return-Path: <>\r\n", sender="From: support@hoster.example\r\n")
    assert message.automatic is Automatic.OWN_MAIL
    assert message.from_us
