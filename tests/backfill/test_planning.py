"""A backfill's plan from files: numbers, flags, evidence, findings; files to import.

What it must never do.
"""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.apply.execute import apply_plan
from pipeline.audit.verify import verify_folder
from pipeline.backfill.planning import make_backfill
from pipeline.errors import ConfigurationError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from tests.scenes.json_files import read_json

CONTACT = (
    "contactid",
    "lastname",
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "parentcustomerid",
    "parentcustomeridtype",
    "msdynce_iscompanyanaccount",
    "createdon",
    "versionnumber",
)
DOCUMENTS = {
    "quotes": ("quoteid", "quotenumber"),
    "salesorders": ("salesorderid", "ordernumber"),
    "invoices": ("invoiceid", "invoicenumber"),
}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def contact(number: int, **columns: object) -> dict[str, object]:
    blank: dict[str, object] = dict.fromkeys(CONTACT, "")
    day = f"2020-01-{number % 28 + 1:02d}T00:00:00Z"
    return {
        **blank,
        "contactid": guid(number),
        "lastname": "x",
        "createdon": day,
        "versionnumber": number,
        **columns,
    }


def document(
    table: str, number: int, of: str, kind: str = "contact", **columns: object
) -> dict[str, object]:
    key, name = DOCUMENTS[table]
    return {
        key: guid(900_000 + number),
        name: f"D-{number}",
        "customerid": of,
        "customeridtype": kind,
        "createdon": f"2021-02-{number % 28 + 1:02d}T00:00:00Z",
        "statecode": 0,
        **columns,
    }


def counter(**columns: object) -> dict[str, object]:
    return {
        "msdynce_p2cautonumberid": guid(1),
        "msdynce_entityname": "contact",
        "msdynce_prefix": "CON",
        "msdynce_numbersequence": 1000,
        "msdynce_suffixlength": 6,
        **columns,
    }


def backfill(
    home: Path,
    *assignments: str,
    request: PlanRequest | None = None,
    **tables: list[dict[str, object]],
) -> RunFolder:
    home.mkdir(parents=True, exist_ok=True)
    for name, rows in {"msdynce_p2cautonumbers": [counter()], **tables}.items():
        if rows:
            with (home / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
    project = load_project(None, source=home, assignments=assignments)
    return make_backfill(
        project,
        request or PlanRequest(command="backfill"),
        home / "runs",
        lambda: NOW,
        report_nothing,
    )


def plan_of(run: RunFolder) -> dict[str, dict[str, Any]]:
    return {
        row["contactid"]: row
        for row in pl.read_parquet(run.path / "backfill-plan.parquet").iter_rows(named=True)
    }


def codes(run: RunFolder) -> dict[str, int]:
    found: dict[str, int] = read_json(run.summary)["findings"]
    return found


def test_numbers_come_in_the_order_of_creation_and_behind_the_counter(tmp_path: Path) -> None:
    contacts = [
        contact(1, createdon=""),
        contact(3),
        contact(2),
        contact(4, msdynce_contactnumber="CON-00007-AAAAAA"),
    ]
    plan = plan_of(backfill(tmp_path, contacts=contacts))
    assert [plan[guid(n)]["rank"] for n in (2, 3, 1, 4)] == [0, 1, 2, None]
    assert [plan[guid(n)]["action"] for n in (2, 3, 1, 4)] == ["number", "number", "number", "none"]
    assert re.fullmatch("CON-01000-[A-Z0-9]{6}", plan[guid(2)]["number_after"])
    assert plan[guid(4)]["number_after"] == "CON-00007-AAAAAA"
    assert plan[guid(2)]["etag"] == 'W/"2"'


def test_a_customer_of_any_document_becomes_active_with_evidence(tmp_path: Path) -> None:
    number = {"msdynce_contactnumber": ""}
    contacts = [
        contact(n, **number, msdynce_isactivecustomer=flag)
        for n, flag in ((1, "No"), (2, "Yes"), (3, ""), (4, "No"))
    ]
    run = backfill(
        tmp_path,
        contacts=contacts,
        quotes=[
            document("quotes", 1, guid(1)),
            document("quotes", 2, guid(99)),
            document("quotes", 3, ""),
        ],
        salesorders=[
            document("salesorders", 9, guid(1)),
            document("salesorders", 4, guid(4), "account"),
        ],
        invoices=[document("invoices", 5, guid(3))],
    )
    plan = plan_of(run)
    assert {n: plan[guid(n)]["active_after"] for n in (1, 2, 3, 4)} == {
        1: True,
        2: True,
        3: True,
        4: False,
    }
    row = plan[guid(1)]
    assert (row["quotes"], row["orders"], row["invoices"], row["document"]) == (1, 1, 0, "D-1")
    assert row["first_activity"] < row["last_activity"]
    assert codes(run) == {
        "activity_of_account": 1,
        "activity_of_missing": 1,
        "activity_of_nobody": 1,
        "flag_without_activity": 1,
    }


def test_settings_narrow_documents_and_settle_blanks_and_company_flags(tmp_path: Path) -> None:
    contacts = [
        contact(1, msdynce_contactnumber="CON-00001-AAAAAA", msdynce_isactivecustomer=""),
        contact(
            2,
            msdynce_contactnumber="CON-00002-AAAAAA",
            msdynce_isactivecustomer="No",
            parentcustomerid=guid(70),
            parentcustomeridtype="account",
            msdynce_iscompanyanaccount="No",
        ),
    ]
    quotes = [document("quotes", 1, guid(2), statecode=3)]
    plain = plan_of(backfill(tmp_path / "a", contacts=contacts, quotes=quotes))
    assert [plain[guid(n)]["action"] for n in (1, 2)] == ["none", "activate"]
    given_settings = (
        "backfill.statuses=0,1",
        "backfill.null_to_no=true",
        "backfill.fix_company_flag=true",
    )
    narrowed = plan_of(backfill(tmp_path / "b", *given_settings, contacts=contacts, quotes=quotes))
    assert [narrowed[guid(n)]["action"] for n in (1, 2)] == ["activate", "other"]
    assert narrowed[guid(1)]["active_after"] is False
    assert narrowed[guid(2)]["company_flag_after"] is True


@pytest.mark.parametrize(
    ("counters", "code", "first"),
    [
        ([], "counter_missing", "CON-01000"),
        ([counter(), counter(msdynce_p2cautonumberid=guid(2))], "counter_repeated", None),
        ([counter(msdynce_numbersequence=5)], "counter_behind", "CON-00008"),
        (
            [
                counter(),
                counter(
                    msdynce_p2cautonumberid=guid(2),
                    msdynce_entityname="account",
                    msdynce_numbersequence=3000,
                ),
            ],
            "counter_prefix_shared",
            "CON-03000",
        ),
        ([counter(msdynce_prefix="")], "counter_unreadable", None),
    ],
)
def test_a_counter_that_is_not_as_it_should_be(
    tmp_path: Path, counters: list[dict[str, object]], code: str, first: str | None
) -> None:
    contacts = [
        contact(1),
        contact(2, msdynce_contactnumber="con-00007-xyz"),
        contact(3, msdynce_contactnumber="KD 12"),
    ]
    run = backfill(tmp_path, contacts=contacts, msdynce_p2cautonumbers=counters)
    assert codes(run)[code] == (2 if code == "counter_repeated" else 1)
    assert codes(run)["contact_number_malformed"] == 2
    assert (plan_of(run)[guid(1)]["number_after"] or "")[:9] == (first or "")


def test_numbers_that_would_be_too_long_stop_the_run_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigurationError, match="20 characters"):
        backfill(
            tmp_path,
            contacts=[contact(1)],
            msdynce_p2cautonumbers=[counter(msdynce_prefix="CONTACTS", msdynce_suffixlength=12)],
        )
    assert not list((tmp_path / "runs").glob("2*"))


def test_limit_and_filter_leave_the_others_alone(tmp_path: Path) -> None:
    contacts = [contact(n) for n in (1, 2, 3)]
    run = backfill(
        tmp_path,
        "source.filter=versionnumber > 1",
        request=PlanRequest(limit=1, command="backfill"),
        contacts=contacts,
    )
    assert {n: plan_of(run)[guid(n)]["action"] for n in (1, 2, 3)} == {
        1: "none",
        2: "number",
        3: "none",
    }


def test_applied_it_leaves_files_to_import_counter_first_the_same_each_time(tmp_path: Path) -> None:
    contacts = [
        contact(1, msdynce_isactivecustomer="No"),
        contact(2),
        contact(3, msdynce_contactnumber="CON-00002-AAAAAA"),
    ]
    run = backfill(
        tmp_path,
        contacts=contacts,
        quotes=[document("quotes", 1, guid(1)), document("quotes", 2, guid(3))],
    )
    project = load_project(None, source=tmp_path, assignments=())
    facts = apply_plan(run, lambda: project, lambda: NOW, report_nothing)
    assert (facts.outcomes["written"], facts.outcomes["pending"]) == (3, 0)
    files = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((run.path / "import").iterdir())
    }
    assert (
        files["1-msdynce_p2cautonumbers.csv"]
        == f"msdynce_p2cautonumberid,msdynce_numbersequence\n{guid(1)},1002\n"
    )
    assert list(files)[1:4] == [
        "2-contacts-number.csv",
        "3-contacts-number-and-flag.csv",
        "4-contacts-flag.csv",
    ]
    assert files["4-contacts-flag.csv"] == f"contactid,msdynce_isactivecustomer\n{guid(3)},Yes\n"
    assert files["README.txt"].count("\n") == 3
    assert verify_folder(run).exit_code == 0
    again = backfill(
        tmp_path / "again",
        contacts=contacts,
        quotes=[document("quotes", 1, guid(1)), document("quotes", 2, guid(3))],
    )
    apply_plan(
        again,
        lambda: load_project(None, source=tmp_path / "again", assignments=()),
        lambda: NOW,
        report_nothing,
    )
    assert {
        path.name: path.read_text(encoding="utf-8") for path in (again.path / "import").iterdir()
    } == files
    (run.path / "import" / "4-contacts-flag.csv").write_text("contactid\n", encoding="utf-8")
    assert verify_folder(run).altered


numbers = st.sampled_from(
    ["", "", "CON-01003-AAAAAA", "con-01500-bbbbbb", "K-7", "CON-99-", "ACC-01000-ABCDEF"]
)
flags = st.sampled_from(["", "Yes", "No"])


@settings(max_examples=6)
@given(rows=st.lists(st.tuples(numbers, flags, st.booleans()), min_size=5, max_size=60))
def test_no_number_twice_and_nothing_that_is_there_changes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool]]
) -> None:
    contacts = [
        contact(n, msdynce_contactnumber=number, msdynce_isactivecustomer=flag)
        for n, (number, flag, _) in enumerate(rows)
    ]
    quotes = [
        document("quotes", n, guid(n)) for n, (_, _, bought) in enumerate(rows) if bought
    ] or [document("quotes", 0, "")]
    home = tmp_path_factory.mktemp("backfill")
    plan = plan_of(backfill(home / "a", "run.morsel_rows=7", contacts=contacts, quotes=quotes))
    again = plan_of(backfill(home / "b", contacts=contacts[::-1], quotes=quotes))
    assert plan == again
    assert sorted(row["rank"] for row in plan.values() if row["rank"] is not None) == list(
        range(sum(not number for number, _, _ in rows))
    )
    new = [row["number_after"].upper() for row in plan.values() if row["rank"] is not None]
    assert len({*new, *(number.upper() for number, _, _ in rows)}) == len(new) + len(
        {number.upper() for number, _, _ in rows}
    )
    for n, (number, flag, bought) in enumerate(rows):
        row = plan[guid(n)]
        assert not number or row["number_after"] == number
        assert row["active_after"] is (
            True if bought or flag == "Yes" else {"No": False, "": None}[flag]
        )


def test_only_the_last_state_of_a_document_counts_and_none_that_was_deleted(tmp_path: Path) -> None:
    def quote(number: int, of: str, version: int, **columns: object) -> dict[str, object]:
        marks = {"versionnumber": version, "IsDelete": "", **columns}
        return {**document("quotes", number, of), **marks}

    contacts = [contact(n, msdynce_isactivecustomer="No") for n in (1, 2, 3)]
    run = backfill(
        tmp_path,
        contacts=contacts,
        quotes=[
            quote(1, guid(1), 1),
            quote(1, guid(2), 3),
            quote(1, guid(2), 2),
            quote(2, guid(3), 4),
            quote(2, "", 5, IsDelete="True"),
        ],
    )
    plan = plan_of(run)
    assert [plan[guid(n)]["active_after"] for n in (1, 2, 3)] == [False, True, False]
    assert plan[guid(2)]["quotes"] == 1
    assert codes(run) == {}


def test_a_deletion_without_an_id_is_no_contact_and_is_said(tmp_path: Path) -> None:
    rows = [contact(1, IsDelete=""), contact(2, contactid="", IsDelete="True")]
    run = backfill(tmp_path, contacts=rows)
    assert list(plan_of(run)) == [guid(1)]
    assert codes(run) == {"row_unreadable": 1}
    (rows_equation, *_) = read_json(run.summary)["equations"]
    assert rows_equation["terms"] == {
        "contacts": 1, "superseded": 0, "deleted": 0, "unreadable": 1,
    }  # fmt: skip
    found = pl.read_parquet(run.findings).filter(pl.col("code") == "row_unreadable")
    assert found["source_line"].to_list() == [3]


def test_what_is_archived_gets_no_number(tmp_path: Path) -> None:
    rows = [contact(1, msft_datastate=1), contact(2, msft_datastate=0)]
    plan = plan_of(backfill(tmp_path, contacts=rows))
    assert [plan[guid(n)]["action"] for n in (1, 2)] == ["none", "number"]


def test_only_the_last_state_of_the_counter_counts(tmp_path: Path) -> None:
    counters = [
        counter(msdynce_numbersequence=2000, versionnumber=9),
        counter(msdynce_numbersequence=1000, versionnumber=8),
    ]
    run = backfill(tmp_path, contacts=[contact(1)], msdynce_p2cautonumbers=counters)
    assert plan_of(run)[guid(1)]["number_after"][:9] == "CON-02000"
    assert codes(run) == {}


def test_a_company_that_is_a_name_decides_the_flag_where_it_is_certain(tmp_path: Path) -> None:
    rows = [
        contact(n, parentcustomerid=company, msdynce_iscompanyanaccount="No")
        for n, company in enumerate(("Litware", "Nobody"), start=1)
    ]
    accounts: list[dict[str, object]] = [
        {"accountid": guid(70), "accountnumber": "ACC-1", "name": "litware"}
    ]
    run = backfill(tmp_path, "backfill.fix_company_flag=true", contacts=rows, accounts=accounts)
    plan = plan_of(run)
    assert [plan[guid(n)]["company_flag_after"] for n in (1, 2)] == [True, False]
    assert codes(run) == {"flag_company_disagrees": 1}
