"""Rounds over a real Maildir, a real SQLite file and a Maildir outbox; only the rules are plain."""

from __future__ import annotations

import email
from pathlib import Path

import pytest
from service_kit import COMPLETE, KEY, US, WANTING, Desk, desk, mail

from checker.answer.model import Group
from checker.edges.findings_json import fingerprints_of
from checker.edges.records import Delivery, Kind, State, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.mail.threads import make_message_id, verify_message_id
from checker.service.overview import view


@pytest.fixture
def office(tmp_path: Path) -> Desk:
    return desk(tmp_path)


def states(office: Desk) -> dict[State, int]:
    with office.shop.store.read() as c:
        return messages.counts(c)


def the_tickets(office: Desk) -> dict[str, Ticket]:
    with office.shop.store.read() as c:
        return {t.sender: t for t in tickets.listed(c)}


def reasons(office: Desk) -> list[str]:
    with office.shop.store.read() as c:
        return [s.reason for s in tickets.suppressions(c)]


def test_a_request_is_asked_once_and_completed_by_the_answer(office: Desk) -> None:
    office.drop(mail(WANTING, message_id="<one@kunde.example>"))
    assert office.round().delivered == 1
    assert office.round().delivered == 0
    question = email.message_from_bytes(office.sent()[0])
    assert question["In-Reply-To"] == "<one@kunde.example>"
    assert question["References"] == "<one@kunde.example>"
    assert question["Auto-Submitted"] == "auto-replied"
    assert question["To"] == "ada@kunde.example"
    ticket = the_tickets(office)["ada@kunde.example"]
    assert verify_message_id(KEY, question["Message-ID"]) == ticket.id
    assert (ticket.status, ticket.missing, ticket.asks) == ("incomplete", ("backup",), 1)

    office.clock.forward(minutes=30)
    office.drop(mail("backup: yes\n", subject="Re: server down", parent=question["Message-ID"]))
    office.round()
    ticket = the_tickets(office)["ada@kunde.example"]
    assert (ticket.status, ticket.missing, ticket.confirmed) == ("complete", (), True)
    with office.shop.store.read() as c:
        kinds = [p.mail.kind for p in outbox.listed(c)]
        numbered = [(m.n, m.state) for m, _ in messages.of_ticket(c, ticket.id)]
    assert kinds == [Kind.ASK, Kind.CONFIRMATION]
    assert numbered == [(1, State.DONE), (2, State.OURS), (3, State.DONE), (4, State.OURS)]


def test_thanks_after_a_question_are_not_nagged(office: Desk) -> None:
    office.drop(mail(WANTING, message_id="<one@kunde.example>"))
    office.round()
    office.drop(mail("Thank you, tomorrow.\n", parent="<one@kunde.example>"))
    assert office.round().delivered == 0
    assert reasons(office) == ["nothing-new"]


def test_no_request_gets_no_answer_but_keeps_its_thread(office: Desk) -> None:
    office.drop(mail("Good morning, is anybody there?\n", message_id="<hello@kunde.example>"))
    assert office.round().delivered == 0
    assert states(office) == {State.NOT_REQUEST: 1}
    office.drop(mail(COMPLETE, parent="<hello@kunde.example>"))
    assert office.round().delivered == 1
    assert states(office) == {State.DONE: 2, State.OURS: 1}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic:auto-submitted"),
        ({"List_Id": "<news.kunde.example>"}, "automatic:list"),
        ({"Return_Path": "<>"}, "automatic:null-return-path"),
        ({"Precedence": "bulk"}, "automatic:bulk"),
    ],
)
def test_machines_are_not_answered_and_the_reason_is_kept(office: Desk, headers: dict[str, str], reason: str) -> None:
    office.drop(mail(WANTING, **headers))  # type: ignore[arg-type]  # header names only
    assert office.round().delivered == 0
    assert states(office) == {State.AUTOMATIC: 1}
    assert reasons(office) == [reason]


def test_our_own_mail_coming_back_is_no_ticket(office: Desk) -> None:
    office.drop(mail(WANTING))
    office.round()
    office.drop(office.sent()[0])
    office.round()
    assert states(office) == {State.DONE: 1, State.OURS: 1, State.AUTOMATIC: 1}
    assert len(office.sent()) == 1


class TestColleagues:
    def paused(self, office: Desk) -> Ticket:
        office.drop(mail(WANTING, message_id="<one@kunde.example>"))
        office.round()
        office.drop(mail("What about the backup?\n", sender=US, to="ada@kunde.example", parent="<one@kunde.example>"))
        assert office.round().delivered == 0
        return the_tickets(office)["ada@kunde.example"]

    def test_a_colleagues_answer_is_context_and_pauses_the_ticket(self, office: Desk) -> None:
        ticket = self.paused(office)
        assert ticket.flags == ("paused",)
        with office.shop.store.read() as c:
            assert len(messages.of_ticket(c, ticket.id)) == 3
            (event,) = [e for e in tickets.history(c, ticket.id) if e.kind == "paused"]
            (shown,) = view(c, office.shop, office.clock.now(), office.clock.now()).entries
        assert event.detail == "a colleague wrote in it"
        assert (shown.group, shown.why) == (Group.NEEDS_YOU, ("paused",))

    def test_nothing_is_asked_confirmed_or_reminded_any_more(self, office: Desk) -> None:
        self.paused(office)
        office.drop(mail("server: 48214\n", parent="<one@kunde.example>"))
        office.round()
        assert reasons(office) == ["paused"]
        for _ in range(8):
            office.clock.forward(days=1)
            office.round()
        office.drop(mail("backup: yes\n", parent="<one@kunde.example>"))
        office.round()
        assert the_tickets(office)["ada@kunde.example"].status == "complete"
        assert reasons(office) == ["paused", "paused"]
        assert len(office.sent()) == 1

    def test_once_resumed_the_program_goes_on(self, office: Desk) -> None:
        ticket = self.paused(office)
        with office.shop.store.write() as c:
            tickets.change(c, ticket, flags=())
        office.drop(mail("backup: yes\n", parent="<one@kunde.example>"))
        assert office.round().delivered == 1

    def test_whom_an_unverified_mail_of_ours_names_gets_no_say(self, tmp_path: Path) -> None:
        office = desk(tmp_path, sender={"authserv_ids": ["mx.hoster.example"], "unverified": "ask_and_flag"})
        ticket = self.paused(office)
        assert ticket.participants == ("ada@kunde.example", US)
        office.drop(mail("Eve helps.\n", sender=US, to="eve@other.example", parent="<one@kunde.example>"))
        office.drop(mail("backup: yes\n", sender="eve@other.example", parent="<one@kunde.example>"))
        office.round()
        assert the_tickets(office)["eve@other.example"].flags[0] == f"stranger:{ticket.id}"
        assert the_tickets(office)["ada@kunde.example"].missing == ("backup",)


class TestDuplicates:
    def test_the_same_bytes_twice(self, office: Desk) -> None:
        raw = mail(WANTING)
        office.drop(raw)
        office.drop(raw)
        office.round()
        assert states(office) == {State.DONE: 1, State.OURS: 1, State.DUPLICATE: 1}
        assert len(office.sent()) == 1

    def test_the_same_mail_over_another_path(self, office: Desk) -> None:
        raw = mail(WANTING)
        office.drop(raw)
        office.drop(b"Received: from other by here; Mon, 23 Nov 2026 09:00:00 +0000\r\n" + raw)
        office.round()
        assert states(office)[State.DUPLICATE] == 1

    def test_one_message_id_with_other_words_is_no_copy(self, office: Desk) -> None:
        office.drop(mail(WANTING, message_id="<same@kunde.example>"))
        office.drop(mail(COMPLETE, message_id="<same@kunde.example>", sender="eve@other.example"))
        office.round()
        assert State.DUPLICATE not in states(office)
        assert set(the_tickets(office)) == {"ada@kunde.example", "eve@other.example"}

    def test_sent_twice_within_the_day_is_one_mail(self, office: Desk) -> None:
        office.drop(mail(WANTING, message_id="<a@kunde.example>"))
        office.drop(mail(WANTING, message_id="<b@kunde.example>"))
        office.round()
        assert states(office)[State.DUPLICATE] == 1
        assert len(office.sent()) == 1


class TestThreads:
    def ask(self, office: Desk) -> tuple[Ticket, str]:
        office.drop(mail(WANTING, message_id="<one@kunde.example>"))
        office.round()
        question = email.message_from_bytes(office.sent()[0])
        return the_tickets(office)["ada@kunde.example"], question["Message-ID"]

    def test_a_strangers_reply_does_not_join(self, office: Desk) -> None:
        ticket, question = self.ask(office)
        office.drop(mail("backup: yes\n", sender="eve@other.example", parent=question))
        office.round()
        found = the_tickets(office)
        assert found["ada@kunde.example"].status == "incomplete"
        assert found["eve@other.example"].flags == (f"stranger:{ticket.id}",)
        assert found["eve@other.example"].status == "review"
        assert "stranger" in reasons(office)
        with office.shop.store.read() as c:
            assert "stranger" in [e.kind for e in tickets.history(c, ticket.id)]
        assert len(office.sent()) == 1

    def test_whom_the_customer_wrote_to_may_speak(self, office: Desk) -> None:
        office.drop(mail(WANTING, message_id="<one@kunde.example>", Cc="bob@kunde.example"))
        office.round()
        office.drop(mail("backup: yes\n", sender="bob@kunde.example", parent="<one@kunde.example>"))
        office.round()
        assert the_tickets(office)["ada@kunde.example"].status == "complete"

    def test_a_forged_token_does_not_join(self, office: Desk) -> None:
        ticket, _ = self.ask(office)
        forged = make_message_id(b"guess" * 8, ticket.id, "abc", "hoster.example")
        office.drop(mail("backup: yes\n", parent=forged))
        office.round()
        with office.shop.store.read() as c:
            all_ = tickets.listed(c)
            assert tickets.get(c, ticket.id) == ticket
        other = next(t for t in all_ if t.id != ticket.id)
        assert other.flags == (f"forged-token:{ticket.id}",)
        assert "forged-token" in reasons(office)

    def test_the_subject_tag_needs_the_same_sender(self, office: Desk) -> None:
        ticket, _ = self.ask(office)
        office.drop(mail("backup: yes\n", subject=f"[#{ticket.id}] backup"))
        office.round()
        assert the_tickets(office)["ada@kunde.example"].status == "complete"
        office.drop(mail("power: no\n", subject=f"[#{ticket.id}] no", sender="eve@other.example"))
        office.round()
        assert the_tickets(office)["eve@other.example"].flags == (f"stranger:{ticket.id}",)


class TestTrouble:
    def test_a_mail_that_breaks_the_reader_is_quarantined_and_the_others_go_on(self, office: Desk) -> None:
        office.drop(mail("crash-the-reader hunter2\n"))
        office.drop(mail(WANTING, sender="b@kunde.example"))
        office.round()
        assert states(office)[State.DONE] == 1
        for _ in range(3):
            office.clock.forward(minutes=10)
            office.round()
        with office.shop.store.read() as c:
            (kept,) = messages.in_state(c, State.QUARANTINED)
        assert kept.attempts == 3
        assert "RuntimeError" in kept.reason
        assert "hunter2" not in kept.reason

    def test_an_oversize_mail_is_parked_unread(self, tmp_path: Path) -> None:
        office = desk(tmp_path, service={"max_mail_bytes": 10_000})
        office.drop(mail("x" * 20_000))
        office.round()
        with office.shop.store.read() as c:
            (kept,) = messages.in_state(c, State.QUARANTINED)
        assert kept.reason.startswith("larger than 10000 bytes")
        assert kept.attempts == 0

    def test_an_unreadable_file_is_quarantined_with_what_to_do(
        self, office: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(path))

        office.drop(mail(WANTING))
        monkeypatch.setattr(Path, "read_bytes", refuse)
        for _ in range(4):
            office.round()
            office.clock.forward(minutes=10)
        with office.shop.store.read() as c:
            (kept,) = messages.in_state(c, State.QUARANTINED)
        assert kept.attempts == 3
        assert "check its owner and mode" in kept.reason

    def test_a_mail_gone_before_it_is_read_is_no_error(self, office: Desk) -> None:
        name = office.drop(mail(WANTING))

        def vanish(where: str) -> None:
            if where == "listed":
                (office.folder / "mail" / "new" / name).unlink()

        office.round(office.workshop(vanish))
        assert states(office) == {State.VANISHED: 1}

    def test_a_released_mail_is_read_again(self, office: Desk) -> None:
        office.drop(b"")
        office.round()
        with office.shop.store.read() as c:
            (kept,) = messages.in_state(c, State.QUARANTINED)
        with office.shop.store.write() as c:
            assert messages.release(c, kept.id)
            assert not messages.release(c, 999)
        office.round()
        assert states(office) == {State.QUARANTINED: 1}

    def test_stopping_between_mails_leaves_the_rest_for_later(self, office: Desk) -> None:
        for i in range(5):
            office.drop(mail(WANTING, sender=f"c{i}@kunde.example"))
        shop = office.workshop()
        shop.stopping = lambda: states(office).get(State.DONE, 0) >= 2
        office.round(shop)
        assert states(office)[State.DONE] == 2
        assert states(office)[State.NEW] == 3
        office.round()
        assert states(office)[State.DONE] == 5


class TestLimits:
    def test_at_most_so_many_mails_to_one_sender(self, tmp_path: Path) -> None:
        office = desk(tmp_path, replies={"per_sender_day": 2})
        for i in range(4):
            office.drop(mail(WANTING, subject=f"server {i}"))
        office.round()
        assert len(office.sent()) == 2
        assert reasons(office) == ["per-sender", "per-sender"]

    def test_the_breaker_stops_replies_and_tells_the_staff_once(self, tmp_path: Path) -> None:
        office = desk(tmp_path, replies={"global_hour": 3}, digest={"recipients": ["staff@hoster.example"], "days": []})
        for i in range(6):
            office.drop(mail(WANTING, sender=f"c@k{i}.example"))
        office.round()
        with office.shop.store.read() as c:
            kinds = [p.mail.kind for p in outbox.listed(c)]
        assert kinds.count(Kind.ASK) == 3
        assert kinds.count(Kind.NOTICE) == 1
        assert reasons(office) == ["breaker"] * 3

    def test_after_the_last_question_a_person_takes_over(self, tmp_path: Path) -> None:
        office = desk(tmp_path, replies={"asks_per_ticket": 1})
        office.drop(mail("request: yes\n", message_id="<one@kunde.example>"))
        office.round()
        office.drop(mail("server: 48213\n", parent="<one@kunde.example>", message_id="<two@kunde.example>"))
        office.round()
        office.drop(mail("power: yes\n", parent="<two@kunde.example>"))
        office.round()
        with office.shop.store.read() as c:
            assert [p.mail.kind for p in outbox.listed(c)] == [Kind.ASK, Kind.HANDOVER]
        assert reasons(office) == ["per-ticket"]

    def test_old_mail_is_read_and_not_answered(self, office: Desk) -> None:
        office.drop(mail(WANTING))
        office.clock.forward(days=30)
        office.round()
        assert states(office) == {State.DONE: 1}
        assert reasons(office) == ["too-old"]

    def test_two_programs_that_answer_each_other_stop(self, tmp_path: Path) -> None:
        """The other side strips every header that says what it is, and always has something new to say."""
        office = desk(tmp_path)
        office.drop(mail("request: yes\nserver: 1\n", message_id="<0@loop.example>", sender="bot@loop.example"))
        for i in range(1, 40):
            before = len(office.sent())
            office.round()
            office.clock.forward(minutes=2)
            if len(office.sent()) == before:
                break
            office.drop(
                mail(f"server: {i}000\n", sender="bot@loop.example", parent=f"<{i - 1}@loop.example>",
                     message_id=f"<{i}@loop.example>")
            )  # fmt: skip
        assert len(office.sent()) == 4  # three questions, and that a person takes over


class TestBounces:
    REPORT = (
        "From: MAILER-DAEMON@mx.example\r\nTo: support@hoster.example\r\nSubject: Undelivered\r\n"
        "Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {id}\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"
    )

    def bounce(self, office: Desk, to: str, status: str = "5.1.1") -> None:
        office.drop(mail(WANTING, message_id="<one@kunde.example>"))
        office.round()
        ours = email.message_from_bytes(office.sent()[0])["Message-ID"]
        office.drop(self.REPORT.format(to=to, status=status, id=ours).encode())
        office.round()

    def test_a_permanent_one_stops_the_address(self, office: Desk) -> None:
        self.bounce(office, "ada@kunde.example")
        with office.shop.store.read() as c:
            assert outbox.is_stopped(c, "Ada@kunde.example")
            assert [p.bounced for p in outbox.listed(c)] == [True]
        office.drop(mail("request: yes\n", subject="another"))
        assert office.round().delivered == 0
        assert "address-bounced" in reasons(office)

    def test_a_temporary_one_does_not(self, office: Desk) -> None:
        self.bounce(office, "ada@kunde.example", "4.2.2")
        with office.shop.store.read() as c:
            assert not outbox.is_stopped(c, "ada@kunde.example")

    def test_a_report_cannot_stop_an_address_that_we_did_not_write_to(self, office: Desk) -> None:
        self.bounce(office, "victim@elsewhere.example")
        with office.shop.store.read() as c:
            assert not outbox.is_stopped(c, "victim@elsewhere.example")


class TestAfterwards:
    def test_moved_mails_are_known_by_their_new_place(self, tmp_path: Path) -> None:
        office = desk(tmp_path)
        settings = office.settings.model_copy(
            update={"mailboxes": (office.settings.mailboxes[0].model_copy(update={"after": "move"}),)}
        )
        office.settings = office.shop.settings = settings
        office.drop(mail(WANTING))
        office.round()
        assert not list((tmp_path / "mail" / "new").iterdir())
        assert len(list((tmp_path / "mail" / ".Done" / "cur").iterdir())) == 1
        office.round()
        assert states(office) == {State.DONE: 1, State.OURS: 1}

    def test_polling_alone_changes_nothing(self, office: Desk) -> None:
        name = office.drop(mail(WANTING))
        office.round()
        assert [p.name for p in (office.folder / "mail" / "new").iterdir()] == [name]
        assert not list((office.folder / "mail" / "cur").iterdir())


def test_a_full_outbox_disk_waits_and_then_delivers(office: Desk, tmp_path: Path) -> None:
    blocked = tmp_path / "out"
    blocked.write_text("a file where the folder should be")
    office.drop(mail(WANTING))
    assert office.round().delivered == 0
    with office.shop.store.read() as c:
        (waits,) = outbox.listed(c)
    assert waits.state is Delivery.PENDING
    assert "free disk space or make it writable" in waits.error
    blocked.unlink()
    office.clock.forward(minutes=5)
    assert office.round().delivered == 1


def test_a_secret_that_is_written_again_is_known_without_being_stored(tmp_path: Path) -> None:
    secret = "Zx9-hunter-2!"
    office = desk(tmp_path)
    office.drop(mail(f"request: yes\nroot: {secret}\n", message_id="<1@kunde.example>"))
    office.drop(mail(f'server: 48213\nas before: "{secret}".\n', parent="<1@kunde.example>"))
    office.round()
    with office.shop.store.read() as c:
        (ticket,) = tickets.listed(c)
        first, _, second, *_ = [stored for _, stored in messages.of_ticket(c, ticket.id)]
    assert len(fingerprints_of([first])) == 1
    assert fingerprints_of([first]) == fingerprints_of([second])
    assert secret not in first + second
