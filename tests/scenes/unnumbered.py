"""A source for a backfill, full of doubles: ids, times of creation and companies meet far apart."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.run.folder import RunFolder

ROWS: Final = 150
PROJECT: Final = """
[source]
path = "."
filter = "lastname <> 'Zorn'"

[destination]
legal_entity = "usmf"

[backfill]
fix_company_flag = true
null_to_no = true
statuses = "0,1,3"
"""
_KEYS: Final = {"quotes": "quoteid", "salesorders": "salesorderid", "invoices": "invoiceid"}
_NUMBERS: Final = {
    "quotes": "quotenumber",
    "salesorders": "ordernumber",
    "invoices": "invoicenumber",
}


def _contactid(number: int) -> str:
    return f"c0000000-0000-0000-0000-{number:012d}"


def _account(number: int) -> str:
    return f"a0000000-0000-0000-0000-{number:012d}"


def _contact(row: int, dice: random.Random) -> dict[str, str | None]:
    accounts = [_account(dice.randrange(9)) for _ in range(3)]
    company = dice.choice([*accounts, _contactid(dice.randrange(ROWS)), "Works 3", "Works 9", None])
    day = dice.choice([f"2020-01-{dice.randrange(1, 29):02d}T00:00:00Z"] * 5 + [None])
    number = f"CON-{dice.randrange(1000, 1400):05d}-ABCDEF"
    return {
        "contactid": dice.choice([_contactid(row)] * 12 + [_contactid(dice.randrange(ROWS)), "?"]),
        "msdynce_contactnumber": dice.choice([*[None] * 6, number, "K-7"]),
        "msdynce_isactivecustomer": dice.choice(["Yes", "No", "No", None, "perhaps"]),
        "msdynce_iscompanyanaccount": dice.choice(["Yes", "No", None]),
        "parentcustomerid": company,
        "parentcustomeridtype": dice.choice(["account", None]) if company else None,
        "createdon": day,
        "versionnumber": dice.choice([str(dice.randrange(5)), None]),
        "isdelete": dice.choice([*[None] * 20, "true"]),
        "lastname": dice.choice([*["Brown"] * 9, "Zorn", None]),
    }


def write_unnumbered(folder: Path, seed: int = 1) -> Path:
    """Write source and project; the project's file."""
    dice = random.Random(seed)  # noqa: S311
    (folder / "contacts").mkdir(parents=True)
    rows = [_contact(row, dice) for row in range(ROWS)]
    schema = dict.fromkeys(rows[0], pl.String)
    for name, some in (("a", rows[:70]), ("b", rows[70:71]), ("c", rows[71:])):
        pl.DataFrame(some, schema=schema).write_parquet(folder / "contacts" / f"{name}.parquet")
    numbers = [f"CON-{1500 + one}-AAAAAA" if one == 3 else f"A{one}" for one in range(7)]
    accounts = [f"{_account(one)},{number},Works {one}" for one, number in enumerate(numbers)]
    _write_lines(folder / "accounts.csv", "accountid,accountnumber,name", accounts)
    for table, key in _KEYS.items():
        lines = [_document(place, dice) for place in range(40)]
        header = f"{key},{_NUMBERS[table]},customerid,customeridtype,createdon,statecode"
        _write_lines(folder / f"{table}.csv", header, lines)
    write_counters(folder, 1)
    (folder / "p2c.toml").write_text(PROJECT, encoding="utf-8")
    return folder / "p2c.toml"


def write_counters(folder: Path, count: int) -> None:
    """Write as many counters of contacts; there should be one."""
    _write_lines(
        folder / "msdynce_p2cautonumbers.csv",
        "msdynce_p2cautonumberid,msdynce_entityname,msdynce_prefix,msdynce_numbersequence,"
        "msdynce_suffixlength",
        [f"{_account(one)},contact,CON,1000,6" for one in range(count)],
    )


def _document(place: int, dice: random.Random) -> str:
    customer, kind = dice.choice(
        [
            *[(_contactid(dice.randrange(ROWS)), "contact")] * 4,
            (_contactid(dice.randrange(ROWS)), ""),
            (_contactid(ROWS + 7), "contact"),
            (_account(dice.randrange(9)), "account"),
            (_account(dice.randrange(9)), ""),
            ("", ""),
        ]
    )
    day = f"2021-02-{dice.randrange(1, 29):02d}T00:00:00Z"
    return f"{_account(900 + place)},D-{place},{customer},{kind},{day},{dice.randrange(4)}"


def _write_lines(path: Path, header: str, lines: list[str]) -> None:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def take_backfill(run: RunFolder) -> dict[str, object]:
    """What a plan of a backfill says, as values that can be compared."""
    tables = {
        path.stem: pl.read_parquet(path)
        for path in (run.path / "backfill-plan.parquet", run.findings)
    }
    own = {"run", "journal"}
    summary = run.read_summary().as_json()
    return {
        **{name: (frame.schema, frame.rows()) for name, frame in tables.items()},
        "numbers": run.facts().backfill,
        "summary": {key: value for key, value in summary.items() if key not in own},
        "folder": sorted(path.name for path in run.path.iterdir()),
    }
