"""PostgreSQL: the same store, shared by several processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from service_kit import MONDAY, WANTING, Desk, StillClock, desk, mail
from sqlalchemy import create_engine, inspect, select

from checker.edges.records import Delivery, Kind, Outgoing, State
from checker.edges.store import leases, messages, outbox, tables, tickets
from checker.edges.store.engine import StoreError, open_store
from checker.edges.store.tables import metadata
from checker.service.workshop import Workshop
from checker.settings import SettingsError

pytestmark = pytest.mark.live

MAILS = 60


def office(tmp_path: Path, url: str) -> Desk:
    return desk(
        tmp_path,
        database={"url": url},
        service={"lease_seconds": 3},
        replies={"global_hour": 1000, "per_domain_hour": 1000},
        digest={"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "recipients": ["staff@hoster.example"]},
    )


def test_the_schema_is_the_same_as_on_sqlite(postgres: str) -> None:
    open_store(postgres).close()
    engine = create_engine(postgres)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_a_lease_is_one_owners_until_it_runs_out(postgres: str) -> None:
    store = open_store(postgres)
    minute = timedelta(minutes=1)
    with store.write() as c:
        assert leases.acquire(c, "mailbox:a", "one", MONDAY, minute)
        assert leases.acquire(c, "mailbox:a", "one", MONDAY, minute)
        assert not leases.acquire(c, "mailbox:a", "two", MONDAY, minute)
        assert leases.acquire(c, "mailbox:a", "two", MONDAY + minute, minute)
        assert not leases.acquire(c, "mailbox:a", "one", MONDAY + minute, minute)
    store.close()


def test_two_senders_never_claim_the_same_mail(postgres: str) -> None:
    store = open_store(postgres)
    with store.write() as c:
        for i in range(2):
            outbox.post(c, Outgoing(f"k{i}", Kind.NOTICE, "a@b.example", f"<{i}@h.example>", b"x"), MONDAY)
    with store.write() as one, store.write() as two:
        first = outbox.claim(one, "one", MONDAY, timedelta(minutes=1))
        second = outbox.claim(two, "two", MONDAY, timedelta(minutes=1))
        assert first is not None
        assert second is not None
        assert first.id != second.id
    store.close()


def test_a_server_that_is_away_says_what_to_do() -> None:
    with pytest.raises(StoreError, match=r"check that the server runs and that database\.url is right"):
        open_store("postgresql+psycopg://tester@127.0.0.1:1/none")
    with pytest.raises(SettingsError, match=r"database\.url"):
        open_store("mysql://x@y/z")


class _RealClock(StillClock):
    """The day stands still, the seconds go: leases have to run out while we watch."""

    def now(self):  # type: ignore[no-untyped-def]  # as its base
        return MONDAY + timedelta(seconds=time.monotonic() - START)

    def monotonic(self) -> float:
        return time.monotonic()


START = time.monotonic()


def held(url: str) -> bool:
    """Whether somebody has the mailbox's lease."""
    engine = create_engine(url)
    with engine.connect() as c:
        found = c.execute(select(tables.leases.c.name)).first()
    engine.dispose()
    return found is not None


def finished(shop: Workshop) -> bool:
    with shop.store.read() as c:
        counts = messages.counts(c)
        open_ = outbox.listed(c, states=[Delivery.PENDING, Delivery.SENDING])
    return counts.get(State.DONE, 0) == MAILS and not open_


def worker(tmp_path: Path, url: str, seconds: float, killed_after: int = 0) -> int:
    """A process that runs rounds for a while; one that is to be killed dies in mid-work. Returns its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:  # pragma: no cover - runs in the child
        made = office(tmp_path, url)
        made.clock = _RealClock()
        hits = 0

        def checkpoint(where: str) -> None:
            nonlocal hits
            hits += where == "before-commit"
            if killed_after and hits == killed_after:
                os.kill(os.getpid(), signal.SIGKILL)

        shop = made.workshop(checkpoint)
        until = time.monotonic() + seconds
        while time.monotonic() < until and not finished(shop):
            made.round(shop)
            time.sleep(0.05)
        shop.store.close()
        status = 0
    except BaseException as error:  # noqa: BLE001 - a child must never return into the test's process
        sys.stderr.write(f"worker: {type(error).__name__}: {error}\n")
    finally:
        os._exit(status)


def test_three_processes_one_of_them_killed_do_every_mail_once(tmp_path: Path, postgres: str) -> None:
    made = office(tmp_path, postgres)
    for i in range(MAILS):
        made.drop(mail(WANTING, sender=f"c{i}@kunde.example"))
    made.shop.store.close()
    first = worker(tmp_path, postgres, 30, killed_after=7)
    while not held(postgres):
        time.sleep(0.05)
    others = [worker(tmp_path, postgres, 30) for _ in range(2)]
    assert os.WIFSIGNALED(os.waitpid(first, 0)[1]), "the first worker was to be killed"
    assert [os.waitpid(child, 0)[1] for child in others] == [0, 0]
    made.clock.time = MONDAY + timedelta(minutes=10)
    made.shop = made.workshop()
    made.round()
    with made.shop.store.read() as c:
        assert messages.counts(c) == {State.DONE: MAILS, State.OURS: MAILS}
        posts = outbox.listed(c)
        assert len(tickets.listed(c)) == MAILS
    assert {p.state for p in posts} == {Delivery.SENT}
    assert len([p for p in posts if p.mail.kind is Kind.ASK]) == MAILS
    assert len([p for p in posts if p.mail.kind is Kind.DIGEST]) == 1
    assert len(made.sent()) == MAILS + 1
    made.shop.store.close()
