"""What a thread asks for (procedure, "Request kinds"), from everything that speaks of it.

Three kinds of evidence, strongest first: a statement that asks ("please replace the drive"); a part to be
swapped or a system to be installed that the extractors found; and, where a server is named and something
is said of its power, its backup or its faults, the plain need for somebody to look. A mail of invoices,
orders or thanks needs the first kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..model import Component, Findings, Label, OperatingSystem, Status
from .merge import said

_REQUESTS: Final = frozenset(label for label in Label if label.startswith("request"))
_KIND: Final = {Label.REQUEST_REINSTALL: "os_reinstall", Label.REQUEST_HARDWARE: "hardware"}


def kinds(
    thread: Sequence[Findings],
    components: Sequence[Component] = (),
    system: OperatingSystem | None = None,
    *,
    named: bool = False,
) -> frozenset[str]:
    """The kinds of request. ``named``: a server is identified somewhere in the thread."""
    asked = [s for f in thread for s in said(f) if s.label in _REQUESTS]
    labels = {s.label for s in asked}
    found = {kind for label, kind in _KIND.items() if label in labels}
    business = any(f.business for f in thread)
    concerns = named or any(not s.label.startswith("request") for f in thread for s in said(f))
    if "os_reinstall" not in found and system is not None and system.version and concerns and not business:
        found.add("os_reinstall")
    if not found and components and concerns and not business and Label.REQUEST_INSIDE_OS not in labels:
        found.add("hardware")
    if found:
        # A part swapped or a system installed is not also an intervention; work inside the system is.
        if Label.REQUEST_INSIDE_OS in labels and "os_reinstall" not in found:
            found.add("intervention")
        return frozenset(found)
    if labels or _needs_somebody(thread, named, business):
        return frozenset({"intervention"})
    return frozenset()


def _needs_somebody(thread: Sequence[Findings], named: bool, business: bool) -> bool:
    if business:
        return False
    weak = any(s.label in _REQUESTS and s.status is Status.ASSERTED for f in thread for s in f.statements)
    spoken = any(s.label not in _REQUESTS for f in thread for s in f.statements)
    return weak or (named and spoken)
