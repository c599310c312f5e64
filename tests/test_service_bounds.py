"""Hostile mails cost bounded work: caps are applied and told, and no expression of ours runs away.

Nothing is timed. What might run for ever runs in a child process that the operating system ends after so many
seconds of processor time; what was counted comes back from it.
"""

from __future__ import annotations

import ast
import json
import os
import pkgutil
import re
import resource
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from service_kit import KEY, ROOT, WANTING, Desk, desk, mail

import checker
from checker.edges.files import read_rules
from checker.edges.findings_json import dump
from checker.edges.records import State
from checker.edges.store import messages, tickets
from checker.extract.reading import MOST
from checker.mail.limits import DEFAULT_LIMITS, Limits
from checker.mail.parse import parse
from checker.pipeline import Engine, build_engine
from checker.report import report
from checker.settings import HosterSettings

SECONDS = 60  # of processor time for the worst mail; ordinary ones take hundredths
TOP = (
    "From: a@client.example\r\nTo: support@hoster.example\r\nSubject: server 48213\r\n"
    "Message-ID: <1@client.example>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0100\r\n"
)
MIB = 1_048_576


def filled(piece: str, size: int = 300_000) -> bytes:
    return (TOP + "\r\n").encode() + (piece * (size // len(piece) + 1)).encode()


def _html(piece: str, size: int = 2 * MIB) -> bytes:
    return (TOP + "Content-Type: text/html\r\n\r\n").encode() + (piece * (size // len(piece) + 1)).encode()


def _parts(count: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nplease restart\r\n"
    return TOP.encode() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * count + b"--b--\r\n"


# What is hostile, and whether a person is told that not all of it was read.
MAILS: Mapping[str, tuple[Callable[[], bytes], bool]] = {
    "10 MB of one word": (lambda: filled("a", 10 * MIB), True),
    "100,000 quotes": (lambda: filled("> please restart\r\n", 1_800_000), True),
    "100,000 quote marks": (lambda: filled(">", 100_000), False),
    "5,000 parts": (lambda: _parts(5_000), True),
    "deep html": (lambda: _html("<div><blockquote>"), True),
    "html tables": (lambda: _html("<table><tr><td>please restart"), True),
    "50,000 addresses": (lambda: filled("203.0.113.5 ", 600_000), True),
    "50,000 differing addresses": (
        lambda: filled(" ".join(f"203.{n // 62500}.{n // 250 % 250}.{n % 250}" for n in range(50_000))), True,
    ),
    "50,000 recipients": (
        lambda: b"To: " + b"a@x.example, " * 50_000 + b"\r\n" + TOP.encode() + b"\r\nplease restart\r\n", False,
    ),
    "sentences": (lambda: filled("Yes. No. "), True),
    "one sentence": (lambda: filled("please restart the server and "), True),
    "passwords": (lambda: filled("password: Xy7!abc9\r\n"), True),
    "differing passwords": (
        lambda: (TOP + "\r\n" + "".join(f"user u{n} password: Xy{n}!abc\r\n" for n in range(10_000))).encode(), True,
    ),
    "times": (lambda: filled("between 22:00 and 23:30 on Monday\r\n"), True),
    "parts and systems": (lambda: filled("replace drive sdb slot 3 serial S3Z8NB0K on Ubuntu 22.04, "), True),
    "answers": (lambda: filled("1. yes\r\n2. no\r\n"), True),
}  # fmt: skip


@cache
def engine() -> Engine:
    return build_engine(read_rules(ROOT / "rules"), HosterSettings(), whole=False)


def counted(work: Callable[[], object], seconds: int = SECONDS) -> object:
    """What ``work`` returns, as JSON has it, from a child that has so many seconds of processor time."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child never comes back
        status = 1
        try:
            used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
            resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds + 1))
            resource.setrlimit(resource.RLIMIT_AS, (4_000 * MIB, 4_000 * MIB))
            os.write(write, json.dumps(work()).encode())
            status = 0
        except BaseException as error:  # noqa: BLE001 - a child must never return into the test's process
            os.write(write, json.dumps(f"{type(error).__name__}: {str(error)[:200]}").encode())
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        said = stream.read()
    status = os.waitpid(child, 0)[1]
    assert not os.WIFSIGNALED(status), f"ended by signal {os.WTERMSIG(status)} after {seconds} s of processor time"
    assert os.WEXITSTATUS(status) == 0, said.decode()
    return json.loads(said)


def through_everything(raw: bytes) -> dict[str, object]:
    """A mail through parsing, reading, judging, storing and showing; what was counted on the way."""
    message = parse(raw, 1, frozenset({"support@hoster.example"}), engine().mail)
    findings = engine().read(message)
    verdict = engine().judge([findings])
    told = report("x", [message], verdict, would_reply=True, reply_reason="", text=True)
    return {
        "text": len(message.text), "zones": len(message.zones), "subject": len(message.subject),
        "recipients": len(message.recipients), "attachments": len(message.attachments),
        "capped": findings.capped, "statements": len(findings.statements), "identifiers": len(findings.identifiers),
        "credentials": len(findings.credentials), "stored": len(dump(findings, KEY)), "shown": len(json.dumps(told)),
    }  # fmt: skip


@pytest.mark.parametrize("name", MAILS)
def test_a_hostile_mail_costs_bounded_work_and_says_what_was_left_out(name: str) -> None:
    make, capped = MAILS[name]
    engine()  # compiled here, so that the child counts the mail alone
    found = counted(lambda: through_everything(make()))
    assert isinstance(found, dict)
    assert found["capped"] is capped
    assert found["text"] <= DEFAULT_LIMITS.text
    assert found["zones"] <= DEFAULT_LIMITS.text / 2
    assert found["subject"] <= DEFAULT_LIMITS.subject
    assert found["recipients"] <= DEFAULT_LIMITS.addresses
    assert found["attachments"] <= DEFAULT_LIMITS.attachments
    # No more can be found than there is to be read, and no more is stored than a fixed measure of that.
    assert max(found["statements"], found["identifiers"], found["credentials"]) <= MOST / 4
    assert found["stored"] <= 400 * MOST


def test_the_caps_stand_in_one_place() -> None:
    assert Limits() == DEFAULT_LIMITS
    assert (DEFAULT_LIMITS.size, DEFAULT_LIMITS.text, MOST) == (30_000_000, 200_000, 40_000)
    assert (DEFAULT_LIMITS.parts, DEFAULT_LIMITS.depth, DEFAULT_LIMITS.header_lines) == (500, 20, 2_000)


# --- expressions -----------------------------------------------------------------------------------


_AT_A_PLACE = {"match", "fullmatch"}


@cache
def expressions() -> dict[str, tuple[re.Pattern[str], bool]]:
    """Every expression of Python's own that the program uses on texts, by where it stands; and whether it is only
    ever matched at a place, never looked for: one that is not looked for costs nothing where it is not."""
    found: dict[str, tuple[re.Pattern[str], bool]] = {}
    for info in pkgutil.walk_packages(checker.__path__, "checker."):
        if info.name.startswith(("checker.reader", "checker.edges.migrations")) or info.name.endswith("__main__"):
            continue
        module = import_module(info.name)
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        for name, value in vars(module).items():
            held = [value, *(value if isinstance(value, (tuple, list)) else ())]
            held += value.values() if isinstance(value, dict) else []
            for n, pattern in enumerate(held):
                if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                    found[f"{info.name}.{name}[{n}]"] = pattern, _only_matched(name, source)
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("re.") and call.args:
                first = call.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    at_a_place = ast.unparse(call.func).removeprefix("re.") in _AT_A_PLACE
                    found.setdefault(f"{info.name}:{call.lineno}", (re.compile(first.value), at_a_place))
    return {name: x for name, x in found.items() if ":" not in name or not _named(x[0], found)}


def _named(pattern: re.Pattern[str], found: Mapping[str, tuple[re.Pattern[str], bool]]) -> bool:
    return any(p.pattern == pattern.pattern for name, (p, _) in found.items() if ":" not in name)


def _only_matched(name: str, source: str) -> bool:
    uses = set(re.findall(rf"\b{re.escape(name)}\.(\w+)\(", source))
    if f"for p in {name})" in source:  # several, each asked in turn
        uses |= set(re.findall(r"\bp\.(\w+)\(", source))
    return bool(uses) and uses <= _AT_A_PLACE


def hostile_texts(size: int) -> Iterator[str]:
    """Long runs of what expressions repeat: letters, digits, blanks, signs; alone, in pairs, and with a wrong end."""
    for piece in ("a", "1", " ", "\t", "\n", ">", "<", "(", "[", "-", ".", ":", ",", "@", "=", "_", "/", '"', "'", "*"):
        yield piece * size
        yield piece * size + "\x00!"
        yield "a" + piece * size + "x"
    for pair in (
        "a.",
        "a ",
        "1.",
        "1:",
        " \n",
        "> ",
        "a@",
        "a-",
        "=?",
        "<a",
        "&#",
        ": ",
        "a\n",
        "\n\n",
        "1 ",
        "._",
        "Ab",
        "é ",
        "[a",
    ):
        yield pair * (size // 2)
        yield pair * (size // 2) + "\x00"


def test_no_expression_runs_away() -> None:
    patterns = expressions()
    assert len(patterns) > 80

    def work() -> int:
        done = 0
        for pattern, only_matched in patterns.values():
            for text in hostile_texts(MOST // 4):
                pattern.match(text)
                if not only_matched:
                    pattern.search(text)
                done += 1
        return done

    assert counted(work, 240) == len(patterns) * len(list(hostile_texts(2)))


def test_every_expression_is_compiled_where_the_one_above_finds_it() -> None:
    """At the top of a module, not in a function: there it would be missed, and compiled anew for each mail."""
    for path in (ROOT / "checker").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.Lambda))]
        inside = [n for f in functions for n in ast.walk(f) if isinstance(n, ast.Call)]
        named = [ast.unparse(n.func) for n in inside]
        assert "re.compile" not in named, path


# --- threads ---------------------------------------------------------------------------------------


def states(office: Desk) -> dict[State, int]:
    with office.shop.store.read() as c:
        return messages.counts(c)


def test_a_thread_without_end_ends_with_a_person(tmp_path: Path) -> None:
    office = desk(tmp_path, service={"max_thread_mails": 10}, replies={"enabled": False})
    office.drop(mail(WANTING, message_id="<0@kunde.example>"))
    for i in range(1, 25):
        office.drop(mail(f"server: {i}000\n", parent="<0@kunde.example>", message_id=f"<{i}@kunde.example>"))
    office.round()
    assert states(office) == {State.DONE: 10, State.QUARANTINED: 15}
    with office.shop.store.read() as c:
        (ticket,) = tickets.listed(c)
        (*_, last) = messages.in_state(c, State.QUARANTINED)
        silences = [s.reason for s in tickets.suppressions(c)]
        assert messages.length(c, ticket.id) == 10
    assert last.reason == f"ticket {ticket.id} has 10 mails; read this one in the mailbox"
    assert silences.count("thread-full") == 15
