"""Columns of SCM beyond the catalogue: declared by a project, or read from a live SCM.

They stand beside the catalogue's columns and win over them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from pipeline.mapping.template import IN_DIGITS, list_entities_by_task
from pipeline.suggest import SettingProblem, suggest_nearest
from schemas.catalogue import BOOLEANS, NO_YES, Column, ColumnKind, Entity

WHOLE: Final = IN_DIGITS
"""How a setting says that it is a whole number."""

LEGAL_ENTITY: Final = "dataAreaId"
"""The column that every row gets from the legal entity of its contact."""

EDM_KINDS: Final = MappingProxyType(
    {
        "Edm.String": ColumnKind.TEXT,
        "Edm.Byte": ColumnKind.INTEGER,
        "Edm.SByte": ColumnKind.INTEGER,
        "Edm.Int16": ColumnKind.INTEGER,
        "Edm.Int32": ColumnKind.INTEGER,
        "Edm.Int64": ColumnKind.LONG,
        "Edm.Decimal": ColumnKind.DECIMAL,
        "Edm.Double": ColumnKind.DECIMAL,
        "Edm.Single": ColumnKind.DECIMAL,
        "Edm.Boolean": ColumnKind.BOOLEAN,
        "Edm.DateTimeOffset": ColumnKind.TIMESTAMP,
        "Edm.Guid": ColumnKind.GUID,
    }
)
"""What a column of each type of OData holds. Columns of other types cannot be filled."""

_FLAG: Final = "noyes"
_OTHER_WORDS: Final = MappingProxyType(
    {
        **{name.lower(): kind for name, kind in EDM_KINDS.items()},
        **{name.removeprefix("Edm.").lower(): kind for name, kind in EDM_KINDS.items()},
        "text": ColumnKind.TEXT,
        "int": ColumnKind.INTEGER,
        "real": ColumnKind.DECIMAL,
        "bool": ColumnKind.BOOLEAN,
        "datetime": ColumnKind.TIMESTAMP,
        "utcdatetime": ColumnKind.TIMESTAMP,
        "date": ColumnKind.TIMESTAMP,
    }
)
"""Further words for types, in lower case."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


_KIND_SCHEMA: Final = WithJsonSchema(
    {
        "type": "string",
        "title": f"{', '.join(ColumnKind)}, or a type of OData, as in Edm.Int32 or NoYes",
    }
)


def _read_kind(value: object) -> object:
    return _OTHER_WORDS.get(value.strip().lower(), value) if isinstance(value, str) else value


class ColumnDeclaration(BaseModel):
    """What a project says of one column of SCM."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Annotated[ColumnKind, BeforeValidator(_read_kind), _KIND_SCHEMA] | None = Field(
        None,
        description=(
            'What the column holds. If it is not set, it is the type that p2c knows, else "string".'
        ),
        examples=["string"],
    )
    length: Annotated[int, Field(ge=1), IN_DIGITS] | None = Field(
        None,
        description=(
            "The longest text, in characters (UTF-16 code units). If it is not set, it is the "
            "length that p2c knows, else any length passes."
        ),
        examples=[20],
    )
    members: tuple[str, ...] = Field(
        (),
        description=(
            "The values that the column takes, as SCM spells them. An enum needs them, the first "
            "one stands for a blank."
        ),
        examples=[["No", "Yes"]],
    )
    mandatory: bool = Field(
        default=False,
        description=(
            "Whether a row without a value is rejected. Columns that SCM always needs stay so."
        ),
        examples=[True],
    )

    @model_validator(mode="before")
    @classmethod
    def _read_flag(cls, given: object) -> object:
        """``NoYes`` is an enum whose members are known."""
        if not isinstance(given, dict) or str(given.get("type", "")).strip().lower() != _FLAG:
            return given
        return {"members": list(NO_YES), **given, "type": ColumnKind.ENUM}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.type is ColumnKind.ENUM and not self.members:
            raise ValueError("a column of the type enum needs members, as in ['No', 'Yes']")
        if self.length is not None and self.type not in {None, ColumnKind.TEXT}:
            raise ValueError("only a column of the type string has a length")
        if self.members and self.type not in {None, ColumnKind.TEXT, ColumnKind.ENUM}:
            raise ValueError("only a column of the type enum or string has members")
        return self


Declarations = Mapping[str, Mapping[str, ColumnDeclaration]]
"""Task → column → what is declared of it."""


def make_column(name: str, declared: ColumnDeclaration, known: Column | None) -> Column:
    """The column that a declaration makes, beside what the catalogue knows of it."""
    base = known or Column(name=name)
    kind = declared.type or base.kind
    is_same = kind is base.kind
    members = declared.members or (base.members if is_same else ())
    return dataclasses.replace(
        base,
        kind=kind,
        length=(declared.length or (base.length if is_same else None))
        if kind is ColumnKind.TEXT
        else None,
        members=BOOLEANS if kind is ColumnKind.BOOLEAN else members,
        mandatory=base.mandatory or declared.mandatory,
    )


def extend_entity(entity: Entity, declared: Mapping[str, ColumnDeclaration]) -> Entity:
    """An entity with declared columns; its own keep their places, new ones follow."""
    made = {name: make_column(name, one, entity.column(name)) for name, one in declared.items()}
    kept = [made.pop(one.name, one) for one in entity.columns]
    return dataclasses.replace(entity, columns=(*kept, *made.values()))


def make_entities(declarations: Declarations) -> dict[str, Entity]:
    """Task → the entity that it fills, with the columns that are declared of it."""
    return {
        task: extend_entity(entity, declarations.get(task, {}))
        for task, entity in list_entities_by_task().items()
    }


def find_declaration_problems(declarations: Declarations) -> Iterator[SettingProblem]:
    """What is wrong with ``[columns]``: tasks and names, a sentence each."""
    entities = list_entities_by_task()
    for task, columns in declarations.items():
        if task not in entities:
            hint = suggest_nearest(task, entities) or f" Known are {', '.join(entities)}."
            yield SettingProblem(f"columns.{task}", f"unknown task '{task}'.{hint}")
            continue
        spelled = {one.name.lower(): one.name for one in entities[task].columns}
        for name in columns:
            where = f"columns.{task}.{name}"
            other = spelled.setdefault(name.lower(), name)
            if name.lower() == LEGAL_ENTITY.lower():
                yield SettingProblem(where, REFUSED_COMPANY)
            elif not _NAME.fullmatch(name):
                text = "is not the name of a column: letters, digits and '_' only, as OData has it."
                yield SettingProblem(where, text)
            elif other != name:
                text = f"differs from '{other}' in upper and lower case only; use that spelling."
                yield SettingProblem(where, text)


REFUSED_COMPANY: Final = (
    "p2c fills this column itself, with the legal entity of the contact. Use "
    "destination.legal_entity and [organizations]."
)
