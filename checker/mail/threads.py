"""Which ticket a mail belongs to: message ids, our signed id, and the tag in the subject."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final

from .words import MailWords, plain_words

_ID: Final = re.compile(r"<[^<>\s]{1,250}>")
_OURS: Final = re.compile(r"<ticket\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})\.([a-z2-7]{26})@[^<>@\s]{1,190}>")
_PART: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TAG: Final = re.compile(r"\[#([A-Za-z0-9_-]{1,64})\]")
_SIGNATURE_BYTES: Final = 16  # of HMAC-SHA256; 26 characters in base32
_REFERENCES: Final = 20
_PREFIX: Final = re.compile(r"\s*(?:\[[^\]]{1,20}\]\s*)?([^\W\d_]{1,12})(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,2}[::]\s*")


def message_ids(value: str, limit: int = 100) -> tuple[str, ...]:
    """The ids in a header value, in order and without repeats, at most ``limit`` of them (RFC 5322 §3.6.4).

    What is no ``<id>`` of at most 250 characters without blanks is passed over.
    """
    found: dict[str, None] = {}
    for match in _ID.finditer(value):
        found.setdefault(match[0])
        if len(found) >= limit:
            break
    return tuple(found)


def make_message_id(key: bytes, ticket: str, seq: str, host: str) -> str:
    """A Message-ID of ours that proves which ticket it belongs to: ``<ticket.<id>.<seq>.<hmac>@host>``.

    :raises ValueError: when ``ticket`` or ``seq`` has other characters than letters, digits, ``_`` and ``-``,
        or the key is empty
    """
    for name, value in (("ticket", ticket), ("seq", seq)):
        if not _PART.fullmatch(value):
            raise ValueError(f"{name} must be 1 to 64 letters, digits, '_' or '-'; correct '{value[:80]}'")
    if not host or not re.fullmatch(r"[^<>@\s]{1,190}", host):
        raise ValueError(f"host must be a domain name, not '{host[:80]}'; set the mail domain in the configuration")
    return f"<ticket.{ticket}.{seq}.{_signature(key, ticket, seq)}@{host}>"


def verify_message_id(key: bytes, message_id: str) -> str | None:
    """The ticket that an id of ours names, ``None`` for foreign and forged ids. Compares in constant time."""
    match = _OURS.fullmatch(message_id.strip())
    if match is None:
        return None
    expected = _signature(key, match[1], match[2])
    return match[1] if hmac.compare_digest(expected, match[3]) else None


def looks_like_ours(message_id: str) -> bool:
    """Whether an id has the form of ours; with :func:`verify_message_id` failing on it, somebody forged it."""
    return message_id.strip().lower().startswith("<ticket.")


def _signature(key: bytes, ticket: str, seq: str) -> str:
    if not key:
        raise ValueError("the key for message ids is empty; set it in the configuration")
    digest = hmac.new(key, f"{ticket}.{seq}".encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def subject_tag(ticket: str) -> str:
    """The tag ``[#ticket]`` for a subject.

    :raises ValueError: when ``ticket`` has other characters than letters, digits, ``_`` and ``-``
    """
    if not _PART.fullmatch(ticket):
        raise ValueError(f"ticket must be 1 to 64 letters, digits, '_' or '-'; correct '{ticket[:80]}'")
    return f"[#{ticket}]"


def tagged_ticket(subject: str) -> str | None:
    """The ticket of the last tag in a subject (ours is put last); a hint, since anybody can type one."""
    found = _TAG.findall(subject)
    return found[-1] if found else None


def references(parent_references: Iterable[str], parent_in_reply_to: Sequence[str], parent_id: str | None) -> str:
    """The References value of a reply (RFC 5322 §3.6.4): the parent's, else its only In-Reply-To, and its id.

    At most twenty-one: the first, which names the thread, and the last. Empty when the parent had no id.
    """
    if parent_id is None or not _ID.fullmatch(parent_id):
        return ""
    before = [i for i in parent_references if _ID.fullmatch(i)]
    if not before and len(parent_in_reply_to) == 1 and _ID.fullmatch(parent_in_reply_to[0]):
        before = [parent_in_reply_to[0]]
    chain = list(dict.fromkeys(i for i in before if i != parent_id))
    if len(chain) > _REFERENCES:
        chain = [chain[0], *chain[-(_REFERENCES - 1) :]]
    return " ".join([*chain, parent_id])


def bare_subject(subject: str, words: MailWords) -> str:
    """The subject without "Re:", "AW:", "Fwd:" and our tag, folded: equal for the mails of one thread."""
    rest = _TAG.sub(" ", subject)
    known = words.reply_prefixes | words.forward_prefixes
    while (match := _PREFIX.match(rest)) is not None and plain_words(match[1]).strip() in known:
        rest = rest[match.end() :]
    return plain_words(rest).strip()
