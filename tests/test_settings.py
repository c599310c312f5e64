"""Settings: defaults that run, errors that name file and key."""

from __future__ import annotations

import tomllib
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.edges.files import read_replies, read_rules, read_settings
from checker.settings import ImapMailbox, MaildirMailbox, Settings, SettingsError, build

ROOT = Path(__file__).resolve().parents[1]
IMAP = {"kind": "imap", "name": "i", "host": "h", "user": "u", "password": {"env": "P"}}


def made(document: dict[str, Any], base: Path = Path("/srv")) -> Settings:
    return build(document, file="config.toml", base=base)


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        made(document)
    return str(caught.value)


def test_an_empty_document_is_the_embedded_service() -> None:
    settings = made({})
    (box,) = settings.mailboxes
    assert isinstance(box, MaildirMailbox)
    assert box.path == Path("/srv/var/mail")
    assert settings.database_url == "sqlite:////srv/var/checker.sqlite3"
    assert settings.hoster.name == "INTROSERV"
    assert settings.own_addresses == frozenset({"support@hoster.example"})


def test_the_shipped_file_states_the_defaults() -> None:
    """Every key that is commented out is accepted, and its value is the default."""
    shipped = (ROOT / "config.toml").read_text("utf-8")
    assert made(tomllib.loads(shipped)) == made({})
    imap = shipped.partition("# [[mailboxes]]")[2].partition("# Where replies")[0]
    lines = ["[[mailboxes]]"] + [x.removeprefix("# ") for x in imap.splitlines() if x.startswith("# ")]
    (box,) = made(tomllib.loads("\n".join(lines))).mailboxes
    assert isinstance(box, ImapMailbox)
    registry = shipped.partition("# [sender.registry]")[2].partition("\n[")[0]
    named = [x.removeprefix("# ") for x in registry.splitlines() if x.startswith("# ")]
    by_query = "\n".join(["[sender.registry]", *(x for x in named if not x.startswith("file"))])
    assert made(tomllib.loads(by_query)).sender.registry is not None
    team = shipped.partition("# [[digest.team]]")[2].partition("\n[")[0]
    lines = ["[[digest.team]]"] + [x.removeprefix("# ") for x in team.splitlines() if x.startswith("# ")]
    (one,) = made(tomllib.loads("\n".join(lines))).digest.team
    assert (one.name, one.kinds, one.times("mon")) == ("hardware", ("hardware",), (time(7), time(13)))
    for section in (
        "hoster",
        "hoster.office_hours",
        "sending",
        "service",
        "replies",
        "digest",
        "sender",
        "logs",
        "metrics",
    ):
        part = shipped.partition(f"\n[{section}]")[2].partition("\n[")[0].partition("\n# [")[0]
        keys = [x[2:] for x in part.splitlines() if x.startswith("# ") and " = " in x]
        known = {x.partition(" = ")[0].strip() for x in keys}
        model: Any = made({})
        for name in section.split("."):
            model = getattr(model, name)
        undocumented = set(type(model).model_fields) - known - {"office_hours", "registry", "team"}
        assert not undocumented, f"[{section}] does not mention {undocumented}"
        stated = tomllib.loads("\n".join(k for k in keys if not k.startswith(("sender =", "sender_name ="))))
        for key, value in stated.items():
            default = getattr(model, key)
            default = list(default) if isinstance(default, tuple) else default
            default = default.strftime("%H:%M") if hasattr(default, "strftime") else default
            assert default == value, f"{section}.{key}"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"hosterr": {}}, ["config.toml: hosterr: unknown key", "did you mean 'hoster'"]),
        ({"replies": {"confrim": True}}, ["replies.confrim: unknown key", "did you mean 'confirm'"]),
        ({"hoster": {"time_zone": "Mars/Olympus"}}, ["hoster.time_zone", "write it as Europe/Rome"]),
        ({"hoster": {"addresses": ["Support <s@x.example>"]}}, ["hoster.addresses[1]", "no bare address"]),
        ({"hoster": {"addresses": []}}, ["hoster", "name the support address"]),
        ({"hoster": {"languages": ["xx"]}}, ["hoster.languages[1]", "choose from it, en"]),
        ({"mailboxes": []}, ["mailboxes"]),
        ({"mailboxes": [{"name": "a"}]}, ["mailboxes[1]", 'needs kind = "maildir"']),
        ({"mailboxes": [{**IMAP, "host": None}]}, ["mailboxes[1].host"]),
        ({"mailboxes": [{k: v for k, v in IMAP.items() if k != "user"}]}, ["mailboxes[1].user", "is missing; add it"]),
        ({"mailboxes": [{**IMAP, "folders": ["INBOX\r\nA1 DELETE INBOX"]}]}, ["mailboxes[1].folders[1]", "line end"]),
        ({"mailboxes": [{**IMAP, "user": "u\nA LOGOUT"}]}, ["mailboxes[1].user", "line end"]),
        ({"mailboxes": [{**IMAP, "tls": "none"}]}, ["sends the password in clear"]),
        ({"mailboxes": [{**IMAP, "password": {}}]}, ["mailboxes[1].password", "exactly one of env, file, command"]),
        ({"mailboxes": [IMAP, IMAP]}, ["the name 'i' is given twice"]),
        ({"mailboxes": [{"kind": "maildir", "host": "h"}]}, ["mailboxes[1].host: unknown key for this kind"]),
        ({"outgoing": {"kind": "smtp"}}, ["outgoing.host: is missing"]),
        ({"outgoing": {"kind": "smtp", "host": "h", "user": "u"}}, ["user and password belong together"]),
        ({"digest": {"at": "02:30"}}, ["digest", "summer time skips"]),
        ({"replies": {"asks_per_ticket": 4}}, ["replies.asks_per_ticket", "less than or equal to 3"]),
        ({"service": {"poll_seconds": 0}}, ["service.poll_seconds", "greater than 0"]),
        ({"sending": {"unknown_wait_minutes": 1}}, ["sending.unknown_wait_minutes"]),
    ],
)
def test_errors_name_file_and_key_and_say_what_to_do(document: dict[str, Any], words: list[str]) -> None:
    said = refused(document)
    assert said.startswith("config.toml: ")
    for word in words:
        assert word in said


def test_every_error_is_told_at_once() -> None:
    said = refused({"hosterr": {}, "replies": {"confrim": True}})
    assert len(said.splitlines()) == 2


def test_no_value_is_repeated_in_an_error() -> None:
    assert "hunter2" not in refused({"database": {"url": "x", "password": "hunter2"}})


@given(st.text(min_size=1).filter(lambda s: any(ord(c) < 32 or ord(c) == 127 for c in s)))
def test_no_control_character_gets_into_a_folder_name(name: str) -> None:
    assert "line end or control character" in refused({"mailboxes": [{**IMAP, "folders": [name]}]})


class TestFiles:
    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"give the configuration with --config"):
            read_settings(tmp_path / "none.toml")

    def test_paths_count_from_the_files_folder(self, tmp_path: Path) -> None:
        file = tmp_path / "config.toml"
        file.write_text('[folders]\nrules = "r"\n')
        assert read_settings(file).folders.rules == tmp_path / "r"

    def test_broken_toml_names_the_line(self, tmp_path: Path) -> None:
        file = tmp_path / "config.toml"
        file.write_text("[hoster]\nname = \n")
        with pytest.raises(SettingsError, match=r"config\.toml: .*line 2.*correct the TOML there"):
            read_settings(file)

    def test_a_file_that_is_no_utf8_names_the_line(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_bytes(b"x = 1\ny = '\xff'\n")
        with pytest.raises(SettingsError, match=r"a\.toml: line 2: not UTF-8"):
            read_rules(tmp_path)

    def test_a_folder_without_rules(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"holds no \*\.toml"):
            read_rules(tmp_path)
        with pytest.raises(SettingsError, match="no such folder"):
            read_rules(tmp_path / "none")
        with pytest.raises(SettingsError, match="no such folder"):
            read_replies(tmp_path / "none")

    def test_the_version_changes_with_content_and_names_only(self, tmp_path: Path) -> None:
        (tmp_path / "lang" / "it").mkdir(parents=True)
        file = tmp_path / "lang" / "it" / "mail.toml"
        file.write_text("a = 1\n")
        first = read_rules(tmp_path)
        assert first.packs("mail.toml") == {"it": {"a": 1}}
        assert read_rules(tmp_path).version == first.version
        file.write_text("a = 2\n")
        second = read_rules(tmp_path)
        assert second.version != first.version
        file.rename(tmp_path / "lang" / "it" / "time.toml")
        assert read_rules(tmp_path).version not in (first.version, second.version)

    def test_the_shipped_folders_can_be_read(self) -> None:
        assert "procedure.toml" in read_rules(ROOT / "rules").files
        assert "en" in read_replies(ROOT / "replies").texts
