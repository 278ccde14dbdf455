"""What names in ``$filter`` and ``$orderby`` mean in SCM's entities.

Operators only, no functions and no ``in``; enums take ``eq`` and ``ne`` and are written as
``Microsoft.Dynamics.DataEntities.NoYes'Yes'``; a text with ``*`` is a pattern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from pipeline.sandbox.odata.columns import SqlColumn
from pipeline.sandbox.odata.tree import ODataError, Scalar, ValueKind
from pipeline.sandbox.scm import entities
from pipeline.sandbox.scm.entities import DATA_ENTITIES, Property, ScmEntity
from pipeline.sandbox.scm.payload import name_edm_type

_KINDS: Final = {
    entities.PropertyKind.STRING: ValueKind.TEXT,
    entities.PropertyKind.ENUM: ValueKind.ENUM,
    entities.PropertyKind.INT: ValueKind.INTEGER,
    entities.PropertyKind.INT64: ValueKind.INTEGER,
    entities.PropertyKind.DECIMAL: ValueKind.DECIMAL,
    entities.PropertyKind.DATETIME: ValueKind.TIMESTAMP,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityScope:
    """One entity set."""

    entity: ScmEntity

    @property
    def functions(self) -> frozenset[str]:
        """SCM knows none."""
        return frozenset()

    @property
    def lists(self) -> bool:
        """SCM does not know ``in``."""
        return False

    def column(self, names: Sequence[str]) -> SqlColumn:
        """The column of a property."""
        one = find_property(self.entity, "/".join(names))
        return SqlColumn(
            sql=f'"{one.name}"',
            kind=_KINDS[one.kind],
            type_name=name_edm_type(one),
            members={name: name for name in one.members} if one.members else None,
            wildcards=True,
        )

    def members(self, names: Sequence[str], variable: str) -> NoReturn:
        """There are no collections."""
        _ = variable
        raise ODataError(
            f"Any/All may only be used following a collection. '{'/'.join(names)}' is none."
        )

    def query_function(
        self, name: str, parameters: Mapping[str, Scalar | tuple[Scalar, ...]]
    ) -> NoReturn:
        """There are no functions."""
        _ = parameters
        raise ODataError(f"An unknown function with name '{name}' was found.")


def find_property(entity: ScmEntity, name: str) -> Property:
    """A property by its name. Raises ``ODataError``."""
    found = entity.by_name.get(name)
    if found is None:
        raise ODataError(
            f"Could not find a property named '{name}' on type '{DATA_ENTITIES}.{entity.type}'."
        )
    return found
