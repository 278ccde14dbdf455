"""Companies that are names: which account is meant, or why none is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from sql.query import query
from sql.session import Session, session
from tests.scenes.workbooks import write_workbook

SETTINGS = ("destination.legal_entity=usmf", "destination.currency=EUR")
HEADER = "contactid,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,lastname"
A, B, C = (f"a0000000-0000-4000-8000-00000000000{place}" for place in "abc")


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session() as opened:
        yield opened


def resolve(
    duck: Session,
    accounts: Sequence[tuple[str, str, str]],
    name: str,
    *,
    number: str | None = None,
    kind: str | None = None,
    people: tuple[str, ...] = (),
) -> str | None:
    """Which account a company's name means, by the last sign of its id; else the problem."""
    rows = [{"raw:parentcustomerid": name, "parentcustomerid.accountnumber": number,
             "parentcustomeridtype": kind, "fullname": None}]  # fmt: skip
    rows += [dict.fromkeys(rows[0], None) | {"fullname": one} for one in people]
    other = ("firstname", "lastname", "isdelete", "parentcustomerid")
    text = dict.fromkeys(rows[0], pl.String)
    contacts = pl.DataFrame(rows, schema=text).with_row_index("source_row")
    given = pl.DataFrame(
        accounts, schema=["raw:accountid", "accountnumber", "name"], orient="row"
    ).with_row_index("source_row")
    duck.register("contacts", contacts.with_columns(pl.lit(None).alias(one) for one in other))
    duck.register("accounts_declared", given.with_columns(isdelete=pl.lit(None, pl.Boolean)))
    duck.register("account_rows_left_out", pl.DataFrame(schema={"source_row": pl.Int64}))
    duck.view("contacts_chosen", "FROM contacts")
    duck.store("companies_named", query("plan/companies_named"))
    (found,) = duck.frame(query("plan/company_names")).rows(named=True)
    return (found["problems"] or [None])[0] or (found["accountid"] and str(found["accountid"])[-1])


@pytest.mark.parametrize(
    ("name", "number", "kind", "expected"),
    [
        ("Litware", None, None, "a"),
        ("  LITWARE ", None, None, "a"),
        ("Litware", None, "account", "a"),
        ("Litware", None, "contact", None),
        ("Nobody", None, None, "unknown"),
        ("Twice", None, None, "ambiguous"),
        ("Twice", "acc-2", None, "b"),
        ("Twice", "ACC-9", None, "unknown"),
        ("Other words", "ACC-1", None, "a"),
        ("Ann Brown", None, None, "unknown"),
        ("Person", None, None, "ambiguous"),
        ("Person", None, "account", "d"),
        ("Person", "ACC-4", None, "d"),
        ("Shared", "ACC-5", None, "e"),
        ("Nobody", "ACC-5", None, "ambiguous"),
    ],
)
def test_a_name_means_an_account_only_where_that_is_certain(
    duck: Session, name: str, number: str | None, kind: str | None, expected: str | None
) -> None:
    ids = [f"a0000000-0000-4000-8000-00000000000{place}" for place in "abcdef"]
    accounts = list(
        zip(
            ids,
            ["ACC-1", "ACC-2", "ACC-3", "ACC-4", "ACC-5", "ACC-5"],
            ["Litware", "Twice", "twice", "Person", "Shared", "Shares"],
            strict=True,
        )
    )
    found = resolve(duck, accounts, name, number=number, kind=kind, people=("Ann Brown", "person"))
    assert found == expected


def plan(tmp_path: Path) -> list[tuple[str, str | None, str | None]]:
    flags = Flags(source=tmp_path, runs=tmp_path / "runs", assignments=SETTINGS)
    result = plan_contacts(flags, PlanRequest(), report_nothing)
    decided = pl.read_parquet(f"{result.folder}/decisions.parquet")
    end = pl.concat_str("decision", "reason", separator="/")
    return decided.select(end, "company_id", "destination_key").rows()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    ids = [f"c0000000-0000-4000-8000-00000000000{place}" for place in range(4)]
    companies = ("Litware", "Nobody", "Twice", A)
    lines = [
        f"{one},CON-0000{place}-ABCDEF,false,{company},Brown"
        for place, (one, company) in enumerate(zip(ids, companies, strict=True))
    ]
    (tmp_path / "contacts.csv").write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    accounts = [
        "accountid,accountnumber,name", f"{A},ACC-1,Litware", f"{B},ACC-2,Twice",
        f"{C},ACC-3,Twice",
    ]  # fmt: skip
    (tmp_path / "accounts.csv").write_text("\n".join(accounts), encoding="utf-8")
    return tmp_path


def test_a_name_that_gives_no_account_cannot_be_read_where_ids_are_usual(source: Path) -> None:
    assert plan(source) == [
        ("contact/company_is_account", A, "usmf/CON-00000-ABCDEF/ACC-1"),
        ("rejected/value_unreadable", "Nobody", None),
        ("rejected/value_unreadable", "Twice", None),
        ("contact/company_is_account", A, "usmf/CON-00003-ABCDEF/ACC-1"),
    ]


def test_it_waits_where_names_are_usual(source: Path) -> None:
    lines = (source / "contacts.csv").read_text(encoding="utf-8").splitlines()
    write_workbook(source / "contacts.xlsx", {"contacts": [line.split(",") for line in lines]})
    (source / "contacts.csv").unlink()
    assert plan(source) == [
        ("contact/company_is_account", A, "usmf/CON-00000-ABCDEF/ACC-1"),
        ("held/company_name_unknown", "Nobody", None),
        ("held/company_name_ambiguous", "Twice", None),
        ("contact/company_is_account", A, "usmf/CON-00003-ABCDEF/ACC-1"),
    ]


def test_contacts_with_names_stay_in_their_order_wherever_a_row_group_ends(
    duck: Session, tmp_path: Path
) -> None:
    resolve(duck, [], "Nobody")
    duck.store("company_names", query("plan/company_names"))
    contacts = pl.DataFrame({"source_row": pl.int_range(10_000, eager=True)})
    contacts.write_parquet(tmp_path / "contacts.parquet", row_group_size=2_078)
    duck.parquet("contacts_read", tmp_path / "contacts.parquet")
    duck.view("contacts", "SELECT source_row, guid_of(NULL) AS parentcustomerid FROM contacts_read")
    text = query("plan/companies_by_name")
    duck.use_threads(1)
    for rows in duck.stream(text, 2_048):
        assert rows["source_row"].to_pylist() == list(
            range(rows["source_row"][0].as_py(), rows["source_row"][-1].as_py() + 1)
        )
