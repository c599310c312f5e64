"""The IMAP edge against a real Dovecot."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped]  # it publishes no types
from servers import PASSWORD, Dovecot
from service_kit import COMPLETE, MONDAY, WANTING, mail

from checker.edges.idle import IdleWatcher
from checker.edges.imap import Imap
from checker.edges.mailbox import Broken, Gone, Known, Refused, Unreachable, Window
from checker.edges.records import Mail, Place, Position, State
from checker.model import Secret
from checker.settings import ImapMailbox, build

pytestmark = pytest.mark.live


def settings(server: Dovecot, user: str, **more: object) -> ImapMailbox:
    given = {
        "name": "live", "kind": "imap", "host": "localhost", "port": server.imaps, "user": user,
        "password": {"env": "UNUSED"}, "ca_file": str(server.cert), "connect_seconds": 5, "read_seconds": 5,
    }  # fmt: skip
    found = build({"mailboxes": [given | more]}, file="test", base=Path("/")).mailboxes[0]
    assert isinstance(found, ImapMailbox)
    return found


def password(text: str = PASSWORD) -> Callable[[], Secret]:
    return lambda: Secret(text)


def known(position: Position | None = None) -> Known:
    return Known(position, lambda _: frozenset())


def windows(box: Imap, position: Position | None = None, folder: str = "INBOX") -> list[Window]:
    return list(box.listing(folder, known(position)))


def uids(found: list[Window]) -> list[str]:
    return [e.uid for w in found for e in w.entries]


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    return "u" + "".join(c for c in request.node.name.lower() if c.isalnum())[-40:]


def test_lists_sizes_reads_and_leaves_everything_unseen(dovecot: Dovecot, user: str) -> None:
    raws = [mail(f"{WANTING}{i}\n") for i in range(3)]
    for raw in raws:
        dovecot.deliver(user, raw)
    box = Imap(settings(dovecot, user), password())
    found = windows(box)
    assert uids(found) == ["1", "2", "3"]
    assert [e.size for w in found for e in w.entries] == [len(r) for r in raws]
    position = found[-1].position
    read = box.fetch("INBOX", position.uidvalidity, ["1", "2", "3", "99"])
    assert [read[str(i)] for i in (1, 2, 3)] == raws
    assert read["99"] == Gone()
    assert uids(windows(box, position)) == []
    dovecot.deliver(user, raws[0] + b"more\r\n")
    assert uids(windows(box, position)) == ["4"]
    with IMAPClient("localhost", dovecot.imap, ssl=False) as other:
        other.login(user, PASSWORD)
        other.select_folder("INBOX", readonly=True)
        assert other.search(["SEEN"]) == []
    box.close()


def test_literals_are_not_printed_for_a_log(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, mail(WANTING))
    box = Imap(settings(dovecot, user), password())
    windows(box)
    assert box._session._client is not None
    assert box._session._client._imap.debug == 0
    box.close()


def test_a_new_uidvalidity_is_listed_from_the_start(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, mail(WANTING))
    box = Imap(settings(dovecot, user), password())
    old = windows(box)[-1].position
    box.close()
    dovecot.forget_uids(user)
    new = windows(box, old)
    assert new[-1].position.uidvalidity != old.uidvalidity
    assert len(uids(new)) == 1
    assert box.fetch("INBOX", old.uidvalidity, ["1"]) == {"1": Gone()}
    box.close()


class TestLogin:
    def test_starttls_is_verified_as_tls_is(self, dovecot: Dovecot, user: str) -> None:
        raw = mail(WANTING)
        dovecot.deliver(user, raw)
        box = Imap(settings(dovecot, user, port=dovecot.imap, tls="starttls"), password())
        position = windows(box)[-1].position
        assert box.fetch("INBOX", position.uidvalidity, ["1"]) == {"1": raw}
        client = box._session._client
        assert client is not None
        assert client.socket().version().startswith("TLS")
        box.close()
        unknown = Imap(settings(dovecot, user, port=dovecot.imap, tls="starttls", ca_file=None), password())
        with pytest.raises(Unreachable, match="set ca_file or the right host name"):
            windows(unknown)

    def test_xoauth2_logs_in_with_a_token_and_tells_a_wrong_one(self, dovecot: Dovecot, user: str) -> None:
        raw = mail(WANTING)
        dovecot.deliver(user, raw)
        given = settings(dovecot, user, auth="xoauth2")
        box = Imap(given, password(f"token-{user}"))
        position = windows(box)[-1].position
        assert box.fetch("INBOX", position.uidvalidity, ["1"]) == {"1": raw}
        box.close()
        for wrong in ("token-somebody", "expired"):
            with pytest.raises(Refused, match="check user and password") as caught:
                windows(Imap(given, password(wrong)))
            assert wrong not in str(caught.value)

    def test_a_new_token_is_asked_for_at_every_login(self, dovecot: Dovecot, user: str) -> None:
        dovecot.deliver(user, mail(WANTING))
        handed: list[str] = []

        def token() -> Secret:
            handed.append(f"token-{user}")
            return Secret(handed[-1])

        box = Imap(settings(dovecot, user, auth="xoauth2"), token)
        assert len(uids(windows(box))) == 1
        dovecot.kick(user)
        time.sleep(0.5)
        with pytest.raises(Broken):
            windows(box)
        assert len(uids(windows(box))) == 1
        assert len(handed) == 2
        box.close()


class TestMarking:
    def test_moves_into_a_folder_that_it_makes_and_finds_the_mail_there(self, dovecot: Dovecot, user: str) -> None:
        raw = mail(WANTING, message_id="<moved@kunde.example>")
        dovecot.deliver(user, raw)
        box = Imap(settings(dovecot, user), password())
        position = windows(box)[-1].position
        box.mark("INBOX", position.uidvalidity, ["1"], "Erledigt & Grüße")
        box.mark("INBOX", position.uidvalidity, ["1"], "Erledigt & Grüße")  # vanished: no error
        assert box.fetch("INBOX", position.uidvalidity, ["1"]) == {"1": Gone()}
        import hashlib

        gone = Mail(
            1, Place("live", "INBOX", position.uidvalidity, "1"), len(raw), MONDAY, State.DONE, 1,
            sha256=hashlib.sha256(raw).hexdigest(), message_id="<moved@kunde.example>", moved_to="Erledigt & Grüße",
        )  # fmt: skip
        assert box.reread(gone) == raw
        box.close()

    def test_flags_with_a_keyword(self, dovecot: Dovecot, user: str) -> None:
        dovecot.deliver(user, mail(WANTING))
        box = Imap(settings(dovecot, user), password())
        position = windows(box)[-1].position
        box.mark("INBOX", position.uidvalidity, ["1"], None)
        with IMAPClient("localhost", dovecot.imap, ssl=False) as other:
            other.login(user, PASSWORD)
            other.select_folder("INBOX", readonly=True)
            assert other.search(["KEYWORD", "checker-done"]) == [1]
        box.close()


class TestTrouble:
    def test_a_wrong_password_is_refused_for_good(self, dovecot: Dovecot, user: str) -> None:
        box = Imap(settings(dovecot, user), password("wrong"))
        with pytest.raises(Refused, match="check user and password"):
            windows(box)

    def test_a_certificate_that_is_not_trusted(self, dovecot: Dovecot, user: str) -> None:
        box = Imap(settings(dovecot, user).model_copy(update={"ca_file": None}), password())
        with pytest.raises(Unreachable, match="set ca_file"):
            windows(box)

    def test_a_session_that_was_ended_is_replaced(self, dovecot: Dovecot, user: str) -> None:
        dovecot.deliver(user, mail(WANTING))
        box = Imap(settings(dovecot, user), password())
        windows(box)
        dovecot.kick(user)
        time.sleep(0.3)
        with pytest.raises(Broken):
            windows(box)
        assert uids(windows(box)) == ["1"]
        box.close()

    def test_a_mail_on_which_the_server_hangs_up_is_found_alone(self, dovecot: Dovecot, user: str) -> None:
        for i in range(3):
            dovecot.deliver(user, mail(f"{WANTING}{i}\n"), spoiled=i == 1)
        box = Imap(settings(dovecot, user), password())
        position = windows(box)[-1].position
        box.close()
        with pytest.raises(Broken):
            box.fetch("INBOX", position.uidvalidity, ["1", "2", "3"])
        assert isinstance(box.fetch("INBOX", position.uidvalidity, ["1"])["1"], bytes)
        with pytest.raises(Broken):
            box.fetch("INBOX", position.uidvalidity, ["2"])
        assert isinstance(box.fetch("INBOX", position.uidvalidity, ["3"])["3"], bytes)
        box.close()


def test_a_big_folder_is_listed_in_windows(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from checker.edges import imap

    monkeypatch.setattr(imap, "WINDOW", 200)
    monkeypatch.setattr(imap, "ONE_SEARCH", 100)
    dovecot.deliver(user, mail(COMPLETE))
    box_folder = dovecot.maildir(user) / "new"
    source = next(box_folder.iterdir())
    for i in range(999):
        (box_folder / f"{int(time.time())}.x{i:05d}.host").write_bytes(source.read_bytes())
    dovecot._own(dovecot.maildir(user))
    box = Imap(settings(dovecot, user), password())
    found = windows(box)
    assert [len(w.entries) for w in found] == [200] * 5 + [0]
    assert len(set(uids(found))) == 1000
    box.close()


class TestIdle:
    def watch(self, dovecot: Dovecot, user: str, **more: float) -> tuple[IdleWatcher, list[float]]:
        woken: list[float] = []
        watcher = IdleWatcher(
            settings(dovecot, user), password(), lambda: woken.append(time.monotonic()), check_seconds=1, **more
        )
        watcher.start()
        until = time.monotonic() + 10
        while not woken and time.monotonic() < until:
            time.sleep(0.02)
        assert woken, "the watcher did not get a session"
        return watcher, woken

    def test_a_mail_wakes_within_seconds(self, dovecot: Dovecot, user: str) -> None:
        dovecot.deliver(user, mail(WANTING))
        watcher, woken = self.watch(dovecot, user)
        time.sleep(0.5)
        before = len(woken)
        with IMAPClient("localhost", dovecot.imap, ssl=False) as other:
            other.login(user, PASSWORD)
            other.append("INBOX", mail(COMPLETE))
        until = time.monotonic() + 10
        while len(woken) == before and time.monotonic() < until:
            time.sleep(0.02)
        assert len(woken) > before
        watcher.stop()
        watcher.join(10)
        assert not watcher.is_alive()

    def test_a_server_that_hangs_up_does_not_make_it_spin(self, dovecot: Dovecot, user: str) -> None:
        dovecot.deliver(user, mail(WANTING))
        watcher, _ = self.watch(dovecot, user, first_pause=0.5)
        for _ in range(3):
            dovecot.kick(user)
            time.sleep(1)
        assert 2 <= watcher.sessions <= 8
        watcher.stop()
        watcher.join(15)
        assert not watcher.is_alive()
