"""The whole service: Dovecot holds the mailbox, an SMTP server takes the replies."""

from __future__ import annotations

import email
from functools import partial
from pathlib import Path

import pytest
from servers import PASSWORD, Dovecot, Sink
from service_kit import COMPLETE, WANTING, Desk, desk, mail

from checker.edges.imap import Imap
from checker.edges.mailbox import Mailbox
from checker.edges.records import Delivery, Kind, State
from checker.edges.smtp import Smtp
from checker.edges.store import messages, outbox, tickets
from checker.model import Secret
from checker.service.round import Summary, run_round
from checker.service.turn import MailboxSettings
from checker.settings import ImapMailbox, SmtpOutgoing

pytestmark = pytest.mark.live


class LiveDesk(Desk):
    """A desk whose mailbox is on Dovecot."""

    def open(self, settings: MailboxSettings) -> Mailbox:
        assert isinstance(settings, ImapMailbox)
        return Imap(settings, lambda: Secret(PASSWORD))

    def states(self) -> dict[State, int]:
        with self.shop.store.read() as c:
            return messages.counts(c)


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    return "s" + "".join(c for c in request.node.name.lower() if c.isalnum())[-40:]


def live(tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str, **mailbox: object) -> LiveDesk:
    box = {
        "name": "support", "kind": "imap", "host": "localhost", "port": dovecot.imaps, "user": user,
        "password": {"env": "X"}, "ca_file": str(dovecot.cert), "connect_seconds": 5, "read_seconds": 5,
    }  # fmt: skip
    out = {"kind": "smtp", "host": "127.0.0.1", "port": sink.port, "tls": "none", "final_seconds": 1}
    made = desk(tmp_path, mailboxes=[box | mailbox], outgoing=out)  # type: ignore[arg-type]  # a list of sections
    outgoing = made.settings.outgoing
    assert isinstance(outgoing, SmtpOutgoing)
    return LiveDesk(tmp_path, settings=made.settings, outgoing=Smtp(outgoing, None, ""))


def test_two_answers_complete_the_ticket_and_nothing_is_asked_twice(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str
) -> None:
    office = live(tmp_path, dovecot, sink, user, after="move")
    dovecot.deliver(user, mail("request: yes\nserver: 48213\n", message_id="<one@kunde.example>"))
    office.round()
    first = email.message_from_bytes(sink.received[0])
    office.clock.forward(minutes=10)
    dovecot.deliver(user, mail("power: yes\n", subject="Re: server down", parent=first["Message-ID"]))
    office.round()
    second = email.message_from_bytes(sink.received[1])
    office.clock.forward(minutes=10)
    dovecot.deliver(user, mail("backup: yes\n", subject="Re: server down", parent=second["Message-ID"]))
    office.round()
    office.round()
    assert len(sink.received) == 3
    with office.shop.store.read() as c:
        (ticket,) = tickets.listed(c)
        asked = [e.detail for e in tickets.history(c, ticket.id) if e.kind == "missing"]
        kinds = [p.mail.kind for p in outbox.listed(c)]
    assert asked == ["power_authorization,backup", "backup"]
    assert kinds == [Kind.ASK, Kind.ASK, Kind.CONFIRMATION]
    assert (ticket.status, ticket.missing) == ("complete", ())
    assert office.states() == {State.DONE: 3, State.OURS: 3}
    done = dovecot.maildir(user) / ".Done"
    assert len([*(done / "new").iterdir(), *(done / "cur").iterdir()]) == 3


def test_after_a_change_of_uidvalidity_nobody_is_answered_twice(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str
) -> None:
    office = live(tmp_path, dovecot, sink, user)
    for i in range(3):
        dovecot.deliver(user, mail(WANTING, sender=f"c{i}@kunde.example"))
    office.round()
    assert len(sink.received) == 3
    dovecot.forget_uids(user)
    dovecot.deliver(user, mail(COMPLETE, sender="new@kunde.example"))
    summary: Summary = office.round()
    assert summary.listed == 4
    assert len(sink.received) == 4
    assert office.states() == {State.DONE: 4, State.OURS: 4}
    office.round()
    assert len(sink.received) == 4


def test_a_mail_on_which_the_server_hangs_up_does_not_hold_the_others(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str
) -> None:
    office = live(tmp_path, dovecot, sink, user)
    for i in range(5):
        dovecot.deliver(user, mail(WANTING, sender=f"c{i}@kunde.example"), spoiled=i == 2)
    office.round()
    assert office.states()[State.DONE] == 4
    for _ in range(4):
        office.clock.forward(minutes=20)
        office.round()
    with office.shop.store.read() as c:
        (kept,) = messages.in_state(c, State.QUARANTINED)
    assert kept.attempts == 3
    assert "given up after 3 attempts" in kept.reason
    assert len(sink.received) == 4


def test_a_server_that_is_away_is_left_alone_and_then_found_again(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str
) -> None:
    office = live(tmp_path, dovecot, sink, user, port=1)
    assert "check host and port" in office.round().errors[0]
    office.settings = office.shop.settings = live(tmp_path, dovecot, sink, user).settings
    dovecot.deliver(user, mail(WANTING))
    office.round()
    assert not sink.received  # the pause is not over
    office.clock.forward(minutes=1)
    assert office.round().errors == []
    assert len(sink.received) == 1
    with office.shop.store.read() as c:
        assert messages.account_health(c, "support").failures == 0


def test_a_relay_that_drops_after_the_text_is_not_tried_again(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str
) -> None:
    office = live(tmp_path, dovecot, sink, user)
    sink.mode = "drop-after-data"
    dovecot.deliver(user, mail(WANTING))
    for _ in range(4):
        office.round()
        office.clock.forward(hours=1)
    assert len(sink.received) == 1
    with office.shop.store.read() as c:
        (posted,) = outbox.listed(c)
    assert posted.state is Delivery.UNKNOWN


def test_replies_wait_for_a_relay_that_defers(tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str) -> None:
    office = live(tmp_path, dovecot, sink, user)
    sink.mode = "defer"
    dovecot.deliver(user, mail(WANTING))
    office.round()
    sink.mode = "accept"
    office.round()
    assert not sink.received
    office.clock.forward(minutes=2)
    office.round()
    assert len(sink.received) == 1


def test_one_round_over_two_mailboxes(tmp_path: Path, dovecot: Dovecot, sink: Sink, user: str) -> None:
    """The same mail to both addresses is one mail."""
    office = live(tmp_path, dovecot, sink, user)
    box = office.settings.mailboxes[0]
    other = box.model_copy(update={"name": "info", "user": f"{user}2"})
    office.settings = office.shop.settings = office.settings.model_copy(update={"mailboxes": (box, other)})
    raw = mail(WANTING)
    dovecot.deliver(user, raw)
    dovecot.deliver(f"{user}2", b"Received: by info; Mon, 23 Nov 2026 09:00:00 +0000\r\n" + raw)
    run_round(office.shop, partial(office.open))
    assert office.states() == {State.DONE: 1, State.DUPLICATE: 1, State.OURS: 1}
    assert len(sink.received) == 1
