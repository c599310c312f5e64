"""Handing mails over: how often it is tried, how long between, and that the staff hear of what failed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from service_kit import MONDAY, WANTING, Desk, desk, mail

from checker.edges.outgoing import MaildirOutbox, Outcome, Result
from checker.edges.records import Delivery, Outgoing, Posted
from checker.edges.store import outbox
from checker.service.overview import view


class Relay(MaildirOutbox):
    """Answers as told, and counts."""

    outcome = Outcome.LATER
    tries = 0

    def send(self, letter: Outgoing) -> Result:
        self.tries += 1
        return Result(self.outcome, "452 4.2.2 mailbox full")

    def has(self, letter: Outgoing) -> bool | None:
        return None


@pytest.fixture
def office(tmp_path: Path) -> Desk:
    made = desk(tmp_path, sending={"attempts": 4, "first_retry_seconds": 60})
    made.outgoing = made.shop.outgoing = Relay(tmp_path / "out")
    made.drop(mail(WANTING))
    return made


def relay(office: Desk) -> Relay:
    assert isinstance(office.shop.outgoing, Relay)
    return office.shop.outgoing


def letter(office: Desk) -> Posted:
    with office.shop.store.read() as c:
        (posted,) = outbox.listed(c)
    return posted


def test_a_relay_that_defers_is_tried_a_few_times_with_growing_pauses(office: Desk) -> None:
    tried: list[timedelta] = []
    for _ in range(60):
        before = relay(office).tries
        office.round()
        if relay(office).tries > before:
            tried.append(office.clock.now() - MONDAY)
        office.clock.forward(minutes=1)
    assert [int(t.total_seconds() / 60) for t in tried] == [0, 1, 3, 7]
    assert (letter(office).state, letter(office).attempts) == (Delivery.FAILED, 4)


def test_what_failed_stands_in_the_digest(office: Desk) -> None:
    relay(office).outcome = Outcome.FAILED
    office.round()
    office.round()
    assert relay(office).tries == 1
    with office.shop.store.read() as c:
        (told,) = view(c, office.shop, MONDAY, office.clock.now() + timedelta(seconds=1)).deliveries
    assert (told.recipient, told.state, told.detail) == ("ada@kunde.example", "failed", "452 4.2.2 mailbox full")


def test_an_unknown_fate_stays_in_the_digest_until_it_is_known(office: Desk) -> None:
    relay(office).outcome = Outcome.UNKNOWN
    office.round()
    office.clock.forward(days=30)
    with office.shop.store.read() as c:
        (told,) = view(c, office.shop, office.clock.now(), office.clock.now()).deliveries
    assert (told.state, letter(office).state) == ("unknown", Delivery.UNKNOWN)
