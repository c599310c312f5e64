"""The MIME tree (compat32) to texts, passed-on mails, attachments and delivery reports.

Own walk, because mail-parser leaves 7-bit multibyte charsets undecoded and puts the text of attached
mails among the sender's. Nothing here touches ``policy.default``, which on hostile headers takes
minutes and gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message as MimeMessage
from typing import Final

from ..model import Attachment
from .charset import decode, decode_header
from .clean import one_line, squeezed, unflow, visible
from .headers import Headers, headers_of
from .limits import Limits
from .text import html_text
from .words import MailWords, plain_words

_TEXTS: Final = frozenset({"text/plain", "text/html", "text/x-amp-html", "text/enriched", "text/richtext"})
_STUB_CHARS: Final = 600
_REPORT_TEXT: Final = 100_000
_UNSAFE: Final = re.compile(r"[\x00-\x1f/\\:*?\"<>|]+")


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A mail inside the mail (message/rfc822): its head as lines and its text."""

    head: str
    text: str
    sender: str
    message_id: str


@dataclass(slots=True)
class Content:
    """What the walk found."""

    texts: list[str] = field(default_factory=list)
    passed_on: list[PassedOn] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    reports: list[Headers] = field(default_factory=list)  # blocks of message/delivery-status
    returned: list[Headers] = field(default_factory=list)  # headers of mails that came back
    types: set[str] = field(default_factory=set)
    defects: list[str] = field(default_factory=list)
    parts: int = 0
    capped: bool = False


@dataclass(frozen=True, slots=True)
class _Body:
    """A text of one part; ``html`` says that it was HTML."""

    text: str
    html: bool


def content_of(root: MimeMessage, words: MailWords, limits: Limits) -> Content:
    """Everything a person would read or find hanging on the mail; never raises for what the mail holds."""
    content = Content()
    report = _type(root) == "multipart/report"
    bodies = _bodies(root, content, words, limits, 0, report)
    content.texts = [b.text for b in bodies if b.text.strip()]
    return content


def _type(part: MimeMessage) -> str:
    try:
        return part.get_content_type()
    except (ValueError, LookupError, TypeError, AttributeError):  # unreadable parameters (RFC 2231)
        return "text/plain"


def _bodies(
    part: MimeMessage, content: Content, words: MailWords, limits: Limits, depth: int, report: bool
) -> list[_Body]:
    content.parts += 1
    if content.parts > limits.parts or depth > limits.depth:
        reason = f"only {limits.parts} parts were read" if depth <= limits.depth else "parts nested too deeply"
        content.capped = True
        _note(content, f"mime: {reason}")
        return []
    kind = _type(part)
    content.types.add(kind)
    if kind == "message/delivery-status":
        content.reports += [headers_of(block) for block in _children(part)[: limits.parts]]
        return []
    if kind in ("message/rfc822", "message/global"):
        _passed_on(part, content, words, limits, depth, report)
        return []
    if kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
        content.returned.append(_loose_headers(_decoded(part)[0]))
        return []
    children = _children(part)
    if part.is_multipart() or (kind.startswith("multipart/") and children):
        if kind == "multipart/alternative":
            return _alternative(children, content, words, limits, depth, report)
        return [b for c in children for b in _bodies(c, content, words, limits, depth + 1, report)]
    if kind in _TEXTS and not _is_attachment(part):
        return [_text(part, kind, content, limits)]
    _attach(part, kind, content, limits)
    return []


def _children(part: MimeMessage) -> list[MimeMessage]:
    payload = part.get_payload()
    return [p for p in payload if isinstance(p, MimeMessage)] if isinstance(payload, list) else []


def _note(content: Content, defect: str) -> None:
    if defect not in content.defects:
        content.defects.append(defect)


def _alternative(
    children: Sequence[MimeMessage], content: Content, words: MailWords, limits: Limits, depth: int, report: bool
) -> list[_Body]:
    """The plain version, unless it is empty or only says that one should look at the HTML."""
    versions = [_bodies(child, content, words, limits, depth + 1, report) for child in children]
    filled = [v for v in versions if any(b.text.strip() for b in v)]
    plain = next((v for v in filled if not any(b.html for b in v)), None)
    rich = next((v for v in reversed(filled) if any(b.html for b in v)), None)
    if plain is not None and (rich is None or not _is_stub(plain, rich, words)):
        return plain
    return rich or []


def _is_stub(plain: Sequence[_Body], rich: Sequence[_Body], words: MailWords) -> bool:
    text = "\n".join(b.text for b in plain).strip()
    if len(text) > _STUB_CHARS or len(text) >= sum(len(b.text) for b in rich):
        return False
    padded = plain_words(text)
    return words.stub.inside(padded) or len(padded.split()) < 2


def _is_attachment(part: MimeMessage) -> bool:
    disposition = str(part.get("content-disposition", "")).split(";")[0].strip().lower()
    return disposition == "attachment" or bool(_filename(part))


def _filename(part: MimeMessage) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):  # RFC 2231 that cannot be put together
        return "unreadable name"
    if not name:
        return ""
    shown = one_line(decode_header(str(name)[:2_000]))
    return _UNSAFE.sub("_", shown.replace("\\", "/").rpartition("/")[2]).strip(". ")[:150] or "unnamed"


def _decoded(part: MimeMessage) -> tuple[bytes, str | None]:
    """The part's bytes and its declared charset. Transfer encodings that are broken give what can be read."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        payload = str(part.get_payload()).encode("utf-8", "surrogateescape")
    try:
        charset = part.get_param("charset")
    except (ValueError, LookupError, TypeError, AttributeError):
        charset = None
    if isinstance(charset, tuple):
        charset = charset[2]
    return payload if isinstance(payload, bytes) else b"", str(charset) if charset else None


def _text(part: MimeMessage, kind: str, content: Content, limits: Limits) -> _Body:
    raw, charset = _decoded(part)
    cap = limits.text * (8 if kind == "text/html" else 4)
    if len(raw) > cap:
        raw = raw[:cap]
        content.capped = True
        _note(content, "text: cut at the size limit")
    text, defect = decode(raw, charset)
    if defect:
        _note(content, defect)
    if kind != "text/plain":
        shown = html_text(text, limits.text + 1)
        if len(shown) > limits.text:
            content.capped = True
        return _Body(shown, html=True)
    if _parameter(part, "format") == "flowed":
        text = unflow(text, delsp=_parameter(part, "delsp") == "yes")
    return _Body(squeezed(visible(text)), html=False)


def _parameter(part: MimeMessage, name: str) -> str:
    try:
        value = part.get_param(name)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return value.strip().lower() if isinstance(value, str) else ""


def _attach(part: MimeMessage, kind: str, content: Content, limits: Limits) -> None:
    if len(content.attachments) >= limits.attachments:
        _note(content, f"mime: only {limits.attachments} attachments were noted")
        return
    raw, _ = _decoded(part)
    content.attachments.append(Attachment(_filename(part) or "unnamed", one_line(kind)[:100], len(raw)))


def _passed_on(part: MimeMessage, content: Content, words: MailWords, limits: Limits, depth: int, report: bool) -> None:
    """A mail inside the mail: kept apart from the sender's words; in a delivery report only its header."""
    inner = next(iter(_children(part)), None)
    if inner is None:
        content.returned.append(_loose_headers(_decoded(part)[0]))
        return
    headers = headers_of(inner)
    if report:
        content.returned.append(headers)
        return
    nested = Content(parts=content.parts)
    bodies = _bodies(inner, nested, words, limits, depth + 1, _type(inner) == "multipart/report")
    content.parts = nested.parts
    content.capped = content.capped or nested.capped
    content.attachments += nested.attachments
    content.defects += [d for d in nested.defects if d not in content.defects]
    text = "\n".join(b.text for b in bodies if b.text.strip())
    head = "\n".join(
        f"{label}: {headers.text(name)[:300]}"
        for label, name in (("From", "from"), ("Date", "date"), ("To", "to"), ("Subject", "subject"))
        if headers.has(name)
    )
    content.passed_on.append(PassedOn(head, text, headers.text("from"), headers.first("message-id")))
    content.passed_on += nested.passed_on


def _loose_headers(raw: bytes) -> Headers:
    """Header fields out of a text (returned headers); lines that are none are passed over."""
    fields: list[tuple[str, str]] = []
    for line in decode(raw[:_REPORT_TEXT], None)[0].splitlines():
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
        elif colon and name and " " not in name:
            fields.append((name.lower(), value.strip()))
        elif not line.strip() and fields:
            break
    return Headers(tuple(fields))
