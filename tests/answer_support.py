"""The templates and texts of ``replies/`` as the service loads them, for the tests of the answers."""

from __future__ import annotations

import os
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2

from checker.answer.environment import environment
from checker.answer.texts import Texts, build

ROOT = Path(__file__).resolve().parents[1]
REPLIES = ROOT / "replies"
GOLDEN = ROOT / "tests" / "golden"
ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 11, 27, 7, 0, tzinfo=ROME)
LANGUAGES = ("de", "en", "es", "fr", "hr", "it", "pl", "sl")


def tables() -> dict[str, dict[str, object]]:
    """The language files, parsed afresh so that a test may change them."""
    return {p.stem: tomllib.loads(p.read_text("utf-8")) for p in sorted((REPLIES / "texts").glob("*.toml"))}


def templates() -> dict[str, str]:
    """The template files by name."""
    return {p.name: p.read_text("utf-8") for p in sorted(REPLIES.iterdir()) if p.suffix in (".txt", ".html")}


@cache
def texts() -> Texts:
    return build(tables())


@cache
def env() -> jinja2.Environment:
    return environment(templates())


def golden(name: str, content: str) -> None:
    """``content`` is what stands in ``tests/golden/<name>``; ``UPDATE_GOLDEN=1 pytest`` writes it anew."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    assert path.exists(), f"{path} is missing; run UPDATE_GOLDEN=1 pytest {path.parent}"
    assert content == path.read_text("utf-8"), (
        f"{name} differs; if that is meant: UPDATE_GOLDEN=1 pytest tests/test_answer_*.py"
    )
