"""The tables of the Sales twin as the Web API names them, read from ``schema.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

CRM: Final = "Microsoft.Dynamics.CRM"

_COLUMN: Final = re.compile(
    r"(?P<type>[a-z]+)(?:\((?P<arguments>[^)]*)\))?(?P<mark>[!*]?) (?P<label>.+)"
)
_TYPE: Final = re.compile(r"^[a-z]+(?:\([^)]*\))?[!*]? ")
_OPTION: Final = re.compile(r"(?P<value>\d+) (?P<label>.+?)(?: (?P<state>\d+))?$")


class ColumnType(StrEnum):
    """What a column holds."""

    ID = "id"
    TEXT = "text"
    MEMO = "memo"
    INTEGER = "integer"
    BIGINT = "bigint"
    FLAG = "flag"
    CHOICE = "choice"
    STATE = "state"
    STATUS = "status"
    MONEY = "money"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    LOOKUP = "lookup"
    GUID = "guid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One label of a choice. ``state`` is the state that a status belongs to."""

    label: str
    state: int | None = None


@dataclass(frozen=True, kw_only=True)
class SalesColumn:
    """One column. ``targets`` of a lookup: table → the collection on the other side."""

    name: str
    type: ColumnType
    label: str
    length: int = 0
    least: int = 0
    most: int = 0
    digits: int = 0
    default: int | None = None
    options: Mapping[int, Option] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    required: bool = False

    @cached_property
    def wire(self) -> str:
        """The name in answers: a lookup's value is ``_<name>_value``."""
        return f"_{self.name}_value" if self.type is ColumnType.LOOKUP else self.name

    @property
    def polymorphic(self) -> bool:
        """Whether the lookup's type must be kept, too."""
        return len(self.targets) > 1

    @property
    def type_name(self) -> str:
        """The SQL column that keeps the type of a polymorphic lookup."""
        return f"{self.name}__type"

    @cached_property
    def navigations(self) -> Mapping[str, str]:
        """Navigation property → table."""
        return {
            f"{self.name}_{table}" if self.polymorphic else self.name: table
            for table in self.targets
        }

    def navigation(self, table: str) -> str:
        """The navigation property that leads to rows of a table."""
        return next(name for name, target in self.navigations.items() if target == table)


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesLink:
    """A navigation property to the row of ``table`` that ``column`` names.

    ``to_many``: to the rows of ``table`` whose ``column`` names the row.
    """

    name: str
    table: str
    column: SalesColumn
    to_many: bool


@dataclass(frozen=True, kw_only=True)
class SalesTable:
    """One table. ``links``: its navigation properties, filled once all tables are known."""

    name: str
    set_name: str
    primary_name: str
    code: int
    label: str
    owned: bool
    tracked: bool
    custom: bool
    columns: Mapping[str, SalesColumn]
    keys: Mapping[str, tuple[str, ...]]
    links: Mapping[str, SalesLink]

    @cached_property
    def id(self) -> str:
        """The name of the primary key."""
        return next(column.name for column in self.columns.values() if column.type is ColumnType.ID)

    @cached_property
    def properties(self) -> Mapping[str, SalesColumn]:
        """Columns by their name in answers."""
        return {column.wire: column for column in self.columns.values()}

    @cached_property
    def schema_name(self) -> str:
        """The name with capitals."""
        return (
            "msdynce_P2CAutoNumber"
            if self.custom
            else {"salesorder": "SalesOrder"}.get(self.name, self.name.capitalize())
        )


def _read() -> Mapping[str, SalesTable]:
    raw = tomllib.loads(
        resources.files(__package__).joinpath("schema.toml").read_text(encoding="utf-8")
    )
    columns = {
        name: dict(_columns(name, table, raw))
        for name, table in raw.items()
        if not name.startswith("_")
    }
    links = _links(columns)
    return MappingProxyType(
        {name: _table(name, raw[name], columns[name], links[name]) for name in columns}
    )


def _columns(
    name: str, table: Mapping[str, Any], raw: Mapping[str, Any]
) -> Iterator[tuple[str, SalesColumn]]:
    lines = dict(table["columns"])
    for number in range(1, table.get("addresses", 0) + 1):
        for part, line in raw["_address"].items():
            lines[f"address{number}_{part}"] = _TYPE.sub(rf"\g<0>Address {number}: ", line)
    if table.get("owned"):
        lines |= raw["_owned"]
    lines |= raw["_all"]
    for column, line in lines.items():
        yield column, _column(column, line.replace("{table}", name))


def _column(name: str, line: str) -> SalesColumn:
    match = _COLUMN.fullmatch(line)
    if match is None:
        raise ValueError(f"schema.toml, {name}: {line}")
    kind, arguments = ColumnType(match["type"]), match["arguments"] or ""
    return SalesColumn(
        name=name,
        type=kind,
        label=match["label"],
        read_only=match["mark"] == "!",
        required=match["mark"] == "*",
        **_details(kind, arguments),
    )


def _details(kind: ColumnType, arguments: str) -> dict[str, Any]:
    """What the arguments of a type mean."""
    read = _DETAILS.get(kind)
    return {} if read is None else read(arguments)


def _range(arguments: str) -> dict[str, Any]:
    least, most = arguments.split()
    return {"least": int(least), "most": int(most)}


def _flag(arguments: str) -> dict[str, Any]:
    return {"default": int(arguments), "options": {0: Option(label="No"), 1: Option(label="Yes")}}


def _options(arguments: str) -> dict[str, Any]:
    return {"options": dict(_option(text.strip()) for text in arguments.split(","))}


def _targets(arguments: str) -> dict[str, Any]:
    return {"targets": dict(text.strip().split(":") for text in arguments.split(","))}


def _option(text: str) -> tuple[int, Option]:
    """``value label``, for a status with the state that it belongs to behind."""
    match = _OPTION.fullmatch(text)
    if match is None:
        raise ValueError(f"schema.toml: {text}")
    return int(match["value"]), Option(
        label=match["label"], state=int(match["state"]) if match["state"] else None
    )


_DETAILS: Final[Mapping[ColumnType, Callable[[str], dict[str, Any]]]] = {
    ColumnType.TEXT: lambda arguments: {"length": int(arguments)},
    ColumnType.MEMO: lambda arguments: {"length": int(arguments)},
    ColumnType.INTEGER: _range,
    ColumnType.FLAG: _flag,
    ColumnType.CHOICE: _options,
    ColumnType.STATE: _options,
    ColumnType.STATUS: _options,
    ColumnType.MONEY: lambda _: {"digits": 4},
    ColumnType.DECIMAL: lambda arguments: {"digits": int(arguments)},
    ColumnType.LOOKUP: _targets,
}


def _links(columns: Mapping[str, Mapping[str, SalesColumn]]) -> dict[str, dict[str, SalesLink]]:
    found: dict[str, dict[str, SalesLink]] = {name: {} for name in columns}
    for name, own in columns.items():
        for column in own.values():
            for navigation, target in column.navigations.items():
                found[name][navigation] = SalesLink(
                    name=navigation, table=target, column=column, to_many=False
                )
            for target, collection in column.targets.items():
                found[target][collection] = SalesLink(
                    name=collection, table=name, column=column, to_many=True
                )
    return found


def _table(
    name: str,
    raw: Mapping[str, Any],
    columns: Mapping[str, SalesColumn],
    links: Mapping[str, SalesLink],
) -> SalesTable:
    return SalesTable(
        name=name,
        set_name=raw["set"],
        primary_name=raw["name"],
        code=raw["code"],
        label=raw["label"],
        owned=raw.get("owned", False),
        tracked=raw.get("tracked", False),
        custom=raw.get("custom", False),
        columns=MappingProxyType(dict(columns)),
        keys=MappingProxyType({key: tuple(names) for key, names in raw.get("key", {}).items()}),
        links=MappingProxyType(dict(links)),
    )


TABLES: Final = _read()
"""Tables by logical name."""

SETS: Final = MappingProxyType({table.set_name: table for table in TABLES.values()})
"""Tables by entity set name."""
