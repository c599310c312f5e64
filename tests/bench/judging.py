"""Judging: tickets a second on one core, the time of one, start-up to the first verdict, memory.

Not a test: it prints figures. Reads the development corpora beside the project (../shared/corpus).
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import util
from pathlib import Path
from types import ModuleType

from checker.edges.files import read_rules
from checker.mail.parse import parse
from checker.model import Findings
from checker.pipeline import Engine, build_engine
from checker.settings import build

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / ".." / "shared" / "corpus"
OWN = frozenset({"support@hoster.example"})
RUNS = 3


def builder() -> ModuleType:
    """The corpus's own mail builder."""
    spec = util.spec_from_file_location("corpus_build", CORPUS / "build.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{CORPUS}: no build.py; the corpora are expected beside the project")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tickets() -> list[list[bytes]]:
    """Every development ticket as its raw mails."""
    make = builder()
    found = []
    for file in sorted(CORPUS.glob("*-dev.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            ticket = json.loads(line)
            rng = random.Random(ticket["id"])
            found.append([make.message(ticket, k, rng) for k in range(len(ticket["messages"]))])
    return found


def judge(engine: Engine, raws: list[bytes]) -> None:
    """One ticket, from bytes to verdict."""
    findings: list[Findings] = []
    for n, raw in enumerate(raws, start=1):
        findings.append(engine.read(parse(raw, n, OWN, engine.mail), findings))
    engine.judge(findings)


def startup() -> float:
    """Seconds of wall clock of ``checker check`` on one mail."""
    with tempfile.TemporaryDirectory() as folder:
        mail = Path(folder) / "a.eml"
        mail.write_bytes((ROOT / "tests" / "mails" / "en-secret" / "01.eml").read_bytes())
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "checker", "check", "--json", str(mail)], cwd=ROOT, check=True, capture_output=True
        )
        return time.perf_counter() - started


def main() -> None:
    """Print the figures; medians of several runs."""
    built = time.process_time()
    engine = build_engine(read_rules(ROOT / "rules"), build({}, file="defaults", base=ROOT).hoster)
    built = time.process_time() - built
    work = tickets()
    for raws in work:
        judge(engine, raws)
    rates, single = [], []
    for run in range(RUNS):
        print(f"run {run + 1} of {RUNS}", file=sys.stderr)
        started = time.process_time()
        for raws in work:
            one = time.process_time()
            judge(engine, raws)
            single.append(time.process_time() - one)
        rates.append(len(work) / (time.process_time() - started))
    single.sort()
    figures = {
        "tickets": len(work),
        "mails": sum(map(len, work)),
        "tickets_per_cpu_second": round(statistics.median(rates), 1),
        "ms_p50": round(1000 * single[len(single) // 2], 2),
        "ms_p95": round(1000 * single[int(len(single) * 0.95)], 2),
        "compile_all_packs_cpu_s": round(built, 2),
        "startup_one_mail_s": round(statistics.median(startup() for _ in range(RUNS)), 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    for name, value in figures.items():
        print(f"{name:26} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
