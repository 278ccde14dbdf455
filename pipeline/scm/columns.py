"""The columns that templates fill, as a live SCM describes them.

Pure: the model of SCM comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.mapping.columns import EDM_KINDS, ColumnDeclaration, make_column
from pipeline.mapping.template import FieldRow, Template
from pipeline.scm.metadata import Model
from pipeline.suggest import suggest_several
from schemas.catalogue import Column, ColumnKind, Entity


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedColumns:
    """What SCM says of the columns that one template fills.

    ``found``: columns that differ from what the project knows of them. ``wrong``: a sentence for
    each column that cannot be filled; it is among ``found`` as a text, so that other mistakes can
    be told together with it.
    """

    found: dict[str, ColumnDeclaration] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def learn_columns(template: Template, entity: Entity, model: Model) -> LearnedColumns:
    """Look up a template's columns in SCM's metadata; nothing is found without the entity set.

    Args:
        template: rows in force.
        entity: what it fills, as catalogue and project know it.
        model: SCM's metadata.
    """
    learned = LearnedColumns()
    if entity.odata_set not in model.sets:
        return learned
    for row in template.rows:
        known = entity.column(row.destination)
        refusals = list(_find_refusals(row, entity, model))
        place = f"tasks.{template.task}.fields.{row.destination}"
        learned.wrong.extend(f"{place}: {one}" for one in refusals)
        declared = (
            ColumnDeclaration() if refusals else _describe(row.destination, known, entity, model)
        )
        if known is None or (not refusals and make_column(known.name, declared, known) != known):
            learned.found[row.destination] = declared
    return learned


def _find_refusals(row: FieldRow, entity: Entity, model: Model) -> Iterator[str]:
    """Why a column of SCM cannot be filled as the row wants it."""
    name, columns = row.destination, model.sets[entity.odata_set]
    if name not in columns:
        hint = suggest_several(name, columns)
        yield f"{entity.odata_set} in this SCM has no such column.{hint}"
        return
    kind, limit = columns[name], model.length(entity.odata_set, name)
    is_new = entity.column(name) is None
    if is_new and name in model.computed.get(entity.odata_set, ()):
        yield "SCM fills this column itself; take it out of the mapping."
    elif kind not in EDM_KINDS and kind not in model.enums:
        yield f"is of the type {kind} in this SCM, which p2c cannot fill."
    elif limit is not None and row.row.max_length is not None and row.row.max_length > limit:
        yield (
            f"max_length is {row.row.max_length}, but this SCM takes {limit} characters at the "
            "most. Lower it or leave it out."
        )


def _describe(name: str, known: Column | None, entity: Entity, model: Model) -> ColumnDeclaration:
    """What SCM says of a column; where it says nothing, what is known already."""
    said = model.sets[entity.odata_set][name]
    kind = EDM_KINDS.get(said, ColumnKind.ENUM)
    if kind is ColumnKind.TEXT and known is not None and known.kind is ColumnKind.ENUM:
        kind = ColumnKind.ENUM  # a text that takes the symbols of an enum only
    members = model.enums.get(said) or (
        known.members if known is not None and known.kind is kind else ()
    )
    length = model.length(entity.odata_set, name) or (known.length if known is not None else None)
    return ColumnDeclaration(
        type=kind,
        length=length if kind is ColumnKind.TEXT else None,
        members=members if kind in {ColumnKind.TEXT, ColumnKind.ENUM} else (),
        mandatory=known is not None and known.mandatory,
    )
