"""Folding text for comparison without moving a single offset.

``fold`` lower-cases and strips diacritics character by character, so ``fold(t)[i]`` always stands for
``t[i]``: customers leave accents out ("perche", "backup e aggiornato") and shout ("NOBENEGA IZKLOPA"),
and neither may change what is understood. Characters that would grow (``ß`` to ``ss``) keep one letter.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters whose decomposition does not lead to a base letter, by hand; the rest comes from NFKD.
_BY_HAND = {"ß": "s", "ẞ": "s", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ø": "o", "Ø": "o", "ı": "i", "İ": "i"}
_BY_HAND |= (
    dict.fromkeys("’‘‛ʼ`´′", "'") | dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‐‑‒–—―−", "-") | {"\u00a0": " "}
)


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in _BY_HAND:
        return _BY_HAND[char]
    base = unicodedata.normalize("NFKD", char)[:1] or char
    lower = base.lower()
    return lower if len(lower) == 1 else base


class _Table(dict[int, str]):
    """A ``str.translate`` table that fills itself; bounded by the number of code points seen."""

    def __missing__(self, code: int) -> str:
        value = _fold_char(chr(code))
        self[code] = value
        return value


_TABLE = _Table()


def fold(text: str) -> str:
    """``text`` in lower case without diacritics and with plain quotes and dashes; the same length."""
    return text.translate(_TABLE)
