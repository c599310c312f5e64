"""Structured logs on standard error: JSON when nobody watches, one line per mail, nothing secret.

What may be logged is a list of keys, not a list of what to hide: a key that is not on it is dropped, so
that a new call site cannot leak a body or a password by accident.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Final

import structlog
from structlog.typing import Processor

from checker.model import MASK, Secret
from checker.settings import LogSettings

ALLOWED: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "exception",
        "account",
        "folder",
        "uid",
        "uidvalidity",
        "mail",
        "size",
        "sha256",
        "ticket",
        "n",
        "state",
        "reason",
        "detail",
        "status",
        "missing",
        "language",
        "attempts",
        "key",
        "kind",
        "to_domain",
        "message_id",
        "outcome",
        "seconds",
        "listed",
        "processed",
        "delivered",
        "error",
        "address",
        "version",
        "count",
        "name",
        "owner",
        "until",
        "period",
        "host",
        "port",
        "path",
        "signal",
        "job",
        "what_to_do",
        "replied",
        "backlog",
        "dropped",
    }
)
_LONG: Final = 400
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]{1,200}@")  # user and password inside a URL


def keep_allowed(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Drop unknown keys, mask secrets and URL credentials, cut what is long, take line ends out."""
    kept: dict[str, object] = {}
    for key, value in event.items():
        if key not in ALLOWED:
            kept["dropped"] = f"{kept['dropped']},{key}" if "dropped" in kept else key
        elif isinstance(value, Secret):
            kept[key] = MASK
        elif isinstance(value, str) and key != "exception":
            text = _CREDENTIALS.sub(f"{MASK}@", value)
            kept[key] = "".join(c if c.isprintable() else " " for c in text)[:_LONG]
        else:
            kept[key] = value
    return kept


def set_up(settings: LogSettings) -> None:
    """Configure structlog and the standard library's loggers once, at start."""
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
            if as_json
            else structlog.processors.format_exc_info,
            keep_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    for name in ("imapclient", "sqlalchemy", "alembic", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
