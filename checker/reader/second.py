"""The second reader at work: sentences to calibrated probabilities, with onnxruntime and numpy only.

Loaded at the first mail (0.3 s). Segments are read in batches of like length; a text is cut at 1,200
characters and at the card's number of pieces, so a hostile mail costs no more than its number of segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from ..model import Hearing
from .blocks import whole
from .card import MODEL, VOCABULARY, WEIGHTS, Card, ReaderFilesError, checked, read_card
from .vocabulary import Vocabulary, from_bytes

PREFIX: Final = "query: "  # multilingual-e5 was trained with it
BATCH: Final = 32
FLOOR: Final = 0.005  # what is less likely is not worth keeping


class Session(Protocol):
    """The one call of ``onnxruntime.InferenceSession`` that is used."""

    def run(self, outputs: None, inputs: dict[str, Any]) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything needed to read, in memory."""

    card: Card
    vocabulary: Vocabulary
    table: Any  # [pieces, hidden / 32] blocks
    positions: Any  # float32 [pieces a segment, hidden]
    session: Session


def load(folder: Path = WEIGHTS, threads: int = 1) -> Loaded:
    """The files of ``folder``, checked against their record. Raises :class:`ReaderFilesError`."""
    card = read_card(folder)
    try:
        vocabulary, table, positions = from_bytes(checked(folder, VOCABULARY, card))
    except ReaderFilesError:
        raise
    except ValueError as error:
        raise ReaderFilesError(f"{folder / VOCABULARY}: {error}") from error
    session = _session(checked(folder, MODEL, card), threads, folder)
    return Loaded(card, vocabulary, table, positions, session)


def _session(raw: bytes, threads: int, folder: Path) -> Session:
    try:
        import onnxruntime
    except ImportError as error:
        raise ReaderFilesError("onnxruntime cannot be imported; install it or set [reader] enabled = false") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    try:
        session: Session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ReaderFilesError(f"{folder / MODEL} cannot be loaded ({type(error).__name__}); restore it") from error
    return session


@dataclass(slots=True)
class SecondReader:
    """Reads segments. Files are loaded at the first call; what is wrong with them is raised there."""

    folder: Path = WEIGHTS
    threads: int = 1
    _loaded: Loaded | None = field(default=None, repr=False)

    @property
    def loaded(self) -> Loaded:
        """The files, loaded now if they were not yet. Raises :class:`ReaderFilesError`."""
        if self._loaded is None:
            self._loaded = load(self.folder, self.threads)
        return self._loaded

    def read(self, texts: Sequence[str]) -> tuple[tuple[Hearing, ...], ...]:
        """Per text: its labels with calibrated probabilities, the likeliest first."""
        tunings = self.loaded.card.tunings
        temperatures = np.asarray([t.temperature for t in tunings], dtype=np.float32)
        return tuple(
            tuple(
                Hearing(t.label, round(x, 4), x >= t.heard, x >= t.sure)
                for x, t in sorted(zip(row, tunings, strict=True), key=lambda pair: -pair[0])
                if x >= FLOOR
            )
            for row in (1.0 / (1.0 + np.exp(-self.logits(texts) / temperatures))).tolist()
        )

    def logits(self, texts: Sequence[str]) -> Any:
        """float32 [texts, labels]: the outputs before calibration."""
        loaded = self.loaded
        rows = [loaded.vocabulary.encode(PREFIX + text, loaded.card.pieces) for text in texts]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        found = np.zeros((len(rows), len(loaded.card.tunings)), dtype=np.float32)
        for k in range(0, len(order), BATCH):
            some = order[k : k + BATCH]
            found[some] = self._logits(loaded, [rows[i] for i in some])
        return found

    @staticmethod
    def _logits(loaded: Loaded, rows: Sequence[Sequence[int]]) -> Any:
        width = max(map(len, rows))
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.float32)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1.0
        embedded = whole(loaded.table[ids.reshape(-1)]).reshape(len(rows), width, -1) + loaded.positions[:width]
        return loaded.session.run(None, {"embedded": embedded, "mask": mask})[0]
