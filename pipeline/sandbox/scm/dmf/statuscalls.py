"""The actions that tell what became of an execution: its status, its errors, its error files."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.dmf import reports
from pipeline.sandbox.scm.dmf.execution import Status
from pipeline.sandbox.scm.dmf.management import DataManagement, Parameters


def status(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetExecutionSummaryStatus."""
    return dm.execution(parameters).status(dm.now()).value


def status_list(dm: DataManagement, parameters: Parameters, _root: str) -> list[str]:
    """GetEntityExecutionSummaryStatusList.

    The status of each entity, in the order of the manifest.
    """
    execution = dm.execution(parameters)
    over = execution.over(dm.now())
    return [(run.status if over else Status.EXECUTING).value for run in execution.runs]


def page(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetExecutionSummaryPageUrl."""
    execution = dm.execution(parameters)
    return f"{root}/?cmp={execution.company.upper()}&mi=DMFExecutionSummaryWorkspace&executionId={quote(execution.id)}"


def errors(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetExecutionErrors."""
    return reports.execution_errors(dm.execution(parameters), valid=dm.switches.valid_error_json)


def staging_file(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetImportStagingErrorFileUrl: empty without errors."""
    run = dm.entity_run(parameters)
    content = reports.staging_error_file(run, dm.switches)
    return dm.link(root, f"StagingErrors/{uuid.uuid4()}.csv", content) if content else ""


def make_keys_file(dm: DataManagement, parameters: Parameters, _root: str) -> bool:
    """GenerateImportTargetErrorKeysFile: whether there is anything to wait for."""
    run = dm.entity_run(parameters)
    if dm.execution(parameters).over(dm.now()) and run.written.errors:
        run.keys_file_polls = dm.switches.keys_file_polls
        return True
    return False


def keys_file(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetImportTargetErrorKeysFileUrl: empty until the file is there."""
    run = dm.entity_run(parameters)
    if run.keys_file_polls:  # not asked for, or not yet there
        run.keys_file_polls -= 1 if run.keys_file_polls > 0 else 0
        return ""
    return dm.link(root, f"ErrorKeys/{uuid.uuid4()}.csv", reports.target_error_keys_file(run))


def forget(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """DeleteExecutionHistoryJob."""
    execution = dm.execution(parameters)
    store = dm.importer.desk.store
    for entity in (reports.JOBS, reports.DETAILS):
        for row in store.select(f'SELECT * FROM "{entity.name}" WHERE "JobId" = ?', [execution.id]):
            store.delete(entity, row)
    del dm.importer.executions[execution.id]
    return execution.id


def message_status(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetMessageStatus."""
    state = dm.messages.state(parameters["messageId"])
    if state is None:
        raise failures.action_failed(f"The message '{parameters['messageId']}' was not found.")
    return state.value


def message_execution(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """GetExecutionIdByMessageId: empty while a message has none."""
    message_status(dm, parameters, _root)
    return dm.messages.known[parameters["messageId"]].execution
