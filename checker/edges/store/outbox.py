"""Rows of ``outbox`` and ``stopped_addresses``: our mails, each once, and where nothing goes any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checker.edges.records import TO_CUSTOMERS, Counts, Delivery, Kind, Outgoing, Posted
from checker.edges.store.tables import outbox, stopped


def post(c: Connection, mail: Outgoing, now: datetime) -> bool:
    """Put a mail into the outbox. ``False`` when its key is there already: it is never posted twice."""
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(outbox)
        .values(
            key=mail.key, kind=mail.kind.value, recipient=mail.recipient.lower(), domain=domain(mail.recipient),
            message_id=mail.message_id, raw=mail.raw, ticket=mail.ticket, answers=mail.answers,
            state=Delivery.PENDING.value, attempts=0, created_at=now, next_try=now, error="", bounced=False,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(outbox.c.id)  # the count of an INSERT's rows is not the same on every driver
    )  # fmt: skip
    return c.execute(statement).first() is not None


def claim(c: Connection, owner: str, now: datetime, lease: timedelta) -> Posted | None:
    """Take the next mail that is due; from here on a crash leaves it ``sending``, hence unknown."""
    query = (
        select(outbox)
        .where(outbox.c.state == Delivery.PENDING.value, outbox.c.next_try <= now)
        .order_by(outbox.c.next_try, outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = c.execute(query).first()
    if row is None:
        return None
    c.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(state=Delivery.SENDING.value, owner=owner, lease_until=now + lease, attempts=row.attempts + 1)
    )
    found = get(c, row.id)
    if found is None:  # pragma: no cover - the row is locked by this transaction
        raise LookupError(f"outbox row {row.id} went away")
    return found


def lapse(c: Connection, now: datetime, wait: timedelta) -> int:
    """Mails whose sender died in the act (their lease is spent) become unknown, to be looked at from now on.

    ``wait`` is how long a relay is given before the mail may be sent again; ``has`` needs no waiting, so a
    mail that can be found is settled at once all the same.
    """
    done = c.execute(
        update(outbox)
        .where(outbox.c.state == Delivery.SENDING.value, outbox.c.lease_until < now)
        .values(state=Delivery.UNKNOWN.value, error="the service ended while it was sending", next_try=now + wait)
    )
    return max(done.rowcount, 0)


def settle(
    c: Connection, posted: Posted, state: Delivery, now: datetime, *, error: str = "", next_try: datetime | None = None
) -> bool:
    """Say what became of a delivery; ``False`` when somebody else did meanwhile."""
    values: dict[str, object] = {"state": state.value, "error": error[:400], "owner": None, "lease_until": None}
    if state is Delivery.SENT:
        values["sent_at"] = now
    if next_try is not None:
        values["next_try"] = next_try
    done = c.execute(
        update(outbox)
        .where(outbox.c.id == posted.id, outbox.c.state == posted.state.value, outbox.c.attempts == posted.attempts)
        .values(values)
    )
    return done.rowcount == 1


def unknown(c: Connection) -> tuple[Posted, ...]:
    """Mails of which we do not know whether the relay has them; before ``next_try`` they are not sent again."""
    query = select(outbox).where(outbox.c.state == Delivery.UNKNOWN.value)
    return tuple(_posted(r) for r in c.execute(query.order_by(outbox.c.id)))


def get(c: Connection, row: int) -> Posted | None:
    """A row, or ``None``."""
    found = c.execute(select(outbox).where(outbox.c.id == row)).first()
    return _posted(found) if found else None


def has_key(c: Connection, key: str) -> bool:
    """Whether a mail was posted under a key."""
    return c.execute(select(outbox.c.id).where(outbox.c.key == key)).first() is not None


def by_message_ids(c: Connection, ids: Iterable[str]) -> tuple[Posted, ...]:
    """Our mails with one of these Message-IDs."""
    wanted = list(dict.fromkeys(ids))[:50]
    if not wanted:
        return ()
    return tuple(_posted(r) for r in c.execute(select(outbox).where(outbox.c.message_id.in_(wanted))))


def listed(
    c: Connection,
    *,
    states: Iterable[Delivery] | None = None,
    kinds: Iterable[Kind] | None = None,
    ticket: str | None = None,
    since: datetime | None = None,
) -> tuple[Posted, ...]:
    """Our mails, oldest first."""
    query = select(outbox)
    if states is not None:
        query = query.where(outbox.c.state.in_([s.value for s in states]))
    if kinds is not None:
        query = query.where(outbox.c.kind.in_([k.value for k in kinds]))
    if ticket is not None:
        query = query.where(outbox.c.ticket == ticket)
    if since is not None:
        query = query.where(outbox.c.created_at >= since)
    return tuple(_posted(r) for r in c.execute(query.order_by(outbox.c.id).limit(10_000)))


def bounced(c: Connection, posted: Posted) -> None:
    """Note that a mail of ours came back."""
    c.execute(update(outbox).where(outbox.c.id == posted.id).values(bounced=True))


def give_up(c: Connection, address: str, now: datetime, reason: str) -> int:
    """Fail what still waits for an address that is stopped."""
    done = c.execute(
        update(outbox)
        .where(outbox.c.recipient == address.lower(), outbox.c.state == Delivery.PENDING.value)
        .values(state=Delivery.FAILED.value, error=reason[:400], next_try=now)
    )
    return max(done.rowcount, 0)


def stop(c: Connection, address: str, now: datetime, reason: str) -> None:
    """Send nothing to an address any more."""
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    c.execute(
        insert(stopped).values(address=address.lower()[:320], at=now, reason=reason[:400]).on_conflict_do_nothing()
    )
    give_up(c, address, now, reason)


def is_stopped(c: Connection, address: str) -> bool:
    """Whether mail to an address came back for good."""
    return c.execute(select(stopped.c.address).where(stopped.c.address == address.lower()[:320])).first() is not None


def recent(c: Connection, recipient: str, answers: str | None, now: datetime) -> Counts:
    """How often customers were written to lately. What failed before it left is not counted."""

    def count(*conditions: object) -> int:
        query = select(func.count()).select_from(outbox)
        query = query.where(outbox.c.kind.in_([k.value for k in TO_CUSTOMERS]), outbox.c.state != Delivery.FAILED.value)
        for condition in conditions:
            query = query.where(condition)  # type: ignore[arg-type]  # SQLAlchemy's own expressions
        return c.execute(query).scalar_one()

    day, hour = now - timedelta(days=1), now - timedelta(hours=1)
    return Counts(
        sender_day=count(outbox.c.recipient == recipient.lower(), outbox.c.created_at > day),
        domain_hour=count(outbox.c.domain == domain(recipient), outbox.c.created_at > hour),
        global_hour=count(outbox.c.created_at > hour),
        this_mail=count(outbox.c.answers == answers) if answers is not None else 0,
    )


def domain(address: str) -> str:
    """The part behind the ``@``, lower case."""
    return address.rpartition("@")[2].lower()


def _posted(r: Row[tuple[object, ...]]) -> Posted:
    mail = Outgoing(r.key, Kind(r.kind), r.recipient, r.message_id, r.raw, r.ticket, r.answers)
    return Posted(r.id, mail, Delivery(r.state), r.attempts, r.created_at, r.next_try, r.sent_at, r.error, r.bounced)
