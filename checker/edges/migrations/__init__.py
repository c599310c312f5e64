"""Alembic's scripts; run by :func:`checker.edges.store.engine.upgrade` at every start."""
