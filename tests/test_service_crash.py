"""kill -9 at every step of a round: nothing is lost and nothing is doubled.

The steps are counted by a first run, not chosen by hand. For each, a child process runs the same round and
kills itself there; then the service is started again on what the child left behind.
"""

from __future__ import annotations

import email
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from service_kit import COMPLETE, WANTING, Desk, desk, killed_at, mail
from sqlalchemy import event

from checker.edges.outgoing import MaildirOutbox, Outcome, Result
from checker.edges.records import Delivery, Outgoing, State
from checker.edges.store import messages, outbox, tickets
from checker.service.workshop import CHECKPOINTS


def office(folder: Path, **sections: dict[str, object]) -> Desk:
    folder.mkdir()
    made = desk(
        folder,
        mailboxes=[{"name": "support", "kind": "maildir", "path": "mail", "after": "move"}],  # type: ignore[arg-type]
        digest={"days": ["mon", "tue"], "recipients": ["staff@hoster.example"]},
        **sections,
    )
    made.drop(mail(WANTING, message_id="<a1@kunde.example>"))
    made.drop(mail("backup: yes\n", message_id="<a2@kunde.example>", parent="<a1@kunde.example>"))
    made.drop(mail(COMPLETE, sender="bob@kunde.example"))
    made.drop(mail("Hello\n", sender="cleo@kunde.example"))
    made.drop(mail(WANTING, sender="list@kunde.example", List_Id="<x>"))
    made.drop(b"")
    made.drop(mail(COMPLETE, sender="bob@kunde.example"))
    return made


def outcome(made: Desk) -> dict[str, object]:
    """What must be the same however the work was interrupted."""
    with made.shop.store.read() as c:
        counts = messages.counts(c)
        found = tickets.listed(c)
        posts = outbox.listed(c)
        threads = {t.id: [m.message_id for m, _ in messages.of_ticket(c, t.id)] for t in found}
        unwritten = sorted((s.reason, s.ticket) for s in tickets.suppressions(c))
        moved = len(messages.unmarked(c, "support", 100))
    return {
        "states": counts,
        "tickets": sorted((t.id, t.status, t.asks, t.confirmed, t.missing) for t in found),
        "outbox": sorted((p.mail.key, p.mail.message_id, p.state) for p in posts),
        "threads": {k: sorted(v, key=str) for k, v in threads.items()},
        "suppressed": unwritten,
        "sent": sorted(email.message_from_bytes(raw)["Message-ID"] for raw in made.sent()),
        "done": len(list((made.folder / "mail" / ".Done" / "cur").iterdir())),
        "unmarked": moved,
    }


def settled(made: Desk) -> dict[str, object]:
    """Run the service again, as often as it takes: leases of the dead run out, late tries come due."""
    for _ in range(3):
        made.clock.forward(minutes=6)
        made.round()
    return outcome(made)


def steps_of(made: Desk) -> list[str]:
    names: list[str] = []
    made.round(made.workshop(names.append))
    return names


def test_every_step_is_a_checkpoint_that_exists(tmp_path: Path) -> None:
    made = office(tmp_path / "whole")
    names = steps_of(made)
    assert set(names) <= set(CHECKPOINTS)
    assert set(CHECKPOINTS) - set(names) == {"reminder-posted", "notice-posted"}  # tested with reminders and notices
    assert len(names) > 40


def test_killed_anywhere_the_work_is_done_once(tmp_path: Path) -> None:
    whole = office(tmp_path / "whole")
    names = steps_of(whole)
    expected = settled(whole)
    assert expected["states"] == {
        State.DONE: 3,
        State.NOT_REQUEST: 1,
        State.AUTOMATIC: 1,
        State.DUPLICATE: 1,
        State.QUARANTINED: 1,
        State.OURS: 3,
    }
    assert len(expected["sent"]) == 4  # type: ignore[arg-type]  # a question, two confirmations, the digest
    for step, name in enumerate(names, start=1):
        made = office(tmp_path / f"step{step}")
        assert killed_at(step, made), f"step {step} ({name}) was not reached"
        made.shop = made.workshop()
        assert settled(made) == expected, f"killed at step {step} ({name})"
        made.shop.store.close()


class Wire(MaildirOutbox):
    """A relay as SMTP has it: it takes the mail and cannot be asked later. Every copy is kept."""

    def __init__(self, folder: Path, answer: Callable[[], Outcome]) -> None:
        super().__init__(folder)
        self._folder = folder
        self._answer = answer

    def send(self, letter: Outgoing) -> Result:
        self._folder.mkdir(exist_ok=True)
        copy = self._folder / f"{letter.message_id[1:20]}.{len(list(self._folder.iterdir()))}"
        copy.write_bytes(letter.raw)
        return Result(self._answer(), "no answer")

    def has(self, letter: Outgoing) -> bool | None:
        return None

    def copies(self) -> list[str]:
        return [email.message_from_bytes(p.read_bytes())["Message-ID"] for p in self._folder.iterdir()]


@pytest.mark.parametrize(("policy", "copies"), [("stop", 1), ("retry", 2)])
def test_a_relay_that_never_answers_gets_as_many_copies_as_configured(tmp_path: Path, policy: str, copies: int) -> None:
    made = desk(tmp_path, sending={"unknown_delivery": policy})
    wire = Wire(tmp_path / "wire", lambda: Outcome.UNKNOWN)
    made.outgoing = made.shop.outgoing = wire
    made.drop(mail(WANTING))
    for _ in range(10):
        made.round()
        made.clock.forward(minutes=20)
    assert len(wire.copies()) == copies
    assert len(set(wire.copies())) == 1
    with made.shop.store.read() as c:
        (posted,) = outbox.listed(c)
    assert posted.state is Delivery.UNKNOWN


@pytest.mark.parametrize("where", ["delivery-claimed", "delivered"])
def test_a_service_killed_while_sending_does_not_send_again_unasked(tmp_path: Path, where: str) -> None:
    made = desk(tmp_path)
    made.outgoing = made.shop.outgoing = wire = Wire(tmp_path / "wire", lambda: Outcome.SENT)
    made.drop(mail(WANTING))
    names: list[str] = []
    reference = desk(tmp_path / "reference")
    reference.drop(mail(WANTING))
    reference.round(reference.workshop(names.append))
    assert killed_at(names.index(where) + 1, made)
    made.shop = made.workshop()
    for _ in range(5):
        made.clock.forward(hours=1)
        made.round()
    assert len(wire.copies() if wire._folder.exists() else []) == (1 if where == "delivered" else 0)
    with made.shop.store.read() as c:
        (posted,) = outbox.listed(c)
    assert posted.state is Delivery.UNKNOWN
    assert posted.error == "the service ended while it was sending"


# --- every single write ----------------------------------------------------------------------------

_WRITES = ("open", "os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate", "os.utime", "os.chmod")


def in_a_child(made: Desk, at: int) -> tuple[bool, list[str]]:
    """A round in a child that is killed at its ``at``-th write: a statement that changes a row, the beginning and
    the end of a transaction, an operation on a file. Says whether it was, and which writes it came to.

    The points are what really happens, heard from the database driver and from the interpreter; nobody chose them.
    """
    made.shop.store.close()  # a connection must not be shared with the child
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child never comes back
        try:
            seen: list[str] = []
            shop = made.workshop()

            def point(name: str) -> None:
                seen.append(name)
                if len(seen) == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            def heard(what: str, arguments: tuple[object, ...]) -> None:
                if what not in _WRITES or not str(arguments[0]).startswith(str(made.folder)):
                    return
                if what == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
                    return
                point(f"{what} {Path(str(arguments[0])).parent.name}")

            def said(_c: object, _cursor: object, statement: str, *_: object) -> None:
                if statement.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE"):
                    point(" ".join(statement.split()[:3]))

            engine = shop.store._engine
            event.listen(engine, "after_cursor_execute", said)
            event.listen(engine, "begin", lambda _: point("begin"))
            event.listen(engine, "commit", lambda _: point("commit"))
            sys.addaudithook(heard)
            made.round(shop)
            os.write(write, json.dumps(seen).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status), json.loads(told) if told else []


def small(folder: Path) -> Desk:
    """Asking, being answered, quarantine, moving, the digest; little enough to be killed at each write."""
    folder.mkdir()
    made = desk(
        folder,
        mailboxes=[{"name": "support", "kind": "maildir", "path": "mail", "after": "move"}],  # type: ignore[arg-type]
        digest={"days": ["mon", "tue"], "recipients": ["staff@hoster.example"]},
    )
    made.drop(mail(WANTING, message_id="<a1@kunde.example>"))
    made.drop(mail("backup: yes\n", message_id="<a2@kunde.example>", parent="<a1@kunde.example>"))
    made.drop(b"")
    return made


def test_killed_at_any_write_the_work_is_done_once(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole")
    killed, writes = in_a_child(whole, 0)
    assert not killed
    whole.shop = whole.workshop()
    expected = settled(whole)
    assert len(expected["sent"]) == 3  # type: ignore[arg-type]  # a question, a confirmation, the digest
    for wanted in ("INSERT INTO messages", "UPDATE messages", "INSERT INTO outbox", "UPDATE outbox", "commit", "begin",
                   "INSERT INTO digests", "os.rename tmp", "os.rename new"):  # fmt: skip
        assert any(w.startswith(wanted) for w in writes), (wanted, sorted(set(writes)))
    assert len(writes) > 80
    for step, name in enumerate(writes, start=1):
        made = small(tmp_path / f"write{step}")
        killed, _ = in_a_child(made, step)
        assert killed, f"write {step} ({name}) was not reached"
        made.shop = made.workshop()
        assert settled(made) == expected, f"killed at write {step} ({name})"
        made.shop.store.close()
