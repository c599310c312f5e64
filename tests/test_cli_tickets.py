"""``checker tickets``, ``show``, ``override`` and ``replies preview`` as people call them, with the shipped rules."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import click
import pytest
from cli_kit import ASKING, BACKUP, MONDAY, NO_REBOOT, SECRET, Office, engine, office
from click.testing import CliRunner
from service_kit import ROOT

from checker.cli import terminal
from checker.cli.main import cli
from checker.cli.override import override
from checker.cli.replies import replies
from checker.cli.show import show
from checker.cli.tickets import Filters, age, tickets
from checker.edges.findings_json import dump, mask_known
from checker.edges.records import Ticket
from checker.edges.store import tickets as rows
from checker.model import MASK, Access, Credential, Evidence, Findings, Rejected, Secret, Span, TicketStatus, Verdict
from checker.service.audit import Override, corrected


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return office(tmp_path, monkeypatch)


@pytest.fixture
def asked(desk: Office) -> Office:
    """One ticket that lacks the backup."""
    desk.write(ASKING)
    return desk


class TestReplies:
    def test_a_made_up_ticket(self, desk: Office) -> None:
        said = desk.call(replies, "preview", "--language", "de", "--kind", "ask")
        assert said.startswith("Subject: Re: Server 48213 [T-1042]\n\nGuten Tag")
        assert "1. " in said

    def test_rounds_and_kinds_differ(self, desk: Office) -> None:
        made = [
            desk.call(replies, "preview", "--kind", kind, "--round", number)
            for kind, number in (("ask", "1"), ("ask", "2"), ("ask", "3"), ("reminder", "1"), ("handover", "1"))
        ]
        assert len(set(made)) == 5

    def test_html_goes_into_a_file(self, desk: Office) -> None:
        file = desk.config.parent / "reply.html"
        desk.call(replies, "preview", "--language", "it", "--html", str(file))
        assert '<html lang="it"' in file.read_text()

    def test_a_stored_ticket(self, asked: Office) -> None:
        name = asked.ticket()
        said = asked.call(replies, "preview", "--ticket", name)
        assert f"Subject: Re: server down [#{name}]" in said
        assert "48213" in said
        assert SECRET not in said
        assert asked.call(replies, "preview", "--ticket", name, "--language", "sl") != said

    def test_nothing_to_ask_for(self, asked: Office) -> None:
        asked.write(BACKUP, parent=asked.parent())
        done = asked.result(replies, "preview", "--ticket", asked.ticket(), status=1)
        assert "nothing is missing" in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "status", "words"),
        [
            (["--language", "xx"], 2, "choose from de, en"),
            (["--round", "4"], 2, "1<=x<=3"),
            (["--ticket", "T0"], 1, "no ticket T0"),
            (["--html", "/proc/none/x.html"], 2, "give another --html FILE"),
        ],
    )
    def test_wrong_use_is_a_sentence(self, desk: Office, arguments: list[str], status: int, words: str) -> None:
        assert words in desk.result(replies, "preview", *arguments, status=status).stderr


class TestTickets:
    def test_filters(self, asked: Office) -> None:
        second = "Guten Tag,\nbitte installieren Sie auf Server 51877 Debian 12 neu.\n"
        asked.write(second, sender="Jan <jan@laden.example>", subject="Neuinstallation")
        both = asked.listed()
        assert [t["sender"] for t in both] == ["jan@laden.example", "ada@kunde.example"]
        assert [t["sender"] for t in asked.listed("--sort", "sender")] == ["ada@kunde.example", "jan@laden.example"]
        ada, jan = "ada@kunde.example", "jan@laden.example"
        for arguments, wanted in (
            (("--missing", "backup"), [ada]),
            (("--missing", "data_loss_consent"), [jan]),
            (("--kind", "os_reinstall"), [jan]),
            (("--kind", "intervention", "--language", "de"), []),
            (("--language", "de"), [jan]),
            (("--sender", "KUNDE"), [ada]),
            (("--status", "incomplete"), [jan, ada]),
            (("--status", "complete"), []),
            (("--older", "1h"), []),
            (("--older", "0h"), [jan, ada]),
        ):
            assert [t["sender"] for t in asked.listed(*arguments)] == wanted, arguments

    def test_how_long_ago_is_counted_from_the_customer(self) -> None:
        made = Ticket("T1", 0, MONDAY, MONDAY + timedelta(days=9), "incomplete", "it", "s", "a@k.example", "Ada")
        limit = MONDAY + timedelta(days=1)
        assert Filters(before=limit).wants(made)
        wrote = Ticket("T1", 0, MONDAY, MONDAY, "x", "it", "s", "a", "", last_customer_at=MONDAY + timedelta(days=2))
        assert not Filters(before=limit).wants(wrote)

    @pytest.mark.parametrize("text", ["3", "d", "-1d", "3m", "99999d", "٣d"])
    def test_no_length_of_time(self, text: str) -> None:
        with pytest.raises(click.BadParameter, match="write 12h, 3d or 2w"):
            age(click.Context(tickets), tickets.params[0], text)

    @pytest.mark.parametrize(
        "arguments", [["--missing", "money"], ["--kind", "party"], ["--language", "xx"], ["--older", "soon"]]
    )
    def test_unknown_filters_name_the_known(self, desk: Office, arguments: list[str]) -> None:
        said = desk.result(tickets, *arguments, status=2).stderr
        assert arguments[0] in said

    def test_a_table_on_a_terminal_and_lines_in_a_pipe(self, asked: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = asked.call(tickets)
        assert plain.count("\n") == 1
        assert "missing backup  asked 1x" in plain
        monkeypatch.setattr("checker.cli.tickets.on_terminal", lambda: True)
        shown = asked.call(tickets)
        assert shown.split()[:2] == ["tickets:", "1"]
        assert "┃ ticket" in shown.replace("\n", " ")
        assert "backup" in shown

    def test_a_strangers_subject_steers_no_terminal(self, desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.write(ASKING, subject="[red]x[/red] =?utf-8?q?=1B=5B31m?=")
        for on in (False, True):
            monkeypatch.setattr("checker.cli.show.on_terminal", lambda on=on: on)
            shown = desk.call(show, desk.ticket())
            assert "\x1b" not in shown
            assert "[red]" in shown

    def test_an_unknown_ticket_is_exit_2(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text(
            f'[folders]\nrules = "{ROOT / "rules"}"\nreplies = "{ROOT / "replies"}"\n'
        )
        done = subprocess.run(
            [sys.executable, "-m", "checker.cli.main", "show", "T0", "--config", str(tmp_path / "config.toml")],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert "no ticket T0; see: checker tickets --all" in done.stderr

    def test_completion_is_told_and_works(self) -> None:
        assert "_CHECKER_COMPLETE" in CliRunner().invoke(cli, ["--help"]).output
        typed = {"_CHECKER_COMPLETE": "bash_complete", "COMP_WORDS": "checker ov", "COMP_CWORD": "1"}
        done = CliRunner().invoke(cli, [], prog_name="checker", env=typed)
        assert "override" in done.output

    def test_bars_are_for_terminals(self, capsys: pytest.CaptureFixture[str]) -> None:
        with terminal.progress("work", 3) as tick:
            tick()
        assert capsys.readouterr() == ("", "")


class TestShow:
    def test_mail_by_mail(self, asked: Office) -> None:
        asked.write(NO_REBOOT + BACKUP, parent=asked.parent(), subject="Re: server down")
        name = asked.ticket()
        shown = asked.call(show, name)
        assert 'said: power_granted "please restart it" (en/' in shown
        assert "gives: power granted" in shown
        assert "changes: power granted -> denied" in shown
        assert "verdict: incomplete; missing backup" in shown
        assert "verdict: complete" in shown
        assert "ask: sent" in shown
        assert SECRET not in shown
        told = json.loads(asked.call(show, name, "--json"))
        assert SECRET not in json.dumps(told)
        assert told["values"] == {
            "power": "denied", "backup": "confirmed", "data_loss_consent": None, "hardware_acknowledgement": None,
            "impact": None,
        }  # fmt: skip
        steps = told["timeline"]
        assert [s["n"] for s in steps] == [1, 2, 3, 4]
        assert [s["ours"] for s in steps] == [False, True, False, True]
        assert steps[0]["answers"][0]["kind"] == "ask"
        assert steps[2]["contradicted"] == ["power"]
        assert steps[2]["changed"] == [["power", "granted", "denied"], ["backup", "-", "confirmed"]]
        assert [s["kind"] for s in told["sent"]] == ["ask", "confirmation"]

    def test_what_was_taken_back_and_why_nobody_was_answered(self, desk: Office) -> None:
        (desk.config).write_text(desk.config.read_text() + "enabled = false\n")
        desk.write("Server 48213 is down.\nYou may reboot it once I have confirmed, not before.\n")
        step = json.loads(desk.call(show, desk.ticket(), "--json"))["timeline"][0]
        assert [(x["what"], x["status"].split()[0]) for x in step["withdrew"]] == [("power_granted", "condition")]
        assert step["answers"] == [{"kind": "suppressed", "state": "replies-off", "detail": ""}]
        assert "not answered: replies-off" in desk.call(show, desk.ticket())

    def test_two_ways_of_showing_exclude_each_other(self, asked: Office) -> None:
        assert "give one of them" in asked.result(show, asked.ticket(), "--json", "--reveal", status=2).stderr


class TestOverride:
    BY = ("--by", "Berta Rossi")

    def test_a_person_sets_a_value_and_takes_it_back(self, asked: Office) -> None:
        name = asked.ticket()
        said = asked.call(override, name, "backup", "confirmed", "--because", "said so on the phone", *self.BY)
        assert f"{name}: complete" in said
        sentence = "backup = confirmed: set by Berta Rossi because said so on the phone"
        assert sentence in said
        assert sentence in asked.call(show, name)
        (row,) = asked.listed()
        assert (row["status"], row["missing"]) == ("complete", [])
        assert row["ready_at"] is not None
        from checker.cli.digest import digest

        assert "backup: confirmed (by Berta Rossi: said so on the phone)" in " ".join(
            asked.call(digest, "--text").split()
        )
        said = asked.call(override, name, "backup", "--undo", *self.BY)
        assert "incomplete, missing backup" in said
        (row,) = asked.listed()
        assert (row["status"], row["missing"], row["ready_at"]) == ("incomplete", ["backup"], None)
        history = [(e["kind"], e["detail"]) for e in json.loads(asked.call(show, name, "--json"))["history"]]
        assert ("override", sentence) in history
        assert ("override-undone", "backup: by Berta Rossi") in history

    def test_it_stands_over_later_mails(self, asked: Office) -> None:
        name = asked.ticket()
        asked.call(override, name, "power", "denied", "--because", "called", *self.BY)
        asked.write(BACKUP, parent=asked.parent())
        told = json.loads(asked.call(show, name, "--json"))
        assert told["values"]["power"] == "denied"
        assert told["status"] == "complete"
        assert told["timeline"][0]["changed"] == [["power", "-", "granted"]]
        assert told["timeline"][2]["changed"] == [["power", "granted", "denied"], ["backup", "-", "confirmed"]]

    def test_the_customer_has_the_last_word(self, asked: Office) -> None:
        name = asked.ticket()
        asked.call(override, name, "power", "granted", "--because", "called", *self.BY)
        asked.write(NO_REBOOT + BACKUP, parent=asked.parent())
        told = json.loads(asked.call(show, name, "--json"))
        assert (told["status"], told["review"]) == ("review", ["said-otherwise:power"])

    def test_kinds(self, asked: Office) -> None:
        name = asked.ticket()
        asked.call(override, name, "request-kinds", "hardware,intervention", "--because", "a disk, too", *self.BY)
        (row,) = asked.listed()
        assert row["request_kinds"] == ["intervention", "hardware"]
        assert row["missing"] == ["backup", "component", "impact", "hardware_acknowledgement"]
        asked.call(override, name, "request_kinds", "none", "--because", "only an invoice", *self.BY)
        (row,) = asked.listed()
        assert (row["status"], row["missing"]) == ("not_a_request", [])

    def test_a_password_that_is_typed_in_is_not_kept(self, asked: Office) -> None:
        name = asked.ticket()
        why = f"logged in with root:{SECRET}, it works"
        said = asked.call(override, name, "backup", "confirmed", "--because", why, "--words", f'"{SECRET}"', *self.BY)
        assert f"because logged in with root:{MASK}" in said
        for file in (asked.config.parent / "var").glob("checker.sqlite3*"):
            assert SECRET.encode() not in file.read_bytes()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["backup", "maybe"], "the values are confirmed, absent_accepted, absent, inadequate, and none"),
            (["power", "conflict"], "the values are granted, denied"),
            (["request_kinds", "party"], "intervention, os_reinstall, hardware (several joined by commas)"),
            (["colour", "red"], "the fields are power, backup, data_loss_consent"),
            (["backup"], "VALUE is missing"),
            (["backup", "confirmed", "--undo"], "either VALUE or --undo"),
        ],
    )
    def test_unknown_values_name_the_known_ones(self, asked: Office, arguments: list[str], words: str) -> None:
        given = [*arguments, "--because", "x", *self.BY]
        assert words in " ".join(asked.result(override, asked.ticket(), *given, status=2).stderr.split())
        assert asked.listed()[0]["missing"] == ["backup"]

    def test_a_name_a_reason_and_something_to_undo(self, asked: Office) -> None:
        name = asked.ticket()
        assert "--by" in asked.result(override, name, "backup", "confirmed", "--because", "x", status=2).stderr
        assert "say why" in asked.result(override, name, "backup", "confirmed", *self.BY, status=2).stderr
        assert "nothing to undo" in asked.result(override, name, "backup", "--undo", *self.BY, status=1).stderr
        assert (
            "no ticket T0"
            in asked.result(override, "T0", "backup", "confirmed", "--because", "x", *self.BY, status=1).stderr
        )


class TestCorrected:
    VERDICT = Verdict(
        "en", ("intervention",), ("48213",), power="conflict", missing=("power_authorization", "backup"),
        status=TicketStatus.REVIEW, review=("conflict:power",),
        evidence=(Evidence("power", "conflict", "r", 1, 0, 1, "x"), Evidence("backup", "absent", "r", 1, 0, 1, "x")),
    )  # fmt: skip

    def made(self, field: str = "power", value: str = "granted", after: int = 1) -> Override:
        return Override(field, value, "b", "p", MONDAY, after)

    def test_nothing_set_changes_nothing(self) -> None:
        assert corrected(self.VERDICT, (), engine().procedure) == self.VERDICT

    def test_a_conflict_is_settled(self) -> None:
        after = corrected(self.VERDICT, (self.made(),), engine().procedure)
        assert (after.power, after.review, after.missing) == ("granted", (), ("backup",))
        assert after.status is TicketStatus.INCOMPLETE
        assert [e.field for e in after.evidence] == ["backup"]

    def test_what_the_customer_did_not_say(self) -> None:
        after = corrected(self.VERDICT, (self.made("backup", "none"), self.made()), engine().procedure)
        assert (after.backup, after.missing) == (None, ("backup",))

    def test_taking_back_afterwards_is_saying_otherwise(self) -> None:
        taken = Rejected("power_granted", "", "condition: once", "r", 3, 0, 1, "x")
        for message, review in ((3, ("said-otherwise:power",)), (1, ())):
            from dataclasses import replace

            seen = replace(self.VERDICT, rejected=(replace(taken, message=message),))
            assert corrected(seen, (self.made(),), engine().procedure).review == review


def test_the_ticket_is_never_half_corrected(asked: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction, the new verdict and their notes are one transaction."""

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("checker.cli.override.rejudge", fails)
    name = asked.ticket()
    CliRunner().invoke(
        override, [name, "backup", "confirmed", "--because", "x", "--by", "B", "--config", str(asked.config)]
    )
    with asked.store().read() as c:
        assert "override" not in [e.kind for e in rows.history(c, name)]


def test_typed_in_secrets_are_told_by_their_fingerprints() -> None:
    span = Span(1, 0, 1, "x")
    key = b"k" * 32
    for secret in ("abc!", "p:w", "a", '"q"', "e."):
        stored = [dump(Findings(1, "en", credentials=(Credential(Access.OS, "root", Secret(secret), span, "r"),)), key)]
        for text in ("it is {}", "root:{}", "«{}».", "root/{}, yes"):
            assert mask_known(text.format(secret), stored, key) == text.format(MASK), (secret, text)
        assert mask_known("nothing here", stored, key) == "nothing here"
    assert mask_known("any", [], key) == "any"
