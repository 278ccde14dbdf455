"""Definition groups, which the user interface calls data projects.

Made from a manifest, or over OData.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.sandbox.scm.dmf.package import EntityFile, GivenPackage, PackageError
from pipeline.sandbox.scm.entities import ENTITIES
from pipeline.sandbox.scm.store import ScmRow, ScmStore

GROUP_ENTITY: Final = ENTITIES["DataManagementDefinitionGroups"]
GROUP_DETAILS: Final = ENTITIES["DataManagementDefinitionGroupDetails"]

_NAME_LENGTH: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """The definition groups of one SCM."""

    store: ScmStore

    def find(self, name: str) -> ScmRow | None:
        """The group with this name."""
        return self.store.find(GROUP_ENTITY, {"Name": name})

    def details(self, name: str) -> list[ScmRow]:
        """The entities of a group, in their order of execution."""
        order = '"ExecutionUnit", "LevelInExecutionUnit", "SequenceInLevel"'
        return self.store.select(
            f'SELECT * FROM "{GROUP_DETAILS.name}" WHERE "DefinitionGroupId" = ? ORDER BY {order}',
            [name],
        )

    def truncates(self, name: str) -> bool:
        """Whether an import of this group deletes the target rows first."""
        group = self.find(name)
        return group is not None and group["TruncateEntityData"] == "Yes"

    def prepare(self, name: str, package: GivenPackage, *, overwrite: bool) -> None:
        """Create or replace the group as the manifest has it.

        Without ``overwrite`` it must be there. Raises ``PackageError``.
        """
        if not name or len(name) > _NAME_LENGTH:
            raise PackageError(
                f"The definition group needs a name of at most {_NAME_LENGTH} characters."
            )
        group = self.find(name)
        if group is None and not overwrite:
            raise PackageError(f"Definition group '{name}' does not exist.")
        if not overwrite:
            return
        if len(package.description) > _NAME_LENGTH:
            raise PackageError(
                f"The description of the definition group has more than {_NAME_LENGTH} characters."
            )
        with self.store.transaction():
            if group is None:
                self._insert(
                    GROUP_ENTITY.name,
                    {
                        "Name": name,
                        "Description": package.description,
                        "OperationType": "Import",
                    },
                )
            for row in self.details(name):
                self.store.delete(GROUP_DETAILS, row)
            for definition in {one.label: one for one in package.entities}.values():
                self._insert(GROUP_DETAILS.name, _detail(name, definition))

    def make_way(self, name: str) -> None:
        """Delete what hangs on a group before it is deleted itself."""
        for row in self.details(name):
            self.store.delete(GROUP_DETAILS, row)

    def _insert(self, name: str, values: Mapping[str, Any]) -> None:
        entity = ENTITIES[name]
        self.store.insert(entity, {**entity.blank, **values})


def _detail(group: str, definition: EntityFile) -> dict[str, Any]:
    return {
        "DefinitionGroupId": group,
        "EntityName": definition.label,
        "SourceFormat": definition.source_format,
        "AutoGenerateMapping": "No",
        "ExecutionUnit": definition.unit,
        "LevelInExecutionUnit": definition.level,
        "SequenceInLevel": definition.sequence,
    }
