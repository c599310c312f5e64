"""The stack that one would otherwise put together, on the same mails in the same run.

Presidio (identifiers and credentials, over a blank spaCy pipeline), negspacy (negation), mail-parser-reply (own words)
and dateparser (time windows). It only finds words: it judges nothing, so the comparison favours it. Needs the extra
``bench``. Prints tickets per CPU second of both, medians of several runs, and their ratio.
"""

from __future__ import annotations

import email
import email.policy
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from email.message import EmailMessage

import spacy
from dateparser.search import search_dates
from judging import ROOT, judge, tickets
from mailparser_reply import EmailReplyParser
from negspacy.negation import Negex  # noqa: F401 - registers the component
from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import IpRecognizer, UrlRecognizer

from checker.edges.files import read_rules
from checker.pipeline import build_engine
from checker.settings import build

RUNS = 3
EVERY = 4  # of the tickets: the peers take minutes on all
LANGUAGES = ["en", "it", "de", "fr", "es", "pl", "hr", "sl"]
TERMS = [
    "restart",
    "reboot",
    "power",
    "backup",
    "riavviare",
    "spegnere",
    "Neustart",
    "redémarrer",
    "reiniciar",
    "zrestartować",
]


class Blank(SpacyNlpEngine):
    """Presidio's engine over a pipeline without a trained model."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}


def peers() -> Callable[[Sequence[bytes]], int]:
    """A function that takes a ticket's mails through the stack and counts what it found."""
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.add_recognizer(IpRecognizer())
    registry.add_recognizer(UrlRecognizer())
    service = Pattern("service", r"\b(?:SRV-?|DS-?|#)?\d{5,6}\b", 0.5)
    registry.add_recognizer(PatternRecognizer("SERVICE_ID", patterns=[service], context=["server"]))
    secret = Pattern(
        "secret", r"(?i)\b(?:password|passwort|pw|mot de passe|hasło|lozinka|geslo|contraseña)\s*[:=]\s*\S+", 0.8
    )
    registry.add_recognizer(PatternRecognizer("SECRET", patterns=[secret]))
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    negation = spacy.blank("en")
    negation.add_pipe("sentencizer")
    ruler = negation.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "CONSENT", "pattern": term} for term in TERMS])  # type: ignore[attr-defined]
    negation.add_pipe("negex", config={"ent_types": ["CONSENT"]})
    replies = EmailReplyParser(languages=["en", "it", "de", "fr", "es", "pl"])

    def read(raws: Sequence[bytes]) -> int:
        found = 0
        for raw in raws:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            body = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
            own = replies.parse_reply(body.get_content() if body is not None else "") or ""
            found += len(analyzer.analyze(own, language="en"))
            found += sum(not entity._.negex for entity in negation(own).ents)
            found += len(search_dates(own, languages=LANGUAGES[:6]) or ())
        return found

    return read


def rate(work: Sequence[list[bytes]], one: Callable[[list[bytes]], object], name: str) -> float:
    """Tickets a CPU second, the median of :data:`RUNS` runs after one that warms up."""
    one(work[0])
    rates = []
    for run in range(RUNS):
        print(f"{name}: run {run + 1} of {RUNS}", file=sys.stderr)
        started = time.process_time()
        for raws in work:
            one(raws)
        rates.append(len(work) / (time.process_time() - started))
    return statistics.median(rates)


def main() -> None:
    """Print the two rates and their ratio."""
    warnings.filterwarnings("ignore")
    work = tickets()[::EVERY]
    engine = build_engine(read_rules(ROOT / "rules"), build({}, file="defaults", base=ROOT).hoster)
    for raws in work:
        judge(engine, raws)
    ours, theirs = rate(work, lambda raws: judge(engine, raws), "checker"), rate(work, peers(), "peers")
    print(f"checker (rules, verdict)     {ours:7.1f} tickets/CPU s")
    print(f"peers (words only)           {theirs:7.1f} tickets/CPU s")
    print(f"ratio                        {ours / theirs:7.1f}")
    print(json.dumps({"checker": round(ours, 1), "peers": round(theirs, 1), "ratio": round(ours / theirs, 1)}))


if __name__ == "__main__":
    main()
