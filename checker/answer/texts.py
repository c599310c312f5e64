"""The words of every language, checked once when they are loaded.

Built from the tables of ``replies/texts/<xx>.toml``. A text that a language lacks is English, and
:attr:`Texts.fallbacks` lists it; a key that nobody reads, a placeholder that nobody fills and a text that is no
string are errors that name file and key. English must be complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Final

from .model import REASONS, UNSAID, AnswerError
from .schema import EMPTY_ALLOWED, EXAMPLES, KEYS

BASE: Final = "en"
_EXAMPLE_MARK: Final = "mark.example"


class TextsError(AnswerError):
    """A language file that cannot be used; the message names file, key and what to do."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """A text that ``language`` lacks and that is shown in English."""

    language: str
    key: str


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts. ``tables`` maps language to key to text, gaps already filled with English."""

    tables: Mapping[str, Mapping[str, str]]
    fallbacks: tuple[Fallback, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(self.tables))

    def choose(self, language: str) -> str:
        """``language`` when there are texts for it, else English."""
        return language if language in self.tables else BASE

    def get(self, language: str, key: str, **values: str) -> str:
        """The text under ``key`` with its placeholders filled; braces inside values stay as they are."""
        text = self.tables[self.choose(language)].get(key)
        if text is None:
            raise TextsError(f"no text '{key}'; the templates may use the keys of checker/answer/schema.py")
        parts: list[str] = []
        for literal, name, _, _ in Formatter().parse(text):
            parts.append(literal)
            if name is not None:
                if name not in values:
                    raise TextsError(f"text '{key}' needs '{name}'; give it where the template asks for the text")
                parts.append(values[name])
        return "".join(parts)

    def question(self, language: str, requirement: str, reason: str, form: str, **values: str) -> str:
        """The question for a requirement; an unknown reason asks the plain question, which is always right."""
        if requirement not in REASONS:
            known = ", ".join(REASONS)
            raise TextsError(f"there is no question for the requirement '{requirement}'; the texts know {known}")
        if reason not in REASONS[requirement]:
            reason = UNSAID
        return self.get(language, f"question.{requirement}.{reason}.{form}", **values)

    def examples(self, language: str | None = None) -> tuple[str, ...]:
        """The bare example sentences of a language, or of all: what a reader must not take for an answer
        when it comes back together with its mark (see :meth:`marked_examples`)."""
        chosen = self.languages if language is None else (self.choose(language),)
        return _distinct(self.tables[c][key] for c in chosen for key in EXAMPLES)

    def marked_examples(self, language: str | None = None) -> tuple[str, ...]:
        """The example lines just as replies print them, mark and quotation marks included."""
        chosen = self.languages if language is None else (self.choose(language),)
        return _distinct(mark(self, c, self.tables[c][key]) for c in chosen for key in EXAMPLES)

    def example_marks(self, language: str | None = None) -> tuple[str, ...]:
        """The words that open an example line ("Example:", …)."""
        chosen = self.languages if language is None else (self.choose(language),)
        heads = (self.tables[c][_EXAMPLE_MARK].partition("{")[0].strip() for c in chosen)
        return _distinct(h for h in heads if h)

    def sentences(self, language: str | None = None) -> tuple[str, ...]:
        """Every whole sentence of ours that a reply may hold, for telling our words from the customer's."""
        chosen = self.languages if language is None else (self.choose(language),)
        return _distinct(
            text
            for c in chosen
            for key, text in self.tables[c].items()
            if not key.startswith(("digest.", "language.")) and "{" not in text and len(text.split()) >= 3
        )


def mark(texts: Texts, language: str, example: str) -> str:
    """An example as it stands in a reply: in quotation marks, after the word that says it is one."""
    opened, closed = texts.get(language, "language.quote_open"), texts.get(language, "language.quote_close")
    return texts.get(language, _EXAMPLE_MARK, example=f"{opened}{example}{closed}")


def build(tables: Mapping[str, Mapping[str, object]]) -> Texts:
    """Texts from the parsed language files, by language code. Raises :class:`TextsError`."""
    if BASE not in tables:
        raise TextsError("replies/texts/en.toml is missing; English is what other languages fall back to")
    flat = {language: _checked(language, tables[language]) for language in sorted(tables)}
    base = flat[BASE]
    lacking = [key for key in KEYS if key not in base]
    if lacking:
        raise TextsError(f"{_file(BASE)}: '{lacking[0]}' is missing; English must have every text")
    fallbacks: list[Fallback] = []
    full: dict[str, Mapping[str, str]] = {}
    for language, own in flat.items():
        gaps = [key for key in KEYS if key not in own]
        fallbacks.extend(Fallback(language, key) for key in _folded(gaps))
        full[language] = MappingProxyType({key: own.get(key, base[key]) for key in KEYS})
    return Texts(MappingProxyType(full), tuple(fallbacks))


def _checked(language: str, table: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in _flatten(table, ""):
        place = f"{_file(language)}: '{key}'"
        allowed = KEYS.get(key)
        if allowed is None:
            raise TextsError(f"{place} is not a text that is used; check the spelling or remove it")
        if not isinstance(value, str):
            raise TextsError(f"{place} must be a text in quotation marks, not {type(value).__name__}")
        if not value.strip() and key not in EMPTY_ALLOWED and key != "language.list_separator":
            raise TextsError(f"{place} is empty; write the text, or remove the line to fall back to English")
        if "\n" in value or "\r" in value:
            raise TextsError(f"{place} must be one line; templates do the wrapping")
        for name in _placeholders(value, place):
            if name not in allowed:
                may = ", ".join(f"{{{a}}}" for a in sorted(allowed)) or "none"
                raise TextsError(f"{place} uses {{{name}}}, which is not filled there; it may use: {may}")
        found[key] = value
    return found


def _placeholders(text: str, place: str) -> Iterator[str]:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError:
        raise TextsError(f"{place} has a brace without its partner; write {{{{ or }}}} for a brace itself") from None
    for _, name, spec, conversion in parsed:
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise TextsError(f"{place}: '{{{name}}}' must be a plain name in braces")
        yield name


def _flatten(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _folded(gaps: list[str]) -> Iterator[str]:
    """The gaps, a wholly missing digest as one line: most languages are for customers only."""
    staff = [k for k in KEYS if k.startswith("digest.")]
    if all(k in gaps for k in staff):
        yield "digest"
        yield from (k for k in gaps if not k.startswith("digest."))
    else:
        yield from gaps


def _file(language: str) -> str:
    return f"replies/texts/{language}.toml"


def _distinct(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
