"""Rows made up, as many as wanted and the same for the same seed, made inside SQLite: a million contacts in half a minute.

Ids rise with the row number, as the sequential GUIDs of Dataverse do; whatever else a row holds is
drawn from its number and the seed. Most contacts have a company; some have no number yet, some
activity that their flag does not know of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from pipeline.sandbox.sales.schema import TABLES
from pipeline.sandbox.sales.store import Store

_PRIME: Final = 2_147_483_647
_DRAWS: Final = (48_271, 69_621, 16_807, 39_373, 44_491, 62_089_911 % 65_536, 7_919)
_CODES: Final = {
    "transactioncurrency": 1,
    "businessunit": 2,
    "account": 3,
    "contact": 4,
    "quote": 5,
    "salesorder": 6,
    "invoice": 7,
}
_BEGIN: Final = 1_514_880_000
"""2 January 2018, when the first rows were made."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_FIRST: Final = 1000

PEOPLE: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("people.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """One table to fill: its rows, and expressions by column over ``i`` (the number, from 0) and ``d0`` … ``d6`` (draws)."""

    name: str
    rows: int
    columns: Mapping[str, str]


def generate(store: Store, rows: int, seed: int, owner: str) -> None:
    """Fill empty tables: ``rows`` contacts, and what belongs to them; all is owned by one user.

    Inside a transaction.
    """
    accounts = max(rows // 20, 1)
    for name in ("first", "last", "title", "department", "company", "street"):
        _pool(store, name, PEOPLE[name])
    _places(store)
    _units(store, seed)
    activities = {"quote": rows // 10, "salesorder": rows // 10, "invoice": rows // 20}
    for table in (
        _accounts(accounts, seed),
        _contacts(rows, accounts, seed),
        *_activities(activities, rows, seed),
    ):
        _insert(store, table, seed, owner)
    for name, prefix, number in (("account", "ACC", accounts), ("contact", "CON", rows)):
        _counter(store, name, prefix, number + _FIRST)


def _pool(store: Store, name: str, values: Sequence[str]) -> None:
    """A table of texts to draw from."""
    connection = store.connection
    connection.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS pool_{name} (k INTEGER PRIMARY KEY, v TEXT)"
    )
    connection.executemany(f"INSERT OR REPLACE INTO pool_{name} VALUES (?, ?)", enumerate(values))


def _places(store: Store) -> None:
    """Cities with state, postal code and country, three for each unit."""
    places = [place for unit in PEOPLE["units"] for place in unit["places"]]
    store.connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS pool_place (k INTEGER PRIMARY KEY, p0, p1, p2, p3)"
    )
    rows = ((number, *(part or None for part in place)) for number, place in enumerate(places))
    store.connection.executemany("INSERT OR REPLACE INTO pool_place VALUES (?, ?, ?, ?, ?)", rows)


def _drawn(name: str, draw: str) -> str:
    return f"(SELECT v FROM pool_{name} WHERE k = {draw} % {len(PEOPLE[name])})"


def guid(table: str, number: str, seed: int) -> str:
    """The id of a table's row by its number: a version 4 GUID whose last twelve digits rise."""
    low, mid, high = (
        f"(({number}) * {factor} + {seed % 65_536} * 7919 + 12345)" for factor in _DRAWS[:3]
    )
    node = f"{_CODES[table]:02x}"
    return (
        f"printf('%08x-%04x-4%03x-8%03x-{node}%010x', {low} % 4294967296, {mid} % 65536, {high} % "
        f"4096, {low} % 4096, {number})"
    )


def _insert(store: Store, table: _Table, seed: int, owner: str) -> None:
    """The draws of a row come from its number by congruences, each from the one before."""
    if not table.rows:
        return
    first = store.next_version()
    store.seen_version(first + table.rows)
    columns = {
        TABLES[table.name].id: guid(table.name, "i", seed),
        **table.columns,
        "versionnumber": f"{first} + i",
    }
    columns |= dict.fromkeys(("ownerid", "owninguser", "createdby", "modifiedby"), f"'{owner}'")
    draws = ", ".join(
        f"(i * {factor} + {seed % _PRIME} + {at} * 104729) % {_PRIME} AS e{at}"
        for at, factor in enumerate(_DRAWS)
    )
    mixed = ", ".join(
        f"(e{at} * 48271 + i) % {_PRIME} * 16807 % {_PRIME} AS d{at}" for at in range(len(_DRAWS))
    )
    store.connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < "
        f"{table.rows - 1}), "
        f"e AS (SELECT i, {draws} FROM n), d AS MATERIALIZED (SELECT i, {mixed} FROM e) "
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(columns.values())} "
        "FROM d"
    )


def _units(store: Store, seed: int) -> None:
    """Business units and currencies: there are few of them."""
    for number, unit in enumerate(PEOPLE["units"]):
        code, name, symbol, rate = unit["currency"]
        currency = {
            "isocurrencycode": code,
            "currencyname": name,
            "currencysymbol": symbol,
            "currencyprecision": "2",
        }
        texts = {key: f"'{value}'" for key, value in currency.items()} | {
            "exchangerate": str(round(rate * 10**10))
        }
        texts |= {"statecode": "0", "statuscode": "1"}
        _one(store, "transactioncurrency", number, texts, seed)
        parent = "NULL" if number == 0 else guid("businessunit", "0", seed)
        _one(
            store,
            "businessunit",
            number,
            {"name": f"'{unit['name']}'", "parentbusinessunitid": parent, "isdisabled": "0"},
            seed,
        )


def _one(store: Store, name: str, number: int, texts: Mapping[str, str], seed: int) -> None:
    columns = {
        TABLES[name].id: guid(name, str(number), seed),
        **texts,
        "versionnumber": str(store.next_version()),
    }
    store.connection.execute(
        f"INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(columns.values())}"
    )


def _stamps(seconds: int) -> dict[str, str]:
    moment = "strftime('%Y-%m-%dT%H:%M:%SZ', {}, 'unixepoch')"
    made = f"{_BEGIN} + i * {seconds}"
    return {"createdon": moment.format(made), "modifiedon": moment.format(f"{made} + d6 % 8640000")}


def _owned(seed: int) -> dict[str, str]:
    """A row belongs to one of the units, which its place and its currency follow."""
    return {
        "owningbusinessunit": guid("businessunit", "d0 % 4", seed),
        "transactioncurrencyid": guid("transactioncurrency", "d0 % 4", seed),
    }


def _address() -> dict[str, str]:
    parts = [
        f"(SELECT p{number} FROM pool_place WHERE k = d0 % 4 * 3 + d1 % 3)" for number in range(4)
    ]
    names = ("city", "stateorprovince", "postalcode", "country")
    line = f"(d2 % 200 + 1)||' '||{_drawn('street', 'd3')}"
    return {
        "address1_line1": line,
        **{f"address1_{name}": part for name, part in zip(names, parts, strict=True)},
    }


def _number(prefix: str) -> str:
    """A number as counters make it, with six letters or digits at its end."""
    suffix = "||".join(f"substr('{_LETTERS}', d{at} / 7 % 36 + 1, 1)" for at in range(6))
    return f"'{prefix}-'||printf('%05d', {_FIRST} + i)||'-'||{suffix}"


def _accounts(rows: int, seed: int) -> _Table:
    columns = {
        "name": (
            f"{_drawn('company', 'i')}||ifnull(' '||nullif(i / {len(PEOPLE['company'])}, 0), '')"
        ),
        "accountnumber": _number("ACC"),
        "telephone1": "printf('+45 55 %02d %02d %02d', d3 % 100, d4 % 100, d5 % 100)",
        "creditlimit": "d5 % 200 * 5000000",
        "statecode": "0",
        "statuscode": "1",
        **_address(),
        **_owned(seed),
        **_stamps(120),
    }
    return _Table(name="account", rows=rows, columns=columns)


def _contacts(rows: int, accounts: int, seed: int) -> _Table:
    """Six of seven have an account as company, some of the rest another contact.

    One of three is an active customer.
    """
    account, contact = (
        guid("account", f"d4 % {accounts}", seed),
        guid("contact", f"d4 % {rows}", seed),
    )
    to_account, to_contact = "d5 % 100 < 86", "d5 % 100 BETWEEN 86 AND 90"
    first, last = _drawn("first", "d1"), _drawn("last", "d2")
    columns = {
        "firstname": first,
        "middlename": (
            "CASE WHEN d3 % 9 = 0 THEN substr('ABCDEFGHJKLMNPRSTW', d3 % 18 + 1, 1)||'.' END"
        ),
        "lastname": last,
        "fullname": f"{first}||' '||{last}",
        "jobtitle": _drawn("title", "d4"),
        "department": _drawn("department", "d5"),
        "emailaddress1": "'contact'||i||'@example.com'",
        "telephone1": "printf('+45 70 %02d %02d %02d', d3 % 100, d4 % 100, d5 % 100)",
        "gendercode": "nullif(d6 % 3, 0)",
        "familystatuscode": "nullif(d5 % 5, 0)",
        "donotemail": "d4 % 10 = 0",
        "creditlimit": "CASE WHEN d3 % 4 = 0 THEN d3 % 100 * 10000000 END",
        "merged": "0",
        "statecode": "d6 % 50 = 0",
        "statuscode": "1 + (d6 % 50 = 0)",
        "msdynce_contactnumber": f"CASE WHEN d4 % 100 <> 0 THEN {_number('CON')} END",
        "msdynce_isactivecustomer": "d2 % 3 = 0",
        "msdynce_iscompanyanaccount": to_account,
        "parentcustomerid": (
            f"CASE WHEN {to_account} THEN {account} WHEN {to_contact} THEN {contact} END"
        ),
        "parentcustomerid__type": (
            f"CASE WHEN {to_account} THEN 'account' WHEN {to_contact} THEN 'contact' END"
        ),
        **_address(),
        **_owned(seed),
        **_stamps(20),
    }
    return _Table(name="contact", rows=rows, columns=columns)


def _activities(counts: Mapping[str, int], rows: int, seed: int) -> Iterator[_Table]:
    numbers = {
        "quote": ("quotenumber", "QUO"),
        "salesorder": ("ordernumber", "ORD"),
        "invoice": ("invoicenumber", "INV"),
    }
    for name, count in counts.items():
        column, prefix = numbers[name]
        columns = {
            column: _number(prefix),
            "name": "'Coffee machines '||i",
            "customerid": guid("contact", f"d1 % {rows}", seed),
            "customerid__type": "'contact'",
            "totalamount": "d2 % 1000000 * 100",
            "statecode": "0",
            "statuscode": "1",
            "msdynce_hasexternallymaintainedproductsonly": "1",
            "msdynce_ismaintainedexternally": "0",
            **_owned(seed),
            **_stamps(200),
        }
        yield _Table(name=name, rows=count, columns=columns)


def _counter(store: Store, name: str, prefix: str, number: int) -> None:
    texts = {
        "msdynce_name": f"'P2C {name}'",
        "msdynce_entityname": f"'{name}'",
        "msdynce_prefix": f"'{prefix}'",
    }
    texts |= {
        "msdynce_numbersequence": str(number),
        "msdynce_suffixlength": "6",
        "statecode": "0",
        "statuscode": "1",
    }
    columns = {
        "msdynce_p2cautonumberid": f"printf('00000000-0000-4000-8000-08%010x', {_CODES[name]})",
        **texts,
    }
    columns["versionnumber"] = str(store.next_version())
    store.connection.execute(
        f"INSERT INTO msdynce_p2cautonumber ({', '.join(columns)}) SELECT "
        f"{', '.join(columns.values())}"
    )


def accounts(store: Store) -> Iterator[dict[str, str]]:
    """Generated accounts as the customers that the Accounts task would have made of them, columns as a *Customers V2* export."""
    entities = {unit["name"]: unit["entity"] for unit in PEOPLE["units"]}
    sql = (
        "SELECT a.accountnumber, a.name, c.isocurrencycode, u.name FROM account AS a "
        "JOIN businessunit AS u ON u.businessunitid = a.owningbusinessunit "
        "JOIN transactioncurrency AS c ON c.transactioncurrencyid = a.transactioncurrencyid"
    )
    for number, name, currency, unit in store.rows(sql):
        yield {
            "CUSTOMERACCOUNT": number,
            "PARTYNUMBER": number,
            "PARTYTYPE": "Organization",
            "ORGANIZATIONNAME": name,
            "CUSTOMERGROUPID": "10",
            "SALESCURRENCYCODE": currency,
            "LANGUAGEID": "en-us",
            "ISEXTERNALLYMAINTAINED": "Yes",
            "DATAAREAID": entities[unit],
        }
