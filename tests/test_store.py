"""The store: schema, claims, leases, and that no secret gets into it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from service_kit import KEY, MONDAY

from checker.edges.findings_json import StoredFindingsError, dump, fingerprint, load
from checker.edges.records import Delivery, Entry, Kind, Outgoing, Position, State, Suppressed, Ticket
from checker.edges.store import leases, messages, outbox, tickets
from checker.edges.store.engine import Stale, Store, StoreError, open_store
from checker.edges.store.tables import metadata
from checker.model import (
    MASK,
    Access,
    Component,
    Credential,
    Cue,
    Findings,
    Identifier,
    IdentifierKind,
    Label,
    OperatingSystem,
    Question,
    Role,
    Secret,
    Span,
    Statement,
    Status,
    TimeWindow,
    Unread,
)
from checker.settings import SettingsError

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    yield made
    made.close()


def entry(uid: str = "1", size: int = 10) -> Entry:
    return Entry(uid, size, MONDAY)


def letter(key: str = "T1:ask:x", to: str = "Ada@Kunde.example", **more: object) -> Outgoing:
    given = {"kind": Kind.ASK, "answers": "sha"} | more
    return Outgoing(key, recipient=to, message_id=f"<{key}@h>", raw=b"raw", **given)  # type: ignore[arg-type]


def ticket(name: str = "T1") -> Ticket:
    return Ticket(name, 0, MONDAY, MONDAY, "incomplete", "it", "subject", "ada@kunde.example", "Ada")


class TestSchema:
    def test_the_migrations_make_the_tables(self, store: Store) -> None:
        with store.read() as c:
            assert compare_metadata(MigrationContext.configure(c), metadata) == []

    def test_files_are_private(self, tmp_path: Path) -> None:
        old = os.umask(0)
        try:
            store = open_store(f"sqlite:///{tmp_path / 'state' / 'db.sqlite3'}")
            with store.write() as c:
                tickets.create(c, ticket())
            for path in (tmp_path / "state").iterdir():
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
            store.close()
        finally:
            os.umask(old)

    def test_opening_again_keeps_what_is_there(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
        first = open_store(url)
        with first.write() as c:
            tickets.create(c, ticket())
        first.close()
        second = open_store(url)
        with second.read() as c:
            assert tickets.get(c, "T1") == ticket()
        second.close()

    def test_a_newer_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "db.sqlite3"
        open_store(f"sqlite:///{path}").close()
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(StoreError, match="newer version of this program"):
            open_store(f"sqlite:///{path}")

    def test_what_is_no_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "db.sqlite3"
        path.write_bytes(b"this is no database at all" * 100)
        with pytest.raises(StoreError, match="names a file that is no SQLite database"):
            open_store(f"sqlite:///{path}")

    def test_a_locked_database_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from checker.edges.store import engine

        monkeypatch.setattr(engine, "LOCK_SECONDS", 0.1)
        path = tmp_path / "db.sqlite3"
        store = open_store(f"sqlite:///{path}")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="look for a second service"), store.write() as c:
            tickets.create(c, ticket())
        other.close()
        store.close()

    @pytest.mark.parametrize("url", ["nonsense", "mysql://a/b", "nosuch+driver://x"])
    def test_a_url_that_cannot_be_used(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"database\.url"):
            open_store(url)

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError, match="make the folder writable"):
            open_store(f"sqlite:///{tmp_path / 'file' / 'db.sqlite3'}")


class TestTimes:
    def test_times_come_back_aware_and_in_utc(self, store: Store) -> None:
        rome = MONDAY.astimezone(timezone(timedelta(hours=1)))
        with store.write() as c:
            messages.listed(c, "a", "INBOX", Position(1, 2), [Entry("1", 5, rome)], rome)
            (mail,) = messages.waiting(c, "a", MONDAY, 10)
        assert mail.received_at == MONDAY
        assert mail.received_at.tzinfo is UTC

    def test_a_naive_time_is_refused(self, store: Store) -> None:
        with pytest.raises(Exception, match="without zone"), store.write() as c:
            messages.listed(c, "a", "INBOX", Position(1, 2), [], datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


class TestMessages:
    def test_a_listing_is_noted_once(self, store: Store) -> None:
        with store.write() as c:
            assert messages.position(c, "a", "INBOX") is None
            entries = [entry(str(i)) for i in range(1, 1201)]
            assert messages.listed(c, "a", "INBOX", Position(7, 1201), entries, MONDAY) == 1200
            assert messages.listed(c, "a", "INBOX", Position(7, 1201), entries, MONDAY) == 0
            assert messages.listed(c, "a", "INBOX", Position(8, 5), entries[:1], MONDAY) == 1
            assert messages.position(c, "a", "INBOX") == Position(8, 5)
            assert len(messages.known_uids(c, "a", "INBOX", 7)) == 1200

    def test_a_mail_is_settled_once(self, store: Store) -> None:
        with store.write() as c:
            messages.listed(c, "a", "INBOX", Position(1, 2), [entry()], MONDAY)
            (mail,) = messages.waiting(c, "a", MONDAY, 10)
            messages.begin_attempt(c, mail)
            with pytest.raises(Stale):
                messages.begin_attempt(c, mail)
            messages.settle(c, mail, State.DONE, MONDAY, sha256="s")
            with pytest.raises(Stale):
                messages.settle(c, mail, State.QUARANTINED, MONDAY)
            assert messages.waiting(c, "a", MONDAY, 10) == ()
            assert [m.state for m in messages.by_sha256(c, "s")] == [State.DONE]

    def test_a_mail_that_is_put_off_waits(self, store: Store) -> None:
        with store.write() as c:
            messages.listed(c, "a", "INBOX", Position(1, 2), [entry()], MONDAY)
            (mail,) = messages.waiting(c, "a", MONDAY, 10)
            messages.put_off(c, mail, MONDAY + MINUTE, "why")
            assert messages.waiting(c, "a", MONDAY, 10) == ()
            (later,) = messages.waiting(c, "a", MONDAY + MINUTE, 10)
            assert later.reason == "why"


class TestTickets:
    def test_a_change_against_an_old_version_is_refused(self, store: Store) -> None:
        with store.write() as c:
            tickets.create(c, ticket())
            changed = tickets.change(c, ticket(), asks=1, missing=("backup",))
            assert tickets.get(c, "T1") == changed
            with pytest.raises(Stale):
                tickets.change(c, ticket(), asks=5)

    def test_a_second_creation_is_stale_and_undoes_its_transaction(self, store: Store) -> None:
        with store.write() as c:
            tickets.create(c, ticket())
        with pytest.raises(Stale), store.write() as c:  # noqa: PT012 - both in one transaction is the point
            tickets.suppress(c, Suppressed(MONDAY, "T1", None, "x"))
            tickets.create(c, ticket())
        with store.read() as c:
            assert tickets.suppressions(c) == ()


class TestOutbox:
    def test_a_key_is_posted_once(self, store: Store) -> None:
        with store.write() as c:
            assert outbox.post(c, letter(), MONDAY)
            assert not outbox.post(c, letter(), MONDAY)
            assert len(outbox.listed(c)) == 1

    def test_from_claim_to_sent(self, store: Store) -> None:
        with store.write() as c:
            outbox.post(c, letter(), MONDAY)
            claimed = outbox.claim(c, "me", MONDAY, MINUTE)
            assert claimed is not None
            assert (claimed.state, claimed.attempts) == (Delivery.SENDING, 1)
            assert outbox.claim(c, "you", MONDAY, MINUTE) is None
            assert outbox.settle(c, claimed, Delivery.SENT, MONDAY)
            assert not outbox.settle(c, claimed, Delivery.FAILED, MONDAY)
            assert outbox.listed(c)[0].sent_at == MONDAY

    def test_a_spent_lease_makes_it_unknown(self, store: Store) -> None:
        with store.write() as c:
            outbox.post(c, letter(), MONDAY)
            outbox.claim(c, "me", MONDAY, MINUTE)
            assert outbox.lapse(c, MONDAY + MINUTE, MINUTE) == 0
            assert outbox.lapse(c, MONDAY + 2 * MINUTE, MINUTE) == 1
            assert [p.state for p in outbox.unknown(c)] == [Delivery.UNKNOWN]
            assert outbox.claim(c, "me", MONDAY + 9 * MINUTE, MINUTE) is None

    def test_counts_by_recipient_domain_and_all(self, store: Store) -> None:
        with store.write() as c:
            outbox.post(c, letter("a", "ada@kunde.example"), MONDAY)
            outbox.post(c, letter("b", "bob@kunde.example"), MONDAY)
            outbox.post(c, letter("c", "ada@kunde.example"), MONDAY - 5 * timedelta(hours=1))
            outbox.post(c, letter("d", "staff@hoster.example", kind=Kind.DIGEST), MONDAY)
            found = outbox.recent(c, "ADA@kunde.example", "sha", MONDAY + MINUTE)
        assert (found.sender_day, found.domain_hour, found.global_hour, found.this_mail) == (2, 2, 2, 3)

    def test_a_stopped_address_gets_nothing_that_still_waits(self, store: Store) -> None:
        with store.write() as c:
            outbox.post(c, letter(), MONDAY)
            outbox.stop(c, "ada@KUNDE.example", MONDAY, "bounced")
            outbox.stop(c, "ada@kunde.example", MONDAY, "again")
            assert outbox.is_stopped(c, "Ada@kunde.example")
            assert outbox.listed(c)[0].state is Delivery.FAILED


class TestLeases:
    def test_one_owner_until_it_runs_out(self, store: Store) -> None:
        with store.write() as c:
            assert leases.acquire(c, "m", "one", MONDAY, MINUTE)
            assert not leases.acquire(c, "m", "two", MONDAY + MINUTE / 2, MINUTE)
            assert leases.acquire(c, "m", "two", MONDAY + MINUTE, MINUTE)
            leases.release(c, "m", "one")
            assert not leases.acquire(c, "m", "one", MONDAY + MINUTE, MINUTE)
            leases.release(c, "m", "two")
            assert leases.acquire(c, "m", "one", MONDAY + MINUTE, MINUTE)

    def test_a_period_is_claimed_once(self, store: Store) -> None:
        with store.write() as c:
            assert leases.last_digest(c) is None
            assert leases.claim_period(c, "2026-11-23", MONDAY, MONDAY)
            assert not leases.claim_period(c, "2026-11-23", MONDAY, MONDAY)
            assert leases.has_period(c, "2026-11-23")
            assert leases.last_digest(c) == MONDAY


# --- findings as JSON ------------------------------------------------------------------------------


def span(text: str, start: int = 0) -> Span:
    return Span(1, start, start + len(text), text)


FULL = Findings(
    n=3,
    language="it",
    date=MONDAY,
    questions=(Question("1", ("backup",), "is there a backup?"),),
    identifiers=(Identifier(IdentifierKind.IP, "203.0.113.7", Role.SERVER, span("203.0.113.7"), "r"),),
    credentials=(Credential(Access.OS, "root", Secret("hunter2"), span("hunter2"), "r"),),
    statements=(
        Statement(
            Label.POWER_GRANTED, Status.ASSERTED, span("riavviate pure, root/hunter2"), "r",
            (Cue("c", 0, 4, "pure"),), frozenset({"reboot", "off"}), "power_authorization", "rules", 1.0,
        ),
    ),
    windows=(TimeWindow("sabato", MONDAY, None, span("sabato"), ambiguous=("hour",)),),
    systems=(OperatingSystem("Debian", "12", None, span("Debian 12"), "RAID 1"),),
    components=(Component("ram", None, "A2", span("RAM")),),
    unread=(Unread(span("the pass is s3cr3t-unseen"), ("access",)),),
)  # fmt: skip


class TestFindings:
    def test_everything_comes_back_but_secrets_and_unread_words(self) -> None:
        back = load(dump(FULL, KEY))
        assert back.identifiers == FULL.identifiers
        assert back.windows == FULL.windows
        assert back.systems == FULL.systems
        assert back.components == FULL.components
        assert back.questions == FULL.questions
        (credential,) = back.credentials
        assert credential.secret == Secret(MASK)
        assert credential.span.text == MASK
        assert (credential.username, credential.span.start) == ("root", 0)
        (statement,) = back.statements
        assert statement.span.text == f"riavviate pure, root/{MASK}"
        assert statement.actions == frozenset({"reboot", "off"})
        assert back.unread[0].span == Span(1, 0, 25, "")

    def test_no_secret_is_in_the_text(self) -> None:
        text = dump(FULL, KEY)
        assert "hunter2" not in text
        assert "s3cr3t" not in text

    def test_equal_secrets_have_equal_fingerprints_under_one_key_only(self) -> None:
        assert fingerprint(KEY, Secret("a")) == fingerprint(KEY, Secret("a"))
        assert fingerprint(KEY, Secret("a")) != fingerprint(KEY, Secret("b"))
        assert fingerprint(KEY, Secret("a")) != fingerprint(b"other", Secret("a"))

    @given(
        st.text(min_size=4).filter(lambda s: s.strip() == s and MASK not in s and s not in MASK), st.text(), st.text()
    )
    def test_a_secret_is_masked_wherever_it_stands(self, secret: str, before: str, after: str) -> None:
        whole = before + secret + after
        found = Findings(
            1,
            "en",
            credentials=(Credential(Access.OS, None, Secret(secret), span(secret), "r"),),
            statements=(Statement(Label.DOWNTIME_OK, Status.ASSERTED, span(whole), "r"),),
        )
        back = load(dump(found, KEY))
        assert secret not in back.statements[0].span.text.replace(MASK, "")

    @pytest.mark.parametrize("text", ["", "[]", "null", '{"n": "x"}', '{"n": 1}', '{"n":1,"language":"it","date":"x"}'])
    def test_a_damaged_row_is_an_error_of_its_own(self, text: str) -> None:
        with pytest.raises(StoredFindingsError):
            load(text)

    def test_a_row_of_an_older_version_is_still_read(self) -> None:
        assert load('{"n":1,"language":"it","gone":[1]}') == Findings(1, "it")
