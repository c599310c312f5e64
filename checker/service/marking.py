"""Marking mails in the mailbox: a courtesy to people who look at it, never the truth."""

from __future__ import annotations

from collections.abc import Sequence

from checker.edges.records import Mail, State
from checker.edges.store import messages
from checker.service.turn import MailboxSettings, Turn


def mark(r: Turn) -> None:
    """Flag or move what is dealt with: a courtesy to people who look at the mailbox, never the truth."""
    settings = r.settings
    if settings.after == "nothing" and settings.quarantine_to is None:
        return
    while r.go_on():
        with r.shop.store.read() as c:
            mails = messages.unmarked(c, r.account, 500)
        if not mails:
            return
        for (folder, validity, target), group in _groups(settings, mails).items():
            r.shop.checkpoint("before-mark")
            if target != "":
                r.mailbox.mark(folder, validity, [m.place.uid for m in group], target)
            r.shop.checkpoint("marked-in-mailbox")
            with r.shop.store.write() as c:
                messages.mark(c, [m.id for m in group], target or None)
            r.shop.checkpoint("marked")


def _groups(settings: MailboxSettings, mails: Sequence[Mail]) -> dict[tuple[str, int, str | None], list[Mail]]:
    """Mails by folder and where they go: a folder's name, ``None`` for a flag, ``""`` for nowhere."""
    groups: dict[tuple[str, int, str | None], list[Mail]] = {}
    for mail in mails:
        target: str | None = {"move": settings.move_to, "flag": None, "nothing": ""}[settings.after]
        if mail.state is State.QUARANTINED:
            target = settings.quarantine_to or ""
        groups.setdefault((mail.place.folder, mail.place.uidvalidity, target), []).append(mail)
    return groups
