"""The shipped weights: the files of their record, plain sentences heard as what they are, hostile ones bounded."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from checker.model import Label
from checker.reader.card import CARD, MODEL, VOCABULARY, WEIGHTS, read_card
from checker.reader.data import LABELS
from checker.reader.second import SecondReader

LIMIT_MB = 40


@cache
def reader() -> SecondReader:
    return SecondReader()


def likeliest(text: str) -> Label | None:
    [hearings] = reader().read([text])
    return hearings[0].label if hearings and hearings[0].p >= 0.5 else None


def test_the_files_are_small_enough_and_know_every_label() -> None:
    assert sum((WEIGHTS / name).stat().st_size for name in (MODEL, VOCABULARY, CARD)) < LIMIT_MB * 1_000_000
    assert tuple(t.label for t in read_card(WEIGHTS).tunings) == LABELS


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Potete riavviare il server quando volete.", Label.POWER_GRANTED),
        ("Feel free to reboot the machine at any time.", Label.POWER_GRANTED),
        ("Wir haben heute Nacht ein vollständiges Backup gemacht.", Label.BACKUP_CONFIRMED),
        ("Nous n'avons aucune sauvegarde.", Label.BACKUP_ABSENT),
        ("Sé que se borrarán todos los datos y estoy de acuerdo.", Label.ERASE_CONSENT),
        ("Proszę wymienić dysk w slocie 2.", Label.REQUEST_HARDWARE),
        ("Molim vas da reinstalirate operacijski sustav.", Label.REQUEST_REINSTALL),
        ("Grazie e buona giornata.", None),
        ("Lep pozdrav, Ana", None),
    ],
)
def test_plain_sentences(text: str, label: Label | None) -> None:
    assert likeliest(text) == label


def test_a_batch_says_what_each_sentence_says_alone() -> None:
    texts = ["Potete riavviare.", "No.", "We have no backup at all, and losing the data is fine with us. " * 3]
    together = reader().logits(texts)
    for text, row in zip(texts, together, strict=True):
        assert np.allclose(reader().logits([text])[0], row, atol=2e-3)


@pytest.mark.parametrize(
    "text", ["", " ", "a" * 1_000_000, "再起動してください " * 1000, "\x00\u202e\ufffd", "🙂" * 5000]
)
def test_whatever_is_given_is_read_within_bounds(text: str) -> None:
    [hearings] = reader().read([text])
    assert all(0 <= h.p <= 1 for h in hearings)


def test_nothing_to_read() -> None:
    assert reader().read([]) == ()
