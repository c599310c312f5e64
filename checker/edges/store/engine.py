"""Opening the database: SQLite made durable, PostgreSQL as it is; the schema brought up to date.

Every change goes through :meth:`Store.write` (one transaction, taken exclusively on SQLite so that a claim
is a claim), every look through :meth:`Store.read`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from checker.model import Secret
from checker.settings import SettingsError

LOCK_SECONDS: Final = 30
_MIGRATIONS: Final = Path(__file__).resolve().parents[1] / "migrations"
_ADVISORY_LOCK: Final = 0x1C7E_C0DE  # any number, the same in every process


class StoreError(RuntimeError):
    """The database does not do its work (away, locked, full, read-only); the text says what to do."""


class Stale(RuntimeError):
    """Somebody else was faster; the work is to be looked at again, not forced."""


class Store:
    """A database that is open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is kept, or nothing. Raises :class:`StoreError`, and :class:`Stale` for
        a row that another process wrote first (unique keys are how claims are made)."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise Stale("another process wrote the same row first") from error
        except DBAPIError as error:
            raise _explained(error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent look that changes nothing. Raises :class:`StoreError`."""
        try:
            with self._engine.connect().execution_options(looking=True) as connection:
                yield connection
                connection.rollback()
        except DBAPIError as error:
            raise _explained(error) from error

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def open_store(url: str, password: Secret | None = None, *, migrate: bool = True) -> Store:
    """Open (and, with ``migrate``, create or bring up to date) the database.

    Raises :class:`SettingsError` for a URL that cannot be used, :class:`StoreError` for a database that cannot.
    """
    try:
        parsed = make_url(url)
        if password is not None:
            parsed = parsed.set(password=password.reveal())
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = (
            _sqlite(parsed.database or "")
            if parsed.get_backend_name() == "sqlite"
            else create_engine(parsed, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": 10})
        )
    except (ArgumentError, NoSuchModuleError):
        raise SettingsError(
            "database.url: cannot be understood; write sqlite:////var/lib/checker/checker.sqlite3 "
            "or postgresql+psycopg://user@host/name"
        ) from None
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"database.url: the driver {error.name} is not installed; install the extra: pip install '.[postgresql]'"
        ) from None
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise SettingsError(f"database.url: {engine.dialect.name} is not supported; use sqlite or postgresql")
    if migrate:
        upgrade(engine)
    return Store(engine)


def _sqlite(name: str) -> Engine:
    memory = name in ("", ":memory:")
    if not memory:
        path = Path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # created private, whatever the umask
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; make the folder writable for the service") from None
    engine = create_engine(
        f"sqlite:///{name}", hide_parameters=True, connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin by itself, and too late
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a reply that went out must not be forgotten by a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        looking = connection.get_execution_options().get("looking", False)
        connection.exec_driver_sql("BEGIN" if looking else "BEGIN IMMEDIATE")

    return engine


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date; several processes that start at once do it one after the other."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    try:
        with engine.connect().execution_options(looking=True) as connection:
            if MigrationContext.configure(connection).get_current_revision() == head:
                return
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise _explained(error) from error
    except CommandError:
        raise StoreError(
            "written by a newer version of this program; update the program, or set another database.url"
        ) from None


def _explained(error: DBAPIError) -> StoreError:
    said = str(error.orig).strip().splitlines()[0] if error.orig and str(error.orig).strip() else type(error).__name__
    hints: tuple[tuple[str, str], ...] = (
        ("locked", "another process holds it for too long; look for a second service on the same file"),
        ("full", "free disk space; nothing was lost, the mail stays in the mailbox"),
        ("no space left", "free disk space; nothing was lost, the mail stays in the mailbox"),
        ("disk i/o", "free disk space, or look for a failing disk; nothing was lost, the mail stays in the mailbox"),
        ("readonly", "make the file and its folder writable for the service"),
        ("unable to open", "check that the folder of database.url exists and is writable"),
        ("malformed", "the file is damaged; restore it from a backup"),
        ("not a database", "database.url names a file that is no SQLite database"),
        ("password authentication", "check database.password"),
        ("connection", "check that the server runs and that database.url is right"),
    )
    hint = next((h for word, h in hints if word in said.lower()), "see the database's log")
    return StoreError(f"database: {said[:200]}; {hint}")
