"""Small edges: passwords, the signing key, logs, Maildir, the Maildir outbox, the deadline."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import threading
import time
from contextlib import redirect_stderr
from datetime import UTC
from pathlib import Path

import pytest
import structlog
from service_kit import MONDAY, mail

from checker.edges import secrets
from checker.edges.files import write_private
from checker.edges.guard import deadline, within
from checker.edges.logs import set_up
from checker.edges.mailbox import Gone, Known, MailboxError, Unreachable, Unreadable
from checker.edges.maildir import Maildir
from checker.edges.outgoing import MaildirOutbox, Outcome
from checker.edges.records import Kind, Mail, Outgoing, Place, State
from checker.model import Secret
from checker.settings import LogSettings, MaildirMailbox, PasswordFrom, SettingsError


class TestPasswords:
    def test_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = PasswordFrom(env="IMAP_PASSWORD")
        with pytest.raises(SettingsError, match=r"mailboxes\[1\]\.password: environment variable IMAP_PASSWORD"):
            secrets.password(source, key="mailboxes[1].password")
        monkeypatch.setenv("IMAP_PASSWORD", "hunter2")
        assert secrets.password(source, key="k").reveal() == "hunter2"

    def test_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "p"
        with pytest.raises(SettingsError, match="create it, mode 0600"):
            secrets.password(PasswordFrom(file=file), key="k")
        file.write_text("hunter2\n")
        assert secrets.password(PasswordFrom(file=file), key="k").reveal() == "hunter2"
        file.write_text("\n")
        with pytest.raises(SettingsError, match="is empty"):
            secrets.password(PasswordFrom(file=file), key="k")

    def test_from_a_command(self) -> None:
        assert secrets.password(PasswordFrom(command=("echo", "hunter2")), key="k").reveal() == "hunter2"
        for command, words in (
            (("false",), "ended with status 1"),
            (("true",), "printed nothing"),
            (("no-such-program-here",), "cannot run"),
            ((), "command is empty"),
        ):
            with pytest.raises(SettingsError, match=words):
                secrets.password(PasswordFrom(command=command), key="k")

    def test_a_second_line_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(SettingsError, match="keep it on one line") as caught:
            secrets.password(PasswordFrom(command=("printf", "hunter2\nA LOGOUT")), key="k")
        assert "hunter2" not in str(caught.value)


class TestKey:
    def test_it_is_made_once_and_private(self, tmp_path: Path) -> None:
        file = tmp_path / "state" / "secret.key"
        key = secrets.signing_key(file)
        assert len(key) == 32
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert secrets.signing_key(file) == key

    def test_one_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "secret.key"
        secrets.signing_key(file)
        file.chmod(0o644)
        with pytest.raises(SettingsError, match=f"run: chmod 600 {file}"):
            secrets.signing_key(file)

    def test_one_that_is_too_short_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "secret.key"
        file.write_bytes(b"short")
        file.chmod(0o600)
        with pytest.raises(SettingsError, match="holds 5 bytes, 32 are needed"):
            secrets.signing_key(file)


class TestLogs:
    def logged(self, **values: object) -> dict[str, object]:
        stream = io.StringIO()
        with redirect_stderr(stream):
            set_up(LogSettings(format="json"))
            structlog.get_logger().info("mail", **values)
        set_up(LogSettings())
        (line,) = stream.getvalue().splitlines()
        found: dict[str, object] = json.loads(line)
        return found

    def test_one_json_line(self) -> None:
        line = self.logged(ticket="T1", size=5)
        assert (line["event"], line["ticket"], line["size"], line["level"]) == ("mail", "T1", 5, "info")

    def test_what_is_not_on_the_list_is_dropped(self) -> None:
        line = self.logged(body="the password is hunter2", password="x", ticket="T1")
        assert "hunter2" not in json.dumps(line)
        assert line["dropped"] == "body,password"

    def test_secrets_urls_and_line_ends_are_cleaned(self) -> None:
        line = self.logged(detail=Secret("hunter2"), error="postgresql://u:hunter2@h/d\r\nforged", reason="x" * 5000)
        assert "hunter2" not in json.dumps(line)
        assert line["error"] == "postgresql://********@h/d  forged"
        assert len(str(line["reason"])) == 400

    def test_an_exception_shows_no_local_values(self) -> None:
        stream = io.StringIO()
        with redirect_stderr(stream):
            set_up(LogSettings(format="json"))
            hidden = "hunter2"
            try:
                int(hidden[:0])
            except ValueError:
                structlog.get_logger().exception("failed")
        set_up(LogSettings())
        assert "hunter2" not in stream.getvalue()


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b"
    write_private(file, b"one")
    write_private(file, b"two")
    assert file.read_bytes() == b"two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["b"]


# --- Maildir ---------------------------------------------------------------------------------------


def known(*uids: str) -> Known:
    return Known(None, lambda _: frozenset(uids))


class TestMaildir:
    @pytest.fixture
    def box(self, tmp_path: Path) -> Maildir:
        return Maildir(MaildirMailbox(path=tmp_path / "m"))

    def drop(self, tmp_path: Path, name: str, raw: bytes = b"x", part: str = "new") -> Path:
        path = tmp_path / "m" / part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        return path

    def test_one_that_is_missing_is_made(self, box: Maildir, tmp_path: Path) -> None:
        assert [w.entries for w in box.listing("INBOX", known())] == [()]
        assert {p.name for p in (tmp_path / "m").iterdir()} == {"tmp", "new", "cur"}

    def test_a_folder_that_is_no_maildir_says_so(self, box: Maildir, tmp_path: Path) -> None:
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "letters.doc").write_text("")
        with pytest.raises(Unreachable, match="check that it is a Maildir"):
            list(box.listing("INBOX", known()))

    def test_only_new_names_are_listed_oldest_first(self, box: Maildir, tmp_path: Path) -> None:
        for part in ("tmp", "new", "cur"):
            (tmp_path / "m" / part).mkdir(parents=True)
        for age, (name, part) in enumerate(
            [("c", "new"), ("b:2,S", "cur"), ("a", "new"), (".hidden", "new"), ("t", "tmp")]
        ):
            path = self.drop(tmp_path, name, b"x" * age, part)
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
        (window,) = box.listing("INBOX", known("c"))
        assert [(e.uid, e.size) for e in window.entries] == [("a", 2), ("b", 1)]
        assert all(e.received_at.tzinfo is UTC for e in window.entries)

    def test_a_mail_is_found_under_any_flags(self, box: Maildir, tmp_path: Path) -> None:
        list(box.listing("INBOX", known()))
        self.drop(tmp_path, "1:2,FRS", b"one", "cur")
        self.drop(tmp_path, "2", b"two")
        assert box.fetch("INBOX", 1, ["1", "2", "3"]) == {"1": b"one", "2": b"two", "3": Gone()}
        assert box.fetch("INBOX", 1, ["1"]) == {"1": b"one"}
        assert box.fetch("INBOX", 1, ["../../etc/passwd"]) == {"../../etc/passwd": Gone()}

    def test_a_mail_that_cannot_be_read(self, box: Maildir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        list(box.listing("INBOX", known()))
        self.drop(tmp_path, "1")

        def refuse(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
        read = box.fetch("INBOX", 1, ["1"])["1"]
        assert isinstance(read, Unreadable)
        assert "check its owner and mode" in read.reason

    def test_marking_is_idempotent_and_forgives_what_is_gone(self, box: Maildir, tmp_path: Path) -> None:
        list(box.listing("INBOX", known()))
        self.drop(tmp_path, "1")
        for _ in range(2):
            box.mark("INBOX", 1, ["1", "gone"], None)
        assert [p.name for p in (tmp_path / "m" / "cur").iterdir()] == ["1:2,S"]
        for _ in range(2):
            box.mark("INBOX", 1, ["1"], "Done")
        assert [p.name for p in (tmp_path / "m" / ".Done" / "cur").iterdir()] == ["1:2,S"]

    @pytest.mark.parametrize("folder", ["../x", "a/b", ".hidden"])
    def test_a_folder_stays_inside(self, box: Maildir, folder: str) -> None:
        with pytest.raises(MailboxError, match=r"as Done or Done\.2026"):
            list(box.listing(folder, known()))

    def test_rereading_checks_that_it_is_the_same_mail(self, box: Maildir, tmp_path: Path) -> None:
        import hashlib

        list(box.listing("INBOX", known()))
        self.drop(tmp_path, "1", b"one")
        right = Mail(
            1, Place("m", "INBOX", 1, "1"), 3, MONDAY, State.DONE, 1, sha256=hashlib.sha256(b"one").hexdigest()
        )
        assert box.reread(right) == b"one"
        self.drop(tmp_path, "1", b"changed")
        assert box.reread(right) is None


class TestOutbox:
    def letter(self) -> Outgoing:
        return Outgoing("k", Kind.ASK, "a@b.example", "<id@h>", mail("x\n"))

    def test_handing_over_twice_leaves_one(self, tmp_path: Path) -> None:
        out = MaildirOutbox(tmp_path / "o")
        assert out.has(self.letter()) is False
        for _ in range(2):
            assert out.send(self.letter()).outcome is Outcome.SENT
        (path,) = (tmp_path / "o" / "new").iterdir()
        assert path.read_bytes() == self.letter().raw
        assert out.has(self.letter()) is True

    def test_one_that_a_mail_program_took_is_still_known(self, tmp_path: Path) -> None:
        out = MaildirOutbox(tmp_path / "o")
        out.send(self.letter())
        (path,) = (tmp_path / "o" / "new").iterdir()
        path.rename(tmp_path / "o" / "cur" / f"{path.name}:2,S")
        assert out.has(self.letter()) is True
        out.send(self.letter())
        assert not list((tmp_path / "o" / "new").iterdir())

    def test_a_disk_that_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "o").write_text("")
        result = MaildirOutbox(tmp_path / "o").send(self.letter())
        assert result.outcome is Outcome.LATER
        assert "free disk space or make it writable" in result.detail


class TestDeadline:
    def test_a_read_that_never_ends_is_cut(self) -> None:
        one, other = socket.socketpair()
        with one, other, deadline(one, 0.1):
            assert one.recv(1) == b""  # cut: the end of the stream, not a wait for ever

    def test_a_block_in_time_is_left_alone(self) -> None:
        one, other = socket.socketpair()
        with one, other:
            with deadline(one, 30):
                other.sendall(b"x")
                assert one.recv(1) == b"x"
            other.sendall(b"y")
            assert one.recv(1) == b"y"

    def test_what_comes_too_late_is_closed(self) -> None:
        closed = threading.Event()
        with pytest.raises(TimeoutError):
            within(0.05, lambda: time.sleep(0.3), lambda _: closed.set())
        assert closed.wait(5)

    def test_results_and_errors_come_through(self) -> None:
        assert within(5, lambda: 7, lambda _: None) == 7
        with pytest.raises(KeyError):
            within(5, lambda: os.environ["NOT_SET_HERE"], lambda _: None)
