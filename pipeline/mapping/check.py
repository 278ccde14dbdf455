"""A template held against both systems' catalogues, before anything is read.

All problems at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pipeline.mapping.casting import is_of_type
from pipeline.mapping.columns import (
    LEGAL_ENTITY,
    REFUSED_COMPANY,
    Declarations,
    find_declaration_problems,
    make_entities,
)
from pipeline.mapping.countries import find_country
from pipeline.mapping.lookup import read_key
from pipeline.mapping.paths import PATHS
from pipeline.mapping.template import FieldRow, MappingRow, OnBlank, OnUnknown, Template
from pipeline.suggest import SettingProblem, suggest_nearest
from schemas.catalogue import Entity, Table
from schemas.sales import TABLES
from schemas.scm import ENTITIES, is_currency
from schemas.text import fold_text

_RESERVED = frozenset(
    {"filename", "file_row_number", "passes_filter", "source_file", "source_line", "source_row"}
)
"""Columns, in lower case, that p2c or its query engine adds to those of the source."""
_PREFIXES = ("*", "^", "raw:", "text:", "say:")
"""Beginnings of names that stand for something else."""
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


def find_all_problems(
    templates: Mapping[str, Template], declarations: Declarations, *, scm_decides: bool
) -> list[SettingProblem]:
    """What is wrong with ``[columns]`` and with the templates that may use them.

    ``scm_decides``: see ``find_problems``.
    """
    return [
        *find_declaration_problems(declarations),
        *find_template_problems(templates, make_entities(declarations), scm_decides=scm_decides),
    ]


def find_template_problems(
    templates: Mapping[str, Template], entities: Mapping[str, Entity], *, scm_decides: bool = False
) -> list[SettingProblem]:
    """What is wrong with templates, of which each may use the columns that another one reads.

    Args:
        templates: rows in force, by task.
        entities: what they fill, by task.
        scm_decides: see ``find_problems``.
    """
    extra = find_extra_sources(templates.values())
    return [
        problem
        for task, one in templates.items()
        for problem in find_problems(one, extra, entity=entities[task], scm_decides=scm_decides)
    ]


def find_problems(
    template: Template,
    extra: Collection[str] = (),
    *,
    entity: Entity | None = None,
    scm_decides: bool = False,
) -> list[SettingProblem]:
    """What is wrong with a template, a sentence each; empty when it can be compiled.

    Args:
        template: rows in force.
        extra: columns that the user's file has beyond the catalogue.
        entity: what the template fills, with the columns of the project; none: as catalogued.
        scm_decides: a live SCM will say which columns it has and what they take: nothing is said
            of that here.
    """
    filled, table = entity or ENTITIES[template.entity], TABLES[template.source]
    found = [
        SettingProblem(f"tasks.{template.task}.fields.{row.destination}", text)
        for row in template.rows
        for text in _check_unknown(template, row, filled, scm_decides=scm_decides)
        or [
            *_check_rule(row.row, table, extra),
            *_check_blank(row, filled),
            *([] if scm_decides else _check_values(row, filled)),
        ]
    ]
    return found + list(_check_missing(template, filled))


def _check_unknown(
    template: Template, row: FieldRow, entity: Entity, *, scm_decides: bool
) -> list[str]:
    """What is wrong with the column that a row fills."""
    name = row.destination
    if name.lower() == LEGAL_ENTITY.lower():
        return [REFUSED_COMPANY]
    if scm_decides or entity.column(name) is not None:
        return []
    hint = suggest_nearest(name, [one.name for one in entity.columns])
    text = (
        f"p2c knows no column '{name}' of {entity.name}.{hint} If your SCM has it, declare it in "
        f"[columns.{template.task}], or set destination.url, and p2c asks SCM."
    )
    return [text]


def _check_rule(rule: MappingRow, table: Table, extra: Collection[str]) -> Iterator[str]:
    """What is wrong with a row, whatever column it fills."""
    yield from _check_source(rule, table, extra)
    yield from _check_shape(rule)
    yield from _check_keys(rule, table)


def _check_source(rule: MappingRow, table: Table, extra: Collection[str]) -> Iterator[str]:
    if rule.source is None:
        if rule.default is None and rule.default_setting is None:
            yield "needs a source or a default."
        return
    if rule.source.lower() in _RESERVED or rule.source.startswith(_PREFIXES):
        yield (
            f"'{rule.source}' cannot be a source column: p2c itself uses that name. Rename the "
            "column in the export."
        )
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


def _check_values(row: FieldRow, entity: Entity) -> Iterator[str]:
    """Whether the column takes the fixed values of its row."""
    column, rule = entity.column(row.destination), row.row
    if column is None:
        return
    limit = rule.max_length or column.length
    for text in [*(rule.value_map or {}).values(), *([rule.default] if rule.default else [])]:
        if column.members and fold_text(text) and text not in column.members:
            hint = suggest_nearest(text, column.members)
            yield f"'{text}' is not one of {column.members_text}.{hint}"
        if limit and len(text.encode("utf-16-le")) // 2 > limit:
            yield f"'{text}' is longer than {limit} characters."
        if fold_text(text) and column.name == "SalesCurrencyCode" and not is_currency(text):
            yield f"'{text}' is not a currency of ISO 4217."
        if fold_text(text) and not column.members and not is_of_type(text, column):
            yield f"'{text}' is not of the type {column.kind.value}."


def _check_blank(row: FieldRow, entity: Entity) -> Iterator[str]:
    """A row that is to keep what SCM has where it is never blank."""
    rule = row.row
    if rule.on_blank is not OnBlank.KEEP:
        return
    if row.destination in entity.key:
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
