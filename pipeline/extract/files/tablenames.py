"""Under which names people and tools keep a table, and which table a name comes near.

The names that count: the entity set (``contacts``), the logical name (``contact``), lake tables of
Synapse Link (``contact_partitioned``), filtered views (``FilteredContact``); each with SQL's
``dbo.`` before it or not, in any case.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from schemas.catalogue import Table
from schemas.sales import TABLES

_SCHEMA: Final = "dbo."
_LIKENESS: Final = 0.8
_OTHER: Final[Mapping[str, str]] = {
    "order": "salesorders",
    "orders": "salesorders",
    "company": "accounts",
    "companies": "accounts",
    "customer": "accounts",
    "customers": "accounts",
    "currency": "transactioncurrencies",
    "currencies": "transactioncurrencies",
    "unit": "businessunits",
    "units": "businessunits",
    "kontakt": "contacts",
    "kontakte": "contacts",
    "firma": "accounts",
    "firmen": "accounts",
    "angebote": "quotes",
    "aufträge": "salesorders",
    "rechnungen": "invoices",
    "comptes": "accounts",
    "devis": "quotes",
    "commandes": "salesorders",
    "factures": "invoices",
}
"""What people call a table; such names are not read, but the right one is told."""


def names_table(name: str, table: Table) -> bool:
    """Whether a name without ending stands for the table."""
    return _strip(name) in _list_names(table)


@cache
def find_meant(name: str) -> Table | None:
    """The table that an entry of a folder may be meant for, by its name; none if none is near."""
    base = _strip(name).partition(".")[0].strip()
    known = _list_known()
    for word in (base, *re.split(r"[^\w]+|_|\d+", base)):
        if word in known:
            return known[word]
    near = difflib.get_close_matches(base, known, n=1, cutoff=_LIKENESS)
    return known[near[0]] if near else None


@cache
def _list_known() -> Mapping[str, Table]:
    """All names that are read, and those that people use."""
    known = {one: table for table in TABLES.values() for one in _list_names(table)}
    return MappingProxyType(known | {other: TABLES[meant] for other, meant in _OTHER.items()})


def _list_names(table: Table) -> set[str]:
    one = table.singular
    return {table.name, one, f"{one}_partitioned", f"filtered{one}"}


def _strip(name: str) -> str:
    return name.casefold().removeprefix(_SCHEMA)
