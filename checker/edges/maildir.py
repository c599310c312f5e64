"""A Maildir as a mailbox: names are UIDs, since they are unique for ever; there is no UIDVALIDITY.

Deliverers write to ``tmp`` and link into ``new``; readers may rename within ``cur`` at any time to change
flags, so a file is always looked up by its unique name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from checker.edges.mailbox import Gone, Known, MailboxError, Read, Unreachable, Unreadable, Window
from checker.edges.records import Entry, Mail, Position
from checker.settings import MaildirMailbox

UIDVALIDITY: Final = 1
_WINDOW: Final = 20_000


class Maildir:
    """See :class:`checker.edges.mailbox.Mailbox`. Made with its folders when the path is missing or empty."""

    def __init__(self, settings: MaildirMailbox) -> None:
        self._settings = settings
        self._root = settings.path

    def listing(self, folder: str, known: Known) -> Iterator[Window]:
        """See the protocol. Oldest first, by the time of delivery."""
        position = Position(UIDVALIDITY, 0)
        uids = known.uids(UIDVALIDITY)
        found: list[Entry] = []
        for entry in self._entries(folder):
            uid = _uid(entry.name)
            if uid in uids:
                continue
            try:
                stat = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # renamed or taken meanwhile; the next listing has it under its new name
            found.append(Entry(uid, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)))
        found.sort(key=lambda e: (e.received_at, e.uid))
        for start in range(0, len(found), _WINDOW):
            yield Window(position, tuple(found[start : start + _WINDOW]))
        if not found:
            yield Window(position, ())

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[str]) -> Mapping[str, Read]:  # noqa: ARG002 - constant here
        """See the protocol."""
        paths = {_uid(e.name): Path(e.path) for e in self._entries(folder)} if len(uids) > 1 else {}
        return {uid: self._read(folder, uid, paths.get(uid)) for uid in uids}

    def mark(self, folder: str, uidvalidity: int, uids: Sequence[str], move_to: str | None) -> None:  # noqa: ARG002 - as above
        """See the protocol: into ``cur`` with the flag S, or into another folder's ``cur``."""
        target = self._folder(move_to or folder, create=True) / "cur"
        for uid in uids:
            path = self._path(folder, uid)
            if path is None:
                continue
            name, _, flags = path.name.partition(":2,")
            try:
                path.rename(target / f"{name}:2,{''.join(sorted({*flags, 'S'}))}")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unusable(target, error) from error

    def reread(self, mail: Mail) -> bytes | None:
        """See the protocol."""
        for folder in dict.fromkeys((mail.moved_to or mail.place.folder, mail.place.folder, *self._settings.folders)):
            try:
                read = self._read(folder, mail.place.uid, None)
            except MailboxError:
                continue  # the folder is gone; the mail may be in another one
            if isinstance(read, bytes) and (mail.sha256 is None or hashlib.sha256(read).hexdigest() == mail.sha256):
                return read
        return None

    def close(self) -> None:
        """See the protocol: there is no session."""

    def _folder(self, folder: str, *, create: bool = False) -> Path:
        if folder.upper() == "INBOX":
            path = self._root
            create = create or not path.exists() or not any(path.iterdir())
        else:
            if "/" in folder or folder.startswith("."):
                raise MailboxError(
                    f"{self._root}: folder {folder!r} cannot be used; name a subfolder as Done or Done.2026"
                )
            path = self._root / f".{folder}"
        try:
            if create:
                for part in ("tmp", "new", "cur"):
                    (path / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _unusable(path, error) from error
        return path

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        path = self._folder(folder)
        for part in ("new", "cur"):
            try:
                with os.scandir(path / part) as entries:
                    for entry in entries:
                        if not entry.name.startswith(".") and entry.is_file():
                            yield entry
            except OSError as error:
                raise _unusable(path / part, error) from error

    def _path(self, folder: str, uid: str) -> Path | None:
        if "/" in uid:
            return None
        path = self._folder(folder)
        for candidate in (
            path / "new" / uid,
            path / "cur" / uid,
            path / "cur" / f"{uid}:2,",
            path / "cur" / f"{uid}:2,S",
        ):
            if candidate.exists():
                return candidate
        return next((Path(e.path) for e in self._entries(folder) if _uid(e.name) == uid), None)

    def _read(self, folder: str, uid: str, path: Path | None) -> Read:
        for candidate in (path, self._path(folder, uid)):
            if candidate is None:
                continue
            try:
                return candidate.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                return Unreadable(f"{candidate.name} cannot be read: {error.strerror}; check its owner and mode")
        return Gone()


def _uid(name: str) -> str:
    return name.partition(":2,")[0]


def _unusable(path: Path, error: OSError) -> Unreachable:
    return Unreachable(f"{path}: {error.strerror}; check that it is a Maildir and may be read and written")
