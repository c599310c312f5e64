"""Being patient with servers: how long they are left alone, and that a session may end at any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit import WANTING, Desk, desk, mail

from checker.edges.idle import RENEW_SECONDS
from checker.edges.mailbox import Broken, Known, Mailbox, Read, Refused, Unreachable, Window
from checker.edges.maildir import Maildir
from checker.edges.records import State
from checker.edges.store import messages
from checker.service.poll import back_off
from checker.service.turn import MailboxSettings


@given(st.integers(0, 10_000))
def test_pauses_double_up_to_a_quarter_of_an_hour(failures: int) -> None:
    whole = min(5.0 * 2 ** min(failures, 20), 900.0)
    assert whole * 0.66 <= back_off(failures).total_seconds() <= whole


def test_idle_is_renewed_before_servers_end_it() -> None:
    assert 60 <= RENEW_SECONDS <= 540


class Moody(Maildir):
    """A mailbox that fails as it is told: ``failing`` names the method and the error."""

    failing: dict[str, Exception]
    calls: list[str]

    def _step(self, name: str) -> None:
        self.calls.append(name)
        error = self.failing.pop(name, None)
        if error is not None:
            raise error

    def listing(self, folder: str, known: Known) -> Iterator[Window]:
        self._step("listing")
        return super().listing(folder, known)

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[str]) -> Mapping[str, Read]:
        self._step("fetch")
        return super().fetch(folder, uidvalidity, uids)

    def mark(self, folder: str, uidvalidity: int, uids: Sequence[str], move_to: str | None) -> None:
        self._step("mark")
        super().mark(folder, uidvalidity, uids, move_to)


class MoodyDesk(Desk):
    """A desk over such a mailbox."""

    failing: dict[str, Exception]
    calls: list[str]

    def open(self, settings: MailboxSettings) -> Mailbox:
        made = Moody(settings)  # type: ignore[arg-type]  # a Maildir's
        made.failing, made.calls = self.failing, self.calls
        return made


def moody(tmp_path: Path, **mailbox: Any) -> MoodyDesk:
    box = {"name": "support", "kind": "maildir", "path": "mail", **mailbox}
    settings = desk(tmp_path, mailboxes=[box]).settings  # type: ignore[arg-type]  # a list of sections
    made = MoodyDesk(tmp_path, settings=settings)
    made.failing, made.calls = {}, []
    return made


def test_a_refused_login_is_not_tried_again_soon(tmp_path: Path) -> None:
    office = moody(tmp_path)
    office.failing["listing"] = Refused("the login is refused; check user and password")
    for _ in range(25):
        assert "check user and password" in office.round().errors[0]  # told in every round, tried in one
        office.clock.forward(minutes=1)
    assert office.calls == ["listing"]
    office.clock.forward(minutes=10)
    assert office.round().errors == []
    assert office.calls == ["listing"] * 2


def test_a_server_that_is_away_is_tried_less_and_less(tmp_path: Path) -> None:
    office = moody(tmp_path)
    tried: list[timedelta] = []
    start = office.clock.now()
    for _ in range(240):
        office.failing["listing"] = Unreachable("does not answer")
        before = len(office.calls)
        office.round()
        if len(office.calls) > before:
            tried.append(office.clock.now() - start)
        office.clock.forward(seconds=30)
    assert 10 <= len(tried) <= 25  # two hours
    with office.shop.store.read() as c:
        assert messages.account_health(c, "support").failures == len(tried)
    office.failing.clear()
    office.clock.forward(minutes=16)
    assert office.round().errors == []
    with office.shop.store.read() as c:
        assert messages.account_health(c, "support").failures == 0


@pytest.mark.parametrize("where", ["fetch", "mark"])
def test_a_session_that_ends_during_the_work_does_no_harm(tmp_path: Path, where: str) -> None:
    """Servers end sessions that are silent for long: while mails are read by us, and before they are marked."""
    office = moody(tmp_path, after="move")
    for i in range(3):
        office.drop(mail(WANTING, sender=f"c{i}@kunde.example"))
    office.failing[where] = Broken("the session broke off; it is tried again")
    office.round()
    for _ in range(4):
        office.clock.forward(minutes=20)
        assert office.round().errors == []
    with office.shop.store.read() as c:
        assert messages.counts(c) == {State.DONE: 3, State.OURS: 3}
        assert messages.unmarked(c, "support", 10) == ()
    assert len(office.sent()) == 3
    assert len(list((tmp_path / "mail" / ".Done" / "cur").iterdir())) == 3


def test_what_cannot_be_read_goes_where_the_settings_say(tmp_path: Path) -> None:
    office = moody(tmp_path, quarantine_to="Failed")
    office.drop(b"")
    office.drop(mail(WANTING))
    office.round()
    assert len(list((tmp_path / "mail" / ".Failed" / "cur").iterdir())) == 1
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 1
