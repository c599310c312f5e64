"""One round of everything that is due: poll each mailbox, remind, write the digest, deliver.

Each part ends well or badly by itself; a database that is away ends the round, and the mail waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from checker.edges.mailbox import Mailbox
from checker.edges.store.engine import Stale, StoreError
from checker.service.deliver import deliver
from checker.service.digest import digest
from checker.service.digest_notice import notify
from checker.service.poll import poll
from checker.service.process import fault_place
from checker.service.remind import remind
from checker.service.turn import MailboxSettings, Polled
from checker.service.workshop import Workshop

OpenMailbox = Callable[[MailboxSettings], Mailbox]


@dataclass(slots=True)
class Summary:
    """What a round did. ``errors`` are sentences for the operator."""

    listed: int = 0
    processed: int = 0
    delivered: int = 0
    reminded: int = 0
    digest: bool = False
    noticed: int = 0
    errors: list[str] = field(default_factory=list)


def run_round(shop: Workshop, open_mailbox: OpenMailbox) -> Summary:
    """See the module."""
    summary = Summary()
    shop.beat()
    shop.rules.refresh()
    if shop.rules.refused:
        summary.errors.append(shop.rules.refused)
        shop.log.warning("rules-refused", error=shop.rules.refused, what_to_do="the rules read before stay in use")
    try:
        for settings in shop.settings.mailboxes:
            if shop.stopping():
                return summary
            polled = _poll(shop, settings, open_mailbox)
            summary.listed += polled.listed
            summary.processed += polled.processed
            if polled.error:
                summary.errors.append(f"{settings.name}: {polled.error}")
        for part in (_remind, _digest, _notify, _deliver):
            if not shop.stopping():
                _guarded(shop, summary, part)
    except StoreError as error:
        summary.errors.append(str(error))
        shop.log.error("store-failed", error=str(error))  # noqa: TRY400 - the sentence says what to do
    return summary


def _remind(shop: Workshop, summary: Summary) -> None:
    summary.reminded = remind(shop)


def _digest(shop: Workshop, summary: Summary) -> None:
    summary.digest = digest(shop)


def _notify(shop: Workshop, summary: Summary) -> None:
    summary.noticed = notify(shop)


def _deliver(shop: Workshop, summary: Summary) -> None:
    summary.delivered = deliver(shop)


def _guarded(shop: Workshop, summary: Summary, part: Callable[[Workshop, Summary], None]) -> None:
    """A part of the round that fails does not keep the others from their work."""
    name = part.__name__.strip("_")
    try:
        part(shop, summary)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - told to the operator; mails that wait must go out all the same
        where = fault_place(error)
        summary.errors.append(f"{name} failed inside the program ({where}); report this line to its makers")
        shop.log.error("part-failed", name=name, error=where)  # noqa: TRY400 - a traceback may hold words of mails


def _poll(shop: Workshop, settings: MailboxSettings, open_mailbox: OpenMailbox) -> Polled:
    mailbox = open_mailbox(settings)
    try:
        return poll(shop, settings, mailbox)
    except Stale as error:
        shop.log.warning("round-ended", account=settings.name, reason=str(error))
        return Polled(error=str(error))
    finally:
        mailbox.close()
