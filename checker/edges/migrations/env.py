"""Alembic's entry: migrates over the connection that the program hands in, in its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from checker.edges.store.tables import metadata

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run the program itself: it migrates the database at start")
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
