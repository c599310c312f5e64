"""``checker doctor``: tries everything that the service needs, one line each, with what to do about a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import click

from checker.answer import samples
from checker.cli.wiring import customers_of, mailbox_of, outgoing_of, settings_from, signatures_of, store_of
from checker.edges import secrets
from checker.edges.clock import SystemClock
from checker.edges.mailbox import Known, MailboxError
from checker.edges.outgoing import OutgoingError
from checker.edges.records import Delivery, Position, State
from checker.edges.store import messages, outbox
from checker.edges.store.engine import StoreError
from checker.edges.supervisor import health
from checker.reader.card import WEIGHTS
from checker.reader.second import SecondReader
from checker.service.turn import MailboxSettings
from checker.service.workshop import load_rules
from checker.settings import Settings, SettingsError

_FAILURES = (SettingsError, StoreError, MailboxError, OutgoingError, ValueError, OSError)


@click.command("doctor")
@click.option("--health", is_flag=True, help="Only whether the running service lives (heartbeat), for supervisors.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def doctor(health: bool, config: Path | None) -> None:
    """Try configuration, rules, key, database, mailboxes and relay; change nothing in them."""
    settings = settings_from(config)
    if health:
        raise SystemExit(0 if _alive(settings) else 1)
    failed = False
    click.echo("ok    configuration")
    for name, check in _checks(settings):
        try:
            click.echo(f"ok    {name}: {check()}")
        except _FAILURES as error:
            failed = True
            click.echo(f"FAIL  {name}: {' '.join(str(error).split())}")
    for advice in _advice(settings):
        click.echo(f"note  {advice}")
    if failed:
        raise SystemExit(1)


def _alive(settings: Settings) -> bool:
    service = settings.service
    lives, said = health(
        settings.folders.state / "heartbeat",
        waiting_limit=timedelta(seconds=max(120.0, 3 * service.poll_seconds)),
        working_limit=timedelta(seconds=service.watchdog_seconds + 60),
    )
    click.echo(said)
    return lives


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "rules and replies", lambda: _rules(settings)
    yield "second reader", lambda: _reader(settings)
    yield "signing key", lambda: f"{settings.key_file}, {len(secrets.signing_key(settings.key_file))} bytes"
    yield "database", lambda: _database(settings)
    if settings.sender.registry is not None:
        yield "list of customers", lambda: _customers(settings)
    if settings.sender.dkim:
        yield "DKIM", lambda: _dkim(settings)
    for mailbox in settings.mailboxes:
        yield f"mailbox {mailbox.name}", lambda m=mailbox: _mailbox(settings, m)  # type: ignore[misc]  # bound by default
    yield "outgoing", lambda: outgoing_of(settings).check()


def _rules(settings: Settings) -> str:
    """Rules are compiled and every mail that templates and texts can make is rendered: a wrong name shows today."""
    rules = load_rules(settings)
    if faults := samples.check(rules.env, rules.texts, SystemClock().now(), settings.hoster.zone):
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise SettingsError(f"{faults[0]}{more}")
    lacking: dict[str, list[str]] = {}
    for gap in rules.texts.fallbacks:
        lacking.setdefault(gap.language, []).append(gap.key)
    said = [f"{language} lacks {', '.join(keys[:5])}{', …' * (len(keys) > 5)}" for language, keys in lacking.items()]
    english = f"; shown in English: {'; '.join(said)}" if said else ""
    return f"version {rules.version}{english}"


def _reader(settings: Settings) -> str:
    if not settings.reader.enabled:
        return "off; the rules read alone ([reader] enabled = false)"
    reader = SecondReader(settings.reader.folder or WEIGHTS, settings.reader.threads)
    reader.read(["doctor"])
    return f"version {reader.loaded.card.version}, {len(reader.loaded.card.tunings)} labels"


def _customers(settings: Settings) -> str:
    customers = customers_of(settings)
    if customers is None:
        return "none"
    rows = customers.of("nobody@invalid.invalid")  # reads the file, or asks the query once
    return f"can be read ({len(rows)} rows for a made-up sender)"


def _dkim(settings: Settings) -> str:
    signatures_of(settings)
    return "signatures are verified here; that needs DNS"


def _database(settings: Settings) -> str:
    store = store_of(settings)
    with store.read() as c:
        counts = messages.counts(c)
        held = [x for x in messages.health(c) if x.error]
        stuck = outbox.listed(c, states=[Delivery.FAILED, Delivery.UNKNOWN])
    store.close()
    parts = [f"{store.dialect}", f"{sum(counts.values())} mails", f"{counts.get(State.QUARANTINED, 0)} quarantined"]
    parts += [f"{len(stuck)} mails of ours failed or of unknown fate"] if stuck else []
    parts += [f"mailbox {x.account} failed {x.failures}x: {x.error}" for x in held]
    return ", ".join(parts)


def _mailbox(settings: Settings, mailbox: MailboxSettings) -> str:
    session = mailbox_of(settings, mailbox)
    found = []
    try:
        for folder in mailbox.folders:
            # From a position far ahead: the folder is opened, and nothing is listed.
            known = Known(Position(-1, 1), lambda _validity: frozenset())
            window = next(iter(session.listing(folder, known)), None)
            found.append(f"{folder} opens" if window is not None else f"{folder} is empty")
    finally:
        session.close()
    return ", ".join(found)


def _advice(settings: Settings) -> Iterator[str]:
    if not settings.sender.authserv_ids and not settings.sender.dkim:
        yield (
            "sender.authserv_ids is empty: senders are believed, so anybody can write in a customer's name; "
            "name your border mail server there"
        )
    if settings.sender.registry is None:
        yield "sender.registry is unset: any sender may speak for any server; give a list of customers"
    if settings.digest.untold:
        yield f"nobody gets a digest of these requests: {', '.join(settings.digest.untold)}; see digest.team"
    if not settings.digest.everybody:
        yield f"digest.recipients is empty: the digest is only written to {settings.folders.state / 'digest'}"
    if not settings.replies.enabled:
        yield "replies.enabled is false: nobody is answered"
