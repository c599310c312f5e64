"""Golden mails: what comes in, what is understood, and the reply that goes out.

``tests/mails/<case>/`` holds the thread (``01.eml`` …), ``expected.json`` and, where there is a reply,
``reply.txt``. After a change that is meant: ``UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/test_golden_mails.py``,
then read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from checker.answer import environment, reply, texts
from checker.comply.reply import decide
from checker.edges.files import read_replies, read_rules
from checker.edges.records import Kind
from checker.mail.parse import parse
from checker.model import Findings, Message
from checker.pipeline import Engine, build_engine
from checker.report import report
from checker.service import letters
from checker.settings import build

ROOT = Path(__file__).resolve().parents[1]
CASES = sorted(p for p in (ROOT / "tests" / "mails").iterdir() if p.is_dir())
SETTINGS = build({}, file="defaults", base=ROOT)
OWN = frozenset({"support@hoster.example"})
KEPT = (
    *("language", "request_kinds", "service_ids", "ip_addresses", "hostnames", "credentials", "power", "backup"),
    *("data_loss_consent", "hardware_acknowledgement", "impact", "os", "components", "windows", "missing"),
    *("advisories", "status", "automatic", "would_reply", "reply_reason"),
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return build_engine(read_rules(ROOT / "rules"), SETTINGS.hoster, whole=False)


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_golden(case: Path, engine: Engine) -> None:
    messages: list[Message] = []
    findings: list[Findings] = []
    for n, file in enumerate(sorted(case.glob("*.eml")), start=1):
        messages.append(parse(file.read_bytes(), n, OWN, engine.mail))
        findings.append(engine.read(messages[-1], findings))
    verdict = engine.judge(findings)
    decision = decide(messages, verdict)
    whole = report(case.name, messages, verdict, would_reply=decision.reply, reply_reason=decision.reason)
    found = json.dumps({key: whole[key] for key in KEPT}, ensure_ascii=False, indent=1) + "\n"
    answer = None
    if decision.reply:
        files = read_replies(ROOT / "replies")
        kind = Kind.ASK if verdict.missing else Kind.CONFIRMATION
        request = letters.request(
            kind, verdict, SETTINGS.hoster, ticket="T1234567", subject=messages[0].subject, name="", round_=1
        )
        rendered = reply.compose(request, environment.environment(files.templates), texts.build(files.texts))
        answer = f"Subject: {rendered.subject}\n\n{rendered.text}"
    expected, text = case / "expected.json", case / "reply.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(found, encoding="utf-8")
        text.unlink(missing_ok=True)
        if answer is not None:
            text.write_text(answer, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")
    assert answer == (text.read_text(encoding="utf-8") if text.exists() else None)


def test_there_are_cases_in_every_language() -> None:
    languages = {json.loads((c / "expected.json").read_text(encoding="utf-8"))["language"] for c in CASES}
    assert languages >= {"it", "en", "de", "fr", "es", "pl", "hr", "sl"}
