"""The chain of a ticket's events, and the record of consent that is made from it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from cli_kit import ASKING, BACKUP, MONDAY, NO_REBOOT, SECRET, Office, office
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from service_kit import ROOT
from sqlalchemy import create_engine, text, update

from checker.cli.evidence import evidence
from checker.cli.override import override
from checker.edges.records import Event, Ticket
from checker.edges.store import tickets
from checker.edges.store.chain import Link, canonical, covered, hash_of
from checker.edges.store.engine import Store, open_store
from checker.edges.store.tables import events
from checker.model import MASK, Evidence, Verdict
from checker.service import evidence as records
from checker.service import verifying
from checker.service.evidence import EvidenceError, Received, judged_event, mail_event

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


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A ticket that is complete after one question."""
    made = office(tmp_path, monkeypatch)
    made.write(ASKING)
    made.write(NO_REBOOT + BACKUP, parent=made.parent(), subject="Re: server down")
    return made


def record_of(desk: Office) -> Any:
    return json.loads(desk.call(evidence, desk.ticket()))


def saved(desk: Office, made: object) -> str:
    file = desk.config.parent / "record.json"
    file.write_text(json.dumps(made))
    return str(file)


def resealed(made: Any, key: bytes) -> Any:
    """As somebody with the key would forge it."""
    return {**made, "seal": records.seal(made, key)}


class TestRecord:
    def test_what_by_whom_when_in_which_words(self, desk: Office) -> None:
        mails = sorted((desk.config.parent / "var" / "mail" / "new").iterdir())
        hashes = [hashlib.sha256(p.read_bytes()).hexdigest() for p in mails]
        made = record_of(desk)
        power, backup = made["consents"]
        assert (power["field"], power["value"], power["given_by"]) == ("power", "denied", "customer")
        assert (backup["field"], backup["value"]) == ("backup", "confirmed")
        (words,) = backup["words"]
        assert words["text"] in BACKUP
        assert words["rule"].startswith("en/")
        source = words["mail"]
        assert source["sha256"] == hashes[1]
        assert source["message_id"].endswith("@kunde.example>")
        assert (source["sender"], source["authentication"]) == ("ada@kunde.example", "unchecked")
        assert source["rules"] == "rules-1"
        assert datetime.fromisoformat(source["received_at"]).tzinfo is not None
        assert [(m["n"], m["ours"]) for m in made["mails"]] == [(1, False), (2, True), (3, False), (4, True)]
        assert made["mails"][0]["sha256"] == hashes[0]

    def test_it_is_whole_and_stays_so_while_the_ticket_goes_on(self, desk: Office) -> None:
        file = desk.config.parent / "record.json"
        desk.call(evidence, desk.ticket(), "-o", str(file))
        assert "seal checked; the same in the database" in desk.call(evidence, "--verify", str(file))
        desk.write("Thanks!\n", parent=desk.parent(), subject="Re: server down")
        desk.call(override, desk.ticket(), "power", "granted", "--because", "phone", "--by", "Berta")
        assert desk.call(evidence, "--verify", str(file)).startswith("whole: ")

    def test_no_secret_is_in_it(self, desk: Office) -> None:
        page = desk.config.parent / "record.html"
        assert SECRET not in desk.call(evidence, desk.ticket(), "--html", str(page)) + page.read_text()

    def test_the_whole_sentence_is_read_from_the_mail(self, desk: Office) -> None:
        page = desk.config.parent / "record.html"
        made = record_of(desk)
        assert [s["text"] for s in made["sentences"]] == [NO_REBOOT.strip(), BACKUP.strip()]
        desk.call(evidence, desk.ticket(), "--html", str(page))
        assert NO_REBOOT.strip() in page.read_text()
        (desk.config.parent / "var" / "mail" / "new" / "2.a.h").unlink()
        done = desk.result(evidence, desk.ticket())
        assert "mail 3 is no longer in the mailbox; the record has the words without their sentence" in done.stderr
        made = json.loads(done.stdout)
        assert made["sentences"] == []
        assert made["consents"][0]["words"][0]["text"] in NO_REBOOT

    def test_no_secret_stands_in_a_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        desk = office(tmp_path, monkeypatch)
        desk.write(ASKING)
        desk.write(f"You may reboot it with {SECRET} at any time.\n", parent=desk.parent())
        whole = desk.call(evidence, desk.ticket())
        assert SECRET not in whole
        (tmp_path / "var" / "mail" / "new" / "1.a.h").unlink()
        whole = desk.call(evidence, desk.ticket())
        assert [s["text"] for s in json.loads(whole)["sentences"]] == [f"You may reboot it with {MASK}"]

    def test_a_correction_is_the_staffs(self, desk: Office) -> None:
        desk.call(override, desk.ticket(), "power", "granted", "--because", "phone", "--by", "Berta")
        made = record_of(desk)
        power = made["consents"][0]
        assert (power["value"], power["given_by"]) == ("granted", "staff")
        assert [(w["value"], w["message"]) for w in power["words"]] == [("denied", 3)]
        assert [(c["field"], c["by"], c["because"]) for c in made["corrections"]] == [("power", "Berta", "phone")]
        desk.call(override, desk.ticket(), "power", "--undo", "--by", "Berta")
        made = record_of(desk)
        assert (made["consents"][0]["value"], made["consents"][0]["given_by"]) == ("denied", "customer")
        assert made["corrections"] == []

    def test_the_page_is_for_paper_and_escapes_strangers_words(self, desk: Office) -> None:
        desk.call(override, desk.ticket(), "power", "granted", "--because", "<script>alert(1)</script>", "--by", "B")
        page = desk.config.parent / "record.html"
        desk.call(evidence, desk.ticket(), "-o", str(desk.config.parent / "r.json"), "--html", str(page))
        html = page.read_text()
        assert "<script" not in html
        assert "&lt;script&gt;alert(1)" in html
        assert "Chain of events</dt><dd>whole" in html
        assert "@media print" in html
        assert "http" not in html.replace("http-equiv", "")

    def test_a_change_in_the_database_is_told(self, desk: Office) -> None:
        page = desk.config.parent / "record.html"
        with desk.store().write() as c:
            c.execute(update(events).where(events.c.detail == "backup").values(detail="nothing"))
        done = desk.result(evidence, desk.ticket(), "--html", str(page), status=1)
        assert "event 3 (missing," in done.stderr
        assert "was changed" in done.stderr
        assert "broken" in page.read_text()

    @pytest.mark.parametrize(
        ("arguments", "status", "words"),
        [
            ([], 2, "give either TICKET, or --verify FILE"),
            (["T0"], 1, "no ticket T0"),
            (["--verify", "/none/x.json"], 2, "give the file of a record"),
            (["--verify", "x", "-o", "y"], 2, "--verify writes nothing"),
            (["T0", "--verify", "x"], 2, "give either TICKET, or --verify FILE"),
        ],
    )
    def test_wrong_use_is_a_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, words: str
    ) -> None:
        assert words in office(tmp_path, monkeypatch).result(evidence, *arguments, status=status).stderr

    def test_verifying_elsewhere_makes_no_database_and_no_key(
        self, desk: Office, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        file = saved(desk, record_of(desk))
        away = tmp_path_factory.mktemp("away")
        (away / "config.toml").write_text("")
        done = CliRunner().invoke(evidence, ["--verify", file, "--config", str(away / "config.toml")])
        assert done.exit_code == 0
        assert "seal not checked: the key is not here; not compared" in done.stdout
        assert not (away / "var").exists()


class TestVerify:
    def changed(self, desk: Office, made: Any, status: int = 1) -> str:
        return desk.call(evidence, "--verify", saved(desk, made), status=status)

    def test_which_event_was_changed(self, desk: Office) -> None:
        made = record_of(desk)
        made["events"][1]["detail"] = "complete"
        said = self.changed(desk, made)
        assert "CHANGED  event 2 (status, " in said
        assert "event 3" not in said
        assert "the seal does not fit" in said

    def test_a_changed_consent(self, desk: Office) -> None:
        made = record_of(desk)
        made["consents"][0]["value"] = "granted"
        assert "the section 'consents' was changed" in self.changed(desk, made)

    def test_an_event_left_out_or_put_in(self, desk: Office) -> None:
        def left_out(found: list[Any]) -> None:
            del found[2]

        def put_in(found: list[Any]) -> None:
            found.insert(2, dict(found[1]))

        def cut_short(found: list[Any]) -> None:
            del found[-1]

        for change in (left_out, put_in, cut_short):
            made = record_of(desk)
            change(made["events"])
            assert "removed" in self.changed(desk, made), change

    def test_a_chain_computed_anew_lacks_the_seal_and_differs_from_the_database(self, desk: Office) -> None:
        made = record_of(desk)
        forged = [Link(Event(x.event.at, x.event.ticket, x.event.kind, x.event.detail), "") for x in links_of(made)]
        first = forged[0]
        detail = first.event.detail.replace('"value":"granted"', '"value":"denied"')
        assert detail != first.event.detail
        forged[0] = Link(Event(first.event.at, first.event.ticket, first.event.kind, detail), "")
        previous, links = "", []
        for link in forged:
            previous = hash_of(covered(link.event), previous)
            links.append(Link(link.event, previous))
        again = records.record(
            made["ticket"], links, made["hoster"], datetime.fromisoformat(made["made_at"]), b"k" * 32
        )
        said = self.changed(desk, again)
        assert "the seal does not fit" in said
        assert "the database has another event 1" in said
        assert verifying.verify(again) == ()

    def test_what_is_no_record(self, desk: Office) -> None:
        good = record_of(desk)
        for broken, words in (
            ("no json", "no JSON of a record"),
            ({"format": "x"}, "no record of consent"),
            ([], "no record of consent"),
            ({**good, "events": 3}, "holds no events"),
            ({**good, "events": [{}]}, "event 1 is not built as one"),
            ({**good, "events": [{**good["events"][0], "at": "soon"}]}, "event 1 has no time"),
            ({**good, "events": [{**good["events"][0], "at": "2026-11-23T09:00:00"}]}, "a time without zone"),
            ({**good, "made_at": 1.5}, "no JSON of a record"),
        ):
            file = desk.config.parent / "broken.json"
            file.write_text(broken if isinstance(broken, str) else json.dumps(broken))
            assert words in desk.result(evidence, "--verify", str(file), status=1).stderr

    @given(st.data())
    def test_any_change_is_told(self, data: st.DataObject) -> None:
        made = json.loads(json.dumps(SAMPLE))
        where = data.draw(st.sampled_from(sorted(made)))
        event = data.draw(st.integers(0, len(made["events"]) - 1))
        name = data.draw(st.sampled_from(["detail", "kind", "ticket", "hash", "at"]))
        if where == "events":
            value = made["events"][event][name]
            at = data.draw(st.integers(0, len(value) - 1))
            new = value[:at] + data.draw(st.characters(codec="ascii")) + value[at + 1 :]
            if new == value:
                return
            made["events"][event][name] = new
        else:
            made[where] = data.draw(JSON.filter(lambda v: v != SAMPLE[where]))
        with contextlib.suppress(EvidenceError):
            assert verifying.verify(made, b"k" * 32)

    def test_a_seal_that_was_taken_off(self) -> None:
        bare = {k: v for k, v in SAMPLE.items() if k != "seal"}
        assert verifying.verify(bare, b"k" * 32) == ("the seal was removed",)
        assert verifying.verify(bare) == ()


class TestSentence:
    def test_it_ends_where_sentences_do(self) -> None:
        text = "Hello.\n\nYou may\nreboot it. Not before 22.00 though! Thanks"
        at = text.index("reboot")
        assert records.sentence(text, at, at + 6) == "You may reboot it."
        at = text.index("before")
        assert records.sentence(text, at, at + 6) == "Not before 22.00 though!"
        assert records.sentence(text, len(text) - 6, len(text)) == "Thanks"

    @given(st.text(max_size=2000), st.integers(0, 2000), st.integers(0, 50))
    def test_it_holds_the_words_and_is_short(self, text: str, start: int, length: int) -> None:
        start = min(start, len(text))
        end = min(len(text), start + length)
        made = records.sentence(text, start, end)
        assert " ".join(text[start:end].split()) in made
        assert len(made) <= length + 2 * 300


def links_of(made: Any) -> list[Link]:
    return [
        Link(Event(datetime.fromisoformat(e["at"]), e["ticket"], e["kind"], e["detail"]), e["hash"])
        for e in made["events"]
    ]


def sample() -> Any:
    """A small record, made without a store."""
    words = Evidence("power", "granted", "en/x", 1, 0, 3, f"yes {SECRET}")
    verdict = Verdict("en", ("intervention",), ("48213",), power="granted", evidence=(words,))
    received = Received(1, "ab" * 32, "<1@k>", "ada@kunde.example", MONDAY)
    made = [
        mail_event(MONDAY, "T1", received, "rules", verdict, [SECRET]),
        Event(MONDAY, "T1", "status", "incomplete"),
        judged_event(MONDAY, "T1", "replay", "rules-2", verdict, [SECRET]),
    ]
    previous, links = "", []
    for event in made:
        previous = hash_of(covered(event), previous)
        links.append(Link(event, previous))
    return records.record("T1", links, "HOST", MONDAY, b"k" * 32)


SAMPLE = sample()


def test_words_are_masked_before_they_are_noted() -> None:
    assert SECRET not in json.dumps(SAMPLE)
    assert SAMPLE["consents"][0]["words"][0]["text"] == "yes ********"
    assert verifying.verify(SAMPLE, b"k" * 32) == ()
    assert verifying.verify(SAMPLE, b"x" * 32) == (
        "the seal does not fit: something was changed, or another installation's key made it",
    )
