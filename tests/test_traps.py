"""Every trap of the procedure's guide, in every language: one sentence of our own each, asserted on the verdict.

The sentences stand in ``tests/traps/*.toml``, one file a field. What the rules cannot yet do is listed in
``KNOWN`` with its reason and must fail (``strict``): who mends it takes it from the list.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from checker.edges.files import read_rules
from checker.mail.parse import parse
from checker.model import Findings, Verdict
from checker.pipeline import Engine, build_engine
from checker.settings import build

ROOT: Final = Path(__file__).resolve().parents[1]
TRAPS: Final = Path(__file__).with_name("traps")
LANGUAGES: Final = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")
FIELDS: Final = {"power": "power", "backup": "backup", "erase": "data_loss_consent"}

DEAD: Final = {
    "it": "Il server SRV-48213 non risponde più, potete dare un'occhiata?",
    "en": "The server SRV-48213 does not answer any more, please have a look.",
    "de": "Der Server SRV-48213 antwortet nicht mehr, bitte sehen Sie nach.",
    "fr": "Le serveur SRV-48213 ne répond plus, merci d'aller voir.",
    "es": "El servidor SRV-48213 no responde, por favor échenle un vistazo.",
    "pl": "Serwer SRV-48213 nie odpowiada, proszę sprawdzić.",
    "hr": "Poslužitelj SRV-48213 ne odgovara, molim vas pogledajte.",
    "sl": "Strežnik SRV-48213 se ne odziva, prosim poglejte.",
}
REINSTALL: Final = {
    "it": "Per favore reinstallate il server SRV-48213 con {}.",
    "en": "Please reinstall the server SRV-48213 with {}.",
    "de": "Bitte installieren Sie den Server SRV-48213 neu mit {}.",
    "fr": "Merci de réinstaller le serveur SRV-48213 avec {}.",
    "es": "Por favor, reinstalen el servidor SRV-48213 con {}.",
    "pl": "Proszę o reinstalację serwera SRV-48213 z systemem {}.",
    "hr": "Molim reinstalaciju poslužitelja SRV-48213 sa sustavom {}.",
    "sl": "Prosim za ponovno namestitev strežnika SRV-48213 s sistemom {}.",
}
PART: Final = {
    "it": ("Un disco del server SRV-48213 è morto.", "Sostituitelo, per favore."),
    "en": ("A disk in server SRV-48213 has died.", "Please swap it."),
    "de": ("Eine Festplatte im Server SRV-48213 ist defekt.", "Bitte austauschen."),
    "fr": ("Un disque du serveur SRV-48213 est mort.", "Merci de le remplacer."),
    "es": ("Un disco del servidor SRV-48213 ha muerto.", "Cámbienlo, por favor."),
    "pl": ("Padł dysk w serwerze SRV-48213.", "Wymieńcie go, proszę."),
    "hr": ("Otkazao je disk u poslužitelju SRV-48213.", "Zamijenite ga, molim."),
    "sl": ("V strežniku SRV-48213 je odpovedal disk.", "Prosim, zamenjajte ga."),
}

# (field, trap, language) -> why the rules do not do it yet
KNOWN: Final[dict[tuple[str, str, str], str]] = {
    ("backup", "old", "pl"): "the age is told by an event that the pack does not know",
    ("backup", "partial", "de"): "'nur' before the article is not taken with what is saved",
    ("backup", "partial", "sl"): "what is saved is not read as a part",
    ("erase", "hypothetical", "pl"): "'if it were necessary' is taken for leave at our discretion",
    ("power", "partial", "it"): "one action in each of two sentences: the refusal of two words is not read",
    ("power", "partial", "fr"): "one action in each of two sentences: the refusal names no action and conflicts",
    ("power", "window without a time", "hr"): "read as a partial leave",
}


@cache
def engine() -> Engine:
    return build_engine(read_rules(ROOT / "rules"), build({}, file="defaults", base=ROOT).hoster, whole=False)


def verdict(*bodies: str) -> Verdict:
    """The verdict over one customer's mails."""
    found: list[Findings] = []
    for n, body in enumerate(bodies, start=1):
        mail = EmailMessage()
        mail["From"] = "Anna Example <anna@customer.example>"
        mail["To"] = "support@hoster.example"
        mail["Subject"] = "SRV-48213"
        mail["Message-ID"] = f"<{n}@customer.example>"
        mail["Date"] = datetime(2026, 11, 16, 8, n, tzinfo=UTC)
        mail.set_content(body)
        message = parse(mail.as_bytes(), n, frozenset({"support@hoster.example"}), engine().mail)
        found.append(engine().read(message, found))
    return engine().judge(found)


def cases() -> Iterator[object]:
    for file in sorted(TRAPS.glob("*.toml")):
        field = file.stem
        for trap in tomllib.loads(file.read_text(encoding="utf-8"))["trap"]:
            for language, sentence in trap["say"].items():
                why = KNOWN.get((field, trap["name"], language))
                marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
                name = f"{field}-{trap['name'].replace(' ', '_')}-{language}"
                yield pytest.param(field, language, sentence, trap["want"] or None, id=name, marks=marks)


@pytest.mark.parametrize(("field", "language", "sentence", "want"), list(cases()))
def test_a_trap_is_read_for_what_it_says(field: str, language: str, sentence: str, want: str | None) -> None:
    opening = REINSTALL[language].format("Debian 12") if field == "erase" else DEAD[language]
    assert getattr(verdict(f"{opening}\n\n{sentence}\n"), FIELDS[field]) == want


def test_the_list_of_known_failures_names_traps_that_exist() -> None:
    there = {
        (file.stem, trap["name"], language)
        for file in TRAPS.glob("*.toml")
        for trap in tomllib.loads(file.read_text(encoding="utf-8"))["trap"]
        for language in trap["say"]
    }
    assert not set(KNOWN) - there


def test_every_trap_is_said_in_every_language() -> None:
    for file in TRAPS.glob("*.toml"):
        for trap in tomllib.loads(file.read_text(encoding="utf-8"))["trap"]:
            assert set(trap["say"]) == set(LANGUAGES), f"{file.name}: {trap['name']}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("system", "met"),
    [("Debian 12", True), ("Debian", False), ("Ubuntu latest LTS", False), ("Windows Server 2022", False),
     ("Windows Server 2022 Standard", True)],
)  # fmt: skip
def test_a_system_needs_its_version_and_windows_its_edition(language: str, system: str, met: bool) -> None:
    v = verdict(REINSTALL[language].format(system))
    assert "os_reinstall" in v.request_kinds
    assert ("os_choice" not in v.missing) is met


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_part_in_one_sentence_and_its_swap_in_the_next_are_a_hardware_job(language: str) -> None:
    assert verdict(" ".join(PART[language])).request_kinds == ("hardware",)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hostname_alone_names_no_server_of_an_intervention(language: str) -> None:
    opening = DEAD[language].replace("SRV-48213", "web3.customer.example")
    mail = EmailMessage()
    mail["From"] = "anna@customer.example"
    mail["To"] = "support@hoster.example"
    mail["Subject"] = "server"
    mail["Message-ID"] = "<1@customer.example>"
    mail["Date"] = datetime(2026, 11, 16, 8, tzinfo=UTC)
    mail.set_content(opening)
    found = [engine().read(parse(mail.as_bytes(), 1, frozenset({"support@hoster.example"}), engine().mail), [])]
    v = engine().judge(found)
    assert v.hostnames == ("web3.customer.example",)
    assert "server_id" in v.missing


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("You may restart it.", "Please do not restart it after all."),
        ("You may restart it.", "I take back my permission: hands off the power button."),
    ],
)
def test_a_later_mail_takes_leave_back(first: str, second: str) -> None:
    assert verdict(f"{DEAD['en']} {first}", second).power not in ("granted", "partial", "window")
