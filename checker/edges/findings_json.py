"""Findings to JSON and back, without a secret.

What is written: offsets, words that were evidence, and for a secret a keyed fingerprint (so that "the
same password as before" can be told without keeping it). What is read back holds ``Secret(MASK)``.
Every occurrence of a known secret in any text is masked, and the words of unread stretches are not
kept at all: what no rule understood may well be a password. The same holds for a segment in which the second
reader heard nothing that counts.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from checker.model import MASK, Findings, Heard, Secret, Unread

# Vocabulary and identifiers, not words of the text: masking here would damage what the verdict rests on
# (a password that equals the service ID). The words that they were read from are masked all the same.
_KEPT: Final = frozenset(
    {
        "rule",
        "value",
        "username",
        "kind",
        "distribution",
        "version",
        "edition",
        "language",
        "actions",
        "answers",
        "marker",
        "requirements",
        "topics",
        "name",
        "part",
        "reader",
        "recurring",
        "ambiguous",
        "advisories",
    }
)

_FINGERPRINT: Final = re.compile(r'"fingerprint":"([0-9a-f]{32})"')
_AROUND: Final = ".,;:!?\"'()[]<>«»„“”‘’‚`"
_TRIMMED: Final = 4  # such marks at either end
_WORD: Final = 300  # characters; no secret is longer


class StoredFindingsError(ValueError):
    """A stored row that cannot be read back; the database was written by something else."""


def fingerprint(key: bytes, secret: Secret) -> str:
    """HMAC-SHA256 of a secret, 128 bits as hex: equal secrets have equal fingerprints, and nothing else shows."""
    return hmac.new(key, b"fingerprint\0" + secret.reveal().encode(), hashlib.sha256).hexdigest()[:32]


def secrets_of(findings: Findings) -> tuple[str, ...]:
    """The secrets found in a message, longest first, as the texts to be masked."""
    found = {s.reveal() for s in findings.secrets()} - {"", MASK}
    return tuple(sorted(found, key=lambda s: (-len(s), s)))


def masked(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every occurrence of each secret masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def mask_known(text: str, stored: Iterable[str], key: bytes) -> str:
    """``text`` with every word masked that is a secret of the stored findings: what people type in is stored too.

    Told by fingerprint. A secret with blanks inside is not found.
    """
    return masked(text, (s.reveal() for s in repeated(text, fingerprints_of(stored), key)))


def fingerprints_of(stored: Iterable[str]) -> frozenset[str]:
    """The fingerprints of every secret in stored findings."""
    return frozenset(found for row in stored for found in _FINGERPRINT.findall(row))


def repeated(text: str, known: frozenset[str], key: bytes) -> tuple[Secret, ...]:
    """The words of ``text`` that are secrets whose fingerprints are known: a customer writes them again."""
    if not known:
        return ()
    words = dict.fromkeys(w for w in text.split() if len(w) <= _WORD)
    found = (next((w for w in _readings(x) if w and fingerprint(key, Secret(w)) in known), None) for x in words)
    return tuple(Secret(w) for w in found if w is not None)


def _readings(word: str) -> Iterator[str]:
    """What may be the secret in a word: it may stand in quotation marks, before a full stop, after ``root:``."""
    for base in (word, *(word.split(mark, 1)[1] for mark in ":=/" if mark in word)):
        heads = range(min(_TRIMMED, len(base) - len(base.lstrip(_AROUND))) + 1)
        tails = range(min(_TRIMMED, len(base) - len(base.rstrip(_AROUND))) + 1)
        yield from (base[head : len(base) - tail] for tail in tails for head in heads)


def dump(findings: Findings, key: bytes) -> str:
    """JSON of findings, ready to be stored."""
    secrets = secrets_of(findings)
    return json.dumps(_plain(findings, key, secrets), ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Findings:
    """Findings as stored. Raises :class:`StoredFindingsError`."""
    try:
        value = _typed(Findings, json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoredFindingsError(f"stored findings cannot be read ({type(error).__name__}: {error})") from error
    if not isinstance(value, Findings):
        raise StoredFindingsError("stored findings are no object")
    return value


def _plain(value: object, key: bytes, secrets: tuple[str, ...]) -> object:
    if isinstance(value, Secret):
        return {"fingerprint": fingerprint(key, value)}
    if isinstance(value, Unread):
        span = dataclasses.replace(value.span, text="")
        return {"span": _plain(span, key, secrets), "topics": list(value.topics)}
    if isinstance(value, Heard) and not any(h.heard for h in value.hearings):
        value = dataclasses.replace(value, span=dataclasses.replace(value.span, text=""))
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, str):
        return masked(value, secrets)
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {f.name: _plain(getattr(value, f.name), key, () if f.name in _KEPT else secrets) for f in fields}
    if isinstance(value, (tuple, frozenset)):
        parts = [_plain(v, key, secrets) for v in value]
        return sorted(parts, key=str) if isinstance(value, frozenset) else parts
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise TypeError(f"findings hold a {type(value).__name__}, which is not stored")


@functools.cache
def _fields(kind: type) -> Mapping[str, object]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _typed(kind: object, value: object) -> object:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _typed(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple:
        return tuple(_typed(arguments[0], v) for v in _listed(value))
    if origin is frozenset:
        return frozenset(_typed(arguments[0], v) for v in _listed(value))
    if kind is Secret:
        return Secret(MASK)
    if kind is datetime:
        return datetime.fromisoformat(str(value))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(str(value))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise TypeError(f"{kind.__name__} is no object")
        # A field that came later has its default; one that went is left out: old rows stay readable.
        given = {name: _typed(hint, value[name]) for name, hint in _fields(kind).items() if name in value}
        build: Callable[..., object] = kind
        return build(**given)
    if kind is float and isinstance(value, int):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind):
        return value
    raise TypeError(f"expected {kind}, found {type(value).__name__}")


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {type(value).__name__}")
    return value
