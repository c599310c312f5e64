"""Statements over a thread to the procedure's values.

Within one message an unresolved contradiction is a ``conflict``; a later message that speaks of the
field again stands in place of the earlier one (procedure, "A ticket"). Doubt only ever takes away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..model import Findings, Label, Role, Statement, Status

_TAKES_BACK: Final = frozenset({Status.CONDITION, Status.WITHDRAWN, Status.FUTURE})
POWER: Final = frozenset(label for label in Label if label.startswith("power"))
BACKUP: Final = frozenset(label for label in Label if label.startswith("backup"))
ERASE: Final = frozenset(label for label in Label if label.startswith("erase"))
DOWNTIME: Final = frozenset(label for label in Label if label.startswith("downtime"))


@dataclass(frozen=True, slots=True)
class Settled:
    """A field's value with the statements that gave it (empty when ``value`` is ``None``)."""

    value: str | None
    statements: tuple[Statement, ...] = ()


def said(findings: Findings) -> tuple[Statement, ...]:
    """The statements of one message that count."""
    return tuple(s for s in findings.statements if s.counts)


def power(thread: Sequence[Findings]) -> Settled:
    """``power`` over the thread."""
    current = Settled(None)
    for findings in thread:
        here = [s for s in said(findings) if s.label in POWER]
        if here:
            value = _power(here)
            current = Settled(value, tuple(here)) if value else current
        elif any(s.label in POWER and s.status in _TAKES_BACK for s in findings.statements) and current.value in (
            "granted",
            "partial",
            "window",
        ):
            current = Settled(None)
    return current


def _power(here: Sequence[Statement]) -> str | None:
    labels = {s.label for s in here}
    granted = [s for s in here if s.label is Label.POWER_GRANTED]
    denied = [s for s in here if s.label is Label.POWER_DENIED]
    if Label.POWER_WINDOW in labels:
        return "window"
    if Label.POWER_WINDOW_MISSING in labels:
        return "window_missing"
    if Label.POWER_PARTIAL in labels:
        return "partial"
    if granted and denied:
        yes = frozenset().union(*(s.actions for s in granted))
        no = frozenset().union(*(s.actions for s in denied))
        return "partial" if yes and no and not yes & no else "conflict"
    return "granted" if granted else "denied" if denied else None


def backup(thread: Sequence[Findings]) -> Settled:
    """``backup`` over the thread; an accepted loss may stand in another message than the absence."""
    current = Settled(None)
    loss: tuple[Statement, ...] = ()
    servers = _servers(thread)
    for findings in thread:
        statements = said(findings)
        loss += tuple(s for s in statements if s.label is Label.LOSS_ACCEPTED)
        here = tuple(s for s in statements if s.label in BACKUP)
        if here:
            current = Settled(_backup({s.label for s in here}), here)
            if current.value == "confirmed" and not _covers(here, servers):
                current = Settled("inadequate", here)
    if current.value == "absent" and loss:
        return Settled("absent_accepted", (*current.statements, *loss))
    return current


def _servers(thread: Sequence[Findings]) -> tuple[frozenset[str], ...]:
    """The servers that are named more than one of a kind; an address of either family is a kind of its own."""
    kinds: dict[str, set[str]] = {}
    for i in (i for f in thread for i in f.identifiers if i.role is Role.SERVER):
        kinds.setdefault(f"{i.kind}:" if ":" in i.value else str(i.kind), set()).add(i.value)
    return tuple(frozenset(values) for values in kinds.values() if len(values) > 1)


def _covers(confirmed: Sequence[Statement], servers: Sequence[frozenset[str]]) -> bool:
    """A backup for one of two servers is none for both (procedure, settled cases)."""
    if any(not s.about for s in confirmed):
        return True
    about = frozenset().union(*(s.about for s in confirmed))
    return not any(about & kind and kind - about for kind in servers)


def _backup(labels: set[Label]) -> str:
    if Label.BACKUP_CONFIRMED in labels and Label.BACKUP_ABSENT in labels:
        return "conflict"
    if Label.BACKUP_INADEQUATE in labels:
        return "inadequate"
    return "absent" if Label.BACKUP_ABSENT in labels else "confirmed"


def data_loss_consent(thread: Sequence[Findings]) -> Settled:
    """``data_loss_consent`` over the thread."""
    return _either(thread, Label.ERASE_CONSENT, Label.ERASE_REFUSED, "conflict")


def hardware_acknowledgement(thread: Sequence[Findings], kinds: frozenset[str]) -> Settled:
    """The acknowledgement of a hardware job's risks: any accepted loss or risk, and erasure of swapped drives."""
    if "hardware" not in kinds:
        return Settled(None)
    current = Settled(None)
    for findings in thread:
        statements = said(findings)
        refused = tuple(s for s in statements if s.label is Label.RISK_REFUSED)
        given = tuple(s for s in statements if s.label in (Label.RISK_ACCEPTED, Label.LOSS_ACCEPTED))
        if not given and kinds == {"hardware"}:
            given = tuple(s for s in statements if s.label is Label.ERASE_CONSENT)
        if refused:
            current = Settled("refused", refused)
        elif given:
            current = Settled("given", given)
    return current


def _either(thread: Sequence[Findings], yes: Label, no: Label, both: str) -> Settled:
    current = Settled(None)
    for findings in thread:
        here = tuple(s for s in said(findings) if s.label in (yes, no))
        labels = {s.label for s in here}
        if here:
            current = Settled(both if len(labels) == 2 else "given" if yes in labels else "refused", here)
        elif current.value == "given" and any(s.label is yes and s.status in _TAKES_BACK for s in findings.statements):
            current = Settled(None)
    return current


def impact(thread: Sequence[Findings], kinds: frozenset[str]) -> Settled:
    """``impact`` of a hardware job: downtime accepted, a window, or neither."""
    if "hardware" not in kinds:
        return Settled(None)
    current = Settled(None)
    for findings in thread:
        here = [s for s in said(findings) if s.label in DOWNTIME]
        if kinds == {"hardware"}:
            here += [s for s in said(findings) if s.label in _AS_IMPACT]
        if here:
            value = _impact({_AS_IMPACT.get(s.label, s.label) for s in here})
            current = Settled(value, tuple(here))
    return current


# On a pure hardware job leave to switch the server off is leave for downtime.
_AS_IMPACT: Final[Mapping[Label, Label]] = {
    Label.POWER_GRANTED: Label.DOWNTIME_OK,
    Label.POWER_WINDOW: Label.DOWNTIME_WINDOW,
    Label.POWER_WINDOW_MISSING: Label.DOWNTIME_WINDOW_MISSING,
}


def _impact(labels: set[Label]) -> str:
    if Label.DOWNTIME_WINDOW in labels:
        return "window"
    if Label.DOWNTIME_WINDOW_MISSING in labels:
        return "window_missing"
    if Label.DOWNTIME_REFUSED in labels:
        return "refused"
    return "downtime_ok"


def inside_os(thread: Sequence[Findings]) -> bool:
    """Whether the work is inside the operating system, so that credentials are needed."""
    return any(s.label is Label.REQUEST_INSIDE_OS and s.status is Status.ASSERTED for f in thread for s in f.statements)
