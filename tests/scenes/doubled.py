"""A source full of doubles: ids, numbers, companies and names that meet again far apart.

Parquet files of odd heights, side tables, SCM's customers and what was loaded before, so that every
side table of routing has rows that only some parts of the contacts name.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from tests.scenes.memories import remember

HEIGHTS: Final = (70, 1, 60, 29)
"""Rows of each file of contacts."""

ROWS: Final = sum(HEIGHTS)
PROJECT: Final = """
[source]
path = "."
filter = "lastname <> 'Zorn'"

[destination]
currency = "EUR"
country = "DE"
batch_rows = 7
known_customers = "known.csv"

[organizations]
"North" = "usmf"
"South" = "demf"

[tasks.ContactToCustomer.fields.PrimaryContactEmail]
on_blank = "keep"

[tasks.ContactToCustomer.fields.CustomerGroupId]
source = "department"
value_map = { Sales = "10", Service = "20" }
default = "30"
"""
_KINDS: Final = (*["account"] * 6, "contact", "", None)
_FLAGS: Final = (*["Yes"] * 8, *["No"] * 7, None, "perhaps")
_LAST: Final = (*["Brown"] * 9, *["Ångström"] * 5, "Zorn", "L" * 30, None)
_MAILS: Final = ("a@example.com", None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubled:
    """Where everything lies, and contactids of the source in source order."""

    project: Path
    ids: Sequence[str]

    def remember(self, runs: Path) -> None:
        """Write what was loaded into a folder before."""
        customers = [f"usmf/{_number(one)}" for one in range(0, ROWS, 3)]
        persons = [f"demf/{_number(one)}/A{one % 9}" for one in range(0, ROWS, 4)]
        remember(runs / "loaded" / "folder" / "ContactToCustomer.parquet", customers)
        remember(runs / "loaded" / "folder" / "Contacts.parquet", persons)


def _contactid(number: int) -> str:
    return f"c0000000-0000-0000-0000-{number:012d}"


def _account(number: int) -> str:
    return f"a0000000-0000-0000-0000-{number:012d}"


def _spell(contactid: str, dice: random.Random) -> str:
    """An id as it is written here and there."""
    return dice.choice([*[contactid] * 5, f"{{{contactid.upper()}}}", contactid.upper()])


def _number(number: int) -> str:
    return f"CON-{number:05d}-ABCDEF"


def _contact(row: int, dice: random.Random) -> dict[str, str | None]:
    """A row whose id and number may be those of another one."""
    accounts = [_account(dice.randrange(12)) for _ in range(6)]
    company = dice.choice([*accounts, _contactid(dice.randrange(ROWS)), "Works 3", "Works 4", None])
    return {
        "contactid": dice.choice(
            [_spell(_contactid(one), dice) for one in (*[row] * 18, dice.randrange(ROWS))] + ["?"]
        ),
        "msdynce_contactnumber": dice.choice(
            [_number(row)] * 18
            + [_number(dice.randrange(ROWS)), f" {_number(dice.randrange(ROWS)).lower()}"]
            + ["A5", None, f"X/{row}", "k-7"]
        ),
        "msdynce_isactivecustomer": dice.choice(_FLAGS),
        "parentcustomerid": company,
        "parentcustomeridtype": dice.choice(_KINDS) if company else None,
        "owningbusinessunit": dice.choice([*["North", "South"] * 4, "West"]),
        "transactioncurrencyid": dice.choice(["Euro", None, "USD"]),
        "versionnumber": dice.choice([str(dice.randrange(5)), None]),
        "isdelete": dice.choice([None] * 20 + ["true"]),
        "firstname": "Ada",
        "lastname": dice.choice(_LAST),
        "department": dice.choice([*["Sales", "Service", None] * 4, "Stores"]),
        "address1_country": dice.choice([*["DE", "Germany", None] * 4, "Utopia"]),
        "emailaddress1": dice.choice(_MAILS),
    }


def write_doubled(folder: Path, seed: int = 1) -> Doubled:
    """Write source and project."""
    dice = random.Random(seed)  # noqa: S311
    parts = folder / "contacts"
    parts.mkdir(parents=True)
    rows = [_contact(row, dice) for row in range(ROWS)]
    first = 0
    schema = dict.fromkeys(rows[0], pl.String)
    for number, height in enumerate(HEIGHTS):
        frame = pl.DataFrame(rows[first : first + height], schema=schema)
        frame.write_parquet(parts / f"part-{number}.parquet")
        first += height
    accounts = [f"{_account(one)},A{one % 9},Works {one % 8}" for one in range(10)]
    accounts += [f"{_account(one)},B{one},Works {one}" for one in range(20, 90)]
    _write_lines(folder / "accounts.csv", "accountid,accountnumber,name", accounts)
    quotes = [f"q{one},{_contactid(one * 3)},contact" for one in range(50)]
    _write_lines(folder / "quotes.csv", "quoteid,customerid,customeridtype", quotes)
    currency = "e0000000-0000-0000-0000-000000000001,EUR,Euro"
    _write_lines(
        folder / "transactioncurrencies.csv",
        "transactioncurrencyid,isocurrencycode,currencyname",
        [currency],
    )
    known = [f"{_number(one)},{_number(one)},usmf" for one in range(0, 200, 3)]
    known += [f"A{one},A{one},demf" for one in range(6)]
    _write_lines(
        folder / "known.csv", "CUSTOMERACCOUNT,PARTYNUMBER,DATAAREAID", [*known, ",K-7,usmf"]
    )
    (folder / "p2c.toml").write_text(PROJECT, encoding="utf-8")
    return Doubled(project=folder / "p2c.toml", ids=[str(row["contactid"]) for row in rows])


def _write_lines(path: Path, header: str, lines: Sequence[str]) -> None:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
