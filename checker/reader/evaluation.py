"""What the reader is worth: ``python -m checker.reader.evaluation --data … --out …`` after the training.

Reads the folds' logits that the training left in ``--out``: every sentence was judged by a model that never saw
its language, and so not its author. Prints tables in Markdown for the model card and, with ``--plot``, draws the
reliability of the calibrated probabilities.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ..model import Label
from . import calibration
from .calibration import Array, Counted
from .card import WEIGHTS, Card, read_card
from .data import LABELS, LANGUAGE_FOLDS, Item, folds, read

CONSENTS: Final = (
    *(Label.POWER_GRANTED, Label.BACKUP_CONFIRMED, Label.LOSS_ACCEPTED),
    *(Label.ERASE_CONSENT, Label.RISK_ACCEPTED, Label.DOWNTIME_OK),
)
SHOWN: Final = 12  # errors of each kind


def judged(items: Sequence[Item], out: Path) -> list[tuple[list[Item], Array, Array]]:
    """Per fold: its sentences, logits and gold. Raises ``ValueError`` when they do not fit the data."""
    found = []
    for number, (_, testing) in enumerate(folds(items, LANGUAGE_FOLDS)):
        with np.load(out / f"fold{number}.npz") as data:
            logits, gold = data["logits"], data["gold"]
        if gold.tolist() != [[float(label in i.labels) for label in LABELS] for i in testing]:
            raise ValueError(f"{out / f'fold{number}.npz'} was made from other data; train again")
        found.append((testing, logits, gold))
    return found


def by_label(pairs: Sequence[tuple[Array, Array]]) -> Iterator[str]:
    """Per label: thresholds chosen on one fold, counted on the other."""
    yield "| label | heard ≥ | precision | recall | sure ≥ | precision | recall |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for heard, sure in calibration.crossed(pairs, LABELS):
        yield f"| {heard.label} | {_figures(heard)} | {_figures(sure)} |"


def _figures(c: Counted) -> str:
    said, all_ = c.right + c.wrong, c.right + c.missed
    return f"{c.threshold:.2f} | {c.right / said if said else 1:.3f} ({c.wrong} wrong) | {c.right / max(1, all_):.2f}"


def by_language(folded: Sequence[tuple[list[Item], Array, Array]], card: Card) -> Iterator[str]:
    """Per language at .5: all labels pooled, and the six consents pooled."""
    yield "| language | sentences | precision | recall | consents: precision | recall |"
    yield "| --- | --- | --- | --- | --- | --- |"
    chosen = [LABELS.index(label) for label in CONSENTS]
    for items, logits, gold in folded:
        p = calibration.probabilities(logits, card.tunings)
        for language in sorted({i.language for i in items}):
            rows = np.asarray([i.language == language for i in items])
            pooled = _pooled(p[rows], gold[rows])
            consents = _pooled(p[rows][:, chosen], gold[rows][:, chosen])
            yield f"| {language} | {rows.sum()} | {pooled} | {consents} |"


def _pooled(p: Array, gold: Array) -> str:
    right, wrong = int(((p >= 0.5) & (gold == 1)).sum()), int(((p >= 0.5) & (gold == 0)).sum())
    return f"{right / max(1, right + wrong):.3f} | {right / max(1, int(gold.sum())):.3f}"


def at_levels(folded: Sequence[tuple[list[Item], Array, Array]], card: Card) -> Iterator[str]:
    """The consents pooled, at several probabilities."""
    p = np.concatenate([calibration.probabilities(logits, card.tunings) for _, logits, _ in folded])
    gold = np.concatenate([g for _, _, g in folded])
    chosen = [LABELS.index(label) for label in CONSENTS]
    p, gold = p[:, chosen], gold[:, chosen]
    yield "| p ≥ | right | false | precision | recall |"
    yield "| --- | --- | --- | --- | --- |"
    for level in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99):
        right, wrong = int(((p >= level) & (gold == 1)).sum()), int(((p >= level) & (gold == 0)).sum())
        yield f"| {level} | {right} | {wrong} | {right / max(1, right + wrong):.3f} | {right / gold.sum():.3f} |"
    true, rest = np.mean(p[gold == 1] < 0.02), np.mean(p[gold == 0] < 0.02)
    yield ""
    yield f"Silent (p < .02) on {true:.1%} of the true consents and {rest:.1%} of the rest."


def errors(folded: Sequence[tuple[list[Item], Array, Array]], card: Card) -> Iterator[str]:
    """The consents that were heard most surely where none was given."""
    rows = []
    for items, logits, gold in folded:
        p = calibration.probabilities(logits, card.tunings)
        for label in CONSENTS:
            k = LABELS.index(label)
            rows += [(p[i, k], label, item) for i, item in enumerate(items) if not gold[i, k]]
    for value, label, item in sorted(rows, key=lambda r: -r[0])[:SHOWN]:
        yield f"- {value:.2f} {label} ({item.language}): {item.text}"


def plot(folded: Sequence[tuple[list[Item], Array, Array]], card: Card, place: Path) -> None:
    """Draw predicted against observed frequency."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    p = np.concatenate([calibration.probabilities(logits, card.tunings) for _, logits, _ in folded])
    rows = calibration.reliability(p, np.concatenate([g for _, _, g in folded]))
    figure, axes = pyplot.subplots(figsize=(4, 4))
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([r[0] for r in rows], [r[1] for r in rows], marker="o")
    axes.set_xlabel("calibrated probability")
    axes.set_ylabel("how often it was true")
    figure.tight_layout()
    figure.savefig(place, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables and plot for the model card.")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="the files that the training was given")
    parser.add_argument("--out", type=Path, required=True, help="the folder that the training wrote its folds to")
    parser.add_argument("--files", type=Path, default=WEIGHTS, help="the runtime's files")
    parser.add_argument("--plot", type=Path, help="where to draw the reliability (PNG)")
    args = parser.parse_args()
    card = read_card(args.files)
    folded = judged(read(args.data), args.out)
    sections = {
        "By label, thresholds chosen on the other fold": by_label([(logits, gold) for _, logits, gold in folded]),
        "By language, at .5": by_language(folded, card),
        "Six consents pooled": at_levels(folded, card),
        "The surest false consents": errors(folded, card),
    }
    for title, lines in sections.items():
        print(f"### {title}\n\n" + "\n".join(lines) + "\n")
    if args.plot:
        plot(folded, card, args.plot)


if __name__ == "__main__":
    main()
