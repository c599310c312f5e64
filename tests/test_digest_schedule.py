"""Digests of teams, their times, notices at once, links into a helpdesk: who gets which mail when."""

from __future__ import annotations

import email
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service_kit import COMPLETE, MONDAY, WANTING, Desk, desk, killed_steps, mail

from checker.answer.clean import web_link
from checker.comply.procedure import KINDS
from checker.edges.records import Kind, Ticket
from checker.edges.store import leases, outbox, tickets
from checker.model import Evidence
from checker.service.digest import all_due, occasion, occasions
from checker.service.digest_entry import link, quotes
from checker.settings import DigestSettings, DigestTeam, SettingsError, build

ROME = ZoneInfo("Europe/Rome")
ALL, HARD, NIGHT = "all@hoster.example", "hardware@hoster.example", "night@hoster.example"


def made(**digest: Any) -> DigestSettings:
    return build({"digest": digest}, file="config.toml", base=Path()).digest


def refused(**digest: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        made(**digest)
    return str(caught.value)


def mails(office: Desk, *wanted: Kind) -> list[tuple[str, str]]:
    """To whom what went, by subject."""
    with office.shop.store.read() as c:
        posted = [p.mail for p in outbox.listed(c, kinds=wanted)]
    found = []
    for one in posted:
        message = email.message_from_bytes(one.raw, policy=default)
        assert isinstance(message, EmailMessage)
        found.append((one.recipient, str(message["Subject"])))
    return found


def text(office: Desk, to: str, number: int = -1) -> str:
    """The text of the last mail to the staff at an address."""
    with office.shop.store.read() as c:
        raw = [p.mail.raw for p in outbox.listed(c, kinds=[Kind.DIGEST, Kind.NOTICE]) if p.mail.recipient == to][number]
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def as_hardware(office: Desk, sender: str) -> None:
    """The plain engine knows one kind only; the store's row is what teams are chosen by."""
    with office.shop.store.write() as c:
        (ticket,) = (t for t in tickets.listed(c) if t.sender == sender)
        tickets.change(c, ticket, kinds=("hardware",))


class TestSettings:
    @pytest.mark.parametrize(
        ("digest", "words"),
        [
            ({"at": "02:30"}, "digest.at: lies between 02:00 and 03:00, which summer time skips or repeats"),
            ({"schedule": {"sat": ["09:00", "02:10"]}}, "digest.schedule.sat[2]: lies between 02:00 and 03:00"),
            ({"schedule": {"mon": ["09:00"]}, "at": "08:00"}, "remove days and at, or schedule"),
            ({"schedule": {"monday": ["09:00"]}}, "input should be 'mon', 'tue'"),
            ({"immediate": ["always"]}, "input should be 'ready' or 'urgent'"),
            ({"team": [{"name": "HW 1", "recipients": [ALL]}]}, "'HW 1' is no name of a team; use up to 20 small"),
            ({"team": [{"name": "hw", "recipients": []}]}, "digest.team[1].recipients: is empty; name who gets"),
            ({"team": [{"name": "hw", "recipients": [ALL], "kinds": ["sales"]}]}, "digest.team[1].kinds[1]"),
            ({"team": [{"name": "hw", "recipients": [ALL]}] * 2}, "the name 'hw' is given twice"),
            ({"ticket_url": "ftp://desk.example/{ticket}"}, "must begin with https:// (or http://)"),
            ({"ticket_url": "javascript:alert({ticket})"}, "must begin with https:// (or http://)"),
            ({"ticket_url": "https://{ticket}/x"}, "must begin with https:// (or http://) and the helpdesk's host"),
            ({"ticket_url": "https://desk.example{ticket}"}, "has a field in the place of the host; put a / between"),
            ({"ticket_url": "https://desk.example/"}, "needs {ticket} or {message_id}"),
            ({"ticket_url": "https://desk.example/{tickt}"}, "{tickt} is no field of a link; it may use {ticket},"),
            ({"ticket_url": "https://desk.example/{ticket!r}"}, "is no field of a link"),
            ({"ticket_url": "https://desk.example/{ticket"}, "a brace without its partner"),
            ({"ticket_url": "https://desk.example/ {ticket}"}, "holds a blank"),
        ],
    )
    def test_errors_are_sentences(self, digest: dict[str, Any], words: str) -> None:
        said = refused(**digest)
        assert said.startswith("config.toml: digest")
        assert words in said

    def test_times_of_a_weekday(self) -> None:
        assert made().times("fri") == (time(7, 30),)
        assert made().times("sat") == ()
        both = made(schedule={"mon": ["14:00", "07:30", "14:00"], "sat": ["09:00"]})
        assert (both.times("mon"), both.times("tue"), both.times("sat")) == (
            (time(7, 30), time(14, 0)),
            (),
            (time(9, 0),),
        )

    def test_kinds_are_the_procedures(self) -> None:
        team = DigestTeam(name="x", recipients=(ALL,), kinds=KINDS)
        assert team.kinds == KINDS

    def test_kinds_that_nobody_is_told_of(self) -> None:
        assert made().untold == ()
        hardware = {"name": "hw", "recipients": [HARD], "kinds": ["hardware"]}
        assert made(team=[hardware]).untold == ("intervention", "os_reinstall")
        assert made(team=[hardware], recipients=[ALL]).untold == ()
        assert made(team=[hardware, {"name": "rest", "recipients": [NIGHT]}]).untold == ()
        assert made(team=[hardware, {"name": "rest", "recipients": [NIGHT, HARD]}]).everybody == (HARD, NIGHT)


TWICE = made(schedule={"mon": ["03:30", "23:59"], "sun": ["00:00", "03:00"]})


class TestOccasions:
    @pytest.mark.parametrize(
        ("local", "wanted"),
        [
            ("2026-11-23T07:29:59", None),
            ("2026-11-23T07:30:00", "2026-11-23"),
            ("2026-11-23T13:59:00", "2026-11-23"),
            ("2026-11-23T14:00:00", "2026-11-23T14:00"),
            ("2026-11-24T23:00:00", None),  # a Tuesday
            ("2026-11-28T09:00:00", "2026-11-28"),
        ],
    )
    def test_by_weekday_and_time(self, local: str, wanted: str | None) -> None:
        schedule = made(schedule={"mon": ["07:30", "14:00"], "sat": ["09:00"]})
        assert occasion(datetime.fromisoformat(local).replace(tzinfo=ROME), schedule, ROME) == wanted

    @settings(deadline=None)  # a slow machine is no fault
    @given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001 - taken as UTC below
    def test_every_occasion_has_come_and_is_of_today(self, at: datetime) -> None:
        moment = at.replace(tzinfo=UTC)
        found = occasion(moment, TWICE, ROME)
        if found is not None:
            assert found[:10] == moment.astimezone(ROME).date().isoformat()
            assert found[11:] <= f"{moment.astimezone(ROME):%H:%M}"

    def test_what_is_due_is_named_by_team(self) -> None:
        settings = build(
            {"digest": {"team": [{"name": "hw", "recipients": [HARD], "schedule": {"mon": ["06:00", "08:00"]}}]}},
            file="t",
            base=Path(),
        )
        due = all_due(datetime(2026, 11, 23, 8, 0, tzinfo=ROME), settings)
        assert [(d.period, d.name) for d in due] == [("2026-11-23", ""), ("2026-11-23T08:00/hw", "hw")]
        assert [x for x in occasions(settings) if x[0] in ("mon", "sat")] == [
            ("mon", time(7, 30)),
            ("mon", time(6, 0)),
            ("mon", time(8, 0)),
        ]


def test_the_scheduler_wakes_the_service_at_the_hoster_s_hours() -> None:
    from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # no types

    from checker.cli.run import at_their_hours

    team = {"name": "hw", "recipients": [HARD], "schedule": {"mon": ["08:15"], "sat": ["09:00"]}}
    settings_ = build({"digest": {"days": ["mon"], "at": "07:30", "team": [team]}}, file="t", base=Path())
    scheduler = BackgroundScheduler(timezone="UTC")
    at_their_hours(scheduler, lambda: None, settings_)
    sunday = datetime(2027, 3, 28, 12, 0, tzinfo=ROME)  # the day that summer time begins
    fires = sorted(job.trigger.get_next_fire_time(None, sunday) for job in scheduler.get_jobs())
    assert [f.astimezone(UTC) for f in fires] == [
        datetime(2027, 3, 29, 5, 30, tzinfo=UTC),
        datetime(2027, 3, 29, 6, 15, tzinfo=UTC),
        datetime(2027, 4, 3, 7, 0, tzinfo=UTC),
    ]


class TestTeams:
    def office(self, folder: Path, **more: Any) -> Desk:
        teams = [
            {"name": "hardware", "recipients": [HARD], "kinds": ["hardware"], "language": "it", "at": "08:00", **more},
            {"name": "night", "recipients": [NIGHT], "schedule": {"mon": ["10:00", "20:00"], "tue": ["20:00"]}},
        ]
        return desk(folder, digest={"recipients": [ALL], "days": ["mon", "tue"], "at": "07:30", "team": teams})

    def test_who_gets_which_digest_when(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        office.clock.time = datetime(2026, 11, 23, 6, 0, tzinfo=ROME)
        seen: dict[str, list[str]] = {}
        while office.clock.time < datetime(2026, 11, 25, 0, 0, tzinfo=ROME):
            before = len(mails(office, Kind.DIGEST))
            office.round()
            for to, _ in mails(office, Kind.DIGEST)[before:]:
                seen.setdefault(to, []).append(f"{office.clock.time.astimezone(ROME):%a %H:%M}")
            office.clock.forward(minutes=30)
        assert seen == {
            ALL: ["Mon 07:30", "Tue 07:30"],
            HARD: ["Mon 08:00", "Tue 08:00"],
            NIGHT: ["Mon 10:00", "Mon 20:00", "Tue 20:00"],
        }

    def test_a_team_sees_its_kinds_in_its_language(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        office.clock.time = datetime(2026, 11, 23, 7, 0, tzinfo=ROME)
        office.drop(mail(WANTING))
        office.drop(mail(COMPLETE, sender="bob@kunde.example"))
        office.drop(b"")
        office.round()
        as_hardware(office, "bob@kunde.example")
        office.clock.forward(hours=4)
        office.round()
        assert [to for to, _ in mails(office, Kind.DIGEST)] == [ALL, HARD, NIGHT]
        whole, hardware, night = (text(office, to) for to in (ALL, HARD, NIGHT))
        assert "INTROSERV · hardware: interventi" in hardware
        assert "PRONTI (1)" in hardware
        assert "bob@kunde.example" in hardware
        assert "ada@kunde.example" not in hardware
        assert "QUARANTENA" not in hardware
        assert "Dove è finito ogni messaggio" not in hardware
        for one in (whole, night):
            assert "READY (1)" in one
            assert "WAITING FOR THE CUSTOMER (1)" in one
            assert "QUARANTINE (1)" in one
        folder = tmp_path / "var" / "digest"
        assert sorted(p.name for p in folder.glob("*.txt")) == [
            "2026-11-23-hardware.txt",
            "2026-11-23-night.txt",
            "2026-11-23.txt",
        ]

    def test_a_period_begins_at_the_teams_own_last_digest(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        with office.shop.store.write() as c:
            assert leases.claim_period(c, "2026-11-20", MONDAY, MONDAY - timedelta(days=3))
            assert leases.claim_period(c, "2026-11-22/night", MONDAY, MONDAY - timedelta(days=1))
            assert leases.last_digest(c) == MONDAY - timedelta(days=3)
            assert leases.last_digest(c, "night") == MONDAY - timedelta(days=1)
            assert leases.last_digest(c, "hardware") is None

    def test_missed_occasions_are_made_up_for_once(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        office.clock.time = datetime(2026, 11, 23, 23, 0, tzinfo=ROME)
        office.round()
        office.round()
        assert [to for to, _ in mails(office, Kind.DIGEST)] == [ALL, HARD, NIGHT]

    def test_killed_at_any_step_each_goes_out_once(self, tmp_path: Path) -> None:
        def at_ten(folder: Path) -> Desk:
            office = self.office(folder)
            office.clock.time = datetime(2026, 11, 23, 10, 0, tzinfo=ROME)
            return office

        for office in killed_steps(tmp_path, at_ten, must_reach="digest-posted"):
            office.clock.forward(minutes=10)
            office.round()
            office.round()
            assert sorted(to for to, _ in mails(office, Kind.DIGEST)) == sorted([ALL, HARD, NIGHT])
            assert len(office.sent()) == 3

    def test_a_template_that_fails_for_one_team_leaves_the_others_theirs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from checker.answer.model import AnswerError, DigestView, Rendered
        from checker.service import digest as module

        def compose(view: DigestView, *_: object) -> Rendered:
            if view.team == "hardware":
                raise AnswerError("replies/digest.html, line 3: no")
            return Rendered("x", "y\n", "<p>y</p>")

        monkeypatch.setattr(module, "compose", compose)
        office = self.office(tmp_path)
        office.clock.time = datetime(2026, 11, 23, 10, 0, tzinfo=ROME)
        office.round()
        assert [to for to, _ in mails(office, Kind.DIGEST)] == [ALL, NIGHT]


class TestNotices:
    def office(self, folder: Path, *immediate: str, **more: Any) -> Desk:
        team = {"name": "hardware", "recipients": [HARD], "kinds": ["hardware"], "language": "de", "days": []}
        whole = {"recipients": [ALL], "days": [], "immediate": list(immediate)}
        return desk(folder, digest={**whole, "team": [{**team, "immediate": list(immediate)}], **more})

    def test_a_ready_ticket_is_told_once(self, tmp_path: Path) -> None:
        office = self.office(tmp_path, "ready", ticket_url="https://desk.example/t/{ticket}")
        office.drop(mail(COMPLETE))
        for _ in range(3):
            office.round()
            office.clock.forward(hours=1)
        (ticket,) = self.tickets(office)
        assert mails(office, Kind.NOTICE) == [(ALL, f"Ready: 48213 ({ticket.id})")]
        told = text(office, ALL)
        assert "Everything is there: a technician can start." in told
        assert "Restart, power-off: allowed" in told
        assert f"Open: https://desk.example/t/{ticket.id}" in told
        assert "Message-ID:" not in told

    def test_a_team_is_told_of_its_kinds_in_its_language(self, tmp_path: Path) -> None:
        office = self.office(tmp_path, "ready")
        office.drop(mail(WANTING, message_id="<1@kunde.example>"))
        office.round()
        assert mails(office, Kind.NOTICE) == []
        office.drop(mail("backup: yes\n", parent="<1@kunde.example>"))
        office.shop.rules.refresh()
        office.round()
        assert [to for to, _ in mails(office, Kind.NOTICE)] == [ALL]
        as_hardware(office, "ada@kunde.example")
        office.round()
        (ticket,) = self.tickets(office)
        assert mails(office, Kind.NOTICE) == [
            (ALL, f"Ready: 48213 ({ticket.id})"),
            (HARD, f"Bereit: 48213 ({ticket.id})"),
        ]

    def test_nothing_old_and_nothing_closed_is_told(self, tmp_path: Path) -> None:
        quiet = self.office(tmp_path)
        quiet.drop(mail(COMPLETE))
        quiet.drop(mail(COMPLETE, sender="bob@kunde.example"))
        quiet.round()
        assert mails(quiet, Kind.NOTICE) == []
        with quiet.shop.store.write() as c:
            (bob,) = (t for t in tickets.listed(c) if t.sender.startswith("bob"))
            tickets.change(c, bob, flags=("closed",))
        loud = self.office(tmp_path, "ready")
        loud.clock.time = quiet.clock.time + timedelta(hours=20)
        loud.round()
        assert [to for to, _ in mails(loud, Kind.NOTICE)] == [ALL]
        later = self.office(tmp_path, "ready")
        later.clock.time = quiet.clock.time + timedelta(hours=30)
        later.drop(mail("Hello\n"))
        later.round()
        assert len(mails(later, Kind.NOTICE)) == 1

    def test_an_urgent_one_is_told_when_its_window_comes_near(self, tmp_path: Path) -> None:
        office = self.office(tmp_path, "urgent", soon_hours=4)
        office.drop(mail(f"{WANTING}window: {(MONDAY + timedelta(hours=6)).isoformat()}\n"))
        seen = []
        for hour in range(8):
            office.round()
            seen.append((hour, len(mails(office, Kind.NOTICE))))
            office.clock.forward(hours=1)
        assert seen == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1)]
        (ticket,) = self.tickets(office)
        assert mails(office, Kind.NOTICE) == [(ALL, f"Begins soon: 48213 ({ticket.id})")]
        assert "begins at Mon 2026-11-23 16:00 CET = 15:00 UTC." in " ".join(text(office, ALL).split())

    def test_killed_at_any_step_a_notice_goes_out_once(self, tmp_path: Path) -> None:
        def ready(folder: Path) -> Desk:
            office = self.office(folder, "ready")
            office.drop(mail(COMPLETE))
            return office

        for office in killed_steps(tmp_path, ready, must_reach="notice-posted"):
            office.clock.forward(minutes=10)
            office.round()
            office.round()
            assert [to for to, _ in mails(office, Kind.NOTICE)] == [ALL]

    @staticmethod
    def tickets(office: Desk) -> tuple[Ticket, ...]:
        with office.shop.store.read() as c:
            return tickets.listed(c)


class TestLinks:
    TICKET = Ticket("TABC", 1, MONDAY, MONDAY, "complete", "en", "s", "ada+x@kunde.example", "Ada", servers=("48213",))

    def test_fields_are_filled_in_encoded(self) -> None:
        template = "https://desk.example/search?q={message_id}&t={ticket}&s={sender}#{server}"
        assert link(template, self.TICKET, "<a/b&c=d?e#f@x.example>") == (
            "https://desk.example/search?q=a%2Fb%26c%3Dd%3Fe%23f%40x.example&t=TABC&s=ada%2Bx%40kunde.example#48213"
        )

    def test_without_a_template_or_a_value_there_is_none(self) -> None:
        assert link("", self.TICKET, "<a@x.example>") is None
        assert link("https://desk.example/{message_id}", self.TICKET, None) is None
        assert link("https://desk.example/{ticket}", self.TICKET, None) == "https://desk.example/TABC"

    @settings(deadline=None)  # a slow machine is no fault
    @given(st.text(min_size=1, max_size=100))
    def test_no_message_id_leaves_its_place(self, message_id: str) -> None:
        made_link = link("https://desk.example/find/{message_id}/end", self.TICKET, message_id)
        if made_link is not None:
            middle = made_link.removeprefix("https://desk.example/find/").removesuffix("/end")
            assert not {*middle} & {*"/?#&\"'<>` "}
            assert web_link(made_link) == made_link


class TestQuotes:
    TEXT = (
        "Uns ist bekannt, dass es beim Austausch zu Ausfällen oder Datenverlust kommen kann, und wir akzeptieren das."
    )

    def said(self, field: str, words: str, message: int = 1) -> Evidence:
        start = self.TEXT.index(words)
        return Evidence(field, "given", "r", message, start, start + len(words), words)

    def test_words_that_overlap_are_one_quotation(self) -> None:
        found = list(
            quotes(
                [
                    self.said("hardware_acknowledgement", "Datenverlust kommen kann, und wir akzeptieren"),
                    self.said(
                        "hardware_acknowledgement", "bekannt, dass es beim Austausch zu Ausfällen oder Datenverlust"
                    ),
                    self.said("impact", "Ausfällen oder Datenverlust kommen kann, und wir akzeptieren das."),
                    self.said("backup", "Uns ist", 2),
                    self.said("os", "Uns"),
                ]
            )
        )
        assert [(q.field, q.also, q.message) for q in found] == [
            ("hardware_acknowledgement", ("impact",), 1),
            ("backup", (), 2),
        ]
        assert found[0].text == self.TEXT.removeprefix("Uns ist ")

    def test_masked_words_are_never_joined(self) -> None:
        masked = Evidence("power", "granted", "r", 1, 0, 30, "******** ok")
        other = Evidence("power", "granted", "r", 1, 10, 40, "x" * 30)
        assert [q.text for q in quotes([masked, other])] == ["******** ok", "x" * 30]

    def test_neighbours_are_joined_and_strangers_are_not(self) -> None:
        a = Evidence("power", "granted", "r", 1, 0, 10, "You may re")
        b = Evidence("power", "granted", "r", 1, 11, 15, "boot")
        c = Evidence("power", "granted", "r", 1, 17, 20, "now")
        d = Evidence("power", "granted", "r", 1, 0, 10, "Restart it", "subject")
        assert [q.text for q in quotes([a, b, c, d])] == ["You may re boot", "now", "Restart it"]
