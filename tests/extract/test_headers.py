"""Spellings of columns, what is needed, and what is said when it is not there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SourceError
from pipeline.extract.headers import ColumnSelection
from schemas.sales import CONTACTS, TABLES
from schemas.scm import CUSTOMERS_EXPORT

NEEDED = [
    "contactid",
    "lastname",
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "parentcustomerid",
]
WANTED = ColumnSelection(table=CONTACTS)


def refused(headers: list[str], wanted: ColumnSelection = WANTED) -> str:
    with pytest.raises(SourceError) as caught:
        wanted.pick(headers, "x.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("_parentcustomerid_value", "parentcustomerid"),
        ("Company Name", "parentcustomerid"),
        (" PARENTCUSTOMERID\u00a0", "parentcustomerid"),
        (
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
            "parentcustomeridtype",
        ),
        ("parentcustomerid@Microsoft.Dynamics.CRM.lookuplogicalname", "parentcustomeridtype"),
        ("parentcustomerid_entitytype", "parentcustomeridtype"),
        ("parentcustomeridtype", "parentcustomeridtype"),
        ("(Do Not Modify) Contact", "contactid"),
        ("Is Active Customer", "msdynce_isactivecustomer"),
        ("Address 1: ZIP/Postal Code", "address1_postalcode"),
        ("_transactioncurrencyid_value", "transactioncurrencyid"),
        ("IsDelete", "isdelete"),
        ("\ufefflastname", "lastname"),
    ],
)
def test_a_column_is_known_by_every_spelling(header: str, column: str) -> None:
    others = [name for name in NEEDED if name != column]
    assert WANTED.pick([*others, header], "x.csv")[column] == (header,)


def test_all_labels_of_the_data_integrator_serve_as_headers() -> None:
    labelled = {field.label: field.name for field in CONTACTS.fields if field.label}
    assert {name: (header,) for header, name in labelled.items()} == WANTED.pick(
        list(labelled), "x.csv"
    )


@pytest.mark.parametrize(
    "table", [*TABLES.values(), CUSTOMERS_EXPORT], ids=lambda table: table.name
)
def test_no_spelling_means_two_columns(table: object) -> None:
    assert table in [*TABLES.values(), CUSTOMERS_EXPORT]
    fields = next(one for one in [*TABLES.values(), CUSTOMERS_EXPORT] if one is table).fields
    names = [
        name.casefold() for field in fields for name in (field.name, *field.names, *field.better)
    ]
    labels = [field.label.casefold() for field in fields if field.label]
    assert len(set(names)) == len(names)
    assert len(set(labels)) == len(labels)


def test_a_label_beside_a_name_is_an_extra_column() -> None:
    found = WANTED.pick([*NEEDED, "Last Name", "Contact Number", "anything"], "x.csv")
    assert found == {name: (name,) for name in NEEDED}


def test_several_names_of_one_column_are_all_read_the_best_one_first() -> None:
    headers = [*NEEDED, "_parentcustomerid_value", "modifiedon", "modifiedonutc"]
    found = WANTED.pick(headers, "x.csv")
    assert found["parentcustomerid"] == ("parentcustomerid", "_parentcustomerid_value")
    assert found["modifiedon"] == ("modifiedonutc", "modifiedon")


def test_a_column_twice_is_refused_with_its_places_known_or_not() -> None:
    assert "'lastname' is there 2 times, in columns 2, 6" in refused([*NEEDED, "LastName "])
    assert "'x' is there 3 times, in columns 1, 2, 8" in refused(["x", "X", *NEEDED, "x "])


def test_a_label_may_be_there_twice_where_the_name_is_there() -> None:
    headers = [*NEEDED, "Last Name", "Last Name"]
    assert WANTED.pick(headers, "x.csv")["lastname"] == ("lastname",)
    assert "'last name' is there 2 times" in refused([one for one in headers if one != "lastname"])


def test_columns_without_a_name_are_ignored_however_many() -> None:
    assert WANTED.pick([*NEEDED, "", " "], "x.csv") == {name: (name,) for name in NEEDED}


def test_all_that_is_missing_is_said_at_once_with_what_may_have_been_meant() -> None:
    told = refused(
        ["contact_id", "frstname", "CustomerNo", "Is Active Custommer", "parentcustomerid"]
    )
    assert "x.csv: there is no column contactid (Contact). Did you mean 'contact_id'?" in told
    assert (
        "none of the columns firstname, middlename, lastname; at least one is needed. Did you mean "
        "'frstname'?"
    ) in told
    assert "there is no column msdynce_contactnumber (Contact Number). Export this" in told
    assert (
        "msdynce_isactivecustomer (Is Active Customer). Did you mean 'Is Active Custommer'?" in told
    )
    assert "3 further problems" in told


def test_a_column_that_is_in_use_is_no_near_miss() -> None:
    told = refused([*NEEDED[:-1], "parentcustomeridtype"])
    assert told == (
        "x.csv: there is no column parentcustomerid (Company Name). Export this column as well."
    )


def test_columns_of_the_project_must_be_there_and_wished_ones_may() -> None:
    wanted = ColumnSelection(
        table=CONTACTS,
        extra=["new_site"],
        wished=["New_Site", "new_team", "LASTNAME", "source_line"],
    )
    assert wanted.pick([*NEEDED, "NEW_SITE"], "x.csv")["new_site"] == ("NEW_SITE",)
    assert wanted.pick([*NEEDED, "NEW_SITE", "new_team"], "x.csv")["new_team"] == ("new_team",)
    assert (
        "no column 'new_site', which the project's mapping uses. Did you mean 'newsite'?"
        in refused([*NEEDED, "newsite"], wanted)
    )
    assert len({name.casefold() for name in wanted.names}) == len(wanted.names)
    assert "source_line" not in wanted.names


@settings(deadline=None)
@given(
    headers=st.lists(
        st.sampled_from(
            [*NEEDED, "Last Name", "firstname", "_parentcustomerid_value", "x", "X", "", "Contact"]
        )
    )
)
def test_columns_are_picked_or_refused_whatever_the_header(headers: list[str]) -> None:
    try:
        found = WANTED.pick(headers, "x.csv")
    except SourceError:
        return
    used = [header for spellings in found.values() for header in spellings]
    assert set(used) <= set(headers)
    assert len(set(used)) == len(used)
