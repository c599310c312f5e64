"""The list of customers where it is kept: a CSV file, read again when it changes, or a query to a database."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from checker.edges.store.engine import StoreError
from checker.model import Secret
from checker.service.customers import COLUMNS, Customer, CustomerError, customer
from checker.settings import RegistrySettings, SettingsError

_MAX_BYTES: Final = 100_000_000
_MAX_ROWS: Final = 10_000  # of one sender
_SECONDS: Final = 10


class CustomersFile:
    """See :class:`checker.service.customers.Customers`. Looked at again when size or time of change differ."""

    def __init__(self, settings: RegistrySettings) -> None:
        if settings.file is None:
            raise SettingsError("sender.registry.file: is missing; name the CSV file")
        self._path = settings.file
        self._stamp: tuple[int, int] | None = None
        self._by_pattern: dict[str, list[Customer]] = {}

    def of(self, sender: str) -> tuple[Customer, ...]:
        """See the protocol."""
        self.refresh()
        low = sender.lower()
        return (*self._by_pattern.get(low, ()), *self._by_pattern.get(f"@{low.rpartition('@')[2]}", ()))

    def refresh(self) -> int:
        """Read the file if it changed. Returns how many rows there are.

        Raises :class:`StoreError`: without the list nobody can be told from a stranger, and the mail waits.
        """
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._by_pattern = _read(self._path, stat.st_size)
                self._stamp = stamp
        except OSError as error:
            raise StoreError(
                f"{self._path}: {error.strerror}; make the list of customers readable, or unset sender.registry"
            ) from None
        except UnicodeDecodeError:
            raise StoreError(f"{self._path}: not UTF-8 text; save the list of customers as UTF-8") from None
        except (CustomerError, csv.Error) as error:
            raise StoreError(f"{self._path}: {error}") from None
        return sum(len(rows) for rows in self._by_pattern.values())


def _read(path: Path, size: int) -> dict[str, list[Customer]]:
    if size > _MAX_BYTES:
        raise CustomerError(f"larger than {_MAX_BYTES} bytes; this is no list of customers")
    return _by_pattern(path.read_text(encoding="utf-8-sig"))


def _by_pattern(content: str) -> dict[str, list[Customer]]:
    lines = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    header = tuple(h.strip() for h in lines.fieldnames or ())
    if "sender" not in header or set(header) - set(COLUMNS):
        raise CustomerError(f"line 1: the columns are {', '.join(header) or 'none'}; write {','.join(COLUMNS)}")
    lines.fieldnames = header
    found: dict[str, list[Customer]] = {}
    for row in lines:
        where = f"line {lines.line_num}"
        if None in row:
            raise CustomerError(f"{where}: more cells than columns; put lists into quotes or part them by blanks")
        made = customer(row, where)
        found.setdefault(made.pattern, []).append(made)
    return found


class CustomersQuery:
    """See :class:`checker.service.customers.Customers`. The query is asked with ``:sender`` and ``:domain``."""

    def __init__(self, settings: RegistrySettings, password: Secret | None) -> None:
        if settings.url is None or settings.query is None:
            raise SettingsError("sender.registry: give url and query together")
        try:
            url = make_url(settings.url)
            if password is not None:
                url = url.set(password=password.reveal())
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            options = {"timeout": _SECONDS} if url.get_backend_name() == "sqlite" else {"connect_timeout": _SECONDS}
            self._engine: Engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=options)
        except (ArgumentError, NoSuchModuleError):
            raise SettingsError("sender.registry.url: cannot be understood; write it as database.url") from None
        except ModuleNotFoundError as error:
            raise SettingsError(f"sender.registry.url: the driver {error.name} is not installed; install it") from None
        self._query = settings.query

    def of(self, sender: str) -> tuple[Customer, ...]:
        """See the protocol. The answer is matched again here: a query that gives everybody's rows does no harm."""
        low = sender.lower()
        given = {"sender": low, "domain": low.rpartition("@")[2]}
        statement = text(self._query)
        used = {name: given[name] for name in statement._bindparams if name in given}
        try:
            with self._engine.connect() as c:
                rows = [dict(r._mapping) for r in c.execute(statement, used).fetchmany(_MAX_ROWS)]
                c.rollback()
            found = [customer({str(k).lower(): v for k, v in row.items()}, "its answer") for row in rows]
        except SQLAlchemyError as error:
            raise StoreError(
                f"sender.registry: the database does not answer ({type(error).__name__}); check url, password and query"
            ) from None
        except CustomerError as error:
            raise StoreError(f"sender.registry: {error}") from None
        return tuple(c for c in found if c.is_sender(low))


def open_customers(settings: RegistrySettings, password: Secret | None) -> CustomersFile | CustomersQuery:
    """The list that the settings name. Raises :class:`SettingsError`; reading it may raise :class:`StoreError`."""
    return CustomersFile(settings) if settings.file is not None else CustomersQuery(settings, password)
