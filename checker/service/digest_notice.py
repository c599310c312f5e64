"""Notices at once: a ticket that became ready, or one whose window begins soon, for those who want to know.

Each is told once per recipient: the key of the mail names the ticket, what happened and when, and the outbox
takes a key only once, whatever restarts or other hosts do. What became ready while nobody was looking for a day
is not told at once any more; the digest has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from checker.answer.model import AnswerError, NoticeKind, NoticeView
from checker.answer.notice import compose
from checker.edges.records import Kind, Ticket
from checker.edges.store import outbox, tickets
from checker.model import TicketStatus
from checker.service import letters
from checker.service.apply import sealed
from checker.service.audit import judged, overrides
from checker.service.digest_entry import entry, soonest
from checker.service.gather import thread
from checker.service.overview import concerns
from checker.service.workshop import Workshop
from checker.settings import DigestTeam, Schedule

_FRESH: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _News:
    """What there is to tell of a ticket; ``at``: when it became ready, or when its window begins."""

    kind: NoticeKind
    ticket: Ticket
    at: datetime

    def key(self, to: str) -> str:
        return f"{self.kind}:{self.ticket.id}:{self.at:%Y%m%dT%H%M%S}:{to}"


def notify(shop: Workshop) -> int:
    """Post the notices that are due. Returns how many."""
    digest = shop.settings.digest
    teams = [(s, t) for s, t in ((digest, None), *((t, t) for t in digest.team)) if s.immediate and s.recipients]
    if not teams:
        return 0
    now = shop.clock.now()
    wanted = {NoticeKind(kind) for schedule, _ in teams for kind in schedule.immediate}
    with shop.store.read() as c:
        news = [n for t in tickets.listed(c) for n in _news(c, shop, t, wanted, now)]
    return sum(_tell(shop, n, schedule, team, now) for n in news for schedule, team in teams)


def _news(c: Connection, shop: Workshop, ticket: Ticket, wanted: set[NoticeKind], now: datetime) -> Iterator[_News]:
    if ticket.status == TicketStatus.NOT_A_REQUEST or "closed" in ticket.flags:
        return
    ready = ticket.ready_at
    if NoticeKind.READY in wanted and ready is not None and ready >= now - _FRESH:
        yield _News(NoticeKind.READY, ticket, ready)
    if NoticeKind.URGENT in wanted:
        said = thread(c, ticket.id)
        # Judging takes longer than looking whether a window that was named can be soon at all.
        last = now + timedelta(hours=shop.settings.digest.soon_hours)
        if any(w.start is not None and now <= w.start <= last for f in said for w in f.windows):
            standing = overrides(tickets.history(c, ticket.id))
            start = soonest(judged(shop.rules.current.engine, said, standing), shop, now)
            if start is not None:
                yield _News(NoticeKind.URGENT, ticket, start)


def _tell(shop: Workshop, news: _News, schedule: Schedule, team: DigestTeam | None, now: datetime) -> int:
    if news.kind not in schedule.immediate or not concerns(news.ticket, team):
        return 0
    with shop.store.read() as c:
        untold = [to for to in schedule.recipients if not outbox.has_key(c, news.key(to))]
        if not untold:
            return 0
        line = entry(c, shop, news.ticket, now, now)
    hoster = shop.settings.hoster
    view = NoticeView(
        kind=news.kind,
        language=(team.language if team is not None else None) or hoster.staff_language,
        hoster=letters.hoster(hoster),
        now=now,
        zone=hoster.zone,
        entry=line,
        start=news.at if news.kind is NoticeKind.URGENT else None,
    )
    try:
        rendered = compose(view, shop.rules.current.env, shop.rules.current.texts)
    except AnswerError as error:
        shop.log.error("notice-failed", ticket=news.ticket.id, error=str(error))  # noqa: TRY400 - the sentence says it all
        return 0
    with shop.store.write() as c:
        posted = sum(outbox.post(c, sealed(shop, rendered, Kind.NOTICE, to, key=news.key(to)), now) for to in untold)
    shop.checkpoint("notice-posted")
    return posted
