"""The store's own tests, and the list of customers by a query, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from service_kit import COMPLETE, desk, mail
from sqlalchemy import create_engine, text
from test_store import TestLeases, TestMessages, TestOutbox, TestTickets, TestTimes

from checker.edges.customer_list import open_customers
from checker.edges.store import tickets
from checker.edges.store.engine import Store, StoreError, open_store
from checker.edges.store.tables import metadata
from checker.service.customers import Customers
from checker.settings import RegistrySettings

pytestmark = pytest.mark.live

# Collected here again, where ``store`` is PostgreSQL.
__all__ = ["TestLeases", "TestMessages", "TestOutbox", "TestTickets", "TestTimes"]

QUERY = "SELECT sender, service_ids, addresses, hostnames FROM customers WHERE sender IN (:sender, '@' || :domain)"


@pytest.fixture
def store(postgres: str) -> Iterator[Store]:
    made = open_store(postgres)
    assert made.dialect == "postgresql"
    yield made
    made.close()


def test_the_migrations_make_the_tables(store: Store) -> None:
    with store.read() as c:
        assert compare_metadata(MigrationContext.configure(c), metadata) == []


@pytest.fixture
def registry(postgres: str) -> RegistrySettings:
    engine = create_engine(postgres)
    with engine.begin() as c:
        c.execute(text("CREATE TABLE customers (sender text, service_ids text, addresses cidr, hostnames text)"))
        c.execute(text("INSERT INTO customers VALUES ('ada@kunde.example', '48213 48214', '203.0.113.0/28', NULL)"))
        c.execute(text("INSERT INTO customers VALUES ('@firma.example', '5001', NULL, '*.firma.example')"))
    engine.dispose()
    return RegistrySettings(url=postgres.replace("postgresql+psycopg", "postgresql"), query=QUERY)


def customers(settings: RegistrySettings) -> Customers:
    return open_customers(settings, None)


def test_who_may_speak_is_asked_of_the_database(registry: RegistrySettings) -> None:
    listed = customers(registry)
    (ada,) = listed.of("Ada@Kunde.example")
    assert (ada.owns("48214"), ada.owns("203.0.113.7"), ada.owns("5001")) == (True, True, False)
    (firm,) = listed.of("anybody@firma.example")
    assert firm.owns("www.firma.example")
    assert listed.of("eve@other.example' OR '1'='1") == ()


def test_a_query_that_fails_or_a_server_that_is_away_is_told(registry: RegistrySettings) -> None:
    wrong = registry.model_copy(update={"query": "SELECT nothing FROM nowhere"})
    with pytest.raises(StoreError, match="check url, password and query"):
        customers(wrong).of("a@b.example")
    away = registry.model_copy(update={"url": "postgresql://tester@127.0.0.1:1/none"})
    with pytest.raises(StoreError, match="check url, password and query"):
        customers(away).of("a@b.example")


def test_a_round_with_the_list_of_customers(tmp_path: Path, registry: RegistrySettings) -> None:
    office = desk(tmp_path)
    office.shop.customers = customers(registry)
    office.drop(mail(COMPLETE))  # Ada, who has 48213
    office.drop(mail(COMPLETE, sender="eve@other.example"))
    office.round()
    with office.shop.store.read() as c:
        found = {t.sender: (t.status, t.flags) for t in tickets.listed(c)}
    assert found == {"ada@kunde.example": ("complete", ()), "eve@other.example": ("review", ("foreign-server",))}
