"""The fields of a contact's planned row: each with its source, transform, result and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from pipeline.audit.story import CheckStory, DecisionRow, FieldStory, FindingRow, PlannedRow
from pipeline.mapping.paths import COMPANY, CURRENCY, name_text_column
from pipeline.mapping.template import FieldRow, Template
from pipeline.project.resolve import Project
from pipeline.show.templates import describe_transform
from schemas.catalogue import Column

_BROKEN: Final = {
    "mandatory_missing": "mandatory",
    "too_long": "length",
    "truncated": "length",
    "blanked": "length",
    "value_not_allowed": "members",
    "value_invalid": "type",
    "value_not_mapped": "map",
    "country_unknown": "map",
    "state_unknown": "map",
}
"""Code of a finding → the check of its column that did not hold."""


def tell_fields(
    template: Template,
    project: Project,
    source: Mapping[str, str],
    planned: PlannedRow,
    decision: DecisionRow,
    findings: Sequence[FindingRow],
) -> list[FieldStory]:
    """One entry per row of the mapping.

    The result of a row that was not planned is worked out again, and marked so.

    ``result_from`` is null where the result is not known: the row read is gone, or its currency is
    a reference.
    """
    entity = project.settings.entities[template.task]
    results = dict(planned) or _work_out(template, project, source, decision)
    return [
        {
            "destination": row.destination,
            "source": row.row.source,
            "value": _pick_value(row, source, decision),
            "transform": describe_transform(row),
            "result": results.get(row.destination),
            "result_from": "plan" if planned else "mapping" if row.destination in results else None,
            "checks": _list_checks(entity.column(row.destination), row, findings),
        }
        for row in template.rows
    ]


def _work_out(
    template: Template, project: Project, source: Mapping[str, str], decision: DecisionRow
) -> dict[str, object]:
    if not source:
        return {}
    mapping = project.mappings()[template.task]
    given = {**source, COMPANY: decision["company_key"]}
    texts = {name_text_column(name): [given.get(name)] for name in mapping.sources}
    row = mapping.apply(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))).frame.row(
        0, named=True
    )
    hidden = source.get("transactioncurrencyid") is not None and source.get(CURRENCY) is None
    unknown = (
        {one.destination for one in template.rows if one.row.source == CURRENCY}
        if hidden
        else set()
    )
    return {name: value for name, value in row.items() if name not in unknown}


def _list_checks(
    column: Column | None, row: FieldRow, findings: Sequence[FindingRow]
) -> list[CheckStory]:
    """The rules that a column's value must keep, and whether it did."""
    if column is None:
        return []
    limit = row.row.max_length or column.length
    rules = {
        "map": "is in its map or list"
        if row.row.value_map is not None or row.row.country or row.row.state
        else None,
        "type": f"is of type {column.kind.value}" if column.dtype != pl.String() else None,
        "mandatory": "is filled" if column.mandatory else None,
        "length": f"has at most {limit} characters"
        if limit and column.dtype == pl.String() and not column.members
        else None,
        "members": f"is one of {column.members_text}" if column.members else None,
    }
    broken = {
        _BROKEN.get(one["code"], ""): one["code"]
        for one in findings
        if one["destination"] == row.destination
    }
    rules |= {name: rules.get(name) or f"is {name}" for name in broken if name}
    return [
        {"rule": rule, "holds": name not in broken, "code": broken.get(name)}
        for name, rule in rules.items()
        if rule
    ]


def _pick_value(row: FieldRow, source: Mapping[str, str], decision: DecisionRow) -> str | None:
    name = row.row.source
    if name is None:
        return None
    return decision["company_key"] if name == COMPANY else source.get(name)
