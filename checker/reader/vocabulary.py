"""The encoder's pieces: a SentencePiece unigram tokenizer (Kudo 2018) over a pruned vocabulary.

The algorithm is the published one: normalise by a table of code points, mark words with U+2581, then the
best segmentation by Viterbi over piece scores. Cost is linear in the text times the longest piece.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .blocks import BLOCKS

MARK = "\u2581"
MAX_CHARS = 1200  # a longer segment is cut: the encoder reads 128 pieces at most


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces with their scores, and the normalisation table. Ids index the embedding table."""

    pieces: Mapping[str, int]
    scores: Sequence[float]
    normal: dict[int, str]
    bos: int
    eos: int
    unk: int
    unk_score: float
    longest: int

    def encode(self, text: str, limit: int) -> list[int]:
        """The ids of ``text`` with begin and end marks, at most ``limit`` of them."""
        plain = text[:MAX_CHARS].translate(self.normal)
        words = MARK + MARK.join(plain.split())
        return [self.bos, *self._best(words)[: limit - 2], self.eos]

    def _best(self, text: str) -> list[int]:
        total = len(text)
        score = [-1e30] * (total + 1)
        back: list[tuple[int, int]] = [(0, self.unk)] * (total + 1)
        score[0] = 0.0
        pieces, scores = self.pieces, self.scores
        for i in range(total):
            here = score[i]
            if here <= -1e29:
                continue
            for j in range(i + 1, min(total, i + self.longest) + 1):
                number = pieces.get(text[i:j])
                if number is not None and here + scores[number] > score[j]:
                    score[j] = here + scores[number]
                    back[j] = (i, number)
            if here + self.unk_score > score[i + 1]:
                score[i + 1] = here + self.unk_score
                back[i + 1] = (i, self.unk)
        found = []
        at = total
        while at > 0:
            at, number = back[at]
            found.append(number)
        return found[::-1]


def to_bytes(vocabulary: Vocabulary, table: np.ndarray[Any, Any], positions: np.ndarray[Any, Any]) -> bytes:
    """``vocabulary`` with its embedding table (:data:`~.blocks.BLOCKS`) and the position vectors, as one file."""
    ordered = sorted(vocabulary.pieces, key=lambda p: vocabulary.pieces[p])
    out = io.BytesIO()
    np.savez(
        out,
        pieces=np.frombuffer("\n".join(ordered).encode(), dtype=np.uint8),
        scores=np.asarray(vocabulary.scores, dtype=np.float32),
        normal=np.frombuffer("\n".join(f"{k:x} {v}" for k, v in vocabulary.normal.items()).encode(), dtype=np.uint8),
        special=np.asarray([vocabulary.bos, vocabulary.eos, vocabulary.unk], dtype=np.int32),
        unk_score=np.asarray([vocabulary.unk_score], dtype=np.float32),
        scale=table["d"],
        nibbles=table["q"],
        positions=positions.astype(np.float32),
    )
    return out.getvalue()


def from_bytes(raw: bytes) -> tuple[Vocabulary, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Vocabulary, table and positions in ``raw``. Raises ``ValueError`` when it holds none."""
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as data:
            ordered = data["pieces"].tobytes().decode().split("\n")
            scores = data["scores"].tolist()
            rows = data["normal"].tobytes().decode().split("\n")
            bos, eos, unk = (int(x) for x in data["special"])
            unk_score = float(data["unk_score"][0])
            table = np.zeros(data["scale"].shape, dtype=BLOCKS)
            table["d"], table["q"] = data["scale"], data["nibbles"]
            positions = data["positions"]
    except (KeyError, OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError("the vocabulary file is damaged; restore the reader's files from the release") from error
    normal = {int(code, 16): text for code, _, text in (row.partition(" ") for row in rows if row)}
    pieces = {piece: i for i, piece in enumerate(ordered)}
    vocabulary = Vocabulary(pieces, scores, normal, bos, eos, unk, unk_score, max(map(len, ordered)))
    return vocabulary, table, positions
