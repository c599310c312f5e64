"""One turn at a mailbox: what it counted, and whether it may go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from checker.edges.mailbox import Mailbox
from checker.edges.store import leases
from checker.service.workshop import Workshop
from checker.settings import ImapMailbox, MaildirMailbox

MailboxSettings = ImapMailbox | MaildirMailbox


@dataclass(slots=True)
class Polled:
    """What one poll did. ``error`` is empty when all went well; ``held`` says that another process polls."""

    listed: int = 0
    processed: int = 0
    error: str = ""
    held: bool = False


@dataclass(slots=True)
class Turn:
    shop: Workshop
    settings: MailboxSettings
    mailbox: Mailbox
    until: float
    polled: Polled
    renewed: float = float("-inf")

    @property
    def account(self) -> str:
        return self.settings.name

    def go_on(self) -> bool:
        """Between two mails: asked to stop, out of time, or somebody else's turn?"""
        if self.shop.stopping():
            return False
        self.shop.beat()
        now = self.shop.clock.monotonic()
        if now > self.until:
            return False
        if now - self.renewed < self.shop.settings.service.lease_seconds / 4:
            return True
        self.renewed = now
        return take_lease(self.shop, self.account)


def lease_name(account: str) -> str:
    return f"mailbox:{account}"


def take_lease(shop: Workshop, account: str) -> bool:
    length = timedelta(seconds=shop.settings.service.lease_seconds)
    with shop.store.write() as c:
        return leases.acquire(c, lease_name(account), shop.owner, shop.clock.now(), length)
