"""Caps on what one mail may cost. Counted, not timed: the same mail is cut at the same place everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of a mail at most; what goes beyond sets ``capped`` or a defect.

    :param size: bytes of the raw mail (parsing takes up to twelve times as much memory)
    :param header_lines: physical lines of the top header
    :param header_field: bytes of one header field, folded lines included
    :param parts: MIME parts that are looked at
    :param depth: nesting of parts, forwarded mails included
    :param text: characters of visible text
    :param subject: characters of the subject
    :param addresses: recipients that are kept
    """

    size: int = 30_000_000
    header_lines: int = 2_000
    header_field: int = 32_768
    parts: int = 500
    depth: int = 20
    text: int = 200_000
    subject: int = 998
    addresses: int = 100
    attachments: int = 200
    ids: int = 100


DEFAULT_LIMITS: Final = Limits()
