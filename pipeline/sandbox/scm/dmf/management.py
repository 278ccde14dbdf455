"""Data management of one SCM.

Its imports and exports, its blob storage, and how both are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.sandbox.scm import failures, infolog
from pipeline.sandbox.scm.dmf import reports
from pipeline.sandbox.scm.dmf.execution import EntityRun, Execution
from pipeline.sandbox.scm.dmf.groups import GROUP_ENTITY
from pipeline.sandbox.scm.dmf.importing import PackageImporter
from pipeline.sandbox.scm.dmf.messages import Messages
from pipeline.sandbox.scm.dmf.package import PackageError
from pipeline.sandbox.scm.entities import ENTITIES, ScmEntity
from pipeline.sandbox.scm.infolog import RowRefused
from pipeline.sandbox.scm.store import ScmRow
from pipeline.sandbox.scm.switches import Switches
from pipeline.sandbox.wire.blob import BlobStore

Parameters = Mapping[str, Any]
"""What a caller gives an action."""

_COMPANY_LENGTH: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class DataManagement:
    """What the actions work on."""

    importer: PackageImporter
    blobs: BlobStore
    messages: Messages

    @property
    def switches(self) -> Switches:
        """This SCM's answers to the open questions."""
        return self.importer.desk.switches

    def now(self) -> float:
        """Seconds since 1970, by the twin's clock."""
        return self.importer.clock()

    def link(self, root: str, name: str, content: bytes) -> str:
        """A URL from which this content can be read for a while."""
        self.blobs.put(name, content)
        return self.blobs.url(root, name, rights="r", seconds=self.switches.link_seconds)

    def company(self, parameters: Parameters) -> str:
        """The legal entity that is asked for. Raises ``PackageError``."""
        return self.known_company(str(parameters["legalEntityId"]))

    def known_company(self, company: str) -> str:
        """A legal entity as it is spelled. Raises ``PackageError``."""
        known = self.importer.desk.store.find(ENTITIES["LegalEntities"], {"LegalEntityId": company})
        if len(company) > _COMPANY_LENGTH or known is None:
            raise PackageError(f"The legal entity '{company}' does not exist.")
        return str(known["LegalEntityId"])

    def refresh(self, entity: ScmEntity) -> None:
        """Bring rows and execution records up to date before they are read."""
        importer = self.importer
        importer.take_up()
        if entity.name in (reports.JOBS.name, reports.JOB_DETAILS.name):
            store = importer.desk.store
            reports.write_records(store, importer.visible(), importer.clock())
            keeps_details = self.switches.clean_up == "record"
            gone = (reports.JOBS,) if keeps_details else (reports.JOBS, reports.JOB_DETAILS)
            for execution in importer.cleaned():
                reports.delete_records(store, execution, gone)

    def prepare_deletion(self, entity: ScmEntity, row: ScmRow) -> None:
        """Make way for the deletion of a data project: its entities go first.

        Raises ``RowRefused`` while one of its executions is under way.
        """
        if entity.name != GROUP_ENTITY.name:
            return
        if self.importer.is_busy_with(str(row["Name"])):
            raise RowRefused([infolog.error("The data project has an execution in progress.")])
        self.importer.groups.make_way(str(row["Name"]))

    def execution(self, parameters: Parameters) -> Execution:
        """The execution that is asked for. Raises ``ScmFailure`` until it can be found."""
        identity = parameters["executionId"]
        found = self.importer.find(identity)
        if found is None:
            raise failures.action_failed(
                f"The execution details for execution id '{identity}' were not found."
            )
        return found

    def entity_run(self, parameters: Parameters) -> EntityRun:
        """The entity of the execution that is asked for. Raises ``ScmFailure``."""
        label = parameters["entityName"]
        found = next(
            (run for run in self.execution(parameters).runs if run.definition.label == label), None
        )
        if found is None:
            raise failures.action_failed(
                f"Entity '{label}' is not part of execution '{parameters['executionId']}'."
            )
        return found
