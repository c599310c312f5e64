"""The words that mail programs and people put around a message, from the packs' ``mail.toml``.

All packs apply to every mail: a Slovene answers over a German quote header with an English footer.
Phrases match whole words, folded (case, accents and punctuation do not count), by look-up and by
substring search; nothing of a pack becomes a regular expression.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_WORD: Final = re.compile(r"\w+")
_MARKS: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")  # combining accents
_PLAIN: Final = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "_": " "})

# Table and key -> what it becomes; a key that is not here is an error that names the file.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "quotes": ("starts", "wrote", "original", "forwarded"),
    "headers": ("from", "sent", "to", "cc", "subject"),
    "subjects": ("reply", "forward", "automatic"),
    "signature": ("closings", "thanks", "joining", "sent_from", "postscript", "contact", "company", "keep"),
    "footers": ("disclaimer", "stub"),
}


class MailWordsError(ValueError):
    """A ``mail.toml`` that cannot be used; the message names the file, the key and what to do."""


class HeaderRole(StrEnum):
    """What a line of a quoted header block ("Da:", "Gesendet:") names."""

    FROM = "from"
    SENT = "sent"
    TO = "to"
    CC = "cc"
    SUBJECT = "subject"


def fold(text: str) -> str:
    """Lower case without accents; length may change, so offsets into the result mean nothing."""
    if text.isascii():
        return text.lower().replace("_", " ")
    return _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold())).translate(_PLAIN)


def plain_words(text: str) -> str:
    """The folded words with one blank before, between and after them; ``" "`` where there are none."""
    words = _WORD.findall(fold(text))
    return f" {' '.join(words)} " if words else " "


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases by their first word, longest first, each as a tuple of folded words."""

    by_first: Mapping[str, tuple[tuple[str, ...], ...]]
    padded: Mapping[str, tuple[str, ...]]  # the same as " ha scritto ", for substring search in plain_words

    def prefix(self, words: tuple[str, ...]) -> int:
        """How many words at the start are the longest phrase; 0 when none is."""
        if not words:
            return 0
        for phrase in self.by_first.get(words[0], ()):
            if words[: len(phrase)] == phrase:
                return len(phrase)
        return 0

    def whole(self, padded: str) -> bool:
        """Whether the text is one of the phrases and nothing else."""
        words = tuple(padded.split())
        return 0 < len(words) == self.prefix(words)

    def find(self, padded: str) -> int:
        """Where in ``padded`` (from :func:`plain_words`) the last phrase ends; -1 when none occurs."""
        beginnings = self.padded.keys() & padded.split()
        ends = [at + len(p) for word in beginnings for p in self.padded[word] if (at := padded.rfind(p)) >= 0]
        return max(ends, default=-1)

    def inside(self, padded: str) -> bool:
        """Whether any phrase occurs in ``padded`` (from :func:`plain_words`)."""
        beginnings = self.padded.keys() & padded.split()
        return any(phrase in padded for word in beginnings for phrase in self.padded[word])


@dataclass(frozen=True, slots=True)
class MailWords:
    """The packs' mail words, merged over the languages."""

    starts: Phrases
    wrote: Phrases
    original: Phrases
    forwarded: Phrases
    headers: Mapping[str, frozenset[HeaderRole]]  # folded key -> what it can name ("a" is Italian "to")
    reply_prefixes: frozenset[str]
    forward_prefixes: frozenset[str]
    automatic_subjects: Phrases
    closings: Phrases
    thanks: Phrases
    joining: frozenset[str]
    sent_from: Phrases
    postscript: Phrases
    contact: Phrases
    company: Phrases
    keep: Phrases
    disclaimer: Phrases
    stub: Phrases


def mail_words(packs: Mapping[str, Mapping[str, object]]) -> MailWords:
    """The merged words of ``packs[language]``, each the parsed ``rules/lang/<language>/mail.toml``.

    :raises MailWordsError: on an unknown or missing table or key, or a value that is no list of phrases
    """
    lists: dict[tuple[str, str], list[str]] = {(t, k): [] for t, keys in _KEYS.items() for k in keys}
    for language, data in packs.items():
        _collect(f"rules/lang/{language}/mail.toml", data, lists)

    def phrases(table: str, key: str) -> Phrases:
        return _phrases(lists[table, key])

    return MailWords(
        starts=phrases("quotes", "starts"),
        wrote=phrases("quotes", "wrote"),
        original=phrases("quotes", "original"),
        forwarded=phrases("quotes", "forwarded"),
        headers=_headers(lists),
        reply_prefixes=frozenset(plain_words(w).strip() for w in lists["subjects", "reply"]),
        forward_prefixes=frozenset(plain_words(w).strip() for w in lists["subjects", "forward"]),
        automatic_subjects=phrases("subjects", "automatic"),
        closings=phrases("signature", "closings"),
        thanks=phrases("signature", "thanks"),
        joining=frozenset(plain_words(w).strip() for w in lists["signature", "joining"]),
        sent_from=phrases("signature", "sent_from"),
        postscript=phrases("signature", "postscript"),
        contact=phrases("signature", "contact"),
        company=phrases("signature", "company"),
        keep=phrases("signature", "keep"),
        disclaimer=phrases("footers", "disclaimer"),
        stub=phrases("footers", "stub"),
    )


def _collect(place: str, data: Mapping[str, object], lists: dict[tuple[str, str], list[str]]) -> None:
    for table in data:
        if table not in _KEYS:
            raise MailWordsError(f"{place}: unknown table [{table}]; use {', '.join(f'[{t}]' for t in _KEYS)}")
    for table, keys in _KEYS.items():
        content = data.get(table)
        if not isinstance(content, Mapping):
            raise MailWordsError(f"{place}: table [{table}] is missing; write it with {', '.join(keys)}")
        for key in content:
            if key not in keys:
                raise MailWordsError(f"{place}: [{table}] has an unknown key '{key}'; use {', '.join(keys)}")
        for key in keys:
            value = content.get(key)
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise MailWordsError(f"{place}: [{table}] {key} must be a list of phrases, e.g. {key} = []")
            for phrase in value:
                if plain_words(phrase) == " ":
                    raise MailWordsError(f"{place}: [{table}] {key} has '{phrase}', which holds no word; remove it")
                lists[table, key].append(phrase)


def _phrases(texts: list[str]) -> Phrases:
    unique = {tuple(plain_words(t).split()) for t in texts}
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(unique, key=lambda p: (-len(p), p)):
        by_first.setdefault(phrase[0], []).append(phrase)
    return Phrases(
        {first: tuple(found) for first, found in by_first.items()},
        {first: tuple(f" {' '.join(p)} " for p in found) for first, found in by_first.items()},
    )


def _headers(lists: Mapping[tuple[str, str], list[str]]) -> Mapping[str, frozenset[HeaderRole]]:
    roles: dict[str, set[HeaderRole]] = {}
    for role in HeaderRole:
        for name in lists["headers", role.value]:
            roles.setdefault(plain_words(name).strip(), set()).add(role)
    return {name: frozenset(r) for name, r in roles.items()}
