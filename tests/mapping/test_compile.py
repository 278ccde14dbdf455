"""A row's way: trim → country → value map → default if still blank → length.

Values go in, values and problems come out.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline.mapping.compile import CompiledTemplate, MappedMorsel, compile_template
from pipeline.mapping.paths import name_text_column
from pipeline.project.resolve import make_bare_project
from schemas.catalogue import DECIMAL

SETTINGS: dict[str, str | None] = {"destination.currency": "EUR", "destination.country": None}


def mapping(task: str, column: str, *, keep_breaks: bool = False, **keys: Any) -> CompiledTemplate:
    """The compiled template of a project that says ``keys`` of one column."""
    project = make_bare_project(
        {"tasks": {task: {"fields": {column: keys}}}} if keys else {}, "test"
    )
    return compile_template(
        project.templates[task], SETTINGS, countries={"dtl": "DE"}, keep_breaks=keep_breaks
    )


def mapped(to: CompiledTemplate, **sources: list[str | None]) -> MappedMorsel:
    """What becomes of a morsel; sources that are not named are blank."""
    height = len(next(iter(sources.values())))
    columns = {
        name_text_column(name): sources.get(name.replace(".", "_"), [None] * height)
        for name in to.sources
    }
    return to.apply(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))


def result(
    to: CompiledTemplate, column: str, **sources: list[str | None]
) -> tuple[list[Any], list[tuple[int, str, str]]]:
    """One destination column, and the problems that name it: row, code, value."""
    out = mapped(to, **sources)
    wrong = out.problems.filter(pl.col("destination") == column).select("row", "code", "value")
    return out.frame[column].to_list(), wrong.rows()


def test_what_is_copied_is_trimmed_and_blank_is_null() -> None:
    values, wrong = result(
        mapping("Contacts", "FirstName"),
        "FirstName",
        firstname=[" Ada\u3000", "\u00a0\t", "", None],
    )
    assert values == ["Ada", None, None, None]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "value"),
    [("1", "Male"), (" 2 ", "Female"), ("", "Unknown"), (None, "Unknown"), ("\t", "Unknown")],
)
def test_the_shipped_genders(source: str | None, value: str) -> None:
    assert result(mapping("Contacts", "Gender"), "Gender", gendercode=[source]) == ([value], [])


def test_an_unknown_value_is_rejected_passed_or_defaulted_as_the_project_says() -> None:
    rejecting = mapping("Contacts", "Gender")
    assert result(rejecting, "Gender", gendercode=["9"]) == ([None], [(0, "value_not_mapped", "9")])
    passing = mapping("Contacts", "Gender", on_unknown="pass")
    assert result(passing, "Gender", gendercode=["NonSpecific"]) == (["NonSpecific"], [])
    defaulting = mapping("Contacts", "Gender", on_unknown="default", default="Unknown")
    assert result(defaulting, "Gender", gendercode=["9", "1"]) == (["Unknown", "Male"], [])


def test_a_default_serves_blanks_and_never_the_unknown() -> None:
    to = mapping("Contacts", "Gender", value_map={"1": "Male"}, default="Female")
    assert result(to, "Gender", gendercode=[None, "9"]) == (
        ["Female", None],
        [(1, "value_not_mapped", "9")],
    )


def test_a_value_map_that_maps_to_blank_gives_way_to_the_default() -> None:
    to = mapping(
        "Contacts", "Notes", value_map={"n/a": "", "": "nothing"}, on_unknown="pass", default="none"
    )
    assert result(to, "Notes", description=["N/A", "", "more"]) == (["none", "nothing", "more"], [])


def test_keys_match_after_trim_and_casefold_and_as_the_column_is_read() -> None:
    to = mapping("Contacts", "Notes", value_map={" STRASSE ": "street"})
    assert result(to, "Notes", description=["straße", "Strasse"])[0] == ["street", "street"]
    flags = mapping("Contacts", "IsReceivingDirectMail", value_map={"Yes": "No", "0": "Yes"})
    assert result(flags, "IsReceivingDirectMail", donotemail=["true", "false"])[0] == ["No", "Yes"]
    labels = mapping("Contacts", "Gender", value_map={"male": "Male"})
    assert result(labels, "Gender", gendercode=["1"])[0] == ["Male"]


@pytest.mark.parametrize(
    ("source", "value", "problem"),
    [
        ("Deutschland", "DE", None), (" usa ", "US", None), ("UK", "GB", None), ("Dtl", "DE", None),
        ("Narnia", None, "country_unknown"), ("Congo", None, "country_unknown"), ("", None, None),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_exact_name(
    source: str, value: str | None, problem: str | None
) -> None:
    column = "PrimaryAddressCountryRegionISOCode"
    wrong = [(0, problem, source)] if problem else []
    assert result(mapping("Contacts", column), column, address1_country=[source]) == (
        [value],
        wrong,
    )


def test_after_country_the_value_map_sees_the_code() -> None:
    to = mapping(
        "ContactToCustomer",
        "SiteId",
        source="address1_country",
        country=True,
        value_map={"DE": "2", "dk": "3"},
        default="1",
    )
    values, wrong = result(
        to, "SiteId", address1_country=["Germany", "Danmark", "", "France", "Narnia"]
    )
    assert values == ["2", "3", "1", None, None]
    assert wrong == [(3, "value_not_mapped", "France"), (4, "country_unknown", "Narnia")]


def test_a_state_belongs_to_the_country_of_its_row() -> None:
    to = mapping("ContactToCustomer", "AddressState", state=True)
    values, wrong = result(
        to,
        "AddressState",
        address1_stateorprovince=["Washington", "Washington", "by", None],
        address1_country=["US", "Deutschland", "DE", "DE"],
    )
    assert values == ["WA", None, "BY", None]
    assert wrong == [(1, "state_unknown", "Washington")]


def test_a_default_from_a_setting_is_counted() -> None:
    to = mapping("ContactToCustomer", "SalesCurrencyCode")
    out = mapped(to, transactioncurrencyid_isocurrencycode=["DKK", None, " "])
    assert out.frame["SalesCurrencyCode"].to_list() == ["DKK", "EUR", "EUR"]
    assert out.defaulted["SalesCurrencyCode"].sum() == 2


@pytest.mark.parametrize(
    ("policy", "value", "code"),
    [("truncate", "x" * 25, "truncated"), ("blank", None, "blanked"), ("reject", "x" * 26, None)],
)
def test_what_is_too_long_is_cut_blanked_or_left_to_the_contract(
    policy: str, value: str | None, code: str | None
) -> None:
    to = mapping("Contacts", "FirstName", on_too_long=policy)
    wrong = [(1, code, "x" * 26)] if code else []
    assert result(to, "FirstName", firstname=["x" * 25, "x" * 26]) == (["x" * 25, value], wrong)


def test_length_counts_utf16_and_never_cuts_a_pair() -> None:
    to = mapping("Contacts", "FirstName", on_too_long="truncate", max_length=3)
    assert result(to, "FirstName", firstname=["ab😀", "a😀b"])[0] == ["ab", "a😀"]


def test_a_project_may_allow_more_than_the_catalogue() -> None:
    to = mapping("Contacts", "EmploymentDepartment", max_length=60)
    assert result(to, "EmploymentDepartment", department=["x" * 60]) == (["x" * 60], [])


def test_line_breaks_become_one_space_in_packages_and_stay_otherwise() -> None:
    text = "first\r\n\tsecond"
    assert result(mapping("Contacts", "Notes"), "Notes", description=[text]) == (
        ["first second"],
        [(0, "line_break_replaced", text)],
    )
    assert result(mapping("Contacts", "Notes", keep_breaks=True), "Notes", description=[text]) == (
        [text],
        [],
    )


@pytest.mark.parametrize(
    ("source", "value", "problem"),
    [
        ("7000.0000", "7000.000000", None),
        ("-1", "-1.000000", None),
        ("1,5", None, "value_invalid"),
        ("1e3", None, "value_invalid"),
    ],
)
def test_amounts_are_decimals_with_a_point(
    source: str, value: str | None, problem: str | None
) -> None:
    out = mapped(mapping("ContactToCustomer", "CreditLimit"), creditlimit=[source])
    assert out.frame.schema["CreditLimit"] == DECIMAL
    assert [None if one is None else str(one) for one in out.frame["CreditLimit"]] == [value]
    assert out.problems["code"].to_list() == ([problem] if problem else [])


def test_usage_tells_each_value_its_key_and_its_problem() -> None:
    out = mapped(mapping("Contacts", "Gender"), gendercode=["1", "1", None, "9"])
    usage = next(one for one in out.usage if one.destination == "Gender").values
    assert sorted(usage, key=str) == [
        ("1", "1", None, 2),
        ("9", None, "value_not_mapped", 1),
        (None, "", None, 1),
    ]


@pytest.mark.parametrize("task", ["Contacts", "ContactToCustomer"])
def test_no_rows_give_all_columns_in_the_order_of_the_page(task: str) -> None:
    to = mapping(task, "")
    out = mapped(to, firstname=[])
    assert out.frame.columns == list(to.columns)
    assert out.frame.height == out.problems.height == 0


def test_rows_keep_their_order_and_numbers() -> None:
    names: list[str | None] = [f"Name {place}" for place in range(500)]
    genders: list[str | None] = ["9" if place % 100 == 7 else "1" for place in range(500)]
    out = mapped(mapping("Contacts", "Gender"), firstname=names, gendercode=genders)
    assert out.frame["FirstName"].to_list() == names
    assert out.problems["row"].to_list() == [7, 107, 207, 307, 407]
