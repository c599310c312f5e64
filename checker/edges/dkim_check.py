"""DKIM signatures (RFC 6376), verified here: for a hoster whose border server does not say what it saw.

Needs the extra ``dkim`` and DNS. A signature counts only when it covers the whole body: with ``l=`` anybody
may add to the mail (§8.2).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from checker.settings import SettingsError

_MAX_SIGNATURES: Final = 5
_MIN_KEY_BITS: Final = 1024
_SECONDS: Final = 5

Ask = Callable[..., bytes | None]


class DkimSignatures:
    """Which domains signed a mail. ``ask`` looks up a TXT record (name, timeout); DNS unless a test gives one."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._dkim = _library()
        self._ask = ask

    def __call__(self, raw: bytes) -> frozenset[str]:
        """The domains (lower case) of the signatures that hold; none when DNS does not answer."""
        found: set[str] = set()
        for index in range(_MAX_SIGNATURES):
            try:
                made: Any = self._dkim.DKIM(raw, minkey=_MIN_KEY_BITS, timeout=_SECONDS)
                if not made.verify_headerprep(index):
                    break
                if b"l" not in made.signature_fields and self._holds(made, index):
                    found.add(made.domain.decode("ascii").lower().rstrip("."))
            except (self._dkim.DKIMException, ValueError, KeyError, IndexError, OSError):
                continue  # a signature that cannot be read or checked is none
        return frozenset(found)

    def _holds(self, made: Any, index: int) -> bool:
        return bool(made.verify(index, dnsfunc=self._ask) if self._ask is not None else made.verify(index))


def _library() -> ModuleType:
    try:
        return importlib.import_module("dkim")
    except ImportError:
        raise SettingsError("sender.dkim: dkimpy is not installed; install the extra: pip install '.[dkim]'") from None
