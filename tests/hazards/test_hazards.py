"""Hazards: troubles of real data, one each, as data under ``tests/hazards``.

``rows.toml`` holds contacts (and accounts) that fill up an ordinary row; all of them go through one
run: none touches another. The other files hold sources of their own, as text, as bytes in
hexadecimal, as columns of Parquet, or as sheets of a workbook; ``$header``, ``$row1`` and
``$json1`` stand for an ordinary header, row and object, ``$long`` for 2,000 letters. In a workbook
``hidden`` is what Dynamics 365 leaves in its hidden sheet.
"""

from __future__ import annotations

import csv
import json
import string
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import P2cError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.workbooks import write_workbook

FOLDER: Final = Path(__file__).parent
ACCOUNT: Final = "00000000-0000-0000-0001-000000000001"
ORDINARY: Final = {
    **dict.fromkeys(
        (
            "contactid", "msdynce_contactnumber", "msdynce_iscompanyanaccount", "parentcustomerid",
            "parentcustomeridtype",
            "fullname", "description", "gendercode", "merged", "address1_city",
            "address1_postalcode", "creditlimit",
            "modifiedon", "versionnumber", "isdelete",
        ),
        "",
    ),
    "msdynce_isactivecustomer": "true", "firstname": "Ann", "lastname": "Brown", "statecode": "0",
    "address1_country": "DE",
    "transactioncurrencyid.isocurrencycode": "EUR",
}  # fmt: skip
SHORT: Final = (
    "contactid",
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "parentcustomerid",
    "lastname",
)
SETTINGS: Final = ("destination.legal_entity=usmf", "destination.currency=EUR")
COUNTED: Final = {
    "site_missing",
    "warehouse_missing",
    "default_used",
    "accounts_assumed",
    "flag_never_set",
    "column_missing",
}
"""Findings of the whole run that nearly every run has."""


def hazards(*names: str) -> list[dict[str, Any]]:
    return [
        one
        for name in names
        for one in tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["hazard"]
    ]


ROWS: Final = hazards("rows")
SOURCES: Final = hazards(
    *sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "rows")
)


def guid(hazard: int, row: int) -> str:
    return f"00000000-0000-0000-{hazard:04x}-{row:012x}"


def completed(hazard: int, row: int, given: Mapping[str, str]) -> dict[str, str]:
    """An ordinary contact with what the hazard says.

    ``$id1`` and ``$number1`` name the hazard's own rows.
    """
    known = {f"id{place}": guid(hazard, place) for place in range(1, 10)}
    known |= {f"number{place}": number(hazard, place) for place in range(1, 10)} | {
        "account": ACCOUNT
    }
    mine = {"contactid": guid(hazard, row), "msdynce_contactnumber": number(hazard, row)}
    return {
        **ORDINARY,
        **mine,
        **{name: string.Template(value).substitute(known) for name, value in given.items()},
    }


def number(hazard: int, row: int) -> str:
    return f"CON-{hazard:04}{row}-ABCDEF"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Hazard → its contacts as decided, with ``codes`` and ``plan_contacts``."""
    folder = tmp_path_factory.mktemp("rows")
    accounts = [{"accountid": ACCOUNT, "accountnumber": "ACC-1"}]
    contacts: list[dict[str, str]] = []
    owners: dict[int, str] = {}
    for place, hazard in enumerate(ROWS, start=2):
        accounts += hazard.get("accounts", [])
        for row, given in enumerate(hazard["contacts"], start=1):
            contacts.append(completed(place, row, given))
            owners[len(contacts)] = hazard["name"]
    lines = write_table(folder / "contacts.csv", list(ORDINARY), contacts)
    write_table(folder / "accounts.csv", ["accountid", "accountnumber"], accounts)
    result = plan_and_apply(
        Flags(source=folder, runs=folder / "runs", assignments=SETTINGS),
        PlanRequest(command="run"),
        report_nothing,
    )
    found: dict[str, list[dict[str, Any]]] = {hazard["name"]: [] for hazard in ROWS}
    codes = codes_by_line(Path(str(result.folder)))
    planned_rows = rows_by_contact(Path(str(result.folder)))
    for decided in pl.read_parquet(f"{result.folder}/decisions.parquet").to_dicts():
        name = owners[lines.index(decided["source_line"]) + 1]
        decided["codes"] = codes.get(decided["source_line"], set()) - {decided["reason"]}
        decided["planned"] = planned_rows.get(decided["contactid"], {})
        found[name].append(decided)
    return found


def write_table(path: Path, columns: list[str], rows: list[dict[str, str]]) -> list[int]:
    """Write CSV; gives the physical line of every row."""
    lines = []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        line = 2
        for row in rows:
            writer.writerow(row)
            lines.append(line)
            line += 1 + sum(value.count("\n") for value in row.values())
    return lines


def codes_by_line(run: Path) -> dict[int, set[str]]:
    findings = pl.read_parquet(run / "findings.parquet").filter(
        pl.col("source_file") == "contacts.csv"
    )
    found: dict[int, set[str]] = {}
    for line, code in findings.select("source_line", "code").iter_rows():
        found.setdefault(line, set()).add(code)
    return found


def rows_by_contact(run: Path) -> dict[str, dict[str, Any]]:
    return {
        row["contactid"]: row
        for path in run.glob("rows/*/*.parquet")
        for row in pl.read_parquet(path).to_dicts()
    }


@pytest.mark.parametrize("hazard", ROWS, ids=lambda hazard: hazard["name"])
def test_a_row_with_one_trouble_ends_where_the_rules_say(
    hazard: dict[str, Any], results: dict[str, list[dict[str, Any]]]
) -> None:
    found = results[hazard["name"]]
    assert [f"{one['decision']}/{one['reason']}" for one in found] == [
        one["ends"] for one in hazard["expect"]
    ], hazard["trouble"]
    for one, expected in zip(found, hazard["expect"], strict=True):
        assert sorted(one["codes"]) == sorted(expected.get("findings", []))
        sent = {column: one["planned"].get(column) for column in expected.get("sends", {})}
        assert {
            column: value if value is None else str(value) for column, value in sent.items()
        } == expected.get("sends", {})


def short_rows() -> Iterator[tuple[str, str]]:
    yield "header", ",".join(SHORT)
    yield "long", "x" * 2000
    for place in range(1, 10):
        row = completed(1, place, {})
        yield f"row{place}", ",".join(row[name] for name in SHORT)
        yield f"json{place}", json.dumps({name: row[name] or None for name in SHORT})
        yield f"id{place}", row["contactid"]


def laid_out(folder: Path, hazard: Mapping[str, Any]) -> None:
    known = dict(short_rows())
    for name, text in hazard.get("files", {}).items():
        put(
            folder / name,
            string.Template(text).substitute(known).encode(hazard.get("encoding", "utf-8")),
        )
    for name, digits in hazard.get("hex", {}).items():
        put(folder / name, bytes.fromhex(digits))
    for name, sheets in hazard.get("workbook", {}).items():
        write_sheets(folder / name, sheets, known)
    for name, columns in hazard.get("parquet", {}).items():
        ordinary = {column: [completed(1, 1, {})[column]] for column in SHORT}
        put(folder / name, b"")
        pq.write_table(pa.table({**ordinary, **columns}), folder / name)
        cut = hazard.get("cut", 0)
        put(folder / name, (folder / name).read_bytes()[: -cut or None])


def write_sheets(path: Path, sheets: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """A row that is a text is taken apart at its commas."""

    def fill(cell: object) -> Any:
        return string.Template(cell).substitute(known) if isinstance(cell, str) else cell

    write_workbook(
        path,
        {
            name: [
                fill(row).split(",") if isinstance(row, str) else [fill(cell) for cell in row]
                for row in rows
            ]
            for name, rows in sheets.items()
            if name != "hidden"
        },
        export=sheets.get("hidden", ""),
    )


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize("hazard", SOURCES, ids=lambda hazard: hazard["name"])
def test_a_source_with_one_trouble_is_read_or_refused_as_it_should(
    hazard: dict[str, Any], tmp_path: Path
) -> None:
    laid_out(tmp_path / "export", hazard)
    settings = (*SETTINGS, *hazard.get("settings", []))
    common = Flags(source=tmp_path / "export", runs=tmp_path / "runs", assignments=settings)
    expected = hazard["expect"]
    if "says" in expected:
        with pytest.raises(P2cError) as caught:
            plan_contacts(common, PlanRequest(), report_nothing)
        assert caught.value.exit_code == expected["exit"]
        assert [words for words in expected["says"] if words not in str(caught.value)] == []
        assert not list((tmp_path / "runs").glob("**/*")), "a refused source leaves no run behind"
        return
    result = plan_contacts(common, PlanRequest(), report_nothing)
    assert result.exit_code == expected["exit"], hazard["trouble"]
    decided = pl.read_parquet(f"{result.folder}/decisions.parquet")
    assert (
        decided.select(pl.concat_str("decision", "reason", separator="/"))["decision"].to_list()
        == expected["ends"]
    )
    findings = pl.read_parquet(f"{result.folder}/findings.parquet")
    unreadable = (
        findings.filter(pl.col("code") == "row_unreadable")
        .select("source_file", "source_line", "message")
        .rows()
    )
    told = [f"{file}:{line} {message}" for file, line, message in unreadable]
    assert [one.partition(" The row cannot be read: ")[::2] for one in told] == [
        one.partition(" ")[::2] for one in expected.get("unreadable", [])
    ]
    others = set(findings["code"]) - COUNTED - {"row_unreadable"} - set(decided["reason"])
    assert sorted(others) == sorted(expected.get("findings", []))
    for column, values in expected.get("sends", {}).items():
        frames = [
            pl.read_parquet(path)
            for path in sorted(Path(str(result.folder)).glob("rows/*/*.parquet"))
        ]
        assert [
            value for frame in frames if column in frame for value in frame[column].to_list()
        ] == values
    for path in sorted(Path(str(result.folder)).glob("rows/*/*.parquet")):
        cells = pl.read_parquet(path).select(pl.col(pl.String)).unpivot()["value"].to_list()
        assert not set(cells) & set(expected.get("never", ())), hazard["trouble"]
    assert result.summary.balanced
