"""A template held against both systems' catalogues, before anything is read.

All problems at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pipeline.mapping.countries import find_country
from pipeline.mapping.lookup import read_key
from pipeline.mapping.paths import PATHS
from pipeline.mapping.template import FieldRow, MappingRow, OnBlank, OnUnknown, Template
from pipeline.suggest import SettingProblem, suggest_nearest
from schemas.catalogue import Column, ColumnKind, Entity, Table
from schemas.sales import TABLES
from schemas.scm import ENTITIES
from schemas.text import fold_text

SETTINGS: tuple[str, ...] = ("destination.currency", "destination.country")
"""Settings that a row's ``default_setting`` may name."""


def find_extra_sources(templates: Iterable[Template]) -> set[str]:
    """Source columns beyond the catalogue.

    Only the user's file shows whether they are there.
    """
    return {
        row.row.source
        for template in templates
        for row in template.rows
        if row.row.source
        and "." not in row.row.source
        and TABLES[template.source].field(row.row.source) is None
    }


def find_problems(template: Template, extra: Collection[str] = ()) -> list[SettingProblem]:
    """What is wrong with a template, a sentence each; empty when it can be compiled.

    Args:
        template: rows in force.
        extra: columns that the user's file has beyond the catalogue.
    """
    entity, table = ENTITIES[template.entity], TABLES[template.source]
    found = [
        text for row in template.rows for text in _check_row(template, row, entity, table, extra)
    ]
    return found + list(_check_missing(template, entity))


def _check_row(
    template: Template, row: FieldRow, entity: Entity, table: Table, extra: Collection[str]
) -> Iterator[SettingProblem]:
    where = f"tasks.{template.task}.fields.{row.destination}"
    column = entity.column(row.destination)
    if column is None:
        names = [one.name for one in entity.columns]
        hint = suggest_nearest(row.destination, names)
        yield SettingProblem(where, f"{entity.name} has no column '{row.destination}'.{hint}")
        return
    for text in (
        *_check_source(row.row, table, extra),
        *_check_shape(row.row),
        *_check_keys(row.row, table),
        *_check_values(row.row, column),
        *_check_blank(row.row, column),
    ):
        yield SettingProblem(where, text)


def _check_source(rule: MappingRow, table: Table, extra: Collection[str]) -> Iterator[str]:
    if rule.source is None:
        if rule.default is None and rule.default_setting is None:
            yield "needs a source or a default."
        return
    known = [*(one.name for one in table.fields), *PATHS, *extra]
    if rule.source in known:
        return
    if "." in rule.source:
        yield f"unknown path '{rule.source}'. Paths that can be followed: {', '.join(PATHS)}."
    else:
        yield f"unknown source column '{rule.source}'.{suggest_nearest(rule.source, known)}"


def _check_shape(rule: MappingRow) -> Iterator[str]:
    listed = rule.value_map is not None or rule.country or rule.state
    has_default = rule.default is not None or rule.default_setting is not None
    if rule.country and rule.state:
        yield "country and state exclude each other."
    if rule.default is not None and rule.default_setting is not None:
        yield "default and default_setting exclude each other."
    if rule.on_unknown is OnUnknown.DEFAULT and not has_default:
        yield 'on_unknown = "default" needs a default.'
    if rule.on_unknown is not OnUnknown.REJECT and not listed:
        yield "on_unknown needs a value_map, country or state; without one no value is unknown."
    if rule.default_setting is not None and rule.default_setting not in SETTINGS:
        yield (
            f"default_setting '{rule.default_setting}' is not one of "
            f"{', '.join(SETTINGS)}.{suggest_nearest(rule.default_setting, SETTINGS)}"
        )
    if rule.source is None and listed:
        yield "a value map, country or state needs a source."


def _check_keys(rule: MappingRow, table: Table) -> Iterator[str]:
    """Two keys of one meaning, and keys that no value can meet."""
    field = (
        table.field(rule.source) if rule.source and not rule.country and not rule.state else None
    )
    seen: dict[str, str] = {}
    for key in rule.value_map or {}:
        folded = read_key(key, field)
        if folded in seen:
            yield f"value_map has the keys '{seen[folded]}' and '{key}', which mean the same."
        seen[folded] = key
        code = find_country(key)
        if (
            rule.country
            and rule.on_unknown is not OnUnknown.PASS
            and folded
            and (code is None or fold_text(code) != folded)
        ):
            meant = f" Did you mean '{code}'?" if code else ""
            yield (
                f"value_map has the key '{key}', but after country = true its keys are ISO 3166-1 "
                f"codes of two letters.{meant}"
            )


def _check_values(rule: MappingRow, column: Column) -> Iterator[str]:
    limit = rule.max_length or column.length
    for text in [*(rule.value_map or {}).values(), *([rule.default] if rule.default else [])]:
        if column.members and fold_text(text) and text not in column.members:
            hint = suggest_nearest(text, column.members)
            yield f"'{text}' is not one of {', '.join(column.members)}.{hint}"
        if limit and len(text.encode("utf-16-le")) // 2 > limit:
            yield f"'{text}' is longer than {limit} characters."
        if (
            column.kind in (ColumnKind.DECIMAL, ColumnKind.INTEGER)
            and fold_text(text)
            and not _is_number(text, column.kind)
        ):
            yield f"'{text}' is not of the type {column.kind.value}."


def _is_number(text: str, kind: ColumnKind) -> bool:
    whole, point, rest = text.removeprefix("-").partition(".")
    digits = whole.isascii() and whole.isdigit()
    return digits and (
        not point or (kind is ColumnKind.DECIMAL and rest.isascii() and rest.isdigit())
    )


def _check_blank(rule: MappingRow, column: Column) -> Iterator[str]:
    """A row that is to keep what SCM has where it is never blank."""
    if rule.on_blank is not OnBlank.KEEP:
        return
    if column.key:
        yield "a key is never blank; leave on_blank out."
    elif rule.default is not None and fold_text(rule.default):
        yield "the default fills blanks, so on_blank never applies; set one of the two."


def _check_missing(template: Template, entity: Entity) -> Iterator[SettingProblem]:
    for column in entity.columns:
        if column.mandatory and template.row(column.name) is None:
            yield SettingProblem(
                f"tasks.{template.task}.fields.{column.name}",
                f"{entity.name} needs this column; map it.",
            )
    if not any(template.row(name) for name in entity.person_name):
        yield SettingProblem(
            f"tasks.{template.task}",
            f"{entity.name} needs one of {', '.join(entity.person_name)}; map one.",
        )
