"""What the procedure still wants, from a verdict's own values. Pure."""

from __future__ import annotations

from ..model import Verdict
from .procedure import Procedure, Requirement


def missing(verdict: Verdict, procedure: Procedure) -> tuple[str, ...]:
    """Ids of the requirements that hold for the verdict's kinds and are not met, in the procedure's order."""
    kinds = frozenset(verdict.request_kinds)
    return tuple(r.id for r in procedure.requirements if r.kinds & kinds and not _met(r, verdict, kinds))


def _met(requirement: Requirement, v: Verdict, kinds: frozenset[str]) -> bool:
    if requirement.id == "server_id":
        given = {"service_id": v.service_ids, "ip": v.ip_addresses}
        if any(given.get(kind) for kind in requirement.met_by_identifier):
            return True
        return bool(v.hostnames) and kinds <= requirement.met_by_hostname
    if requirement.id == "credentials":
        return bool(v.credentials) or (requirement.only_inside_os and not v.inside_os)
    if requirement.id == "os_choice":
        if v.os is None or not v.os.distribution or not v.os.version:
            return False
        return v.os.distribution not in requirement.edition_for or bool(v.os.edition)
    if requirement.id == "component":
        return bool(v.components)
    return requirement.field is not None and getattr(v, requirement.field) in requirement.met_by
