"""``p2c test`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path

import polars as pl

from pipeline.audit import examples
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import count_of
from pipeline.events import Listener
from pipeline.plan import make
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder
from pipeline.run.room import open_room
from pipeline.show.visible import make_visible


def try_examples(common: Flags, files: Sequence[Path], listener: Listener) -> Result:
    """``test``: example rows against the project's templates.

    Exit 1 when one comes out otherwise.
    """
    project = common.load()
    placed = examples.parse_examples(examples.find_example_files(project, files), project)
    with open_room("test") as temporary:
        examples.write_source(placed, temporary / "source")
        tried = _point_at_examples(project, temporary / "source")
        made = make.make_plan(
            tried, PlanRequest(command="test"), temporary / "runs", read_clock, listener
        )
        outcomes = _compare_outcomes(made, placed)
    items = [
        {
            "example": one.example.name,
            "file": one.file,
            "passed": not found,
            "differences": [
                {"what": each.what, "expected": each.expected, "got": each.got} for each in found
            ],
        }
        for one, found in zip(placed, outcomes, strict=True)
    ]
    failed = sum(bool(found) for found in outcomes)
    lines = [
        line
        for one, found in zip(placed, outcomes, strict=True)
        for line in _render_example(one, found)
    ]
    text = "\n".join([*lines, f"{count_of(len(placed), 'example')}, {failed} failed."])
    return Result(command="test", items=items, text=text, exit_code=1 if failed else 0)


def _point_at_examples(project: Project, source: Path) -> Project:
    """The project with the examples as its source: a folder load that knows nothing of SCM."""
    settings = project.settings
    entity = settings.destination.legal_entity or next(iter(project.legal_entities), "test")
    nowhere = {"url": None, "auth": None}
    place = settings.source.model_copy(update={"kind": "files", "path": str(source), **nowhere})
    into = settings.destination.model_copy(
        update={
            "load": "folder",
            "name": "examples",
            "known_customers": None,
            "legal_entity": entity,
            **nowhere,
        }
    )
    return changed(
        project, settings=settings.model_copy(update={"source": place, "destination": into})
    )


def _compare_outcomes(
    made: RunFolder, placed: Sequence[examples.PlacedExample]
) -> list[list[examples.Difference]]:
    decisions = {
        row["contactid"]: row
        for row in pl.read_parquet(made.decisions, glob=False).iter_rows(named=True)
    }
    findings_of: dict[str, set[str]] = {}
    for contactid, code in (
        pl.read_parquet(made.findings, glob=False).select("contactid", "code").iter_rows()
    ):
        findings_of.setdefault(contactid, set()).add(code)
    rows = {
        row["contactid"]: row
        for path in (made.path / "rows").glob("*/*.parquet")
        for row in pl.read_parquet(path, glob=False).iter_rows(named=True)
    }
    return [
        examples.compare_example(
            one.example,
            decisions.get(one.contactid),
            findings_of.get(one.contactid, set()),
            rows.get(one.contactid),
        )
        for one in placed
    ]


def _render_example(one: examples.PlacedExample, found: Sequence[examples.Difference]) -> list[str]:
    head = f"{'FAIL' if found else 'ok':<5} {make_visible(one.example.name)}"
    return [
        head,
        *(f"        {each.what}: expected {each.expected}, got {each.got}" for each in found),
    ]
