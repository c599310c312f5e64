"""Who is told what has to be done, and when: the staff's digest, digests of teams, notices at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from string import Formatter
from typing import Annotated, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from .values import Email, Language, Plain, Section, Weekday

Kind = Literal["intervention", "os_reinstall", "hardware"]
Occasion = Literal["ready", "urgent"]

LINK_FIELDS: Final = ("ticket", "message_id", "sender", "server")


def _outside_the_gap(value: time) -> time:
    if value.hour == 2:
        raise ValueError("lies between 02:00 and 03:00, which summer time skips or repeats; choose another hour")
    return value


def _link(value: str) -> str:
    if not value:
        return value
    try:
        parsed = list(Formatter().parse(value))
    except ValueError:
        raise ValueError("has a brace without its partner; write fields as {ticket}") from None
    for _, name, spec, conversion in parsed:
        if name is not None and (spec or conversion or name not in LINK_FIELDS):
            may = ", ".join(f"{{{f}}}" for f in LINK_FIELDS)
            raise ValueError(f"{{{name}}} is no field of a link; it may use {may}")
    head = urlsplit(parsed[0][0])
    if head.scheme not in ("http", "https") or not head.netloc:
        raise ValueError("must begin with https:// (or http://) and the helpdesk's host")
    if parsed[0][1] is not None and not (head.path or head.query or head.fragment):
        # What a customer wrote must not choose the host that a click goes to.
        raise ValueError("has a field in the place of the host; put a / between them")
    if not any(name is not None for _, name, _, _ in parsed):
        raise ValueError("has no field; it needs {ticket} or {message_id} to lead to one ticket")
    if any(c.isspace() or c in "<>\"'`" for c in value):
        raise ValueError("holds a blank or a quotation mark; write them as %20, %22")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,19}", value):
        raise ValueError(f"{value!r} is no name of a team; use up to 20 small letters, digits and hyphens")
    return value


def _somebody(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("is empty; name who gets the team's digest, or remove the team")
    return value


Moment = Annotated[time, AfterValidator(_outside_the_gap)]


class Schedule(Section):
    """Who gets a digest, and when, on the hoster's clock.

    ``days`` and ``at`` say one time for several days; ``schedule`` says each day's own times instead.
    ``immediate``: of what the recipients are told at once, without waiting for the digest.
    """

    recipients: tuple[Email, ...] = ()
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    at: Moment = time(7, 30)
    schedule: dict[Weekday, tuple[Moment, ...]] = Field(default_factory=dict)
    immediate: tuple[Occasion, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Schedule:
        if self.schedule and self.model_fields_set & {"days", "at"}:
            raise ValueError("schedule says days and times itself; remove days and at, or schedule")
        return self

    def times(self, day: Weekday) -> tuple[time, ...]:
        """The times of a weekday, in order."""
        if self.schedule:
            return tuple(sorted(set(self.schedule.get(day, ()))))
        return (self.at,) if day in self.days else ()


class DigestTeam(Schedule):
    """A team's own digest: tickets of its ``kinds`` only (none: of every kind), in its own language."""

    name: Annotated[Plain, AfterValidator(_name)]
    recipients: Annotated[tuple[Email, ...], AfterValidator(_somebody)]
    kinds: tuple[Kind, ...] = ()
    language: Language | None = None


class DigestSettings(Schedule):
    """The digest of everything, and those of teams. ``soon_hours``: a window that begins within is urgent.

    ``ticket_url`` leads into the helpdesk in use; its fields are filled in percent-encoded.
    """

    write_files: bool = True
    soon_hours: Annotated[int, Field(ge=1, le=336)] = 24
    ticket_url: Annotated[Plain, AfterValidator(_link)] = ""
    team: tuple[DigestTeam, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> DigestSettings:
        names = [t.name for t in self.team]
        if doubled := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"team: the name {doubled[0]!r} is given twice; their digests would count as one")
        return self

    @property
    def everybody(self) -> tuple[str, ...]:
        """Every address that gets a digest, each once."""
        return tuple(dict.fromkeys(a for part in (self, *self.team) for a in part.recipients))

    @property
    def untold(self) -> tuple[str, ...]:
        """Kinds of request that are in nobody's digest although somebody gets one."""
        told: Mapping[str, bool] = {
            kind: bool(self.recipients) or any(not t.kinds or kind in t.kinds for t in self.team)
            for kind in get_args(Kind)
        }
        return tuple(kind for kind, yes in told.items() if not yes) if self.everybody else ()
