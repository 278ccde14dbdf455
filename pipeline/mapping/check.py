"""A template held against both systems' catalogues, before anything is read. All problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.mapping.lookup import read_key
from pipeline.mapping.paths import PATHS
from pipeline.mapping.template import FieldRow, OnUnknown, Template
from pipeline.suggest import near
from schemas.catalogue import Column, Entity, Table
from schemas.sales import TABLES
from schemas.scm import ENTITIES
from schemas.text import fold

SETTINGS: tuple[str, ...] = ("destination.currency", "destination.country")
"""Settings that a row's ``default_setting`` may name."""


def problems(template: Template, extra_sources: Collection[str] = ()) -> list[str]:
    """What is wrong with a template, a sentence each; empty when it can be compiled.

    Args:
        template: rows in force.
        extra_sources: columns that the user's file has beyond the catalogue.
    """
    entity, table = ENTITIES[template.entity], TABLES[template.source]
    found = [text for row in template.rows for text in _row(template, row, entity, table, extra_sources)]
    return found + list(_missing(template, entity))


def _row(template: Template, row: FieldRow, entity: Entity, table: Table, extra: Collection[str]) -> Iterator[str]:
    where = f"tasks.{template.task}.fields.{row.destination}"
    column = entity.column(row.destination)
    if column is None:
        names = [one.name for one in entity.columns]
        yield f"{where}: {entity.name} has no column '{row.destination}'.{near(row.destination, names)}"
        return
    yield from (f"{where}: {text}" for text in _source(row, table, extra))
    yield from (f"{where}: {text}" for text in _shape(row))
    yield from (f"{where}: {text}" for text in _values(row, column, table))


def _source(row: FieldRow, table: Table, extra: Collection[str]) -> Iterator[str]:
    source = row.row.source
    if source is None:
        if row.row.default is None and row.row.default_setting is None:
            yield "needs a source or a default."
        return
    known = [*(one.name for one in table.fields), *PATHS, *extra]
    if source in known:
        return
    if "." in source:
        yield f"unknown path '{source}'. Paths that can be followed: {', '.join(PATHS)}."
    else:
        yield f"unknown source column '{source}'.{near(source, known)}"


def _shape(row: FieldRow) -> Iterator[str]:
    rule = row.row
    if rule.country and rule.state:
        yield "country and state exclude each other."
    if rule.on_unknown is OnUnknown.DEFAULT and rule.default is None and rule.default_setting is None:
        yield 'on_unknown = "default" needs a default.'
    if rule.max_length is not None and rule.max_length < 1:
        yield "max_length must be at least 1."
    if rule.default_setting is not None and rule.default_setting not in SETTINGS:
        yield f"default_setting '{rule.default_setting}' is none of {', '.join(SETTINGS)}."
    if rule.source is None and (rule.value_map or rule.country or rule.state):
        yield "a value map, country or state needs a source."


def _values(row: FieldRow, column: Column, table: Table) -> Iterator[str]:
    rule = row.row
    field = table.field(rule.source) if rule.source and not rule.country else None
    seen: dict[str, str] = {}
    for key in rule.value_map or {}:
        folded = read_key(key, field)
        if folded in seen:
            yield f"value_map has the keys '{seen[folded]}' and '{key}', which mean the same."
        seen[folded] = key
    for text in [*(rule.value_map or {}).values(), *([rule.default] if rule.default else [])]:
        if column.members and fold(text) and text not in column.members:
            yield f"'{text}' is none of {', '.join(column.members)}.{near(text, column.members)}"
        limit = rule.max_length or column.length
        if limit and len(text.encode("utf-16-le")) // 2 > limit:
            yield f"'{text}' is longer than {limit} characters."


def _missing(template: Template, entity: Entity) -> Iterator[str]:
    for column in entity.columns:
        if column.mandatory and template.row(column.name) is None:
            yield f"tasks.{template.task}.fields.{column.name}: {entity.name} needs this column; map it."
    if not any(template.row(name) for name in entity.person_name):
        yield f"tasks.{template.task}: {entity.name} needs one of {', '.join(entity.person_name)}; map one."
