"""IMAP IDLE (RFC 2177) as a wake-up and nothing more: what came is found out by the normal poll.

The library answers "nothing happened" and "the server hung up" alike, so an answer that comes too early
counts as an ended session. A session that ends is opened again after a growing pause: it never spins.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final

from imapclient import IMAPClient  # type: ignore[import-untyped]  # it publishes no types

from checker.edges.guard import deadline
from checker.edges.imap_session import ANY_FAILURE, connect, discard
from checker.edges.mailbox import MailboxError, Refused
from checker.model import Secret
from checker.settings import ImapMailbox

RENEW_SECONDS: Final = 540.0  # servers may end an IDLE after ten minutes, whatever the RFC allows
_CHECK_SECONDS: Final = 20.0
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 600.0
_REFUSED_PAUSE: Final = 1800.0


class IdleWatcher(threading.Thread):
    """Watches one folder and calls ``wake`` when something happens in it. Ends soon after :meth:`stop`.

    A server without IDLE ends it for good: the interval poll is the net in any case.
    """

    def __init__(
        self,
        settings: ImapMailbox,
        password: Callable[[], Secret],
        wake: Callable[[], None],
        *,
        renew_seconds: float = RENEW_SECONDS,
        check_seconds: float = _CHECK_SECONDS,
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        super().__init__(name=f"idle-{settings.name}", daemon=True)
        self._settings = settings
        self._password = password
        self._wake = wake
        self._renew = renew_seconds
        self._check = check_seconds
        self._first_pause = first_pause
        self._stop_event = threading.Event()
        self.sessions = 0  # for metrics and tests
        self.supported: bool | None = None

    def stop(self) -> None:
        """Ask it to end."""
        self._stop_event.set()

    def run(self) -> None:
        """Sessions, one after the other, with pauses that grow while they fail."""
        pause = self._first_pause
        while not self._stop_event.is_set():
            began = time.monotonic()
            try:
                self._session()
            except Refused:
                pause = _REFUSED_PAUSE
            except MailboxError:
                pause = min(pause * 2, _LONGEST_PAUSE)
            if self.supported is False:
                return
            if time.monotonic() - began > self._renew / 2:
                pause = self._first_pause  # it worked for a while
            if self._stop_event.wait(pause):
                return

    def _session(self) -> None:
        client = connect(self._settings, self._password)
        self.sessions += 1
        try:
            with deadline(client.socket(), self._settings.command_seconds):
                self.supported = bool(client.has_capability("IDLE"))
                if not self.supported:
                    return
                client.select_folder(self._settings.folders[0], readonly=True)
            # What came between the last poll and now is found by this one.
            self._wake()
            while not self._stop_event.is_set():
                self._idle(client)
        except ANY_FAILURE as error:
            raise MailboxError(f"IDLE ended ({type(error).__name__})") from error
        finally:
            discard(client)

    def _idle(self, client: IMAPClient) -> None:
        """One IDLE up to its renewal. Raises :class:`ConnectionError` when the session is over."""
        with deadline(client.socket(), self._settings.read_seconds):
            client.idle()
        until = time.monotonic() + self._renew
        while not self._stop_event.is_set() and time.monotonic() < until:
            began = time.monotonic()
            said = client.idle_check(timeout=self._check)
            if said:
                if any(isinstance(x, tuple) and x and x[0] == b"BYE" for x in said):
                    raise ConnectionError("the server said goodbye")
                if any(isinstance(x, tuple) and len(x) > 1 and x[1] in (b"EXISTS", b"RECENT") for x in said):
                    self._wake()
            elif time.monotonic() - began < self._check / 2:
                raise ConnectionError("the server hung up")
        with deadline(client.socket(), self._settings.read_seconds), contextlib.suppress(TypeError):
            client.idle_done()
