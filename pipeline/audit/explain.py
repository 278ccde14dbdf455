"""One contact's story: the row read, the evidence, the rule, each field with source, transform, result and checks, its way on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from pipeline.audit.earlier import earlier_runs
from pipeline.audit.source import contact_row
from pipeline.audit.story import Story, told
from pipeline.errors import UsageError
from pipeline.mapping.paths import COMPANY, CURRENCY, column_of
from pipeline.mapping.template import FieldRow, Template
from pipeline.project.resolve import Project
from pipeline.run.evidence import Evidence, gathered
from pipeline.run.folder import RunFolder
from pipeline.show.templates import transform_text
from schemas.scm import ENTITIES
from schemas.text import WHITE_SPACE
from sql.session import session

__all__ = ["Story", "explained", "told"]

_BROKEN: Final = {
    "mandatory_missing": "mandatory", "too_long": "length", "truncated": "length", "blanked": "length",
    "value_not_allowed": "members", "value_invalid": "type", "value_not_mapped": "map", "country_unknown": "map",
    "state_unknown": "map",
}  # fmt: skip
"""Code of a finding → the check of its column that did not hold."""


def explained(
    folder: RunFolder, project: Project, contact: str, earlier: Sequence[RunFolder]
) -> list[Story]:
    """The stories of the contacts that a contactid or contact number means.

    Several when a number is shared.

    Raises:
        UsageError: the run has no such contact, or its decisions cannot be read.
    """
    evidence = gathered(folder)
    wanted = contact.strip(WHITE_SPACE).strip("{}").lower()
    found = evidence.frame(
        folder.decisions,
        lambda rows: rows.filter(
            (pl.col("contactid").str.to_lowercase() == wanted)
            | (pl.col("contact_number").str.to_lowercase() == wanted)
        ),
    )
    if found is None:
        raise UsageError(
            f"{evidence.troubles[-1].sentence} `p2c verify {folder.run}` says more.",
            where=str(folder.run),
        )
    if found.is_empty():
        raise UsageError(
            f"no contact of this run has that contactid or contact number. Run {folder.run}."
        )
    return [
        _story(evidence, project, row, earlier)
        for row in found.sort("source_file", "source_line").iter_rows(named=True)
    ]


def _story(
    evidence: Evidence, project: Project, decision: dict[str, Any], earlier: Sequence[RunFolder]
) -> Story:
    contactid, task = decision["contactid"], decision["task"]
    place = (pl.col("source_file") == decision["source_file"]) & (
        pl.col("source_line") == decision["source_line"]
    )
    findings = _rows(
        evidence, [evidence.folder.findings], place & pl.col("contactid").eq_missing(contactid)
    )
    planned = (
        _first(_rows(evidence, evidence.folder.rows_files(task), pl.col("contactid") == contactid))
        if task
        else {}
    )
    with session() as here:
        source = contact_row(here, evidence, decision["source_file"], decision["source_line"])
    template = project.templates.get(task) if task else None
    return Story(
        decision=decision,
        findings=findings,
        source=source,
        fields=[]
        if template is None
        else _fields(template, project, source, planned, decision, findings),
        planned=planned,
        batch=_batch(evidence, task, planned),
        outcome=_first(
            _rows(evidence, [evidence.folder.outcomes], pl.col("contactid") == contactid)
        ),
        earlier=earlier_runs(earlier, contactid),
        notes=[one.sentence for one in evidence.troubles],
    )


def _rows(evidence: Evidence, files: Sequence[Any], condition: pl.Expr) -> list[dict[str, Any]]:
    found = evidence.frame(files, lambda rows: rows.filter(condition)) if files else None
    return [] if found is None else found.to_dicts()


def _first(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return rows[0] if rows else {}


def _batch(evidence: Evidence, task: str | None, planned: Mapping[str, Any]) -> dict[str, Any]:
    if planned.get("batch") is None:
        return {}
    same = (
        (pl.col("task") == task)
        & (pl.col("legal_entity") == planned["legal_entity"])
        & (pl.col("batch") == planned["batch"])
    )
    return _first(_rows(evidence, [evidence.folder.batches], same))


def _fields(
    template: Template,
    project: Project,
    source: Mapping[str, Any],
    planned: Mapping[str, Any],
    decision: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """One entry per row of the mapping.

    The result of a row that was not planned is worked out again, and marked so.

    ``result_from`` is null where the result is not known: the row read is gone, or its currency is
    a reference.
    """
    results = dict(planned) or _worked_out(template, project, source, decision)
    return [
        {
            "destination": row.destination,
            "source": row.row.source,
            "value": _value(row, source, decision),
            "transform": transform_text(row),
            "result": results.get(row.destination),
            "result_from": "plan" if planned else "mapping" if row.destination in results else None,
            "checks": _checks(template, row, findings),
        }
        for row in template.rows
    ]


def _worked_out(
    template: Template, project: Project, source: Mapping[str, Any], decision: Mapping[str, Any]
) -> dict[str, Any]:
    if not source:
        return {}
    mapping = project.mappings()[template.task]
    given = {**source, COMPANY: decision["company_key"]}
    texts = {column_of(name): [given.get(name)] for name in mapping.sources}
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


def _checks(
    template: Template, row: FieldRow, findings: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rules that a column's value must keep, and whether it did."""
    column = ENTITIES[template.entity].column(row.destination)
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
        "members": f"is one of {', '.join(column.members)}" if column.members else None,
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


def _value(row: FieldRow, source: Mapping[str, Any], decision: Mapping[str, Any]) -> Any:
    name = row.row.source
    if name is None:
        return None
    return decision["company_key"] if name == COMPANY else source.get(name)
