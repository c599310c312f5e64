"""What is shipped with the weights: ``reader.json``, the reader's own record of what it is and how sure it may be.

Hashes of the two files, the labels in the order of the outputs, a temperature per label (calibration, Guo et
al. 2017) and two thresholds per label, chosen on other authors' text (see ``evaluation.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..model import Label

CARD: Final = "reader.json"
MODEL: Final = "reader.onnx"
VOCABULARY: Final = "vocabulary.npz"
WEIGHTS: Final = Path(__file__).parent / "weights"


class ReaderFilesError(ValueError):
    """Files of the reader that cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one output is read: ``p = sigmoid(logit / temperature)``; ``heard`` and ``sure`` are probabilities."""

    label: Label
    temperature: float
    heard: float
    sure: float


@dataclass(frozen=True, slots=True)
class Card:
    """The record: version of the files, pieces a segment at most, tunings in the order of the outputs."""

    version: str
    pieces: int
    tunings: tuple[Tuning, ...]
    hashes: Mapping[str, str]


def read_card(folder: Path) -> Card:
    """The record in ``folder``. Raises :class:`ReaderFilesError` when it is absent or damaged."""
    place = folder / CARD
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        tunings = tuple(
            Tuning(Label(t["label"]), float(t["temperature"]), float(t["heard"]), float(t["sure"]))
            for t in data["labels"]
        )
        card = Card(str(data["version"]), int(data["pieces"]), tunings, {k: str(v) for k, v in data["sha256"].items()})
    except FileNotFoundError as error:
        raise ReaderFilesError(
            f"{place} is missing; install the reader's files or set [reader] enabled = false"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReaderFilesError(f"{place} is damaged ({type(error).__name__}); restore it from the release") from error
    if any(t.temperature <= 0 or not 0 < t.heard <= t.sure <= 1 for t in tunings) or not tunings or card.pieces < 8:
        raise ReaderFilesError(f"{place}: temperatures are above 0 and 0 < heard <= sure <= 1; restore it")
    if {MODEL, VOCABULARY} - set(card.hashes):
        raise ReaderFilesError(f"{place}: no sha256 of {MODEL} and {VOCABULARY}; restore it from the release")
    return card


def checked(folder: Path, name: str, card: Card) -> bytes:
    """The bytes of a file that is the one that the record names."""
    place = folder / name
    try:
        raw = place.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReaderFilesError(f"{place} cannot be read ({reason}); restore it from the release") from error
    if hashlib.sha256(raw).hexdigest() != card.hashes[name]:
        raise ReaderFilesError(
            f"{place} is not the file that {CARD} names (SHA-256 differs); restore it from the release"
        )
    return raw
