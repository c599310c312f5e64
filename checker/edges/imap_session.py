"""An IMAP session: login, one command at a time, and when it is thrown away.

After any failure that is not a plain tagged NO the session ends, because what comes next on it may be the
answer to something else.
"""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from imapclient import IMAPClient, SocketTimeout  # type: ignore[import-untyped]  # it publishes no types
from imapclient.exceptions import LoginError  # type: ignore[import-untyped]  # as above

from checker.edges.guard import deadline, within
from checker.edges.mailbox import Broken, MailboxError, Refused, Unreachable
from checker.model import Secret
from checker.settings import ImapMailbox, SettingsError

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
        if temporary(said):
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


def temporary(said: str) -> bool:
    """Whether a server's NO is about itself, now (RFC 5530), and not about what was asked."""
    return any(code.lower() in said.lower() for code in _TEMPORARY)


class Session:
    """Connects when it is first used, and again after a failure. Not shared between threads."""

    def __init__(self, settings: ImapMailbox, password: Callable[[], Secret]) -> None:
        self._settings = settings
        self._password = password
        self._client: IMAPClient | None = None
        self._selected: tuple[str, bool] | None = None  # folder, read-only
        self._status: Mapping[bytes, Any] = {}

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

    def select(self, folder: str, *, readonly: bool, anew: bool = False) -> Mapping[bytes, Any]:
        if not anew and self._client is not None and self._selected == (folder, readonly):
            return self._status
        try:
            status: Mapping[bytes, Any] = self.do(lambda c: c.select_folder(folder, readonly=readonly))
        except TaggedNo as error:
            if temporary(str(error)):
                raise Unreachable(f"folder {folder!r}: not now ({error}); it is tried again") from error
            raise MailboxError(f"folder {folder!r}: cannot be opened ({error}); check its name in folders") from error
        self._selected, self._status = (folder, readonly), status
        return status

    def do(self, act: Callable[[IMAPClient], T]) -> T:
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
