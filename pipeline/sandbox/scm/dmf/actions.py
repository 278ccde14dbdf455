"""The actions of the package API, bound to ``DataManagementDefinitionGroups``, and of versions.

Their parameters, and who runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.dmf import exportcalls, importcalls, statuscalls
from pipeline.sandbox.scm.dmf.management import DataManagement, Parameters
from pipeline.sandbox.scm.dmf.package import PackageError
from pipeline.sandbox.scm.entities import DATA_ENTITIES, ScmEntity
from pipeline.sandbox.scm.failures import ScmFailure
from pipeline.sandbox.scm.languages import translate_text
from pipeline.sandbox.scm.metadata import ActionType
from pipeline.sandbox.scm.store import ScmRow
from pipeline.sandbox.wire.blob import BlobError

_SET: Final = "DataManagementDefinitionGroups"
_ENTITY_TYPE: Final = "DataManagementDefinitionGroup"
_STRING: Final = "Edm.String"
_BOOLEAN: Final = "Edm.Boolean"
_INT: Final = "Edm.Int32"
_SUMMARY: Final = f"{DATA_ENTITIES}.DMFExecutionSummaryStatus"
_SUMMARIES: Final = f"Collection({_SUMMARY})"

_ENTITIES: Final = "DataManagementEntities"
_VERSIONS: Final = {
    "GetApplicationVersion": "10.0.43",
    "GetApplicationBuildVersion": "10.0.2177.37",
    "GetPlatformBuildVersion": "7.0.7606.40",
}
"""Action of ``DataManagementEntities`` → what it answers."""

_EXECUTION: Final = (("executionId", _STRING),)
_ENTITY: Final = (("executionId", _STRING), ("entityName", _STRING))
_IMPORT: Final = (
    ("packageUrl", _STRING),
    ("definitionGroupId", _STRING),
    ("executionId", _STRING),
    ("execute", _BOOLEAN),
    ("overwrite", _BOOLEAN),
    ("legalEntityId", _STRING),
)
_EXPORT: Final = (
    ("definitionGroupId", _STRING),
    ("packageName", _STRING),
    ("executionId", _STRING),
    ("reExecute", _BOOLEAN),
    ("legalEntityId", _STRING),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Action:
    parameters: tuple[tuple[str, str], ...]
    run: Callable[[DataManagement, Parameters, str], Any]
    returns: str = _STRING
    entity_set: str = _SET


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageActions:
    """What Data management adds to the OData service."""

    management: DataManagement

    @property
    def types(self) -> tuple[ActionType, ...]:
        """The actions as metadata describes them."""
        return TYPES

    def run(self, name: str, parameters: Parameters, root: str) -> tuple[str, Any]:
        """Run an action: the type and the value of its answer. Raises ``ScmFailure``."""
        action = ACTIONS[name]
        _check(name, action.parameters, parameters)
        try:
            return action.returns, action.run(self.management, parameters, root)
        except PackageError as error:
            raise failures.action_failed(self._word(name, str(error))) from error
        except BlobError as error:
            text = f"The remote server returned an error: ({error.status}) {error.text}"
            raise failures.action_failed(self._word(name, text)) from error
        except ScmFailure as failure:
            failure.inner = self._word(name, failure.inner)
            raise

    def _word(self, action: str, text: str) -> str:
        where = f"Exception occurred while executing action {action} on Entity {_ENTITY_TYPE}"
        return f"{where}: {translate_text(text, self.management.switches.language)}"

    def refresh(self, entity: ScmEntity) -> None:
        """Bring the execution records up to date before they are read."""
        self.management.refresh(entity)

    def prepare_deletion(self, entity: ScmEntity, row: ScmRow) -> None:
        """Make way for the deletion of a row."""
        self.management.prepare_deletion(entity, row)


def _check(name: str, wanted: tuple[tuple[str, str], ...], given: Parameters) -> None:
    for parameter, kind in wanted:
        value = given.get(parameter)
        fits = {
            _STRING: isinstance(value, str),
            _BOOLEAN: isinstance(value, bool),
            _INT: isinstance(value, int),
        }
        if not fits[kind]:
            raise failures.bad_payload(
                f"The parameter '{parameter}' of the operation '{name}' must be given as {kind}."
            )
    unknown = sorted(given.keys() - {parameter for parameter, _ in wanted})
    if unknown:
        raise failures.bad_payload(
            f"The parameter '{unknown[0]}' is not a valid parameter for the operation '{name}'."
        )


def _answer_nothing(_dm: DataManagement, _parameters: Parameters, _root: str) -> Literal[""]:
    return ""


def _name_version(version: str) -> Callable[[DataManagement, Parameters, str], str]:
    return lambda _dm, _parameters, _root: version


ACTIONS: Final[Mapping[str, _Action]] = {
    "GetAzureWriteUrl": _Action(
        parameters=(("uniqueFileName", _STRING),), run=importcalls.get_write_url
    ),
    "ImportFromPackage": _Action(parameters=_IMPORT, run=importcalls.import_package),
    "ImportFromPackageAsync": _Action(parameters=_IMPORT, run=importcalls.import_package_async),
    "GetExecutionSummaryStatus": _Action(
        parameters=_EXECUTION, run=statuscalls.get_status, returns=_SUMMARY
    ),
    "GetEntityExecutionSummaryStatusList": _Action(
        parameters=_EXECUTION, run=statuscalls.list_statuses, returns=f"Collection({_SUMMARY})"
    ),
    "GetExecutionSummaryPageUrl": _Action(parameters=_EXECUTION, run=statuscalls.get_page_url),
    "GetExecutionErrors": _Action(parameters=_EXECUTION, run=statuscalls.get_errors),
    "GetImportStagingErrorFileUrl": _Action(
        parameters=_ENTITY, run=statuscalls.get_staging_file_url
    ),
    "GenerateImportTargetErrorKeysFile": _Action(
        parameters=_ENTITY, run=statuscalls.make_keys_file, returns=_BOOLEAN
    ),
    "GetImportTargetErrorKeysFileUrl": _Action(
        parameters=_ENTITY, run=statuscalls.get_keys_file_url
    ),
    "GetMessageStatus": _Action(
        parameters=(("messageId", _STRING),), run=statuscalls.get_message_status
    ),
    "GetExecutionIdByMessageId": _Action(
        parameters=(("messageId", _STRING),), run=statuscalls.get_message_execution
    ),
    "ExportToPackage": _Action(parameters=_EXPORT, run=exportcalls.export_to_package),
    "ExportToPackageAsync": _Action(parameters=_EXPORT, run=exportcalls.export_to_package),
    "ExportToPackageDelta": _Action(parameters=_EXPORT, run=exportcalls.export_to_package),
    "ExportToPackagePreview": _Action(
        parameters=(*_EXPORT, ("count", _INT)), run=exportcalls.export_to_package
    ),
    "ExportToPackagePreviewAsync": _Action(
        parameters=(*_EXPORT, ("count", _INT)), run=exportcalls.export_to_package
    ),
    "ExportFromPackage": _Action(parameters=_IMPORT, run=exportcalls.export_from_package),
    "GetExportedPackageUrl": _Action(parameters=_EXECUTION, run=exportcalls.get_package_url),
    "DeleteExecutionHistoryJob": _Action(parameters=_EXECUTION, run=statuscalls.delete_history),
    **{
        name: _Action(parameters=(), run=_name_version(version), entity_set=_ENTITIES)
        for name, version in _VERSIONS.items()
    },
    "InitializeDataManagement": _Action(parameters=(), run=_answer_nothing, returns=""),
    "InitializeDataManagementAsync": _Action(parameters=(), run=_answer_nothing, returns=""),
}
"""Every action that the documentation describes, and those others that the package tools call."""

TYPES: Final = tuple(
    ActionType(
        name=name,
        entity_set=action.entity_set,
        parameters=action.parameters,
        returns=action.returns,
    )
    for name, action in ACTIONS.items()
)
"""The actions as metadata describes them."""
