"""``checker replay``: stored tickets judged again from the mailbox, to see what newer rules would change."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

from checker.cli.rereading import Mailboxes
from checker.cli.terminal import on_terminal, progress, table
from checker.cli.tickets import find
from checker.cli.wiring import settings_from, workshop
from checker.edges.findings_json import load
from checker.edges.mailbox import MailboxError
from checker.edges.store import messages
from checker.edges.store import tickets as rows
from checker.edges.store.engine import Stale, StoreError
from checker.service import replaying
from checker.service.audit import judged, overrides
from checker.service.rejudge import rejudge
from checker.service.replaying import Replayed
from checker.service.workshop import Workshop


@click.command("replay")
@click.option("--ticket", help="Only this ticket (default: all that are not closed).")
@click.option("--all", "everything", is_flag=True, help="Closed tickets, too.")
@click.option("--apply", "write", is_flag=True, help="Write the new verdicts into the tickets. Nothing is sent.")
@click.option("--jobs", type=click.IntRange(1, 32), default=1, show_default=True, help="Processes that read at once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per ticket that differs, one per line.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def replay(ticket: str | None, everything: bool, write: bool, jobs: int, as_json: bool, config: Path | None) -> None:
    """Read the mails of stored tickets again and show what the present rules make of them.

    Nothing is changed without --apply, and nothing is ever sent. A mail that is gone from the mailbox counts
    as it was read then, and is named. Exit status 1: a mailbox could not be read, or a ticket changed meanwhile.
    """
    try:
        shop = workshop(settings_from(config))
        names = _names(shop, ticket, everything=everything)
        with progress("judging again", len(names)) as tick:
            done = []
            for one in _all(shop, names, jobs, config):
                done.append(one)
                tick()
        missed = _apply(shop, done) if write else []
        shop.store.close()
    except (StoreError, MailboxError) as error:
        raise click.ClickException(str(error)) from error
    _show(done, as_json=as_json, written=write)
    for name in missed:
        click.echo(f"{name}: changed meanwhile and was left as it is; run again", err=True)
    if missed:
        raise SystemExit(1)


def _names(shop: Workshop, ticket: str | None, *, everything: bool) -> list[str]:
    with shop.store.read() as c:
        if ticket is not None:
            return [find(c, ticket).id]
        return sorted(t.id for t in rows.listed(c) if everything or "closed" not in t.flags)


def _all(shop: Workshop, names: Sequence[str], jobs: int, config: Path | None) -> Iterator[Replayed]:
    if jobs == 1 or len(names) < 2:
        with Mailboxes(shop.settings) as mailboxes:
            yield from (_replayed(shop, mailboxes, name) for name in names)
        return
    # Fresh processes: a forked one would share the database's connections.
    pool = ProcessPoolExecutor(
        min(jobs, len(names)), multiprocessing.get_context("spawn"), initializer=_start, initargs=(config,)
    )
    with pool:
        yield from pool.map(_work, names, chunksize=max(1, len(names) // (jobs * 8)))


def _replayed(shop: Workshop, mailboxes: Mailboxes, ticket: str) -> Replayed:
    """One ticket. Raises :class:`MailboxError` when a mailbox cannot be read."""
    with shop.store.read() as c:
        found = find(c, ticket)
        stored = messages.of_ticket(c, found.id)
        standing = overrides(rows.history(c, found.id))
    engine = shop.rules.current.engine
    return replaying.replay(engine, found, stored, standing, mailboxes.reread, shop.settings.own_addresses, shop.key)


_place: tuple[Workshop, Mailboxes] | None = None  # of a process of the pool


def _start(config: Path | None) -> None:
    global _place
    shop = workshop(settings_from(config))
    _place = shop, Mailboxes(shop.settings)


def _work(ticket: str) -> Replayed:
    if _place is None:
        raise RuntimeError("the pool's process was not started")
    return _replayed(*_place, ticket)


def _apply(shop: Workshop, done: Sequence[Replayed]) -> list[str]:
    """Write what differs. Returns the tickets that changed meanwhile."""
    missed = []
    engine = shop.rules.current.engine
    for one in done:
        if not one.changes and not one.findings:
            continue
        try:
            with shop.store.write() as c:
                found = find(c, one.ticket)
                if found.version != one.version:
                    missed.append(one.ticket)
                    continue
                for row, text in one.findings:
                    messages.refind(c, row, text)
                if not one.changes:
                    continue  # other places, the same verdict
                standing = overrides(rows.history(c, found.id))
                verdict = judged(engine, [load(text) for _, text in messages.of_ticket(c, found.id)], standing)
                rejudge(c, shop, found, verdict, "replay: read again by newer rules")
        except Stale:
            missed.append(one.ticket)
    return missed


def _show(done: Sequence[Replayed], *, as_json: bool, written: bool) -> None:
    differing = [x for x in done if x.changes]
    if as_json:
        for x in done:
            if x.changes or x.gone:
                changes = {c.field: [c.before, c.after] for c in x.changes}
                click.echo(json.dumps({"ticket": x.ticket, "changes": changes, "gone": list(x.gone)}))
    else:
        cells = [(x.ticket, c.field, c.before, c.after) for x in differing for c in x.changes]
        if cells and on_terminal():
            table("what differs", ("ticket", "field", "was", "now" if written else "would be"), cells)
        else:
            for ticket, field, before, after in cells:
                click.echo(f"{ticket}  {field}: {before} -> {after}")
        for x in done:
            for n in x.gone:
                click.echo(f"{x.ticket}  mail {n} is no longer in the mailbox; what was found in it then counts")
    word = "changed" if written else "would change"
    click.echo(f"{len(done)} tickets judged again, {len(differing)} {word}", err=True)
