"""``checker evidence``: a ticket's record of consent as JSON and as a page for paper; and whether one is whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import jinja2
from sqlalchemy import make_url

from checker.cli.rereading import Mailboxes
from checker.cli.terminal import cell, write_file
from checker.cli.tickets import find
from checker.cli.wiring import settings_from, store_of, workshop
from checker.edges import secrets
from checker.edges.findings_json import load, mask_known, masked, secrets_of
from checker.edges.mailbox import MailboxError
from checker.edges.records import Event, Mail, State
from checker.edges.store import messages
from checker.edges.store import tickets as rows
from checker.edges.store.chain import Link
from checker.edges.store.engine import StoreError
from checker.mail.parse import Unparsable, parse
from checker.service import evidence as records
from checker.service import verifying
from checker.service.audit import told
from checker.service.evidence import EvidenceError, Json, Passage
from checker.service.workshop import Workshop
from checker.settings import Settings


@click.command("evidence")
@click.argument("ticket", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it as JSON.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page to be printed.")
@click.option(
    "--verify", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Whether a record is whole."
)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def evidence(
    ticket: str | None, output: Path | None, html: Path | None, verify: Path | None, config: Path | None
) -> None:
    """The record of consent of TICKET: what was consented, by whom, when, in which words and which mail.

    Without -o and --html it is printed. Exit status 1: the record is made, but something in it was changed.
    """
    if (ticket is None) == (verify is None):
        raise click.UsageError("give either TICKET, or --verify FILE")
    settings = settings_from(config)
    try:
        if verify is not None:
            if output is not None or html is not None:
                raise click.UsageError("--verify writes nothing; leave -o and --html out")
            _verify(verify, settings)
        elif ticket is not None:
            _write(ticket, output, html, settings)
    except (StoreError, EvidenceError) as error:
        raise click.ClickException(str(error)) from error


def _write(ticket: str, output: Path | None, html: Path | None, settings: Settings) -> None:
    shop = workshop(settings)
    with shop.store.read() as c:
        found = find(c, ticket)
        links = rows.chain(c, found.id)
        thread = messages.of_ticket(c, found.id)
    shop.store.close()
    events = [x.event for x in links]
    sentences, lost = _sentences(shop, thread, records.words_of(events))
    made = records.record(found.id, links, settings.hoster.name, shop.clock.now(), shop.key, sentences)
    if output is not None:
        write_file(output, verifying.written(made), "-o")
    if html is not None:
        write_file(html, page(made, links), "--html")
    if output is None and html is None:
        click.echo(verifying.written(made), nl=False)
    for why in lost:
        click.echo(f"{found.id}: {why}; the record has the words without their sentence", err=True)
    complaints = verifying.verify(made, shop.key)
    for complaint in complaints:
        click.echo(f"{found.id}: {complaint}", err=True)
    if complaints:
        raise SystemExit(1)


def _sentences(
    shop: Workshop, thread: Sequence[tuple[Mail, str]], words: Sequence[Passage]
) -> tuple[list[Passage], list[str]]:
    """The sentences around the words, from the mails themselves; and why some are not there."""
    engine, own = shop.rules.current.engine, shop.settings.own_addresses
    said = [load(stored) for _, stored in thread]
    texts: dict[tuple[int, str], str] = {}
    hidden: list[str] = []
    lost: list[str] = []
    with Mailboxes(shop.settings) as mailboxes:
        for n, (mail, _) in enumerate(thread, start=1):
            # Every mail of the customer's, not only those with the words: a secret of one may stand in another.
            if mail.state is State.OURS or not words:
                continue
            try:
                raw = mailboxes.reread(mail)
                message = parse(raw, n, own, engine.mail) if raw is not None else None
            except (MailboxError, Unparsable) as error:
                lost.append(f"mail {n}: {error}")
                continue
            if message is None:
                lost.append(f"mail {n} is no longer in the mailbox")
                continue
            hidden += secrets_of(engine.read(message, said[: n - 1]))
            texts[n, "body"], texts[n, "subject"] = message.text, message.subject
    stored = [text for _, text in thread]
    found = []
    for w in words:
        text = texts.get((w.message, w.part), "")
        if masked(text[w.start : w.end], hidden) == w.text:
            shown = masked(records.sentence(text, w.start, w.end), hidden)
            found.append(replace(w, text=mask_known(shown, stored, shop.key)))
    return found, lost


def page(made: Json, links: tuple[Link, ...]) -> str:
    """The record for people, to be printed and signed."""
    sentences = {(x["message"], x["part"], x["start"], x["end"]): x["text"] for x in _passages(made)}
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("checker.answer", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    events = [(x.event, _detail(x.event), x.hash) for x in links]
    return env.get_template("evidence.html").render(
        r=made, events=events, whole=not verifying.broken(links), sentences=sentences
    )


def _passages(made: Json) -> list[Json]:
    found = made.get("sentences")
    return found if isinstance(found, list) else []


def _detail(event: Event) -> str:
    """What the list of events says; mails and their words stand in their own sections."""
    if event.kind not in (records.MAIL, records.JUDGED):
        return told(event)
    noted = json.loads(event.detail)
    about = f"mail {noted['n']}" if event.kind == records.MAIL else str(noted.get("why", ""))
    status = noted.get("judgement", {}).get("status", "")
    return f"{about}: {status}" if status else about


def _verify(file: Path, settings: Settings) -> None:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read ({error.strerror}); give the file of a record") from error
    made = verifying.read(raw)
    key = secrets.signing_key(settings.key_file) if settings.key_file.exists() else None
    stored = _stored(str(made.get("ticket", "")), settings)
    complaints = verifying.verify(made, key, stored)
    for complaint in complaints:
        click.echo(f"CHANGED  {cell(complaint)}")
    if complaints:
        raise SystemExit(1)
    events, consents = made.get("events"), made.get("consents")
    count = f"{len(events) if isinstance(events, list) else 0} events"
    sealed = "seal checked" if key is not None else "seal not checked: the key is not here"
    known = "the same in the database" if stored else "not compared: the database does not have the ticket"
    click.echo(f"whole: {count}, {len(consents) if isinstance(consents, list) else 0} consents; {sealed}; {known}")


def _stored(ticket: str, settings: Settings) -> tuple[Link, ...]:
    """The ticket's events in the database, if there is one here; verifying makes none."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return ()
    store = store_of(settings)
    with store.read() as c:
        links = rows.chain(c, ticket)
    store.close()
    return links
