"""From settings to the things that do the work; used by the commands that touch mailbox, store or relay."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from checker.edges import secrets
from checker.edges.clock import SystemClock
from checker.edges.files import read_settings
from checker.edges.logs import set_up
from checker.edges.mailbox import Mailbox
from checker.edges.maildir import Maildir
from checker.edges.outgoing import MaildirOutbox, Outgoing
from checker.edges.store.engine import Store, open_store
from checker.model import Secret
from checker.service.customers import Customers
from checker.service.turn import MailboxSettings
from checker.service.workshop import RulesHolder, Workshop, load_rules
from checker.settings import MaildirMailbox, MaildirOutgoing, Settings


def settings_from(config: Path | None) -> Settings:
    """The settings, with logs set up as they say."""
    settings = read_settings(config)
    set_up(settings.logs)
    return settings


def store_of(settings: Settings) -> Store:
    """The store, its schema up to date."""
    source = settings.database.password
    password = secrets.password(source, key="database.password") if source is not None else None
    return open_store(settings.database_url, password)


def workshop(settings: Settings) -> Workshop:
    """Everything that a round works with."""
    rules = load_rules(settings)  # first: a broken rule file must not leave a half-made state folder
    return Workshop(
        settings=settings,
        store=store_of(settings),
        clock=SystemClock(),
        rules=RulesHolder(settings, rules),
        outgoing=outgoing_of(settings),
        key=secrets.signing_key(settings.key_file),
        customers=customers_of(settings),
        signatures=signatures_of(settings),
    )


def customers_of(settings: Settings) -> Customers | None:
    """The list of customers, if there is one."""
    registry = settings.sender.registry
    if registry is None:
        return None
    from checker.edges.customer_list import open_customers  # only where there is one

    source = registry.password
    password = secrets.password(source, key="sender.registry.password") if source is not None else None
    return open_customers(registry, password)


def signatures_of(settings: Settings) -> Callable[[bytes], frozenset[str]] | None:
    """How DKIM signatures are verified, if they are."""
    if not settings.sender.dkim:
        return None
    from checker.edges.dkim_check import DkimSignatures  # an extra

    return DkimSignatures()


def mailbox_password(settings: MailboxSettings, index: int) -> Callable[[], Secret] | None:
    """How a mailbox's password or token is got, each time anew: tokens expire."""
    if isinstance(settings, MaildirMailbox):
        return None
    return partial(secrets.password, settings.password, key=f"mailboxes[{index}].password")


def mailbox_of(whole: Settings, settings: MailboxSettings) -> Mailbox:
    """A mailbox, not yet connected."""
    if isinstance(settings, MaildirMailbox):
        return Maildir(settings)
    from checker.edges.imap import Imap  # only where there is one

    index = [m.name for m in whole.mailboxes].index(settings.name) + 1
    return Imap(settings, partial(secrets.password, settings.password, key=f"mailboxes[{index}].password"))


def outgoing_of(settings: Settings) -> Outgoing:
    """Where our mails go."""
    out = settings.outgoing
    if isinstance(out, MaildirOutgoing):
        return MaildirOutbox(out.path)
    from checker.edges.smtp import Smtp  # only where there is one

    password = partial(secrets.password, out.password, key="outgoing.password") if out.password is not None else None
    return Smtp(out, password, settings.sending.envelope_sender)
