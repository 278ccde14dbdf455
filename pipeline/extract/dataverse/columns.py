"""Which columns of a Sales table are asked for, and how the Web API spells them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from schemas.catalogue import Field, Table, Type
from schemas.marks import MARKS
from schemas.sales import CONTACTS, LOOKUP_TYPE

_ROUTING: Final = frozenset(
    {
        "contactid",
        "msdynce_contactnumber",
        "msdynce_isactivecustomer",
        "msdynce_iscompanyanaccount",
        "parentcustomerid",
        "parentcustomeridtype",
        "transactioncurrencyid",
        "merged",
        "statecode",
        "ownerid",
        "owningbusinessunit",
        "versionnumber",
        "createdon",
        "modifiedon",
    }
)
"""Columns of contacts that routing, numbering and worklists read; templates add theirs."""

_DECIDING: Final = (
    "msdynce_isactivecustomer",
    "msdynce_contactnumber",
    "parentcustomerid",
    "statecode",
)

_NOT_THERE: Final = frozenset({*(field.name for field in MARKS), "currencyname", "currencysymbol"})
"""Columns of exports that the Web API does not have, or that only they need: it gives lookups by
id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The columns that are asked for: canonical name → name in rows of the answer."""

    table: Table
    names: dict[str, str]

    @property
    def key(self) -> str:
        """The primary id."""
        return self.table.key

    @property
    def select(self) -> str:
        """``$select``."""
        return ",".join(dict.fromkeys(name for name in self.names.values() if "@" not in name))

    @property
    def wire_names(self) -> list[str]:
        """The members of rows that are wanted."""
        return list(dict.fromkeys(self.names.values()))

    @property
    def amounts(self) -> list[str]:
        """Those that must not be rounded."""
        kinds = {field.name: field.type for field in self.table.fields}
        return [
            wire
            for name, wire in self.names.items()
            if kinds.get(name, Type.DECIMAL) is Type.DECIMAL
        ]

    @property
    def deciding(self) -> list[str]:
        """The members that say where a contact goes; a row without one cannot be understood."""
        if self.table is not CONTACTS:
            return []
        return [self.names[name] for name in _DECIDING if name in self.names]

    @property
    def has_lookup_types(self) -> bool:
        """Whether annotations are needed."""
        return any("@" in name for name in self.names.values())


def choose_columns(
    table: Table, mapped: Collection[str] = (), *, spelled: dict[str, str] | None = None
) -> Columns:
    """The columns of a table that are asked for.

    Args:
        table: the catalogue's entry.
        mapped: source columns of templates and filter, for contacts; paths (with a dot) lead to
            other tables.
        spelled: how the server spells columns that the catalogue does not know.
    """
    known = {field.name: field for field in table.fields}
    wanted = [name for name in known if name not in _NOT_THERE]
    if table is CONTACTS:
        wanted = [name for name in wanted if name in _ROUTING or name in mapped]
    wanted += [name for name in mapped if name not in known and name not in wanted]
    names = {
        name: _find_wire_name(known[name]) if name in known else (spelled or {}).get(name, name)
        for name in wanted
    }
    return Columns(
        table=table,
        names={name: wire for name, wire in names.items() if "." not in wire or "@" in wire},
    )


def _find_wire_name(field: Field) -> str:
    """A lookup is read as ``_x_value``, its type as an annotation of that."""
    types = [name for name in field.names if name.endswith(f"_value{LOOKUP_TYPE}")]
    lookups = [name for name in field.names if name.startswith("_") and name.endswith("_value")]
    return next(iter([*types, *lookups]), field.name)
