"""``checker export --corrections``: what the staff corrected, as samples to be reviewed into the rules."""

from __future__ import annotations

import json
from pathlib import Path

import click

from checker.cli.terminal import write_file
from checker.cli.wiring import settings_from, store_of
from checker.edges.store import tickets as rows
from checker.edges.store.engine import StoreError
from checker.service.audit import overrides
from checker.service.corrections import Sample, samples
from checker.service.gather import thread


@click.command("export")
@click.option(
    "--corrections", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write the samples as JSON lines: text, labels, language, and what the rules made of it.",
)  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def export(file: Path, config: Path | None) -> None:
    """Write the staff's corrections (checker override) as labelled samples.

    They are the customers' words, secrets masked: read them before they go anywhere. "checker rules measure FILE"
    shows what the rules make of them; good ones belong into rules/lang/XX/samples.toml, in words of your own.
    """
    found: list[Sample] = []
    silent: list[str] = []
    try:
        store = store_of(settings_from(config))
        with store.read() as c:
            for ticket in rows.listed(c, limit=1_000_000):
                standing = overrides(rows.history(c, ticket.id))
                if not standing:
                    continue
                made = list(samples(ticket.id, standing, thread(c, ticket.id), ticket.language))
                found += made
                silent += [f"{ticket.id} {o.field}" for o in standing if all(s.field != o.field for s in made)]
        store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    write_file(file, "".join(json.dumps(_json(s), ensure_ascii=False) + "\n" for s in found), "--corrections")
    click.echo(f"{len(found)} samples", err=True)
    for name in silent:
        click.echo(f"{name}: no words are known; give them with: checker override … --words", err=True)


def _json(s: Sample) -> dict[str, object]:
    return {
        "text": s.text, "labels": [str(x) for x in s.labels], "language": s.language, "read_as": list(s.read_as),
        "ticket": s.ticket, "field": s.field, "value": s.value, "because": s.because,
    }  # fmt: skip
