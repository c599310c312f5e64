"""The development corpora: floors below which the judgement must not fall.

The floors are what this version reaches, a little below, so that a change of rules that breaks another
language is seen. They say nothing of unseen mail: the rules were written beside these tickets.
"""

from __future__ import annotations

import json
import random
from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from checker.comply.reply import decide
from checker.edges.files import read_rules
from checker.mail.parse import parse
from checker.model import Findings, Message
from checker.pipeline import Engine, build_engine
from checker.report import report
from checker.settings import build

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / ".." / "shared" / "corpus"
OWN = frozenset({"support@hoster.example"})
LANGUAGES = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")

# language -> least share of right verdicts, most false consents over consents not given (hard tickets)
HARD = {
    "it": (0.93, 0.01), "en": (0.85, 0.06), "de": (0.87, 0.01), "fr": (0.87, 0.01),
    "es": (0.92, 0.01), "pl": (0.97, 0.01), "hr": (0.97, 0.01), "sl": (0.94, 0.01),
}  # fmt: skip
EVERYDAY = 0.99


def module(name: str) -> ModuleType:
    file = CORPUS / f"{name}.py"
    assert file.exists(), f"{file} is missing: the corpora are expected beside the project"
    spec = util.spec_from_file_location(f"corpus_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    found = util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@cache
def engine() -> Engine:
    return build_engine(read_rules(ROOT / "rules"), build({}, file="defaults", base=ROOT).hoster, whole=False)


@cache
def figures(name: str) -> dict[str, Any]:
    maker, scorer = module("build"), module("score")
    expected: dict[str, dict[str, Any]] = {}
    reports: dict[str, dict[str, Any]] = {}
    for line in (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        ticket = json.loads(line)
        rng = random.Random(ticket["id"])
        messages: list[Message] = []
        findings: list[Findings] = []
        for k in range(len(ticket["messages"])):
            messages.append(parse(maker.message(ticket, k, rng), k + 1, OWN, engine().mail))
            findings.append(engine().read(messages[-1], findings))
        verdict = engine().judge(findings)
        decision = decide(messages, verdict)
        reports[ticket["id"]] = report(
            ticket["id"], messages, verdict, would_reply=decision.reply, reply_reason=decision.reason, reveal=True
        )
        expected[ticket["id"]] = {"language": ticket["language"], "tags": ticket.get("tags", []), **ticket["expected"]}
    scored: dict[str, Any] = scorer.score(expected, reports)[0]
    return scored


@pytest.mark.parametrize("language", LANGUAGES)
def test_hard_tickets(language: str) -> None:
    found = figures(f"{language}-dev")
    verdict, false_consent = HARD[language]
    assert found["verdict"] >= verdict, found
    assert found["false_consent"] <= false_consent, found


@pytest.mark.parametrize("language", LANGUAGES)
def test_everyday_tickets_are_read_and_give_no_consent_away(language: str) -> None:
    found = figures(f"everyday-{language}-dev")
    assert found["false_consent"] == 0.0, found
    assert found["wrong_reply"] == 0.0, found
    assert found["verdict"] >= EVERYDAY, found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", ["service_ids", "ip_addresses", "hostnames", "credentials"])
def test_what_is_named_is_read_exactly(language: str, field: str) -> None:
    found = figures(f"{language}-dev")["sets"][field]
    assert found["precision"] >= 0.95, found
    assert found["recall"] >= 0.85, found
