"""A mail's bytes to a :class:`~checker.model.Message`.

Addresses, dates and defects come by way of :mod:`.envelope`; subject, ids, bodies and the headers of machines
from an own walk over the plain (compat32) tree; ``policy.default`` is never used, since hostile headers make it
run for minutes. Three stages: mail-parser (or an ordinary mail without it) and the walk; the walk alone when
mail-parser fails; :class:`Unparsable`.
"""

from __future__ import annotations

import email
import email.message
import hashlib
import re
from typing import Final

from ..model import Automatic, Message, Zone, ZoneKind
from .automatic import classify
from .bounce import Bounce, bounce_of
from .clean import squeezed
from .envelope import ADDRESS, Envelope, by_mail_parser, from_headers, ordinary
from .headers import Headers, headers_of, trim
from .limits import DEFAULT_LIMITS, Limits
from .mime import Content, PassedOn, content_of
from .threads import message_ids
from .words import MailWords
from .zones import is_forward, is_reply, split_zones

_FROM_LINE: Final = re.compile(rb"\A(?:>?From [^\r\n]{1,500}\r?\n|[\r\n]+)")
_FIELD: Final = re.compile(rb"^[\x21-\x39\x3b-\x7e]{1,76}[ \t]*:", re.MULTILINE)
_BOUNCES: Final = frozenset({Automatic.DELIVERY_REPORT, Automatic.NULL_RETURN_PATH, Automatic.MACHINE_SENDER})
_NESTED: Final = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_MAX_NESTED: Final = 400  # multiparts and inner mails; more can exhaust the parsers' recursion
_MAX_DEFECTS: Final = 40


class Unparsable(ValueError):
    """Nothing readable can be had from the bytes; the message says why and what to do."""


def parse(
    raw: bytes, n: int, own_addresses: frozenset[str], words: MailWords, limits: Limits = DEFAULT_LIMITS
) -> Message:
    """The mail as a person would see it; ``n`` is its number in the ticket, from 1.

    :param own_addresses: the hoster's, lower case
    :raises Unparsable: when there is no header and no text, or parts are nested beyond all measure
    """
    capped = len(raw) > limits.size
    bounded, trimmed = trim(_FROM_LINE.sub(b"", raw[: limits.size], count=1), limits)
    if _FIELD.search(bounded[: limits.header_field]) is None:
        raise Unparsable("this is no mail: it has no header; look at the stored file and delete or forward it")
    tree, envelope = _stages(bounded, limits)
    headers = headers_of(tree)
    try:
        content = content_of(tree, words, limits)
    except RecursionError as error:
        raise Unparsable(_TOO_DEEP) from error
    if not headers.fields and not content.texts:
        raise Unparsable("this mail has neither header nor text; look at the stored file and delete or forward it")
    return _message(raw, n, headers, content, envelope, own_addresses, words, limits, capped, trimmed)


_TOO_DEEP: Final = "this mail's parts are nested too deeply to be read; open the stored file in a mail program"


def _stages(raw: bytes, limits: Limits) -> tuple[email.message.Message, Envelope]:
    if sum(1 for _ in _NESTED.finditer(raw)) > _MAX_NESTED:
        raise Unparsable(_TOO_DEEP)
    try:
        tree = email.message_from_bytes(raw)
        envelope = ordinary(tree, limits)
    except RecursionError as error:
        raise Unparsable(_TOO_DEEP) from error
    if envelope is not None:
        return tree, envelope
    found = by_mail_parser(raw, limits)
    if not isinstance(found, str):
        return found
    # Named, not swallowed: the defect is stored with the message, and the header alone reads the mail.
    return tree, from_headers(headers_of(tree), limits, [f"mail-parser: {found}"])


def _message(
    raw: bytes,
    n: int,
    headers: Headers,
    content: Content,
    envelope: Envelope,
    own_addresses: frozenset[str],
    words: MailWords,
    limits: Limits,
    capped: bool,
    trimmed: tuple[str, ...],
) -> Message:
    subject = headers.text("subject")
    text = squeezed("\n\n".join(t.strip("\n") for t in content.texts))
    if len(text) > limits.text:
        text, content.capped = _cut(text, limits.text), True
    zones = split_zones(
        text,
        words,
        forward=is_forward(subject, words),
        reply=is_reply(subject, words) or headers.has("in-reply-to") or headers.has("references"),
        own_addresses=own_addresses,
    )
    text, zones = _append(text, zones, content, own_addresses, limits)
    why = classify(headers, content, envelope.sender, own_addresses, words)
    bounce = bounce_of(headers, content, text) if why is not None and why[0] in _BOUNCES else Bounce()
    results, below = _results(headers)
    defects = dict.fromkeys((*trimmed, *headers.duplicates(), *envelope.defects, *content.defects))
    if envelope.sender is None:
        defects["from: no valid address"] = None
    return Message(
        n=n,
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        message_id=next(iter(message_ids(headers.first("message-id"), 1)), None),
        in_reply_to=message_ids(headers.first("in-reply-to"), limits.ids),
        references=message_ids(headers.first("references"), limits.ids),
        subject=subject[: limits.subject],
        sender=envelope.sender,
        reply_to=envelope.reply_to,
        recipients=envelope.recipients,
        date=envelope.date,
        text=text,
        zones=zones,
        attachments=tuple(content.attachments[: limits.attachments]),
        automatic=why[0] if why else None,
        automatic_detail=why[1] if why else "",
        from_us=envelope.sender is not None and envelope.sender.email.lower() in own_addresses,
        authentication_results=results,
        received=headers.all("received")[: limits.ids],
        bounce_of=bounce.of[: limits.ids],
        bounce_recipients=bounce.recipients,
        bounce_permanent=bounce.permanent,
        defects=tuple(defects)[:_MAX_DEFECTS],
        capped=capped or content.capped,
        results_below=below,
    )


def _cut(text: str, limit: int) -> str:
    """The text up to the last whole line before the limit."""
    end = text.rfind("\n", 0, limit) + 1
    return text[: end or limit]


def _append(
    text: str, zones: tuple[Zone, ...], content: Content, own_addresses: frozenset[str], limits: Limits
) -> tuple[str, tuple[Zone, ...]]:
    """The text with the mails inside the mail at its end: a head as attribution, their words forwarded.

    A mail of ours that hangs on a reply is quoted, so that nobody adopts our example sentences.
    """
    out = list(zones)
    for inner in content.passed_on:
        kind = ZoneKind.QUOTED if _is_ours(inner, own_addresses) else ZoneKind.FORWARDED
        for piece, piece_kind in ((f"{inner.head}\n" if inner.head else "", ZoneKind.ATTRIBUTION), (inner.text, kind)):
            if not piece.strip():
                continue
            lead = "\n" if text and not text.endswith("\n\n") else ""
            if len(text) + len(lead) + len(piece) > limits.text:
                content.capped = True
                return text, tuple(out)
            start = len(text)
            if lead and out:  # the empty line between two texts belongs to the one above
                out[-1] = Zone(out[-1].kind, out[-1].start, start + 1, out[-1].depth)
                start += 1
            text += lead + (piece if piece.endswith("\n") else f"{piece}\n")
            out.append(Zone(piece_kind, start if out else 0, len(text), 1))
    return text, tuple(out)


def _is_ours(inner: PassedOn, own_addresses: frozenset[str]) -> bool:
    return any(a.lower() in own_addresses for a in ADDRESS.findall(inner.sender))


def _results(headers: Headers) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Authentication-Results from the top, and for each how many Received stand above it."""
    values: list[str] = []
    below: list[int] = []
    received = 0
    for name, value in headers.fields:
        if name == "received":
            received += 1
        elif name == "authentication-results" and len(values) < 20:
            values.append(value[:8_192])
            below.append(received)
    return tuple(values), tuple(below)
