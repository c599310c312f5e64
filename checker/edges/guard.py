"""A wall-clock limit for blocking calls: a server that drips one byte a minute passes every read timeout."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


@contextlib.contextmanager
def deadline(connection: socket.socket | None, seconds: float) -> Iterator[None]:
    """Cut the connection when the block takes longer; the blocked read then ends with an error of its own."""
    if connection is None:
        yield
        return

    def cut() -> None:
        with contextlib.suppress(OSError):  # it ended by itself meanwhile
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def within(seconds: float, open_: Callable[[], T], close: Callable[[T], None]) -> T:
    """The result of ``open_`` if it comes in time; what comes too late is closed by the thread that waited for it.

    For calls whose socket cannot be reached from outside (connecting, the greeting, the handshake). Raises
    :class:`TimeoutError`, and whatever ``open_`` raises.
    """
    result: list[T] = []
    failure: list[BaseException] = []
    late = threading.Event()
    lock = threading.Lock()

    def run() -> None:
        try:
            made = open_()
        except BaseException as error:  # noqa: BLE001 - handed over to the caller, below
            failure.append(error)
            return
        with lock:
            if not late.is_set():
                result.append(made)
                return
        close(made)

    thread = threading.Thread(target=run, daemon=True, name="connect")
    thread.start()
    thread.join(seconds)
    with lock:
        if failure:
            raise failure[0]
        if result:
            return result[0]
        late.set()
    raise TimeoutError(f"no session within {seconds:.0f} s")
