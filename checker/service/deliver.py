"""Delivering: from the outbox to the relay, each mail at most once unless the settings say otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from checker.edges.outgoing import Outcome
from checker.edges.records import Delivery, Posted
from checker.edges.store import outbox
from checker.service.workshop import Workshop
from checker.settings import SmtpOutgoing

_LONGEST_PAUSE: Final = timedelta(hours=6)
_MAX_PER_ROUND: Final = 500


def deliver(shop: Workshop) -> int:
    """Send what is due. Returns how many mails went out."""
    settle_unknown(shop)
    sent = 0
    for _ in range(_MAX_PER_ROUND):
        if shop.stopping():
            break
        shop.beat()
        with shop.store.write() as c:
            posted = outbox.claim(c, shop.owner, shop.clock.now(), lease(shop))
        if posted is None:
            break
        shop.checkpoint("delivery-claimed")
        sent += _send(shop, posted)
    return sent


def lease(shop: Workshop) -> timedelta:
    """How long a delivery may take before it counts as interrupted; longer than every wait of the relay's."""
    out = shop.settings.outgoing
    seconds = out.connect_seconds + 6 * out.read_seconds + out.final_seconds if isinstance(out, SmtpOutgoing) else 60
    return timedelta(seconds=seconds + 60)


def _send(shop: Workshop, posted: Posted) -> int:
    result = shop.outgoing.send(posted.mail)
    shop.checkpoint("delivered")
    now = shop.clock.now()
    state, next_try = _outcome(shop, posted, result.outcome)
    said = "" if state is Delivery.SENT else result.detail
    with shop.store.write() as c:
        outbox.settle(c, posted, state, now, error=said, next_try=next_try)
    shop.checkpoint("delivery-settled")
    level = shop.log.info if state is Delivery.SENT else shop.log.warning
    level(
        "delivery",
        key=posted.mail.key,
        kind=posted.mail.kind.value,
        ticket=posted.mail.ticket,
        to_domain=outbox.domain(posted.mail.recipient),
        message_id=posted.mail.message_id,
        outcome=state.value,
        attempts=posted.attempts,
        detail=said,
    )
    return int(state is Delivery.SENT)


def _outcome(shop: Workshop, posted: Posted, outcome: Outcome) -> tuple[Delivery, datetime | None]:
    """The state after a try, and when the next one is."""
    settings, now = shop.settings.sending, shop.clock.now()
    if outcome is Outcome.LATER and posted.attempts < settings.attempts:
        pause = min(timedelta(seconds=settings.first_retry_seconds) * 2 ** (posted.attempts - 1), _LONGEST_PAUSE)
        return Delivery.PENDING, now + pause
    if outcome is Outcome.UNKNOWN:
        return Delivery.UNKNOWN, now + timedelta(minutes=settings.unknown_wait_minutes)
    return (Delivery.SENT if outcome is Outcome.SENT else Delivery.FAILED), None


def settle_unknown(shop: Workshop) -> None:
    """Deliveries that were interrupted: find out if that can be known, else as ``sending.unknown_delivery`` says.

    ``retry`` sends the same bytes under the same Message-ID once more, a quarter of an hour later; ``stop``
    leaves it to the staff, who find it in the digest.
    """
    now = shop.clock.now()
    with shop.store.write() as c:
        outbox.lapse(c, now, timedelta(minutes=shop.settings.sending.unknown_wait_minutes))
        unknown = outbox.unknown(c)
    for posted in unknown:
        there = shop.outgoing.has(posted.mail)
        settings = shop.settings.sending
        again = there is False or (
            there is None and settings.unknown_delivery == "retry" and posted.attempts < 2 and posted.next_try <= now
        )
        if not there and not again:
            continue
        state = Delivery.SENT if there else Delivery.PENDING
        with shop.store.write() as c:
            outbox.settle(c, posted, state, now, next_try=None if there else now)
        shop.log.warning("delivery-resolved", key=posted.mail.key, outcome=state.value, attempts=posted.attempts)
