"""After a run over every corpus no secret stands anywhere but in the mailbox.

One run for all tests here: each ticket's mails come into a Maildir; tickets with a secret come twice, the second
time without what the support wrote, so that the service answers every mail of them. The first try of every mail
with a secret in it breaks the reader with the mail's text in the exception. Then everything that the service
wrote, said or shows is searched.
"""

from __future__ import annotations

import email
import html
import io
import json
import logging
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message as MimeMessage
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import pytest
import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from click.testing import CliRunner
from service_kit import KEY, ROOT, Desk, desk, written
from spacy import displacy
from spacy.language import Language
from sqlalchemy import Connection
from test_corpus import CORPUS, OWN, module

from checker.answer.explain import compose
from checker.cli import wiring
from checker.cli.digest import digest
from checker.cli.evidence import evidence
from checker.cli.show import show
from checker.cli.tickets import tickets
from checker.comply.procedure import Procedure
from checker.comply.reply import decide
from checker.edges.files import read_rules
from checker.edges.logs import set_up
from checker.edges.records import Mail, State
from checker.edges.store import messages as mails
from checker.edges.store import tickets as rows
from checker.edges.store.engine import open_store
from checker.extract import nlp
from checker.mail.parse import parse
from checker.mail.words import MailWords
from checker.model import Case, Findings, Message, Verdict
from checker.pipeline import Engine, build_engine
from checker.report import report
from checker.service.workshop import Rules
from checker.settings import HosterSettings, LogSettings

# Secrets that are no usable way in, so that the labels do not list them.
UNUSABLE: Mapping[str, str] = {
    "en-d-068": "Copper_Kettle-19",
    "es-b-016": "Torrija-de-Abril.6",
    "es-d-038": "Guayaba*Agria-88",
    "hr-b-010": "Lubenica_u3komada",
    "hr-d-014": "Zvono+Zvonik3",
    "it-d-072": "7Nani&BiancaNeve",
    "pl-d-028": "Kr0kodyl&pomidor",
    "sl-d-034": "Zelje&Repa_1890",
}


@dataclass(slots=True)
class Run:
    """What the service wrote and showed, by where it stands; and what must not be among it."""

    folder: Path
    secrets: dict[str, str]  # the piece that is searched for, to the ticket that it is of
    shown: dict[str, list[str]] = field(default_factory=dict)

    def add(self, where: str, *texts: str) -> None:
        self.shown.setdefault(where, []).extend(texts)


def corpus() -> Iterator[dict[str, Any]]:
    files = sorted([*CORPUS.glob("*-dev.jsonl"), *(ROOT / "tests" / "tickets").glob("*.jsonl")])
    assert len(files) > 30, "the corpora are expected beside the project"
    for file in files:
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def secrets_of(ticket: Mapping[str, Any]) -> list[str]:
    found = [c["secret"] for c in ticket["expected"].get("credentials") or [] if c.get("secret")]
    return found + ([UNUSABLE[ticket["id"]]] if ticket["id"] in UNUSABLE else [])


def core(secret: str) -> str:
    """The middle of a secret: it shows also where only a part of it was masked. Of a link, its last part counts."""
    if "://" in secret:
        secret = secret.rpartition("/")[2]
    cut = 2 if len(secret) >= 8 else 1
    return secret[cut:-cut]


def forms(piece: str) -> set[str]:
    """How a text may stand in JSON and HTML."""
    plain = {piece, json.dumps(piece, ensure_ascii=False)[1:-1], json.dumps(piece)[1:-1]}
    return plain | {html.escape(x) for x in plain} | {str(markupsafe.escape(x)) for x in plain}


def threads() -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Every ticket with its mails; those with a secret again, without what the support wrote."""
    maker = module("build")
    for ticket in corpus():
        rng = random.Random(ticket["id"])
        raws = [maker.message(ticket, k, rng) for k in range(len(ticket["messages"]))]
        yield ticket, raws
        if secrets_of(ticket):
            again = dict(ticket, id=f"{ticket['id']}x")
            senders = [m["sender"] for m in ticket["messages"]]
            told = [_renamed(raw) for raw, who in zip(raws, senders, strict=True) if who == "customer"]
            yield again, told


def _renamed(raw: bytes) -> bytes:
    """The same words in another conversation, of another day's."""
    head, line, body = raw.partition(b"\r\n\r\n")
    head = re.sub(rb"<([a-z]{2}-[a-z]-\d{3})\.", rb"<\1x.", head)
    return re.sub(rb"(?m)^From: (.*)@", rb"From: \1.again@", head) + line + body


@dataclass(slots=True)
class FirstTryFails:
    """The real rules, except that a mail with a secret breaks them the first time."""

    engine: Engine
    pieces: Sequence[str]
    failed: set[str] = field(default_factory=set)

    @property
    def mail(self) -> MailWords:
        return self.engine.mail

    @property
    def version(self) -> str:
        return self.engine.version

    @property
    def procedure(self) -> Procedure:
        return self.engine.procedure

    def read(self, message: Message, earlier: Sequence[Findings] = ()) -> Findings:
        if message.sha256 not in self.failed and any(p in message.text for p in self.pieces):
            self.failed.add(message.sha256)
            raise ValueError(f"cannot read {message.text}")
        return self.engine.read(message, earlier)

    def judge(self, thread: Sequence[Findings]) -> Verdict:
        return self.engine.judge(thread)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("corpora")
    found = {core(s): t["id"] for t in corpus() for s in secrets_of(t)}
    made = Run(folder, found)
    engine = build_engine(read_rules(ROOT / "rules"), HosterSettings())
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", said)
        set_up(LogSettings(level="debug", format="json"))
        logging.getLogger().setLevel(logging.DEBUG)
        office = served(folder, engine, tuple(found))
        commands(made, office, patch, engine)
        offline(made, engine)
        set_up(LogSettings())
    made.add("logs", said.getvalue())
    return made


def served(folder: Path, engine: Engine, pieces: Sequence[str]) -> Desk:
    """The service, run until nothing waits any more."""
    office = desk(
        folder,
        replies={"global_hour": 100_000, "per_domain_hour": 100_000, "per_sender_day": 1_000},
        digest={"days": ["mon"], "recipients": ["staff@hoster.example"]},
        service={"round_seconds": 100_000},
    )
    rules = Rules(FirstTryFails(engine, pieces), *written(), "real")
    office.shop.rules.current = rules
    for _, raws in threads():
        for raw in raws:
            office.drop(raw)
            office.clock.forward(seconds=1)
    waiting = True
    while waiting:
        office.round()
        office.clock.forward(minutes=2)
        with office.shop.store.read() as c:
            waiting = bool(mails.counts(c).get(State.NEW)) or bool(office.round().delivered)
    office.clock.forward(days=7)  # the next digest, and reminders
    office.round()
    office.shop.store.close()
    return office


def commands(made: Run, office: Desk, patch: pytest.MonkeyPatch, engine: Engine) -> None:
    """What the commands show of every ticket that has a secret."""
    config = made.folder / "config.toml"
    config.write_text('[[mailboxes]]\nname = "support"\nkind = "maildir"\npath = "mail"\n', encoding="utf-8")
    key = office.settings.key_file
    key.write_bytes(KEY)
    key.chmod(0o600)
    patch.setattr(wiring, "load_rules", lambda _: Rules(engine, *written(), "real"))
    patch.setattr(wiring, "set_up", lambda _: None)
    patch.setattr(wiring, "store_of", lambda s: open_store(s.database_url, migrate=False))
    with office.shop.store.read() as c:
        of_secrets = {m.ticket for m in _with_secrets(made, c) if m.ticket is not None}
        assert len(of_secrets) > 110
        all_tickets = rows.listed(c)
    assert len(all_tickets) > 800

    def call(command: object, *arguments: str) -> str:
        result = CliRunner().invoke(command, [*arguments, "--config", str(config)])  # type: ignore[arg-type]  # a command
        assert result.exit_code == 0, f"{arguments}: {type(result.exception)}"
        return result.output

    made.add("tickets", call(tickets, "--all"), call(tickets, "--all", "--json"), call(tickets, "quarantined"))
    page, record = made.folder / "page.html", made.folder / "record.json"
    made.add("digest", call(digest, "--text", "--since", "2026-11-01"))
    call(digest, "--html", str(page), "--since", "2026-11-01")
    made.add("digest", page.read_text(encoding="utf-8"))
    for name in sorted(of_secrets):
        made.add("show", call(show, name))
        made.add("show --json", call(show, name, "--json"))
        call(evidence, name, "-o", str(record), "--html", str(page))
        made.add("evidence", record.read_text(encoding="utf-8"), page.read_text(encoding="utf-8"))
    page.unlink()
    record.unlink()


def _with_secrets(made: Run, c: Connection) -> Iterator[Mail]:
    """The mails with a secret, each conversation once."""
    box = {p.name: p.read_bytes() for p in (made.folder / "mail" / "new").iterdir()}
    holding = {name for name, raw in box.items() if b"again@" not in raw and any(s in plain(raw) for s in made.secrets)}
    for ticket in rows.listed(c):
        yield from (m for m, _ in mails.of_ticket(c, ticket.id) if m.place.uid in holding)


def plain(raw: bytes) -> str:
    """Everything that a mail says, decoded."""
    return "\n".join(_texts(email.message_from_bytes(raw)))


def _texts(message: MimeMessage) -> Iterator[str]:
    yield "\n".join(f"{k}: {v}" for k, v in message.items())
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            text = payload.decode(str(part.get_param("charset") or "utf-8"), "replace")
            yield text
            yield html.unescape(text)


@cache
def pipeline(language: str) -> Language:
    return nlp.pipeline(language)


def offline(made: Run, engine: Engine) -> None:
    """``check --json --text``, and the explain page, of every ticket that has a secret."""
    env = jinja2.Environment(loader=jinja2.PackageLoader("checker.answer", "pages"), autoescape=True)

    def draw(message: Message, findings: Findings, text: str) -> str:
        doc = nlp.document(pipeline(findings.language), message, findings, text)
        return str(displacy.render(doc, style="span", options={"spans_key": nlp.STATEMENTS}))

    for ticket, raws in threads():
        if not secrets_of(ticket):
            continue
        read: list[Message] = []
        findings: list[Findings] = []
        for n, raw in enumerate(raws, start=1):
            read.append(parse(raw, n, OWN, engine.mail))
            findings.append(engine.read(read[-1], findings))
        verdict = engine.judge(findings)
        decision = decide(read, verdict)
        told = report(ticket["id"], read, verdict, would_reply=decision.reply, reply_reason=decision.reason, text=True)
        made.add("check --json --text", json.dumps(told, ensure_ascii=False))
        case = Case(tuple(read), tuple(findings), verdict)
        made.add("explain", compose([(ticket["id"], case)], "INTROSERV", env, draw))


def leaks(made: Run, texts: Iterable[str]) -> set[str]:
    searched = {form: name for piece, name in made.secrets.items() for form in forms(piece)}
    found = re2.compile("|".join(re2.escape(x) for x in sorted(searched, key=len, reverse=True)))
    return {f"{searched[m.group()]}: {m.group()}" for text in texts for m in found.finditer(text)}


@pytest.mark.parametrize(
    "where",
    ["logs", "tickets", "digest", "show", "show --json", "evidence", "check --json --text", "explain"],
)
def test_nothing_shown_holds_a_secret(ran: Run, where: str) -> None:
    assert len("".join(ran.shown[where])) > 10_000 or where == "tickets"
    assert leaks(ran, ran.shown[where]) == set()


def test_no_mail_of_ours_holds_a_secret(ran: Run) -> None:
    sent = [plain(p.read_bytes()) for p in (ran.folder / "out" / "new").iterdir()]
    assert len(sent) > 600
    assert leaks(ran, sent) == set()


def test_no_file_but_the_mailbox_holds_a_secret(ran: Run) -> None:
    outside = [p for p in ran.folder.rglob("*") if p.is_file() and ran.folder / "mail" not in p.parents]
    ours = [p for p in outside if p.name not in ("config.toml", "secret.key")]  # written by this test
    assert [p for p in ours if p.stat().st_mode & 0o077] == []
    assert {p.suffix for p in outside} >= {".sqlite3", ".html", ".txt", ".checker"}
    assert leaks(ran, (p.read_bytes().decode("utf-8", "replace") for p in outside)) == set()


def test_the_secrets_were_there_to_be_found(ran: Run) -> None:
    """The search itself works: every secret is found in the mailbox."""
    box = [plain(p.read_bytes()) for p in (ran.folder / "mail" / "new").iterdir()]
    found = leaks(ran, box)
    assert {x.partition(":")[0] for x in found} == set(ran.secrets.values())
    assert len(ran.secrets) >= 118
