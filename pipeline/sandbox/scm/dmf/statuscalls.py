"""The actions that ask what became of an execution: its status, its errors, its error files."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.dmf import reports
from pipeline.sandbox.scm.dmf.execution import Status
from pipeline.sandbox.scm.dmf.management import DataManagement, Parameters


def get_status(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetExecutionSummaryStatus."""
    return dm.execution(parameters).status(dm.now()).value


def list_statuses(dm: DataManagement, parameters: Parameters, _root: str) -> list[str]:
    """GetEntityExecutionSummaryStatusList.

    The status of each entity, in the order of the manifest.
    """
    execution = dm.execution(parameters)
    over = execution.over(dm.now())
    return [(run.status if over else Status.EXECUTING).value for run in execution.runs]


def get_page_url(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetExecutionSummaryPageUrl."""
    execution = dm.execution(parameters)
    company = execution.company.upper()
    page = "mi=DMFExecutionSummaryWorkspace"
    return f"{root}/?cmp={company}&{page}&executionId={quote(execution.id)}"


def get_errors(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetExecutionErrors."""
    return reports.write_execution_errors(
        dm.execution(parameters), valid=dm.switches.valid_error_json
    )


def get_staging_file_url(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetImportStagingErrorFileUrl: empty without errors."""
    run = dm.entity_run(parameters)
    content = reports.write_staging_errors(run, dm.switches)
    return dm.link(root, f"StagingErrors/{uuid.uuid4()}.csv", content) if content else ""


def make_keys_file(dm: DataManagement, parameters: Parameters, _root: str) -> bool:
    """GenerateImportTargetErrorKeysFile: whether there is anything to wait for."""
    run = dm.entity_run(parameters)
    if dm.execution(parameters).over(dm.now()) and run.written.errors:
        run.keys_file_polls = dm.switches.keys_file_polls
        return True
    return False


def get_keys_file_url(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetImportTargetErrorKeysFileUrl: empty until the file is there."""
    run = dm.entity_run(parameters)
    if run.keys_file_polls:  # not asked for, or not yet there
        run.keys_file_polls -= 1 if run.keys_file_polls > 0 else 0
        return ""
    return dm.link(root, f"ErrorKeys/{uuid.uuid4()}.csv", reports.write_target_error_keys(run))


def delete_history(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """DeleteExecutionHistoryJob."""
    execution = dm.execution(parameters)
    reports.delete_records(dm.importer.desk.store, execution, (reports.JOBS, reports.JOB_DETAILS))
    del dm.importer.executions[execution.id]
    return execution.id


def get_message_status(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetMessageStatus."""
    state = dm.messages.state(parameters["messageId"])
    if state is None:
        raise failures.action_failed(f"The message '{parameters['messageId']}' was not found.")
    return state.value


def get_message_execution(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetExecutionIdByMessageId: empty while a message has none."""
    get_message_status(dm, parameters, _root)
    return dm.messages.known[parameters["messageId"]].execution
