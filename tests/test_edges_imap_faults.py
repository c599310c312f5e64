"""The IMAP edge against servers that misbehave: each is a few lines in a thread that speak just enough IMAP."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checker.edges.idle import IdleWatcher
from checker.edges.imap import Imap
from checker.edges.mailbox import Broken, Gone, Known, MailboxError, Read, Refused, Unreachable, Unreadable
from checker.edges.records import Position
from checker.model import Secret
from checker.settings import ImapMailbox, build

RAW = b"Subject: x\r\n\r\nhello\r\n"


class Server:
    """Answers commands by name; an answer of ``None`` hangs up. ``{tag}`` stands for the command's tag."""

    def __init__(self, **answers: bytes | Callable[[str], bytes | None] | None) -> None:
        self.answers: dict[str, bytes | Callable[[str], bytes | None] | None] = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n{tag} OK done\r\n",
            "LOGIN": b"{tag} OK done\r\n",
            "EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 4] x\r\n{tag} OK [READ-ONLY] x\r\n",
            "SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 4] x\r\n"
            b"* OK [PERMANENTFLAGS (\\Seen)] x\r\n{tag} OK [READ-WRITE] x\r\n",
            "UID SEARCH": b"* SEARCH 1 2 3\r\n{tag} OK done\r\n",
            "LOGOUT": b"* BYE x\r\n{tag} OK done\r\n",
        }
        self.answers.update(answers)
        self.greeting: bytes | None = b"* OK hello\r\n"
        self.drip = 0.0
        self.hang_up_after = ""
        self.sessions = 0
        self.commands: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.sessions += 1
                threading.Thread(target=self._speak, args=(peer,), daemon=True).start()

    def _speak(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer, peer.makefile("rb") as lines:
            if self.greeting is None:
                time.sleep(10)
                return
            self._send(peer, self.greeting)
            for line in lines:
                tag, _, rest = line.decode().strip().partition(" ")
                self.commands.append(rest)
                word = re.match(r"UID \w+|\w+", rest)
                answer = self.answers.get(word.group(0) if word else "", b"{tag} BAD what?\r\n")
                if callable(answer):
                    answer = answer(rest)
                if answer is None:
                    return
                self._send(peer, answer.replace(b"{tag}", tag.encode()))
                if rest == self.hang_up_after:
                    return

    def _send(self, peer: socket.socket, text: bytes) -> None:
        if not self.drip:
            peer.sendall(text)
            return
        for i in range(len(text)):
            peer.sendall(text[i : i + 1])
            time.sleep(self.drip)


def settings(port: int, **more: object) -> ImapMailbox:
    given = {
        "kind": "imap", "host": "127.0.0.1", "port": port, "tls": "none", "allow_clear_text": True, "user": "u",
        "password": {"env": "X"}, "connect_seconds": 1, "read_seconds": 1, "command_seconds": 2,
    }  # fmt: skip
    found = build({"mailboxes": [given | more]}, file="test", base=Path("/")).mailboxes[0]
    assert isinstance(found, ImapMailbox)
    return found


def box(server: Server, **more: object) -> Imap:
    return Imap(settings(server.port, **more), lambda: Secret("hunter2"))


def listing(made: Imap, position: Position | None = None) -> list[str]:
    return [e.uid for w in made.listing("INBOX", Known(position, lambda _: frozenset())) for e in w.entries]


def body(uid: int, raw: bytes = RAW) -> bytes:
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid, uid, len(raw), raw)


@pytest.fixture
def ok() -> Iterator[Server]:
    with Server() as server:
        yield server


class TestNoSession:
    @pytest.mark.parametrize(
        ("said", "error"),
        [
            (b"{tag} NO [AUTHENTICATIONFAILED] no\r\n", Refused),
            (b"{tag} NO [LIMIT] Maximum number of connections\r\n", Unreachable),
            (b"{tag} NO [UNAVAILABLE] later\r\n", Unreachable),
        ],
    )
    def test_a_refused_login_is_told_from_a_busy_server(self, said: bytes, error: type[MailboxError]) -> None:
        with Server(LOGIN=said) as server, pytest.raises(MailboxError) as caught:
            listing(box(server))
        assert type(caught.value) is error
        assert "hunter2" not in str(caught.value)

    def test_a_server_that_never_greets(self) -> None:
        with Server() as server:
            server.greeting = None
            began = time.monotonic()
            with pytest.raises(Unreachable, match="does not answer"):
                listing(box(server))
            assert time.monotonic() - began < 6

    def test_a_greeting_that_drips_does_not_hold_us(self) -> None:
        with Server() as server:
            server.drip = 0.5
            server.greeting = b"* OK " + b"x" * 200 + b"\r\n"
            began = time.monotonic()
            with pytest.raises(Unreachable):
                listing(box(server))
            assert time.monotonic() - began < 8

    def test_a_password_source_that_fails(self, ok: Server) -> None:
        from checker.edges import secrets
        from checker.settings import PasswordFrom

        made = Imap(
            settings(ok.port), lambda: secrets.password(PasswordFrom(env="NOT_SET_HERE"), key="mailboxes[1].password")
        )
        with pytest.raises(Refused, match="NOT_SET_HERE is not set"):
            listing(made)


class TestBrokenSessions:
    def test_an_answer_that_drips_is_cut_at_the_deadline(self, ok: Server) -> None:
        made = box(ok)
        ok.answers["UID SEARCH"] = lambda _: _start_dripping(ok)
        began = time.monotonic()
        with pytest.raises(Broken):
            listing(made)
        assert time.monotonic() - began < 8

    def test_the_server_hangs_up_and_the_next_round_works(self, ok: Server) -> None:
        made = box(ok)
        ok.answers["UID SEARCH"] = None
        with pytest.raises(Broken):
            listing(made)
        ok.answers["UID SEARCH"] = b"* SEARCH 1\r\n{tag} OK done\r\n"
        ok.answers["UID FETCH"] = b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n{tag} OK done\r\n"
        assert listing(made) == ["1"]
        assert ok.sessions == 2
        made.close()

    @pytest.mark.parametrize(
        "nonsense",
        [
            b"* SEARCH 1\r\n* SEARCH 2\r\n{tag} OK done\r\n",
            b"* SEARCH one\r\n{tag} OK done\r\n",
            b"nonsense\r\n",
            b"{tag} BAD no\r\n",
            b"\xff\xfe\r\n",
        ],
    )
    def test_nonsense_ends_the_session_and_nothing_else(self, ok: Server, nonsense: bytes) -> None:
        ok.answers["UID SEARCH"] = nonsense
        made = box(ok)
        with pytest.raises(MailboxError):
            listing(made)
        made.close()


def _start_dripping(server: Server) -> bytes:
    server.drip = 0.3
    return b"* SEARCH " + b"1 " * 500 + b"\r\n{tag} OK done\r\n"


class TestListing:
    def test_uids_outside_the_window_are_left_out(self, ok: Server) -> None:
        ok.answers["UID SEARCH"] = b"* SEARCH 1 2 3 77\r\n{tag} OK done\r\n"
        ok.answers["UID FETCH"] = b"{tag} OK done\r\n"
        assert listing(box(ok), Position(9, 2)) == ["2", "3"]
        assert any("2:3" in c for c in ok.commands)

    def test_a_mail_whose_size_is_not_told_is_listed_all_the_same(self, ok: Server) -> None:
        ok.answers["UID FETCH"] = b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n{tag} OK done\r\n"
        assert listing(box(ok)) == ["1", "2", "3"]

    def test_nothing_is_asked_when_nothing_is_new(self, ok: Server) -> None:
        assert listing(box(ok), Position(9, 4)) == []
        assert not any("SEARCH" in c for c in ok.commands)


class TestFetching:
    def fetch(self, server: Server, *uids: str) -> dict[str, Read]:
        made = box(server)
        read = dict(made.fetch("INBOX", 9, uids))
        made.close()
        return read

    def test_what_lacks_is_asked_for_alone(self, ok: Server) -> None:
        def answer(command: str) -> bytes:
            if command.startswith("UID FETCH 1,2,3"):
                return body(1) + b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 9 FETCH (UID 99 FLAGS ())\r\n{tag} OK done\r\n"
            return (body(2) if "FETCH 2 " in command else b"") + b"{tag} OK done\r\n"

        ok.answers["UID FETCH"] = answer
        assert self.fetch(ok, "1", "2", "3") == {"1": RAW, "2": RAW, "3": Gone()}

    def test_one_that_another_session_expunges_is_gone(self, ok: Server) -> None:
        ok.answers["UID FETCH"] = b"* 1 FETCH (UID 1 BODY[] NIL)\r\n{tag} OK done\r\n"
        assert self.fetch(ok, "1") == {"1": Gone()}

    def test_one_that_is_no_text_is_unreadable(self, ok: Server) -> None:
        ok.answers["UID FETCH"] = b"* 1 FETCH (UID 1 BODY[] 12345)\r\n{tag} OK done\r\n"
        assert isinstance(self.fetch(ok, "1")["1"], Unreadable)

    def test_a_no_to_many_is_followed_by_one_by_one(self, ok: Server) -> None:
        def answer(command: str) -> bytes:
            if "," in command:
                return b"{tag} NO [SERVERBUG] Internal error\r\n"
            if "FETCH 2 " in command:
                return b"{tag} NO [SERVERBUG] Internal error\r\n"
            return body(1 if "FETCH 1 " in command else 3) + b"{tag} OK done\r\n"

        ok.answers["UID FETCH"] = answer
        read = self.fetch(ok, "1", "2", "3")
        assert (read["1"], read["3"]) == (RAW, RAW)
        assert isinstance(read["2"], Unreadable)
        assert ok.sessions == 1

    def test_it_peeks(self, ok: Server) -> None:
        ok.answers["UID FETCH"] = body(1) + b"{tag} OK done\r\n"
        self.fetch(ok, "1")
        assert [c for c in ok.commands if "FETCH" in c] == ["UID FETCH 1 (BODY.PEEK[])"]
        assert not any(c.startswith("SELECT") for c in ok.commands)

    def test_another_uidvalidity_means_gone(self, ok: Server) -> None:
        assert box(ok).fetch("INBOX", 8, ["1"]) == {"1": Gone()}


class TestMarking:
    def test_without_move_or_uidplus_nothing_is_expunged(self, ok: Server) -> None:
        ok.answers["CAPABILITY"] = b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"
        with pytest.raises(MailboxError, match='set after = "flag" or "nothing"'):
            box(ok).mark("INBOX", 9, ["1"], "Done")
        assert not any("EXPUNGE" in c or "STORE" in c for c in ok.commands)

    def test_without_move_it_copies_and_expunges_by_uid(self, ok: Server) -> None:
        ok.answers["CAPABILITY"] = b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n{tag} OK done\r\n"
        for word in ("UID COPY", "UID STORE", "UID EXPUNGE"):
            ok.answers[word] = b"{tag} OK done\r\n"
        box(ok).mark("INBOX", 9, ["1", "2"], "Done")
        done = [c for c in ok.commands if c.startswith("UID")]
        assert [c.split()[1] for c in done] == ["COPY", "STORE", "EXPUNGE"]
        assert "EXPUNGE" not in [c.split()[0] for c in ok.commands]

    def test_a_server_without_keywords_says_what_to_set(self, ok: Server) -> None:
        with pytest.raises(MailboxError, match='set after = "move" or "nothing"'):
            box(ok).mark("INBOX", 9, ["1"], None)


def test_idle_does_not_spin_on_a_server_that_hangs_up_at_once() -> None:
    with Server(IDLE=lambda _: None) as server:
        watcher = IdleWatcher(
            settings(server.port), lambda: Secret("x"), lambda: None, check_seconds=0.5, first_pause=0.4
        )
        watcher.start()
        time.sleep(2)
        watcher.stop()
        watcher.join(10)
        assert not watcher.is_alive()
        assert 1 <= server.sessions <= 5


def test_a_server_without_idle_is_left_to_the_interval() -> None:
    with Server(CAPABILITY=b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n") as server:
        watcher = IdleWatcher(settings(server.port), lambda: Secret("x"), lambda: None)
        watcher.start()
        watcher.join(10)
        assert not watcher.is_alive()
        assert watcher.supported is False


@pytest.mark.parametrize("at", ["LOGIN", "IDLE", "after IDLE"])
def test_a_server_that_closes_costs_next_to_no_time(at: str) -> None:
    """With the pauses as they are set: fewer than five wake-ups a second, and hardly any work of the processor."""
    with Server(IDLE=None if at == "IDLE" else b"+ idling\r\n") as server:
        if at == "LOGIN":
            server.answers["LOGIN"] = None
        server.hang_up_after = "IDLE" if at == "after IDLE" else ""
        woken: list[float] = []
        watcher = IdleWatcher(settings(server.port), lambda: Secret("x"), lambda: woken.append(time.monotonic()))
        worked = time.process_time()
        watcher.start()
        time.sleep(4)
        worked = time.process_time() - worked
        watcher.stop()
        watcher.join(10)
        assert not watcher.is_alive()
    assert 1 <= server.sessions <= 2
    assert len(woken) <= 2
    assert worked < 0.2  # of four seconds
