"""The rules of the Prospect to Cash solution, as its plug-in steps are registered.

Before a contact or an account is made: its number, if it has none. Before a contact is made, or its
company set: *Is Company An Account*. After a quote, an order or an invoice is made or points
elsewhere: *Is Active Customer*, which nothing lowers.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterable
from typing import Final

from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.schema import TABLES, SalesTable
from pipeline.sandbox.sales.store import SalesRow, SalesStore

NUMBERS: Final = {"contact": "msdynce_contactnumber", "account": "accountnumber"}
"""The columns that counters fill."""

_TRIGGERS: Final = {
    "quote": frozenset({"customerid"}),
    "salesorder": frozenset({"customerid", "statecode", "statuscode"}),
    "invoice": frozenset({"salesorderid", "customerid"}),
}
_COUNTERS: Final = TABLES["msdynce_p2cautonumber"]
_LETTERS: Final = string.ascii_uppercase + string.digits
_RANDOM: Final = random.SystemRandom()


def run_before_create(store: SalesStore, table: SalesTable, row: SalesRow) -> None:
    """The pre-operation steps of a create; they change the row."""
    column = NUMBERS.get(table.name)
    if column and not row.get(column):
        row[column] = _next_number(store, table)
    if table.name == "contact":
        _company(row)


def run_before_update(table: SalesTable, row: SalesRow, changed: Iterable[str]) -> SalesRow:
    """The pre-operation steps of an update: what they change besides."""
    if table.name != "contact" or "parentcustomerid" not in set(changed):
        return {}
    _company(row)
    return {"msdynce_iscompanyanaccount": row["msdynce_iscompanyanaccount"]}


def find_new_customer(
    table: SalesTable, row: SalesRow, changed: Iterable[str] | None
) -> str | None:
    """The contact that a row makes an active customer; ``changed`` is null for a new row."""
    triggers = _TRIGGERS.get(table.name)
    if triggers is None or row.get("customerid__type") != "contact":
        return None
    return row["customerid"] if changed is None or triggers & set(changed) else None


def _company(row: SalesRow) -> None:
    row["msdynce_iscompanyanaccount"] = int(row.get("parentcustomerid__type") == "account")


def _next_number(store: SalesStore, table: SalesTable) -> str:
    """The next number of the table's counter, which is one further then."""
    where = f"SELECT {_COUNTERS.id} FROM {_COUNTERS.name} WHERE msdynce_entityname = ?"
    found = store.rows(where, (table.name,))
    counter = store.row(_COUNTERS, found[0][0]) if found else None
    if counter is None:
        message = f"P2C AutoNumber: there is no counter for the entity {table.name}."
        raise failures.bad_call(message, "0x80040265")
    number = counter["msdynce_numbersequence"]
    version = store.next_version()
    store.update(
        _COUNTERS,
        counter[_COUNTERS.id],
        {"msdynce_numbersequence": number + 1, "versionnumber": version},
    )
    suffix = "".join(_RANDOM.choices(_LETTERS, k=counter["msdynce_suffixlength"]))
    return f"{counter['msdynce_prefix']}-{number:05d}-{suffix}"
