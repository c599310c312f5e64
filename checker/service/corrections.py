"""The staff's corrections as labelled samples, for a person to review into ``rules/``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from checker.model import Findings, Label, Status
from checker.service.audit import NOTHING, TOPICS, Override

# Field and value to the labels of a statement that says so (corpus, FORMAT).
LABELS: Final[Mapping[tuple[str, str], tuple[Label, ...]]] = {
    ("power", "granted"): (Label.POWER_GRANTED,),
    ("power", "denied"): (Label.POWER_DENIED,),
    ("power", "partial"): (Label.POWER_PARTIAL,),
    ("power", "window"): (Label.POWER_WINDOW,),
    ("power", "window_missing"): (Label.POWER_WINDOW_MISSING,),
    ("backup", "confirmed"): (Label.BACKUP_CONFIRMED,),
    ("backup", "absent"): (Label.BACKUP_ABSENT,),
    ("backup", "absent_accepted"): (Label.BACKUP_ABSENT, Label.LOSS_ACCEPTED),
    ("backup", "inadequate"): (Label.BACKUP_INADEQUATE,),
    ("data_loss_consent", "given"): (Label.ERASE_CONSENT,),
    ("data_loss_consent", "refused"): (Label.ERASE_REFUSED,),
    ("hardware_acknowledgement", "given"): (Label.RISK_ACCEPTED,),
    ("hardware_acknowledgement", "refused"): (Label.RISK_REFUSED,),
    ("impact", "downtime_ok"): (Label.DOWNTIME_OK,),
    ("impact", "window"): (Label.DOWNTIME_WINDOW,),
    ("impact", "window_missing"): (Label.DOWNTIME_WINDOW_MISSING,),
    ("impact", "refused"): (Label.DOWNTIME_REFUSED,),
    ("request_kinds", "intervention"): (Label.REQUEST_INTERVENTION,),
    ("request_kinds", "os_reinstall"): (Label.REQUEST_REINSTALL,),
    ("request_kinds", "hardware"): (Label.REQUEST_HARDWARE,),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Words with the labels that they should have got. ``read_as``: the labels that the rules gave them.

    No labels: they look like a statement and are none.
    """

    text: str
    labels: tuple[Label, ...]
    language: str
    read_as: tuple[str, ...]
    ticket: str
    field: str
    value: str
    because: str


def samples(ticket: str, standing: Sequence[Override], thread: Sequence[Findings], language: str) -> Iterator[Sample]:
    """The samples of a ticket's corrections: the words that the person quoted, or those that were read about
    the field before the correction, each once. All of them are masked already, since they come from the store.
    """
    for o in standing:
        labels = _labels(o)
        seen: set[str] = set()
        for text, read_as, spoken in _words(o, thread, language):
            if text and text not in seen:
                seen.add(text)
                yield Sample(text, labels, spoken, read_as, ticket, o.field, o.value, o.because)


def _labels(o: Override) -> tuple[Label, ...]:
    if o.value == NOTHING:
        return ()
    return tuple(label for value in o.value.split(",") for label in LABELS[o.field, value])


def _words(o: Override, thread: Sequence[Findings], language: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if o.words:
        yield o.words, (), language
        return
    for findings in thread[: o.after]:
        for s in findings.statements:
            if s.label.startswith(TOPICS[o.field]):
                status = "" if s.status is Status.ASSERTED else f" ({s.status})"
                yield s.span.text, (f"{s.label}{status}",), findings.language
