"""Mails read again from where they lie: each mailbox is opened once, and closed at the end."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from checker.cli.wiring import mailbox_of
from checker.edges.mailbox import Mailbox
from checker.edges.records import Mail
from checker.settings import Settings


class Mailboxes:
    """The configured mailboxes, opened when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, Mailbox] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        for mailbox in self._open.values():
            mailbox.close()

    def reread(self, mail: Mail) -> bytes | None:
        """A mail's bytes; ``None`` when it is gone, or when its mailbox is configured no more.

        Raises :class:`checker.edges.mailbox.MailboxError` when the mailbox cannot be read.
        """
        account = mail.place.account
        if account not in self._open:
            settings = next((m for m in self._settings.mailboxes if m.name == account), None)
            if settings is None:
                return None
            self._open[account] = mailbox_of(self._settings, settings)
        return self._open[account].reread(mail)
