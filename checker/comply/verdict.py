"""Findings of a thread to the verdict: values, what is missing, and why a person must look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..model import (
    MASK,
    Component,
    Credential,
    Evidence,
    Findings,
    IdentifierKind,
    OperatingSystem,
    Rejected,
    Status,
    TicketStatus,
    TimeWindow,
    Verdict,
)
from . import merge
from .combine import CONSENTS, DOUBTED, combined
from .kinds import kinds as kinds_of
from .merge import Settled
from .missing import missing
from .procedure import KINDS, Procedure


@dataclass(frozen=True, slots=True)
class Named:
    """What the thread names after corrections: the outcome of the extractors' ``settle`` functions."""

    service_ids: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    os: OperatingSystem | None = None
    components: tuple[Component, ...] = ()


def judge(thread: Sequence[Findings], named: Named, procedure: Procedure, language: str) -> Verdict:
    """The verdict over ``thread`` (customer's messages in order; ours carry only questions)."""
    said = [f for f in thread if not f.from_us and f.automatic is None]
    both = [combined(f, procedure.reader) for f in said]
    theirs = [c.findings for c in both]
    servers = max(len(named.service_ids), len(named.ip_addresses), len(named.hostnames))
    # What is asked for does not hang on whether a consent is believed.
    spoken = [replace(f, statements=(*f.statements, *c.asked)) for f, c in zip(said, both, strict=True)]
    kinds = kinds_of(spoken, named.components, named.os, servers)
    if not kinds:
        return Verdict(language=language, rejected=tuple(_rejected(theirs)))
    settled = {
        "power": merge.power(theirs),
        "backup": merge.backup(theirs),
        "data_loss_consent": merge.data_loss_consent(theirs),
        "hardware_acknowledgement": merge.hardware_acknowledgement(theirs, kinds),
        "impact": merge.impact(theirs, kinds),
    }
    inside = "intervention" in kinds and merge.inside_os(theirs)
    system = named.os if "os_reinstall" in kinds else None
    components = named.components if "hardware" in kinds else ()
    review = (*_review(theirs, settled), *dict.fromkeys(f"doubt:{r}" for c in both for r in c.persons))
    unread = tuple(u for f in theirs for u in f.unread)
    verdict = Verdict(
        language=language,
        request_kinds=tuple(k for k in KINDS if k in kinds),
        service_ids=named.service_ids,
        ip_addresses=named.ip_addresses,
        hostnames=named.hostnames,
        credentials=named.credentials,
        power=settled["power"].value,
        backup=settled["backup"].value,
        data_loss_consent=settled["data_loss_consent"].value,
        hardware_acknowledgement=settled["hardware_acknowledgement"].value,
        impact=settled["impact"].value,
        os=system,
        components=components,
        windows=_windows(theirs, settled),
        advisories=tuple(_advisories(kinds, named, components, theirs, system)),
        review=review,
        inside_os=inside,
        evidence=tuple(_evidence(theirs, settled, named, system, components)),
        rejected=tuple(_rejected(theirs)),
        unread=unread,
    )
    open_points = missing(verdict, procedure)
    doubts = tuple(d for c in both for d in c.doubts if d.requirement in open_points)
    return replace(verdict, missing=open_points, status=status_of(review, open_points), confirm=doubts)


def status_of(review: Sequence[str], missing: Sequence[str]) -> TicketStatus:
    """The status of a request: what a person must look at comes before what is missing."""
    return TicketStatus.REVIEW if review else TicketStatus.INCOMPLETE if missing else TicketStatus.COMPLETE


def _review(theirs: Sequence[Findings], settled: dict[str, Settled]) -> Iterable[str]:
    for name, value in settled.items():
        if value.value == "conflict":
            yield f"conflict:{name}"
    if any(f.capped for f in theirs):
        yield "capped"


def _windows(theirs: Sequence[Findings], settled: dict[str, Settled]) -> tuple[TimeWindow, ...]:
    """The windows that stand beside a statement that gave a window."""
    spans = [
        s.span for name in ("power", "impact") if settled[name].value == "window" for s in settled[name].statements
    ]
    found = []
    for findings in theirs:
        for window in findings.windows:
            near = any(
                s.message == window.span.message
                and s.part == window.span.part
                and abs(s.start - window.span.start) < 400
                for s in spans
            )
            if near and window.has_time and window not in found:
                found.append(window)
    return tuple(found)


def _advisories(
    kinds: frozenset[str],
    named: Named,
    components: tuple[Component, ...],
    theirs: Sequence[Findings],
    system: OperatingSystem | None,
) -> Iterable[str]:
    parts = {c.kind for c in components}
    if "hardware" in kinds:
        if "ram" in parts:
            yield "ram_power_off"
        if "drive" in parts:
            yield "hot_swap"
        if components and not all(c.serial or c.slot for c in components):
            yield "component_details"
    if kinds & {"intervention", "hardware"}:
        yield "data_safety"
    if "os_reinstall" in kinds and (system is None or not system.layout):
        yield "default_layout"
    if any(c.secret is not None for c in named.credentials):
        yield "change_password"
    for advisory in dict.fromkeys(a for f in theirs for w in f.windows for a in w.advisories):
        yield f"window_{advisory}"


def _evidence(
    theirs: Sequence[Findings],
    settled: dict[str, Settled],
    named: Named,
    system: OperatingSystem | None,
    components: tuple[Component, ...],
) -> Iterable[Evidence]:
    for name, value in settled.items():
        for s in value.statements:
            yield Evidence(
                name, value.value or "", s.rule, s.span.message, s.span.start, s.span.end, s.span.text, s.span.part,
                s.score,
            )  # fmt: skip
    wanted = {
        IdentifierKind.SERVICE_ID: ("service_ids", named.service_ids),
        IdentifierKind.IP: ("ip_addresses", named.ip_addresses),
        IdentifierKind.HOSTNAME: ("hostnames", named.hostnames),
    }
    for findings in theirs:
        for i in findings.identifiers:
            field, values = wanted[i.kind]
            if i.value.casefold() in {v.casefold() for v in values}:
                yield Evidence(
                    field, i.value, i.rule, i.span.message, i.span.start, i.span.end, i.span.text, i.span.part
                )
    for c in named.credentials:
        yield Evidence(
            "credentials", str(c.access), c.rule, c.span.message, c.span.start, c.span.end, MASK, c.span.part
        )
    if system is not None:
        yield Evidence(
            "os", system.distribution or "", "systems", system.span.message, system.span.start, system.span.end,
            system.span.text, system.span.part,
        )  # fmt: skip
    for p in components:
        yield Evidence(
            "components", p.kind, "components", p.span.message, p.span.start, p.span.end, p.span.text, p.span.part
        )
    for findings in theirs:
        for s in merge.said(findings):
            if s.label.startswith("request"):
                yield Evidence(
                    "request_kinds", s.label.removeprefix("request_"), s.rule, s.span.message, s.span.start, s.span.end,
                    s.span.text, s.span.part, s.score,
                )  # fmt: skip


def _rejected(theirs: Sequence[Findings]) -> Iterable[Rejected]:
    for findings in theirs:
        for s in findings.statements:
            if s.status is Status.ASSERTED and (s.counts or s.label not in CONSENTS):
                continue
            reason = s.status.value + (f": {s.cues[0].text}" if s.cues else "")
            if s.status is Status.ASSERTED:
                reason = "doubt: rules and second reader do not agree" if s.score == DOUBTED else "hint"
            yield Rejected(
                s.label.value, "", reason, s.rule, s.span.message, s.span.start, s.span.end, s.span.text, s.span.part
            )
