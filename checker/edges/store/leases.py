"""Leases (one poller per mailbox, whatever the number of hosts), runs, and the digest's periods.

Times are the caller's: hosts that share a database need clocks that agree within seconds, as NTP gives.
A lease only saves work; that nothing happens twice rests on the unique keys and states of the rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checker.edges.store.tables import digests, leases, runs


def acquire(c: Connection, name: str, owner: str, now: datetime, length: timedelta) -> bool:
    """Take or renew a lease; ``False`` when another owner holds it."""
    taken = c.execute(
        update(leases)
        .where(leases.c.name == name, or_(leases.c.owner == owner, leases.c.expires <= now))
        .values(owner=owner, expires=now + length)
    )
    if taken.rowcount == 1:
        return True
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    statement = insert(leases).values(name=name, owner=owner, expires=now + length).on_conflict_do_nothing()
    return c.execute(statement.returning(leases.c.name)).first() is not None


def release(c: Connection, name: str, owner: str) -> None:
    """Give a lease back."""
    c.execute(leases.delete().where(leases.c.name == name, leases.c.owner == owner))


def begin_run(c: Connection, account: str, owner: str, now: datetime) -> int:
    """Note that a round began. Returns its id."""
    done = c.execute(
        runs.insert().values(account=account, owner=owner, started_at=now, listed=0, processed=0, error="")
    )
    key = done.inserted_primary_key
    return int(key[0]) if key else 0


def end_run(c: Connection, run: int, now: datetime, *, listed: int, processed: int, error: str = "") -> None:
    """Note how it ended; old ones are forgotten after 30 days."""
    c.execute(
        update(runs).where(runs.c.id == run).values(ended_at=now, listed=listed, processed=processed, error=error[:400])
    )
    c.execute(runs.delete().where(runs.c.started_at < now - timedelta(days=30)))


def claim_period(c: Connection, period: str, since: datetime, now: datetime) -> bool:
    """Claim a digest's period; ``False`` when it was written already, here or elsewhere."""
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    statement = insert(digests).values(period=period, created_at=now, since=since).on_conflict_do_nothing()
    return c.execute(statement.returning(digests.c.period)).first() is not None


def last_digest(c: Connection, team: str = "") -> datetime | None:
    """When the last digest was made: the one of everything, or a team's (its periods end in ``/team``)."""
    theirs = digests.c.period.endswith(f"/{team}") if team else digests.c.period.not_like("%/%")
    at: datetime | None = c.execute(select(func.max(digests.c.created_at)).where(theirs)).scalar_one()
    return at


def has_period(c: Connection, period: str) -> bool:
    """Whether a period's digest was written."""
    return c.execute(select(digests.c.period).where(digests.c.period == period)).first() is not None
