"""The flow, readable in one sitting: a mail's bytes to what is asked of its sender.

::

    raw bytes --parse--> Message --read--> Findings --(over the thread)--> Verdict

:class:`Engine` holds the compiled rules and nothing else; it is built once per rule set
(:func:`build_engine`) and has no state that matters between tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from .comply.procedure import Procedure, build_procedure
from .comply.verdict import Named, judge
from .extract import components, credentials, hidden, identifiers, systems
from .extract.answers import questions
from .extract.ids_marks import mark
from .extract.ids_words import IdentifierWords, build_words
from .extract.language import choose
from .extract.lexicons import readers
from .extract.packs import PackError, Reader, build_reader
from .extract.read import adopts, parts_of, read_statements
from .extract.reading import Stretch, reading_of
from .extract.second import SegmentReader, hear
from .extract.segments import Segment
from .extract.windows import OfficeHours, TimeWords, find_windows, time_words
from .mail.words import MailWords, mail_words
from .model import Findings, Identifier, Message, Question, Role, Statement, TimeWindow, Verdict
from .settings import HosterSettings, RuleFiles


@dataclass(frozen=True, slots=True)
class Engine:
    """Compiled rules: :meth:`read` one message, :meth:`judge` a thread."""

    reader: Reader
    names: IdentifierWords
    times: TimeWords
    mail: MailWords
    procedure: Procedure
    zone: tzinfo
    hours: OfficeHours | None
    default_language: str
    version: str
    second: SegmentReader | None = None

    def read(self, message: Message, earlier: Sequence[Findings] = ()) -> Findings:
        """What ``message`` says, given what was found in the messages before it."""
        before = earlier[-1].language if earlier else self.default_language
        reading = reading_of(message, adopted=adopts(self.reader, message, before))
        parts = parts_of(self.reader, reading)
        scores = self.reader.lexicons.function_words(p for _, segments in parts for p in segments)
        language = choose(scores, reading, before, bool(earlier))
        packs = readers(scores, language, self.reader.languages)
        if message.from_us:
            found = tuple(
                q for zone in message.own() for q in questions(self.reader, message.text, zone.start, zone.end, packs)
            )
            return Findings(message.n, before if earlier else language, True, message.automatic, message.date, found)
        asked = _open_questions(earlier)

        def windows_in(start: int, end: int, part: str) -> tuple[TimeWindow, ...]:
            whole = reading.text(part)
            return find_windows(
                whole, start, end, message.n, part, message.date, self.zone, self.times, self.hours, language
            )

        said = read_statements(self.reader, reading, parts, asked, language, packs, windows_in)
        wanted = frozenset(r for q in asked for r in q.requirements)
        marks = mark(reading, self.names)
        named = identifiers.find(reading, self.names, wanted, marks=marks)
        read = Findings(
            n=message.n,
            language=language,
            automatic=message.automatic,
            date=message.date,
            identifiers=named,
            credentials=credentials.find(reading, self.names, wanted, marks=marks),
            statements=tuple(_about(s, parts, named) for s in said.statements),
            windows=said.windows,
            systems=systems.find(reading, self.names, wanted, marks=marks),
            components=components.find(reading, self.names, wanted, marks=marks),
            unread=said.unread,
            capped=message.capped or reading.capped,
            business=said.business,
            heard=hear(self.second, reading, parts) if self.second and message.automatic is None else (),
        )
        return replace(read, hidden=hidden.find(message, marks, self.names, read))

    def judge(self, thread: Sequence[Findings]) -> Verdict:
        """The verdict over all messages so far, ours and theirs, in order."""
        theirs = [f for f in thread if not f.from_us and f.automatic is None]
        language = theirs[-1].language if theirs else self.default_language
        found = identifiers.settle([i for f in theirs for i in f.identifiers])
        named = Named(
            service_ids=tuple(i.value for i in found.service_ids),
            ip_addresses=tuple(i.value for i in found.ip_addresses),
            hostnames=tuple(i.value for i in found.hostnames),
            credentials=credentials.settle([c for f in theirs for c in f.credentials]),
            os=systems.settle([s for f in theirs for s in f.systems]),
            components=components.settle([c for f in theirs for c in f.components]),
        )
        secrets = tuple(dict.fromkeys(s for f in theirs for s in f.secrets()))
        return replace(judge(thread, named, self.procedure, language), hidden=secrets)


def _about(
    statement: Statement, parts: Sequence[tuple[Stretch, Sequence[Segment]]], named: Sequence[Identifier]
) -> Statement:
    """``statement`` with the servers that its sentence names."""
    span = statement.span
    for stretch, segments in parts:
        for part in segments if stretch.part == span.part else ():
            if part.start <= span.start < part.end:
                here = {
                    i.value
                    for i in named
                    if i.role is Role.SERVER and i.span.part == span.part and part.start <= i.span.start < part.end
                }
                return replace(statement, about=frozenset(here)) if here else statement
    return statement


def _open_questions(earlier: Sequence[Findings]) -> tuple[Question, ...]:
    """What our side asked last."""
    for findings in reversed(earlier):
        if findings.from_us and findings.questions:
            return findings.questions
    return ()


def build_engine(
    rules: RuleFiles, hoster: HosterSettings, *, whole: bool = True, second: SegmentReader | None = None
) -> Engine:
    """Compile ``rules``. Raises the builders' errors, each naming the file and what to do.

    ``whole``: every language pack now, so that a broken phrase is refused at the start of a service; without
    it a pack is compiled when the first mail in its language comes (0.2 s instead of 2 s for one mail).
    """
    packs: dict[str, dict[str, Mapping[str, object]]] = {}
    for path in sorted(rules.files):
        parts = path.removesuffix(".toml").split("/")
        if len(parts) == 3 and parts[0] == "lang":
            packs.setdefault(parts[1], {})[parts[2]] = rules.files[path]
    shared = {path.removesuffix(".toml"): data for path, data in rules.files.items() if "/" not in path}
    for stem in ("frames", "procedure", "identifiers", "systems", "components"):
        if stem not in shared:
            raise PackError(f"rules/{stem}.toml is missing; restore it from the release")
    known = {"frames", "procedure", "identifiers", "systems", "components"}
    if strange := sorted(set(shared) - known):
        raise PackError(f"rules/{strange[0]}.toml is no rule file of this program; move it elsewhere")
    reader = build_reader(shared["frames"], packs)
    if whole:
        reader.lexicons.compile()
    return Engine(
        reader=reader,
        names=build_words(
            shared["identifiers"],
            shared["systems"],
            shared["components"],
            packs,
            [address.partition("@")[2] for address in hoster.addresses],
        ),
        times=time_words({k: v["time"] for k, v in packs.items() if "time" in v}),
        mail=mail_words({k: v["mail"] for k, v in packs.items() if "mail" in v}),
        procedure=build_procedure(shared["procedure"]),
        zone=hoster.zone,
        hours=None,
        default_language=hoster.languages[0],
        version=rules.version,
        second=second,
    )
