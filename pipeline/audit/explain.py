"""One contact's story: the row read, the evidence, the rule, the fields, the batch, the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import polars as pl

from pipeline.audit.accepted import list_marks
from pipeline.audit.earlier import find_earlier_runs
from pipeline.audit.fields import tell_fields
from pipeline.audit.source import read_contact_row
from pipeline.audit.story import (
    AcceptedMark,
    BatchRow,
    ChangeRow,
    DecisionRow,
    FindingRow,
    OutcomeRow,
    PlannedRow,
    Story,
    render_story,
)
from pipeline.errors import UsageError
from pipeline.project.resolve import Project
from pipeline.run.evidence import Evidence, gather_evidence
from pipeline.run.folder import RunFolder
from schemas.sales import CONTACTS
from schemas.text import WHITE_SPACE
from sql.session import session

__all__ = ["Story", "render_story", "tell_stories", "tell_story_of_row"]


def tell_stories(
    folder: RunFolder, project: Project, contact: str, earlier: Sequence[RunFolder]
) -> list[Story]:
    """The stories of the contacts that have a contactid or contact number.

    There are several when contacts share the number.

    Raises:
        UsageError: the run has no such contact, or its decisions cannot be read.
    """
    evidence = gather_evidence(folder)
    wanted = contact.strip(WHITE_SPACE).strip("{}").lower()
    found = _find_decisions(
        evidence,
        (pl.col("contactid").str.to_lowercase() == wanted)
        | (pl.col("contact_number").str.to_lowercase() == wanted),
    )
    if not found:
        raise UsageError(
            f"no contact of the run {folder.run} has that contactid or contact number. Check it in "
            "Sales, or name another run with --run; --find TEXT searches names and mails."
        )
    return [_tell_story(evidence, project, row, earlier) for row in found]


def tell_story_of_row(
    folder: RunFolder, project: Project, file: str, line: int, earlier: Sequence[RunFolder]
) -> Story | None:
    """The story of the contact in one line of a source file; null if the run has none there.

    Raises ``UsageError`` as ``tell_stories`` does.
    """
    evidence = gather_evidence(folder)
    found = _find_decisions(
        evidence, (pl.col("source_file") == file) & (pl.col("source_line") == line)
    )
    return _tell_story(evidence, project, found[0], earlier) if found else None


def _find_decisions(evidence: Evidence, condition: pl.Expr) -> list[DecisionRow]:
    """The decisions that a condition holds for, in source order."""
    run = evidence.folder.run
    found = evidence.frame(evidence.folder.decisions, lambda rows: rows.filter(condition))
    if found is None:
        raise UsageError(
            f"{evidence.troubles[-1].sentence} `p2c verify {run}` says more.", where=str(run)
        )
    rows = found.sort("source_file", "source_line").to_dicts()
    return cast("list[DecisionRow]", rows)


def _tell_story(
    evidence: Evidence, project: Project, decision: DecisionRow, earlier: Sequence[RunFolder]
) -> Story:
    contactid, task = decision["contactid"], decision["task"]
    place = (pl.col("source_file") == decision["source_file"]) & (
        pl.col("source_line") == decision["source_line"]
    )
    of_contact = pl.col("contactid").eq_missing(contactid)
    findings = cast(
        "list[FindingRow]", _read_rows(evidence, [evidence.folder.findings], place & of_contact)
    )
    planned: PlannedRow = {}
    if task:
        files = evidence.folder.rows_files(task)
        planned = _take_first(_read_rows(evidence, files, pl.col("contactid") == contactid))
    with session() as here:
        source = read_contact_row(here, evidence, decision["source_file"], decision["source_line"])
    outcomes = _read_rows(evidence, [evidence.folder.outcomes], pl.col("contactid") == contactid)
    marks = list_marks(evidence).filter(place).select("^accepted_.*$")
    template = project.templates.get(task) if task else None
    return Story(
        decision=decision,
        findings=findings,
        accepted=cast("AcceptedMark", _take_first(marks.to_dicts())),
        source=source,
        version=_find_version(evidence),
        fields=[]
        if template is None
        else tell_fields(template, project, source, planned, decision, findings),
        planned=planned,
        changes=_find_changes(evidence, contactid, task),
        batch=_find_batch(evidence, task, planned),
        outcome=cast("OutcomeRow", _take_first(outcomes)),
        earlier=find_earlier_runs(earlier, contactid),
        notes=[one.sentence for one in evidence.troubles],
    )


def _find_changes(evidence: Evidence, contactid: str | None, task: str | None) -> list[ChangeRow]:
    path = evidence.folder.changes
    if not path.is_file():
        return []
    mine = (pl.col("contactid") == contactid) & (pl.col("task") == task)
    return cast("list[ChangeRow]", _read_rows(evidence, [path], mine))


def _find_version(evidence: Evidence) -> int | None:
    return next((one.version for one in evidence.run.delta if one.table == CONTACTS.name), None)


def _read_rows(
    evidence: Evidence, files: Sequence[Path], condition: pl.Expr
) -> list[dict[str, object]]:
    found = evidence.frame(files, lambda rows: rows.filter(condition)) if files else None
    return [] if found is None else found.to_dicts()


def _take_first(rows: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    return rows[0] if rows else {}


def _find_batch(evidence: Evidence, task: str | None, planned: PlannedRow) -> BatchRow:
    if planned.get("batch") is None:
        return {}
    same = (
        (pl.col("task") == task)
        & (pl.col("legal_entity") == planned["legal_entity"])
        & (pl.col("batch") == planned["batch"])
    )
    return cast("BatchRow", _take_first(_read_rows(evidence, [evidence.folder.batches], same)))
