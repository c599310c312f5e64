"""``checker show``: one ticket with its evidence; ``--reveal`` reads its secrets again from the mailbox."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path

import click

from checker.cli.tickets import find
from checker.cli.wiring import mailbox_of, settings_from, workshop
from checker.edges.mailbox import MailboxError
from checker.edges.records import Event, Mail, State
from checker.edges.store import messages, outbox
from checker.edges.store import tickets as rows
from checker.edges.store.engine import StoreError
from checker.edges.store.messages import OURS
from checker.mail.parse import Unparsable, parse
from checker.model import Credential, Findings, Verdict
from checker.service.gather import thread
from checker.service.workshop import Workshop


@click.command("show")
@click.argument("ticket")
@click.option("--reveal", is_flag=True, help="Read the secrets again from the mailbox; this is noted in the ticket.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def show(ticket: str, reveal: bool, config: Path | None) -> None:
    """Show TICKET: what was understood, by which words, what was sent, and what happened."""
    settings = settings_from(config)
    try:
        shop = workshop(settings)
        with shop.store.read() as c:
            found = find(c, ticket)
            mails = tuple(m for m, _ in messages.of_ticket(c, found.id))
            said = thread(c, found.id)
            history = rows.history(c, found.id)
            letters = outbox.listed(c, ticket=found.id)
            unwritten = rows.suppressions(c, ticket=found.id)
        verdict = shop.rules.current.engine.judge(said)
        click.echo(f"{found.id}  {found.status}  {found.sender}  {found.subject}")
        for line in _about(verdict, found.missing, (*found.review, *found.flags)):
            click.echo(line)
        for mail in mails:
            who = "we" if mail.state is State.OURS else mail.sender or "?"
            click.echo(f"  mail {mail.n}: {mail.received_at:%Y-%m-%d %H:%M} {who} {mail.message_id or ''}")
        for letter in letters:
            click.echo(f"  sent: {letter.mail.kind} to {letter.mail.recipient}: {letter.state} {letter.error}".rstrip())
        for missing in unwritten:
            click.echo(f"  not answered: {missing.reason} {missing.detail}".rstrip())
        for event in history:
            click.echo(f"  {event.at:%Y-%m-%d %H:%M} {event.kind} {event.detail}".rstrip())
        if reveal:
            _reveal(shop, found.id, mails, said)
        shop.store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def _about(verdict: Verdict, missing: Sequence[str], review: Sequence[str]) -> list[str]:
    names = ", ".join((*verdict.service_ids, *verdict.ip_addresses, *verdict.hostnames)) or "-"
    lines = [f"  asks for: {', '.join(verdict.request_kinds) or '-'}", f"  server: {names}"]
    lines += [f"  missing: {', '.join(missing) or 'nothing'}"]
    if review:
        lines.append(f"  for a person: {', '.join(review)}")
    lines += [f"  access: {c.access} {c.username or '-'} / {c.secret or 'installed key'}" for c in verdict.credentials]
    lines += [f'  {e.field} = {e.value}: "{e.text}" (mail {e.message}, {e.rule})' for e in verdict.evidence]
    return lines


def _reveal(shop: Workshop, ticket: str, mails: Sequence[Mail], said: Sequence[Findings]) -> None:
    """The credentials as the mails have them. Noted before anything is shown."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError, ImportError):
        who = "unknown user"
    with shop.store.write() as c:
        rows.note(c, Event(shop.clock.now(), ticket, "revealed", f"by {who}"))
    holding = {f.n for f in said if f.credentials}
    for mail in mails:
        if mail.n not in holding or mail.place.account == OURS:
            continue
        raw = _reread(shop, mail)
        if raw is None:
            click.echo(f"  mail {mail.n}: no longer in the mailbox; its secrets cannot be shown", err=True)
            continue
        for credential in _credentials(shop, raw, mail, said):
            secret = credential.secret.reveal() if credential.secret else "installed key"
            click.echo(f"  secret of mail {mail.n}: {credential.access} {credential.username or '-'} / {secret}")


def _reread(shop: Workshop, mail: Mail) -> bytes | None:
    settings = next((m for m in shop.settings.mailboxes if m.name == mail.place.account), None)
    if settings is None:
        return None
    mailbox = mailbox_of(shop.settings, settings)
    try:
        return mailbox.reread(mail)
    except MailboxError as error:
        raise click.ClickException(str(error)) from error
    finally:
        mailbox.close()


def _credentials(shop: Workshop, raw: bytes, mail: Mail, said: Sequence[Findings]) -> tuple[Credential, ...]:
    engine = shop.rules.current.engine
    try:
        message = parse(raw, mail.n or 1, shop.settings.own_addresses, engine.mail)
    except Unparsable as error:
        raise click.ClickException(f"mail {mail.n}: {error}") from error
    return engine.read(message, said[: (mail.n or 1) - 1]).credentials
