"""``rules/procedure.toml`` to frozen requirements. Pure; errors name the key and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .combine import ALWAYS, ROWS, Case, Outcome, Table

KINDS: Final = ("intervention", "os_reinstall", "hardware")
FIELDS: Final = ("power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact")
IDS: Final = (
    *("server_id", "credentials", "power_authorization", "backup", "os_choice"),
    *("data_loss_consent", "component", "impact", "hardware_acknowledgement"),
)


class ProcedureError(ValueError):
    """A procedure file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: for which kinds it holds and what meets it."""

    id: str
    kinds: frozenset[str]
    field: str | None = None
    met_by: frozenset[str] = frozenset()
    met_by_identifier: frozenset[str] = frozenset()
    met_by_hostname: frozenset[str] = frozenset()
    edition_for: frozenset[str] = frozenset()
    only_inside_os: bool = False


@dataclass(frozen=True, slots=True)
class Procedure:
    """All requirements in the order in which they are asked for."""

    requirements: tuple[Requirement, ...]
    reader: Table = ALWAYS


def build_procedure(data: Mapping[str, object], place: str = "rules/procedure.toml") -> Procedure:
    """The procedure from its table; raises :class:`ProcedureError`."""
    entries = data.get("requirement")
    if not isinstance(entries, list) or not entries:
        raise ProcedureError(f"{place}: no [[requirement]]; restore the file or write at least one")
    unknown = set(data) - {"requirement", "reader"}
    if unknown:
        raise ProcedureError(f"{place}: unknown key '{sorted(unknown)[0]}'")
    return Procedure(tuple(_requirement(e, place) for e in entries), _table(data.get("reader", {}), place))


def _table(data: object, place: str) -> Table:
    """``[reader]``: ``silent``, ``limit`` and one table a requirement, each with a word a case."""
    if not isinstance(data, Mapping):
        raise ProcedureError(f"{place}: [reader] is a table")
    numbers = {"silent": 0.0, "limit": 0.7}
    for name in numbers:
        value = data.get(name, numbers[name])
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ProcedureError(f"{place}: [reader] {name} is a probability from 0 to 1")
        numbers[name] = float(value)
    outcomes = {}
    for row, cases in data.items():
        if row in numbers:
            continue
        if row not in ROWS or not isinstance(cases, Mapping):
            raise ProcedureError(f"{place}: [reader.{row}]: use {', '.join(ROWS)}")
        for case, outcome in cases.items():
            if case not in set(Case):
                raise ProcedureError(f"{place}: [reader.{row}]: '{case}' is not one of {', '.join(Case)}")
            if outcome not in set(Outcome):
                raise ProcedureError(f"{place}: [reader.{row}] {case}: '{outcome}' is not one of {', '.join(Outcome)}")
            outcomes[row, Case(case)] = Outcome(str(outcome))
    return Table(numbers["silent"], outcomes, numbers["limit"])


def _requirement(entry: object, place: str) -> Requirement:
    if not isinstance(entry, Mapping):
        raise ProcedureError(f"{place}: each [[requirement]] is a table")
    name = entry.get("id")
    if name not in IDS:
        raise ProcedureError(f"{place}: requirement id '{name}' is not one of {', '.join(IDS)}")
    sets = {"kinds", "met_by", "met_by_identifier", "met_by_hostname", "edition_for"}
    for key in entry:
        if key not in sets | {"id", "field", "only_inside_os"}:
            raise ProcedureError(f"{place}: {name}: unknown key '{key}'")
    values = {key: frozenset(str(v) for v in entry.get(key, [])) for key in sets}
    if wrong := (values["kinds"] | values["met_by_hostname"]) - set(KINDS):
        raise ProcedureError(f"{place}: {name}: '{sorted(wrong)[0]}' is not one of {', '.join(KINDS)}")
    field = entry.get("field")
    if field is not None and field not in FIELDS:
        raise ProcedureError(f"{place}: {name}: field '{field}' is not one of {', '.join(FIELDS)}")
    return Requirement(
        id=str(name),
        kinds=values["kinds"],
        field=field,
        met_by=values["met_by"],
        met_by_identifier=values["met_by_identifier"],
        met_by_hostname=values["met_by_hostname"],
        edition_for=values["edition_for"],
        only_inside_os=bool(entry.get("only_inside_os", False)),
    )
