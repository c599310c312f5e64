"""Telling a supervisor that the service lives: a heartbeat file, and systemd's notifications where there are any.

The file is for everybody (``checker doctor --health``). The datagram (sd_notify(3)) is a line of text to the
socket that ``NOTIFY_SOCKET`` names; without it nothing is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checker.edges.files import write_private

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"

WORKING = "working"
WAITING = "waiting"


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell systemd, if it started us and asked to be told. Says whether it was told; never raises."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = f"\0{address[1:]}"  # the abstract namespace
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as s:
        s.connect(address)
        s.sendall(state.encode("ascii"))
        return True
    return False


def beat(file: Path, *, working: bool) -> None:
    """Write the heartbeat. A full disk is told by what fails next, with its reason."""
    line = f"{datetime.now(UTC).isoformat()} {WORKING if working else WAITING}\n"
    with contextlib.suppress(OSError):
        write_private(file, line.encode())


def health(file: Path, *, waiting_limit: timedelta, working_limit: timedelta) -> tuple[bool, str]:
    """Whether the service lives, and a sentence. In mid-round it may be silent for as long as its own watchdog
    allows: a relay is given ten minutes for its answer (RFC 5321 §4.5.3.2.6)."""
    try:
        age = datetime.now(UTC) - datetime.fromtimestamp(file.stat().st_mtime, UTC)
        working = WORKING in file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False, f"no heartbeat at {file}; start the service: checker run"
    limit = working_limit if working else waiting_limit
    said = f"last heartbeat {age.total_seconds():.0f} s ago, {'in a round' if working else 'between rounds'}"
    return age <= limit, said if age <= limit else f"{said}; the limit is {limit.total_seconds():.0f} s; restart it"
