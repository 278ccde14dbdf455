"""SCM's messages in plain words: every pattern has its example, its code, and something to do."""

from __future__ import annotations

import pytest

from pipeline.scm.messages import OTHER, clean_messages, explain_messages, load_patterns
from schemas.codes import Severity, load_codes

EXAMPLES = {
    (
        "Results. The value 'XX' in field 'Customer group' is not found in the related table "
        "'Customer groups'."
    ): "refused_reference",
    (
        "The value 'A' in field 'Associated party number' is not found in the related table "
        "'Parties'."
    ): "refused_reference",
    "The value '77' in the field 'Site' does not exist.": "refused_reference",
    "Matching record with key 'Field1': 1, 'Field2': 2 does not exist": "refused_reference",
    "Field 'First name' must be filled in.": "refused_mandatory",
    "The value of field 'Name' is longer than its 25 characters.": "refused_too_long",
    (
        "DMF2018: Column 'PERSONLASTNAME' has invalid data: the text is longer than 25 characters."
    ): "refused_too_long",
    "DMF2018: Column 'GENDER' has invalid data: the value is not a symbol of Gender.": (
        "refused_value"
    ),
    "DMF2016: Column 'ADDRESSVALIDTO' has an invalid datetime value.": "refused_value",
    "The value 'x' is not valid for field 'Party type'.": "refused_value",
    (
        "Cannot convert a value of property 'CreditLimit' to the expected target type "
        "'Edm.Decimal'."
    ): "refused_value",
    (
        "Cannot create a record in Customers (CustTable). Customer account: C-1.\nThe record "
        "already exists."
    ): "refused_exists",
    "DMF1959: Multiple rows have the same key column values: C-1.": "refused_repeated",
    (
        "Party number 'C-1' already belongs to customer account 'A-1' of company 'usmf'."
    ): "refused_party",
    "Field 'Party number' cannot be changed.": "refused_fixed",
    (
        "The property 'Siteid' does not exist on type 'Microsoft.Dynamics.DataEntities.CustomerV2'."
    ): "refused_mapping",
    "The mapping is incorrect for entity Customers V2 and field {4F}.": "refused_mapping",
    "Entity Dataverse Contacts does not exist in the target environment": "refused_mapping",
    "Selected file is not Unicode": "refused_format",
    "DMF1996: A deadlock.": "refused_conflict",
    (
        "DMF2025: A column was not found in the input file. Execution 'x' is under way; concurrent "
        "calls"
    ): "refused_conflict",
    "You are not authorized to write to CustTable.": "refused_access",
    "Number sequence Cust_1 has been exceeded.": "refused_sequence",
    (
        "Resource not found for the segment 'CustomersV2'. No row has the key dataAreaId='usmf'."
    ): "gone_from_scm",
    "validateWrite failed on data source 'CustTable (CustTable)'": "refused_rule",
}


@pytest.mark.parametrize(("text", "code"), EXAMPLES.items())
def test_a_message_has_its_code_and_says_what_to_do(text: str, code: str) -> None:
    found = explain_messages([text])
    assert found.code == code
    plain, _, said = found.text.partition(" SCM said: ")
    assert said == clean_messages([text])
    assert plain.endswith(".")
    assert "{" not in plain
    assert "'XX'" not in plain


def test_every_pattern_has_an_example() -> None:
    met = {
        next(
            one.expression.pattern
            for one in load_patterns()
            if one.expression.search(clean_messages([text]))
        )
        for text in EXAMPLES
    }
    assert met == {one.expression.pattern for one in load_patterns()}


def test_every_code_is_in_the_catalogue_as_an_error() -> None:
    codes = {one.code for one in load_patterns()} | {OTHER}
    assert {load_codes()[code].severity for code in codes} == {Severity.ERROR}


def test_the_odata_form_of_a_message_means_the_same() -> None:
    text = (
        "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Warning: The value "
        "'XX' in field 'Customer group' is not found in the related table 'Customer groups'.; "
        "Warning: validateField failed on field "
        "'CustCustomerV3Entity.CustomerGroupId'."
    )
    found = explain_messages([text])
    assert found.code == "refused_reference"
    assert found.text.startswith(
        "Customer group: Customer groups in SCM has no such value. Create it in Customer groups"
    )


def test_several_messages_of_one_row_appear_once_each() -> None:
    found = explain_messages(
        [
            "Results. Field 'A' must be filled in.",
            "Results. Field 'A' must be filled in. ",
            "Something else.",
        ]
    )
    assert found.text.endswith("SCM said: Field 'A' must be filled in. | Something else.")


def test_an_unknown_message_is_kept_and_silence_is_reported() -> None:
    assert (
        explain_messages(["Chart of accounts invalid: 0"]).text
        == "SCM said: Chart of accounts invalid: 0"
    )
    assert (explain_messages([]).code, explain_messages([], "staging_failed").code) == (
        OTHER,
        "staging_failed",
    )
    assert explain_messages([" "]).text == "SCM gave no message."


def test_what_passes_by_itself_is_sent_again() -> None:
    assert [
        one.later
        for one in map(
            explain_messages, (["deadlock"], ["still executing"], ["Field 'A' must be filled in."])
        )
    ] == [
        True,
        True,
        False,
    ]
