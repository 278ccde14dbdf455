"""Rows made, changed and deleted.

Values checked, platform columns set, plug-ins run, versions raised. Inside a transaction.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pipeline.sandbox.sales import failures, plugins, values
from pipeline.sandbox.sales.payload import Payload, read_payload, set_lookup
from pipeline.sandbox.sales.references import is_there
from pipeline.sandbox.sales.schema import TABLES, ColumnType, SalesTable
from pipeline.sandbox.sales.store import SalesRow, SalesStore

_NUMBERED: Final = {
    "quote": ("quotenumber", "QUO"),
    "salesorder": ("ordernumber", "ORD"),
    "invoice": ("invoicenumber", "INV"),
}
_LETTERS: Final = string.ascii_uppercase + string.digits
_RANDOM: Final = random.SystemRandom()
_FIRST: Final = 1000
_CURRENCY: Final = "transactioncurrencyid"
_NAMED: Final = frozenset({"firstname", "lastname"})


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesWriter:
    """Writes as one caller. ``now`` is the clock."""

    store: SalesStore
    caller: str
    now: Callable[[], datetime]

    def create(
        self,
        table: SalesTable,
        body: Mapping[str, Any],
        row_id: str | None = None,
        given: SalesRow | None = None,
    ) -> str:
        """Make a row, and the related ones of a deep insert; answers its id.

        ``given``: columns set in addition to the body's.
        """
        payload = read_payload(self.store, table, body)
        row = {**self._defaults(table), **payload.values, **(given or {})}
        row[table.id] = row_id or row.get(table.id) or _new_id()
        if is_there(self.store, table, row[table.id]):
            raise failures.duplicate_id()
        self._make_targets(payload, row)
        _settle_state(table, row, payload.values)
        self._fill_unit(table, row)
        self._price(table, row)
        plugins.run_before_create(self.store, table, row)
        _complete(table, row, row)
        _need(table, row, table.columns)
        self._check_keys(table, row, row)
        row["versionnumber"] = self.store.next_version()
        self.store.insert(table, row)
        self._make_members(table, row[table.id], payload)
        self._raise_customer(plugins.find_new_customer(table, row, None))
        return str(row[table.id])

    def update(self, table: SalesTable, row_id: str, body: Mapping[str, Any]) -> None:
        """Change a row's columns."""
        payload = read_payload(self.store, table, body)
        payload.values.pop(table.id, None)
        self.change(table, row_id, payload)

    def change(self, table: SalesTable, row_id: str, payload: Payload) -> None:
        """Change a row as a payload that was read says."""
        before = self.store.row(table, row_id)
        if before is None:
            raise failures.no_row(table.name, row_id)
        changes = payload.values
        self._make_targets(payload, changes)
        row = {**before, **changes}
        if {"statecode", "statuscode"} & set(changes):
            _settle_state(table, row, changes)
        if "ownerid" in changes:
            self._fill_unit(table, row)
        if (
            any(
                table.columns[name].type is ColumnType.MONEY
                for name in changes
                if name in table.columns
            )
            or _CURRENCY in changes
        ):
            self._price(table, row)
        plugins.run_before_update(table, row, changes)
        _complete(table, row, changes)
        _need(table, row, changes)
        self._check_keys(table, row, changes)
        self._save(
            table, row_id, {name: value for name, value in row.items() if value != before[name]}
        )
        self._make_members(table, row_id, payload)
        self._raise_customer(plugins.find_new_customer(table, row, changes))

    def delete(self, table: SalesTable, row_id: str) -> None:
        """Delete a row; lookups that named it are emptied."""
        if not is_there(self.store, table, row_id):
            raise failures.no_row(table.name, row_id)
        for link in [link for link in table.links.values() if link.to_many]:
            self._let_go(table, link.table, link.column.name, row_id)
        self.store.delete(table, row_id)

    def _let_go(self, table: SalesTable, other: str, name: str, row_id: str) -> None:
        child, column = TABLES[other], TABLES[other].columns[name]
        if column.read_only or column.required:
            return
        where = f"{name} = ?" + (
            f" AND {column.type_name} = '{table.name}'" if column.polymorphic else ""
        )
        for (member,) in self.store.rows(
            f"SELECT {child.id} FROM {child.name} WHERE {where}", (row_id,)
        ):
            self._save(child, member, set_lookup(column, None, None))

    def _save(self, table: SalesTable, row_id: str, changes: SalesRow) -> None:
        stamp = {
            "modifiedon": values.format_now(self.now()),
            "modifiedby": self.caller,
            "versionnumber": self.store.next_version(),
        }
        self.store.update(table, row_id, {**changes, **stamp})

    def _defaults(self, table: SalesTable) -> SalesRow:
        now = values.format_now(self.now())
        found: SalesRow = {
            name: column.default
            for name, column in table.columns.items()
            if column.default is not None
        }
        found |= {
            "createdon": now,
            "modifiedon": now,
            "createdby": self.caller,
            "modifiedby": self.caller,
        }
        if table.owned:
            found["ownerid"] = self.caller
        if table.name == "quote":
            found["revisionnumber"] = 0
        if table.name in _NUMBERED:
            column, prefix = _NUMBERED[table.name]
            number = self.store.rows(f"SELECT count(*) FROM {table.name}")[0][0] + _FIRST
            found[column] = f"{prefix}-{number:05d}-{''.join(_RANDOM.choices(_LETTERS, k=6))}"
        return found

    def _make_targets(self, payload: Payload, row: SalesRow) -> None:
        """The rows that single-valued links of a deep insert lead to come first."""
        for link, body in [pair for pair in payload.related if not pair[0].to_many]:
            row |= set_lookup(link.column, link.table, self.create(TABLES[link.table], body))

    def _make_members(self, table: SalesTable, row_id: str, payload: Payload) -> None:
        """The rows of collections come last; those that are there already are only pointed here."""
        for link, body in [pair for pair in payload.related if pair[0].to_many]:
            pointer = set_lookup(link.column, table.name, row_id)
            if isinstance(body, str):
                self.change(TABLES[link.table], body, Payload(values=pointer))
            else:
                self.create(TABLES[link.table], body, given=pointer)

    def _fill_unit(self, table: SalesTable, row: SalesRow) -> None:
        if not table.owned:
            return
        owner = row["ownerid"]
        unit = self.store.rows(
            "SELECT businessunitid FROM systemuser WHERE systemuserid = ?", (owner,)
        )
        row["owninguser"] = owner
        row["owningbusinessunit"] = unit[0][0] if unit else None

    def _price(self, table: SalesTable, row: SalesRow) -> None:
        """Money needs a currency: the organisation's if none is said, with today's rate."""
        money = [name for name, column in table.columns.items() if column.type is ColumnType.MONEY]
        if "exchangerate" not in table.columns or not money:
            return
        if row.get(_CURRENCY) is None and any(row.get(name) is not None for name in money):
            row[_CURRENCY] = self.store.rows("SELECT basecurrencyid FROM organization")[0][0]
        rate = "SELECT exchangerate FROM transactioncurrency WHERE transactioncurrencyid = ?"
        found = self.store.rows(rate, (row.get(_CURRENCY),))
        row["exchangerate"] = found[0][0] if found else None

    def _check_keys(self, table: SalesTable, row: SalesRow, changes: Mapping[str, Any]) -> None:
        for names in table.keys.values():
            mine = tuple(row.get(name) for name in names)
            if None in mine or not set(names) & set(changes):
                continue
            terms = " AND ".join(f"{name} = ? COLLATE NOCASE" for name in names)
            where = f"SELECT 1 FROM {table.name} WHERE {terms} AND {table.id} <> ?"
            if self.store.rows(where, (*mine, row[table.id])):
                raise failures.duplicate_key(", ".join(table.columns[name].label for name in names))

    def _raise_customer(self, contact: str | None) -> None:
        """A contact with activity is an active customer; one that is, stays untouched."""
        table = TABLES["contact"]
        row = None if contact is None else self.store.row(table, contact)
        if row is not None and row["msdynce_isactivecustomer"] != 1:
            self._save(table, row["contactid"], {"msdynce_isactivecustomer": 1})


def _settle_state(table: SalesTable, row: SalesRow, changes: Mapping[str, Any]) -> None:
    """State and status go together.

    A new state brings its first status, a status must belong to the state.
    """
    if "statecode" not in table.columns:
        return
    options = table.columns["statuscode"].options
    if row.get("statecode") is None:
        row["statecode"] = next(iter(table.columns["statecode"].options))
    state = row["statecode"]
    if changes.get("statuscode") is None and (
        row.get("statuscode") is None or "statecode" in changes
    ):
        row["statuscode"] = next(
            status for status, option in options.items() if option.state == state
        )
    if options[row["statuscode"]].state != state:
        label = table.columns["statecode"].options[state].label
        raise values.status_failure(table, str(row.get(table.id)), row["statuscode"], label)


def _complete(table: SalesTable, row: SalesRow, changes: Mapping[str, Any]) -> None:
    """What the platform computes from columns that are set."""
    if table.name in {"contact", "systemuser"} and _NAMED & set(changes):
        row["fullname"] = (
            " ".join(filter(None, (row.get("firstname"), row.get("lastname")))) or None
        )
    for name in [name for name in table.columns if name.endswith("_composite")]:
        prefix = name.removesuffix("composite")
        if any(column.startswith(prefix) for column in changes):
            row[name] = _address(row, prefix)


def _need(table: SalesTable, row: SalesRow, names: Iterable[str]) -> None:
    missing = [
        name
        for name in names
        if name in table.columns and table.columns[name].required and row.get(name) is None
    ]
    if missing:
        raise failures.bad_call(f"Required field '{missing[0]}' is missing.", "0x80040203")


def _address(row: SalesRow, prefix: str) -> str | None:
    """The address as one text."""
    place = " ".join(
        filter(None, (row.get(f"{prefix}stateorprovince"), row.get(f"{prefix}postalcode")))
    )
    town = ", ".join(filter(None, (row.get(f"{prefix}city"), place)))
    lines = [row.get(f"{prefix}line{number}") for number in (1, 2, 3)]
    return "\r\n".join(filter(None, (*lines, town, row.get(f"{prefix}country")))) or None


def _new_id() -> str:
    return str(uuid.uuid4())
