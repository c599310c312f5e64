"""The secrets of a ticket, read again from the mailbox: they are stored nowhere else."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import click

from checker.cli.rereading import Mailboxes
from checker.edges.mailbox import MailboxError
from checker.edges.records import Event, Mail
from checker.edges.store import tickets as rows
from checker.edges.store.messages import OURS
from checker.mail.parse import Unparsable, parse
from checker.model import Credential, Findings
from checker.service.workshop import Workshop


def reveal(shop: Workshop, ticket: str, mails: Sequence[Mail], said: Sequence[Findings]) -> None:
    """The credentials as the mails have them. Noted before anything is shown."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError, ImportError):
        who = "unknown user"
    with shop.store.write() as c:
        rows.note(c, Event(shop.clock.now(), ticket, "revealed", f"by {who}"))
    holding = {f.n for f in said if f.credentials}
    with Mailboxes(shop.settings) as mailboxes:
        for mail in mails:
            if mail.n not in holding or mail.place.account == OURS:
                continue
            try:
                raw = mailboxes.reread(mail)
            except MailboxError as error:
                raise click.ClickException(str(error)) from error
            if raw is None:
                click.echo(f"  mail {mail.n}: no longer in the mailbox; its secrets cannot be shown", err=True)
                continue
            for credential in _credentials(shop, raw, mail, said):
                secret = credential.secret.reveal() if credential.secret else "installed key"
                click.echo(f"  secret of mail {mail.n}: {credential.access} {credential.username or '-'} / {secret}")


def _credentials(shop: Workshop, raw: bytes, mail: Mail, said: Sequence[Findings]) -> tuple[Credential, ...]:
    engine = shop.rules.current.engine
    try:
        message = parse(raw, mail.n or 1, shop.settings.own_addresses, engine.mail)
    except Unparsable as error:
        raise click.ClickException(f"mail {mail.n}: {error}") from error
    return engine.read(message, said[: (mail.n or 1) - 1]).credentials
