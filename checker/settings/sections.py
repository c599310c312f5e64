"""Everything else that can be set, section by section."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from .values import (
    LANGUAGES,
    Count,
    Email,
    FilePath,
    Language,
    PasswordFrom,
    Plain,
    Port,
    Seconds,
    Section,
    Weekday,
    Zone,
)


class OfficeHours(Section):
    """When people are there; both times are the hoster's local time."""

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: time = time(9, 0)
    closes: time = time(18, 0)


class HosterSettings(Section):
    """Who answers: nothing of it stands in code."""

    name: Plain = "INTROSERV"
    addresses: tuple[Email, ...] = ("support@hoster.example",)
    time_zone: Zone = "Europe/Rome"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IT"
    office_hours: OfficeHours = OfficeHours()
    languages: tuple[Language, ...] = LANGUAGES
    default_language: Language = "en"
    staff_language: Language = "en"
    links: dict[str, Plain] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _addresses_given(self) -> HosterSettings:
        if not self.addresses:
            raise ValueError("addresses is empty; name the support address, or our own mail would be answered")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The hoster's time zone."""
        return ZoneInfo(self.time_zone)


class DatabaseSettings(Section):
    """Where the service remembers; ``postgresql+psycopg://…`` when several hosts share the work."""

    url: Plain | None = None  # None: SQLite in the state folder
    password: PasswordFrom | None = None


class FolderSettings(Section):
    """Where rules, replies and the service's own files lie."""

    rules: FilePath = Path("rules")
    replies: FilePath = Path("replies")
    state: FilePath = Path("var")


class ServiceSettings(Section):
    """How the rounds run."""

    poll_seconds: Seconds = 60
    round_seconds: Seconds = 900  # deadline of one round; what is left waits for the next
    lease_seconds: Seconds = 120
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_mail_bytes: Annotated[int, Field(ge=10_000)] = 26_214_400
    max_thread_mails: Annotated[int, Field(ge=10, le=2_000)] = 200  # each mail is judged with all before it
    watchdog_seconds: Seconds = 1800


class ReplySettings(Section):
    """Whether and how often the customer is written to; limits are counts of our mails."""

    enabled: bool = True
    confirm: bool = True
    handover: bool = True
    asks_per_ticket: Annotated[int, Field(ge=0, le=3)] = 3  # there are texts for three
    per_sender_day: Count = 5
    per_domain_hour: Count = 20
    global_hour: Count = 60
    max_age_days: Annotated[int, Field(ge=1)] = 14
    reminders: Annotated[int, Field(ge=0, le=3)] = 2
    reminder_working_days: Annotated[int, Field(ge=1)] = 2


class RegistrySettings(Section):
    """The hoster's list of customers: a CSV file, or a query with ``:sender`` and ``:domain`` to a database."""

    file: FilePath | None = None
    url: Plain | None = None
    query: str | None = None
    password: PasswordFrom | None = None

    @model_validator(mode="after")
    def _one_source(self) -> RegistrySettings:
        if (self.file is None) == (self.url is None):
            raise ValueError('give either file = "customers.csv", or url and query')
        if (self.url is None) != (self.query is None):
            raise ValueError("url and query belong together; give both or neither")
        return self


class SenderSettings(Section):
    """Whom to believe, and what doubt about a sender means.

    ``authserv_ids``: the border servers whose Authentication-Results count (RFC 8601 §5). ``dkim``: verify
    signatures here as well. ``registry``: who may speak for which server. ``flag``: ask nothing, leave it to a
    person; ``ask_and_flag``: ask for what is missing all the same. Neither ever makes a ticket complete.
    """

    authserv_ids: tuple[Plain, ...] = ()
    dkim: bool = False
    unverified: Literal["flag", "ask_and_flag"] = "flag"
    foreign_server: Literal["flag", "ask_and_flag"] = "flag"
    registry: RegistrySettings | None = None


class LogSettings(Section):
    """``auto``: JSON when not on a terminal."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(Section):
    """Prometheus metrics over HTTP, loopback unless told otherwise."""

    enabled: bool = False
    address: Plain = "127.0.0.1"
    port: Port = 9188


class ReaderSettings(Section):
    """The second reader beside the rules. ``folder`` holds its files; without it, those that are shipped."""

    enabled: bool = True
    folder: FilePath | None = None
    threads: Annotated[int, Field(ge=1, le=64)] = 1
