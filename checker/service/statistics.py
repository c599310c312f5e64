"""What is forgotten most, and how long it takes: the tickets of a period in numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median_low
from typing import Final

from checker.edges.records import Event, Ticket
from checker.model import TicketStatus

ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Share:
    """One group of tickets. ``forgotten``: requirement and in how many tickets it was asked for, most first.

    ``median_to_complete`` is from the first mail to the one that made the ticket complete.
    """

    name: str
    tickets: int
    complete: int
    complete_at_first: int
    median_to_complete: timedelta | None
    forgotten: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """The whole, and the same by language and by kind. A ticket of two kinds counts in both."""

    whole: Share
    languages: tuple[Share, ...]
    kinds: tuple[Share, ...]


def statistics(tickets: Iterable[Ticket], asked: Iterable[Event]) -> Statistics:
    """``tickets`` of the period, and every ``missing`` event about them, oldest first.

    What counts as forgotten is what the first request asked for: later ones repeat it.
    """
    requests = [t for t in tickets if t.status != TicketStatus.NOT_A_REQUEST]
    first: dict[str, tuple[str, ...]] = {}
    for event in asked:
        first.setdefault(event.ticket, tuple(r for r in event.detail.split(",") if r))
    return Statistics(
        whole=_share(ALL, requests, first),
        languages=_by(requests, first, lambda t: (t.language,)),
        kinds=_by(requests, first, lambda t: t.kinds),
    )


def _by(
    tickets: Sequence[Ticket], first: Mapping[str, tuple[str, ...]], names: Callable[[Ticket], Iterable[str]]
) -> tuple[Share, ...]:
    groups: dict[str, list[Ticket]] = {}
    for t in tickets:
        for name in names(t):
            groups.setdefault(name, []).append(t)
    return tuple(_share(name, groups[name], first) for name in sorted(groups))


def _share(name: str, tickets: Sequence[Ticket], first: Mapping[str, tuple[str, ...]]) -> Share:
    complete = [t for t in tickets if t.ready_at is not None]
    times = [t.ready_at - t.created_at for t in complete if t.ready_at is not None]
    forgotten = Counter(r for t in tickets for r in dict.fromkeys(first.get(t.id, ())))
    return Share(
        name=name,
        tickets=len(tickets),
        complete=len(complete),
        complete_at_first=sum(t.asks == 0 for t in complete),
        median_to_complete=median_low(times) if times else None,
        forgotten=tuple(sorted(forgotten.items(), key=lambda kv: (-kv[1], kv[0]))),
    )
