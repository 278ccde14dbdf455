"""One contact's story: the row read, the evidence, the rule, each field with source, transform and result, and its way on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import UsageError
from pipeline.folder import RunFolder
from pipeline.mapping.template import FieldRow, Template
from pipeline.project import Project
from pipeline.show import transform_text
from schemas.codes import code
from schemas.text import WHITE_SPACE
from sql.session import literal, session


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """What is known of one contact in one run."""

    decision: dict[str, Any]
    findings: list[dict[str, Any]]
    source: dict[str, Any]
    fields: list[dict[str, Any]]
    planned: dict[str, Any]
    batch: dict[str, Any]
    outcome: dict[str, Any]
    earlier: list[dict[str, Any]]


def explained(folder: RunFolder, project: Project, contact: str, earlier: list[RunFolder]) -> list[Story]:
    """The stories of the contacts that a contactid or contact number means; several when a number is shared.

    Raises:
        UsageError: the run has no such contact.
    """
    wanted = contact.strip(WHITE_SPACE).strip("{}").lower()
    found = pl.scan_parquet(folder.decisions).filter(
        (pl.col("contactid") == wanted) | (pl.col("contact_number").str.to_lowercase() == wanted)
    ).collect()  # fmt: skip
    if found.is_empty():
        raise UsageError(f"no contact of this run has that contactid or contact number. Run {folder.run}.")
    return [_story(folder, project, row, earlier) for row in found.iter_rows(named=True)]


def _story(folder: RunFolder, project: Project, decision: dict[str, Any], earlier: list[RunFolder]) -> Story:
    place = (pl.col("source_file") == decision["source_file"]) & (pl.col("source_line") == decision["source_line"])
    findings = pl.scan_parquet(folder.findings).filter(place & (pl.col("contactid").eq_missing(decision["contactid"])))
    task = decision["task"]
    planned: dict[str, Any] = {}
    if task is not None:
        rows = pl.scan_parquet(folder.rows_files(task)).filter(pl.col("contactid") == decision["contactid"]).collect()
        planned = rows.row(0, named=True) if rows.height else {}
    source = _source_row(folder, decision)
    batch: dict[str, Any] = {}
    if planned.get("batch") is not None:
        batches = pl.read_parquet(folder.batches).filter(
            (pl.col("task") == task) & (pl.col("legal_entity") == planned["legal_entity"]) & (pl.col("batch") == planned["batch"])
        )
        batch = batches.row(0, named=True) if batches.height else {}
    outcomes = pl.scan_parquet(folder.outcomes).filter(pl.col("contactid") == decision["contactid"]).collect()
    return Story(
        decision=decision,
        findings=findings.collect().to_dicts(),
        source=source,
        fields=[] if task is None else _fields(project.templates[task], source, planned, decision),
        planned=planned,
        batch=batch,
        outcome=outcomes.row(0, named=True) if outcomes.height else {},
        earlier=_earlier(earlier, decision["contactid"]),
    )


def _source_row(folder: RunFolder, decision: dict[str, Any]) -> dict[str, Any]:
    """The row as it was read; empty if the user's Parquet file is gone."""
    facts = folder.facts()
    files = [folder.path / name for name in facts["landed"]["contacts"]]
    if not all(path.is_file() for path in files):
        return {}
    in_place = [one for one in facts["sources"] if one["table"] == "contacts" and one["in_place"]]
    columns: dict[str, str] = facts["columns"]["contacts"]
    with session() as here:
        if in_place:
            path = next(one["path"] for one in in_place if one["file"] == decision["source_file"])
            text = (
                f"SELECT * EXCLUDE (file_row_number) FROM read_parquet({literal(path)}, file_row_number = true) "
                "WHERE file_row_number = $line - 1"
            )
            rows = here.frame(text, line=decision["source_line"])
        else:
            text = f"SELECT * FROM read_parquet({literal(str(files[0]))}) WHERE source_file = $file AND source_line = $line"
            rows = here.frame(text, file=decision["source_file"], line=decision["source_line"])
    row = rows.row(0, named=True) if rows.height else {}
    return {name: row.get(physical) for name, physical in columns.items() if row.get(physical) is not None}


def _fields(
    template: Template, source: dict[str, Any], planned: dict[str, Any], decision: dict[str, Any]
) -> list[dict[str, Any]]:
    return [
        {
            "destination": row.destination,
            "source": row.row.source,
            "value": _value(row, source, decision),
            "transform": transform_text(row),
            "result": planned.get(row.destination),
        }
        for row in template.rows
    ]


def _value(row: FieldRow, source: dict[str, Any], decision: dict[str, Any]) -> Any:
    name = row.row.source
    if name is None:
        return None
    if name.startswith("parentcustomerid."):
        return decision["company_key"]
    return source.get(name)


def _earlier(runs: list[RunFolder], contactid: str | None) -> list[dict[str, Any]]:
    found = []
    for run in runs:
        if not run.decisions.is_file():
            continue
        rows = pl.scan_parquet(run.decisions).filter(pl.col("contactid") == contactid).select("decision", "reason").collect()
        found += [{"run": str(run.run), **row} for row in rows.to_dicts()]
    return found


def told(story: Story, folder: Path) -> str:
    """The story as lines. It shows the contact's values, for that was asked."""
    decision = story.decision
    lines = [
        f"Contact {decision['contactid']}, number {decision['contact_number'] or 'none'}",
        f"  read from     {decision['source_file']} line {decision['source_line']}",
        f"  active        {_yes_no(decision['is_active_customer'])}",
        f"  company       {_company(decision)}",
        f"  decision      {decision['decision']}/{decision['reason']}: {_sentence(story)}",
        f"  task          {decision['task'] or 'none'}, legal entity {decision['legal_entity'] or 'none'}",
        f"  key           {decision['destination_key'] or 'none'}",
    ]
    lines += [f"  {one['severity']:<8}      {one['code']}: {one['message']}" for one in story.findings]
    if story.fields:
        lines.append("  fields        destination ← source value → result")
        lines += [f"    {_field(one, planned=bool(story.planned))}" for one in story.fields]
    lines += [f"  action        {story.planned['action']}, row hash {story.planned['row_hash']}"] if story.planned else []
    if story.batch:
        file = story.batch.get("file")
        lines.append(f"  batch         {story.batch['batch']}, {story.batch['status']}{f', {folder / file}' if file else ''}")
    if story.outcome:
        lines.append(f"  outcome       {story.outcome['outcome']}")
    lines += [f"  earlier       {one['run']}: {one['decision']}/{one['reason']}" for one in story.earlier]
    return "\n".join(lines)


def _sentence(story: Story) -> str:
    reason = story.decision["reason"]
    own = [one["message"] for one in story.findings if one["code"] == reason]
    return f"{own[0] if own else code(reason).sentence} {code(reason).advice}"


def _yes_no(flag: bool | None) -> str:
    return "blank" if flag is None else "Yes" if flag else "No"


def _company(decision: dict[str, Any]) -> str:
    if decision["company_id"] is None:
        return "none"
    kind = decision["company_type"] or "of unknown type"
    known = f"{kind} {decision['company_key'] or 'without number'}"
    return f"{decision['company_id']}, {known} (type from {decision['company_type_from'] or 'nothing'})"


def _field(one: dict[str, Any], *, planned: bool) -> str:
    value = "" if one["value"] is None else repr(one["value"])
    result = "(not planned)" if not planned else "blank" if one["result"] is None else repr(str(one["result"]))
    transform = f" [{one['transform']}]" if one["transform"] else ""
    return f"{one['destination']} ← {one['source'] or 'constant'} {value}{transform} → {result}"
