from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest

from pipeline.sandbox.scm.dmf.target import ROWS_AT_ONCE
from pipeline.sandbox.scm.entities import ScmEntity
from pipeline.sandbox.scm.store import ScmRow
from pipeline.sandbox.scm.switches import Switches
from pipeline.sandbox.scm.writing import Desk
from pipeline.sandbox.wire.blob import BlobError
from tests.scenes.handmade import CURRENCIES, CUSTOMER_COLUMNS, Data, Made, customers
from tests.scenes.scm_caller import DMF, ROOT, Caller, inner

GOOD = "C-{0},Person,Name {0},10,USD,100"
NO_GROUP = "C-{0},Person,Name {0},XX,USD,100"
NO_NUMBER = "C-{0},Person,Name {0},10,USD,much"


@pytest.fixture
def scm() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def order(scm: Caller, package: Made | bytes, **more: Any) -> dict[str, Any]:
    """The parameters of an import of this package."""
    content = package.zipped() if isinstance(package, Made) else package
    given = {
        "definitionGroupId": "group",
        "executionId": "",
        "execute": True,
        "overwrite": True,
        "legalEntityId": "usmf",
    }
    return {"packageUrl": scm.upload(content), **given, **more}


def run(scm: Caller, package: Made | Data, action: str = "ImportFromPackage", **more: Any) -> str:
    """Import a package; the id of the execution."""
    made = Made(entities=[package]) if isinstance(package, Data) else package
    return str(scm.act(action, **order(scm, made, **more)))


def status(scm: Caller, execution: str) -> str:
    return str(scm.act("GetExecutionSummaryStatus", executionId=execution))


def details(scm: Caller, execution: str) -> list[dict[str, Any]]:
    rows = scm.get(f"/data/DataManagementExecutionJobDetails?$filter=JobId eq '{execution}'")[
        "value"
    ]
    return [dict(row) for row in rows]


def errors(scm: Caller, execution: str) -> list[dict[str, str]]:
    return list(json.loads(scm.act("GetExecutionErrors", executionId=execution), strict=False))


def accounts(scm: Caller) -> list[str]:
    return [
        row["CustomerAccount"]
        for row in scm.get("/data/CustomersV2?$select=CustomerAccount")["value"]
    ]


def file_behind(scm: Caller, url: str) -> list[list[str]]:
    content = scm.twin.blobs.fetch(url)
    return list(csv.reader(io.StringIO(content.decode("utf-16"), newline="")))


def test_a_package_that_somebody_elses_script_builds_is_imported(scm: Caller) -> None:
    execution = run(scm, CURRENCIES)
    assert status(scm, execution) == "Succeeded"
    assert scm.get("/data/Currencies('XXA')")["Symbol"] == "a"
    assert errors(scm, execution) == []
    assert scm.act("GetEntityExecutionSummaryStatusList", executionId=execution) == ["Succeeded"]


def test_answers_are_typed(scm: Caller) -> None:
    url = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl"
    answer = scm.post(url, {"uniqueFileName": "a b.zip"}).json()
    assert answer["@odata.context"] == f"{ROOT}/data/$metadata#Edm.String"
    told = json.loads(answer["value"])
    assert told["BlobUrl"].startswith(f"{ROOT}/p2csandbox/dmf/a%20b.zip?")
    assert (told["BlobId"][0], told["BlobId"][-1], len(told["BlobId"])) == ("{", "}", 38)


def test_rows_are_inserted_or_updated_by_their_key(scm: Caller) -> None:
    execution = run(scm, customers(*(GOOD.format(number) for number in range(3))))
    (first,) = details(scm, execution)
    assert (first["TargetRecordsCreatedCount"], first["TargetRecordsUpdatedCount"]) == (3, 0)
    again = run(scm, customers(GOOD.format(2).replace("100", "250.5"), GOOD.format(3)))
    (second,) = details(scm, again)
    assert (second["TargetRecordsCreatedCount"], second["TargetRecordsUpdatedCount"]) == (1, 1)
    assert (second["StagingRecordsToBeProcessedCount"], second["StagingRecordsCreatedCount"]) == (
        2,
        2,
    )
    assert (second["StagingStatus"], second["TargetStatus"]) == ("Finished", "Finished")
    assert accounts(scm) == ["C-0", "C-1", "C-2", "C-3"]
    assert (
        scm.get("/data/CustomersV2(dataAreaId='usmf',CustomerAccount='C-2')")["CreditLimit"]
        == 250.5
    )


def test_the_legal_entity_is_that_of_the_call(scm: Caller) -> None:
    run(scm, customers(GOOD.format(1)), legalEntityId="DEMF")
    assert accounts(scm) == []
    assert scm.get("/data/CustomersV2?cross-company=true")["value"][0]["dataAreaId"] == "demf"


def test_good_rows_stay_when_others_fail_in_staging_or_in_target(scm: Caller) -> None:
    execution = run(
        scm, customers(GOOD.format(1), NO_GROUP.format(2), NO_NUMBER.format(3), GOOD.format(4))
    )
    assert status(scm, execution) == "PartiallySucceeded"
    assert accounts(scm) == ["C-1", "C-4"]
    (detail,) = details(scm, execution)
    assert (detail["StagingStatus"], detail["TargetStatus"]) == ("Error", "Error")
    counted = (
        "StagingRecordsToBeProcessedCount",
        "StagingRecordsCreatedCount",
        "TargetRecordsCreatedCount",
    )
    assert [detail[name] for name in counted] == [4, 3, 2]
    assert not [name for name in detail if name.endswith("ErrorCount")]
    staging, target = errors(scm, execution)
    assert (staging["RecordId"], staging["Field"]) == ("C-3", "CREDITLIMIT")
    assert (
        staging["ErrorMessage"]
        == "DMF2018: Column 'CREDITLIMIT' has invalid data: the value is not a number."
    )
    assert (target["RecordId"], target["Field"]) == ("C-2", "CUSTOMERGROUPID")
    assert target["ErrorMessage"].startswith(
        "Results. The value 'XX' in field 'Customer group' is not found in the related table "
    )


def test_nothing_written_is_a_failure(scm: Caller) -> None:
    assert status(scm, run(scm, customers(NO_GROUP.format(1)))) == "Failed"
    assert (
        status(scm, run(scm, customers(NO_NUMBER.format(1)), definitionGroupId="two")) == "Failed"
    )


def test_error_texts_are_no_json_once_a_message_holds_quotes_or_line_breaks(scm: Caller) -> None:
    package = customers('C-1,Person,N,"X"",10,USD,1', 'C-2,Person,N,"Z",USD,1')
    execution = run(scm, package)
    text = scm.act("GetExecutionErrors", executionId=execution)
    assert "The value '\"Z\"' in field" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with Caller(Switches(valid_error_json=True)) as other:
        assert len(errors(other, run(other, package))) == 2


def test_the_staging_error_file_has_the_rows_as_they_came(scm: Caller) -> None:
    bad = NO_NUMBER.format(2)
    execution = run(scm, customers(GOOD.format(1), bad))
    url = scm.act("GetImportStagingErrorFileUrl", executionId=execution, entityName="Customers V2")
    assert file_behind(scm, url) == [CUSTOMER_COLUMNS, bad.split(",")]
    clean = run(scm, customers(GOOD.format(3)))
    assert (
        scm.act("GetImportStagingErrorFileUrl", executionId=clean, entityName="Customers V2") == ""
    )


def test_the_target_error_keys_file_is_asked_for_and_waited_for(scm: Caller) -> None:
    execution = run(scm, customers(GOOD.format(1), NO_GROUP.format(2), NO_GROUP.format(3)))
    asked = {"executionId": execution, "entityName": "Customers V2"}
    assert scm.act("GetImportTargetErrorKeysFileUrl", **asked) == ""
    assert scm.act("GenerateImportTargetErrorKeysFile", **asked) is True
    urls = [scm.act("GetImportTargetErrorKeysFileUrl", **asked) for _ in range(3)]
    assert urls[0] == ""
    assert (
        file_behind(scm, urls[1])
        == file_behind(scm, urls[2])
        == [["CUSTOMERACCOUNT"], ["C-2"], ["C-3"]]
    )


def test_a_keys_file_can_take_longer() -> None:
    with Caller(Switches(keys_file_polls=3)) as scm:
        asked = {
            "executionId": run(scm, customers(NO_GROUP.format(1))),
            "entityName": "Customers V2",
        }
        assert scm.act("GenerateImportTargetErrorKeysFile", **asked) is True
        urls = [scm.act("GetImportTargetErrorKeysFileUrl", **asked) for _ in range(4)]
        assert [bool(url) for url in urls] == [False, False, False, True]


def test_without_errors_there_is_no_keys_file(scm: Caller) -> None:
    asked = {"executionId": run(scm, customers(GOOD.format(1))), "entityName": "Customers V2"}
    assert scm.act("GenerateImportTargetErrorKeysFile", **asked) is False
    assert scm.act("GetImportTargetErrorKeysFileUrl", **asked) == ""
    assert "is not part of execution" in scm.refused(
        "GenerateImportTargetErrorKeysFile", **{**asked, "entityName": "Currencies"}
    )


def test_contacts_know_both_their_labels_and_join_their_keys(scm: Caller) -> None:
    scm.post(
        "/data/CustomersV2",
        {
            "CustomerAccount": "A-1",
            "PartyNumber": "A-1",
            "OrganizationName": "A",
            "CustomerGroupId": "10",
            "SalesCurrencyCode": "USD",
        },
    )
    columns = ["CONTACTPERSONPARTYNUMBER", "ASSOCIATEDPARTYNUMBER", "LASTNAME", "GENDER"]
    text = ",".join(columns) + "\r\nP-1,A-1,Beebe,Female\r\nP-2,A-9,Poe,Male\r\n"
    for number, label in enumerate(("CDS Contacts", "Dataverse Contacts")):
        execution = run(
            scm, Data(label=label, text=text, columns=columns), definitionGroupId=f"g{number}"
        )
        assert status(scm, execution) == "PartiallySucceeded"
        assert [error["RecordId"] for error in errors(scm, execution)] == ["P-2,A-9"]
    assert len(scm.get("/data/CDSContactPersons")["value"]) == 1


def test_staging_alone_writes_nothing(scm: Caller) -> None:
    execution = run(scm, customers(GOOD.format(1)), execute=False)
    assert (status(scm, execution), accounts(scm)) == ("NotRun", [])
    assert details(scm, execution)[0]["StagingRecordsCreatedCount"] == 1


def test_empty_cells_blank_what_is_there_or_leave_it(scm: Caller) -> None:
    columns = [*CUSTOMER_COLUMNS, "SALESMEMO"]
    rows = [
        customers(GOOD.format(1) + ",old", columns=columns),
        customers(GOOD.format(1) + ",", columns=columns),
    ]
    with Caller(Switches(empty_cells="keep")) as other:
        for caller, memo in ((scm, ""), (other, "old")):
            for row in rows:
                run(caller, row)
            assert caller.get("/data/CustomersV2")["value"][0]["SalesMemo"] == memo


def test_keys_are_numbered_only_where_the_mapping_says_so(scm: Caller) -> None:
    row = customers(GOOD.format(1).replace("C-1", ""))
    execution = run(scm, row)
    assert (
        "Field 'Customer account' must be filled in." in errors(scm, execution)[0]["ErrorMessage"]
    )
    generated = customers(*[",Person,N,10,USD,1"] * 2, generated=["CUSTOMERACCOUNT"])
    assert status(scm, run(scm, generated)) == "Succeeded"
    assert len(accounts(scm)) == 2


# executions


def test_an_execution_is_not_found_until_it_is_there() -> None:
    with Caller(Switches(record_after=5, import_seconds=60)) as scm:
        execution = run(scm, customers(GOOD.format(1)), executionId="mine")
        assert execution == "mine"
        assert "were not found" in scm.refused("GetExecutionSummaryStatus", executionId="mine")
        assert details(scm, "mine") == []
        scm.clock.now += 5
        assert status(scm, "mine") == "Executing"
        detail = details(scm, "mine")[0]
        assert (detail["TargetStatus"], detail["TargetRecordsCreatedCount"]) == ("Executing", 0)
        assert scm.act("GetEntityExecutionSummaryStatusList", executionId="mine") == ["Executing"]
        scm.clock.now += 55
        assert status(scm, "mine") == "Succeeded"
        assert details(scm, "mine")[0]["TargetStatus"] == "Finished"
        job = scm.get("/data/DataManagementExecutionJobs('mine')")
        assert (job["ExecutionStatus"], job["DefinitionGroupId"], job["CompanyId"]) == (
            "Succeeded",
            "group",
            "usmf",
        )


def test_imports_take_as_long_as_their_rows() -> None:
    with Caller(Switches(rows_per_second=10)) as scm:
        execution = run(scm, customers(*(GOOD.format(number) for number in range(20))))
        scm.clock.now += 1.9
        assert status(scm, execution) == "Executing"
        scm.clock.now += 0.2
        assert status(scm, execution) == "Succeeded"


def test_a_lost_answer_is_found_again_by_the_definition_group(scm: Caller) -> None:
    execution = run(scm, customers(GOOD.format(1)), definitionGroupId="p2c-1")
    rows = scm.get(
        "/data/DataManagementExecutionJobDetails?$filter=DefinitionGroupId eq 'p2c-1'&$select=JobId"
    )["value"]
    assert [row["JobId"] for row in rows] == [execution]


def test_parallel_imports_are_refused_unless_switched_on() -> None:
    with Caller(Switches(import_seconds=60)) as scm:
        run(scm, customers(GOOD.format(1)))
        parameters = order(
            scm, Made(entities=[customers(GOOD.format(2))]), definitionGroupId="other"
        )
        assert "DMF2025" in scm.refused("ImportFromPackage", **parameters)
        assert accounts(scm) == ["C-1"]
        scm.clock.now += 60
        scm.act("ImportFromPackage", **parameters)
    with Caller(Switches(import_seconds=60, parallel_imports=True)) as scm:
        run(scm, customers(GOOD.format(1)), definitionGroupId="one")
        run(scm, customers(GOOD.format(2)), definitionGroupId="two")
        again = order(scm, Made(entities=[customers(GOOD.format(3))]), definitionGroupId="TWO")
        assert "still executing" in scm.refused("ImportFromPackage", **again)
        assert accounts(scm) == ["C-1", "C-2"]


def test_an_execution_id_is_used_once_unless_switched_off() -> None:
    for unique in (True, False):
        with Caller(Switches(unique_execution_id=unique)) as scm:
            run(scm, customers(GOOD.format(1)), executionId="same")
            parameters = order(scm, Made(entities=[customers(GOOD.format(2))]), executionId="same")
            if unique:
                assert "must be unique" in scm.refused("ImportFromPackage", **parameters)
            else:
                assert scm.act("ImportFromPackage", **parameters) == "same"
            assert len(accounts(scm)) == (1 if unique else 2)


def test_an_import_goes_on_after_its_call_and_others_may_read_meanwhile() -> None:
    rows = [GOOD.format(number) for number in range(ROWS_AT_ONCE * 8)]
    with Caller(background=True) as scm:
        scm.clock.now = time.time()
        execution = run(scm, customers(*rows), "ImportFromPackageAsync")
        seen = {scm.act("GetExecutionSummaryStatus", executionId=execution) for _ in range(3)}
        deadline = time.monotonic() + 20
        while (last := status(scm, execution)) == "Executing" and time.monotonic() < deadline:
            seen.add(last)
            int(scm.ask("GET", "/data/CustomersV2/$count").content.decode("utf-8-sig"))
        assert "Executing" in seen
        assert (last, len(accounts(scm))) == ("Succeeded", len(rows))
        assert not any(
            thread.name.startswith("import") and thread.daemon for thread in threading.enumerate()
        )


class BrokenDesk(Desk):
    """A desk whose disk fails."""

    def upsert(self, entity: ScmEntity, values: Mapping[str, Any]) -> tuple[ScmRow, bool]:
        raise RuntimeError("disk", entity.name, len(values))


def test_what_nobody_foresaw_ends_an_execution_with_dmf043() -> None:
    with Caller(desk=BrokenDesk) as scm:
        with pytest.raises(RuntimeError, match="disk"):
            run(scm, customers(GOOD.format(1)), executionId="broken")
        assert status(scm, "broken") == "Failed"
        assert errors(scm, "broken")[0]["ErrorMessage"] == "DMF043: General error."


def test_units_levels_and_sequences_give_the_order_and_errors_stop_what_follows(
    scm: Caller,
) -> None:
    first = customers(NO_GROUP.format(1), file="a.csv", level=1, fail_level=True)
    second = Data(label="Currencies", text=CURRENCIES.text, columns=CURRENCIES.columns, level=2)
    execution = run(scm, Made(entities=[second, first]))
    assert [row["TargetStatus"] for row in details(scm, execution)] == ["NotRun", "Error"]
    third = Data(label="Currencies", text=CURRENCIES.text, columns=CURRENCIES.columns, unit=2)
    execution = run(scm, Made(entities=[third, first]), definitionGroupId="other")
    assert status(scm, execution) == "PartiallySucceeded"
    assert scm.act("GetEntityExecutionSummaryStatusList", executionId=execution) == [
        "Succeeded",
        "Failed",
    ]


def test_a_disabled_entity_is_left_out(scm: Caller) -> None:
    execution = run(scm, Made(entities=[CURRENCIES, customers(GOOD.format(1), disabled=True)]))
    assert [row["EntityName"] for row in details(scm, execution)] == ["Currencies"]
    assert accounts(scm) == []


def test_definition_groups_come_from_manifests_or_over_odata(scm: Caller) -> None:
    parameters = order(scm, Made(entities=[CURRENCIES]), overwrite=False)
    assert "Definition group 'group' does not exist." in scm.refused(
        "ImportFromPackage", **parameters
    )
    assert (
        scm.post(
            "/data/DataManagementDefinitionGroups", {"Name": "group", "OperationType": "Import"}
        ).status_code
        == 201
    )
    scm.act("ImportFromPackage", **parameters)
    assert scm.get("/data/DataManagementDefinitionGroupDetails")["value"] == []
    run(scm, CURRENCIES)
    assert (
        scm.get("/data/DataManagementDefinitionGroupDetails")["value"][0]["SourceFormat"]
        == "CSV-Unicode"
    )
    run(scm, CURRENCIES, definitionGroupId="new")
    assert scm.get("/data/DataManagementDefinitionGroups('new')")["OperationType"] == "Import"


def test_a_group_that_truncates_empties_its_legal_entity_first(scm: Caller) -> None:
    run(scm, customers(GOOD.format(1), GOOD.format(2)))
    scm.ask(
        "PATCH", "/data/DataManagementDefinitionGroups('group')", json={"TruncateEntityData": "Yes"}
    )
    run(scm, customers(GOOD.format(3)))
    assert accounts(scm) == ["C-3"]


# calls


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"legalEntityId": "none"}, "The legal entity 'none' does not exist."),
        ({"legalEntityId": "toolong"}, "The legal entity 'toolong' does not exist."),
        ({"definitionGroupId": ""}, "needs a name"),
        ({"definitionGroupId": "x" * 61}, "at most 60"),
        ({"executionId": "x" * 91}, "longer than 90"),
        (
            {"execute": "true"},
            (
                "The parameter 'execute' of the operation 'ImportFromPackage' must be given as "
                "Edm.Boolean."
            ),
        ),
        ({"packageUrl": f"{ROOT}/p2csandbox/dmf/other.zip?sp=r&sig=x"}, "(403)"),
        ({"packageUrl": "https://elsewhere.example/a.zip"}, "(404)"),
        ({"surprise": 1}, "The parameter 'surprise' is not a valid parameter"),
    ],
)
def test_calls_that_make_no_sense_start_nothing(
    scm: Caller, change: dict[str, Any], words: str
) -> None:
    parameters = order(scm, Made(entities=[customers(GOOD.format(1))])) | change
    assert words in scm.refused("ImportFromPackage", **parameters)
    assert (accounts(scm), scm.get("/data/DataManagementExecutionJobs")["value"]) == ([], [])


def test_a_parameter_that_is_missing_is_named(scm: Caller) -> None:
    assert "'executionId' of the operation 'GetExecutionErrors'" in scm.refused(
        "GetExecutionErrors"
    )


def test_an_action_that_does_not_exist_is_404(scm: Caller) -> None:
    url = "/data/{}/Microsoft.Dynamics.DataEntities.{}"
    assert scm.post(url.format("DataManagementDefinitionGroups", "Nonsense"), {}).status_code == 404
    assert (
        scm.post(url.format("CustomersV2", "GetAzureWriteUrl"), {"uniqueFileName": "x"}).status_code
        == 404
    )
    assert (
        scm.ask("GET", url.format("DataManagementDefinitionGroups", "GetAzureWriteUrl")).status_code
        == 405
    )


def test_the_history_of_an_execution_can_be_deleted(scm: Caller) -> None:
    execution = run(scm, CURRENCIES)
    assert len(details(scm, execution)) == 1
    assert "executionId=" in scm.act("GetExecutionSummaryPageUrl", executionId=execution)
    scm.act("DeleteExecutionHistoryJob", executionId=execution)
    assert "were not found" in scm.refused("GetExecutionSummaryStatus", executionId=execution)
    assert details(scm, execution) == []


def test_messages_of_recurring_integrations_have_a_state_and_an_execution(scm: Caller) -> None:
    def enqueued(package: Made | bytes, company: str = "usmf") -> str:
        content = package.zipped() if isinstance(package, Made) else package
        response = scm.ask(
            "POST",
            f"/api/connector/enqueue/every-night?entity=Currencies&company={company}",
            content=content,
        )
        assert response.status_code == 200, response.text
        return str(response.json())

    good, mixed, bad = (
        enqueued(Made(entities=[CURRENCIES])),
        enqueued(Made(entities=[customers(GOOD.format(1), NO_GROUP.format(2))])),
        enqueued(b"no package"),
    )
    states = [scm.act("GetMessageStatus", messageId=message) for message in (good, mixed, bad)]
    assert states == ["Processed", "ProcessedWithErrors", "PreProcessingError"]
    assert scm.get(f"/api/connector/jobstatus/every-night?jobId={good}") == "Processed"
    execution = scm.act("GetExecutionIdByMessageId", messageId=good)
    assert details(scm, execution)[0]["DefinitionGroupId"] == "every-night"
    assert "was not found" in scm.refused("GetMessageStatus", messageId="none")
    assert (
        scm.ask("POST", "/api/connector/enqueue/every-night?company=none", content=b"").status_code
        == 400
    )


def test_an_export_can_be_imported_again(scm: Caller) -> None:
    run(scm, customers(GOOD.format(1), GOOD.format(2)))
    more = {"packageName": "backup", "executionId": "", "reExecute": False, "legalEntityId": "usmf"}
    execution = scm.act("ExportToPackage", definitionGroupId="group", **more)
    assert status(scm, execution) == "Succeeded"
    package = scm.twin.blobs.fetch(scm.act("GetExportedPackageUrl", executionId=execution))
    again = scm.act("ImportFromPackage", **order(scm, package, legalEntityId="demf"))
    assert status(scm, again) == "Succeeded", errors(scm, again)
    assert scm.get("/data/CustomersV2/?cross-company=true&$count=true")["@odata.count"] == 4
    preview = scm.act("ExportToPackagePreview", definitionGroupId="group", count=1, **more)
    assert status(scm, preview) == "Succeeded"
    assert "does not exist" in scm.refused("ExportToPackage", definitionGroupId="none", **more)


# What batch servers and clean-ups do


def test_an_import_that_lies_unread_is_not_found_until_a_batch_server_takes_it_up() -> None:
    with Caller(Switches(begin_after=1800)) as scm:
        execution = run(scm, customers(GOOD.format(1)), "ImportFromPackageAsync", executionId="one")
        assert "were not found" in scm.refused("GetExecutionSummaryStatus", executionId=execution)
        assert details(scm, execution) == []
        assert accounts(scm) == []
        groups = scm.get("/data/DataManagementDefinitionGroups")["value"]
        assert [row["Name"] for row in groups] == ["group"]
        scm.clock.now += 1800
        assert accounts(scm) == ["C-1"]
        assert status(scm, execution) == "Succeeded"


@pytest.mark.parametrize(("clean_up", "left"), [("record", 1), ("details", 0)])
def test_a_clean_up_deletes_the_record_of_an_execution_and_not_its_rows(
    clean_up: Literal["record", "details"], left: int
) -> None:
    switches = Switches(clean_up=clean_up, clean_up_after=60, import_seconds=90)
    with Caller(switches) as scm:
        execution = run(scm, customers(GOOD.format(1)), executionId="one")
        scm.clock.now += 59
        assert status(scm, execution) == "Executing"
        assert len(details(scm, execution)) == 1
        scm.clock.now += 1
        for action in ("GetExecutionSummaryStatus", "GetExecutionErrors"):
            assert "were not found" in scm.refused(action, executionId=execution)
        assert len(scm.get("/data/DataManagementExecutionJobs")["value"]) == 0
        assert [row["TargetStatus"] for row in details(scm, execution)] == ["Executing"] * left
        scm.clock.now += 30
        assert [row["TargetStatus"] for row in details(scm, execution)] == ["Finished"] * left
        assert accounts(scm) == ["C-1"]


def test_an_import_that_breaks_off_says_why_below_its_error_and_starts_nothing() -> None:
    text = "Cannot create a record in Data project (DMFDefinitionGroup). The record is locked."
    with Caller(Switches(import_fault=text)) as scm:
        package = customers(GOOD.format(1))
        for action in ("ImportFromPackage", "ImportFromPackageAsync"):
            made = Made(entities=[package])
            response = scm.post(f"{DMF}{action}", order(scm, made, executionId="one"))
            assert inner(response, 500).endswith(f"Entity DataManagementDefinitionGroup: {text}")
        assert scm.twin.importer.executions == {}


def test_a_link_for_writing_lives_thirty_five_minutes() -> None:
    with Caller() as scm:
        url = scm.upload(b"first")
        scm.clock.now += 2100
        assert scm.twin.blobs.fetch(url) == b"first"
        scm.clock.now += 1
        with pytest.raises(BlobError, match="not valid in the specified time frame"):
            scm.twin.blobs.fetch(url)
