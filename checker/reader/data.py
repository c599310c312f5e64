"""Labelled statements for training and measuring the reader."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Label

LABELS: tuple[Label, ...] = tuple(Label)
LANGUAGE_FOLDS = (("it", "de", "pl", "hr"), ("en", "fr", "es", "sl"))  # one author a language: no author in both


@dataclass(frozen=True, slots=True)
class Item:
    """One statement. ``group`` keeps a contrast set together when folds are cut."""

    text: str
    labels: frozenset[Label]
    language: str
    group: str


def read(files: Iterable[Path]) -> tuple[Item, ...]:
    """The items of JSON-lines files (``text``, ``labels``, ``language``, optional ``set``)."""
    found = []
    for file in sorted(files):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            entry = json.loads(line)
            try:
                labels = frozenset(Label(x) for x in entry["labels"])
            except ValueError as error:
                raise ValueError(f"{file}, line {number}: {error}; use the labels of checker.model.Label") from error
            group = f"{file.stem}/{entry['set']}" if "set" in entry else f"{file.stem}/{number}"
            found.append(Item(entry["text"], labels, entry["language"], group))
    return tuple(found)


def folds(items: Sequence[Item], groups_of_languages: Sequence[Sequence[str]]) -> list[tuple[list[Item], list[Item]]]:
    """Per group of languages: (train on the others, test on it). Other languages are other authors."""
    return [
        ([i for i in items if i.language not in group], [i for i in items if i.language in group])
        for group in groups_of_languages
    ]
