"""``checker stats``: which requirement is forgotten most, by language and kind, and how long completing takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from checker.cli.digest import moment
from checker.cli.terminal import on_terminal, table
from checker.cli.wiring import settings_from, store_of
from checker.edges.clock import SystemClock
from checker.edges.store import tickets as rows
from checker.edges.store.engine import StoreError
from checker.service.statistics import Share, Statistics, statistics

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@click.command("stats")
@click.option("--since", metavar="WHEN", help="Tickets that began then or later: 2026-11-01, 24h, 30d (default: all).")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object; times in seconds.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def stats(since: str | None, as_json: bool, config: Path | None) -> None:
    """Requests in numbers: complete at the first mail, median time to complete, what is forgotten most."""
    settings = settings_from(config)
    start = moment(since, SystemClock().now(), settings) if since else _ALWAYS
    try:
        store = store_of(settings)
        with store.read() as c:
            tickets = [t for t in rows.listed(c, limit=1_000_000) if t.created_at >= start]
            asked = rows.events_of(c, "missing", start)
        store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    made = statistics(tickets, asked)
    if as_json:
        click.echo(json.dumps(_json(made), ensure_ascii=False))
        return
    named = [("all requests", made.whole), *((x.name, x) for x in (*made.languages, *made.kinds))]
    if on_terminal():
        columns = ("requests", "number", "complete", "at first mail", "median time", "forgotten most")
        table("statistics", columns, (_cells(name, share) for name, share in named))
        return
    for name, share in named:
        _, number, complete, first, time, forgotten = _cells(name, share)
        requests = "request" if share.tickets == 1 else "requests"
        click.echo(f"{name}: {number} {requests}, {complete} complete, {first} at the first mail, median {time}")
        click.echo(f"  forgotten: {forgotten}")


def _cells(name: str, s: Share) -> tuple[str, ...]:
    forgotten = ", ".join(f"{r} {n}" for r, n in s.forgotten) or "nothing"
    return name, str(s.tickets), str(s.complete), str(s.complete_at_first), _time(s.median_to_complete), forgotten


def _time(span: timedelta | None) -> str:
    if span is None:
        return "-"
    minutes = int(span.total_seconds()) // 60
    days, hours = minutes // 1440, minutes % 1440 // 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"


def _json(made: Statistics) -> dict[str, object]:
    return {
        "all": _share(made.whole),
        "languages": {x.name: _share(x) for x in made.languages},
        "kinds": {x.name: _share(x) for x in made.kinds},
    }


def _share(s: Share) -> dict[str, object]:
    span = s.median_to_complete
    return {
        "tickets": s.tickets,
        "complete": s.complete,
        "complete_at_first": s.complete_at_first,
        "median_seconds_to_complete": int(span.total_seconds()) if span is not None else None,
        "forgotten": dict(s.forgotten),
    }
