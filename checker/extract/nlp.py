"""Findings as a spaCy document: the seam for other readers and for displaCy.

``spacy.blank`` with a tokenizer of our own (the words of the engine, so that spans fall on tokens; spaCy's own
needs 8.6 s for 10,000 brackets, this one is linear) and a component that writes span groups:
``doc.spans["statements"]`` with the label of each statement, its rule, status and score in
``span._.checker``; ``doc.spans["names"]`` with identifiers, ``doc.spans["times"]`` with windows. A second
reader that is a component of the same pipeline adds to the same groups.

Loaded on demand: importing spaCy takes longer than judging a mail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..model import Findings, Message, Status

STATEMENTS = "statements"
NAMES = "names"
TIMES = "times"
COMPONENT = "intervention_findings"

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_|\s+")
MAX_CHARS = 200_000


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a span beside its label."""

    rule: str
    status: str
    score: float
    reader: str


class WordTokenizer:
    """Words, single punctuation marks and blanks; every character lands in one token."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        words = _TOKEN.findall(text[:MAX_CHARS])
        return Doc(self.vocab, words=words, spaces=[False] * len(words))


class FindingsWriter:
    """The component: writes the findings it was given for a message into the document's span groups."""

    def __init__(self) -> None:
        self.message: Message | None = None
        self.findings: Findings | None = None

    def __call__(self, doc: Doc) -> Doc:
        findings = self.findings
        if findings is None:
            return doc
        statements = []
        for s in findings.statements:
            if s.span.part != "body":
                continue
            label = s.label.value if s.status is Status.ASSERTED else f"{s.label.value} ({s.status})"
            statements.append(_span(doc, s.span.start, s.span.end, label, Note(s.rule, s.status, s.score, s.reader)))
        names = [
            _span(doc, i.span.start, i.span.end, f"{i.kind} ({i.role})", Note(i.rule, i.role, 1.0, "rules"))
            for i in findings.identifiers
            if i.span.part == "body"
        ]
        times = [
            _span(doc, w.span.start, w.span.end, "window", Note("windows", w.kind, 1.0, "rules"))
            for w in findings.windows
            if w.span.part == "body" and w.has_time
        ]
        for key, spans in ((STATEMENTS, statements), (NAMES, names), (TIMES, times)):
            doc.spans[key] = [s for s in spans if s is not None]
        return doc


def _span(doc: Doc, start: int, end: int, label: str, note: Note) -> Span | None:
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is not None:
        span._.checker = note
    return span


@Language.factory(COMPONENT)
def _component(nlp: Language, name: str) -> FindingsWriter:  # noqa: ARG001 - spaCy's signature
    return FindingsWriter()


def pipeline(language: str) -> Language:
    """A pipeline for one language with the tokenizer and the component above; no trained model."""
    if not Span.has_extension("checker"):
        Span.set_extension("checker", default=None)
    nlp = spacy.blank(language)
    nlp.tokenizer = WordTokenizer(nlp.vocab)
    nlp.add_pipe(COMPONENT)
    return nlp


def document(nlp: Language, message: Message, findings: Findings, text: str | None = None) -> Doc:
    """``message`` as a document. ``text``: the visible text with secrets masked, of the same length."""
    writer = nlp.get_pipe(COMPONENT)
    if not isinstance(writer, FindingsWriter):
        raise TypeError(f"{COMPONENT} is another component")
    writer.message, writer.findings = message, findings
    try:
        return nlp(message.text if text is None else text)
    finally:
        writer.message = writer.findings = None


def spans_of(doc: Doc, key: str) -> Sequence[Span]:
    """The spans of one group, in order."""
    return sorted(doc.spans.get(key, ()), key=lambda s: (s.start, s.end))
