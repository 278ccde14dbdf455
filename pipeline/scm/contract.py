"""Templates compared with a live SCM: its entity sets, columns and enums. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.mapping.compile import CompiledTemplate, Target
from pipeline.scm.literals import COMPANY
from pipeline.scm.metadata import Model
from pipeline.suggest import suggest_nearest, suggest_several
from schemas.catalogue import ColumnKind


def check_contract(mappings: Iterable[CompiledTemplate], model: Model) -> list[str]:
    """What SCM would not accept of the templates, one sentence each.

    Empty when every column and every fixed value fits.
    """
    return [text for mapping in mappings for text in _check_mapping(mapping, model)]


def check_keys(mappings: Iterable[CompiledTemplate], model: Model) -> list[str]:
    """Entity sets whose records have another key in this SCM, one sentence each.

    The legal entity belongs to it, whether the document says so or not.
    """
    found = []
    for entity in (one.entity for one in mappings):
        ours, theirs = (COMPANY, *entity.key), model.keys.get(entity.odata_set)
        if theirs is not None and _fold_key(theirs) != _fold_key(ours):
            found.append(
                f"{entity.odata_set} in this SCM has the key {', '.join(theirs)}, and p2c knows "
                f"its records by {', '.join(ours)}. Check destination.url; another version of SCM "
                "needs another version of p2c."
            )
    return found


def _fold_key(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names} - {COMPANY.lower()}


def find_unfilled(mappings: Iterable[CompiledTemplate], model: Model) -> Iterator[tuple[str, str]]:
    """Task and column: what a new record must have in this SCM, and the template does not fill."""
    for mapping in mappings:
        filled = {one.name for one in mapping.targets}
        for name in model.required.get(mapping.entity.odata_set, ()):
            if name not in filled and name.lower() != COMPANY.lower():
                yield mapping.template.task, name


def _check_mapping(mapping: CompiledTemplate, model: Model) -> Iterator[str]:
    entity, task = mapping.entity, mapping.template.task
    if entity.odata_set not in model.sets:
        hint = suggest_nearest(entity.odata_set, model.sets)
        yield (
            f"SCM publishes no entity set {entity.odata_set} ({entity.name}), which task {task} "
            f"fills.{hint} Check destination.url, and the licence configuration of SCM."
        )
        return
    columns = model.sets[entity.odata_set]
    for target in mapping.targets:
        place = f"tasks.{task}.fields.{target.name}"
        if target.name not in columns:
            yield (
                f"{place}: {entity.odata_set} in this SCM has no such "
                f"column.{suggest_several(target.name, columns)}"
            )
        else:
            yield from _check_enum(target, place, model.enums.get(columns[target.name]))


def _check_enum(target: Target, place: str, members: tuple[str, ...] | None) -> Iterator[str]:
    """Values that the template can produce for an enum column and that SCM does not know."""
    if not members or target.column.kind is not ColumnKind.ENUM:
        return
    for value in list_fixed_values(target):
        if value not in members:
            yield (
                f"{place}: SCM does not know '{value}'; it takes "
                f"{', '.join(members)}.{suggest_nearest(value, members)}"
            )


def list_fixed_values(target: Target) -> tuple[str, ...]:
    """Values that a row of a template can produce, whatever the source says.

    These are its default and the right side of its value map.
    """
    mapped = (target.row.row.value_map or {}).values()
    return tuple(dict.fromkeys(value for value in (*mapped, target.default) if value))
