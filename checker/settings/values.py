"""Kinds of value that settings are made of, and what they refuse; the error that says so."""

from __future__ import annotations

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

LANGUAGES: Final = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")


class SettingsError(ValueError):
    """A setting that cannot be used; the text names file and key and says what to do."""


def _resolved(value: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base", Path())
    return Path(base) / value.expanduser()


def _plain(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        # A line end in a folder or user name would be sent to the server as a command of its own.
        raise ValueError("holds a line end or control character; remove it")
    return value


def _address(value: str) -> str:
    name, address = parseaddr(_plain(value))
    if name or address != value or value.count("@") != 1 or value.startswith("@") or value.endswith("@"):
        raise ValueError(f"{value!r} is no bare address; write it as support@hoster.example")
    local, domain = value.split("@")
    return f"{local}@{domain.lower()}"


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; write it as Europe/Rome")
    return value


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"{value!r} is no language of this program; choose from {', '.join(LANGUAGES)}")
    return value


FilePath = Annotated[Path, AfterValidator(_resolved)]
Plain = Annotated[str, AfterValidator(_plain)]
Email = Annotated[str, AfterValidator(_address)]
Zone = Annotated[str, AfterValidator(_zone)]
Language = Annotated[str, AfterValidator(_language)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    # Default sections are validated again with the rest: their paths count from the file's folder, too.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, revalidate_instances="always")


class PasswordFrom(Section):
    """Where a password is found: exactly one of an environment variable, a file, a command."""

    env: Plain | None = None
    file: FilePath | None = None
    command: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one(self) -> PasswordFrom:
        if sum(x is not None for x in (self.env, self.file, self.command)) != 1:
            raise ValueError('give exactly one of env, file, command, as password = { env = "IMAP_PASSWORD" }')
        return self
