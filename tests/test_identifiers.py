"""Service IDs, addresses and host names: what counts as the server, and what looks like it and is not."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ids_support import load, message, packs, reading, words

from checker.extract import identifiers
from checker.extract.ids_marks import mark
from checker.extract.ids_words import WordsError, build_words
from checker.extract.reading import reading_of
from checker.model import IdentifierKind, Role, ZoneKind

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"
ASKED = frozenset({"server_id"})


def named(body: str, subject: str = "", asked: frozenset[str] = frozenset()) -> list[str]:
    """Everything that is reported for one mail."""
    settled = identifiers.settle(identifiers.find(reading(body, subject), words(), asked))
    return [i.value for i in (*settled.service_ids, *settled.ip_addresses, *settled.hostnames)]


SERVICE_IDS = [
    # English
    ("The server 48213 is down.", ["48213"]),
    ("Our box (service id: 7731904) does not answer any more.", ["7731904"]),
    ("service IDs 38110 and 38111 are both dark", ["38110", "38111"]),
    ("Machine #60233 froze.", ["60233"]),
    ("It is about SRV-70233, please reboot.", ["SRV-70233"]),
    ("The number of our server is 55120.", ["55120"]),
    ("Affected: srv id 48213, srv id 48214", ["48213", "48214"]),
    ("Server: 48213\nProblem: no ping", ["48213"]),
    ("Service ID\n48213", ["48213"]),
    ("48213 is the ID of our server", ["48213"]),
    ("our server has the ID 48213", ["48213"]),
    # German
    ("der Server trägt die Nummer 30417", ["30417"]),
    ("unser Server mit der Nummer 30417 ist weg", ["30417"]),
    ("Die Service-ID lautet 66120.", ["66120"]),
    ("betrifft die Server 51001, 51002 und 51003", ["51001", "51002", "51003"]),
    ("Serverkennung: ds40718", ["ds40718"]),
    ("Kiste r1z7og44 hängt", ["r1z7og44"]),
    # Italian
    ("il server n. 604188 non risponde", ["604188"]),
    ("90377 è l'id del server", ["90377"]),
    ("i server 61200 e 61201 non pingano", ["61200", "61201"]),
    ("l'identificativo del servizio è tfz1cvkr", ["tfz1cvkr"]),
    # French
    ("notre serveur n° 15926 ne répond plus", ["15926"]),
    ("le serveur dont l'identifiant de service est 507713", ["507713"]),
    ("services 44120 et 44121 injoignables", ["44120", "44121"]),
    # Spanish
    ("el servidor número 5529 no responde", ["5529"]),
    ("ID del servicio: 88127", ["88127"]),
    # Polish
    ("serwer nr 408812 nie odpowiada", ["408812"]),
    ("na serwerze o ID 54871 padł dysk", ["54871"]),
    # Croatian
    ("server s ID-om 36574 je stao", ["36574"]),
    ("broj usluge je 20981", ["20981"]),
    # Slovene
    ("strežnik 46093 je zmrznil", ["46093"]),
    ("na strežnikih 38801 in 38802 (ID storitve) ni mreže", ["38801", "38802"]),
]

NOT_SERVICE_IDS = [
    "Ticket 7719034 is still open, the server is down.",
    "Re: [#558201] server down",
    "Invoice no. 1099821 for the server is wrong.",
    "Our customer number is 220418, the server hangs.",
    "The server listens on port 8443.",
    "Call me on 030 555 0119 about the server.",
    "The server answered 48213 requests.",
    "Der Server hat 16384 MB RAM.",
    "Rechnung RE-2026-104417 für den Server",
    "Server kostet 4999 EUR im Jahr",
    "il server dà errore 17058 nel registro eventi",
    "le serveur renvoie l'erreur 10054",
    "commande 2026/0091773 pour le serveur",
    "On the server since 2019 nothing was changed.",
    "server down since 20.11.2026",
    "El servidor muestra el KB5044281",
    "zgłoszenie nr 702218 w sprawie serwera",
    "predmet #55120 još nije riješen, server stoji",
    "tiket 30911, strežnik spet stoji",
    "Event ID 17058 on the server",
    "The server has 1024000 inodes; inode #2883601 is broken",
    "process 18844 hangs on the server",
    "we have a server, customer id 991204",
    "Our serverfarm looks like a football pitch",
]


@pytest.mark.parametrize(("body", "expected"), SERVICE_IDS)
def test_service_ids_are_found_where_a_word_names_them(body: str, expected: list[str]) -> None:
    assert named(body) == expected


@pytest.mark.parametrize("body", NOT_SERVICE_IDS)
def test_other_numbers_are_no_service_ids(body: str) -> None:
    assert named(body) == []


ADDRESSES = [
    ("203.0.113.7 is frozen", ["203.0.113.7"]),
    ("Server IP-Adresse: 203.0.113.7.", ["203.0.113.7"]),
    ("IP:203.0.113.7", ["203.0.113.7"]),
    ("connect to 203.0.113.7:2222 fails", ["203.0.113.7"]),
    ("our server [203.0.113.7] is gone", ["203.0.113.7"]),
    ("203.0.113.7/32 is ours", ["203.0.113.7"]),
    ("the server 2001:0DB8:004F:0012:0000:0000:0000:0025 is dead", ["2001:db8:4f:12::25"]),
    ("IPv6:2001:db8::15 no answer", ["2001:db8::15"]),
    ("l'indirizzo della macchina è 45.130.228.9.", ["45.130.228.9"]),
    ("i 203.0.113.14 i 203.0.113.15 su nestali s mreže", ["203.0.113.14", "203.0.113.15"]),
    ("203.0.113.7 lost its gateway 203.0.113.1", ["203.0.113.7"]),
    ("iDRAC: https://198.51.100.9, the server is 203.0.113.7", ["203.0.113.7"]),
    ("Unser Server 203.0.113.7 ist über das IPMI 198.51.100.4 erreichbar", ["203.0.113.7"]),
    ("From our office (198.51.100.77) the server 203.0.113.7 is dead.", ["203.0.113.7"]),
    ("Desde casa, 81.45.12.203, no llego al servidor 203.0.113.7", ["203.0.113.7"]),
    ("Ping auf 203.0.113.7 geht nicht, 8.8.8.8 antwortet", ["203.0.113.7"]),
    ("do nowego serwera 203.0.113.7, stary serwer 203.0.113.8 proszę zostawić", ["203.0.113.7"]),
    ("depuis mon bureau 198.51.100.9 rien, le serveur 203.0.113.7 est mort", ["203.0.113.7"]),
    ("s kućne adrese 93.136.20.14 ne mogu na server 203.0.113.7", ["203.0.113.7"]),
    ("iz pisarne (93.136.20.14) strežnik 203.0.113.7 ne odgovarja", ["203.0.113.7"]),
]

NOT_ADDRESSES = [
    "DNS should be 203.0.113.53, the box is offline",
    "My IP is 198.51.100.77, please whitelist it.",
    "IPMI: 10.20.30.40",
    "KVM: 198.51.100.250, user admin",
    "our monitoring at 198.51.100.9 says the server is down",
    "gateway4: 192.0.2.1",
    "addresses: [10.30.0.5/24]",
    "Version 1.2.3.400 crashes",
    "at 06:40:12 it froze",
    "meine IP ist 198.51.100.77",
    "il mio ip è 198.51.100.77",
    "Please add 198.51.100.77 to the allow list.",
    "127.0.0.53 does not answer",
    "192.168.1.1 is my router",
    "our previous office range 198.51.100.64/27",
]


@pytest.mark.parametrize(("body", "expected"), ADDRESSES)
def test_addresses_of_the_server(body: str, expected: list[str]) -> None:
    assert named(body) == expected


@pytest.mark.parametrize("body", NOT_ADDRESSES)
def test_addresses_that_are_not_the_servers(body: str) -> None:
    assert named(body) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("web7.shop.example is down", ["web7.shop.example"]),
        ("The host DB-01.Fabrik.Example. does not boot.", ["db-01.fabrik.example"]),
        ("See https://www.shop.example/status for details", []),
        ("mail me at a.b@mail.shop.example", []),
        ("www.shop.example shows an error", []),
        ("status.hoster.example says all is green", []),
        ("edit /etc/nginx/conf.d/site.shop.conf please", []),
        ("java.lang.OutOfMemoryError on the box", []),
        ("php8.3-fpm.service failed", []),
        ("our domain shop.example should move", []),
        ("The MX is mx1.shop.example", []),
    ],
)
def test_hostnames(body: str, expected: list[str]) -> None:
    assert named(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Please reinstall server 48119, not 48120.", ["48119"]),
        ("Server 61200 is dead. Server 61202 works fine, leave it alone.", ["61200"]),
        ("server #66207 (ne 66206, tistega sem odpovedal)", ["66207"]),
        ("auf Server k7b2qm9x, nicht auf der alten ds20011", ["k7b2qm9x"]),
        ("El servidor 70231 no responde (el servidor 61004 lo dimos de baja en mayo)", ["70231"]),
        ("Il server 61200 è morto, il server 61202 è di produzione e non si tocca", ["61200"]),
        ("Unser alter Server 48213 braucht eine neue Platte.", ["48213"]),  # nothing else is named: it is meant
    ],
)
def test_servers_named_for_contrast(body: str, expected: list[str]) -> None:
    assert named(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("48213", ["48213"]),
        ("1. k4m9tz2w\n2. yes", ["k4m9tz2w"]),
        ("3. 203.0.113.7", ["203.0.113.7"]),
        ("Zu 1: 48213\nZu 2: ja", ["48213"]),
        ("a) 48213, b) yes", ["48213"]),
        ("it's 60412.", ["60412"]),
        ("yes, since 2019\ncall 0341 555172", []),
    ],
)
def test_a_bare_answer_counts_when_we_asked(body: str, expected: list[str]) -> None:
    assert named(body, asked=ASKED) == expected


def test_a_bare_number_does_not_count_when_nobody_asked() -> None:
    assert named("48213") == []


def test_a_later_mail_corrects_the_number() -> None:
    first = identifiers.find(reading("Reinstall server 48119, please.", n=1), words())
    second = identifiers.find(reading("Sorry, wrong number. The right server is 48191.", n=2), words())
    settled = identifiers.settle((*first, *second))
    assert [i.value for i in settled.service_ids] == ["48191"]
    assert [(i.value, i.role) for i in settled.rejected] == [("48119", Role.WITHDRAWN)]


def test_a_later_mail_forbids_a_server() -> None:
    first = identifiers.find(reading("Server 48119 hängt.", n=1), words())
    second = identifiers.find(reading("Server 48119 bitte nicht anfassen, es geht um Server 48191.", n=2), words())
    settled = identifiers.settle((*first, *second))
    assert [i.value for i in settled.service_ids] == ["48191"]


def test_a_fact_once_given_stays() -> None:
    first = identifiers.find(reading("db3.shop.example is frozen", n=1), words())
    second = identifiers.find(reading("203.0.113.9", n=2), words(), ASKED)
    settled = identifiers.settle((*first, *second))
    assert [i.value for i in settled.hostnames] == ["db3.shop.example"]
    assert [i.value for i in settled.ip_addresses] == ["203.0.113.9"]


def test_logs_are_not_read_for_servers() -> None:
    found = identifiers.find(reading("it is down", log="1  203.0.113.9  3 ms\nserver 48213 refused"), words())
    assert found == ()


def test_letter_case_does_not_double_an_id() -> None:
    assert named("server ds20931 is slow", "SSD for DS20931") == ["DS20931"]


def test_the_subject_counts_and_its_spans_say_so() -> None:
    found = identifiers.find(reading("please have a look", "server 48213 down"), words())
    assert [(i.value, i.span.part, i.span.text) for i in found] == [("48213", "subject", "48213")]


@given(st.ip_addresses())
def test_any_server_address_comes_back_canonical(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    found = identifiers.find(reading(f"our server {address.exploded} is down"), words())
    values = {i.value for i in found if i.kind is IdentifierKind.IP}
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    assert values <= {str(mapped or address)}
    if address.is_global and not address.is_multicast and mapped is None and str(address) not in words().resolvers:
        assert values == {str(address)}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_spans_hold_their_words_and_nothing_crashes(body: str) -> None:
    mail = message(body)
    text = reading_of(mail)
    for item in identifiers.find(text, words(), ASKED):
        assert text.text(item.span.part)[item.span.start : item.span.end] == item.span.text


def test_a_stretch_that_is_not_listed_is_not_read() -> None:
    text = reading("server 48213 is down")
    empty = type(text)(text.message, ())
    assert mark(empty, words()).text == []
    assert identifiers.find(empty, words()) == ()


# --- rule files ------------------------------------------------------------------------------------


def test_an_unknown_concept_is_refused_with_file_and_key() -> None:
    files = packs()
    files["en"] = {"identifiers": {"concepts": {"servers": ["box"]}}}
    with pytest.raises(WordsError, match=r"rules/lang/en/identifiers.toml: nothing uses the concept 'servers'"):
        build_words(load("identifiers.toml"), load("systems.toml"), load("components.toml"), files)


def test_a_pattern_that_is_none_is_refused() -> None:
    main = load("identifiers.toml")
    main["service_id"] = {"sure": [r"(?=x)\d+"], "named": []}
    with pytest.raises(WordsError, match=r"\[service_id\] sure: .* is no RE2 pattern"):
        build_words(main, load("systems.toml"), load("components.toml"), packs())


def test_a_phrase_that_cannot_be_read_is_refused() -> None:
    files = packs()
    files["de"] = {"identifiers": {"concepts": {"server": ["{kiste"]}}}
    with pytest.raises(WordsError, match=r"rules/lang/de/identifiers.toml: server: .*never closed"):
        build_words(load("identifiers.toml"), load("systems.toml"), load("components.toml"), files)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"extra": {}}, "unknown key 'extra'"),
        ({"units": []}, r"\[units\] must be a table"),
        ({"units": {"after": "GB"}}, "'after' must be a list of texts"),
        ({"addresses": {"resolvers": ["8.8.8"]}}, "'8.8.8' is no IP address"),
    ],
)
def test_wrong_settings_are_refused(change: dict[str, object], expected: str) -> None:
    main = load("identifiers.toml") | change
    with pytest.raises(WordsError, match=expected):
        build_words(main, load("systems.toml"), load("components.toml"), packs())


def test_service_id_forms_are_a_setting() -> None:
    main = load("identifiers.toml")
    main["service_id"] = {"sure": ["(?i:node)-[0-9]{2}-[0-9]{3}"], "named": []}
    own = build_words(main, load("systems.toml"), load("components.toml"), packs())
    found = identifiers.find(reading("node-07-113 is down, server 48213 too"), own)
    assert [i.value for i in found] == ["node-07-113"]


# --- the development set ---------------------------------------------------------------------------


def test_everyday_mails_name_their_servers() -> None:
    """First mails of the everyday sets that hold everything in one message: every ID and address is found."""
    files = sorted((SHARED / "corpus").glob("everyday-*-dev.jsonl"))
    assert files, "the corpus is missing: put it at ../shared/corpus"
    wrong = []
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            ticket = json.loads(line)
            want = ticket["expected"]
            if not want["request_kinds"] or len(ticket["messages"]) > 1 or ticket["messages"][0].get("html"):
                continue
            mail = ticket["messages"][0]
            got = set(named(mail["body"], mail["subject"]))
            if {v.casefold() for v in got} != {
                v.casefold() for k in ("service_ids", "ip_addresses", "hostnames") for v in want[k]
            }:
                wrong.append((ticket["id"], got))
    assert wrong == []


def test_log_zone_kind_is_known() -> None:
    assert reading("a", log="b").stretches[1].kind is ZoneKind.LOG


@pytest.mark.parametrize(
    ("body", "subject", "expected"),
    [
        ("Please check it.", "Request for server work - 30417", ["30417"]),
        ("Please check it.", "Invoice for the server, invoice - 30417", []),
        ("Please look at QX-30417 today.", "Start afresh: QX-30417", ["QX-30417"]),
        ("Please look at 30417 today.", "Invoice 30417", []),
        ("Server 192.0.2.8 still has the old resolver 198.51.100.53, it should be 198.51.100.54.", "", ["192.0.2.8"]),
        ("It is 203.0.113.15; the 51 is in production", "", ["203.0.113.15"]),
    ],
)
def test_titles_resolvers_and_short_names(body: str, subject: str, expected: list[str]) -> None:
    """A number that titles the mail counts; an invoice's, a resolver's and another machine's do not."""
    assert named(body, subject) == expected
