"""Rules, second reader, both: verdicts, false consents and needless asks over labelled tickets, and what reading costs.

Not a test: it prints figures. ``python tests/bench/readers.py [FILE…]``; without files, the development corpora
beside the project. "Reader" alone takes the rules' names, windows and requests, and every statement on power,
backup, erasure, risk and downtime from the second reader.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from checker.comply.combine import Case, Outcome, Table
from checker.comply.reply import decide
from checker.edges.files import read_rules
from checker.mail.parse import parse
from checker.model import Findings, Message
from checker.pipeline import Engine, build_engine
from checker.reader.second import SecondReader
from checker.report import report
from checker.settings import build

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / ".." / "shared" / "corpus"
OWN = frozenset({"support@hoster.example"})
ALONE = ("rules", "reader", "both")
SURE_ENOUGH = ("power_authorization", "backup", "data_loss_consent", "hardware_acknowledgement", "impact", "request")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A labelled ticket with its mails and what was found in them."""

    data: Mapping[str, Any]
    messages: tuple[Message, ...]
    findings: tuple[Findings, ...]


def module(name: str) -> ModuleType:
    """``build.py`` or ``score.py`` of the corpus."""
    spec = util.spec_from_file_location(f"corpus_{name}", CORPUS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{CORPUS}: no {name}.py; the corpora are expected beside the project")
    found = util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def tickets(files: Sequence[Path], engine: Engine, seconds: list[float]) -> Iterator[tuple[Path, Ticket]]:
    """Every ticket of ``files``, read by both readers; CPU seconds of each are added to ``seconds``."""
    make = module("build")
    for file in files:
        print(f"reading {file.name}", file=sys.stderr)
        for line in file.read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            rng = random.Random(data["id"])
            raws = [make.message(data, k, rng) for k in range(len(data["messages"]))]
            started = time.process_time()
            messages: list[Message] = []
            findings: list[Findings] = []
            for n, raw in enumerate(raws, start=1):
                messages.append(parse(raw, n, OWN, engine.mail))
                findings.append(engine.read(messages[-1], findings))
            seconds.append(time.process_time() - started)
            yield file, Ticket(data, tuple(messages), tuple(findings))


def alone(findings: Findings, who: str) -> Findings:
    """``findings`` as one of :data:`ALONE` has them."""
    if who == "rules":
        return replace(findings, heard=())
    if who == "reader":
        return replace(findings, statements=tuple(s for s in findings.statements if s.label.startswith("request")))
    return findings


def main() -> None:
    """Print one row a set and reader, then the false consents that the second reader caught and caused."""
    rules = read_rules(ROOT / "rules")
    hoster = build({}, file="defaults", base=ROOT).hoster
    engine = build_engine(rules, hoster, second=SecondReader())
    trusting = Table(0.0, {(row, case): Outcome.GIVEN for row in SURE_ENOUGH for case in Case})
    engines = {
        who: replace(engine, procedure=replace(engine.procedure, reader=trusting)) if who == "reader" else engine
        for who in ALONE
    }
    score = module("score")
    files = [Path(a) for a in sys.argv[1:]] or sorted(CORPUS.glob("*-dev.jsonl"))
    seconds: list[float] = []
    expected: dict[str, dict[str, Any]] = {}
    reports: dict[str, dict[str, dict[str, Any]]] = {who: {} for who in ALONE}
    sets: dict[str, list[str]] = {}
    for file, ticket in tickets(files, engine, seconds):
        name = ticket.data["id"]
        expected[name] = {"language": ticket.data["language"], "tags": [], **ticket.data["expected"]}
        sets.setdefault(file.stem, []).append(name)
        for who in ALONE:
            verdict = engines[who].judge([alone(f, who) for f in ticket.findings])
            decision = decide(ticket.messages, verdict)
            reports[who][name] = report(
                name, ticket.messages, verdict, would_reply=decision.reply, reply_reason=decision.reason, reveal=True
            )
    print("set                       reader verdict  false consents  needless  wrong reply")
    for title, names in (*sets.items(), ("all", list(expected))):
        for who in ALONE:
            figures, _ = score.score({n: expected[n] for n in names}, {n: reports[who][n] for n in names})
            print(
                f"{title:25} {who:7} {figures['verdict']:7.1%} {figures['false_consent']:13.1%}"
                f" {figures['needless_ask']:11.1%} {figures['wrong_reply']:10.1%}"
            )
    for title, one, other in (("caught", "rules", "both"), ("caused", "both", "rules")):
        for name in expected:
            lost = set(expected[name]["missing"]) - set(reports[one][name]["missing"])
            lost &= set(reports[other][name]["missing"])
            if lost:
                print(f"{title} by the second reader: {name} {', '.join(sorted(lost))}")
    seconds.sort()
    print(f"reading a ticket: p50 {1000 * seconds[len(seconds) // 2]:.0f} ms CPU, ", end="")
    print(f"p95 {1000 * seconds[int(len(seconds) * 0.95)]:.0f} ms; peak ", end="")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
