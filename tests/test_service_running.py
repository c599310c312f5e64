"""The service as a process: what supervisors and monitoring see of it, and how it ends."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from service_kit import ROOT, desk, mail

from checker.cli import run as run_module
from checker.cli.run import Service
from checker.edges import supervisor
from checker.edges.metrics import Metrics
from checker.service.round import Summary
from checker.settings import MetricsSettings, SettingsError, build

DEPLOY = ROOT / "checker" / "deploy"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def service(folder: Path, config: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """``checker run`` with a configuration; ended at the end, however it went."""
    file = folder / "config.toml"
    for name in ("rules", "replies"):  # of its own: rules that somebody edits meanwhile would be read again
        shutil.copytree(ROOT / name, folder / name)
    file.write_text(config)
    process = subprocess.Popen(
        [sys.executable, "-m", "checker.cli.main", "run", "--config", str(file)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def drop(folder: Path, raw: bytes) -> None:
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "new" / "1.a.host").write_bytes(raw)


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """An IMAP server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        yield listener


def hanging(server: socket.socket, watchdog: int = 1800) -> str:
    return (
        f"service = {{ watchdog_seconds = {watchdog} }}\n[[mailboxes]]\nname = 'x'\nkind = 'imap'\nhost = '127.0.0.1'\n"
        f"port = {server.getsockname()[1]}\nuser = 'u'\npassword = {{ env = 'HOME' }}\nidle = false\n"
        "connect_seconds = 600\n"
    )


def listening(pid: int) -> set[int]:
    """The TCP ports on which a process listens, IPv4 and IPv6, from /proc."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
        if match:
            inodes.add(match[1])
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and cells[9] in inodes:
                ports.add(int(cells[1].rpartition(":")[2], 16))
    return ports


def notified(listener: socket.socket, wanted: str, seconds: float = 60) -> list[str]:
    """Datagrams up to the one that is waited for."""
    said: list[str] = []
    until = time.monotonic() + seconds
    while wanted not in said and time.monotonic() < until:
        listener.settimeout(max(0.1, until - time.monotonic()))
        said.append(listener.recv(100).decode())
    return said


def test_watched_measured_and_stopped(tmp_path: Path) -> None:
    drop(tmp_path / "var" / "mail", mail("Hello\n", subject="Hello"))
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        given = f"metrics = {{ enabled = true, port = {port} }}\nservice = {{ poll_seconds = 1 }}\n"
        with service(tmp_path, given, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            assert notified(listener, supervisor.READY)[-1] == supervisor.READY
            assert notified(listener, supervisor.ALIVE)[-1] == supervisor.ALIVE
            assert listening(process.pid) == {port}
            values: dict[str, float] = {}
            until = time.monotonic() + 60
            while 'checker_mails{state="not_request"}' not in values and time.monotonic() < until:
                time.sleep(0.2)
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                    lines = answer.read().decode().splitlines()
                values = {k: float(v) for k, _, v in (x.rpartition(" ") for x in lines if not x.startswith("#"))}
            assert values.get('checker_mails{state="not_request"}') == 1, values
            assert values["checker_mails_processed_total"] == 1
            assert values['checker_rounds_total{result="ok"}'] >= 1
            assert values['checker_last_poll_timestamp_seconds{account="support"}'] == pytest.approx(
                time.time(), abs=60
            )
            process.send_signal(signal.SIGTERM)
            assert notified(listener, supervisor.STOPPING)[-1] == supervisor.STOPPING
            _, said = process.communicate(timeout=30)
            assert process.returncode == 0, said


def test_a_second_sigterm_ends_it_at_once_and_nothing_listens_by_default(tmp_path: Path) -> None:
    with silent_server() as server, service(tmp_path, hanging(server)) as process, server.accept()[0]:
        assert listening(process.pid) == set()
        process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        assert process.poll() is None, "the first one waits for the round"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 128 + signal.SIGTERM


def test_a_round_that_hangs_ends_the_process_for_its_supervisor(tmp_path: Path) -> None:
    with silent_server() as server, service(tmp_path, hanging(server, watchdog=2)) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 70
    last = json.loads([x for x in said.splitlines() if x.startswith("{")][-1])
    assert (last["event"], last["level"]) == ("hung", "critical")
    assert "supervisor starts it again" in last["what_to_do"]


class TestMetrics:
    def test_off_and_on_loopback_by_default(self) -> None:
        assert build({}, file="t", base=Path()).metrics == MetricsSettings(
            enabled=False, address="127.0.0.1", port=9188
        )

    def test_a_port_that_is_taken_says_what_to_change(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(SettingsError, match=r"change metrics\.port"),
        ):
            Metrics().serve(MetricsSettings(port=taken.getsockname()[1]))

    def test_what_is_no_longer_there_is_not_shown(self) -> None:
        metrics = Metrics()
        metrics.round_ended(2.0, 3, 1, failed=False)
        metrics.round_ended(2.0, 0, 0, failed=True)
        metrics.state({"new": 4, "done": 1}, {"pending": 2}, {"review": 1}, {"limit": 1}, {})
        metrics.state({"done": 5}, {}, {}, {}, {})

        def value(name: str, **labels: str) -> float | None:
            return metrics.registry.get_sample_value(name, labels)

        assert value("checker_mails", state="done") == 5
        assert value("checker_mails", state="new") is None
        assert value("checker_outbox", state="pending") is None
        assert value("checker_mails_processed_total") == 3
        assert value("checker_mails_sent_total") == 1
        assert value("checker_rounds_total", result="failed") == 1
        assert value("checker_round_seconds_sum") == 4


class TestSupervisor:
    def test_without_systemd_nothing_is_told(self) -> None:
        assert not supervisor.notify(supervisor.READY, {})
        assert not supervisor.notify(supervisor.READY, {"NOTIFY_SOCKET": "relative"})
        assert not supervisor.notify(supervisor.READY, {"NOTIFY_SOCKET": "/nowhere/at/all"})

    def test_the_abstract_namespace(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(f"\0checker-{os.getpid()}")
            assert supervisor.notify(supervisor.ALIVE, {"NOTIFY_SOCKET": f"@checker-{os.getpid()}"})
            assert listener.recv(100) == b"WATCHDOG=1"

    @pytest.mark.parametrize(
        ("working", "age", "lives"), [(False, 90, True), (False, 130, False), (True, 130, True), (True, 700, False)]
    )
    def test_a_round_may_be_silent_for_longer(self, tmp_path: Path, working: bool, age: int, lives: bool) -> None:
        file = tmp_path / "heartbeat"
        supervisor.beat(file, working=working)
        os.utime(file, (time.time() - age, time.time() - age))
        minutes = {"waiting_limit": timedelta(minutes=2), "working_limit": timedelta(minutes=10)}
        found, said = supervisor.health(file, **minutes)
        assert found is lives
        assert ("restart it" in said) is not lives

    def test_no_heartbeat(self, tmp_path: Path) -> None:
        assert supervisor.health(tmp_path / "x", waiting_limit=timedelta(1), working_limit=timedelta(1)) == (
            False,
            f"no heartbeat at {tmp_path / 'x'}; start the service: checker run",
        )


class TestDeploy:
    def unit(self) -> configparser.ConfigParser:
        made = configparser.ConfigParser(strict=False, interpolation=None)
        made.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser documents it
        made.read_string((DEPLOY / "checker.service").read_text())
        return made

    def test_the_unit_watches_and_confines(self) -> None:
        given = self.unit()["Service"]
        assert (given["Type"], given["Restart"]) == ("notify", "on-failure")
        assert int(given["WatchdogSec"]) >= 60  # told every ten seconds
        assert int(given["TimeoutStopSec"]) >= 600  # the relay's answer to a mail's last byte
        assert given["RestartPreventExitStatus"] == "2"
        for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelModules"):
            assert given[name] == "yes"
        assert given["ProtectSystem"] == "strict"
        assert given["CapabilityBoundingSet"] == ""
        assert given["UMask"] == "0077"

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
    def test_systemd_understands_the_unit(self, tmp_path: Path) -> None:
        """Every line is known to systemd; the program and the user that it names are on no test machine."""
        unit = (DEPLOY / "checker.service").read_text()
        for line in ("User=checker\n", "Group=checker\n", "Documentation=file:///opt/checker/README.md\n"):
            assert line in unit
            unit = unit.replace(line, "")
        unit = unit.replace("ExecStart=/opt/checker/.venv/bin/checker", "ExecStart=/bin/true")
        (tmp_path / "checker.service").write_text(unit)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / "checker.service")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = [x for x in done.stderr.splitlines() if "checker.service" in x]
        assert said == []

    def test_the_container_runs_as_nobody_special_and_is_watched(self) -> None:
        lines = (DEPLOY / "Containerfile").read_text().splitlines()
        user = lines.index("USER checker")
        assert user < next(i for i, x in enumerate(lines) if x.startswith("ENTRYPOINT"))
        assert any(x.startswith("HEALTHCHECK") for x in lines)
        assert '"doctor", "--health"' in (DEPLOY / "Containerfile").read_text()

    def test_both_go_into_the_package(self) -> None:
        import tomllib

        packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
        assert {"checker.service", "Containerfile"} <= set(packed["checker.deploy"])


class FakeJob:
    """Of the scheduler's job only what waking needs."""

    def __init__(self) -> None:
        self.times: list[datetime] = []

    def modify(self, *, next_run_time: datetime) -> None:
        self.times.append(next_run_time)


class TestRounds:
    def service(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: list[Callable[[], None]]) -> Service:
        def run_round(_shop: object, _open: object) -> Summary:
            rounds.pop(0)()
            return Summary()

        monkeypatch.setattr(run_module, "run_round", run_round)
        return Service(desk(tmp_path).shop)

    def test_mail_that_comes_in_mid_round_has_a_round_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = FakeJob()
        rounds: list[Callable[[], None]] = []
        made = self.service(tmp_path, monkeypatch, rounds)
        wake = made._waker(job)
        rounds += [lambda: (wake(), wake(), None)[-1], lambda: None, lambda: pytest.fail("one more was enough")]
        made.rounds()
        assert len(rounds) == 1
        assert job.times == []
        wake()
        assert len(job.times) == 1  # between rounds, the next one is brought forward

    def test_a_round_that_fails_inside_does_not_end_the_service(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> None:
            raise RuntimeError("bug")

        rounds: list[Callable[[], None]] = [fail, lambda: None]
        made = self.service(tmp_path, monkeypatch, rounds)
        with pytest.raises(RuntimeError):
            made.rounds()  # the scheduler logs it, and comes again
        made.rounds()
        assert rounds == []
