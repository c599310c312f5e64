"""``checker replay``, ``stats`` and ``export``: newer rules over stored tickets, numbers, and samples."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cli_kit import ASKING, BACKUP, MONDAY, NO_REBOOT, SECRET, Office, engine, office
from hypothesis import given
from hypothesis import strategies as st
from service_kit import written

from checker.cli import wiring
from checker.cli.export import export
from checker.cli.override import override
from checker.cli.replay import replay
from checker.cli.rules import measure
from checker.cli.show import show
from checker.cli.stats import stats
from checker.cli.tickets import tickets
from checker.comply.procedure import Procedure
from checker.edges.mailbox import Unreachable
from checker.edges.maildir import Maildir
from checker.edges.records import Event, Ticket
from checker.mail.words import MailWords
from checker.model import Findings, Label, Message, Span, Statement, Status, TicketStatus, Verdict
from checker.service import corrections
from checker.service.audit import VALUES, Override
from checker.service.statistics import statistics
from checker.service.workshop import Rules


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = office(tmp_path, monkeypatch)
    made.write(ASKING)
    return made


@dataclasses.dataclass(frozen=True, slots=True)
class Newer:
    """The shipped rules, and one more: who asks for a restart has a backup."""

    version: str = "newer"

    @property
    def mail(self) -> MailWords:
        return engine().mail

    @property
    def procedure(self) -> Procedure:
        return engine().procedure

    def read(self, message: Message, earlier: Sequence[Findings] = ()) -> Findings:
        found = engine().read(message, earlier)
        at = message.text.find("please restart it")
        if at < 0 or message.from_us:
            return found
        span = Span(message.n, at, at + 17, "please restart it")
        more = Statement(Label.BACKUP_CONFIRMED, Status.ASSERTED, span, "newer")
        return dataclasses.replace(found, statements=(*found.statements, more))

    def judge(self, thread: Sequence[Findings]) -> Verdict:
        return engine().judge(thread)


@pytest.fixture
def newer(desk: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The same ticket, with newer rules."""
    monkeypatch.setattr(wiring, "load_rules", lambda _: Rules(Newer(), *written(), "newer-1"))
    return desk


class TestReplay:
    def test_the_same_rules_change_nothing(self, desk: Office) -> None:
        desk.write(NO_REBOOT, parent=desk.parent())
        before = desk.listed()
        done = desk.result(replay)
        assert done.stdout == ""
        assert "1 tickets judged again, 0 would change" in done.stderr
        desk.call(replay, "--apply")
        assert desk.listed() == before

    def test_newer_rules_are_shown_and_change_nothing(self, newer: Office) -> None:
        before, name = newer.listed(), newer.ticket()
        shown = newer.call(replay).splitlines()
        assert shown == [
            f"{name}  status: incomplete -> complete",
            f"{name}  missing: backup -> -",
            f"{name}  backup: - -> confirmed",
        ]
        assert json.loads(newer.call(replay, "--json", "--ticket", name)) == {
            "ticket": name,
            "changes": {"status": ["incomplete", "complete"], "missing": ["backup", "-"], "backup": ["-", "confirmed"]},
            "gone": [],
        }
        assert newer.listed() == before

    def test_apply_writes_them(self, newer: Office) -> None:
        name = newer.ticket()
        assert "1 changed" in newer.result(replay, "--apply").stderr
        (row,) = newer.listed()
        assert (row["status"], row["missing"]) == ("complete", [])
        assert row["ready_at"] is not None
        told = json.loads(newer.call(show, name, "--json"))
        assert told["values"]["backup"] == "confirmed"
        assert ("status", "complete") in [(e["kind"], e["detail"]) for e in told["history"]]
        assert [x["kind"] for x in told["sent"]] == ["ask"]
        assert newer.call(replay) == ""
        for file in (newer.config.parent / "var").glob("checker.sqlite3*"):
            assert SECRET.encode() not in file.read_bytes()

    def test_corrections_stand_over_newer_rules(self, newer: Office) -> None:
        name = newer.ticket()
        newer.call(override, name, "backup", "inadequate", "--because", "half of it", "--by", "Berta")
        assert newer.call(replay) == ""

    def test_mails_that_are_gone_are_named_and_count_as_read_then(self, newer: Office) -> None:
        name = newer.ticket()
        (newer.config.parent / "var" / "mail" / "new" / "1.a.h").unlink()
        assert newer.call(replay) == f"{name}  mail 1 is no longer in the mailbox; what was found in it then counts\n"
        assert json.loads(newer.call(replay, "--json"))["gone"] == [1]
        newer.call(replay, "--apply")
        assert newer.listed()[0]["missing"] == ["backup"]

    def test_closed_tickets_are_left_alone(self, newer: Office) -> None:
        name = newer.ticket()
        newer.call(tickets, "close", name)
        assert "0 tickets" in newer.result(replay).stderr
        assert "1 tickets" in newer.result(replay, "--all").stderr
        assert "1 tickets" in newer.result(replay, "--ticket", name).stderr

    def test_a_mailbox_that_is_away(self, newer: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: object) -> bytes:
            raise Unreachable("the server is away; look at it")

        monkeypatch.setattr(Maildir, "reread", away)
        assert "the server is away; look at it" in newer.result(replay, status=1).stderr
        assert "no ticket T0" in newer.result(replay, "--ticket", "T0", status=1).stderr

    def test_a_ticket_that_changes_meanwhile_is_left_alone(
        self, newer: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = sys.modules["checker.cli.replay"]  # the package's name for it is the command's
        apply = module._apply

        def closed_first(*arguments: object) -> list[str]:
            newer.call(tickets, "close", newer.ticket())
            found: list[str] = apply(*arguments)
            return found

        monkeypatch.setattr(module, "_apply", closed_first)
        done = newer.result(replay, "--apply", status=1)
        assert "changed meanwhile and was left as it is" in done.stderr
        assert newer.listed()[0]["status"] == "incomplete"

    def test_several_processes_say_the_same(self, desk: Office) -> None:
        desk.write("Server 51877 is down, please restart it.\n", sender="Bo <bo@laden.example>")
        with desk.store().write() as c:
            c.exec_driver_sql("UPDATE tickets SET missing = '[\"server_id\"]'")
        one, two = desk.call(replay, "--json"), desk.call(replay, "--json", "--jobs", "2")
        assert one == two
        assert one.count('"missing": ["server_id", "backup"]') == 2


def request(name: str, **more: object) -> Ticket:
    made = Ticket(name, 0, MONDAY, MONDAY, "incomplete", "it", "s", "a@k.example", "", kinds=("intervention",))
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]  # by name


class TestStatistics:
    def test_numbers(self) -> None:
        hour = timedelta(hours=1)
        made = statistics(
            [
                request("T1", ready_at=MONDAY + hour, status="complete"),
                request("T2", ready_at=MONDAY + 5 * hour, status="complete", asks=1, language="de"),
                request("T3", ready_at=MONDAY + 3 * hour, status="complete", asks=2, kinds=("hardware",)),
                request("T4", asks=1, kinds=("hardware", "intervention")),
                request("T5", status=TicketStatus.NOT_A_REQUEST.value, kinds=()),
            ],
            [
                Event(MONDAY, "T2", "missing", "backup,server_id"),
                Event(MONDAY, "T3", "missing", "impact"),
                Event(MONDAY + hour, "T3", "missing", "impact,backup"),
                Event(MONDAY, "T4", "missing", "backup"),
                Event(MONDAY, "T9", "missing", "component"),
            ],
        )
        assert (made.whole.tickets, made.whole.complete, made.whole.complete_at_first) == (4, 3, 1)
        assert made.whole.median_to_complete == 3 * hour
        assert made.whole.forgotten == (("backup", 2), ("impact", 1), ("server_id", 1))
        assert [(x.name, x.tickets) for x in made.languages] == [("de", 1), ("it", 3)]
        assert [(x.name, x.tickets, x.forgotten) for x in made.kinds] == [
            ("hardware", 2, (("backup", 1), ("impact", 1))),
            ("intervention", 3, (("backup", 2), ("server_id", 1))),
        ]

    def test_nothing_yet(self) -> None:
        made = statistics([], [])
        assert (made.whole.tickets, made.whole.median_to_complete, made.languages) == (0, None, ())

    @given(st.lists(st.tuples(st.sampled_from(["it", "de"]), st.integers(0, 3), st.booleans())))
    def test_the_languages_add_up(self, rows: list[tuple[str, int, bool]]) -> None:
        made = statistics(
            [
                request(f"T{i}", language=language, asks=asks, ready_at=MONDAY if ready else None)
                for i, (language, asks, ready) in enumerate(rows)
            ],
            [],
        )
        for name in ("tickets", "complete", "complete_at_first"):
            assert sum(getattr(x, name) for x in made.languages) == getattr(made.whole, name)

    def test_the_command(self, desk: Office) -> None:
        made = json.loads(desk.call(stats, "--json"))
        assert made["all"] == {
            "tickets": 1, "complete": 0, "complete_at_first": 0, "median_seconds_to_complete": None,
            "forgotten": {"backup": 1},
        }  # fmt: skip
        assert made["languages"] == {"en": made["all"]}
        assert made["kinds"] == {"intervention": made["all"]}
        desk.write(BACKUP, parent=desk.parent())
        shown = desk.call(stats)
        assert "all requests: 1 request, 1 complete, 0 at the first mail, median 0 h 0 min" in shown
        assert "  forgotten: backup 1" in shown
        assert json.loads(desk.call(stats, "--json", "--since", "2999-01-01"))["all"]["tickets"] == 0
        assert "write 2026-11-23" in desk.result(stats, "--since", "soon", status=2).stderr


class TestExport:
    def lines(self, desk: Office) -> list[dict[str, object]]:
        file = desk.config.parent / "samples.jsonl"
        desk.call(export, "--corrections", str(file))
        return [json.loads(x) for x in file.read_text().splitlines()]

    def test_words_with_the_labels_that_a_person_gave_them(self, desk: Office) -> None:
        name = desk.ticket()
        assert self.lines(desk) == []
        desk.call(override, name, "power", "denied", "--because", f"irony, {SECRET}", "--by", "Berta")
        (line,) = self.lines(desk)
        assert line == {
            "text": "please restart it", "labels": ["power_denied"], "language": "en", "read_as": ["power_granted"],
            "ticket": name, "field": "power", "value": "denied", "because": "irony, ********",
        }  # fmt: skip
        measured = desk.call(measure, str(desk.config.parent / "samples.jsonl"), "--errors")
        assert "not ['power_denied']" in measured
        desk.call(override, name, "power", "--undo", "--by", "Berta")
        assert self.lines(desk) == []

    def test_words_that_the_person_quotes(self, desk: Office) -> None:
        words = f"it is all on tape, as is {SECRET}"
        desk.call(override, desk.ticket(), "backup", "confirmed", "--because", "x", "--by", "B", "--words", words)
        (line,) = self.lines(desk)
        assert line["text"] == "it is all on tape, as is ********"
        assert line["labels"] == ["backup_confirmed"]

    def test_a_correction_without_words_is_named(self, desk: Office) -> None:
        name = desk.ticket()
        desk.call(override, name, "backup", "confirmed", "--because", "on the phone", "--by", "B")
        file = desk.config.parent / "samples.jsonl"
        assert f"{name} backup: no words are known" in desk.result(export, "--corrections", str(file)).stderr

    def test_a_file_that_cannot_be(self, desk: Office) -> None:
        done = desk.result(export, "--corrections", "/proc/none/x", status=2)
        assert "give another --corrections FILE" in done.stderr

    def test_every_value_has_labels(self) -> None:
        for field, values in VALUES.items():
            for value in values:
                assert corrections.LABELS[field, value], (field, value)

    def test_what_was_not_said_has_none(self) -> None:
        said = Statement(Label.POWER_GRANTED, Status.QUESTION, Span(1, 0, 4, "may?"), "r")
        thread = [Findings(1, "sl", statements=(said, said)), Findings(2, "it", statements=(said,))]
        o = Override("power", "none", "b", "p", MONDAY, 1)
        (made,) = corrections.samples("T1", [o], thread, "it")
        assert (made.text, made.labels, made.language) == ("may?", (), "sl")
        assert made.read_as == ("power_granted (question)",)
