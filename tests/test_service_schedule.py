"""Reminders, the digest, working days, hot reload: what happens by the clock."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service_kit import COMPLETE, MONDAY, US, WANTING, Desk, desk, killed_steps, mail

from checker.edges.records import Kind, State
from checker.edges.store import leases, messages, outbox, tickets
from checker.service.digest import period_due
from checker.service.overview import view
from checker.service.workdays import is_open, is_working_day, working_days_since
from checker.service.workshop import RulesHolder, load_rules
from checker.settings import HosterSettings, Settings, SettingsError, build

ROME = ZoneInfo("Europe/Rome")
HOSTER = HosterSettings()


def kinds(office: Desk) -> list[Kind]:
    with office.shop.store.read() as c:
        return [p.mail.kind for p in outbox.listed(c)]


class TestWorkingDays:
    def test_weekends_and_holidays_do_not_count(self) -> None:
        assert is_working_day(datetime(2026, 11, 23, tzinfo=UTC).date(), HOSTER)
        assert not is_working_day(datetime(2026, 11, 22, tzinfo=UTC).date(), HOSTER)
        assert not is_working_day(datetime(2026, 12, 8, tzinfo=UTC).date(), HOSTER)  # Immacolata
        friday = datetime(2026, 12, 4, 15, tzinfo=UTC)
        assert [working_days_since(friday, friday + timedelta(days=d), HOSTER) for d in range(6)] == [0, 0, 0, 1, 1, 2]

    def test_office_hours_are_local(self) -> None:
        assert is_open(datetime(2026, 11, 23, 8, 0, tzinfo=UTC), HOSTER)
        assert not is_open(datetime(2026, 11, 23, 7, 59, tzinfo=UTC), HOSTER)
        assert not is_open(datetime(2026, 11, 23, 17, 0, tzinfo=UTC), HOSTER)

    @settings(deadline=None)  # a slow machine is no fault
    @given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.integers(0, 40), st.integers(0, 40))  # noqa: DTZ001
    def test_waiting_longer_never_counts_less(self, start: datetime, a: int, b: int) -> None:
        begin = start.replace(tzinfo=UTC)
        one, two = sorted((a, b))
        first = working_days_since(begin, begin + timedelta(days=one), HOSTER)
        assert 0 <= first <= working_days_since(begin, begin + timedelta(days=two), HOSTER) <= two


class TestReminders:
    def test_two_reminders_in_working_days_and_then_silence(self, tmp_path: Path) -> None:
        office = desk(tmp_path)
        office.drop(mail(WANTING, message_id="<one@kunde.example>"))
        seen = {}
        for day in range(20):
            office.round()
            seen[day] = len(kinds(office))
            office.clock.forward(days=1)
        assert kinds(office) == [Kind.ASK, Kind.REMINDER, Kind.REMINDER]
        assert (seen[1], seen[2], seen[3], seen[4]) == (1, 2, 2, 3)
        reminder = email.message_from_bytes(office.sent()[-1], policy=default)
        assert reminder["To"] == "ada@kunde.example"
        assert reminder["Auto-Submitted"] == "auto-replied"
        assert "<one@kunde.example>" in reminder["References"]

    def test_an_answer_ends_them(self, tmp_path: Path) -> None:
        office = desk(tmp_path)
        office.drop(mail(WANTING, message_id="<one@kunde.example>"))
        office.round()
        office.drop(mail("backup: yes\n", parent="<one@kunde.example>"))
        office.round()
        office.clock.forward(days=10)
        office.round()
        assert kinds(office) == [Kind.ASK, Kind.CONFIRMATION]

    @pytest.mark.parametrize(
        ("body", "headers", "due_after"),
        [
            ("thanks\n", {}, 2),
            ("I am away until Monday.\n", {"Auto_Submitted": "auto-replied"}, 2),
            ("server: 55120\n", {}, 3),  # an answer, though not to the question: it is asked again, and waited for
        ],
    )
    def test_only_an_answer_puts_a_reminder_off(
        self, tmp_path: Path, body: str, headers: dict[str, str], due_after: int
    ) -> None:
        """Asked on Monday; what comes on Tuesday decides when the reminder goes out."""
        office = desk(tmp_path)
        office.drop(mail(WANTING, message_id="<one@kunde.example>"))
        office.round()
        office.clock.forward(days=1)
        office.drop(mail(body, parent="<one@kunde.example>", date=office.clock.now(), **headers))
        office.round()
        seen = None
        for day in range(1, 5):
            office.round()
            if Kind.REMINDER in kinds(office):
                seen = seen or day
            office.clock.forward(days=1)
        assert seen == due_after

    def test_none_at_night_or_for_a_closed_ticket(self, tmp_path: Path) -> None:
        office = desk(tmp_path)
        office.drop(mail(WANTING))
        office.round()
        office.clock.forward(days=3, hours=12)
        office.round()
        assert kinds(office) == [Kind.ASK]
        with office.shop.store.write() as c:
            (ticket,) = tickets.listed(c)
            tickets.change(c, ticket, flags=("closed",))
        office.clock.forward(hours=14)
        office.round()
        assert kinds(office) == [Kind.ASK]

    def test_killed_at_any_step_a_reminder_goes_out_once(self, tmp_path: Path) -> None:
        def made(folder: Path) -> Desk:
            office = desk(folder)
            office.drop(mail(WANTING))
            office.round()
            office.clock.forward(days=2)
            return office

        for office in killed_steps(tmp_path, made, must_reach="reminder-posted"):
            office.clock.forward(minutes=10)
            office.round()
            office.round()
            assert kinds(office) == [Kind.ASK, Kind.REMINDER]
            assert len(office.sent()) == 2


class TestDigest:
    def office(self, tmp_path: Path) -> Desk:
        return desk(tmp_path, digest={"recipients": ["staff@hoster.example"], "days": ["mon", "tue"], "at": "07:30"})

    def test_once_a_day_also_when_empty(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        for _ in range(5):
            office.round()
            office.clock.forward(hours=1)
        assert kinds(office) == [Kind.DIGEST]
        sent = email.message_from_bytes(office.sent()[0], policy=default)
        assert sent["To"] == "staff@hoster.example"
        assert sent["Auto-Submitted"] == "auto-generated"
        assert (tmp_path / "var" / "digest" / "2026-11-23.html").stat().st_mode & 0o777 == 0o600

    def test_it_reconciles_and_groups(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        office.drop(mail(WANTING))
        office.drop(mail(COMPLETE, sender="bob@kunde.example"))
        office.drop(mail(COMPLETE, sender="bob@kunde.example"))
        office.drop(mail("Hello\n", sender="cleo@kunde.example"))
        office.drop(mail(WANTING, sender="list@kunde.example", List_Id="<x>"))
        office.drop(b"")
        office.round()
        now = office.clock.now() + timedelta(seconds=1)
        with office.shop.store.read() as c:
            seen = view(c, office.shop, MONDAY - timedelta(days=1), now)
        counts = seen.counts
        assert counts is not None
        assert (counts.seen, counts.tickets, counts.automatic, counts.duplicates) == (6, 2, 1, 1)
        assert (counts.not_requests, counts.quarantined, counts.difference) == (1, 1, 0)
        assert {e.who.split("@")[0]: e.group for e in seen.entries} == {"Ada <ada": "waiting", "bob": "ready"}
        assert seen.figures.forgotten == (("backup", 1),)
        assert seen.figures.complete_at_first == 1
        ready = next(e for e in seen.entries if e.group == "ready")
        assert ready.sheet is not None
        assert ready.sheet.service_ids == ("48213",)

    @pytest.mark.parametrize(
        ("local", "due"),
        [
            ("2026-11-23T07:29:00", None),
            ("2026-11-23T07:30:00", "2026-11-23"),
            ("2026-11-23T23:59:00", "2026-11-23"),
            ("2026-11-22T09:00:00", None),  # a Sunday
        ],
    )
    def test_when_it_is_due(self, local: str, due: str | None) -> None:
        settings = build({"digest": {"at": "07:30"}}, file="t", base=Path())
        assert period_due(datetime.fromisoformat(local).replace(tzinfo=ROME), settings) == due

    @pytest.mark.parametrize("day", [datetime(2026, 10, 25, tzinfo=ROME), datetime(2027, 3, 28, tzinfo=ROME)])
    def test_one_a_date_when_summer_time_changes(self, day: datetime) -> None:
        every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        settings = build({"digest": {"at": "03:30", "days": every}}, file="t", base=Path())
        start = (day - timedelta(days=1)).astimezone(UTC)
        periods = [period_due(start + timedelta(minutes=10 * i), settings) for i in range(6 * 72)]
        assert {p for p in periods if p} >= {day.date().isoformat()}
        changes = [p for p, q in zip(periods, [None, *periods], strict=False) if p is not None and p != q]
        assert len(changes) == len(set(changes))

    def test_a_period_claimed_elsewhere_is_left(self, tmp_path: Path) -> None:
        office = self.office(tmp_path)
        with office.shop.store.write() as c:
            assert leases.claim_period(c, "2026-11-23", MONDAY, MONDAY)
        office.round()
        assert kinds(office) == []


class TestHotReload:
    def settings(self, tmp_path: Path) -> Settings:
        import shutil

        root = Path(__file__).resolve().parents[1]
        for name in ("rules", "replies"):
            shutil.copytree(root / name, tmp_path / name)
        return build({}, file="t", base=tmp_path)

    def test_broken_rules_leave_the_old_ones_in_use(self, tmp_path: Path) -> None:
        settings = self.settings(tmp_path)
        holder = RulesHolder(settings, load_rules(settings))
        before = holder.current
        assert not holder.refresh()
        file = tmp_path / "rules" / "procedure.toml"
        good = file.read_text()
        file.write_text("kinds = [\n")
        assert not holder.refresh()
        assert holder.current is before
        assert "procedure.toml" in holder.refused
        assert "correct the TOML there" in holder.refused
        file.write_text(good + "\n# changed\n")
        assert holder.refresh()
        assert holder.refused == ""
        assert holder.current.version != before.version

    def test_broken_rules_are_refused_at_start(self, tmp_path: Path) -> None:
        settings = self.settings(tmp_path)
        (tmp_path / "rules" / "procedure.toml").unlink()
        with pytest.raises(SettingsError, match=r"procedure\.toml is missing"):
            load_rules(settings)


def test_a_part_that_fails_does_not_hold_up_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from checker.service import round as rounds

    def fail(_shop: object) -> int:
        raise RuntimeError("words of a mail: hunter2")

    monkeypatch.setattr(rounds, "remind", fail)
    office = desk(tmp_path)
    office.drop(mail(WANTING))
    summary = office.round()
    assert summary.delivered == 1
    (said,) = summary.errors
    assert said.startswith("remind failed inside the program (RuntimeError")
    assert "hunter2" not in said


def test_a_round_of_nothing_is_quiet(tmp_path: Path) -> None:
    office = desk(tmp_path)
    summary = office.round()
    assert (summary.listed, summary.processed, summary.delivered, summary.errors) == (0, 0, 0, [])
    with office.shop.store.read() as c:
        assert messages.counts(c) == {}
        assert messages.account_health(c, "support").last_ok_at == MONDAY


def test_what_a_colleague_wrote_counts_as_ours(tmp_path: Path) -> None:
    office = desk(tmp_path)
    office.drop(mail("Hello\n", sender=US, to="x@y.example"))
    office.round()
    with office.shop.store.read() as c:
        assert messages.counts(c) == {State.AUTOMATIC: 1}
