"""What a named person of the staff set a field to, and why: applied over every later verdict. Pure.

A correction is an event of its ticket, so that it stands in the history with name and reason and its hash
covers what went before. The customer has the last word all the same: who speaks of the field again after the
correction, and differs, brings the ticket before a person (``said-otherwise:power``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from checker.comply.missing import missing
from checker.comply.procedure import KINDS, Procedure
from checker.comply.verdict import status_of
from checker.edges.records import Event
from checker.model import Findings, TicketStatus, Verdict

if TYPE_CHECKING:
    from checker.service.workshop import Judge

SET: Final = "override"
UNDONE: Final = "override-undone"
NOTHING: Final = "none"  # "the customer did not say it"
_KINDS_FIELD: Final = "request_kinds"

# procedure/requirements, "Statement values". A conflict is what a person settles, hence no value to set.
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "power": ("granted", "denied", "partial", "window", "window_missing"),
    "backup": ("confirmed", "absent_accepted", "absent", "inadequate"),
    "data_loss_consent": ("given", "refused"),
    "hardware_acknowledgement": ("given", "refused"),
    "impact": ("downtime_ok", "window", "window_missing", "refused"),
    _KINDS_FIELD: KINDS,
}
# Field to the start of the labels that speak of it.
TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "power": ("power_",),
    "backup": ("backup_", "loss_"),
    "data_loss_consent": ("erase_",),
    "hardware_acknowledgement": ("risk_",),
    "impact": ("downtime_",),
    _KINDS_FIELD: ("request_",),
}
_TAKEN_BACK: Final = ("withdrawn", "condition", "future")


class CorrectionError(ValueError):
    """A correction that cannot be; the text says which are possible."""


@dataclass(frozen=True, slots=True)
class Override:
    """A field's value by a person. ``value`` is :data:`NOTHING` or of :data:`VALUES` (kinds joined by commas).

    ``after`` counts the messages of the ticket that the person had before them; ``words`` are the customer's
    words that it rests on, if they were given.
    """

    field: str
    value: str
    because: str
    by: str
    at: datetime
    after: int
    words: str = ""

    def sentence(self) -> str:
        """As people are told of it."""
        return f"{self.field} = {self.value}: set by {self.by} because {self.because}"


def checked_field(field: str) -> str:
    """The field as it is called, whatever case or dashes it was written with. Raises :class:`CorrectionError`."""
    name = field.strip().lower().replace("-", "_")
    if name not in VALUES:
        raise CorrectionError(f"{field!r} is no field that can be set; the fields are {', '.join(VALUES)}")
    return name


def checked_value(field: str, value: str) -> str:
    """The value as it is stored. Raises :class:`CorrectionError` naming the values that there are."""
    allowed = VALUES[field]
    parts = value.split(",") if field == _KINDS_FIELD else [value]
    given = [v.strip().lower().replace("-", "_") for v in parts]
    if given == [NOTHING]:
        return NOTHING
    if wrong := [v for v in given if v not in allowed]:
        several = " (several joined by commas)" if field == _KINDS_FIELD else ""
        raise CorrectionError(
            f"{wrong[0]!r} is no value of {field}; the values are {', '.join(allowed)}{several}, and {NOTHING}"
        )
    return ",".join(v for v in allowed if v in given)


def set_event(ticket: str, o: Override) -> Event:
    """A correction as it is stored."""
    detail = {"field": o.field, "value": o.value, "because": o.because, "by": o.by, "after": o.after}
    return Event(o.at, ticket, SET, _json(detail | ({"words": o.words} if o.words else {})))


def undo_event(ticket: str, field: str, by: str, because: str, at: datetime) -> Event:
    """The end of a correction as it is stored."""
    return Event(at, ticket, UNDONE, _json({"field": field, "by": by, "because": because}))


def overrides(history: Iterable[Event]) -> tuple[Override, ...]:
    """The corrections that stand, in the order of the fields: the last of each field, unless it was undone."""
    standing: dict[str, Override] = {}
    for event in history:
        if event.kind == SET:
            made = read_override(event)
            standing[made.field] = made
        elif event.kind == UNDONE:
            standing.pop(str(json.loads(event.detail)["field"]), None)
    return tuple(standing[field] for field in VALUES if field in standing)


def read_override(event: Event) -> Override:
    """A stored correction."""
    d = json.loads(event.detail)
    return Override(d["field"], d["value"], d["because"], d["by"], event.at, int(d["after"]), d.get("words", ""))


def told(event: Event) -> str:
    """An event's detail for people: corrections as sentences, everything else as it is stored."""
    if event.kind == SET:
        return read_override(event).sentence()
    if event.kind == UNDONE:
        d = json.loads(event.detail)
        return f"{d['field']}: by {d['by']}" + (f" because {d['because']}" if d["because"] else "")
    return event.detail


def corrected(verdict: Verdict, standing: Iterable[Override], procedure: Procedure) -> Verdict:
    """The verdict with the corrections over it, and what then is missing.

    The words of a corrected field are evidence no more, unless they came after the correction and differ.
    """
    made = {o.field: o for o in standing}
    if not made:
        return verdict
    otherwise = tuple(f"said-otherwise:{o.field}" for o in made.values() if _differs(verdict, o))
    kinds = verdict.request_kinds
    if _KINDS_FIELD in made:
        value = made[_KINDS_FIELD].value
        kinds = () if value == NOTHING else tuple(value.split(","))
    settled = {f"conflict:{field}" for field in made}
    values: dict[str, Any] = {
        o.field: None if o.value == NOTHING else o.value for o in made.values() if o.field != _KINDS_FIELD
    }
    changed = replace(
        verdict,
        request_kinds=kinds,
        review=(*(r for r in verdict.review if r not in settled), *otherwise),
        evidence=tuple(e for e in verdict.evidence if e.field not in made or e.message > made[e.field].after),
        **values,
    )
    if not kinds:
        return replace(changed, missing=(), review=(), status=TicketStatus.NOT_A_REQUEST)
    wanted = missing(changed, procedure)
    return replace(changed, missing=wanted, status=status_of(changed.review, wanted))


def judged(engine: Judge, thread: Sequence[Findings], standing: Sequence[Override]) -> Verdict:
    """The verdict over a thread by the rules, with the staff's corrections over it."""
    return corrected(engine.judge(thread), standing, engine.procedure)


def _differs(verdict: Verdict, o: Override) -> bool:
    """Whether the customer spoke of the field after the correction, and said something else or took it back."""
    if o.field == _KINDS_FIELD:
        return False
    if any(e.field == o.field and e.message > o.after and e.value != o.value for e in verdict.evidence):
        return True
    return any(
        r.message > o.after and r.field.startswith(TOPICS[o.field]) and r.reason.startswith(_TAKEN_BACK)
        for r in verdict.rejected
    )


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
