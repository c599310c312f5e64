"""Matrices as blocks of 32 four-bit weights: how the embedding table is carried (10.6 MB for 50,000 pieces)."""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCK = 32
BLOCKS = np.dtype([("d", "<f2"), ("q", "u1", 16)])


def whole(blocks: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """float32 [rows, columns] of :data:`BLOCKS` [rows, columns / 32]; low nibbles are weights 0-15 of a block."""
    low, high = (blocks["q"] & 15).astype(np.float32) - 8, (blocks["q"] >> 4).astype(np.float32) - 8
    found = np.concatenate([low, high], axis=-1) * blocks["d"].astype(np.float32)[..., None]
    return np.asarray(found.reshape(len(blocks), -1), dtype=np.float32)
