"""``checker show``: one ticket, mail by mail, with its evidence; ``--reveal`` reads its secrets from the mailbox."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

import click

from checker.cli.reveal import reveal as reveal_secrets
from checker.cli.terminal import cell, on_terminal, stamp, table
from checker.cli.tickets import find, plain
from checker.cli.wiring import settings_from, workshop
from checker.comply.procedure import FIELDS
from checker.edges.findings_json import load
from checker.edges.records import Event, Posted, Suppressed, Ticket
from checker.edges.store import messages, outbox
from checker.edges.store import tickets as rows
from checker.edges.store.engine import StoreError
from checker.model import Verdict
from checker.service.audit import Override, judged, overrides, told
from checker.service.evidence import JUDGED, MAIL
from checker.service.timeline import Answer, Step, timeline


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is shown of a ticket."""

    ticket: Ticket
    verdict: Verdict
    steps: tuple[Step, ...]
    standing: tuple[Override, ...]
    history: tuple[Event, ...]
    letters: tuple[Posted, ...]
    unwritten: tuple[Suppressed, ...]


@click.command("show")
@click.argument("ticket")
@click.option("--reveal", is_flag=True, help="Read the secrets again from the mailbox; this is noted in the ticket.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object; secrets stay masked.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def show(ticket: str, reveal: bool, as_json: bool, config: Path | None) -> None:
    """Show TICKET: what was understood, by which words, message by message, what was sent, and what happened."""
    if reveal and as_json:
        raise click.UsageError("--reveal shows secrets to a person, --json is for programs; give one of them")
    settings = settings_from(config)
    try:
        shop = workshop(settings)
        with shop.store.read() as c:
            found = find(c, ticket)
            thread = tuple((m, load(stored)) for m, stored in messages.of_ticket(c, found.id))
            history = rows.history(c, found.id)
            letters = outbox.listed(c, ticket=found.id)
            unwritten = rows.suppressions(c, ticket=found.id)
        engine, standing = shop.rules.current.engine, overrides(history)
        verdict = judged(engine, [f for _, f in thread], standing)
        steps = timeline(engine, thread, standing, letters, unwritten)
        seen = Seen(found, verdict, steps, standing, history, letters, unwritten)
        if as_json:
            click.echo(json.dumps(_json(seen), ensure_ascii=False))
        else:
            _print(seen, settings.hoster.zone)
        if reveal:
            reveal_secrets(shop, found.id, [m for m, _ in thread], [f for _, f in thread])
        shop.store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def _print(s: Seen, zone: tzinfo) -> None:
    t = s.ticket
    click.echo(f"{t.id}  {t.status}  {cell(t.sender)}  {cell(t.subject)}")
    for line in _about(s.verdict, t.missing, (*s.verdict.review, *t.flags)):
        click.echo(line)
    for o in s.standing:
        click.echo(f"  {cell(o.sentence(), 1200)}")
    if on_terminal():
        columns = ("mail", "when", "who", "said", "changed", "verdict", "answer")
        table("mail by mail", columns, (_cells(step, zone) for step in s.steps))
    else:
        for step in s.steps:
            for line in _lines(step, zone):
                click.echo(line)
    for letter in s.letters:
        click.echo(f"  sent: {letter.mail.kind} to {letter.mail.recipient}: {letter.state} {letter.error}".rstrip())
    for missing in s.unwritten:
        click.echo(f"  not answered: {missing.reason} {missing.detail}".rstrip())
    for event in s.history:
        if event.kind not in (MAIL, JUDGED):  # those stand above
            click.echo(f"  {stamp(event.at, zone)} {event.kind} {cell(told(event), 1200)}".rstrip())


def _lines(step: Step, zone: tzinfo) -> Iterator[str]:
    yield f"  mail {step.n}: {stamp(step.at, zone)} {cell(step.who)} {cell(step.message_id)}".rstrip()
    for title, said in (("said", step.stated), ("took back", step.withdrew), ("did not count", step.rejected)):
        for x in said:
            if step.ours:
                yield f"    asked: {x.words}"
                continue
            status = "" if x.status == "asserted" else f" [{x.status}]"
            yield f'    {title}: {x.what}{status} "{cell(x.words)}" ({x.rule})'
    for field, before, after in step.changed:
        word = "contradicts" if after == "conflict" else "changes" if before != "-" else "gives"
        yield f"    {word}: {field} {before + ' -> ' if before != '-' else ''}{after}"
    yield f"    verdict: {_verdict(step)}"
    for a in step.answers:
        yield f"    {_answer(a)}"


def _cells(step: Step, zone: tzinfo) -> tuple[str, ...]:
    # Hints alone decide nothing; the plain lines and --json have them.
    said = [f"asked {x.words}" if step.ours else f"{x.what} “{x.words}”" for x in step.stated if x.status != "weak"]
    return (
        str(step.n), stamp(step.at, zone), step.who, "; ".join(said),
        "; ".join(f"{f}: {b} → {a}" for f, b, a in step.changed), _verdict(step),
        "; ".join(_answer(a) for a in step.answers),
    )  # fmt: skip


def _verdict(step: Step) -> str:
    parts = [step.status]
    parts += [f"missing {', '.join(step.missing)}"] if step.missing else []
    parts += [f"for a person: {', '.join(step.review)}"] if step.review else []
    return "; ".join(parts)


def _answer(a: Answer) -> str:
    kind = "not answered" if a.kind == "suppressed" else a.kind
    return f"{kind}: {a.state}" + (f" ({cell(a.detail)})" if a.detail else "")


def _json(s: Seen) -> dict[str, object]:
    v = s.verdict
    return {
        **plain(s.ticket),
        "values": {field: getattr(v, field) for field in FIELDS},
        "evidence": [dataclasses.asdict(e) for e in v.evidence],
        "overrides": [
            {"field": o.field, "value": o.value, "by": o.by, "because": o.because, "at": o.at.isoformat()}
            for o in s.standing
        ],
        "timeline": [
            {**dataclasses.asdict(x), "at": x.at.isoformat(), "contradicted": [c[0] for c in x.contradicted]}
            for x in s.steps
        ],
        "sent": [
            {"kind": x.mail.kind, "to": x.mail.recipient, "state": x.state, "message_id": x.mail.message_id}
            for x in s.letters
        ],
        "not_answered": [{"at": x.at.isoformat(), "reason": x.reason, "detail": x.detail} for x in s.unwritten],
        "history": [
            {"at": e.at.isoformat(), "kind": e.kind, "detail": told(e)}
            for e in s.history
            if e.kind not in (MAIL, JUDGED)
        ],
    }


def _about(verdict: Verdict, missing: Sequence[str], review: Sequence[str]) -> list[str]:
    names = ", ".join((*verdict.service_ids, *verdict.ip_addresses, *verdict.hostnames)) or "-"
    lines = [f"  asks for: {', '.join(verdict.request_kinds) or '-'}", f"  server: {names}"]
    lines += [f"  missing: {', '.join(missing) or 'nothing'}"]
    if review:
        lines.append(f"  for a person: {', '.join(review)}")
    lines += [f"  access: {c.access} {c.username or '-'} / {c.secret or 'installed key'}" for c in verdict.credentials]
    lines += [f'  {e.field} = {e.value}: "{cell(e.text)}" (mail {e.message}, {e.rule})' for e in verdict.evidence]
    return lines
