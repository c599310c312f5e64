"""An IMAP folder as a mailbox, over IMAPClient.

The library is used within narrow rules, each of which cost somebody mail once: UIDs and ``BODY.PEEK[]`` only;
the size is asked first; searches in windows (an answer line over 1 MB ends the session); commands with at most
some hundred UIDs; every answer is checked for what it lacks (:mod:`checker.edges.imap_session` has the session).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from imapclient import IMAPClient  # type: ignore[import-untyped]  # it publishes no types

from checker.edges.imap_session import Session, TaggedNo
from checker.edges.mailbox import Gone, Known, MailboxError, Read, Unreadable, Window
from checker.edges.records import Entry, Mail, Position
from checker.model import Secret
from checker.settings import ImapMailbox

WINDOW: Final = 20_000
ONE_SEARCH: Final = 50_000  # messages whose UIDs fit one answer line with room to spare
_WIDEST: Final = 80_000
_COMMAND_UIDS: Final = 500


class Imap:
    """See :class:`checker.edges.mailbox.Mailbox`. Connects when it is first used, and again after a failure."""

    def __init__(self, settings: ImapMailbox, password: Callable[[], Secret]) -> None:
        self._settings = settings
        self._session = Session(settings, password)

    # --- listing

    def listing(self, folder: str, known: Known) -> Iterator[Window]:
        """See the protocol. Answers for UIDs beyond the window are left out (``n:*`` always has one)."""
        status = self._session.select(folder, readonly=True, anew=True)
        validity, next_uid, exists = (int(status.get(k, 0)) for k in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS"))
        position = known.position
        start = position.next_uid if position is not None and position.uidvalidity == validity else 1
        if not next_uid:
            raise MailboxError(f"folder {folder!r}: the server does not say UIDNEXT (RFC 3501 §6.3.1); it is too old")
        width = next_uid if exists <= ONE_SEARCH else WINDOW
        while start < next_uid:
            end = min(start + width, next_uid)
            found = self._search(folder, ["UID", f"{start}:{end - 1}"])
            uids = sorted(u for u in found if start <= u < end)
            entries = [e for i in range(0, len(uids), _COMMAND_UIDS) for e in self._sizes(uids[i : i + _COMMAND_UIDS])]
            yield Window(Position(validity, end), tuple(entries))
            start = end
            if exists > ONE_SEARCH:
                width = WINDOW if uids else min(width * 2, _WIDEST)
        yield Window(Position(validity, max(start, next_uid)), ())

    def _search(self, folder: str, criteria: list[str]) -> list[int]:
        try:
            return list(self._session.do(lambda c: c.search(criteria)))
        except TaggedNo as error:
            raise MailboxError(f"folder {folder!r}: the server does not search ({error}); see its log") from error

    def _sizes(self, uids: list[int]) -> list[Entry]:
        try:
            data = self._session.do(lambda c: c.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"]))
        except TaggedNo:
            data = {}
        entries = []
        for uid in uids:
            item = data.get(uid, {})
            size, date = item.get(b"RFC822.SIZE"), item.get(b"INTERNALDATE")
            received = date if isinstance(date, datetime) else datetime.now(UTC)
            if received.tzinfo is None:
                received = received.replace(tzinfo=UTC)
            entries.append(Entry(str(uid), size if isinstance(size, int) else 0, received))
        return entries

    # --- reading

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[str]) -> Mapping[str, Read]:
        """See the protocol."""
        status = self._session.select(folder, readonly=True)
        if int(status.get(b"UIDVALIDITY", 0)) != uidvalidity:
            return dict.fromkeys(uids, Gone())  # listed anew under the new UIDVALIDITY
        numbers = [int(u) for u in uids]
        try:
            data = self._session.do(lambda c: c.fetch(numbers, ["BODY.PEEK[]"]))
        except TaggedNo as error:
            if len(uids) == 1:
                return {uids[0]: Unreadable(f"the server does not give it: {error}")}
            data = {}
        got: dict[str, Read] = {}
        for uid, number in zip(uids, numbers, strict=True):
            body = data.get(number, {}).get(b"BODY[]")
            # Missing or None may be another session's expunge, an unasked FLAGS, or the NO above: ask for it alone.
            got[uid] = body if isinstance(body, bytes) else self._alone(number)
        return got

    def _alone(self, uid: int) -> Read:
        try:
            item = self._session.do(lambda c: c.fetch([uid], ["BODY.PEEK[]"])).get(uid)
        except TaggedNo as error:
            return Unreadable(f"the server does not give it: {error}")
        body = item.get(b"BODY[]") if item else None
        if isinstance(body, bytes):
            return body
        if body is not None:
            return Unreadable("the server gives something that is no mail; see its log")
        return Gone()

    def reread(self, mail: Mail) -> bytes | None:
        """See the protocol."""
        place = mail.place
        folders = dict.fromkeys(f for f in (mail.moved_to, place.folder, *self._settings.folders) if f)
        for folder in folders:
            with contextlib.suppress(TaggedNo, MailboxError):
                status = self._session.select(folder, readonly=True)
                uids: list[int] = []
                if folder == place.folder and int(status.get(b"UIDVALIDITY", 0)) == place.uidvalidity:
                    uids.append(int(place.uid))
                if mail.message_id and '"' not in mail.message_id:
                    uids += self._search(folder, ["HEADER", "Message-ID", mail.message_id])[:20]
                for uid in dict.fromkeys(uids):
                    body = self._alone(uid)
                    if isinstance(body, bytes) and hashlib.sha256(body).hexdigest() == mail.sha256:
                        return body
        return None

    # --- marking

    def mark(self, folder: str, uidvalidity: int, uids: Sequence[str], move_to: str | None) -> None:
        """See the protocol. Never a plain EXPUNGE: it would take what others marked."""
        status = self._session.select(folder, readonly=False)
        if int(status.get(b"UIDVALIDITY", 0)) != uidvalidity:
            return  # known under new UIDs by now; marked with them
        numbers = [int(u) for u in uids]
        for i in range(0, len(numbers), _COMMAND_UIDS):
            part = numbers[i : i + _COMMAND_UIDS]
            try:
                if move_to is None:
                    self._flag(part, status)
                else:
                    self._move(part, move_to)
            except TaggedNo as error:
                raise MailboxError(
                    f'folder {folder!r}: mails cannot be marked ({error}); set after = "nothing"'
                ) from error

    def _flag(self, uids: list[int], status: Mapping[bytes, Any]) -> None:
        keyword = self._settings.keyword.encode()
        allowed = status.get(b"PERMANENTFLAGS", ())
        if b"\\*" not in allowed and keyword not in allowed:
            raise MailboxError(
                f'the server keeps no keyword of ours here; set after = "move" or "nothing" ({keyword.decode()})'
            )
        self._session.do(lambda c: c.add_flags(uids, [keyword], silent=True))

    def _move(self, uids: list[int], target: str) -> None:
        capabilities = self._session.do(lambda c: c.capabilities())
        if b"MOVE" in capabilities:
            self._created(target, lambda c: c.move(uids, target))
        elif b"UIDPLUS" in capabilities:
            self._created(target, lambda c: c.copy(uids, target))
            self._session.do(lambda c: c.add_flags(uids, [b"\\Deleted"], silent=True))
            self._session.do(lambda c: c.uid_expunge(uids))
        else:
            raise MailboxError('the server has neither MOVE nor UIDPLUS; set after = "flag" or "nothing"')

    def _created(self, target: str, act: Callable[[IMAPClient], object]) -> None:
        try:
            self._session.do(act)
        except TaggedNo as error:
            if "TRYCREATE" not in str(error).upper():
                raise
            self._session.do(lambda c: c.create_folder(target))
            self._session.do(act)

    def close(self) -> None:
        """See the protocol."""
        self._session.close()
