"""The package API of Data management, call by call (reference C.1 to C.4).

What order they go in: ``importing.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pipeline.errors import AnswerUnreadable, Refusal, RequestRefused, ServerFailed, Stopped
from pipeline.load.packages.error_list import RowMessage, read_errors
from pipeline.load.packages.jobdetails import ImportCounts, add_up_counts, read_state, sum_up_state
from pipeline.scm.literals import quote_text
from pipeline.scm.messages import explain_messages
from pipeline.scm.wording import is_foreign, tells_reason
from pipeline.wire.failures import describe_refusal
from pipeline.wire.json_body import parse_json
from pipeline.wire.once import TOO_LARGE, Declined
from pipeline.wire.scm import Scm, ScmRow
from pipeline.wire.system import UNREADABLE

_NOT_FOUND: Final = "were not found"
_ABSENT: Final = frozenset({404, 405, 501})
_BROKEN_OFF: Final = 500
_EMPTY: Final = '""'
_DETAILS: Final = "DataManagementExecutionJobDetails"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportJob:
    """One import: whose package, into which legal entity, under which of our own ids."""

    definition_group: str
    execution_id: str
    legal_entity: str
    entity_label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageClient:
    """Calls of the package API of one SCM."""

    scm: Scm

    def write_url(self, name: str) -> str:
        """A signed URL to put a package behind.

        Its lifetime is not documented: ask just before the upload.
        """
        answer = self.scm.ask("GetAzureWriteUrl", uniqueFileName=name)
        try:
            return _read_blob_url(answer)
        except UNREADABLE as error:
            raise Stopped(
                "gave no URL to upload to. Run the same command again to continue.",
                where=self.scm.label,
            ) from error

    def upload(self, url: str, content: bytes) -> None:
        """Put a package behind its URL; putting it twice does no harm.

        Raises ``Stopped``; where the package is too large, the sentence says what to set.
        """
        try:
            self.scm.upload(url, content)
        except RequestRefused as refused:
            if refused.status != TOO_LARGE:
                raise
            raise RequestRefused(
                f"{describe_refusal('takes no package', refused.refusal)} of {len(content):,} "
                "bytes: it is too large, here or for a proxy on the way. Have that limit raised "
                "and run the same command again to continue. Or move the run's folder elsewhere, "
                "set destination.batch_rows lower and plan again; what arrived is remembered.",
                where=refused.where,
                refusal=refused.refusal,
            ) from refused

    def start(self, job: ImportJob, package_url: str) -> None:
        """Start an import, once.

        ImportFromPackage answers only when the package lies in staging, which outlives gateways;
        where its asynchronous twin is not there, nothing has happened and the other one is called.

        Raises:
            LostAnswer: nobody knows whether it started: look it up.
            Busy, Declined: it did not start.
        """
        body: dict[str, str | bool] = {
            "packageUrl": package_url,
            "definitionGroupId": job.definition_group,
            "executionId": job.execution_id,
            "execute": True,
            "overwrite": True,
            "legalEntityId": job.legal_entity,
        }
        try:
            self.scm.start("ImportFromPackageAsync", **body)
        except Declined as declined:
            if declined.refusal.status not in _ABSENT:
                raise
            self.scm.start("ImportFromPackage", **body)

    def status(self, execution_id: str) -> str | None:
        """The summary status of an execution; null while SCM has no record of it."""
        action = "GetExecutionSummaryStatus"
        try:
            answer = self.scm.ask(action, executionId=execution_id)
        except Declined as declined:
            if not _is_unknown(declined.refusal, execution_id):
                raise
            return None
        word = read_state(answer)
        if word is None:
            raise self._blame(action, "something that is not a state")
        return word

    def details(self, job: ImportJob) -> list[ScmRow]:
        """The records of a job; none when SCM does not know it, or publishes no details."""
        group = f"DefinitionGroupId eq {quote_text(job.definition_group)}"
        try:
            rows = [row for page in self.scm.pages(_DETAILS, filter=group) for row in page]
        except Declined as declined:
            if declined.refusal.status not in _ABSENT:
                raise
            return []
        return [
            row
            for row in rows
            if str(row.get("JobId", "")).casefold() == job.execution_id.casefold()
        ]

    def state(self, details: Sequence[ScmRow]) -> str | None:
        """The summary status that details stand for; null if there are none."""
        try:
            return sum_up_state(details)
        except ValueError as error:
            raise self._blame(_DETAILS, "counts that are not numbers") from error

    def counts(self, job: ImportJob) -> ImportCounts | None:
        """What SCM counted; null when it keeps no record of the job."""
        try:
            return add_up_counts(self.details(job))
        except ValueError as error:
            raise self._blame(_DETAILS, "counts that are not numbers") from error

    def errors(self, execution_id: str) -> list[RowMessage]:
        """Every message of an execution; none once SCM has no record of it."""
        answer = self._try_action("GetExecutionErrors", executionId=execution_id)
        text = answer if isinstance(answer, str) else json.dumps(answer or "", ensure_ascii=False)
        return read_errors("" if text == _EMPTY else text)

    def staging_errors(self, job: ImportJob) -> bytes:
        """The file of rows that did not get into staging; empty when there is none."""
        return self._download("GetImportStagingErrorFileUrl", job)

    def wants_keys_file(self, job: ImportJob) -> bool:
        """Have the file of refused keys built; whether there will be one."""
        answer = self._try_file_action("GenerateImportTargetErrorKeysFile", job)
        return str(answer).casefold() == "true"

    def keys_file(self, job: ImportJob) -> bytes:
        """The file of keys that SCM refused; empty as long as it is not ready."""
        return self._download("GetImportTargetErrorKeysFileUrl", job)

    def _download(self, action: str, job: ImportJob) -> bytes:
        url = str(self._try_file_action(action, job) or "")
        return self.scm.download(url) if _is_address(url) else b""

    def _try_file_action(self, action: str, job: ImportJob) -> object:
        """As ``_try_action``; null as well where SCM itself breaks off each call for a reason.

        What files add to messages and counts is no reason to wait for ever.
        """
        entity = job.entity_label
        try:
            return self._try_action(action, executionId=job.execution_id, entityName=entity)
        except ServerFailed as failed:
            said = failed.refusal
            if said.status != _BROKEN_OFF or not tells_reason(said.cause):
                raise
            if explain_messages([said.cause]).later:
                raise
            return None

    def _try_action(self, action: str, **body: str) -> object:
        """An action's answer.

        Null where this SCM does not have the action, or has no record of the execution.
        """
        try:
            return self.scm.ask(action, **body)
        except Declined as declined:
            refusal = declined.refusal
            if refusal.status not in _ABSENT and not _is_unknown(refusal, body["executionId"]):
                raise
            return None

    def _blame(self, action: str, what: str) -> AnswerUnreadable:
        return AnswerUnreadable(
            f"answered {action} with {what}. Run the same command again to continue.",
            where=self.scm.label,
        )


def _is_unknown(refusal: Refusal, execution_id: str) -> bool:
    """Whether SCM says that it has no such execution: in other languages, by naming it."""
    cause = refusal.cause
    return _NOT_FOUND in cause or (
        execution_id.casefold() in cause.casefold() and is_foreign(cause)
    )


def _is_address(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False


def _read_blob_url(answer: object) -> str:
    found = parse_json(answer) if isinstance(answer, str) else answer
    if not isinstance(found, dict) or not _is_address(str(found["BlobUrl"])):
        raise TypeError("not a JSON object with an address")
    return str(found["BlobUrl"])
