"""PostgreSQL: two hosts that note at the same moment still make one chain."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from service_kit import MONDAY

from checker.edges.records import Event, Ticket
from checker.edges.store import tickets
from checker.edges.store.engine import open_store
from checker.service.verifying import broken

pytestmark = pytest.mark.live

EACH = 25


def test_two_writers_make_one_chain(postgres: str) -> None:
    store = open_store(postgres)
    with store.write() as c:
        tickets.create(c, Ticket("T1", 0, MONDAY, MONDAY, "incomplete", "it", "s", "ada@kunde.example", ""))
    start = threading.Barrier(2)

    def write(who: int) -> None:
        mine = open_store(postgres, migrate=False)
        start.wait()
        for i in range(EACH):
            with mine.write() as c:
                tickets.note(c, Event(MONDAY + timedelta(seconds=i), "T1", "status", f"{who}:{i}"))
        mine.close()

    threads = [threading.Thread(target=write, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with store.read() as c:
        links = tickets.chain(c, "T1")
    store.close()
    assert len(links) == 2 * EACH
    assert broken(links) == ()
