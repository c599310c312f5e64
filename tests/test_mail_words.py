"""The packs' mail words: strict when read, folded when matched."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest
from mail_helpers import LANGUAGES, ROOT, words

from checker.mail.words import HeaderRole, MailWordsError, fold, mail_words, plain_words


def pack(language: str = "it") -> dict[str, Any]:
    path = ROOT / "rules" / "lang" / language / "mail.toml"
    return copy.deepcopy(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pack_is_valid_by_itself(language: str) -> None:
    built = mail_words({language: pack(language)})
    assert built.wrote.padded
    assert built.closings.padded
    assert {r for roles in built.headers.values() for r in roles} >= {HeaderRole.FROM, HeaderRole.SENT, HeaderRole.TO}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_closing_and_sent_from_of_a_pack_is_found(language: str) -> None:
    signature = pack(language)["signature"]
    for phrase in signature["closings"]:
        assert words().closings.prefix(tuple(plain_words(phrase).split())) > 0
    for phrase in signature["sent_from"]:
        assert words().sent_from.prefix(tuple(plain_words(phrase).split())) > 0


def test_unknown_table_names_the_file() -> None:
    data = pack() | {"quote": {}}
    with pytest.raises(MailWordsError, match=r"rules/lang/it/mail\.toml: unknown table \[quote\]; use \[quotes\]"):
        mail_words({"it": data})


def test_unknown_key_names_the_key() -> None:
    data = pack()
    data["quotes"]["wrot"] = []
    with pytest.raises(MailWordsError, match=r"\[quotes\] has an unknown key 'wrot'; use starts, wrote"):
        mail_words({"it": data})


def test_missing_table() -> None:
    data = pack()
    del data["footers"]
    with pytest.raises(MailWordsError, match=r"table \[footers\] is missing; write it with disclaimer, stub"):
        mail_words({"it": data})


@pytest.mark.parametrize("value", ["ha scritto", [1], None])
def test_value_that_is_no_list(value: object) -> None:
    data = pack()
    data["quotes"]["wrote"] = value
    with pytest.raises(MailWordsError, match=r"\[quotes\] wrote must be a list of phrases"):
        mail_words({"it": data})


def test_phrase_without_a_word() -> None:
    data = pack()
    data["signature"]["closings"].append("--")
    with pytest.raises(MailWordsError, match=r"closings has '--', which holds no word; remove it"):
        mail_words({"it": data})


def test_folding() -> None:
    assert fold("Grüße, ŁÓDŹ Đakovo") == "grusse, lodz dakovo"
    assert plain_words("  Il Signor_Rossi ha scritto:  ") == " il signor rossi ha scritto "
    assert plain_words("…") == " "


def test_phrases_match_whole_words() -> None:
    found = words()
    assert found.wrote.inside(plain_words("Mario ha scritto:"))
    assert not found.wrote.inside(plain_words("riscrittura"))
    assert found.original.whole(plain_words("-----Messaggio originale-----"))
    assert not found.original.whole(plain_words("Messaggio originale ricevuto"))
    assert found.closings.prefix(("mit", "freundlichen", "grussen", "max")) == 3
    assert found.closings.prefix(()) == 0
