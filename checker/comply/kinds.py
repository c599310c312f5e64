"""What a thread asks for (procedure, "Request kinds"), from everything that speaks of it.

First whether anything is asked at all, by points: customers seldom say "I request an intervention", they
describe a dead server and add what we may do to it. Then which kinds, from what was asked for in words,
the parts and systems that were found, and what was said about erasure, downtime and risk, which belong
to one kind of work each. The points were set on labelled tickets; a mail of invoices, orders or thanks
needs two more than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..model import Component, Findings, Label, OperatingSystem, Statement, Status
from .merge import said

_REQUESTS: Final = frozenset(label for label in Label if label.startswith("request"))
_POWER: Final = frozenset(label for label in Label if label.startswith("power"))
_ERASE: Final = frozenset({Label.ERASE_CONSENT, Label.ERASE_REFUSED})
_HARDWARE_ONLY: Final = frozenset(label for label in Label if label.startswith(("risk", "downtime")))
_PART_ORDERS: Final = frozenset({"request.hardware_order", "request.hardware_it", "idiom.request_hardware"})

ENOUGH: Final = 2.0  # points that make a request
BUSINESS: Final = -2.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything in a thread that bears on what is asked for."""

    asked: frozenset[Label]  # said outright
    rules: frozenset[str]  # the rules that said it
    faults: frozenset[str]  # rules by which something is merely described as broken
    inside: bool  # something inside the system is described as broken
    spoken: frozenset[Label]  # asserted, of power, backup, erasure, loss, risk, downtime
    touched: bool  # the same, asked, denied or put off
    part_work: bool  # a part and its exchange are named together, in whatever mood
    system_line: bool  # a form's line names the system
    access: bool  # a way into the server was given
    servers: int
    parts: bool
    system: bool
    version: bool
    business: bool


def gather(
    thread: Sequence[Findings], components: Sequence[Component], system: OperatingSystem | None, servers: int
) -> Evidence:
    """The evidence of a thread."""
    strong = [s for f in thread for s in said(f)]
    every = [s for f in thread for s in f.statements]
    asked = [s for s in strong if s.label in _REQUESTS]
    hints = {_rule(s) for s in every if s.status is Status.ASSERTED and s.score < 1}
    return Evidence(
        asked=frozenset(s.label for s in asked),
        rules=frozenset(_rule(s) for s in asked),
        faults=frozenset(
            _rule(s)
            for s in every
            if s.label is Label.REQUEST_INTERVENTION and s.status is Status.ASSERTED and s.score < 1
        ),
        inside=any(s.label is Label.REQUEST_INSIDE_OS and s.status is Status.ASSERTED for s in every),
        spoken=frozenset(s.label for s in strong if s.label not in _REQUESTS),
        touched=any(s.label not in _REQUESTS for s in every),
        part_work="request.hardware_named" in hints,
        system_line="request.system_line" in hints,
        access=any(f.credentials for f in thread),
        servers=servers,
        parts=bool(components),
        system=system is not None and bool(system.distribution),
        version=system is not None and bool(system.version),
        business=any(f.business for f in thread),
    )


def _rule(statement: Statement) -> str:
    return statement.rule.partition("/")[2].partition(":")[0]


def points(e: Evidence) -> float:
    """How much speaks for a request."""
    total = 0.0
    if e.asked:
        total += 2 if e.business else 3
    if e.spoken & _POWER:
        total += 2
    total += min(2, len(e.spoken - _POWER))
    if e.touched:
        total += 0.5
    if e.faults:
        total += 2 if "request.fault" in e.faults else 1
    if e.servers:
        total += 1 + e.parts + e.system
    if e.access:
        total += 2
    total += e.system_line
    if e.business:
        # who is told to mend what is broken may well add what it costs
        total += BUSINESS / 2 if e.asked and e.faults else BUSINESS
    return total


def kinds(
    thread: Sequence[Findings],
    components: Sequence[Component] = (),
    system: OperatingSystem | None = None,
    servers: int = 0,
) -> frozenset[str]:
    """The kinds of request. ``servers``: how many are identified in the thread."""
    e = gather(thread, components, system, servers)
    if points(e) < ENOUGH:
        return frozenset()
    found = set()
    if _reinstall(e):
        found.add("os_reinstall")
    if _hardware(e, reinstall=bool(found)):
        found.add("hardware")
    if not found or _also_intervention(e, found):
        found.add("intervention")
    return frozenset(found)


def _reinstall(e: Evidence) -> bool:
    inside = Label.REQUEST_INSIDE_OS in e.asked
    if Label.REQUEST_REINSTALL in e.asked:
        # "reinstall the boot loader": a system is neither named nor to be erased
        return not inside or e.system or bool(e.spoken & _ERASE)
    if e.version:
        # "after the upgrade to Debian 12 it hangs, please mend the boot loader" names a system and wants none
        # (with two servers it may be wanted on the other one)
        return not inside or e.servers > 1 or bool(e.spoken & _ERASE)
    if e.inside or e.parts or e.asked & {Label.REQUEST_INTERVENTION, Label.REQUEST_HARDWARE}:
        return False
    return (e.system and not e.access) or Label.ERASE_CONSENT in e.spoken


def _hardware(e: Evidence, *, reinstall: bool) -> bool:
    belongs = bool(e.spoken & _HARDWARE_ONLY)
    if Label.REQUEST_HARDWARE in e.asked:
        # "install Debian on both SSDs" names a part and changes none
        return not reinstall or belongs or bool(e.rules & _PART_ORDERS)
    if not e.parts:
        return False
    if reinstall:
        return belongs  # "4 GB swap on both disks" is a layout
    if e.part_work:
        return True
    if e.asked & {Label.REQUEST_INTERVENTION, Label.REQUEST_INSIDE_OS}:
        return False
    return belongs or Label.LOSS_ACCEPTED in e.spoken or not e.spoken & _POWER


def _also_intervention(e: Evidence, found: set[str]) -> bool:
    """Beside a swap, work inside the system; beside a new system, work on another machine."""
    if "os_reinstall" in found:
        return e.servers > 1 and bool(e.asked & {Label.REQUEST_INSIDE_OS, Label.REQUEST_INTERVENTION})
    return Label.REQUEST_INSIDE_OS in e.asked
