"""Deciding: pure functions of a situation. Every reason for silence has its case here."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit import MONDAY, PlainEngine, mail, words

from checker.edges.records import Counts, Kind, Mail, Place, State, Ticket
from checker.mail.parse import Unparsable, parse
from checker.model import Address, Automatic, Message, TicketStatus, Verdict
from checker.service.actions import Alarm, File, Note, Post, Settle, Suppress
from checker.service.plan import needs_reading, plan
from checker.service.restraint import reply_address_of
from checker.service.situation import Belongs, Examined, Situation, Standing
from checker.settings import Settings, build

OWN = frozenset({"support@hoster.example"})
ENGINE = PlainEngine()
WANTING = "request: yes\nserver: 48213\n"
COMPLETE = "request: yes\nserver: 48213\npower: yes\nbackup: yes\n"


def settings(**sections: Any) -> Settings:
    return build(sections, file="t", base=Path())


def situation(body: str = WANTING, **more: Any) -> Situation:
    message = more.pop("message", None) or parse(mail(body), 1, OWN, words())
    row = Mail(1, Place("a", "INBOX", 1, "1"), 10, MONDAY, State.NEW, 1)
    return Situation(row, message, "content", "TNEW", 1, MONDAY, **more)


def decided(s: Situation, given: Settings | None = None) -> tuple[Any, ...]:
    examined = None
    if needs_reading(s):
        findings = ENGINE.read(s.message, s.earlier)
        examined = Examined(findings, ENGINE.judge((*s.earlier, findings)))
    return plan(s, examined, given or Settings())


def of(kind: type, actions: tuple[Any, ...]) -> Any:
    found = [a for a in actions if isinstance(a, kind)]
    return found[0] if found else None


def ticket(**more: Any) -> Ticket:
    base = Ticket(
        "T1", 0, MONDAY, MONDAY, "incomplete", "en", "s", "ada@kunde.example", "Ada", ("ada@kunde.example",)
    )  # fmt: skip
    return dataclasses.replace(base, **more)


def test_a_wanting_request_is_asked() -> None:
    actions = decided(situation())
    assert of(Post, actions) == Post(Kind.ASK, "ada@kunde.example", 1)
    filed = of(File, actions)
    assert (filed.before, filed.n, filed.after.asks, filed.after.status) == (None, 1, 1, "incomplete")
    assert Note("TNEW", "missing", "power_authorization,backup") in actions


def test_a_complete_request_is_confirmed_once() -> None:
    actions = decided(situation(COMPLETE))
    assert of(Post, actions).kind is Kind.CONFIRMATION
    assert of(File, actions).after.ready_at == MONDAY
    again = decided(situation(COMPLETE, belongs=Belongs(ticket(confirmed=True, status="complete"), "token")))
    assert of(Suppress, again).reason == "confirmed-already"
    off = decided(situation(COMPLETE), settings(replies={"confirm": False}))
    assert of(Suppress, off).reason == "confirmations-off"


@pytest.mark.parametrize(
    ("change", "given", "reason"),
    [
        ({}, {"replies": {"enabled": False}}, "replies-off"),
        ({"stopped": True}, {}, "address-bounced"),
        ({"standing": Standing.UNVERIFIED}, {}, "unverified-sender"),
        ({"belongs": Belongs(intruded="T9", why="stranger")}, {}, "stranger"),
        ({"belongs": Belongs(intruded="T9", why="forged-token")}, {}, "forged-token"),
        ({"counts": Counts(this_mail=1)}, {}, "answered-already"),
        ({"counts": Counts(sender_day=5)}, {}, "per-sender"),
        ({"counts": Counts(domain_hour=20)}, {}, "per-domain"),
        ({"counts": Counts(global_hour=60)}, {}, "breaker"),
        ({"now": MONDAY + timedelta(days=15)}, {}, "too-old"),
        ({"belongs": Belongs(ticket(asks=3, flags=("limit",)), "token")}, {}, "per-ticket"),
    ],
)
def test_every_silence_has_its_reason(change: dict[str, Any], given: dict[str, Any], reason: str) -> None:
    actions = decided(dataclasses.replace(situation(), **change), settings(**given))
    assert of(Post, actions) is None
    assert of(Suppress, actions).reason == reason
    assert (of(Alarm, actions) is not None) == (reason == "breaker")
    assert of(File, actions).after.asks == (3 if reason == "per-ticket" else 0)


def test_an_unverified_consent_is_never_complete() -> None:
    for policy in ("flag", "ask_and_flag"):
        actions = decided(situation(COMPLETE, standing=Standing.UNVERIFIED), settings(sender={"unverified": policy}))
        filed = of(File, actions)
        assert filed.after.status == "review"
        assert "unverified" in filed.after.flags
        assert of(Post, actions) is None
    asked = decided(situation(standing=Standing.UNVERIFIED), settings(sender={"unverified": "ask_and_flag"}))
    assert of(Post, asked).kind is Kind.ASK


def test_a_closed_ticket_is_opened_by_its_customer() -> None:
    actions = decided(situation(belongs=Belongs(ticket(flags=("closed", "doubled-header")), "token")))
    assert of(File, actions).after.flags == ("doubled-header",)


def test_somebody_without_an_address_cannot_be_answered() -> None:
    message = dataclasses.replace(situation().message, sender=None)
    assert of(Suppress, decided(situation(message=message))).reason == "no-sender"
    odd = dataclasses.replace(situation().message, sender=Address("jörg@kunde.example"), reply_to=None)
    assert of(Suppress, decided(situation(message=odd))).reason == "address-form"


def test_the_reply_goes_to_the_sender_or_within_the_senders_domain() -> None:
    message = situation().message
    elsewhere = dataclasses.replace(message, reply_to=Address("thief@other.example"))
    assert reply_address_of(elsewhere) == "ada@kunde.example"
    within = dataclasses.replace(message, reply_to=Address("tickets@Kunde.example"))
    assert reply_address_of(within) == "tickets@Kunde.example"


def test_a_reply_to_us_is_refused() -> None:
    message = dataclasses.replace(situation().message, sender=Address("support@hoster.example"))
    assert of(Suppress, decided(situation(message=message))).reason == "own-address"


@given(
    st.sampled_from(Automatic),
    st.sampled_from([WANTING, COMPLETE]),
    st.booleans(),
    st.sampled_from(Standing),
)
def test_no_machine_is_ever_answered(reason: Automatic, body: str, known: bool, standing: Standing) -> None:
    message: Message = dataclasses.replace(situation(body).message, automatic=reason)
    s = situation(message=message, standing=standing, belongs=Belongs(ticket(), "token") if known else Belongs())
    actions = decided(s)
    assert of(Post, actions) is None
    assert of(File, actions) is None
    assert of(Settle, actions) == Settle(State.AUTOMATIC, str(reason))
    assert of(Suppress, actions).reason == f"automatic:{reason}"


@given(
    asks=st.integers(0, 5),
    counts=st.builds(Counts, *[st.integers(0, 100)] * 4),
    status=st.sampled_from(TicketStatus),
    missing=st.sampled_from([(), ("backup",), ("server_id", "backup")]),
    flags=st.sampled_from([(), ("limit",), ("unverified",), ("closed",)]),
)
def test_the_limits_hold_whatever_is_decided(
    asks: int, counts: Counts, status: TicketStatus, missing: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    s = situation(belongs=Belongs(ticket(asks=asks, flags=flags), "token"), counts=counts)
    findings = ENGINE.read(s.message)
    verdict = Verdict("en", ("intervention",), missing=missing, status=status)
    actions = plan(s, Examined(findings, verdict), Settings())
    posts = [a for a in actions if isinstance(a, Post)]
    assert len(posts) <= 1
    assert len([a for a in actions if isinstance(a, (Post, Suppress))]) <= 1
    if posts:
        assert counts.this_mail == 0
        assert counts.sender_day < 5
        assert counts.domain_hour < 20
        assert counts.global_hour < 60
        if posts[0].kind is Kind.ASK:
            assert asks < 3
            assert missing
            assert of(File, actions).after.asks == asks + 1
        if posts[0].kind is Kind.CONFIRMATION:
            assert status is TicketStatus.COMPLETE
            assert "unverified" not in flags


def test_none_of_the_bounces_reaches_the_reader() -> None:
    """Delivery reports of all kinds are a machine's or unreadable; the odd one that is not asks for nothing."""
    folder = Path(__file__).resolve().parents[1] / ".." / "shared" / "fixtures" / "bounces"
    files = sorted(folder.glob("*.eml"))
    assert len(files) > 200, f"{folder} is missing or empty; the fixtures belong beside the project"
    read: list[str] = []
    for file in files:
        try:
            message = parse(file.read_bytes(), 1, OWN, words())
        except Unparsable:
            continue
        actions = decided(situation(message=message))
        assert of(Post, actions) is None, file.name
        if needs_reading(situation(message=message)):
            read.append(file.name)
    assert len(read) <= 2, read
