"""Events become a chain: each has a hash that covers the one before it in its ticket."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and chain what is there: from now on a change to it shows."""
    op.add_column("events", sa.Column("hash", sa.String(length=64), nullable=True))
    c = op.get_bind()
    events = sa.table(
        "events",
        sa.column("id", sa.BigInteger),
        sa.column("at", sa.DateTime(timezone=True)),
        sa.column("ticket", sa.String),
        sa.column("kind", sa.String),
        sa.column("detail", sa.Text),
        sa.column("hash", sa.String),
    )
    last: dict[str, str] = {}
    done: list[dict[str, object]] = []
    query = sa.select(events.c.id, events.c.at, events.c.ticket, events.c.kind, events.c.detail)
    for row in c.execute(query.order_by(events.c.id)).all():
        last[row.ticket] = _hash(row.at, row.ticket, row.kind, row.detail, last.get(row.ticket, ""))
        done.append({"row": row.id, "value": last[row.ticket]})
    if done:
        change = sa.update(events).where(events.c.id == sa.bindparam("row")).values(hash=sa.bindparam("value"))
        c.execute(change, done)
    with op.batch_alter_table("events") as batch:
        batch.alter_column("hash", existing_type=sa.String(length=64), nullable=False)


def _hash(at: datetime, ticket: str, kind: str, detail: str, previous: str) -> str:
    """As in ``checker/edges/store/chain.py`` when this was written; frozen like every migration."""
    moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    value = {"at": moment.isoformat(), "ticket": ticket, "kind": kind, "detail": detail, "previous": previous}
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
