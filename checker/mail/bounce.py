"""Delivery reports: which mail of ours came back, for whom, and whether for good (RFC 3464).

Half of the reports that arrive are not written by the RFC; then the text is read for the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .headers import Headers
from .mime import Content
from .threads import message_ids

_TEXT: Final = 50_000
_RETURNED_ID: Final = re.compile(r"^[> \t]{0,6}Message-ID:[ \t]*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
_FINAL: Final = re.compile(r"^[> \t]{0,6}(?:Final|Original)-Recipient:[ \t]*(?:rfc822;)?[ \t]*(\S{1,320})", re.I | re.M)
_ACTION: Final = re.compile(r"^[> \t]{0,6}Action:[ \t]*(\w{1,20})", re.IGNORECASE | re.MULTILINE)
_PERMANENT: Final = re.compile(r"(?<![\w.])5\.\d{1,3}\.\d{1,3}(?![\w.])|(?:said|error|code|host|:)[ :]{1,3}55[0-9][ -]")
_TEMPORARY: Final = re.compile(
    r"(?<![\w.])4\.\d{1,3}\.\d{1,3}(?![\w.])|(?:said|error|code|host|:)[ :]{1,3}4[2-5][0-9][ -]"
)
_MAX_RECIPIENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Bounce:
    """``of``: Message-IDs of what came back; ``permanent``: trying again makes no sense."""

    of: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    permanent: bool = False


def bounce_of(headers: Headers, content: Content, text: str) -> Bounce:
    """What a delivery report says. Only to be asked of mails that are one."""
    text = text[:_TEXT]
    ids = [headers_id for h in content.returned for headers_id in message_ids(h.first("message-id"))]
    ids += [i for p in content.passed_on for i in message_ids(p.message_id)]
    ids = ids or _RETURNED_ID.findall(text)
    recipients = [_recipient(block) for block in content.reports]
    recipients += _ADDRESS.findall(headers.first("x-failed-recipients"))
    recipients = [r for r in recipients if r] or _FINAL.findall(text)
    named = tuple(dict.fromkeys(r.lower() for r in recipients if _ADDRESS.fullmatch(r)))[:_MAX_RECIPIENTS]
    return Bounce(tuple(dict.fromkeys(ids)), named, bool(ids or named) and _permanent(content.reports, text))


def _recipient(block: Headers) -> str:
    value = block.first("original-recipient") or block.first("final-recipient")
    found = _ADDRESS.search(value)
    return found[0] if found else ""


def _permanent(reports: Iterable[Headers], text: str) -> bool:
    """Failed for good: ``Action: failed`` with a status of class 5, or no status at all (RFC 3464 §2.3.3)."""
    blocks = [b for b in reports if b.has("action")]
    if blocks:
        failed = [b for b in blocks if b.first("action").split(" ")[0].lower().strip(";") == "failed"]
        return any(not b.first("status").strip().startswith("4") for b in failed)
    actions = {a.lower() for a in _ACTION.findall(text)}
    if actions:
        return "failed" in actions
    return _PERMANENT.search(text) is not None and _TEMPORARY.search(text) is None
