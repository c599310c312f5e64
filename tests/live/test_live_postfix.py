"""Real delivery reports: Postfix cannot deliver our reply, and what it returns finds its way to the outbox row."""

from __future__ import annotations

import email
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from servers import Dovecot, Postfix
from service_kit import WANTING, desk, mail
from test_live_service import LiveDesk

from checker.edges.records import Delivery, Kind, Posted, State
from checker.edges.smtp import Smtp
from checker.edges.store import messages, outbox, tickets
from checker.settings import SmtpOutgoing

pytestmark = pytest.mark.live


@pytest.fixture
def office(tmp_path: Path, dovecot: Dovecot, postfix: Postfix) -> LiveDesk:
    """The support mailbox on Dovecot, Postfix as relay; our mails come from an address that takes their return."""
    for user in ("support", "ada"):
        dovecot.kick(user)
        shutil.rmtree(dovecot.maildir(user), ignore_errors=True)
    box = {
        "name": "support", "kind": "imap", "host": "localhost", "port": dovecot.imaps, "user": "support",
        "password": {"env": "X"}, "ca_file": str(dovecot.cert), "connect_seconds": 20, "read_seconds": 20,
    }  # fmt: skip
    out = {"kind": "smtp", "host": "127.0.0.1", "port": postfix.smtp, "tls": "none"}
    sending = {"envelope_sender": "support@hoster.example"}
    made = desk(tmp_path, mailboxes=[box], outgoing=out, sending=sending)  # type: ignore[arg-type]  # a list of sections
    assert isinstance(made.settings.outgoing, SmtpOutgoing)
    relay = Smtp(made.settings.outgoing, None, "support@hoster.example")
    return LiveDesk(tmp_path, settings=made.settings, outgoing=relay)


def until(found: Callable[[], bool], office: LiveDesk, postfix: Postfix, seconds: float = 60) -> None:
    """Rounds until something is so."""
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends, postfix.log()[-3000:]
        assert office.round().errors == []
        time.sleep(0.2)


def letters(office: LiveDesk) -> tuple[Posted, ...]:
    with office.shop.store.read() as c:
        return outbox.listed(c)


def test_a_reply_arrives(office: LiveDesk, dovecot: Dovecot, postfix: Postfix) -> None:
    dovecot.deliver("support", mail(WANTING, sender="ada@kunde.example", message_id="<ok@kunde.example>"))
    until(lambda: any(p.state is Delivery.SENT for p in letters(office)), office, postfix)
    folder = dovecot.maildir("ada") / "new"
    until(lambda: folder.exists() and any(folder.iterdir()), office, postfix)
    (arrived,) = (email.message_from_bytes(p.read_bytes()) for p in folder.iterdir())
    assert arrived["Message-ID"] == letters(office)[0].mail.message_id
    assert arrived["In-Reply-To"] == "<ok@kunde.example>"
    assert arrived["Return-Path"] == "<support@hoster.example>"


@pytest.mark.parametrize("address", ["nobody@kunde.example", "eve@outside.example"])
def test_what_comes_back_stops_mail_to_that_address(
    office: LiveDesk, dovecot: Dovecot, postfix: Postfix, address: str
) -> None:
    """An unknown user of a known domain, and a domain to which nothing goes."""
    name = address.partition("@")[0]
    dovecot.deliver("support", mail(WANTING, sender=address, message_id=f"<{name}@client.example>"))
    until(lambda: any(p.bounced for p in letters(office) if p.mail.recipient == address), office, postfix)
    (letter,) = [p for p in letters(office) if p.mail.recipient == address]
    assert (letter.mail.kind, letter.state) == (Kind.ASK, Delivery.SENT)
    with office.shop.store.read() as c:
        assert outbox.is_stopped(c, address)
        assert not outbox.is_stopped(c, "support@hoster.example")
        reports = messages.in_state(c, State.AUTOMATIC)
        reasons = [s.reason for s in tickets.suppressions(c)]
        assert letter.mail.ticket is not None
        history = [(e.kind, e.detail) for e in tickets.history(c, letter.mail.ticket)]
    assert len(reports) == 1  # the report is no ticket
    assert any(r.startswith("automatic:") for r in reasons)
    assert ("bounced", f"our mail to {address} came back") in history
    # The customer writes again: nothing more is sent there, and the reason is kept.
    dovecot.deliver("support", mail(WANTING, sender=address, subject="hello?", message_id=f"<{name}2@client.example>"))
    before = len(letters(office))

    def told() -> bool:
        with office.shop.store.read() as c:
            return "address-bounced" in [s.reason for s in tickets.suppressions(c)]

    until(told, office, postfix)
    assert len(letters(office)) == before
