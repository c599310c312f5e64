"""``checker override``: a named person sets what a ticket says, with a reason; and takes it back."""

from __future__ import annotations

from pathlib import Path

import click

from checker.answer.clean import line
from checker.cli.tickets import find
from checker.cli.wiring import settings_from, workshop
from checker.edges.findings_json import mask_known
from checker.edges.store import messages
from checker.edges.store import tickets as rows
from checker.edges.store.engine import Stale, StoreError
from checker.service import audit
from checker.service.audit import CorrectionError, Override
from checker.service.gather import thread
from checker.service.rejudge import rejudge
from checker.service.workshop import Workshop

_TEXT = 500  # characters of a reason or a quotation


@click.command("override")
@click.argument("ticket")
@click.argument("field")
@click.argument("value", required=False)
@click.option("--because", metavar="TEXT", default="", help="Why; shown wherever the value is shown.")
@click.option("--by", "person", metavar="NAME", required=True, help="Who decides this.")
@click.option("--words", metavar="TEXT", default="", help="The customer's words that say so: a sample for the rules.")
@click.option("--undo", is_flag=True, help="What the mails say counts again.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def override(
    ticket: str,
    field: str,
    value: str | None,
    because: str,
    person: str,
    words: str,
    undo: bool,
    config: Path | None,
) -> None:
    """Set FIELD of TICKET to VALUE, whatever the mails say, now and on every later judgement.

    Fields and values are those of the procedure: power, backup, data_loss_consent, hardware_acknowledgement,
    impact, request_kinds; "none" for what the customer did not say. Nothing is sent to the customer. When the
    customer later writes something else about the field, the ticket comes before a person again.
    """
    because, person, words = line(because, _TEXT), line(person, 100), line(words, _TEXT)
    if not person:
        raise click.UsageError("--by is empty; give the name of who decides this")
    if undo and value is not None:
        raise click.UsageError("give either VALUE or --undo")
    if not undo and value is None:
        raise click.UsageError("VALUE is missing; give one, or --undo")
    if not undo and not because:
        raise click.UsageError('--because is missing; say why, for example --because "said so on the phone"')
    try:
        name = audit.checked_field(field)
        wanted = None if undo or value is None else audit.checked_value(name, value)
    except CorrectionError as error:
        raise click.UsageError(str(error)) from error
    try:
        shop = workshop(settings_from(config))
        _write(shop, ticket, name, wanted, because, person, words)
        shop.store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    except Stale:
        raise click.ClickException(f"ticket {ticket} changed this very moment; look at it and try again") from None


def _write(shop: Workshop, ticket: str, field: str, value: str | None, because: str, person: str, words: str) -> None:
    now, engine = shop.clock.now(), shop.rules.current.engine
    with shop.store.write() as c:
        found = find(c, ticket)
        stored = [text for _, text in messages.of_ticket(c, found.id)]
        because, words = (mask_known(text, stored, shop.key) for text in (because, words))
        said = thread(c, found.id)
        before = audit.overrides(rows.history(c, found.id))
        if value is None:
            if all(o.field != field for o in before):
                raise click.ClickException(f"{field} of {found.id} was set by nobody; there is nothing to undo")
            event = audit.undo_event(found.id, field, person, because, now)
        else:
            event = audit.set_event(found.id, Override(field, value, because, person, now, len(said), words))
        rows.note(c, event)
        standing = audit.overrides(rows.history(c, found.id))
        verdict = audit.judged(engine, said, standing)
        after = rejudge(c, shop, found, verdict, f"{event.kind}: {field}")
    click.echo(f"{after.id}: {audit.told(event)}")
    left = f", missing {', '.join(after.missing)}" if after.missing else ""
    click.echo(f"{after.id}: {after.status}{left}")
