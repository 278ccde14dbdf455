"""SCM's messages in plain words: every pattern has its example, its code, and something to do."""

from __future__ import annotations

import pytest

from pipeline.scm.messages import FOREIGN, OTHER, explain_messages, load_patterns
from pipeline.scm.wording import clean_messages, fold_quotes
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
    "Aktualisierungskonflikt: Der Datensatz wurde geändert.": "refused_conflict",
    "The record is in use. Please try again later.": "refused_conflict",
    "Der Import wird bereits ausgeführt.": "refused_conflict",
    "Another job is running for the same definition group.": "refused_conflict",
    "The data project is already executing.": "refused_conflict",
    "The environment is in maintenance mode.": "refused_conflict",
    "The system is currently under maintenance.": "refused_conflict",
    "Your session has expired.": "refused_conflict",
    "Please sign in again.": "refused_conflict",
    "The token has expired.": "refused_conflict",
    "The environment is being serviced.": "refused_conflict",
    "Dual-write failed.": "refused_rule",
    "Unable to write data to entity contacts.": "refused_rule",
    "Writes to ContactEntity failed with error message Request failed.": "refused_rule",
    (
        "Unable to write data to entity contacts. Writes to ContactEntity failed with error "
        "message Request failed with status code BadRequest. Access denied."
    ): "refused_rule",
    "The specified blob does not exist.": "package_refused",
    (
        "Server failed to authenticate the request. Signature not valid in the specified time "
        "frame."
    ): "package_refused",
    "Signature did not match.": "package_refused",
    "Failed to authenticate the request.": "package_refused",
    "Number sequence Cust_1 has been exceeded.": "refused_sequence",
    (
        "Resource not found for the segment 'CustomersV2'. No row has the key dataAreaId='usmf'."
    ): "gone_from_scm",
    "validateWrite failed on data source 'CustTable (CustTable)'": "refused_rule",
    # recorded in public
    (
        "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Error: Cannot create "
        "customer with account number 'CAUT-1' with same party number as prospect 'CON-1'. The "
        "customer and prospect should have the same account number.."
    ): "refused_party",
    (
        "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Error: Update not "
        "allowed for field 'PartyNumber'."
    ): "refused_fixed",
    "No resources were found when selecting for update.": "gone_from_scm",
    (
        "Exception occurred while executing action ImportFromPackage on Entity "
        "DataManagementDefinitionGroup: Entity Customers V2 does not exist in the target "
        "environment"
    ): "refused_mapping",
    (
        "Cannot edit a record in Customers (CustTable). An update conflict occurred due to another "
        "user process deleting the record or changing one or more fields in the record."
    ): "refused_conflict",
    (
        "Warning: Inventory dimension Site is mandatory and must consequently be specified.; "
        "Error: Update has been canceled.."
    ): "refused_mandatory",
    # of the documentation and from general knowledge
    "The value 'Nowhere' in field 'Type' is not valid.": "refused_value",
    "Value \u201cX\u201d isn\u2019t valid for field \u201cType\u201d.": "refused_value",
    "ZIP/postal code 98052 does not exist.": "refused_reference",
    "The legal entity 'xxmf' doesn't exist.": "refused_reference",
    "The INSERT statement conflicted with the FOREIGN KEY constraint.": "refused_reference",
    "The number 1000000 is greater than the largest number.": "refused_sequence",
    "String or binary data would be truncated.": "refused_too_long",
    "String was not recognized as a valid DateTime.": "refused_value",
    "Field Country/region must be filled in.": "refused_mandatory",
    "Cannot insert the value NULL into column 'X'.": "refused_mandatory",
    "Execution Timeout Expired.": "refused_conflict",
    "A transport-level error has occurred when sending the request to the server.": (
        "refused_conflict"
    ),
    "The database 'AXDB' is not currently available.": "refused_conflict",
    "Access to table CustTable has been denied.": "refused_access",
    "The user does not have sufficient permissions.": "refused_access",
    "The transaction log for database 'AXDB' is full.": "package_refused",
    "The value '90' is not found in the related table Customer groups.": "refused_reference",
    "Payment schedules 'X' were not found in the table 'Schedules'.": "refused_reference",
    "Line property Other doesn't exist.": "refused_reference",
    "Exchange rate for EUR is not set up.": "refused_reference",
    "Warehouse 77 does not belong to site 1.": "refused_reference",
    "Company 'xx' is not a valid company.": "refused_reference",
    "Tax exempt number 'X' does not exist.": "refused_reference",
    "The record (CustTable) does not exist or was deleted.": "gone_from_scm",
    "Staging contains duplicate records.": "refused_repeated",
    "Party X is already associated with another customer.": "refused_party",
    "Proposed changes to customer account 'X' are awaiting approval.": "refused_rule",
    "Customers cannot be deleted while dependent Sales orders exist.": "refused_rule",
    "Sales group 'X' is blocked for 'Sales order'.": "refused_rule",
    "Validation of field 'Birthday' failed.": "refused_rule",
    "The configuration key of the table is disabled.": "refused_mapping",
    "The entity Customers V2 is not enabled for import.": "refused_mapping",
    "Credit limit cannot be changed manually.": "refused_fixed",
    "The e-mail address is not valid.": "refused_value",
    "Field 'Language' contains an invalid value.": "refused_value",
    "Enumeration value 'Persn' for PartyType not found.": "refused_value",
    "The amount is out of range.": "refused_value",
    "The reference 'X' is already exist in customer 'Y'.": "refused_exists",
    "A contact person of this name already exists.": "refused_exists",
}


DMF_CODES = {
    "refused_conflict": (
        "DMF023 DMF042 DMF1995 DMF1996 DMF1997 DMF2003 DMF2008 DMF2028 DMF2036 DMF2037 DMF2043 "
        "DMF2045 DMF2048"
    ),
    "refused_repeated": "DMF1959 DMF2057",
    "refused_format": "DMF040 DMF1830 DMF1855 DMF1999 DMF2050 DMF2053 FF004 MAP011",
    "refused_mapping": (
        "DMF021 DMF030 DMF1966 DMF1968 DMF1969 DMF1987 DMF2022 DMF2025 DMF2052 DMF2060 DMF2061"
    ),
    "refused_value": "DMF2016 DMF2018 DMF2055",
    "package_refused": "DMF043 DMF045 DMF2010 DMF2017 DMF2035 DMF2044",
}
"""Codes of the documentation of Data management, whatever their text says."""


@pytest.mark.parametrize(
    ("number", "code"),
    [(number, code) for code, numbers in DMF_CODES.items() for number in numbers.split()],
)
def test_a_documented_number_of_data_management_is_known_in_any_language(
    number: str, code: str
) -> None:
    for text in (f"{number}: Something went wrong.", f"{number}: Es ist ein Fehler aufgetreten."):
        found = explain_messages([text])
        assert (found.code, found.later) == (code, code == "refused_conflict")
        assert found.text.endswith(f"SCM said: {text}")


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
            if one.expression.search(fold_quotes(clean_messages([text])))
        )
        for text in [*EXAMPLES, "DMF2045", "DMF045"]
    }
    assert met == {one.expression.pattern for one in load_patterns()}


def test_every_code_is_in_the_catalogue_as_an_error() -> None:
    codes = {one.code for one in load_patterns()} | {OTHER, FOREIGN}
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


PASSING = [
    "Es trat ein Aktualisierungskonflikt auf, da ein Benutzerprozess den Datensatz gelöscht hat.",
    "Der Datensatz wurde von einem anderen Benutzer gesperrt.",
    "Die Transaktion war in einem Deadlock; sie wurde als Opfer ausgewählt.",
    "Der Server ist überlastet. Bitte versuchen Sie es später erneut.",
    "Zeitüberschreitung bei der Ausführung.",
    "Die Verbindung zum Server wurde unterbrochen.",
    "Das Datenprojekt: der Auftrag läuft bereits.",
    "L'enregistrement est verrouillé par un autre utilisateur.",
    "Un conflit de mise à jour s'est produit.",
    "Le service est indisponible. Veuillez réessayer plus tard.",
    "Le délai d'attente a expiré.",
    "El registro está bloqueado por otro usuario.",
    "Se ha producido un interbloqueo.",
    "Tiempo de espera agotado. Inténtelo de nuevo más tarde.",
    "Il record è stato modificato da un altro utente.",
    "Il servizio non è disponibile. Riprovare più tardi.",
    "O registro está bloqueado por outro usuário.",
    "O tempo limite foi atingido. Tente novamente mais tarde.",
    "De record is vergrendeld door een andere gebruiker.",
    "Probeer het later opnieuw.",
    "Posten er låst af en anden bruger.",
    "Prøv igen senere.",
    "Posten har ändrats av en annan användare.",
    "Försök igen senare.",
    "Yritä myöhemmin uudelleen.",
    "Rekord jest zablokowany przez innego użytkownika.",
    "Spróbuj ponownie później.",
    "Zkuste to znovu později.",
    "Próbálja meg később.",
    "Lütfen daha sonra tekrar deneyin.",
    "Запись изменена другим пользователем.",
    "Повторите попытку позже.",
    "後でもう一度お試しください。",
    "レコードは別のユーザーによってロックされています。",
    "请稍后重试。",
    "나중에 다시 시도하세요.",
]
"""What passes by itself, in the languages of SCM."""


@pytest.mark.parametrize("text", PASSING)
def test_what_passes_by_itself_is_known_in_other_languages(text: str) -> None:
    found = explain_messages([text])
    assert (found.code, found.later) == ("refused_conflict", True)


@pytest.mark.parametrize(
    "text",
    [
        "Der Debitor ist gesperrt.",
        "La valeur 'Impasse des Lilas' est trop longue.",
        "Die E-Mail-Adresse wird bereits von einem anderen Benutzer verwendet.",
        "Geben Sie einen gültigen Wert ein und versuchen Sie es erneut.",
        "Le client est bloqué.",
        "El cliente está bloqueado.",
        "Esta cuenta ya existe para otro cliente.",
        "Kunden er spærret.",
        "Enter a valid value and try again.",
    ],
)
def test_what_stays_in_other_languages_is_not_said_to_pass(text: str) -> None:
    assert not explain_messages([text]).later


@pytest.mark.parametrize(
    "text",
    [
        "Das Feld 'Customer group' muss ausgefüllt werden.",
        "Infolog: Warnung: Der Wert \u201eXX\u201c im Feld \u201eSite\u201c ist nicht gültig.",
        "O campo 'Customer group' deve ser preenchido.",
        "Le champ 'Groupe' doit être renseigné.",
        "El valor 'X' del campo 'Grupo' no es válido.",
        "Feltet 'Kundegruppe' skal udfyldes.",
        "Поле должно быть заполнено.",
        "フィールド '顧客グループ' を入力してください。",
    ],
)
def test_a_message_of_another_language_is_shown_and_said_to_be_so(text: str) -> None:
    found = explain_messages([text])
    assert found.code == "refused_untranslated"
    assert found.text.startswith("p2c knows SCM's messages in English only")
    assert found.text.endswith(f"SCM said: {clean_messages([text])}")
    assert explain_messages([text], "staging_failed").code == "staging_failed"
    assert explain_messages([text], "staging_failed").text == found.text


@pytest.mark.parametrize(
    "text",
    [
        "Chart of accounts invalid: 0",
        "Customer José García Núñez cannot be loaded.",
        "Something about 'Das Feld muss nicht werden' has happened.",
        "Tax exempt number DE-1, Café Müller Straße. The customer is not ours.",
        "",
    ],
)
def test_english_with_names_of_any_language_is_english(text: str) -> None:
    assert explain_messages([text]).code == "import_failed"
    assert "English" not in explain_messages([text]).text


def test_a_rule_named_in_english_beside_words_of_another_language_is_said() -> None:
    text = "Das Feld 'A' muss gefüllt sein.; Warnung: validateField failed on field 'B'"
    found = explain_messages([text])
    assert found.code == "refused_rule"
    assert "p2c knows SCM's messages in English only" in found.text


def test_the_prefix_of_actions_is_not_what_scm_said() -> None:
    text = (
        "Exception occurred while executing action ImportFromPackage on Entity "
        "DataManagementDefinitionGroup: Entity Customers V2 does not exist in the target "
        "environment"
    )
    found = explain_messages([text])
    assert "no data entity of the name Customers V2; names follow the language" in found.text
    assert found.text.endswith(
        "SCM said: Entity Customers V2 does not exist in the target environment"
    )
