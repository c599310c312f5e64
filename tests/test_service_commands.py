"""The commands as people call them, on a Maildir, with plain rules; and that no secret lies about afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from service_kit import ROOT, PlainEngine, mail, written

from checker.cli import wiring
from checker.cli.digest import digest
from checker.cli.doctor import doctor
from checker.cli.run import run
from checker.cli.show import show
from checker.cli.tickets import tickets
from checker.service import workshop
from checker.service.workshop import Rules

SECRET = "Zx9-hunter-2!"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rules = Rules(PlainEngine(), *written(), "plain")
    monkeypatch.setattr(wiring, "load_rules", lambda _: rules)
    monkeypatch.setattr(workshop, "load_rules", lambda _: rules)
    monkeypatch.setattr(workshop.RulesHolder, "refresh", lambda _: False)
    file = tmp_path / "config.toml"
    file.write_text(
        f'[folders]\nrules = "{ROOT / "rules"}"\nreplies = "{ROOT / "replies"}"\n'
        '[digest]\nrecipients = ["staff@hoster.example"]\nat = "00:00"\n'
        'days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]\n[logs]\nformat = "json"\n'
    )
    return file


def drop(config: Path, raw: bytes, name: str) -> None:
    root = config.parent / "var" / "mail"
    for part in ("tmp", "new", "cur"):
        (root / part).mkdir(parents=True, exist_ok=True)
    (root / "new" / name).write_bytes(raw)


def call(command: object, config: Path, *arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(command, [*arguments, "--config", str(config)])  # type: ignore[arg-type]  # a command
    assert result.exit_code == status, result.output + repr(result.exception)
    return result.output


def test_one_round_and_what_is_to_be_seen_of_it(config: Path) -> None:
    drop(config, mail(f"request: yes\nserver: 48213\nroot: {SECRET}\n", subject=f"help {SECRET}"), "1.a.h")
    drop(config, b"", "2.b.h")
    assert "processed 2, reminded 0, delivered 2, digest written" in call(run, config, "--once")
    listed = json.loads(call(tickets, config, "--json").splitlines()[-1])
    assert listed["missing"] == ["power_authorization", "backup"]
    name = listed["ticket"]
    shown = call(show, config, name)
    assert "root / ********" in shown
    assert SECRET not in shown
    revealed = call(show, config, name, "--reveal")
    assert f"root / {SECRET}" in revealed
    assert "revealed by" in call(show, config, name)
    assert "larger" not in call(tickets, config, "quarantined")
    assert name in call(digest, config, "--text")
    call(tickets, config, "close", name)
    assert name not in call(tickets, config)
    assert name in call(tickets, config, "--all")
    call(tickets, config, "reopen", f"#{name.lower()}")
    assert name in call(tickets, config)


def test_a_ticket_that_a_colleague_took_is_given_back(config: Path) -> None:
    drop(config, mail("request: yes\n", message_id="<1@kunde.example>"), "1.a.h")
    drop(config, mail("Which server?\n", sender="support@hoster.example", parent="<1@kunde.example>"), "2.b.h")
    call(run, config, "--once")
    (listed,) = [json.loads(x) for x in call(tickets, config, "--json").splitlines()]
    assert listed["flags"] == ["paused"]
    call(tickets, config, "resume", listed["ticket"])
    assert "not paused" in call(tickets, config, "resume", listed["ticket"], status=1)
    assert "resumed" in call(show, config, listed["ticket"])


def test_no_secret_lies_about_afterwards(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = f"request: yes\nserver: 48213\nroot: {SECRET}\nAgain: root/{SECRET}\n"
    drop(config, mail(body, subject=f"help {SECRET}"), "1.a.h")
    drop(config, mail(f"crash-the-reader {SECRET}\n", sender="b@kunde.example"), "2.b.h")
    out = call(run, config, "--once")
    out += call(digest, config, "--text")
    out += "".join(capfd.readouterr())
    assert SECRET not in out
    for path in (config.parent / "var").rglob("*"):
        if path.is_file() and "mail" not in path.relative_to(config.parent / "var").parts[:1]:
            assert SECRET.encode() not in path.read_bytes(), path


def test_the_doctor_tells_what_fails_and_what_to_do(config: Path) -> None:
    said = call(doctor, config)
    assert "FAIL" not in said
    assert "ok    mailbox support: INBOX opens" in said
    (config.parent / "broken").write_text("")
    config.write_text(config.read_text() + '[outgoing]\nkind = "maildir"\npath = "broken"\n')
    said = call(doctor, config, status=1)
    assert "FAIL  outgoing" in said
    assert "set outgoing.path to a writable folder" in said


def test_health_is_the_age_of_the_heartbeat(config: Path) -> None:
    assert "start the service" in call(doctor, config, "--health", status=1)
    call(run, config, "--once")
    assert "last heartbeat" in call(doctor, config, "--health")
    os.utime(config.parent / "var" / "heartbeat", (1, 1))
    call(doctor, config, "--health", status=1)


@pytest.mark.parametrize(
    ("command", "arguments", "status", "words"),
    [
        (tickets, ["close", "T0"], 1, "no ticket T0"),
        (tickets, ["retry", "7"], 1, "mail 7 is not in quarantine"),
        (show, ["T0"], 1, "no ticket T0"),
        (digest, ["--since", "yesterday"], 2, "write 2026-11-23"),
    ],
)
def test_wrong_use_is_a_sentence(config: Path, command: object, arguments: list[str], status: int, words: str) -> None:
    assert words in call(command, config, *arguments, status=status)


def test_the_program_as_a_process(tmp_path: Path) -> None:
    def checker(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "checker.cli.main", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )

    assert checker("--help").returncode == 0
    wrong = checker("run", "--config", str(tmp_path / "none.toml"))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "give the configuration with --config FILE" in wrong.stderr
    assert checker("fly").returncode == 2
    (tmp_path / "config.toml").write_text("[hosterr]\n")
    wrong = checker("run", "--config", str(tmp_path / "config.toml"))
    assert wrong.returncode == 2
    assert "did you mean 'hoster'" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_the_service_stops_on_sigterm_and_keeps_its_heartbeat(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[folders]\nrules = "{ROOT / "rules"}"\nreplies = "{ROOT / "replies"}"\n[service]\npoll_seconds = 1\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "checker.cli.main", "run", "--config", str(tmp_path / "config.toml")],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    heartbeat = tmp_path / "var" / "heartbeat"
    until = time.monotonic() + 60
    while not heartbeat.exists() and time.monotonic() < until:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.1)
    assert heartbeat.exists()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    events = [json.loads(x)["event"] for x in said.splitlines() if x.startswith("{")]
    assert events[0] == "started"
    assert events[-1] == "stopped"
