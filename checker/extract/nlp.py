"""Findings as a spaCy document: the seam for other readers and for displaCy.

``spacy.blank`` with a tokenizer of our own (the words of the engine, so that spans fall on tokens; spaCy's own
needs 8.6 s for 10,000 brackets, this one is linear) and a component that writes span groups:
``doc.spans["statements"]`` with the label of each statement, its rule, status and score in
``span._.checker``; ``doc.spans["names"]`` with identifiers, ``doc.spans["times"]`` with windows. The second
reader is a component of the same kind (:data:`SECOND`): it segments a text by itself and adds what it hears to
``doc.spans["statements"]``, with its name and probability, so that both readers speak the same evidence.

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
from .second import MOST, SegmentReader
from .segments import segment

STATEMENTS = "statements"
NAMES = "names"
TIMES = "times"
COMPONENT = "intervention_findings"
SECOND = "second_reader"

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


class SecondWriter:
    """The component of the second reader. Without a reader it leaves the document as it is."""

    def __init__(self) -> None:
        self.reader: SegmentReader | None = None

    def __call__(self, doc: Doc) -> Doc:
        if self.reader is None:
            return doc
        parts = [p for p in segment(doc.text, 0, len(doc.text), frozenset()) if len(p.words) > 1][:MOST]
        found = list(doc.spans.get(STATEMENTS, ()))
        for part, hearings in zip(parts, self.reader.read([p.text for p in parts]) if parts else (), strict=True):
            for h in hearings:
                if h.heard:
                    note = Note(f"second/{h.label}", str(Status.ASSERTED), h.p, "second")
                    span = _span(doc, part.start, part.end, h.label.value, note)
                    found += [span] if span is not None else []
        doc.spans[STATEMENTS] = found
        return doc


@Language.factory(SECOND)
def _second(nlp: Language, name: str) -> SecondWriter:  # noqa: ARG001 - spaCy's signature
    return SecondWriter()


def _span(doc: Doc, start: int, end: int, label: str, note: Note) -> Span | None:
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is not None:
        span._.checker = note
    return span


@Language.factory(COMPONENT)
def _component(nlp: Language, name: str) -> FindingsWriter:  # noqa: ARG001 - spaCy's signature
    return FindingsWriter()


def pipeline(language: str, second: SegmentReader | None = None) -> Language:
    """A pipeline for one language with the tokenizer and the components above; no trained model of spaCy's."""
    if not Span.has_extension("checker"):
        Span.set_extension("checker", default=None)
    nlp = spacy.blank(language)
    nlp.tokenizer = WordTokenizer(nlp.vocab)
    nlp.add_pipe(COMPONENT)
    if second is not None:
        writer = nlp.add_pipe(SECOND)
        if not isinstance(writer, SecondWriter):
            raise TypeError(f"{SECOND} is another component")
        writer.reader = second
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
