"""What an environment has from the start.

Its organisation, users, a root business unit, counters, messages.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.sandbox.sales.actions import MESSAGES
from pipeline.sandbox.sales.schema import TABLES, SalesTable
from pipeline.sandbox.sales.store import SalesRow, SalesStore

_IDS: Final = uuid.UUID("5a1e5111-0000-4000-8000-000000000000")
_MADE: Final = "2018-01-01T08:00:00Z"
_BULK: Final = ("account", "contact", "quote", "salesorder", "invoice", "msdynce_p2cautonumber")
_RATE: Final = 10**10
_NUMBERS: Final = (("account", "ACC"), ("contact", "CON"))
_FIRST: Final = 1000

ORGANIZATION: Final = str(uuid.uuid5(_IDS, "organization"))


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """An application user; ``application`` is the app registration's client id."""

    application: str
    name: str

    @property
    def id(self) -> str:
        """The id of the row in systemusers."""
        return str(uuid.uuid5(_IDS, self.application))


def add_missing_rows(store: SalesStore, users: Sequence[User], name: str) -> None:
    """Add what the loaded rows leave out. Inside a transaction, after loading."""
    unit = _root_unit(store)
    currency = _base_currency(store)
    owner = users[0].id
    for user in users:
        _add(store, "systemuser", _user(user, unit), owner)
    organization = {
        "organizationid": ORGANIZATION,
        "name": name,
        "languagecode": 1033,
        "localeid": 1033,
    }
    organization |= {
        "basecurrencyid": currency,
        "expirechangetrackingindays": 7,
        "isauditenabled": 0,
    }
    _add(store, "organization", organization, owner)
    _add_counters(store, owner)
    _add_messages(store, owner)
    _fill_owners(store, owner, unit)


def _user(user: User, unit: str) -> SalesRow:
    names = {
        "fullname": f"# {user.name}",
        "firstname": "#",
        "lastname": user.name,
        "domainname": f"{user.application}@sandbox",
    }
    found = {
        "systemuserid": user.id,
        "applicationid": user.application,
        "isdisabled": 0,
        "accessmode": 4,
        "businessunitid": unit,
    }
    return {
        **names,
        **found,
        "azureactivedirectoryobjectid": str(uuid.uuid5(_IDS, f"object/{user.application}")),
    }


def _root_unit(store: SalesStore) -> str:
    found = store.rows(
        "SELECT businessunitid FROM businessunit WHERE parentbusinessunitid IS NULL ORDER BY "
        "versionnumber LIMIT 1"
    )
    if found:
        return str(found[0][0])
    root = str(uuid.uuid5(_IDS, "businessunit"))
    _add(store, "businessunit", {"businessunitid": root, "name": "Contoso", "isdisabled": 0}, None)
    return root


def _base_currency(store: SalesStore) -> str:
    found = store.rows(
        (
            "SELECT transactioncurrencyid FROM transactioncurrency ORDER BY exchangerate <> ?, "
            "versionnumber"
        ),
        (_RATE,),
    )
    if found:
        return str(found[0][0])
    base = str(uuid.uuid5(_IDS, "EUR"))
    row: SalesRow = {
        "transactioncurrencyid": base,
        "isocurrencycode": "EUR",
        "currencyname": "Euro",
        "currencysymbol": "€",
    }
    row |= {"currencyprecision": 2, "exchangerate": _RATE, "statecode": 0, "statuscode": 1}
    _add(store, "transactioncurrency", row, None)
    return base


def _add_counters(store: SalesStore, owner: str) -> None:
    """A counter for each table that has none; 1000 is the first number."""
    there = {name for (name,) in store.rows("SELECT msdynce_entityname FROM msdynce_p2cautonumber")}
    for name, prefix in _NUMBERS:
        if name in there:
            continue
        row: SalesRow = {
            "msdynce_p2cautonumberid": str(uuid.uuid5(_IDS, f"counter/{name}")),
            "msdynce_name": f"P2C {name}",
        }
        row |= {
            "msdynce_entityname": name,
            "msdynce_prefix": prefix,
            "msdynce_numbersequence": _FIRST,
            "msdynce_suffixlength": 6,
        }
        _add(store, "msdynce_p2cautonumber", {**row, "statecode": 0, "statuscode": 1}, owner)


def _add_messages(store: SalesStore, owner: str) -> None:
    """Which tables take which bulk messages; UpsertMultiple is not listed, as in Dataverse."""
    for message in MESSAGES[:2]:
        identity = str(uuid.uuid5(_IDS, message))
        _add(store, "sdkmessage", {"sdkmessageid": identity, "name": message}, owner)
        for name in _BULK:
            key = str(uuid.uuid5(_IDS, f"{message}/{name}"))
            row = {
                "sdkmessagefilterid": key,
                "primaryobjecttypecode": name,
                "sdkmessageid": identity,
            }
            _add(store, "sdkmessagefilter", row, owner)


def _fill_owners(store: SalesStore, owner: str, unit: str) -> None:
    """Rows that were loaded without an owner, a unit or a creator get them.

    They keep their versions.
    """
    for table in TABLES.values():
        values: Mapping[str, Any] = {
            "createdby": owner,
            "modifiedby": owner,
            "createdon": _MADE,
            "modifiedon": _MADE,
        }
        if table.owned:
            values = {**values, "ownerid": owner, "owninguser": owner, "owningbusinessunit": unit}
        terms = ", ".join(f"{name} = coalesce({name}, ?)" for name in values)
        missing = " OR ".join(f"{name} IS NULL" for name in values)
        store.connection.execute(
            f"UPDATE {table.name} SET {terms} WHERE {missing}", tuple(values.values())
        )


def _add(store: SalesStore, name: str, row: SalesRow, owner: str | None) -> None:
    table: SalesTable = TABLES[name]
    stamp = {"createdon": _MADE, "modifiedon": _MADE, "createdby": owner, "modifiedby": owner}
    store.insert(table, {**row, **stamp, "versionnumber": store.next_version()})
