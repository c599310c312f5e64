"""The tables. Changing them takes a migration in ``checker/edges/migrations``; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Utc(TypeDecorator[datetime]):
    """Aware UTC on both sides; SQLite keeps no zone, so it is taken off and put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses a naive time: it would be read back as another one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone is not stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """See the class."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rowids only in a column that is exactly INTEGER.
_Id: Final = BigInteger().with_variant(Integer, "sqlite")

folders: Final = Table(
    "folders",
    metadata,
    Column("account", String(60), primary_key=True),
    Column("folder", String(400), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("next_uid", BigInteger, nullable=False),
    Column("listed_at", Utc, nullable=False),
)

accounts: Final = Table(
    "accounts",
    metadata,
    Column("account", String(60), primary_key=True),
    Column("last_ok_at", Utc),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Utc),
    Column("error", Text, nullable=False),
)

tickets: Final = Table(
    "tickets",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("status", String(20), nullable=False, index=True),
    Column("language", String(8), nullable=False),
    Column("subject", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("participants", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("servers", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("review", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("asks", Integer, nullable=False),
    Column("reminders", Integer, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("last_customer_at", Utc),
    Column("last_asked_at", Utc),
    Column("ready_at", Utc),
    Column("rules_version", String(40), nullable=False),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("account", String(60), nullable=False),
    Column("folder", String(400), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", String(300), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Utc),
    Column("done_at", Utc),
    Column("sha256", String(64), index=True),
    Column("message_id", Text, index=True),
    Column("content", String(64), index=True),
    Column("sender", Text),
    Column("reason", Text, nullable=False),
    Column("ticket", String(20), ForeignKey("tickets.id"), index=True),
    Column("n", Integer),
    Column("findings", Text),
    Column("marked", Boolean, nullable=False),
    Column("moved_to", String(400)),
    UniqueConstraint("account", "folder", "uidvalidity", "uid", name="uq_messages_place"),
    UniqueConstraint("ticket", "n", name="uq_messages_ticket_n"),
    Index("ix_messages_waiting", "account", "state", "id"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("recipient", Text, nullable=False, index=True),
    Column("domain", Text, nullable=False),
    Column("message_id", String(250), nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("ticket", String(20), ForeignKey("tickets.id"), index=True),
    Column("answers", String(64), index=True),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Utc, nullable=False, index=True),
    Column("next_try", Utc, nullable=False),
    Column("owner", String(120)),
    Column("lease_until", Utc),
    Column("sent_at", Utc),
    Column("error", Text, nullable=False),
    Column("bounced", Boolean, nullable=False),
    Index("ix_outbox_waiting", "state", "next_try"),
)

suppressed: Final = Table(
    "suppressed",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False, index=True),
    Column("ticket", String(20), ForeignKey("tickets.id")),
    Column("mail", BigInteger),
    Column("reason", String(60), nullable=False),
    Column("detail", Text, nullable=False),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False, index=True),
    Column("ticket", String(20), ForeignKey("tickets.id"), nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),  # covers the event before it, see chain.py
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("account", String(60), nullable=False),
    Column("owner", String(120), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("listed", Integer, nullable=False),
    Column("processed", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

digests: Final = Table(
    "digests",
    metadata,
    Column("period", String(40), primary_key=True),
    Column("created_at", Utc, nullable=False),
    Column("since", Utc, nullable=False),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("expires", Utc, nullable=False),
)

stopped: Final = Table(
    "stopped_addresses",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)
