"""Secrets of the service's own: passwords from where the settings say, and the signing key.

Nothing here logs, and no error holds a secret or what a command printed.
"""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
from pathlib import Path
from typing import Final

from checker.model import Secret
from checker.settings import PasswordFrom, SettingsError

KEY_BYTES: Final = 32
COMMAND_SECONDS: Final = 30


def password(source: PasswordFrom, *, key: str) -> Secret:
    """Read a password or token. ``key`` names the setting in errors (``mailboxes[1].password``).

    Raises :class:`SettingsError` that says what is wrong with the source.
    """
    if source.env is not None:
        text = os.environ.get(source.env, "")
        if not text:
            raise SettingsError(f"{key}: environment variable {source.env} is not set or empty; set it for the service")
    elif source.file is not None:
        try:
            text = source.file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{key}: cannot read {source.file}: {_why(error)}; create it, mode 0600") from None
        if not text:
            raise SettingsError(f"{key}: {source.file} is empty; write the password into it")
    else:
        text = _from_command(source.command or (), key)
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        # A line end in a password would be a protocol command of its own.
        raise SettingsError(f"{key}: the password holds a line end or control character; keep it on one line")
    return Secret(text)


def _from_command(command: tuple[str, ...], key: str) -> str:
    if not command:
        raise SettingsError(f'{key}: command is empty; write it as command = ["pass", "show", "imap"]')
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, an argument list, no shell
            command, capture_output=True, timeout=COMMAND_SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        raise SettingsError(f"{key}: {command[0]} did not answer in {COMMAND_SECONDS} s; try it by hand") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{key}: cannot run {command[0]}: {_why(error)}") from None
    if done.returncode != 0:
        raise SettingsError(f"{key}: {command[0]} ended with status {done.returncode}; try it by hand")
    text = done.stdout.rstrip("\r\n")
    if not text:
        raise SettingsError(f"{key}: {command[0]} printed nothing; it must print the password alone")
    return text


def signing_key(path: Path) -> bytes:
    """The key that signs ticket tokens and fingerprints secrets; made (mode 0600) when there is none.

    Raises :class:`SettingsError` for a file that others can read or that is too short.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(f"cannot create {path}: {_why(error)}; make its folder writable for the service") from None
    else:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {_why(error)}; it must belong to the service's user") from None
    if mode & 0o077:
        raise SettingsError(f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")
    if len(key) < KEY_BYTES:
        raise SettingsError(f"{path} holds {len(key)} bytes, {KEY_BYTES} are needed; delete it to have a new one made")
    return key


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not UTF-8 text"
