from __future__ import annotations

import codecs
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.sandbox.scm.switches import CODE_PAGES, Switches
from tests.sandbox.scm.dmf.test_importing import accounts, details, errors, order, run, status
from tests.scenes.handmade import (
    CURRENCIES,
    CUSTOMER_COLUMNS,
    NAMESPACE,
    Data,
    Made,
    customers,
    utf16,
)
from tests.scenes.scm_caller import Caller

GOOD = "C-{0},Person,Name {0},10,USD,100"
QUOTED = '"C-{0}","Person","{1}","10","USD",100'


@pytest.fixture(scope="module")
def scm() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


@pytest.fixture
def fresh() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def refusal(scm: Caller, package: Made | bytes) -> str:
    return scm.refused("ImportFromPackage", **order(scm, package))


def failure(scm: Caller, data: Data) -> str:
    """The message with which a whole file fails in staging."""
    execution = run(scm, data)
    assert status(scm, execution) == "Failed"
    (detail,) = details(scm, execution)
    assert (
        detail["StagingStatus"],
        detail["TargetStatus"],
        detail["StagingRecordsCreatedCount"],
    ) == ("Error", "NotRun", 0)
    (error,) = errors(scm, execution)
    assert (error["RecordId"], error["Field"]) == ("", "")
    return error["ErrorMessage"]


def row_errors(scm: Caller, data: Data) -> list[str]:
    execution = run(scm, data)
    return [error["ErrorMessage"] for error in errors(scm, execution)]


def changed(made: Made, old: str, new: str) -> Made:
    return dataclasses.replace(made, manifest=made.manifest_xml().replace(old, new))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_both_encodings_of_the_xml_are_read(scm: Caller, encoding: str) -> None:
    assert status(scm, run(scm, Made(entities=[CURRENCIES], encoding=encoding))) == "Succeeded"


def test_without_a_map_an_import_succeeds_with_0_rows(fresh: Caller) -> None:
    execution = run(fresh, customers(GOOD.format(1), mapped=False))
    assert status(fresh, execution) == "Succeeded"
    (detail,) = details(fresh, execution)
    assert (detail["StagingRecordsCreatedCount"], detail["TargetRecordsCreatedCount"]) == (0, 0)
    assert (accounts(fresh), errors(fresh, execution)) == ([], [])


MADE = Made(entities=[CURRENCIES])


@pytest.mark.parametrize(
    ("package", "words"),
    [
        (b"PK", "not a zip file"),
        (dataclasses.replace(MADE, without=["Manifest.xml"]), "Manifest.xml was not found"),
        (
            dataclasses.replace(MADE, without=["PackageHeader.xml"]),
            "PackageHeader.xml was not found",
        ),
        (
            dataclasses.replace(MADE, without=["Currencies.csv"]),
            "File 'Currencies.csv' of entity 'Currencies' was not found",
        ),
        (dataclasses.replace(MADE, manifest="<open>"), "Manifest.xml: it is not well-formed"),
        (
            dataclasses.replace(MADE, header="<!DOCTYPE x><x/>"),
            "PackageHeader.xml: it is not well-formed",
        ),
        (dataclasses.replace(MADE, namespace=NAMESPACE.upper()), f"from namespace '{NAMESPACE}'"),
        (
            changed(MADE, "DataManagementPackageManifest", "Manifest"),
            "Expecting element 'DataManagementPackageManifest'",
        ),
        (
            dataclasses.replace(MADE, header=MADE.header_xml().replace(">2<", ">3<")),
            "PackageVersion is '3'",
        ),
        (
            dataclasses.replace(
                MADE, header=MADE.header_xml().replace("DefinitionGroup<", "Other<")
            ),
            "PackageType is 'Other'",
        ),
        (
            dataclasses.replace(
                MADE, header=MADE.header_xml().replace("DataManagement.Ser", "DataManagement.Des")
            ),
            "ManifestType is",
        ),
        (
            changed(MADE, ">Currencies<", ">Currency<"),
            "Entity Currency does not exist in the target environment",
        ),
        (
            changed(MADE, ">Currencies<", ">CurrencyEntity<"),
            "Entity CurrencyEntity does not exist in the target environment",
        ),
        (
            changed(MADE, "<TargetEntity></", "<TargetEntity>CustTable</"),
            "Entity Currencies does not exist",
        ),
        (
            changed(MADE, ">CSV-Unicode<", ">CSV-Nonsense<"),
            "Source data format 'CSV-Nonsense' does not exist",
        ),
        (
            changed(MADE, "<EntityField>SYMBOL<", "<EntityField>Symbol<"),
            "The mapping is incorrect for entity Currencies and field Symbol",
        ),
        (
            changed(MADE, "<ExecutionUnit>1<", "<ExecutionUnit>one<"),
            "ExecutionUnit is 'one', not a number",
        ),
    ],
)
def test_a_package_that_breaks_a_rule_is_refused_whole(
    scm: Caller, package: Made | bytes, words: str
) -> None:
    before = len(scm.get("/data/DataManagementExecutionJobs")["value"])
    assert words in refusal(scm, package)
    assert len(scm.get("/data/DataManagementExecutionJobs")["value"]) == before


def test_row_ends_must_be_crlf_and_the_message_misleads(scm: Caller) -> None:
    data = dataclasses.replace(CURRENCIES, text=CURRENCIES.text.replace("\r\n", "\n"))
    message = refusal(scm, Made(entities=[data]))
    assert "The mapping is incorrect for entity Currencies and field {" in message


def test_children_out_of_alphabetical_order_are_lost(fresh: Caller) -> None:
    made = Made(entities=[customers(GOOD.format(1))])
    text = made.manifest_xml()
    name = "<EntityName>Customers V2</EntityName>"
    moved = text.replace(name, "").replace("<EntityMapList>", f"{name}<EntityMapList>")
    execution = run(fresh, dataclasses.replace(made, manifest=moved))
    assert (status(fresh, execution), accounts(fresh)) == ("Succeeded", [])


def test_the_two_xml_files_are_found_in_any_case_and_may_name_the_target(scm: Caller) -> None:
    made = Made(
        entities=[dataclasses.replace(CURRENCIES, target="CurrencyEntity", file="CURRENCIES.CSV")]
    )
    assert status(scm, run(scm, changed(made, "CURRENCIES.CSV", "currencies.csv"))) == "Succeeded"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            dataclasses.replace(CURRENCIES, content=CURRENCIES.text.encode()),
            "Selected file is not Unicode",
        ),
        (
            dataclasses.replace(CURRENCIES, content=codecs.BOM_UTF8 + CURRENCIES.text.encode()),
            "Selected file is not Unicode",
        ),
        (
            dataclasses.replace(CURRENCIES, content=CURRENCIES.text.encode("utf-16-le")),
            "Selected file is not Unicode",
        ),
        (dataclasses.replace(CURRENCIES, content=utf16(CURRENCIES.text) + b"\x00"), "DMF2018"),
        (dataclasses.replace(CURRENCIES, text=CURRENCIES.text.replace(",", ";")), "DMF1999"),
        (
            dataclasses.replace(CURRENCIES, text=CURRENCIES.text.replace("SYMBOL", "Symbol")),
            "DMF2025: Column 'SYMBOL'",
        ),
        (
            dataclasses.replace(
                CURRENCIES, text=CURRENCIES.text.replace(",SYMBOL", ",SYMBOL,MORE")
            ),
            "DMF2022: Column 'MORE'",
        ),
        (dataclasses.replace(CURRENCIES, source_format="EXCEL"), "DMF040"),
        (dataclasses.replace(CURRENCIES, source_format="XML-Element"), "DMF1830"),
        (customers(GOOD.format(1), GOOD.format(2), GOOD.format(1).lower()), "DMF1959"),
    ],
)
def test_a_file_that_cannot_be_staged_fails_whole(scm: Caller, data: Data, words: str) -> None:
    assert words in failure(scm, data)


def test_called_without_waiting_the_same_failures_show_in_the_execution(scm: Caller) -> None:
    made = dataclasses.replace(MADE, without=["Currencies.csv"])
    execution = run(scm, made, "ImportFromPackageAsync")
    assert status(scm, execution) == "Failed"
    assert "DMF043: File 'Currencies.csv'" in errors(scm, execution)[0]["ErrorMessage"]


def test_a_header_without_rows_is_a_success_with_0_rows(scm: Caller) -> None:
    execution = run(scm, dataclasses.replace(CURRENCIES, text="CURRENCYCODE,NAME,SYMBOL\r\n"))
    assert (
        status(scm, execution),
        details(scm, execution)[0]["StagingRecordsToBeProcessedCount"],
    ) == ("Succeeded", 0)


def test_a_switch_lets_the_first_of_equal_keys_through() -> None:
    with Caller(Switches(duplicates_in_file="row")) as scm:
        execution = run(scm, customers(GOOD.format(1), GOOD.format(1), GOOD.format(2)))
        assert accounts(scm) == ["C-1", "C-2"]
        assert [error["RecordId"] for error in errors(scm, execution)] == ["C-1"]


# cells


def names_of(scm: Caller) -> list[str]:
    return [
        row["PersonLastName"]
        for row in scm.get("/data/CustomersV2?$orderby=CustomerAccount")["value"]
    ]


def test_quotes_belong_to_the_text_unless_the_mapping_calls_them_qualifiers(fresh: Caller) -> None:
    texts = ['O""Hara, Jr.', "Ærø", "山田"]
    qualified = customers(
        *(QUOTED.format(number, text) for number, text in enumerate(texts)), qualifier=True
    )
    assert status(fresh, run(fresh, qualified)) == "Succeeded"
    assert names_of(fresh) == ['O"Hara, Jr.', "Ærø", "山田"]
    plain = customers('C-9,Person,"N",10,USD,1')
    run(fresh, plain)
    assert names_of(fresh)[-1] == '"N"'


def test_some_columns_may_be_quoted_and_others_not(fresh: Caller) -> None:
    only = [name for name in CUSTOMER_COLUMNS if name != "SALESCURRENCYCODE"]
    data = customers(
        '"C-1",Person,"A, ""B""",10,USD,1', '"C-2","Person","B",10,"USD",1', qualifier=only
    )
    assert row_errors(fresh, data) == [
        (
            "DMF2018: Column 'SALESCURRENCYCODE' has invalid data: the text is longer than 3 "
            "characters."
        )
    ]
    assert names_of(fresh) == ['A, "B"']


@pytest.mark.parametrize("qualifier", [True, ["CUSTOMERACCOUNT", "PERSONLASTNAME"]])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"C-1,Person,N,10,USD,1', "qualifier is not closed"),
        ('"C-1"x,Person,N,10,USD,1', "qualifier is not closed or not doubled"),
        ("C-1,Person,N,10,USD", "The row has 5 values, the header 6."),
        ("C-1,Person,N,10,USD,1,2", "The row has 7 values, the header 6."),
        ('"C-1",Person,"a\r\nb",10,USD,1', "DMF2018"),
    ],
)
def test_rows_that_fall_apart_fail_alone(line: str, words: str, qualifier: Any) -> None:
    with Caller() as scm:
        messages = row_errors(scm, customers(line, GOOD.format(2), qualifier=qualifier))
        assert words in messages[0]
        assert accounts(scm) == ["C-2"]


TYPED = ["CUSTOMERACCOUNT", "CUSTOMERGROUPID", "SALESCURRENCYCODE", "PARTYTYPE", "PERSONLASTNAME"]


def with_cell(column: str, value: str) -> Data:
    return customers(f"C-1,10,USD,Person,N,{value}", columns=[*TYPED, column])


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("PersonGender", "Female", "Female"),
        ("PersonGender", "", "Unknown"),
        ("CreditLimit", "1234.5", 1234.5),
        ("CreditLimit", "-0.000001", -0.000001),
        ("OrganizationNumberOfEmployees", "12", 12),
        ("AddressValidTo", "2154-12-31T23:59:59Z", "2154-12-31T23:59:59Z"),
        ("AddressValidTo", "2154-12-31", "2154-12-31T00:00:00Z"),
        ("AddressValidTo", "12/31/2154 23:59", "2154-12-31T23:59:00Z"),
        ("AddressValidTo", "8/25/2020 1:03:04 PM", "2020-08-25T13:03:04Z"),
        ("KnownAs", "trailing  ", "trailing"),
        ("KnownAs", "😀" * 50, "😀" * 50),
    ],
)
def test_cells_become_typed_values(column: str, value: str, kept: object) -> None:
    with Caller() as scm:
        assert row_errors(scm, with_cell(column.upper(), value)) == []
        assert scm.get("/data/CustomersV2")["value"][0][column] == kept


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("PERSONGENDER", "female", "not a symbol of Gender"),
        ("PERSONGENDER", "17", "not a symbol of Gender"),
        ("CREDITLIMIT", "1.234,5", "The row has 7 values"),
        ("CREDITLIMIT", "1e3", "not a number"),
        ("CREDITLIMIT", "€ 5", "not a number"),
        ("ORGANIZATIONNUMBEROFEMPLOYEES", "1.5", "not an integer"),
        ("ORGANIZATIONNUMBEROFEMPLOYEES", "3000000000", "too large"),
        ("ADDRESSVALIDTO", "31.12.2154", "DMF2016: Column 'ADDRESSVALIDTO'"),
        ("ADDRESSVALIDTO", "2154-13-31", "DMF2016"),
        ("ADDRESSVALIDTO", "2154-02-30T00:00:00Z", "DMF2016"),
        ("KNOWNAS", "x" * 101, "longer than 100 characters"),
        ("KNOWNAS", "😀" * 51, "longer than 100 characters"),
    ],
)
def test_cells_that_do_not_fit_stay_in_staging(
    scm: Caller, column: str, value: str, words: str
) -> None:
    (message,) = row_errors(scm, with_cell(column, value))
    assert words in message
    assert value not in message


def test_switches_take_enums_by_number_and_truncate() -> None:
    with Caller(Switches(enum_cells="any", too_long="truncate")) as scm:
        assert row_errors(scm, with_cell("PERSONGENDER", "2")) == []
        assert scm.get("/data/CustomersV2")["value"][0]["PersonGender"] == "Female"
        assert row_errors(scm, with_cell("KNOWNAS", "x" + "😀" * 60)) == []
        assert scm.get("/data/CustomersV2")["value"][0]["KnownAs"] == "x" + "😀" * 49


def test_other_source_data_formats_have_their_code_pages() -> None:
    with Caller(Switches(code_pages={**CODE_PAGES, "CSV-UTF8": 65001})) as scm:
        text = customers(GOOD.format(1).replace("Name", "Ærø")).text
        for source_format, content in (("CSV-UTF8", text.encode()), ("CSV", text.encode("cp1252"))):
            data = customers(source_format=source_format, content=content)
            assert row_errors(scm, data) == []
            assert names_of(scm) == ["Ærø 1"]
        bad = customers(source_format="CSV-UTF8", content=text.encode("cp1252"))
        assert "not valid in code page 65001" in failure(scm, bad)


@pytest.mark.parametrize(
    ("source_format", "text"),
    [
        (
            "XML-Element",
            (
                "<Document><C><CURRENCYCODE>XXB</CURRENCYCODE><NAME>Ærø &amp; "
                "Co</NAME><SYMBOL/></C></Document>"
            ),
        ),
        (
            "XML-Attribute",
            '<Document><C CURRENCYCODE="XXB" NAME="Ærø &amp; Co" SYMBOL="" /></Document>',
        ),
    ],
)
def test_xml_is_read_in_both_forms(scm: Caller, source_format: str, text: str) -> None:
    data = dataclasses.replace(
        CURRENCIES,
        source_format=source_format,
        content=codecs.BOM_UTF8 + text.encode(),
        file="C.xml",
    )
    assert row_errors(scm, data) == []
    row = scm.get("/data/Currencies('XXB')")
    assert (row["Name"], row["Symbol"]) == ("Ærø & Co", "")
