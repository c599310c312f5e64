"""Train, measure and ship the reader: ``python -m checker.reader.training --data … --out …``.

Two folds by language (other languages are other authors) tell what it is worth and set temperatures and
thresholds; the shipped model is trained on everything. Whoever evaluates it afterwards uses ``evaluation.py``.

The recipe: embedding table and the lowest layers frozen, mean pooling, a linear head, binary cross-entropy, AdamW
with 2e-4 at the top layer and 0.95 a layer down, 1e-3 for the head, batches of 16, dropout .1, two cycles of three and
two epochs over augmented text. Seeded; runs repeat on one machine and number of threads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import base as base_weights
from . import calibration, graph
from .augment import augmented
from .calibration import Array
from .card import CARD, MODEL, VOCABULARY, WEIGHTS
from .data import LABELS, LANGUAGE_FOLDS, Item, folds, read
from .network import Encoder
from .vocabulary import Vocabulary, to_bytes

PREFIX = "query: "
PIECES = 50_000
LENGTH = 96  # pieces a segment; longer ones are cut
BATCH = 16
CYCLES = (3, 2)  # epochs; each cycle warms up and decays anew (Loshchilov & Hutter 2017): one alone learned too little
FROZEN = 4  # layers from below that stay as they are: a fifth of the work, and what they know is not about mail
LATIN = re.compile(r"^[\u2581\u0020-\u024f\u2010-\u203a€]+$")


def batch_of(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    """Ids [batch, time] and mask, padded to the longest."""
    rows = [vocabulary.encode(PREFIX + text, LENGTH) for text in texts]
    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1.0
    return ids, mask


def fresh(items: Sequence[Item], base: base_weights.Base, seed: int) -> Encoder:
    """The base encoder with a new head."""
    torch.manual_seed(seed)
    model = Encoder(base, len(LABELS))
    with torch.no_grad():
        # Each output starts at how common its label is: from 0 the first epoch is spent on learning that.
        shares = torch.tensor([sum(label in i.labels for i in items) / len(items) for label in LABELS])
        model.head.bias.copy_(torch.logit(shares, eps=1e-4))
    return model


def train(
    model: Encoder, items: Sequence[Item], vocabulary: Vocabulary, table: Tensor, cycle: int, seed: int, progress: str
) -> Encoder:
    """``model`` after one more cycle of :data:`CYCLES`. ``table`` is the frozen embedding table."""
    if cycle:  # the first one goes on from the head's initial weights
        torch.manual_seed(seed + cycle)
    rng = random.Random(seed + cycle)  # noqa: S311 - reproducible augmentation, nothing secret
    epochs = CYCLES[cycle]
    layers = list(model.layers)
    for frozen in (*layers[:FROZEN], model.norm):
        frozen.requires_grad_(False)
    model.positions.requires_grad_(False)
    rates: list[dict[str, Any]] = [{"params": model.head.parameters(), "lr": 1e-3}]
    for depth, layer in enumerate(reversed(layers[FROZEN:])):
        rates.append({"params": layer.parameters(), "lr": 2e-4 * 0.95**depth})
    optimiser = torch.optim.AdamW(rates, weight_decay=0.01, fused=True)
    steps = epochs * (len(items) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: min(1.0, (s + 1) / (0.06 * steps)) * max(0.02, 1 - s / steps)
    )
    loss_of = nn.BCEWithLogitsLoss()
    started = time.monotonic()
    for epoch in range(epochs):
        model.train()
        drawn = [(augmented(i.text, rng) if epoch or cycle else i.text, i) for i in items]
        rng.shuffle(drawn)
        pools = [drawn[k : k + BATCH * 32] for k in range(0, len(drawn), BATCH * 32)]
        drawn = [d for pool in pools for d in sorted(pool, key=lambda d: len(d[0]))]  # little padding a batch
        batches = [drawn[k : k + BATCH] for k in range(0, len(drawn), BATCH)]
        rng.shuffle(batches)
        total = 0.0
        recent: list[float] = []
        for rows in batches:
            ids, mask = batch_of([text for text, _ in rows], vocabulary)
            gold = torch.tensor([[float(label in i.labels) for label in LABELS] for _, i in rows])
            loss = loss_of(model(table[ids], mask), gold)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
            recent.append(loss.item())
            if len(recent) == 100:
                print(f"{progress} {sum(recent) / 100:.4f} {time.monotonic() - started:.0f} s", flush=True)
                recent.clear()
        seconds = time.monotonic() - started
        print(f"{progress} epoch {epoch + 1}/{epochs} loss {total / len(batches):.4f} {seconds:.0f} s", flush=True)
    return model.eval()


def logits_of(model: Encoder, table: Tensor, vocabulary: Vocabulary, texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """Logits [texts, labels] in order."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = np.zeros((len(texts), len(LABELS)), dtype=np.float32)
    with torch.no_grad():
        for k in range(0, len(order), 64):
            rows = order[k : k + 64]
            ids, mask = batch_of([texts[i] for i in rows], vocabulary)
            out[rows] = model(table[ids], mask).numpy()
    return out


def ship(out: Path, model: Encoder, base: base_weights.Base, labelled: Sequence[tuple[Array, Array]]) -> None:
    """Write the runtime's files into ``out``: weights, vocabulary, and the record with what the folds taught."""
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    positions = state["positions"][:LENGTH]
    files = {
        MODEL: graph.build(state, base.layers, base.heads, base.epsilon),
        VOCABULARY: to_bytes(base.vocabulary, base.table, positions),
    }
    logits, gold = (np.concatenate([f[k] for f in labelled]) for k in (0, 1))
    tunings = calibration.tuned(logits, gold, LABELS)
    hashes = {}
    for name, raw in files.items():
        (out / name).write_bytes(raw)
        hashes[name] = hashlib.sha256(raw).hexdigest()
    record = {
        "version": hashes[MODEL][:12],
        "pieces": LENGTH,
        "labels": [
            {"label": t.label.value, "temperature": t.temperature, "heard": t.heard, "sure": t.sure} for t in tunings
        ],
        "sha256": hashes,
    }
    (out / CARD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for heard, sure in calibration.crossed(labelled, LABELS):
        print(f"{heard.label.value:24} heard {_told(heard)}   sure {_told(sure)}")


def _told(c: calibration.Counted) -> str:
    return f"≥{c.threshold:.2f} right {c.right} wrong {c.wrong} missed {c.missed}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Train, measure and ship the second reader.")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="JSON-lines files of labelled statements")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints; what is there is not redone")
    parser.add_argument("--ship", type=Path, default=WEIGHTS, help="folder for the runtime's files")
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--fold", type=int, help="only this fold's model and logits, to have them made side by side")
    parser.add_argument("--final", action="store_true", help="only the model on everything, likewise")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    items = read(args.data)
    base = base_weights.load(base_weights.find(), lambda p: bool(LATIN.match(p)), PIECES)
    table = torch.from_numpy(base.tensors["emb.word"])

    def trained(name: str, chosen: Sequence[Item]) -> Encoder:
        model = fresh(chosen, base, args.seed)
        for cycle in range(len(CYCLES)):
            place = args.out / f"{name}.{cycle}.pt"
            if place.exists():
                model.load_state_dict(torch.load(place, weights_only=True))
                continue
            model = train(model, chosen, base.vocabulary, table, cycle, args.seed, f"{name}.{cycle}")
            torch.save(model.state_dict(), place)
        return model.eval()

    if args.final:
        trained("final", items)
        return
    labelled = []
    for number, (training, testing) in enumerate(folds(items, LANGUAGE_FOLDS)):
        place = args.out / f"fold{number}.npz"
        if args.fold not in (None, number):
            continue
        if not place.exists():
            model = trained(f"fold{number}", training)
            np.savez_compressed(
                place,
                logits=logits_of(model, table, base.vocabulary, [i.text for i in testing]),
                gold=np.asarray([[float(label in i.labels) for label in LABELS] for i in testing]),
            )
        with np.load(place) as data:
            labelled.append((data["logits"], data["gold"]))
    if args.fold is None:
        ship(args.ship, trained("final", items), base, labelled)


if __name__ == "__main__":
    main()
