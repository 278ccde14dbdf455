"""What Data management reports of an execution.

Error lists, error files, and the records that OData shows.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pipeline.sandbox.scm.dmf.datafile import UTF_16
from pipeline.sandbox.scm.dmf.execution import EntityRun, Execution, Phase
from pipeline.sandbox.scm.entities import ENTITIES, ScmEntity
from pipeline.sandbox.scm.store import ScmStore
from pipeline.sandbox.scm.switches import Switches

JOBS: Final = ENTITIES["DataManagementExecutionJobs"]
JOB_DETAILS: Final = ENTITIES["DataManagementExecutionJobDetails"]

_NEVER: Final = "1900-01-01T00:00:00Z"
_ROW_END: Final = "\r\n"


def write_execution_errors(execution: Execution, *, valid: bool) -> str:
    """The text of GetExecutionErrors.

    It is put together from strings, and so is JSON only while no message has quotes.
    """
    rows = [error for run in execution.runs for error in run.errors()]
    if valid:
        return json.dumps(
            [
                {"RecordId": record, "Field": name, "ErrorMessage": text}
                for record, name, text in rows
            ]
        )
    listed = (
        f'{{"RecordId":"{record}","Field":"{name}","ErrorMessage":"{text}"}}'
        for record, name, text in rows
    )
    return f"[{','.join(listed)}]"


def write_staging_errors(run: EntityRun, switches: Switches) -> bytes:
    """The rows that could not be staged, as they came, under the header of their file.

    Empty when there are none.
    """
    if not run.staged.errors:
        return b""
    texts = [one.text for one in run.staged.errors]
    if run.definition.source_format in switches.code_pages:
        lines = [",".join(run.staged.header), *texts]
        return _encode(
            "".join(line + _ROW_END for line in lines),
            switches.code_pages[run.definition.source_format],
        )
    return f"<Document>{''.join(texts)}</Document>".encode()


def write_target_error_keys(run: EntityRun) -> bytes:
    """The keys of the rows that SCM refused, one row each."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=_ROW_END)
    writer.writerow([one.staging_name for one in run.entity.own_keys])
    writer.writerows(one.key.values() for one in run.written.errors)
    return _encode(text.getvalue(), UTF_16)


def _encode(text: str, code_page: int) -> bytes:
    if code_page == UTF_16:
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    return text.encode("utf-8")


def write_records(store: ScmStore, executions: Iterable[Execution], now: float) -> None:
    """Bring the records of these executions up to date."""
    with store.transaction():
        for execution in executions:
            _put(store, JOBS, _job(execution, now))
            for run in execution.runs:
                _put(store, JOB_DETAILS, _detail(execution, run, now))


def delete_records(store: ScmStore, execution: Execution, entities: Iterable[ScmEntity]) -> None:
    """Delete what these sets show of an execution."""
    for entity in entities:
        for row in store.select(f'SELECT * FROM "{entity.name}" WHERE "JobId" = ?', [execution.id]):
            store.delete(entity, row)


def _put(store: ScmStore, entity: ScmEntity, values: dict[str, Any]) -> None:
    row = {**entity.blank, **values}
    before = store.find(entity, {one.name: row[one.name] for one in entity.keys})
    if before is None:
        store.insert(entity, row)
    elif changes := {name: value for name, value in row.items() if before[name] != value}:
        store.update(entity, before, changes)


def _job(execution: Execution, now: float) -> dict[str, Any]:
    ends = [time for run in execution.runs for time in run.times.values()]
    return {
        "JobId": execution.id,
        "DefinitionGroupId": execution.group,
        "OperationType": execution.operation,
        "ExecutionStatus": execution.status(now).value,
        "CompanyId": execution.company,
        "StartDateTime": _time(execution.started),
        "EndDateTime": _time(max([*ends, execution.ready_at])) if execution.over(now) else _NEVER,
    }


def _detail(execution: Execution, run: EntityRun, now: float) -> dict[str, Any]:
    over, staged, written = execution.over(now), run.staged, run.written
    counted = 1 if over else 0  # the counts of the target are there when the execution is over
    return {
        "DefinitionGroupId": execution.group,
        "JobId": execution.id,
        "EntityName": run.definition.label,
        "ExecutionUnit": run.definition.unit,
        "LevelInExecutionUnit": run.definition.level,
        "SequenceInLevel": run.definition.sequence,
        "ParallelTaskCount": 1,
        "StagingStatus": run.staging.value,
        "TargetStatus": (
            run.target if over else min(run.target, Phase.EXECUTING, key=_ORDER.index)
        ).value,
        "StagingRecordsToBeProcessedCount": staged.total,
        "StagingRecordsCreatedCount": len(staged.rows),
        "TargetRecordsCreatedCount": written.created * counted,
        "TargetRecordsUpdatedCount": written.updated * counted,
        **{f"{name}DateTime": _time(time) for name, time in run.times.items()},
    }


_ORDER: Final[Sequence[Phase]] = (
    Phase.NOT_STARTED,
    Phase.EXECUTING,
    Phase.NOT_RUN,
    Phase.ERROR,
    Phase.FINISHED,
)


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
