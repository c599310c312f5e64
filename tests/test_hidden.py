"""What looks like a secret and is no usable way in: found by its shape and its neighbours, so that it is masked."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from service_kit import KEY, mail

from checker.edges.files import read_rules
from checker.edges.findings_json import dump
from checker.extract.reading import MOST, reading_of
from checker.mail.parse import parse
from checker.model import MASK, Findings, Message
from checker.pipeline import Engine, build_engine
from checker.report import report
from checker.settings import HosterSettings

ROOT = Path(__file__).resolve().parents[1]


@cache
def engine() -> Engine:
    return build_engine(read_rules(ROOT / "rules"), HosterSettings(), whole=False)


def message(body: str, subject: str = "server 48213") -> Message:
    return parse(mail(body, subject=subject), 1, frozenset({"support@hoster.example"}), engine().mail)


def read(body: str, subject: str = "server 48213") -> Findings:
    return engine().read(message(body, subject))


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ("The password has changed\nsince spring, it's now Copper_Kettle-19\n", "Copper_Kettle-19"),
        ("The root password you know.\n\n> the password is Zvono+Zvonik3, thanks\n", "Zvono+Zvonik3"),
        ("On the terminal I typed Xy7!abc9%q and nothing happened.\n", "Xy7!abc9%q"),
        ("pw:Kr0kodyl&pomidor\n", "Kr0kodyl&pomidor"),
        ("He said carl/Br&nza_9 works.\n", "Br&nza_9"),
    ],
)  # fmt: skip
def test_it_is_found_and_nowhere_stored_or_shown(body: str, secret: str) -> None:
    whole = message(f"Please restart server 48213, it hangs.\n{body}")
    found = engine().read(whole)
    assert any(secret in s.reveal() for s in found.secrets())
    assert secret not in dump(found, KEY)
    verdict = engine().judge([found])
    assert verdict.hidden == found.secrets()
    told = report("x", [whole], verdict, would_reply=True, reply_reason="", text=True)
    assert secret not in str(told)


@pytest.mark.parametrize(
    "body",
    [
        "I forgot the password for eth1 on 203.0.113.9, see /etc/network/interfaces.d/50-cloud-init.cfg at 10:15.\n",
        "The password I send later; ask ada.rossi@kunde.example or call #418877 at 12h15 GMT+1.\n",
        "Ubuntu-22.04, 16GB+16GB, C++17, RAID1+0, 100%, 10€, R&D, a=b, sda1+sdb1, user@host1.\n",
        "UUID=5c1e0b0e-7f0c status=78/CONFIG CPU_SrcID#0_Ha#0_DIMM#0 postgresql@15-main\n",
        "May I ask???? Really!!!! And then...\n",
        "Password: ________\nPassword: <password>\n",
    ],
)
def test_what_only_looks_odd_is_left_alone(body: str) -> None:
    assert [s.reveal() for s in read(body).hidden] == []


def test_a_name_that_was_read_is_no_secret() -> None:
    found = read("The password for server r1z7og44 comes by phone.\n")
    assert [i.value for i in found.identifiers] == ["r1z7og44", "48213"] or found.hidden == ()
    assert "r1z7og44" not in {s.reveal() for s in found.hidden}


def test_a_subject_is_looked_at_too() -> None:
    assert "Xy7!abc9%q" in {s.reveal() for s in read("Hello\n", subject="help, Xy7!abc9%q").secrets()}


def test_it_shows_nothing_of_itself() -> None:
    found = read("I typed Xy7!abc9%q and nothing happened.\n")
    assert str(found.hidden[0]) == MASK
    assert "Xy7!abc9%q" not in repr(found)


def test_a_text_full_of_odd_words_is_no_text_full_of_secrets() -> None:
    found = read("".join(f"a!b{n}C2 " for n in range(5_000)))
    assert len(found.hidden) == 0


def test_what_is_read_of_a_mail_is_bounded_and_says_so() -> None:
    line = "Please restart the server.\n"
    long = message(line * 5_000)
    reading = reading_of(long)
    assert reading.capped
    assert MOST - len(line) - len(long.subject) <= sum(s.end - s.start for s in reading.stretches) <= MOST
    assert long.text[reading.stretches[-1].end - 1] == "\n"
    assert not reading_of(message(line * 50)).capped
    one = message("a" * 190_000)
    assert sum(s.end - s.start for s in reading_of(one).stretches) == MOST
