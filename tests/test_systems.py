"""The system to install: names, versions and editions, and the one that runs now kept out of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ids_support import load, message, reading, words

from checker.extract import systems
from checker.extract.ids_systems import SystemsError, build_systems
from checker.extract.reading import reading_of
from checker.model import OperatingSystem

ASKED = frozenset({"os_choice"})
Choice = tuple[str | None, str | None, str | None] | None


def chosen(*bodies: str, asked: frozenset[str] = frozenset(), subject: str = "") -> Choice:
    """What a thread of the customer's mails asks for; ``asked`` holds for all mails after the first."""
    found: list[OperatingSystem] = []
    for n, body in enumerate(bodies, 1):
        found += systems.find(reading(body, subject, n), words(), asked if n > 1 else frozenset())
    system = systems.settle(found)
    return (system.distribution, system.version, system.edition) if system else None


ONE_MAIL: list[tuple[str, Choice]] = [
    ("Please install Debian 12 on server 48213.", ("Debian", "12", None)),
    ("pls reinstall with ubuntu 24.04, no raid", ("Ubuntu", "24.04", None)),
    ("Ubuntu 22.04 LTS please", ("Ubuntu", "22.04", None)),
    ("Ubuntu LTS 22.04 bitte", ("Ubuntu", "22.04", None)),
    ("We'd like Ubuntu jammy.", ("Ubuntu", "22.04", None)),
    ("Debian bookworm, bitte", ("Debian", "12", None)),
    ("Bitte Debian in der Version 12 aufspielen", ("Debian", "12", None)),
    ("debian12 minimal please", ("Debian", "12", None)),
    ("Please put Debian 64 bit on it", ("Debian", None, None)),
    ("the latest Debian stable, please", ("Debian", None, None)),
    ("l'ultima Ubuntu LTS", ("Ubuntu", None, None)),
    ("System: Rocky Linux 9.4", ("Rocky Linux", "9.4", None)),
    ("rocky 9 on it please", ("Rocky Linux", "9", None)),
    ("openSUSE Leap 15.6 please", ("openSUSE Leap", "15.6", None)),
    ("CentOS Stream 9 please", ("CentOS Stream", "9", None)),
    ("Proxmox 8.2 drauf", ("Proxmox VE", "8.2", None)),
    ("molim čistu instalaciju Debiana 12", ("Debian", "12", None)),
    ("Windows Server 2022 Standard please", ("Windows Server", "2022", "Standard")),
    ("Server 2022 Std bitte neu drauf", ("Windows Server", "2022", "Standard")),
    ("Please install Windows 2019 Datacenter", ("Windows Server", "2019", "Datacenter")),
    ("Windows Server 2012 R2 Standard, fresh", ("Windows Server", "2012 R2", "Standard")),
    ("Windows 11 Pro please", ("Windows", "11", "Pro")),
    ("Sistema | Windows Server 2022\nEdizione | Standard", ("Windows Server", "2022", "Standard")),
    ("Windows Server 2022 please.\nPartitioning: standard", ("Windows Server", "2022", None)),
    # the running one
    ("It currently runs CentOS 7, please install AlmaLinux 9.", ("AlmaLinux", "9", None)),
    ("The CentOS 7 install is EOL. Reinstall with AlmaLinux 9.5.", ("AlmaLinux", "9.5", None)),
    ("AlmaLinux 9 statt dem alten CentOS 7 bitte installieren", ("AlmaLinux", "9", None)),
    ("adesso ci gira un Ubuntu 18.04, vorrei Debian 12", ("Debian", "12", None)),
    ("stavite AlmaLinux 9 umjesto sadašnjeg CentOS-a 7", ("AlmaLinux", "9", None)),
    ("zamiast obecnego CentOS 7 proszę zainstalować Debian 12", ("Debian", "12", None)),
    ("namesto sedanjega Debiana 10 namestite Debian 12", ("Debian", "12", None)),
    ("actuellement sous Debian 10, merci d'installer Debian 12", ("Debian", "12", None)),
    ("ahora lleva Debian 10; instalen Debian 12", ("Debian", "12", None)),
    ("Bitte von Debian 10 auf 12 neu aufsetzen", ("Debian", "12", None)),
    ("please reinstall, Ubuntu 20.04 -> 24.04", ("Ubuntu", "24.04", None)),
    # other products
    ("SQL Server 2019 does not start", None),
    ("Exchange Server 2019 is broken", None),
    ("same system as now, please", None),
]


@pytest.mark.parametrize(("body", "expected"), ONE_MAIL)
def test_one_mail(body: str, expected: Choice) -> None:
    assert chosen(body) == expected


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        (("Debian, please reinstall", "La 12, bookworm."), ("Debian", "12", None)),
        (("put Debian on it please", "12\nyes\nyes"), ("Debian", "12", None)),
        (("Ubuntu bitte neu installieren", "a) 24.04\nb) ja"), ("Ubuntu", "24.04", None)),
        (("con l'ultima Ubuntu LTS", "24.04, grazie :)"), ("Ubuntu", "24.04", None)),
        (("Install Windows Server 2019", "Datacenter"), ("Windows Server", "2019", "Datacenter")),
        (("Install Windows Server 2019", "Edition - Datacenter."), ("Windows Server", "2019", "Datacenter")),
        (("Windows please", "Windows Server 2022 Standard"), ("Windows Server", "2022", "Standard")),
        (("pls reinstall debian 11", "ah ok. then take debian 13 instead."), ("Debian", "13", None)),
        (("install Debian 12", "sorry, make that Rocky Linux 9"), ("Rocky Linux", "9", None)),
        (("install Debian 12", "the old Ubuntu data can go"), ("Debian", "12", None)),
        (("Ubuntu bitte", "Samstag 28.11., 21 bis 24 Uhr"), ("Ubuntu", None, None)),
        (("Debian please", "2. yes\n3. 203.0.113.7"), ("Debian", None, None)),
    ],
)
def test_threads(bodies: tuple[str, ...], expected: Choice) -> None:
    assert chosen(*bodies, asked=ASKED) == expected


def test_an_edition_without_windows_says_nothing() -> None:
    assert chosen("Debian 12 please", "Standard", asked=ASKED) == ("Debian", "12", None)


def test_the_subject_is_the_last_resort() -> None:
    assert chosen("please do it today", subject="AlmaLinux 9.4 on 203.0.113.7") == ("AlmaLinux", "9.4", None)
    assert chosen("please install Debian 12", subject="Debian 11 reinstall") == ("Debian", "12", None)


def test_the_layout_is_kept_in_the_customers_words() -> None:
    body = "Please install Debian 12, both SSDs as RAID 1.\n- /boot 1 GB, swap 8 GB\n\nThanks"
    system = systems.settle(systems.find(reading(body), words()))
    assert system is not None
    assert system.layout == "Please install Debian 12, both SSDs as RAID 1.; - /boot 1 GB, swap 8 GB"


def test_logs_are_not_read() -> None:
    assert systems.find(reading("it hangs", log="Welcome to Ubuntu 18.04.6 LTS"), words()) == ()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_nothing_crashes_and_spans_hold_their_words(body: str) -> None:
    text = reading_of(message("install " + body))
    for item in systems.find(text, words(), ASKED):
        assert text.text(item.span.part)[item.span.start : item.span.end] == item.span.text


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"system": "Debian"}, r"write each system as \[\[system\]\]"),
        ({"distros": []}, "unknown key 'distros'"),
        ({"system": [{"aliases": ["x"]}]}, r"every \[\[system\]\] needs a name"),
        ({"system": [{"name": "X", "alias": []}]}, "X: unknown key 'alias'"),
        ({"system": [{"name": "X", "major": [1]}]}, r"major is \[lowest, highest\]"),
        ({"system": [{"name": "X", "editions": []}]}, "editions is a table"),
        ({"system": [{"name": "X", "codenames": []}]}, "codenames is a table"),
        ({"system": [{"name": "X", "above": 3}]}, "above is"),
        ({"system": [{"name": "X", "aliases": "x"}]}, "'aliases' must be a list of texts"),
    ],
)
def test_wrong_tables_are_refused(entry: dict[str, object], expected: str) -> None:
    with pytest.raises(SystemsError, match=expected):
        build_systems(entry)


def test_every_system_has_a_name_of_its_own() -> None:
    names = [s["name"] for s in load("systems.toml")["system"]]
    assert len(names) == len(set(names))
