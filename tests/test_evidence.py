"""The chain of a ticket's events, and the record of consent that is made from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from service_kit import MONDAY, ROOT
from sqlalchemy import create_engine, text, update

from checker.edges.records import Event, Ticket
from checker.edges.store import tickets
from checker.edges.store.chain import Link, canonical, covered, hash_of
from checker.edges.store.engine import Store, open_store
from checker.edges.store.tables import events

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    yield made
    made.close()


def ticket(name: str = "T1") -> Ticket:
    return Ticket(name, 0, MONDAY, MONDAY, "incomplete", "it", "subject", "ada@kunde.example", "Ada")


def whole(links: tuple[Link, ...]) -> bool:
    previous = ""
    for link in links:
        if hash_of(covered(link.event), previous) != link.hash:
            return False
        previous = link.hash
    return True


class TestChain:
    def test_the_first_hash_is_that_of_its_canonical_json(self) -> None:
        event = Event(datetime(2026, 11, 23, 9, tzinfo=UTC), "T1", "status", "é")
        written = '{"at":"2026-11-23T09:00:00+00:00","detail":"é","kind":"status","previous":"","ticket":"T1"}'
        assert hash_of(covered(event), "") == hashlib.sha256(written.encode()).hexdigest()

    def test_the_clock_of_the_writer_does_not_matter(self) -> None:
        here = MONDAY.astimezone(timezone(timedelta(hours=5)))
        assert covered(Event(here, "T1", "x")) == covered(Event(MONDAY, "T1", "x"))

    @given(JSON)
    def test_canonical_json_is_one_way_to_write_a_value(self, value: object) -> None:
        assert canonical(json.loads(canonical(value))) == canonical(value)

    @pytest.mark.parametrize("value", [1.0, {"a": [1.5]}, [float("nan")], {1: "x"}])
    def test_what_has_several_ways_is_refused(self, value: object) -> None:
        with pytest.raises(TypeError):
            canonical(value)

    def test_stored_events_follow_each_other_by_ticket(self, store: Store) -> None:
        with store.write() as c:
            for name in ("T1", "T2"):
                tickets.create(c, ticket(name))
            for i, name in enumerate(("T1", "T2", "T1", "T1", "T2")):
                tickets.note(c, Event(MONDAY + timedelta(seconds=i, microseconds=7), name, "status", str(i)))
        with store.read() as c:
            first, second = tickets.chain(c, "T1"), tickets.chain(c, "T2")
        assert [x.event.detail for x in first] == ["0", "2", "3"]
        assert [x.event.detail for x in second] == ["1", "4"]
        assert whole(first)
        assert whole(second)
        assert len({x.hash for x in (*first, *second)}) == 5

    def test_a_change_in_the_database_shows(self, store: Store) -> None:
        with store.write() as c:
            tickets.create(c, ticket())
            for detail in "abc":
                tickets.note(c, Event(MONDAY, "T1", "status", detail))
            c.execute(update(events).where(events.c.detail == "b").values(detail="B"))
        with store.read() as c:
            assert not whole(tickets.chain(c, "T1"))

    def test_events_from_before_the_chain_are_chained_by_the_migration(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
        config = Config()
        config.set_main_option("script_location", str(ROOT / "checker/edges/migrations"))
        engine = create_engine(url)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        made = [("T1", "a", 0), ("T2", "b", 1), ("T1", "c", 250_000)]
        with engine.begin() as connection:
            for name in ("T1", "T2"):
                connection.execute(
                    text(
                        "INSERT INTO tickets VALUES (:id, 0, '2026-11-23 09:00:00', '2026-11-23 09:00:00', 'review',"
                        " 'it', 's', 'a@k', '', '[]', '[]', '[]', '[]', '[]', '[]', 0, 0, 0, NULL, NULL, NULL, '')"
                    ),
                    {"id": name},
                )
            for name, detail, micro in made:
                connection.execute(
                    text("INSERT INTO events (at, ticket, kind, detail) VALUES (:at, :ticket, 'status', :detail)"),
                    {"at": f"2026-11-23 09:00:00.{micro:06d}", "ticket": name, "detail": detail},
                )
        engine.dispose()
        store = open_store(url)
        with store.write() as c:
            tickets.note(c, Event(MONDAY, "T1", "status", "d"))
        with store.read() as c:
            found = tickets.chain(c, "T1")
            assert whole(tickets.chain(c, "T2"))
        store.close()
        assert [x.event.detail for x in found] == ["a", "c", "d"]
        assert whole(found)
