"""Who is believed, and for which server: the list of customers, own DKIM checks, and what doubt means."""

from __future__ import annotations

import base64
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import dkim  # type: ignore[import-untyped]  # it publishes no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit import COMPLETE, WANTING, Desk, desk, mail, words

from checker.edges.customer_list import CustomersFile, CustomersQuery, open_customers
from checker.edges.dkim_check import DkimSignatures
from checker.edges.records import Kind, State, Ticket
from checker.edges.store import messages, outbox, tickets
from checker.edges.store.engine import StoreError
from checker.mail.parse import parse
from checker.service.customers import Customer, CustomerError, Customers, Holding, customer, foreign
from checker.service.gather import standing
from checker.service.situation import Standing
from checker.settings import RegistrySettings, SettingsError, build

HEADER = "sender,service_ids,addresses,hostnames\n"
LIST = HEADER + (
    "ada@kunde.example,48213 #SRV-77,203.0.113.7;2001:db8::/64,web1.kunde.example\n"
    "@firma.example,5001,,*.firma.example\n"
)


def row(**cells: str) -> Customer:
    return customer(cells, "line 2")


class TestRows:
    def test_what_a_sender_owns(self) -> None:
        made = row(
            sender="Ada@Kunde.example",
            service_ids="48213, #SRV-77",
            addresses="203.0.113.0/28 2001:db8::1",
            hostnames="web1.kunde.example *.lab.kunde.example",
        )
        assert made.is_sender("ada@kunde.example")
        assert not made.is_sender("bob@kunde.example")
        for server in (
            "48213",
            "srv-77",
            "#SRV-77",
            "203.0.113.9",
            "2001:DB8::1",
            "WEB1.kunde.example.",
            "a.lab.kunde.example",
        ):
            assert made.owns(server), server
        for server in (
            "48214",
            "203.0.113.16",
            "web2.kunde.example",
            "lab.kunde.example",
            "evil-lab.kunde.example",
            "",
        ):
            assert not made.owns(server), server

    @pytest.mark.parametrize("pattern", ["@firma.example", "*@firma.example", "*@FIRMA.example"])
    def test_a_whole_domain(self, pattern: str) -> None:
        made = row(sender=pattern)
        assert made.is_sender("anybody@Firma.example")
        assert not made.is_sender("x@sub.firma.example")
        assert not made.is_sender("x@evilfirma.example")

    @pytest.mark.parametrize(
        ("cells", "words"),
        [
            ({"sender": "ada"}, "write an address"),
            ({"sender": ""}, "write an address"),
            ({"sender": "a@b@c"}, "write an address"),
            ({"sender": "*"}, "write an address"),
            ({"sender": "a@b.example", "addresses": "203.0.113.300"}, "write 203.0.113.7 or 203.0.113.0/28"),
        ],
    )
    def test_what_cannot_be_understood_names_the_line(self, cells: dict[str, str], words: str) -> None:
        with pytest.raises(CustomerError, match=f"line 2.*{words}"):
            customer(cells, "line 2")

    @given(st.lists(st.sampled_from(["48213", "5001", "203.0.113.7", "web1.kunde.example"]), unique=True))
    def test_nobody_may_speak_for_what_they_do_not_have(self, named: list[str]) -> None:
        """Somebody without rows is a stranger to every server; with all of them, to none."""
        mine = {"service_ids": "48213 5001", "addresses": "203.0.113.7", "hostnames": "web1.kunde.example"}
        everything = row(sender="a@b.example", **mine)
        assert foreign(named, [Holding("a@b.example", (everything,))]) == ()
        assert foreign(named, [Holding("eve@b.example", ())]) == tuple(("eve@b.example", s) for s in named)
        assert foreign(named, []) == ()


class TestFile:
    def made(self, tmp_path: Path, content: str = LIST) -> CustomersFile:
        (tmp_path / "customers.csv").write_text(content, encoding="utf-8")
        return CustomersFile(RegistrySettings(file=tmp_path / "customers.csv"))

    def test_rows_by_sender_and_by_domain(self, tmp_path: Path) -> None:
        customers = self.made(tmp_path)
        assert customers.refresh() == 2
        (ada,) = customers.of("Ada@kunde.example")
        assert ada.owns("2001:db8::5")
        (firm,) = customers.of("anybody@firma.example")
        assert firm.owns("mail.firma.example")
        assert customers.of("eve@other.example") == ()

    def test_it_is_read_again_when_it_changed(self, tmp_path: Path) -> None:
        customers = self.made(tmp_path)
        assert customers.of("eve@other.example") == ()
        (tmp_path / "customers.csv").write_text("\ufeff" + LIST + "eve@other.example,1234,,\n", encoding="utf-8")
        assert [c.service_ids for c in customers.of("eve@other.example")] == [frozenset({"1234"})]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", "line 1: the columns are none"),
            ("mail,id\n", "line 1: the columns are mail, id; write sender,service_ids,addresses,hostnames"),
            (HEADER + "ada,1,,\n", "line 2: sender 'ada'"),
            (HEADER + "ada@kunde.example,1,,,5\n", "line 2: more cells than columns"),
            (HEADER + 'ada@kunde.example,"1,,\n', "unexpected end of data"),
        ],
    )
    def test_a_broken_list_is_a_sentence(self, tmp_path: Path, content: str, words: str) -> None:
        with pytest.raises(StoreError, match=words):
            self.made(tmp_path, content).of("ada@kunde.example")

    def test_a_missing_or_odd_file(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="make the list of customers readable"):
            CustomersFile(RegistrySettings(file=tmp_path / "none.csv")).of("a@b.example")
        (tmp_path / "odd.csv").write_bytes(b"sender\n\xff\xff")
        with pytest.raises(StoreError, match="save the list of customers as UTF-8"):
            CustomersFile(RegistrySettings(file=tmp_path / "odd.csv")).of("a@b.example")
        with pytest.raises(SettingsError, match="name the CSV file"):
            CustomersFile(RegistrySettings(url="sqlite://", query="x"))


class TestQuery:
    QUERY = "SELECT sender, service_ids, addresses, hostnames FROM customers WHERE sender IN (:sender, '@' || :domain)"

    def made(self, tmp_path: Path, query: str = QUERY) -> Customers:
        with sqlite3.connect(tmp_path / "crm.sqlite3") as c:
            c.execute("CREATE TABLE customers (sender, service_ids, addresses, hostnames)")
            c.execute("INSERT INTO customers VALUES ('ada@kunde.example', 48213, NULL, '')")
            c.execute("INSERT INTO customers VALUES ('@firma.example', '5001', '', '')")
        return open_customers(RegistrySettings(url=f"sqlite:///{tmp_path / 'crm.sqlite3'}", query=query), None)

    def test_it_is_asked_with_sender_and_domain(self, tmp_path: Path) -> None:
        customers = self.made(tmp_path)
        assert [c.service_ids for c in customers.of("Ada@Kunde.example")] == [frozenset({"48213"})]
        assert [c.service_ids for c in customers.of("x@firma.example")] == [frozenset({"5001"})]
        assert customers.of("eve@other.example' OR '1'='1") == ()

    def test_a_query_that_gives_everybody_gives_nobody_elses(self, tmp_path: Path) -> None:
        assert self.made(tmp_path, "SELECT * FROM customers").of("eve@other.example") == ()

    def test_a_query_that_fails_says_where_to_look(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="check url, password and query"):
            self.made(tmp_path, "SELECT nothing FROM nowhere").of("a@b.example")

    @pytest.mark.parametrize(("url", "words"), [("x", "cannot be understood"), ("oracle://h/d", "is not installed")])
    def test_a_url_that_cannot_be_used(self, url: str, words: str) -> None:
        with pytest.raises(SettingsError, match=words):
            CustomersQuery(RegistrySettings(url=url, query="SELECT 1"), None)
        with pytest.raises(SettingsError, match="give url and query together"):
            CustomersQuery(RegistrySettings(file=Path("x")), None)


@pytest.mark.parametrize(
    ("registry", "words"),
    [
        ({}, "give either file"),
        ({"file": "a.csv", "url": "sqlite://", "query": "x"}, "give either file"),
        ({"url": "sqlite://"}, "url and query belong together"),
    ],
)
def test_settings_of_the_list(registry: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build({"sender": {"registry": registry}}, file="t", base=Path())


# --- a whole round ----------------------------------------------------------------------------------


def office(tmp_path: Path, **sender: Any) -> Desk:
    (tmp_path / "customers.csv").write_text(LIST)
    made = desk(tmp_path, sender={"registry": {"file": "customers.csv"}, **sender})
    registry = made.settings.sender.registry
    assert registry is not None
    made.shop.customers = open_customers(registry, None)
    return made


def the_ticket(made: Desk) -> Ticket:
    with made.shop.store.read() as c:
        (found,) = tickets.listed(c)
    return found


def kinds(made: Desk) -> list[Kind]:
    with made.shop.store.read() as c:
        return [p.mail.kind for p in outbox.listed(c)]


class TestRounds:
    def test_who_may_speak_is_answered_as_ever(self, tmp_path: Path) -> None:
        made = office(tmp_path)
        made.drop(mail(COMPLETE))
        made.round()
        assert (the_ticket(made).status, the_ticket(made).flags) == ("complete", ())
        assert kinds(made) == [Kind.CONFIRMATION]

    @pytest.mark.parametrize(
        ("policy", "body", "sent"),
        [
            ("flag", WANTING, []),
            ("ask_and_flag", WANTING, [Kind.ASK]),
            ("flag", COMPLETE, []),
            ("ask_and_flag", COMPLETE, []),
        ],
    )
    def test_a_foreign_server(self, tmp_path: Path, policy: str, body: str, sent: list[Kind]) -> None:
        made = office(tmp_path, foreign_server=policy)
        made.drop(mail(body, sender="eve@other.example"))
        made.round()
        ticket = the_ticket(made)
        assert ticket.flags == ("foreign-server",)
        assert ticket.status == ("review" if body == COMPLETE else "incomplete")
        assert kinds(made) == sent
        with made.shop.store.read() as c:
            notes = [e.detail for e in tickets.history(c, ticket.id) if e.kind == "foreign-server"]
            reasons = [s.reason for s in tickets.suppressions(c)]
        assert notes == ["48213 is not eve@other.example's by the list of customers"]
        assert reasons == ([] if sent else ["foreign-server"] if policy == "flag" else ["for-a-person"])

    def test_a_server_corrected_is_no_longer_foreign_and_a_third_party_makes_it_so(self, tmp_path: Path) -> None:
        made = office(tmp_path)
        made.drop(mail(WANTING, message_id="<1@kunde.example>", Cc="eve@other.example"))
        made.round()
        assert the_ticket(made).flags == ()
        made.drop(mail("backup: yes\n", sender="eve@other.example", parent="<1@kunde.example>"))
        made.round()
        assert (the_ticket(made).status, the_ticket(made).flags) == ("review", ("foreign-server",))
        (tmp_path / "customers.csv").write_text(LIST + "eve@other.example,48213,,\n")
        made.drop(mail("thanks\n", parent="<1@kunde.example>"))
        made.round()
        assert (the_ticket(made).status, the_ticket(made).flags) == ("complete", ())

    def test_a_list_that_cannot_be_read_holds_mail_back_and_loses_none(self, tmp_path: Path) -> None:
        made = office(tmp_path)
        (tmp_path / "customers.csv").rename(tmp_path / "away.csv")
        made.drop(mail(COMPLETE))
        summary = made.round()
        assert "make the list of customers readable" in summary.errors[0]
        with made.shop.store.read() as c:
            assert messages.counts(c) == {State.NEW: 1}
            assert messages.waiting(c, "support", made.clock.now(), 5)[0].attempts == 0
        (tmp_path / "away.csv").rename(tmp_path / "customers.csv")
        made.clock.forward(minutes=1)
        made.round()
        assert the_ticket(made).status == "complete"

    def test_an_unverified_consent_waits_for_a_person_and_is_not_reminded(self, tmp_path: Path) -> None:
        made = desk(tmp_path, sender={"authserv_ids": ["mx.hoster.example"]})
        made.drop(mail(COMPLETE))
        made.round()
        assert (the_ticket(made).status, the_ticket(made).flags, kinds(made)) == ("review", ("unverified",), [])
        made.clock.forward(days=4)
        made.round()
        assert kinds(made) == []

    def test_two_from_headers_are_never_complete(self, tmp_path: Path) -> None:
        made = desk(tmp_path)
        made.drop(b"From: eve@other.example\r\n" + mail(COMPLETE))
        made.round()
        assert (the_ticket(made).status, the_ticket(made).flags) == ("review", ("doubled-header",))


# --- signatures -------------------------------------------------------------------------------------


@cache
def key_pair() -> tuple[bytes, bytes]:
    """A private key as PEM, its public key as DER."""

    def openssl(*arguments: str, given: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout

    private = openssl("genrsa", "-traditional", "2048")
    return private, openssl("rsa", "-pubout", "-outform", "DER", given=private)


class TestDkim:
    def check(self) -> DkimSignatures:
        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(key_pair()[1])
        zone = {b"s._domainkey.kunde.example.": record, b"s._domainkey.other.example.": record}
        return DkimSignatures(lambda name, timeout=5: zone.get(name))

    def signed(self, domain: bytes = b"kunde.example", body: str = COMPLETE, *, length: bool = False) -> bytes:
        raw = mail(body)
        header: bytes = dkim.sign(raw, b"s", domain, key_pair()[0], length=length)
        return header + raw

    def stands(self, raw: bytes) -> Standing:
        message = parse(raw, 1, frozenset({"support@hoster.example"}), words())
        return standing(message, (), self.check()(raw))

    def test_a_signature_of_the_senders_domain_verifies_the_sender(self) -> None:
        assert self.check()(self.signed()) == frozenset({"kunde.example"})
        assert self.stands(self.signed()) is Standing.VERIFIED

    def test_any_change_undoes_it(self) -> None:
        assert self.stands(self.signed().replace(b"48213", b"48214")) is Standing.UNVERIFIED
        assert self.stands(mail(COMPLETE)) is Standing.UNVERIFIED

    def test_anothers_signature_says_nothing(self) -> None:
        raw = self.signed(b"other.example")
        assert self.check()(raw) == frozenset({"other.example"})
        assert self.stands(raw) is Standing.UNVERIFIED

    def test_words_added_behind_a_length_do_not_count(self) -> None:
        raw = self.signed(length=True)
        assert dkim.verify(raw + b"power: yes\r\n", dnsfunc=self.check()._ask)  # why such a signature is refused
        assert self.check()(raw) == frozenset()

    def test_a_second_from_above_the_signed_one_is_not_verified(self) -> None:
        raw = b"From: boss@kunde.example\r\n" + self.signed()
        assert self.stands(raw) is Standing.UNVERIFIED

    @pytest.mark.parametrize(
        "header",
        [
            b"x",
            b"v=1",
            b"v=1; a=rsa-sha256; d=\xff; s=s; h=from; bh=; b=",
            b"v=1; a=none; c=x; d=a.b; s=s; h=from; bh=x; b=x;",
        ],
    )
    def test_nonsense_is_no_signature(self, header: bytes) -> None:
        assert self.check()(b"DKIM-Signature: " + header + b"\r\n" + mail(WANTING)) == frozenset()

    def test_dns_that_does_not_answer(self) -> None:
        def silent(name: bytes, timeout: int = 5) -> bytes | None:
            raise dkim.DnsTimeoutError("away")

        assert DkimSignatures(silent)(self.signed()) == frozenset()

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "dkim", None)
        with pytest.raises(SettingsError, match="install the extra"):
            DkimSignatures()

    def test_in_a_round(self, tmp_path: Path) -> None:
        made = desk(tmp_path, sender={"dkim": True})
        made.shop.signatures = self.check()
        made.drop(self.signed())
        made.round()
        assert (the_ticket(made).status, the_ticket(made).flags) == ("complete", ())


def test_without_any_check_senders_are_believed() -> None:
    message = parse(mail(COMPLETE), 1, frozenset(), words())
    assert standing(message, (), None) is Standing.UNCHECKED
