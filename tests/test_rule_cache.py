"""Parsed rule files kept for the next command: used only when they are what would be parsed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from checker.edges import files, rule_cache
from checker.edges.files import read_rules
from checker.settings import SettingsError


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.toml").write_text('x = ["è", 1, 2.5, true]\n[t]\ny = "z"\n')
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were parsed, not recalled."""
    names: list[str] = []
    parse = files._parsed

    def noted(raw: bytes, name: str) -> object:
        names.append(Path(name).name)
        return parse(raw, name)

    monkeypatch.setattr(files, "_parsed", noted)
    return names


def kept(cache: Path) -> Path:
    (found,) = cache.iterdir()
    return found


def test_what_was_parsed_once_is_recalled_and_private(rules: Path, tmp_path: Path, parsed: list[str]) -> None:
    cache = tmp_path / "home" / "cache"
    first = read_rules(rules, cache)
    assert read_rules(rules, cache) == first == read_rules(rules)
    assert parsed == ["a.toml"] * 2  # the first time, and without a cache
    assert kept(cache).stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700


def test_a_changed_file_is_parsed_and_takes_the_old_ones_place(rules: Path, tmp_path: Path, parsed: list[str]) -> None:
    read_rules(rules, tmp_path / "c")
    (rules / "a.toml").write_text("x = 2\n")
    assert read_rules(rules, tmp_path / "c").files == {"a.toml": {"x": 2}}
    assert read_rules(rules, tmp_path / "c").files == {"a.toml": {"x": 2}}
    assert len(parsed) == 2
    kept(tmp_path / "c")


@pytest.mark.parametrize("damage", [b"", b"1 ", b"x" * 100, b"[]"])
def test_a_damaged_cache_is_none(rules: Path, tmp_path: Path, parsed: list[str], damage: bytes) -> None:
    first = read_rules(rules, tmp_path / "c")
    file = kept(tmp_path / "c")
    raw = file.read_bytes()
    file.write_bytes(raw[:100] + damage)
    assert read_rules(rules, tmp_path / "c") == first
    file.write_bytes(raw.replace(b'"z"', b'"w"'))
    assert read_rules(rules, tmp_path / "c") == first
    assert len(parsed) == 3


def test_what_others_could_have_written_is_none(rules: Path, tmp_path: Path, parsed: list[str]) -> None:
    first = read_rules(rules, tmp_path / "c")
    file = kept(tmp_path / "c")
    file.chmod(0o622)
    assert read_rules(rules, tmp_path / "c") == first
    assert file.stat().st_mode & 0o777 == 0o600  # made anew
    elsewhere = file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(elsewhere)
    assert read_rules(rules, tmp_path / "c") == first
    assert len(parsed) == 3


def test_where_nothing_can_be_kept_nothing_fails(rules: Path, tmp_path: Path, parsed: list[str]) -> None:
    (tmp_path / "c").write_text("a file where the folder should be")
    assert read_rules(rules, tmp_path / "c") == read_rules(rules)
    (rules / "a.toml").write_text("x = 2026-11-25\n")  # what JSON cannot hold
    assert read_rules(rules, tmp_path / "d") == read_rules(rules)
    assert not (tmp_path / "d").exists()
    assert len(parsed) == 4


def test_a_broken_file_is_complained_of_each_time(rules: Path, tmp_path: Path) -> None:
    read_rules(rules, tmp_path / "c")
    (rules / "a.toml").write_text("x = ")
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"a\.toml"):
            read_rules(rules, tmp_path / "c")


def test_the_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert rule_cache.cache_folder() == tmp_path / ".cache" / "intervention-checker"
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path / "x"))
    assert rule_cache.cache_folder() == tmp_path / "x" / "intervention-checker"
    monkeypatch.setattr("sys.platform", "darwin")
    assert rule_cache.cache_folder() == tmp_path / "Library" / "Caches" / "intervention-checker"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert rule_cache.cache_folder() == tmp_path / "local" / "intervention-checker"
    monkeypatch.delenv("LOCALAPPDATA")
    assert rule_cache.cache_folder() is None
