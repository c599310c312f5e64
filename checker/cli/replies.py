"""``checker replies preview``: a mail to a customer as it would be written, without sending or storing it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from checker.answer import environment, reply, samples, texts
from checker.answer.model import ROUNDS, AnswerError, ReplyKind, ReplyRequest
from checker.answer.texts import Texts
from checker.cli.terminal import write_file
from checker.cli.tickets import find
from checker.cli.wiring import settings_from, store_of
from checker.edges.files import read_replies
from checker.edges.records import Kind
from checker.edges.store.engine import StoreError
from checker.service import letters, workshop
from checker.service.gather import thread
from checker.settings import Settings


@click.group("replies")
def replies() -> None:
    """Render a reply without sending it."""


@replies.command("preview")
@click.option("--language", metavar="XX", help="In this language (default: the ticket's, or the hoster's default).")
@click.option(
    "--kind", type=click.Choice([k.value for k in ReplyKind]), default="ask", show_default=True, help="Which mail."
)
@click.option(
    "--round", "number", type=click.IntRange(1, ROUNDS), default=1, show_default=True, help="First request, second, …"
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the HTML twin into this file.")
@click.option("--ticket", help="With what this ticket says (default: a made-up hardware ticket).")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def preview(
    language: str | None, kind: str, number: int, html: Path | None, ticket: str | None, config: Path | None
) -> None:
    """Show a reply with the templates and texts as they are now. Nothing is sent, nothing is stored."""
    settings = settings_from(config)
    files = read_replies(settings.folders.replies)
    env, words = environment.environment(files.templates), texts.build(files.texts)
    if language is not None and language not in words.languages:
        raise click.UsageError(f"--language {language!r} has no texts; choose from {', '.join(words.languages)}")
    try:
        asked = _asked(settings, ReplyKind(kind), number, language, ticket)
        rendered = reply.compose(asked, env, words)
    except AnswerError as error:
        raise click.ClickException(str(error)) from error
    _warn(asked, words)
    if html is not None:
        write_file(html, rendered.html, "--html")
    click.echo(f"Subject: {rendered.subject}\n\n{rendered.text}", nl=False)


def _asked(settings: Settings, kind: ReplyKind, number: int, language: str | None, ticket: str | None) -> ReplyRequest:
    if ticket is None:
        hoster = letters.hoster(settings.hoster)
        return samples.request(language or settings.hoster.default_language, kind, hoster, number)
    asked = _of_ticket(settings, kind, number, ticket)
    return asked if language is None else replace(asked, language=language)


def _of_ticket(settings: Settings, kind: ReplyKind, number: int, ticket: str) -> ReplyRequest:
    """What the reply to a stored ticket would say today. Its secrets are not stored, hence cannot be shown."""
    try:
        store = store_of(settings)
        with store.read() as c:
            found = find(c, ticket)
            said = thread(c, found.id)
        store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    verdict = workshop.load_rules(settings).engine.judge(said)
    return letters.request(
        Kind(kind.value), verdict, settings.hoster, ticket=found.id, subject=found.subject, name=found.sender_name,
        round_=number,
    )  # fmt: skip


def _warn(asked: ReplyRequest, words: Texts) -> None:
    """Say which language it is really in, when texts are missing."""
    gaps = sum(f.language == asked.language for f in words.fallbacks)
    if asked.language not in words.languages:
        click.echo(f"no texts in {asked.language}: written in English", err=True)
    elif gaps:
        click.echo(f"{gaps} texts are missing in {asked.language} and are English; see: checker doctor", err=True)
