"""The second reader's parts that need no weights: pieces, blocks, calibration, its record, and what damage does."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.edges.second_reader import open_reader
from checker.extract.nlp import STATEMENTS, Note, pipeline, spans_of
from checker.extract.reading import reading_of
from checker.extract.second import MOST, hear
from checker.extract.segments import segment
from checker.model import Hearing, Label, Message, Zone, ZoneKind
from checker.reader import calibration, evaluation
from checker.reader.augment import augmented
from checker.reader.blocks import BLOCKS, whole
from checker.reader.card import CARD, MODEL, VOCABULARY, Card, ReaderFilesError, Tuning, checked, read_card
from checker.reader.data import LABELS, LANGUAGE_FOLDS, Item, folds, read
from checker.reader.second import SecondReader
from checker.reader.vocabulary import MARK, MAX_CHARS, Vocabulary, from_bytes, to_bytes
from checker.settings import ReaderSettings

PIECES = ["<s>", "</s>", "<unk>", MARK, MARK + "re", "boot", MARK + "reboot", "s", MARK + "now", "o", "t", "b"]
SCORES = [0.0, 0.0, 0.0, -4.0, -3.0, -3.0, -5.0, -3.5, -2.0, -6.0, -6.0, -6.0]


def tiny() -> Vocabulary:
    pieces = {p: i for i, p in enumerate(PIECES)}
    return Vocabulary(pieces, SCORES, {0xA0: " ", 0x00AD: ""}, 0, 1, 2, -20.0, max(map(len, PIECES)))


def pieces_of(text: str) -> list[str]:
    return [PIECES[i] for i in tiny().encode(text, 96)]


def test_the_likeliest_pieces_win() -> None:
    assert pieces_of("reboot now") == ["<s>", MARK + "reboot", MARK + "now", "</s>"], "-5 beats -3 + -3"
    assert pieces_of("reboots") == ["<s>", MARK + "reboot", "s", "</s>"]


def test_what_the_vocabulary_does_not_hold_is_unknown() -> None:
    assert pieces_of("боот") == ["<s>", MARK, "<unk>", "<unk>", "<unk>", "<unk>", "</s>"]


def test_code_points_are_normalised_first() -> None:
    assert pieces_of("re\u00adboot\u00a0 now") == pieces_of("reboot now")


def test_long_texts_are_cut() -> None:
    assert len(tiny().encode("now " * 100_000, 96)) == 96
    assert len(tiny().encode("b" * 10 * MAX_CHARS, 10**6)) == MAX_CHARS + 3, "the mark, and begin and end"


def test_a_vocabulary_survives_its_file() -> None:
    table = np.zeros((len(PIECES), 1), dtype=BLOCKS)
    table["d"], table["q"] = 0.5, np.arange(16, dtype=np.uint8)
    again, blocks, positions = from_bytes(to_bytes(tiny(), table, np.ones((96, 32))))
    assert again.encode("reboots now", 96) == tiny().encode("reboots now", 96)
    assert blocks.tobytes() == table.tobytes()
    assert positions.shape == (96, 32)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_vocabulary_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="vocabulary file is damaged"):
        from_bytes(raw)


def test_blocks() -> None:
    block = np.zeros((1, 1), dtype=BLOCKS)
    block["d"] = 0.25
    block["q"][0, 0, 0] = 0x9C  # weight 0: 12 - 8, weight 16: 9 - 8
    values = whole(block)
    assert values.shape == (1, 32)
    assert values[0, 0] == 1.0
    assert values[0, 16] == 0.25
    assert values[0, 1] == -2.0, "an empty nibble is -8"


# --- calibration -----------------------------------------------------------------------------------


def drawn(scale: float) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    logits = rng.normal(0, 2, 20_000)
    gold = (rng.random(20_000) < 1 / (1 + np.exp(-logits))).astype(float)
    return logits * scale, gold


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_over_and_under_confidence(scale: float) -> None:
    logits, gold = drawn(scale)
    assert calibration.temperature(logits, gold) == pytest.approx(scale, rel=0.06)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=200), st.sampled_from([0.9, 0.97]))
def test_a_threshold_holds_its_precision(pairs: list[tuple[float, bool]], precision: float) -> None:
    p, gold = np.asarray([x for x, _ in pairs]), np.asarray([float(g) for _, g in pairs])
    least = calibration.threshold(p, gold, precision, 0.3)
    assert 0.3 <= least <= calibration.UNREACHED
    said = p >= least
    if least < calibration.UNREACHED:
        assert said.sum() >= calibration.FEWEST
        assert gold[said].mean() >= precision


def test_a_threshold_that_was_not_measured_is_out_of_reach() -> None:
    p, gold = np.asarray([0.99] * 4 + [0.1] * 50), np.asarray([1.0] * 4 + [0.0] * 50)
    assert calibration.threshold(p, gold, 0.9, 0.3) == 0.999


def test_thresholds_are_counted_on_the_other_fold() -> None:
    good = np.linspace(-6, 6, 200)[:, None]
    truth = (good > 0).astype(float)
    told = calibration.crossed([(good, truth), (good, 1 - truth)], [Label.POWER_GRANTED])
    heard, _ = told[0]
    assert heard.label is Label.POWER_GRANTED
    assert heard.wrong > 0, "what was learned on one fold is wrong on the other, and shows"


def test_reliability() -> None:
    p = np.asarray([[0.05, 0.95], [0.15, 0.95]])
    rows = calibration.reliability(p, np.asarray([[0.0, 1.0], [0.0, 0.0]]))
    assert [(round(a, 2), b, n) for a, b, n in rows] == [(0.05, 0.0, 1), (0.15, 0.0, 1), (0.95, 0.5, 2)]


# --- the record and its files ----------------------------------------------------------------------


def written(folder: Path, **changes: object) -> Path:
    (folder / MODEL).write_bytes(b"no model")
    (folder / VOCABULARY).write_bytes(b"no vocabulary")
    hashes = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in (MODEL, VOCABULARY)}
    labels = [{"label": "power_granted", "temperature": 1.2, "heard": 0.6, "sure": 0.9}]
    data = {"version": "1", "pieces": 96, "labels": labels, "sha256": hashes} | changes
    (folder / CARD).write_text(json.dumps(data), encoding="utf-8")
    return folder


def test_a_record(tmp_path: Path) -> None:
    card = read_card(written(tmp_path))
    assert card.tunings == (Tuning(Label.POWER_GRANTED, 1.2, 0.6, 0.9),)
    assert checked(tmp_path, MODEL, card) == b"no model"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": []}, "restore it"),
        ({"labels": [{"label": "coffee", "temperature": 1, "heard": 0.5, "sure": 0.9}]}, "is damaged"),
        ({"labels": [{"label": "power_granted", "temperature": 0, "heard": 0.5, "sure": 0.9}]}, "above 0"),
        ({"labels": [{"label": "power_granted", "temperature": 1, "heard": 0.95, "sure": 0.9}]}, "heard <= sure"),
        ({"sha256": {}}, "no sha256"),
        ({"pieces": "many"}, "is damaged"),
    ],
)
def test_a_record_that_cannot_be_used(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ReaderFilesError, match=sentence):
        read_card(written(tmp_path, **changes))


def test_a_record_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("{", encoding="utf-8")
    with pytest.raises(ReaderFilesError, match="is damaged"):
        read_card(tmp_path)


def test_files_that_are_not_the_ones_of_the_record(tmp_path: Path) -> None:
    card = read_card(written(tmp_path))
    (tmp_path / MODEL).write_bytes(b"other")
    with pytest.raises(ReaderFilesError, match="SHA-256 differs"):
        checked(tmp_path, MODEL, card)
    (tmp_path / MODEL).unlink()
    with pytest.raises(ReaderFilesError, match="cannot be read"):
        checked(tmp_path, MODEL, card)


def test_right_hashes_of_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(ReaderFilesError, match="vocabulary file is damaged"):
        SecondReader(written(tmp_path)).read(["Restart it."])


class Log:
    """What was warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, event: str, **_: object) -> None:
        self.warnings.append(event)


def test_damage_turns_the_reader_off_once_and_the_rules_go_on(tmp_path: Path) -> None:
    reader = open_reader(ReaderSettings(folder=tmp_path))
    assert reader is not None
    reader.log = log = Log()
    assert list(reader.read(["Restart it.", "Thanks."])) == [(), ()]
    assert list(reader.read(["Restart it."])) == [()]
    assert log.warnings == ["second reader off"]
    assert "is missing" in reader.problem


def test_a_reader_that_is_turned_off() -> None:
    assert open_reader(ReaderSettings(enabled=False)) is None


# --- the seam --------------------------------------------------------------------------------------


class Parrot:
    """Hears a granted power action in every text, and remembers what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def read(self, texts: Sequence[str]) -> Sequence[tuple[Hearing, ...]]:
        self.texts += texts
        return [(Hearing(Label.POWER_GRANTED, 0.8, heard=True), Hearing(Label.POWER_DENIED, 0.1))] * len(texts)


def message(text: str, *zones: Zone) -> Message:
    return Message(1, "", 0, None, (), (), "Restart it please", None, None, (), None, text, zones)


def test_only_own_words_of_some_length_are_heard() -> None:
    text = "Hello!\n\nplease restart it.\n> You may restart it.\nJan 1 kernel: restart of it\n"
    quoted, log = text.index(">"), text.index("Jan")
    zones = (Zone(ZoneKind.OWN, 0, quoted), Zone(ZoneKind.QUOTED, quoted, log, 1), Zone(ZoneKind.LOG, log, len(text)))
    reading = reading_of(message(text, *zones))
    parrot = Parrot()
    parts = [(s, segment(reading.text(s.part), s.start, s.end, frozenset())) for s in reading.stretches]
    found = hear(parrot, reading, parts)
    assert parrot.texts == ["please restart it."]
    assert [(h.span.text, h.question) for h in found] == [("please restart it.", False)]


def test_a_mail_of_many_sentences_costs_a_bounded_number() -> None:
    text = "Please restart the server now. " * 500
    reading = reading_of(message(text, Zone(ZoneKind.OWN, 0, len(text))))
    parrot = Parrot()
    hear(parrot, reading, [(s, segment(text, s.start, s.end, frozenset())) for s in reading.stretches[1:]])
    assert len(parrot.texts) == MOST


def test_the_spacy_component_writes_spans_with_scores() -> None:
    doc = pipeline("en", Parrot())("You may restart it. Thanks.")
    [span] = spans_of(doc, STATEMENTS)
    assert (span.text, span.label_) == ("You may restart it.", "power_granted")
    assert span._.checker == Note("second/power_granted", "asserted", 0.8, "second")
    assert spans_of(pipeline("en")("You may restart it."), STATEMENTS) == []


# --- evaluation ------------------------------------------------------------------------------------


def test_tables_of_the_model_card(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    items = [
        Item(f"{language} {k}", frozenset({Label.POWER_GRANTED} if k % 2 else ()), language, f"{language}/{k}")
        for language in ("it", "en")
        for k in range(40)
    ]
    for number, (_, testing) in enumerate(folds(items, LANGUAGE_FOLDS)):
        gold = np.asarray([[float(label in i.labels) for label in LABELS] for i in testing])
        logits = (gold * 12 - 6) + rng.normal(0, 0.1, gold.shape)
        np.savez(tmp_path / f"fold{number}.npz", logits=logits, gold=gold)
    tunings = tuple(Tuning(label, 1.0, 0.5, 0.9) for label in LABELS)
    card = Card("1", 96, tunings, {})
    folded = evaluation.judged(items, tmp_path)
    assert [(len(i), g.sum()) for i, _, g in folded] == [(40, 20), (40, 20)]
    assert "| it | 40 | 1.000 | 1.000 | 1.000 | 1.000 |" in list(evaluation.by_language(folded, card))
    assert "| 0.95 | 40 | 0 | 1.000 | 1.000 |" in list(evaluation.at_levels(folded, card))
    rows = list(evaluation.by_label([(logits, gold) for _, logits, gold in folded]))
    granted = next(r for r in rows if "power_granted" in r)
    assert "1.000 (0 wrong) | 1.00 |" in granted
    assert len(list(evaluation.errors(folded, card))) == evaluation.SHOWN
    with pytest.raises(ValueError, match="made from other data"):
        evaluation.judged(items[:-1], tmp_path)


def test_labels_that_nobody_knows_are_named(tmp_path: Path) -> None:
    place = tmp_path / "some.jsonl"
    place.write_text('{"text": "x", "labels": ["coffee"], "language": "it"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"some.jsonl, line 1: .*use the labels"):
        read([place])


def test_contrast_sets_stay_together(tmp_path: Path) -> None:
    place = tmp_path / "contrast-it.jsonl"
    row = '{"text": "x", "labels": [], "language": "it", "set": 4}\n'
    place.write_text(row * 2, encoding="utf-8")
    assert {i.group for i in read([place])} == {"contrast-it/4"}


@given(st.text(max_size=300), st.integers(0, 50))
def test_augmented_text_keeps_something(text: str, seed: int) -> None:
    changed = augmented(text, random.Random(seed))
    assert changed == augmented(text, random.Random(seed)), "seeded"
    assert bool(changed.strip(".! \n")) or not text.strip(".! \n") or len(text.split()) < 2
