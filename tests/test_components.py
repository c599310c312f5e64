"""Parts to add or swap, with serial numbers and slots; and parts that are merely mentioned."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ids_support import message, reading, words

from checker.extract import components
from checker.extract.reading import reading_of

ASKED = frozenset({"component"})
Part = tuple[str, str | None, str | None]


def parts(body: str, subject: str = "", log: str = "", asked: frozenset[str] = frozenset()) -> list[Part]:
    found = components.settle(components.find(reading(body, subject, 1, log), words(), asked))
    return [(c.kind, c.serial, c.slot) for c in found]


FOUND: list[tuple[str, list[Part]]] = [
    ("Please replace the drive in bay 3, serial WJC0L7P4.", [("drive", "WJC0L7P4", "3")]),
    ("The disk in bay 5 has failed (S/N ZC14S9QH). Swap it please.", [("drive", "ZC14S9QH", "5")]),
    ("memtest says the stick in slot B1 is bad, swap it pls", [("ram", None, "B1")]),
    ("the fan in the back is dead, put in a new one", [("fan", None, None)]),
    ("Añadidme 64 GB, por favor", [("ram", None, None)]),
    ("Ajoutez 64 Go", [("ram", None, None)]),
    ("wymianę wentylatora CPU proszę", [("fan", None, None)]),
    ("Plattentausch in Slot 2 bitte", [("drive", None, "2")]),
    ("Please add 2 modules of 32 GB ECC memory.", [("ram", None, None)]),
    ("We want to go from 64 to 128 GB RAM.", [("ram", None, None)]),
    ("one PSU is dead, please exchange it", [("psu", None, None)]),
    ("please swap the RAID controller battery", [("battery", None, None)]),
    ("new battery for the RAID controller please", [("battery", None, None)]),
    ("please change the SATA cable of sdc", [("cable", None, None)]),
    ("the CPU fan is howling, stick a new one in", [("fan", None, None)]),
    ("Please take out both old SATA disks and put in two NVMe drives.", [("drive", None, None)]),
    ("please install the RTX 4000", [("gpu", None, None)]),
    ("Component details: power supply, slot PSU2", [("psu", None, "PSU2")]),
    ("please replace DIMM_A2", [("ram", None, "A2")]),
    ("please replace the fan FAN3", [("fan", None, "FAN3")]),
    ("power supply 2 is dead, please replace it", [("psu", None, "2")]),
    ("Bitte tauschen Sie das rechte Netzteil aus, Seriennummer DL0X-77B31.", [("psu", "DL0X-77B31", None)]),
    ("wir möchten den Arbeitsspeicher verdoppeln", [("ram", None, None)]),
    ("die Batterie des RAID-Controllers ist leer, bitte um Ersatz", [("battery", None, None)]),
    ("bitte die Grafikkarte tauschen", [("gpu", None, None)]),
    ("sostituite il disco nello slot 2, numero di serie ZC1A77QF", [("drive", "ZC1A77QF", "2")]),
    ("mettetemi altri 32 gb di ram nel server", [("ram", None, None)]),
    ("la scheda madre va sostituita", [("motherboard", None, None)]),
    ("serve una scheda di rete nuova", [("nic", None, None)]),
    ("merci de changer la batterie du contrôleur", [("battery", None, None)]),
    ("le ventilateur du processeur est à changer", [("fan", None, None)]),
    ("faire monter un deuxième processeur", [("cpu", None, None)]),
    ("cambien por favor la fuente numero 2 (S/N 5DRTB0A1H8)", [("psu", "5DRTB0A1H8", "2")]),
    ("agregar un disco SAS de 8 TB en la bahía 4", [("drive", None, "4")]),
    ("proszę o wymianę dysku w zatoce 5, nr seryjny WFN4TR2K", [("drive", "WFN4TR2K", "5")]),
    ("prosimy o wymianę procesora", [("cpu", None, None)]),
    ("molim zamjenu mrežne kartice", [("nic", None, None)]),
    ("zamijenite memorijski modul u slotu A2", [("ram", None, "A2")]),
    ("prosim za zamenjavo napajalnika", [("psu", None, None)]),
    ("prosim za menjavo matične plošče in procesorja", [("motherboard", None, None), ("cpu", None, None)]),
    (
        "Please replace:\n1. the RAID controller (PERC H730P)\n2. the mini-SAS cable to the backplane",
        [("raid_controller", None, None), ("cable", None, None)],
    ),
    (
        "Please replace both drives: the one in slot 1 (serial ZA15QR7C) and the one in slot 3 (serial ZA1B04XD).",
        [("drive", "ZA15QR7C", "1"), ("drive", "ZA1B04XD", "3")],
    ),
    (
        "Zamenjajte oba diska:\n- reža 3, VRJ0K2PA\n- reža 6, VRJ0K9TD",
        [("drive", "VRJ0K2PA", "3"), ("drive", "VRJ0K9TD", "6")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), FOUND)
def test_parts_to_swap_or_add(body: str, expected: list[Part]) -> None:
    assert parts(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "The NIC shows link down since 3 am, please have a look.",
        "Two disks in the RAID report errors, what should we do?",
        "A part in my server is broken, please change it!",
        "ein Teil ist kaputt, bitte tauschen",
        "mi servidor tiene una pieza rota, hay que cambiarla",
        "Backup is on an external disk.",
        "Please install Ubuntu 24.04, both SSDs as RAID 1.",
        "We have no hard feelings about the memory of that day.",
    ],
)
def test_parts_that_are_only_mentioned(body: str) -> None:
    assert parts(body) == []


SMART = "Device Model:     ST4000NM0035-1V4107\nSerial Number:    ZC1A7F2Q\n  5 Reallocated_Sector_Ct 0x0033"


def test_the_serial_of_a_pasted_log_is_the_parts() -> None:
    assert parts("Please replace the dying disk.", log=SMART) == [("drive", "ZC1A7F2Q", None)]


def test_of_two_serials_in_a_log_none_is_guessed() -> None:
    two = SMART + "\nSerial Number:    ZC1A7F99"
    assert parts("Please replace the dying disk.", log=two) == [("drive", None, None)]


def test_own_words_say_which_of_the_logs_serials() -> None:
    two = SMART + "\nSerial Number:    ZC1A7F99"
    assert parts("Please replace the disk with serial ZC1A7F99.", log=two) == [("drive", "ZC1A7F99", None)]


def test_a_log_alone_asks_for_nothing() -> None:
    assert parts("please have a look", log=SMART + "\nBattery Replacement required: Yes") == []


def test_the_subject_names_the_part() -> None:
    assert parts("Swap please.", "PSU failed") == [("psu", None, None)]


def test_a_bare_part_answers_our_question() -> None:
    assert parts("It is the RAID controller.", asked=ASKED) == [("raid_controller", None, None)]
    assert parts("It is the RAID controller.") == []


def test_a_later_mail_completes_a_part() -> None:
    first = components.find(reading("please replace the disk", n=1), words())
    second = components.find(reading("the disk to replace is serial ZC14S9QH in bay 5", n=2), words())
    found = components.settle((*first, *second))
    assert [(c.kind, c.serial, c.slot) for c in found] == [("drive", "ZC14S9QH", "5")]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_nothing_crashes_and_spans_hold_their_words(body: str) -> None:
    text = reading_of(message("replace the disk " + body))
    for item in components.find(text, words(), ASKED):
        assert text.text(item.span.part)[item.span.start : item.span.end] == item.span.text
