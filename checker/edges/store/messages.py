"""Rows of ``messages``, ``folders`` and ``accounts``: what lies in the mailboxes, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, Select, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from checker.edges.records import AccountHealth, Entry, Mail, Place, Position, State
from checker.edges.store.engine import Stale
from checker.edges.store.tables import accounts, folders, messages

OURS: Final = "(outbox)"  # the account name under which our own mails stand in a ticket
_BATCH: Final = 500


def position(c: Connection, account: str, folder: str) -> Position | None:
    """How far a folder is listed, or ``None`` before first contact."""
    row = c.execute(
        select(folders.c.uidvalidity, folders.c.next_uid).where(
            folders.c.account == account, folders.c.folder == folder
        )
    ).first()
    return Position(row.uidvalidity, row.next_uid) if row else None


def listed(c: Connection, account: str, folder: str, at: Position, entries: Sequence[Entry], now: datetime) -> int:
    """Note what a folder holds and how far that goes, in one transaction. Returns how many are new."""
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    new = 0
    for start in range(0, len(entries), _BATCH):
        rows = [
            {
                "account": account, "folder": folder, "uidvalidity": at.uidvalidity, "uid": e.uid, "size": e.size,
                "received_at": e.received_at, "seen_at": now, "state": State.NEW.value, "attempts": 0, "reason": "",
                "marked": False,
            }
            for e in entries[start : start + _BATCH]
        ]  # fmt: skip
        # Rows as parameters, not as part of the statement: that would be compiled anew for each batch.
        statement = insert(messages).on_conflict_do_nothing().returning(messages.c.id)
        new += len(c.execute(statement, rows).all())
    values = {"uidvalidity": at.uidvalidity, "next_uid": at.next_uid, "listed_at": now}
    upsert = insert(folders).values(account=account, folder=folder, **values)
    c.execute(upsert.on_conflict_do_update(index_elements=["account", "folder"], set_=values))
    return new


def known_uids(c: Connection, account: str, folder: str, uidvalidity: int) -> frozenset[str]:
    """Every UID known of a folder: for mailboxes whose UIDs do not grow."""
    query = select(messages.c.uid).where(
        messages.c.account == account, messages.c.folder == folder, messages.c.uidvalidity == uidvalidity
    )
    return frozenset(c.execute(query).scalars())


def waiting(c: Connection, account: str, now: datetime, limit: int, after: int = 0) -> tuple[Mail, ...]:
    """Mails that wait for their reading, oldest row first, those with an id above ``after``."""
    query = _mails().where(
        messages.c.account == account,
        messages.c.state == State.NEW.value,
        messages.c.id > after,
        (messages.c.retry_at.is_(None)) | (messages.c.retry_at <= now),
    )
    return tuple(_mail(r) for r in c.execute(query.order_by(messages.c.id).limit(limit)))


def begin_attempt(c: Connection, mail: Mail) -> None:
    """Count a try before it is made, so that one that kills the process is counted. Raises :class:`Stale`."""
    done = c.execute(
        update(messages)
        .where(messages.c.id == mail.id, messages.c.state == State.NEW.value, messages.c.attempts == mail.attempts)
        .values(attempts=mail.attempts + 1)
    )
    if done.rowcount != 1:
        raise Stale(f"mail {mail.id} was taken by another process")


def put_off(c: Connection, mail: Mail, until: datetime, reason: str, *, uncount: bool = False) -> None:
    """Try again later. ``uncount``: it was not the mail's fault (database away, connection lost)."""
    values: dict[str, object] = {"retry_at": until, "reason": reason}
    if uncount:
        values["attempts"] = mail.attempts
    c.execute(update(messages).where(messages.c.id == mail.id, messages.c.state == State.NEW.value).values(values))


def settle(
    c: Connection,
    mail: Mail,
    state: State,
    now: datetime,
    *,
    reason: str = "",
    sha256: str | None = None,
    message_id: str | None = None,
    content: str | None = None,
    sender: str | None = None,
    ticket: str | None = None,
    n: int | None = None,
    findings: str | None = None,
) -> None:
    """Say what became of a mail, once. Raises :class:`Stale` when it was settled already."""
    done = c.execute(
        update(messages)
        .where(messages.c.id == mail.id, messages.c.state == State.NEW.value)
        .values(
            state=state.value, done_at=now, reason=reason, sha256=sha256, message_id=message_id, content=content,
            sender=sender, ticket=ticket, n=n, findings=findings, retry_at=None,
        )
    )  # fmt: skip
    if done.rowcount != 1:
        raise Stale(f"mail {mail.id} was settled by another process")


def ours(
    c: Connection,
    key: str,
    now: datetime,
    *,
    message_id: str,
    sha256: str,
    size: int,
    ticket: str,
    n: int,
    findings: str,
) -> None:
    """Note a mail of ours as the ticket's ``n``-th message: what we asked gives short answers their meaning."""
    c.execute(
        messages.insert().values(
            account=OURS, folder="", uidvalidity=0, uid=key, size=size, received_at=now, seen_at=now,
            state=State.OURS.value, attempts=0, done_at=now, sha256=sha256, message_id=message_id, reason="",
            ticket=ticket, n=n, findings=findings, marked=True,
        )
    )  # fmt: skip


def rebind(c: Connection, fresh: Mail, old: Mail) -> None:
    """The same mail under a new UIDVALIDITY: the old row moves to the new place, the new row goes."""
    c.execute(delete(messages).where(messages.c.id == fresh.id, messages.c.state == State.NEW.value))
    p = fresh.place
    c.execute(
        update(messages).where(messages.c.id == old.id).values(folder=p.folder, uidvalidity=p.uidvalidity, uid=p.uid)
    )


def by_sha256(c: Connection, sha256: str) -> tuple[Mail, ...]:
    """Settled mails with these bytes, oldest first."""
    return _found(c, _mails().where(messages.c.sha256 == sha256, messages.c.state != State.NEW.value))


def by_message_ids(c: Connection, ids: Iterable[str]) -> tuple[Mail, ...]:
    """Settled mails with one of these Message-IDs, oldest first."""
    wanted = list(dict.fromkeys(ids))[:50]
    if not wanted:
        return ()
    return _found(c, _mails().where(messages.c.message_id.in_(wanted), messages.c.state != State.NEW.value))


def by_content(c: Connection, content: str, since: datetime) -> tuple[Mail, ...]:
    """Settled mails whose sender, subject and words are the same, received since a time."""
    return _found(c, _mails().where(messages.c.content == content, messages.c.received_at >= since))


def contents(c: Connection, ids: Iterable[int]) -> dict[int, str | None]:
    """Content hashes of mails, by row id."""
    rows = c.execute(select(messages.c.id, messages.c.content).where(messages.c.id.in_(list(ids))))
    return {r.id: r.content for r in rows}


def of_ticket(c: Connection, ticket: str) -> tuple[tuple[Mail, str], ...]:
    """A ticket's messages in their order, each with its stored findings."""
    query = _mails(with_findings=True).where(messages.c.ticket == ticket, messages.c.n.is_not(None))
    return tuple((_mail(r), r.findings or "") for r in c.execute(query.order_by(messages.c.n)))


def length(c: Connection, ticket: str) -> int:
    """How many messages a ticket has."""
    query = select(func.count()).where(messages.c.ticket == ticket, messages.c.n.is_not(None))
    return c.execute(query).scalar_one()


def refind(c: Connection, mail_id: int, findings: str) -> None:
    """What newer rules found in a mail, in place of what was found before."""
    c.execute(update(messages).where(messages.c.id == mail_id).values(findings=findings))


def restate(c: Connection, ticket: str, state: State) -> None:
    """A thread became a request, or is none after all: its mails follow."""
    c.execute(
        update(messages)
        .where(messages.c.ticket == ticket, messages.c.state.in_([State.DONE.value, State.NOT_REQUEST.value]))
        .values(state=state.value)
    )


def unmarked(c: Connection, account: str, limit: int) -> tuple[Mail, ...]:
    """Settled mails that still lie in the mailbox as they came."""
    query = _mails().where(
        messages.c.account == account,
        messages.c.marked.is_(False),
        messages.c.state.not_in([State.NEW.value, State.VANISHED.value]),
    )
    return tuple(_mail(r) for r in c.execute(query.order_by(messages.c.id).limit(limit)))


def mark(c: Connection, ids: Iterable[int], moved_to: str | None) -> None:
    """Note that mails were flagged or moved."""
    c.execute(update(messages).where(messages.c.id.in_(list(ids))).values(marked=True, moved_to=moved_to))


def counts(c: Connection, since: datetime | None = None, until: datetime | None = None) -> dict[State, int]:
    """How many mails are in each state, of those settled in a period (half open); without one, of all."""
    query = select(messages.c.state, func.count()).group_by(messages.c.state)
    if since is not None:
        query = query.where(messages.c.done_at >= since)
    if until is not None:
        query = query.where(messages.c.done_at < until)
    return {State(state): n for state, n in c.execute(query)}


def in_state(c: Connection, state: State, since: datetime | None = None, limit: int = 200) -> tuple[Mail, ...]:
    """Mails in one state, newest first."""
    query = _mails().where(messages.c.state == state.value)
    if since is not None:
        query = query.where(messages.c.seen_at >= since)
    return tuple(_mail(r) for r in c.execute(query.order_by(messages.c.id.desc()).limit(limit)))


def release(c: Connection, mail_id: int) -> bool:
    """Let a quarantined mail be tried again. Says whether there was one."""
    done = c.execute(
        update(messages)
        .where(messages.c.id == mail_id, messages.c.state == State.QUARANTINED.value)
        .values(state=State.NEW.value, attempts=0, retry_at=None, reason="", done_at=None)
    )
    return done.rowcount == 1


def health(c: Connection) -> tuple[AccountHealth, ...]:
    """How polling goes, per mailbox."""
    rows = c.execute(select(accounts).order_by(accounts.c.account))
    return tuple(AccountHealth(r.account, r.last_ok_at, r.failures, r.retry_at, r.error) for r in rows)


def account_health(c: Connection, account: str) -> AccountHealth:
    """How polling one mailbox goes."""
    return next((h for h in health(c) if h.account == account), AccountHealth(account))


def set_health(c: Connection, h: AccountHealth) -> None:
    """Note how polling went."""
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    values = {"last_ok_at": h.last_ok_at, "failures": h.failures, "retry_at": h.retry_at, "error": h.error[:400]}
    statement = insert(accounts).values(account=h.account, **values)
    c.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))


def _mails(*, with_findings: bool = False) -> Select[tuple[object, ...]]:
    columns = [x for x in messages.c if with_findings or x.name != "findings"]
    return select(*columns)


def _found(c: Connection, query: Select[tuple[object, ...]]) -> tuple[Mail, ...]:
    return tuple(_mail(r) for r in c.execute(query.order_by(messages.c.id).limit(50)))


def _mail(r: Row[tuple[object, ...]]) -> Mail:
    return Mail(
        id=r.id, place=Place(r.account, r.folder, r.uidvalidity, r.uid), size=r.size, received_at=r.received_at,
        state=State(r.state), attempts=r.attempts, sha256=r.sha256, message_id=r.message_id, ticket=r.ticket, n=r.n,
        sender=r.sender, reason=r.reason, moved_to=r.moved_to, marked=r.marked, seen_at=r.seen_at,
    )  # fmt: skip
