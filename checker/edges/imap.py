"""An IMAP folder as a mailbox, over IMAPClient.

The library is used within narrow rules, each of which cost somebody mail once: UIDs and ``BODY.PEEK[]`` only;
the size is asked first; searches in windows (an answer line over 1 MB ends the session); commands with at most
some hundred UIDs; every answer is checked for what it lacks; after any failure that is not a plain tagged NO
the session is thrown away, because what comes next on it may be the answer to something else.
"""

from __future__ import annotations

import contextlib
import hashlib
import imaplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from imapclient import IMAPClient, SocketTimeout  # type: ignore[import-untyped]  # it publishes no types
from imapclient.exceptions import LoginError  # type: ignore[import-untyped]  # as above

from checker.edges.guard import deadline, within
from checker.edges.mailbox import Broken, Gone, Known, MailboxError, Read, Refused, Unreachable, Unreadable, Window
from checker.edges.records import Entry, Mail, Position
from checker.model import Secret
from checker.settings import ImapMailbox, SettingsError

WINDOW: Final = 20_000
ONE_SEARCH: Final = 50_000  # messages whose UIDs fit one answer line with room to spare
_WIDEST: Final = 80_000
_COMMAND_UIDS: Final = 500
_TEMPORARY: Final = (
    "[UNAVAILABLE]",
    "[LIMIT]",
    "[INUSE]",
    "[SERVERBUG]",
    "[CONTACTADMIN]",
    "too many",
    "maximum number",
)
ANY_FAILURE: Final = (
    imaplib.IMAP4.error,
    OSError,
    ValueError,
    AttributeError,
    UnicodeError,
    KeyError,
    IndexError,
    TypeError,
)

T = TypeVar("T")


class TaggedNo(Exception):
    """The server understood and said no; the session is fine."""


def connect(settings: ImapMailbox, password: Callable[[], Secret]) -> IMAPClient:
    """A session that is logged in. Raises :class:`Refused` or :class:`Unreachable`, each with what to do."""
    where = f"{settings.host}:{settings.port}"
    try:
        secret = password()
    except SettingsError as error:
        raise Refused(str(error)) from error
    try:
        return within(settings.connect_seconds * 3, lambda: _login(settings, secret), discard)
    except LoginError as error:
        said = str(error)
        if any(code.lower() in said.lower() for code in _TEMPORARY):
            raise Unreachable(f"{where}: no session now ({_short(said)}); it is tried again") from None
        raise Refused(f"{where}: the login of {settings.user} is refused; check user and password") from None
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(
            f"{where}: its certificate is not trusted ({error.verify_message}); set ca_file or the right host name"
        ) from None
    except TimeoutError:
        raise Unreachable(f"{where}: does not answer; check host, port and the network") from None
    except ANY_FAILURE as error:
        raise Unreachable(
            f"{where}: no session ({type(error).__name__}: {_short(str(error))}); check host and port"
        ) from None


def _login(settings: ImapMailbox, secret: Secret) -> IMAPClient:
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    client = IMAPClient(
        settings.host,
        settings.port,
        ssl=settings.tls == "tls",
        ssl_context=context if settings.tls == "tls" else None,
        timeout=SocketTimeout(settings.connect_seconds, settings.read_seconds),
    )
    try:
        # imaplib would print every literal for a logger that nobody reads: half the speed, twice the memory.
        client._imap.debug = 0
        client.normalise_times = False
        if settings.tls == "starttls":
            client.starttls(context)
        if settings.auth == "xoauth2":
            client.oauth2_login(settings.user, secret.reveal())
        elif settings.user.isascii() and secret.reveal().isascii():
            client.login(settings.user, secret.reveal())
        else:
            client.plain_login(settings.user, secret.reveal())
    except BaseException:
        discard(client)
        raise
    return client


def discard(client: IMAPClient) -> None:
    with contextlib.suppress(*ANY_FAILURE):
        client.shutdown()


class Imap:
    """See :class:`checker.edges.mailbox.Mailbox`. Connects when it is first used, and again after a failure."""

    def __init__(self, settings: ImapMailbox, password: Callable[[], Secret]) -> None:
        self._settings = settings
        self._password = password
        self._client: IMAPClient | None = None
        self._selected: tuple[str, bool] | None = None  # folder, read-only
        self._status: Mapping[bytes, Any] = {}

    # --- listing

    def listing(self, folder: str, known: Known) -> Iterator[Window]:
        """See the protocol. Answers for UIDs beyond the window are left out (``n:*`` always has one)."""
        status = self._select(folder, readonly=True, anew=True)
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
            return list(self._do(lambda c: c.search(criteria)))
        except TaggedNo as error:
            raise MailboxError(f"folder {folder!r}: the server does not search ({error}); see its log") from error

    def _sizes(self, uids: list[int]) -> list[Entry]:
        try:
            data = self._do(lambda c: c.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"]))
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
        status = self._select(folder, readonly=True)
        if int(status.get(b"UIDVALIDITY", 0)) != uidvalidity:
            return dict.fromkeys(uids, Gone())  # listed anew under the new UIDVALIDITY
        numbers = [int(u) for u in uids]
        try:
            data = self._do(lambda c: c.fetch(numbers, ["BODY.PEEK[]"]))
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
            item = self._do(lambda c: c.fetch([uid], ["BODY.PEEK[]"])).get(uid)
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
                status = self._select(folder, readonly=True)
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
        status = self._select(folder, readonly=False)
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
        self._do(lambda c: c.add_flags(uids, [keyword], silent=True))

    def _move(self, uids: list[int], target: str) -> None:
        capabilities = self._do(lambda c: c.capabilities())
        if b"MOVE" in capabilities:
            self._created(target, lambda c: c.move(uids, target))
        elif b"UIDPLUS" in capabilities:
            self._created(target, lambda c: c.copy(uids, target))
            self._do(lambda c: c.add_flags(uids, [b"\\Deleted"], silent=True))
            self._do(lambda c: c.uid_expunge(uids))
        else:
            raise MailboxError('the server has neither MOVE nor UIDPLUS; set after = "flag" or "nothing"')

    def _created(self, target: str, act: Callable[[IMAPClient], object]) -> None:
        try:
            self._do(act)
        except TaggedNo as error:
            if "TRYCREATE" not in str(error).upper():
                raise
            self._do(lambda c: c.create_folder(target))
            self._do(act)

    # --- the session

    def close(self) -> None:
        """See the protocol."""
        client, self._client, self._selected = self._client, None, None
        if client is None:
            return
        with contextlib.suppress(*ANY_FAILURE):
            with deadline(client.socket(), 5):
                client.logout()
            return
        discard(client)

    def _select(self, folder: str, *, readonly: bool, anew: bool = False) -> Mapping[bytes, Any]:
        if not anew and self._client is not None and self._selected == (folder, readonly):
            return self._status
        try:
            status: Mapping[bytes, Any] = self._do(lambda c: c.select_folder(folder, readonly=readonly))
        except TaggedNo as error:
            raise MailboxError(f"folder {folder!r}: cannot be opened ({error}); check its name in folders") from error
        self._selected, self._status = (folder, readonly), status
        return status

    def _do(self, act: Callable[[IMAPClient], T]) -> T:
        """One command. Raises :class:`TaggedNo`; anything else discards the session: :class:`Broken`."""
        if self._client is None:
            self._client = connect(self._settings, self._password)
            self._selected = None
        client = self._client
        try:
            with deadline(client.socket(), self._settings.command_seconds):
                return act(client)
        except ANY_FAILURE as error:
            if type(error) is imaplib.IMAP4.error and " failed: " in str(error):
                raise TaggedNo(_short(str(error).partition(" failed: ")[2])) from error
            self._client, self._selected = None, None
            discard(client)
            raise Broken(
                f"{self._settings.host}: the session broke off ({type(error).__name__}); it is tried again"
            ) from error


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:160]
