"""Every language pack proves itself by its samples; and what turns a consent into something else makes it vanish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checker.edges.files import read_rules
from checker.extract.lexicons import readers
from checker.extract.samples import Sample, asserted, build_samples, read_text, run
from checker.extract.windows import find_windows
from checker.model import Label, TimeWindow
from checker.pipeline import Engine, build_engine
from checker.settings import build

ROOT = Path(__file__).resolve().parents[1]
SENT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LANGUAGES = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")
CONSENTS = frozenset(
    {
        *(Label.POWER_GRANTED, Label.POWER_PARTIAL, Label.POWER_WINDOW, Label.BACKUP_CONFIRMED, Label.LOSS_ACCEPTED),
        *(Label.ERASE_CONSENT, Label.RISK_ACCEPTED, Label.DOWNTIME_OK, Label.DOWNTIME_WINDOW),
    }
)

FILES = read_rules(ROOT / "rules")
SAMPLES: Mapping[str, tuple[Sample, ...]] = {
    language: build_samples(data, language) for language, data in FILES.packs("samples.toml").items()
}


@pytest.fixture(scope="session")
def engine() -> Engine:
    return build_engine(FILES, build({}, file="defaults", base=ROOT).hoster)


def windows_of(engine: Engine, language: str, text: str) -> Sequence[TimeWindow]:
    return find_windows(text, 0, len(text), 1, "body", SENT, engine.zone, engine.times, engine.hours, language)


def labels(engine: Engine, language: str, text: str) -> frozenset[Label]:
    return asserted(read_text(engine.reader, text, language, lambda t: windows_of(engine, language, t)))


def test_every_language_has_a_pack_with_samples() -> None:
    assert set(SAMPLES) == set(LANGUAGES)
    assert all(len(samples) >= 120 for samples in SAMPLES.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_samples_hold_and_leave_no_saying_untried(engine: Engine, language: str) -> None:
    complaints = [str(c) for c in run(engine.reader, SAMPLES[language], lambda t: windows_of(engine, language, t))]
    assert complaints == []


# How a sentence is put into something that is no consent: asked, put off, in another's mouth, in quotation marks.
WRAPPED: Mapping[str, Mapping[str, str]] = {
    "it": {
        "postponed": "Vi farò sapere domani se {}",
        "other mouth": "Secondo il mio collega, che non può decidere, {}",
        "quoted": "Nel vostro modulo si legge «{}» e vi chiedo che cosa significa",
    },
    "en": {
        "postponed": "I will let you know tomorrow whether {}",
        "other mouth": "According to my colleague, who has no say in it, {}",
        "quoted": 'Your form says "{}" and I wonder what that means',
    },
    "de": {
        "postponed": "Ich gebe Ihnen morgen Bescheid, ob {}",
        "other mouth": "Laut meinem Kollegen, der das nicht entscheiden darf, {}",
        "quoted": "In Ihrem Formular steht „{}“ und ich frage mich, was das heißt",
    },
    "fr": {
        "postponed": "Je vous dirai demain si {}",
        "other mouth": "Selon mon collègue, qui ne peut pas en décider, {}",
        "quoted": "Votre formulaire dit « {} » et je me demande ce que cela veut dire",
    },
    "es": {
        "postponed": "Mañana les diré si {}",
        "other mouth": "Según mi compañero, que no puede decidirlo, {}",
        "quoted": "En su formulario pone «{}» y me pregunto qué significa",
    },
    "pl": {
        "postponed": "Jutro dam Państwu znać, czy {}",
        "other mouth": "Według mojego kolegi, który o tym nie decyduje, {}",
        "quoted": "W Państwa formularzu jest „{}” i zastanawiam się, co to znaczy",
    },
    "hr": {
        "postponed": "Sutra ću vam javiti hoće li {}",
        "other mouth": "Prema riječima kolege, koji o tome ne odlučuje, {}",
        "quoted": "U vašem obrascu piše „{}” i pitam se što to znači",
    },
    "sl": {
        "postponed": "Jutri vam bom sporočil, ali {}",
        "other mouth": "Po besedah sodelavca, ki o tem ne odloča, {}",
        "quoted": "V vašem obrazcu piše »{}« in sprašujem se, kaj to pomeni",
    },
}
# A backup is a fact: a colleague may report it, and it does not become a consent by being told tomorrow.
MARKS = ',.!?:;«»„“”"|\n—–/'  # only plain sentences of one clause are put into others
FACTS = frozenset({Label.BACKUP_CONFIRMED})


CONDITIONS = ("se", "if", "wenn", "falls", "si", "jeśli", "jak", "ako", "če")  # "whether if …" is no sentence


def single_consents(engine: Engine, language: str) -> Iterator[Sample]:
    """Samples of one plain clause that only consent."""
    for sample in SAMPLES.get(language, ()):
        plain = sample.text.strip()
        if plain.split(maxsplit=1)[0].lower() in CONDITIONS:
            continue
        hits = engine.reader.lexicons.hits(_segment(engine, plain), {language})
        if any(h.concept == "clause.break" for row in hits for h in row):
            continue
        if sample.labels and sample.labels <= CONSENTS and not any(m in plain.rstrip(".!") for m in MARKS):
            yield sample


def lowered(text: str) -> str:
    plain = text.strip().rstrip(".!… ")
    return plain[:1].lower() + plain[1:]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("how", ["postponed", "other mouth", "quoted"])
def test_wrapped_a_consent_vanishes(engine: Engine, language: str, how: str) -> None:
    kept = []
    tried = 0
    for sample in single_consents(engine, language):
        if how != "quoted" and sample.labels & FACTS:
            continue
        tried += 1
        text = WRAPPED[language][how].format(lowered(sample.text)) + "."
        if still := labels(engine, language, text) & sample.labels:
            kept.append(f"{text} -> {sorted(still)}")
    assert tried >= 10
    assert kept == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_asked_a_consent_vanishes(engine: Engine, language: str) -> None:
    kept = []
    for sample in single_consents(engine, language):
        text = sample.text.strip().rstrip(".!… ") + "?"
        concepts = {
            h.concept
            for row in engine.reader.lexicons.hits(_segment(engine, text), readers({}, language, LANGUAGES))
            for h in row
        }
        if "cue.polite" in concepts:  # "could you please restart it?" is a request
            continue
        if still := labels(engine, language, text) & sample.labels:
            kept.append(f"{text} -> {sorted(still)}")
    assert kept == []


def _segment(engine: Engine, text: str):  # type: ignore[no-untyped-def]  # a helper of one line
    from checker.extract.segments import segment

    return segment(text, 0, len(text), engine.reader.abbreviations)[0]
