"""Polling one mailbox: list, read, decide, apply, mark; one mail at a time, each try counted before it is made.

What can go wrong is told apart by whose fault it is. The mailbox away: wait, and no mail is blamed. A
session that dies while many mails are read: one by one, so that the one that kills it is found. A mail that
cannot be read or breaks the reading: tried a few times, then quarantined. The database away: the round
ends, and the mail is still in the mailbox.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta
from typing import Final

from checker.edges.mailbox import Known, Mailbox, MailboxError, Refused
from checker.edges.store import leases, messages
from checker.service.marking import mark
from checker.service.turn import MailboxSettings, Polled, Turn, lease_name, take_lease
from checker.service.work import work
from checker.service.workshop import Workshop

_REFUSED_PAUSE: Final = timedelta(minutes=30)
_LONGEST_PAUSE: Final = timedelta(minutes=15)


def poll(shop: Workshop, settings: MailboxSettings, mailbox: Mailbox) -> Polled:
    """One poll of one mailbox, if nobody else polls it and it is not to be left alone for now."""
    now = shop.clock.now()
    polled = Polled()
    with shop.store.read() as c:
        health = messages.account_health(c, settings.name)
    if health.retry_at is not None and now < health.retry_at:
        polled.error = health.error
        return polled
    if not take_lease(shop, settings.name):
        polled.held = True
        return polled
    with shop.store.write() as c:
        run = leases.begin_run(c, settings.name, shop.owner, now)
    round_ = Turn(shop, settings, mailbox, shop.clock.monotonic() + shop.settings.service.round_seconds, polled)
    pause: timedelta | None = None
    try:
        _list(round_)
        work(round_)
        mark(round_)
    except Refused as error:
        polled.error, pause = str(error), _REFUSED_PAUSE
    except MailboxError as error:
        polled.error, pause = str(error), back_off(health.failures)
    finally:
        mailbox_ended = shop.clock.now()
        with shop.store.write() as c:
            leases.end_run(c, run, mailbox_ended, listed=polled.listed, processed=polled.processed, error=polled.error)
            failed = bool(polled.error)
            messages.set_health(
                c,
                dataclasses.replace(
                    health,
                    last_ok_at=health.last_ok_at if failed else mailbox_ended,
                    failures=health.failures + 1 if failed else 0,
                    retry_at=mailbox_ended + pause if pause is not None else None,
                    error=polled.error,
                ),
            )
            leases.release(c, lease_name(settings.name), shop.owner)
    if polled.error:
        shop.log.warning("mailbox-failed", account=settings.name, error=polled.error)
    return polled


def back_off(failures: int) -> timedelta:
    """A pause that doubles with every failure up to a quarter of an hour, give or take a third."""
    seconds = min(5.0 * 2 ** min(failures, 12), _LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.67, 1.0))  # noqa: S311 - spreads load, keeps no secret


def _list(r: Turn) -> None:
    for folder in r.settings.folders:

        def uids(uidvalidity: int, folder: str = folder) -> frozenset[str]:
            with r.shop.store.read() as c:
                return messages.known_uids(c, r.account, folder, uidvalidity)

        with r.shop.store.read() as c:
            position = messages.position(c, r.account, folder)
        for window in r.mailbox.listing(folder, Known(position, uids)):
            with r.shop.store.write() as c:
                r.polled.listed += messages.listed(
                    c, r.account, folder, window.position, window.entries, r.shop.clock.now()
                )
            r.shop.checkpoint("listed")
            if not r.go_on():
                return
