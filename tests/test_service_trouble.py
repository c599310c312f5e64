"""The machine fails: disk full, database locked or away. Nothing is lost, a sentence says what to do, the next
round works."""

from __future__ import annotations

import email
import os
import resource
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from service_kit import COMPLETE, WANTING, Desk, desk, mail
from sqlalchemy import event

from checker.edges.outgoing import MaildirOutbox, Result
from checker.edges.records import Delivery, Outgoing, State
from checker.edges.store import engine, messages, outbox
from checker.edges.store.engine import Store, open_store


def states(office: Desk) -> dict[State, int]:
    with office.shop.store.read() as c:
        return messages.counts(c)


def pages(store: Store) -> int:
    with store.read() as c:
        return int(c.exec_driver_sql("PRAGMA page_count").scalar_one())


def filled(office: Desk, spare: int) -> Store:
    """The same database on a disk that has room for so many pages more."""
    store = open_store(office.settings.database_url)
    limit = pages(store) + spare
    event.listen(store._engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count={limit}"))
    store.close()
    return store


def drop_ten(office: Desk) -> None:
    for i in range(10):
        office.drop(mail(WANTING, sender=f"c{i}@kunde.example"))


def answered_once(office: Desk) -> None:
    """Every customer has exactly one question."""
    assert states(office) == {State.DONE: 10, State.OURS: 10}
    to = sorted(email.message_from_bytes(raw)["To"] for raw in office.sent())
    assert to == [f"c{i}@kunde.example" for i in range(10)]


@pytest.mark.parametrize("spare", [0, 1, 2, 4, 8, 12, 16])
def test_a_full_disk_loses_nothing_wherever_it_fills_up(tmp_path: Path, spare: int) -> None:
    office = desk(tmp_path)
    drop_ten(office)
    room = office.shop.store
    office.shop.store = full = filled(office, spare)
    (said,) = office.round().errors
    assert "free disk space; nothing was lost" in said
    full.close()
    office.shop.store = room
    office.clock.forward(minutes=5)
    assert office.round().errors == []
    office.clock.forward(minutes=5)
    office.round()
    answered_once(office)


def test_a_disk_that_takes_no_byte_more_in_a_process_of_its_own(tmp_path: Path) -> None:
    """The operating system refuses to let any file grow, as a full disk does, for all files alike."""
    office = desk(tmp_path)
    drop_ten(office)
    office.shop.store.close()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child never comes back
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            shop = office.workshop()
            size = (tmp_path / "var" / "checker.sqlite3").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            (said, *_) = office.round(shop).errors
            os.write(2, said.encode())
            status = 0 if "free disk space" in said else 3
        except BaseException as error:  # noqa: BLE001 - a child must never return into the test's process
            os.write(2, repr(error).encode())
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    office.shop = office.workshop()
    for _ in range(3):
        office.clock.forward(minutes=5)
        office.round()
    answered_once(office)


def test_a_locked_database_waits_for_the_next_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.2)
    office = desk(tmp_path)
    drop_ten(office)
    with closing(sqlite3.connect(tmp_path / "var" / "checker.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        (said,) = office.round().errors
        assert "look for a second service on the same file" in said
        other.execute("ROLLBACK")
    assert states(office) == {}
    assert office.round().errors == []
    answered_once(office)


class Locking(MaildirOutbox):
    """A relay that takes mail; just then somebody locks the database."""

    other: sqlite3.Connection | None = None

    def send(self, letter: Outgoing) -> Result:
        result = super().send(letter)
        if self.other is not None and not self.other.in_transaction:
            self.other.execute("BEGIN IMMEDIATE")
        return result


def test_a_database_that_fails_after_the_sending_does_not_send_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.2)
    office = desk(tmp_path)
    office.outgoing = office.shop.outgoing = relay = Locking(tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "var" / "checker.sqlite3", isolation_level=None)) as other:
        relay.other = other
        office.drop(mail(WANTING))
        assert "another process holds it" in office.round().errors[0]
        other.execute("ROLLBACK")
        relay.other = None
    assert len(office.sent()) == 1
    for _ in range(3):
        office.clock.forward(hours=1)
        assert office.round().errors == []
    assert len(office.sent()) == 1
    with office.shop.store.read() as c:
        (posted,) = outbox.listed(c)
    assert (posted.state, posted.attempts) == (Delivery.SENT, 1)


def test_a_database_that_is_gone_says_so_and_comes_back(tmp_path: Path) -> None:
    office = desk(tmp_path)
    office.drop(mail(COMPLETE))
    office.shop.store.close()
    folder = tmp_path / "var"
    folder.rename(tmp_path / "away")
    (said,) = office.round().errors
    assert "check that the folder of database.url exists and is writable" in said
    (tmp_path / "away").rename(folder)
    assert office.round().errors == []
    assert len(office.sent()) == 1


def test_only_linux_has_what_these_tests_use() -> None:
    assert sys.platform == "linux", "these tests use fork and resource limits; run them on Linux"
