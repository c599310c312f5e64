"""What the mail tests share: the packs' words, and the shared fixtures beside the project."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from checker.mail.clean import squeezed, visible
from checker.mail.words import MailWords, mail_words
from checker.mail.zones import is_forward, split_zones
from checker.model import Message, Zone, ZoneKind

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT / ".." / "shared"
OURS = frozenset({"support@hoster.example", "support@introserv.example", "soporte@introserv.example"})
LANGUAGES = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")


@cache
def words() -> MailWords:
    """The mail words of all packs as they are delivered."""
    packs = {lang: ROOT / "rules" / "lang" / lang / "mail.toml" for lang in LANGUAGES}
    return mail_words({lang: tomllib.loads(path.read_text(encoding="utf-8")) for lang, path in packs.items()})


def shared(*parts: str) -> Path:
    """A path in the shared folder; a failure that says what is missing when it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.fail(f"the shared fixtures are missing: put the folder with {'/'.join(parts)} at {SHARED}")
    return path


def zones_of(text: str, subject: str = "") -> tuple[str, tuple[Zone, ...]]:
    """A text as it would stand in a message, and its zones."""
    text = squeezed(visible(text))
    return text, split_zones(text, words(), forward=is_forward(subject, words()), own_addresses=OURS)


def parts_of(text: str, zones: Sequence[Zone], kind: ZoneKind) -> list[str]:
    """The stripped texts of all zones of a kind."""
    return [text[z.start : z.end].strip() for z in zones if z.kind is kind]


def own(text: str, subject: str = "") -> str:
    """The sender's own words of a text, zones joined by a blank line."""
    shown, zones = zones_of(text, subject)
    return "\n\n".join(p for p in parts_of(shown, zones, ZoneKind.OWN) if p)


def own_of(message: Message) -> str:
    """The sender's own words of a message."""
    return "\n\n".join(p for p in parts_of(message.text, message.zones, ZoneKind.OWN) if p)


def covers(text: str, zones: Sequence[Zone]) -> bool:
    """Whether the zones are in order, whole lines, and cover the text without gaps."""
    ends = [0, *(z.end for z in zones)]
    return ends[-1] == len(text) and all(
        z.start == end and z.end > z.start and text[: z.end].endswith(("\n", text[-1:]))
        for z, end in zip(zones, ends[:-1], strict=True)
    )


@dataclass(frozen=True)
class Sent:
    """A message of the corpus: its specification and the bytes that the corpus builder makes of it."""

    ticket: dict[str, Any]
    n: int
    spec: dict[str, Any]
    raw: bytes


def corpus() -> Iterator[Sent]:
    """Every message of every development ticket, as mail."""
    build = _build()
    import json

    files = sorted(shared("corpus").glob("*-dev.jsonl"))
    if not files:
        pytest.fail(f"no corpus in {shared('corpus')}")
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            ticket = json.loads(line)
            rng = Random(ticket["id"])
            for index, spec in enumerate(ticket["messages"]):
                yield Sent(ticket, index + 1, spec, build.message(ticket, index, rng))


def _build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus_build", shared("corpus", "build.py"))
    if spec is None or spec.loader is None:
        pytest.fail("corpus/build.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
