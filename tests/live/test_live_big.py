"""Big folders and big mails on a real server: nothing grows with them that must not."""

from __future__ import annotations

import imaplib
import json
import re
import subprocess
import sys
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from servers import Dovecot, Sink
from service_kit import COMPLETE, WANTING, mail
from test_live_service import live

from checker.edges.records import State

pytestmark = pytest.mark.live

MANY = 160_000  # one SEARCH ALL over so many is an answer line of more than the million bytes that clients read


class Wire:
    """What goes over IMAP connections: every line out, and the longest line in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[bytes] = []
        self.longest = 0
        send, readline = imaplib.IMAP4.send, imaplib.IMAP4.readline

        def sending(this: imaplib.IMAP4, data: bytes) -> None:
            self.sent.append(data)
            send(this, data)

        def reading(this: imaplib.IMAP4) -> bytes:
            line = readline(this)
            self.longest = max(self.longest, len(line))
            return line

        monkeypatch.setattr(imaplib.IMAP4, "send", sending)
        monkeypatch.setattr(imaplib.IMAP4, "readline", reading)

    def commands(self, name: bytes) -> list[bytes]:
        return [x for x in self.sent if name in x]


def test_160000_messages_are_listed_in_windows_and_the_round_works(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver_many("many", mail(WANTING), MANY)
    office = live(tmp_path, dovecot, sink, "many", read_seconds=60)
    wire = Wire(monkeypatch)
    office.shop.stopping = lambda: State.DONE in office.states()  # reading them all would take an hour
    summary = office.round()
    assert (summary.errors, summary.listed) == ([], MANY)
    counts = office.states()
    assert (counts[State.DONE], counts[State.NEW]) == (1, MANY - 1)
    searches = wire.commands(b"SEARCH")
    assert len(searches) >= MANY // 80_000
    assert all(re.search(rb"UID SEARCH UID \d+:\d+", x) for x in searches)
    assert max(len(x) for x in wire.sent) < 8192
    assert wire.longest < 1_000_000
    # The next round asks for what is new, and for nothing else.
    wire.sent.clear()
    steps: list[str] = []
    office.shop.checkpoint = steps.append
    office.shop.stopping = lambda: "listed" in steps
    dovecot.deliver("many", mail(COMPLETE, sender="new@kunde.example"))
    assert office.round().listed == 1
    assert len(wire.commands(b"SEARCH")) == 1
    assert office.states()[State.NEW] == MANY


# A process of its own, so that what it needs is what it needed: mailbox, parsing and store, with the plain engine.
_CHILD = """
import json, sys
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[1])
from servers import Dovecot, Sink
from test_live_service import live

given = json.loads(sys.argv[2])
server = Dovecot(Path("."), 0, given["port"], 0, Path(given["cert"]), 0, 0)
office = live(Path(given["folder"]), server, Sink(port=1), given["user"], connect_seconds=30, read_seconds=60)
summary = office.round()
status = dict(x.split(":", 1) for x in Path("/proc/self/status").read_text().splitlines())
counts = {k.value: v for k, v in office.states().items()}
print(json.dumps({"peak": int(status["VmHWM"].split()[0]) / 1024, "states": counts, "errors": summary.errors}))
"""


def child(tmp_path: Path, dovecot: Dovecot, user: str) -> dict[str, object]:
    """A round over a mailbox; its peak memory in MiB and what became of the mails."""
    here = Path(__file__).resolve().parent
    given = {"port": dovecot.imaps, "cert": str(dovecot.cert), "folder": str(tmp_path), "user": user}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps([str(here), str(here.parent)]), json.dumps(given)],
        capture_output=True, text=True, check=False, timeout=300, cwd=here.parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == []
    return found


def big(size: int) -> bytes:
    """A mail with an attachment of about so many bytes."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Ada <ada@kunde.example>", "support@hoster.example"
    message["Subject"], message["Message-ID"] = "server down", f"<{size}@kunde.example>"
    message.set_content(WANTING)
    message.add_attachment(b"\0" * (size * 57 // 78), "application", "octet-stream", filename="disk.img")
    return message.as_bytes()


def test_a_mail_of_50_megabytes_is_parked_and_never_in_memory(tmp_path: Path, dovecot: Dovecot) -> None:
    dovecot.deliver("large", big(50_000_000))
    dovecot.deliver("large", mail(WANTING))
    found = child(tmp_path, dovecot, "large")
    assert found["states"] == {"quarantined": 1, "done": 1, "ours": 1}
    assert found["peak"] < 150, found  # type: ignore[operator]  # a number


def test_a_mail_just_below_the_cap_is_read_within_bounds(tmp_path: Path, dovecot: Dovecot) -> None:
    raw = big(26_000_000)
    assert 25_000_000 < len(raw) < 26_214_400
    dovecot.deliver("nearly", mail(WANTING, sender="b@kunde.example"))
    small = child(tmp_path / "small", dovecot, "nearly")
    dovecot.deliver("nearly", raw)
    found = child(tmp_path / "whole", dovecot, "nearly")
    assert found["states"] == {"done": 2, "ours": 2}
    assert found["peak"] - small["peak"] < 12 * len(raw) / 2**20, (small, found)  # type: ignore[operator]  # numbers
