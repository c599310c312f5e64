"""Outputs to probabilities that mean what they say, and thresholds for a wanted precision. Pure numpy.

Everything here is fitted on folds: the logits of sentences whose language, and so whose author, the model
never saw. The temperatures and thresholds of the shipped model are those of both folds together; what they
are worth is told by fitting on one fold and counting on the other (:func:`crossed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..model import Label
from .card import Tuning

Array = np.ndarray[Any, Any]

TEMPERATURES: Final = np.geomspace(0.4, 4.0, 60)
HEARD: Final = 0.80  # precision of what is worth a doubt: a limit that no rule read
SURE: Final = 0.90  # precision of what may stand alone where the table lets it; nine in ten of sets made to mislead
FEWEST: Final = 8  # a threshold above which fewer sentences lie was not measured
UNREACHED: Final = 0.999


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a threshold was right, over sentences that had no part in choosing it."""

    label: Label
    threshold: float
    right: int
    wrong: int
    missed: int


def temperature(logits: Array, gold: Array) -> float:
    """The temperature that makes one label's log loss least (Guo et al. 2017)."""
    losses = [float(np.mean(np.logaddexp(0.0, logits / t) - gold * logits / t)) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def threshold(p: Array, gold: Array, precision: float, least: float) -> float:
    """The lowest probability from ``least`` on at and above which ``precision`` holds; 0.999 when there is none.

    One with fewer than :data:`FEWEST` sentences above it was not measured and does not count.
    """
    order = np.argsort(-p, kind="stable")
    held = np.cumsum(gold[order]) / np.arange(1, len(p) + 1) >= precision
    held &= (np.arange(1, len(p) + 1) >= FEWEST) & (p[order] >= least)
    # Of equal probabilities all are above the threshold or none.
    held[:-1] &= p[order][:-1] > p[order][1:]
    places = np.flatnonzero(held)
    return min(float(p[order[places[-1]]]), UNREACHED) if len(places) else UNREACHED


def probabilities(logits: Array, tunings: Sequence[Tuning]) -> Array:
    """Calibrated probabilities [sentences, labels]."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits / np.asarray([t.temperature for t in tunings]))))


def tuned(logits: Array, gold: Array, labels: Sequence[Label]) -> tuple[Tuning, ...]:
    """Temperature and thresholds for each label from logits and gold [sentences, labels]."""
    found = []
    for i, label in enumerate(labels):
        t = temperature(logits[:, i], gold[:, i])
        p = 1.0 / (1.0 + np.exp(-logits[:, i] / t))
        heard = threshold(p, gold[:, i], HEARD, 0.3)
        sure = max(heard, threshold(p, gold[:, i], SURE, 0.5))
        found.append(Tuning(label, round(t, 4), round(heard, 4), round(sure, 4)))
    return tuple(found)


def crossed(folds: Sequence[tuple[Array, Array]], labels: Sequence[Label]) -> list[tuple[Counted, Counted]]:
    """Per label what ``heard`` and ``sure`` are worth: tuned on the other folds, counted on each one in turn."""
    totals = [[[0.0, 0, 0, 0], [0.0, 0, 0, 0]] for _ in labels]
    for k, (logits, gold) in enumerate(folds):
        others = [f for j, f in enumerate(folds) if j != k]
        tunings = tuned(np.concatenate([f[0] for f in others]), np.concatenate([f[1] for f in others]), labels)
        p = probabilities(logits, tunings)
        for i, t in enumerate(tunings):
            for row, least in zip(totals[i], (t.heard, t.sure), strict=True):
                said = p[:, i] >= least
                row[0] += least / len(folds)
                row[1] += int((said & (gold[:, i] == 1)).sum())
                row[2] += int((said & (gold[:, i] == 0)).sum())
                row[3] += int((~said & (gold[:, i] == 1)).sum())
    return [
        (Counted(label, a[0], int(a[1]), int(a[2]), int(a[3])), Counted(label, b[0], int(b[1]), int(b[2]), int(b[3])))
        for label, (a, b) in zip(labels, totals, strict=True)
    ]


def reliability(p: Array, gold: Array, bins: int = 10) -> list[tuple[float, float, int]]:
    """Per bin of predicted probability: its mean, how often it was true, how many; empty bins left out."""
    flat, truth = p.reshape(-1), gold.reshape(-1)
    place = np.minimum((flat * bins).astype(int), bins - 1)
    return [
        (float(flat[place == b].mean()), float(truth[place == b].mean()), int((place == b).sum()))
        for b in range(bins)
        if (place == b).any()
    ]
