"""Two services that write to each other: Postfix carries their mails, Dovecot holds both mailboxes."""

from __future__ import annotations

import dataclasses
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from servers import Dovecot, Postfix
from service_kit import PlainEngine, desk, mail
from test_live_service import LiveDesk

from checker.edges.outgoing import Result
from checker.edges.records import Delivery, Kind, Outgoing, State
from checker.edges.smtp import Smtp
from checker.edges.store import messages, outbox, tickets
from checker.model import Findings, Identifier, IdentifierKind, Label, Message, Role, Span, Statement, Status
from checker.settings import SmtpOutgoing

pytestmark = pytest.mark.live

ASKS = 2  # replies.asks_per_ticket of both
_TELLING = rb"(?im)^(?:Auto-Submitted|X-Auto-Response-Suppress|X-Loop|Precedence):.*\r?\n"


class EagerEngine(PlainEngine):
    """Takes every mail for a request with a server that was never named before: there is always something to ask."""

    __slots__ = ()

    def read(self, message: Message, earlier: Sequence[Findings] = ()) -> Findings:
        found = PlainEngine.read(self, message, earlier)
        if message.from_us:
            return found
        span = Span(message.n, 0, 0, "")
        server = Identifier(IdentifierKind.SERVICE_ID, str(1000 + message.n), Role.SERVER, span, "eager")
        wish = Statement(Label.REQUEST_INTERVENTION, Status.ASSERTED, span, "eager")
        return dataclasses.replace(found, identifiers=(server,), statements=(wish,))


class Gateway(Smtp):
    """A relay behind a gateway that takes off everything that says "automatic"."""

    stripping = False

    def send(self, letter: Outgoing) -> Result:
        raw = re.sub(_TELLING, b"", letter.raw) if self.stripping else letter.raw
        return super().send(dataclasses.replace(letter, raw=raw))


def service(folder: Path, dovecot: Dovecot, postfix: Postfix, user: str, address: str, *, stripping: bool) -> LiveDesk:
    """One of the two. A stripping gateway also gives its mails a return path that looks like a person's."""
    dovecot.kick(user)
    shutil.rmtree(dovecot.maildir(user), ignore_errors=True)
    folder.mkdir()
    box = {
        "name": "support", "kind": "imap", "host": "localhost", "port": dovecot.imaps, "user": user,
        "password": {"env": "X"}, "ca_file": str(dovecot.cert), "connect_seconds": 20, "read_seconds": 20,
    }  # fmt: skip
    made = desk(
        folder,
        mailboxes=[box],  # type: ignore[arg-type]  # a list of sections
        hoster={"addresses": [address]},
        outgoing={"kind": "smtp", "host": "127.0.0.1", "port": postfix.smtp, "tls": "none"},
        replies={"asks_per_ticket": ASKS, "reminders": 0},
        digest={"days": ["mon"], "recipients": []},
    )
    assert isinstance(made.settings.outgoing, SmtpOutgoing)
    relay = Gateway(made.settings.outgoing, None, address if stripping else "")
    relay.stripping = stripping
    office = LiveDesk(folder, settings=made.settings, outgoing=relay)
    office.shop.rules.current = dataclasses.replace(office.shop.rules.current, engine=EagerEngine())
    return office


def sent(office: LiveDesk) -> list[Kind]:
    with office.shop.store.read() as c:
        return [p.mail.kind for p in outbox.listed(c, states=[Delivery.SENT])]


def exchange(one: LiveDesk, other: LiveDesk, dovecot: Dovecot, users: tuple[str, str]) -> None:
    """Rounds of both, until what was sent has arrived and was dealt with, and nothing more is written."""
    quiet = 0
    until = time.monotonic() + 300
    while quiet < 3:
        assert time.monotonic() < until, "they did not stop"
        before = len(sent(one)) + len(sent(other))
        for office in (one, other):
            office.clock.forward(minutes=2)
            assert office.round().errors == []
        arrived = all(_arrived(dovecot, user, office) for user, office in zip(users, (other, one), strict=True))
        quiet = quiet + 1 if arrived and len(sent(one)) + len(sent(other)) == before else 0
        time.sleep(0.2)


def _arrived(dovecot: Dovecot, user: str, sender: LiveDesk) -> bool:
    """Whether everything that the other one sent lies in the mailbox."""
    folder = dovecot.maildir(user)
    found = sum(len(list((folder / part).iterdir())) for part in ("new", "cur") if (folder / part).exists())
    return found >= len(sent(sender))


def test_as_they_are_the_first_answer_is_the_last(tmp_path: Path, dovecot: Dovecot, postfix: Postfix) -> None:
    one = service(tmp_path / "one", dovecot, postfix, "support", "support@hoster.example", stripping=False)
    other = service(tmp_path / "two", dovecot, postfix, "ada", "ada@kunde.example", stripping=False)
    dovecot.deliver("support", mail("request: yes\n", sender="ada@kunde.example", message_id="<0@kunde.example>"))
    exchange(one, other, dovecot, ("support", "ada"))
    assert (sent(one), sent(other)) == ([Kind.ASK], [])
    with other.shop.store.read() as c:
        assert messages.counts(c) == {State.AUTOMATIC: 1}
        (silence,) = tickets.suppressions(c)
    assert silence.reason.startswith("automatic:")


def test_behind_gateways_that_hide_what_they_are_they_stop_at_the_limit(
    tmp_path: Path, dovecot: Dovecot, postfix: Postfix
) -> None:
    one = service(tmp_path / "one", dovecot, postfix, "support", "support@hoster.example", stripping=True)
    other = service(tmp_path / "two", dovecot, postfix, "ada", "ada@kunde.example", stripping=True)
    dovecot.deliver("support", mail("request: yes\n", sender="ada@kunde.example", message_id="<0@kunde.example>"))
    exchange(one, other, dovecot, ("support", "ada"))
    for office in (one, other):
        kinds = sent(office)
        assert kinds.count(Kind.ASK) <= ASKS
        assert kinds.count(Kind.HANDOVER) <= 1
        assert set(kinds) <= {Kind.ASK, Kind.HANDOVER}
    assert len(sent(one)) == ASKS + 1
    with one.shop.store.read() as c:
        (ticket,) = tickets.listed(c)
        silences = [s.reason for s in tickets.suppressions(c)]
    assert "limit" in ticket.flags
    assert silences == ["per-ticket"]
    # Staff are told: the ticket is among those that need them, with the reason.
    one.clock.forward(days=7)
    assert one.round().digest
    newest = max((one.folder / "var" / "digest").glob("*.txt"))
    assert ticket.id in newest.read_text(encoding="utf-8")
