"""The commands as typed calls: each gives a ``Result``, none prints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import apply, backfilling, check, folder, plan, summary
from pipeline.backfill import story
from pipeline.consent import Ask, agreed_by_itself
from pipeline.console import Columns, run_text
from pipeline.errors import P2cError, UsageError
from pipeline.events import Listener
from pipeline.folder import RunFolder
from pipeline.journal import read
from pipeline.project import FILE, Project, bare_project, load_project, todays_project
from pipeline.proof import compare, explain
from pipeline.result import Result
from pipeline.show import code_items, codes_text, template_items, template_text, templates_text
from pipeline.starter import starter
from pipeline.suggest import near


@dataclass(frozen=True, kw_only=True, slots=True)
class Common:
    """Flags that every command knows."""

    project: Path | None = None
    runs: Path = Path("runs")
    source: Path | None = None
    assignments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def load(self) -> Project:
        """The project with these flags applied."""
        return load_project(self.project, source=self.source, assignments=self.assignments, environment=dict(self.environment))

    def today(self, facts: Mapping[str, Any]) -> Project:
        """The project of a run as it is today."""
        return todays_project(
            facts["settings"],
            Path(facts["project"]) if facts["project"] else None,
            file=self.project,
            assignments=self.assignments,
            environment=dict(self.environment),
        )


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def planned(common: Common, request: plan.Request, listener: Listener, against: str | None = None) -> Result:
    """``plan``."""
    before = None if against is None else folder.find_run(common.runs, against)
    made = plan.make_plan(common.load(), request, common.runs, now, listener)
    result = of_run("plan", made)
    if before is None:
        return result
    items = compare.compared(before, made)
    return replace(result, items=items, text=partial(followed, result, compare.told(items, before)))


def backfilled(common: Common, request: plan.Request, listener: Listener) -> Result:
    """``backfill``."""
    return of_run("backfill", backfilling.make_backfill(common.load(), request, common.runs, now, listener))


def applied(common: Common, run: str, listener: Listener, ask: Ask = agreed_by_itself) -> Result:
    """``apply``."""
    found = folder.find_run(common.runs, run)
    before = folder.read_json(found.summary)["applied"]
    apply.apply_plan(found, lambda: common.today(found.facts()), now, listener, ask)
    result = of_run("apply", found)
    told = "This plan was applied to the end before; nothing was done now."
    return replace(result, text=partial(followed, result, told)) if before else result


def ran(common: Common, request: plan.Request, listener: Listener, ask: Ask = agreed_by_itself) -> Result:
    """``run``: plan and apply."""
    project = common.load()
    made = plan.make_plan(project, request, common.runs, now, listener)
    apply.apply_plan(made, lambda: project, now, listener, ask)
    return of_run("run", made)


def ran_with_backfill(common: Common, request: plan.Request, listener: Listener, ask: Ask) -> Result:
    """``run --backfill``: backfill, apply, plan, apply. The plan reads Sales again, so what was filled in moves on."""
    project = common.load()
    if project.sales is None:
        raise UsageError(
            "--backfill writes into a live Sales. On files: `p2c backfill`, `p2c apply`, import the files in Sales, export again."
        )
    wanted = plan.Request(limit=request.limit, only=request.only, command="backfill")
    filled = backfilling.make_backfill(project, wanted, common.runs, now, listener)
    facts = apply.apply_plan(filled, lambda: project, now, listener, ask)
    result = ran(common, request, listener, ask)
    told = f"Before it, the backfill {filled.run} changed {facts['outcomes']['updated']:,} contacts in Sales."
    return replace(result, exit_code=max(result.exit_code, summary.exit_code(facts)), text=partial(followed, result, told))


def of_run(command: str, made: RunFolder) -> Result:
    """What a command answers that made or applied a plan: the run, told whole."""
    facts = folder.read_json(made.summary)
    text = partial(run_text, facts, made.path, _columns(made))
    return Result(command=command, exit_code=summary.exit_code(facts), facts=facts, folder=str(made.path), text=text)


def followed(result: Result, more: str, width: int) -> str:
    """A result's text with more behind it."""
    return f"{result.lines(width)}\n\n{more}"


def _columns(made: RunFolder) -> Columns:
    """Where the findings of each code are, for codes that say so: destination columns, or several source columns."""
    place = pl.coalesce("destination", "column").alias("place")
    counted = (
        pl.scan_parquet(made.findings, glob=False)
        .group_by("code", place)
        .agg(rows=pl.len(), named=pl.col("destination").is_not_null().any())
        .filter(pl.col("place").is_not_null() & (pl.col("named") | (pl.len().over("code") > 1)))
        .sort("rows", "place", descending=[True, False])
        .collect()
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for code, name, rows in counted.select("code", "place", "rows").iter_rows():
        found.setdefault(code, []).append((name, rows))
    return found


def listed_runs(common: Common) -> Result:
    """``runs``, oldest first."""
    items = [_listed(one) for one in folder.all_runs(common.runs)]
    lines = [
        f"{one['run']}  {one['kind']}  {one['state']}  {one['verdict']}  "
        f"{one['contacts']:,} contacts, {one['planned']:,} planned rows"
        for one in items
    ]
    return Result(command="runs", items=items, text="\n".join(lines) or f"There are no runs in {common.runs}.")


def _listed(one: RunFolder) -> dict[str, Any]:
    """One run as a line; what cannot be read is said, for the others shall be listed."""
    try:
        facts = folder.read_json(one.summary)
        started = any(entry.event == "apply_started" for entry in read(one.journal).entries)
    except P2cError:
        nothing = {"kind": "unknown", "applied": False, "contacts": 0, "planned": 0}
        return {"run": str(one.run), **nothing, "state": "damaged", "verdict": "broken"}
    return {
        "run": str(one.run),
        "kind": facts["kind"],
        "applied": facts["applied"],
        "state": "applied" if facts["applied"] else "stopped" if started else "planned",
        "verdict": "stopped" if started and not facts["applied"] else facts["verdict"],
        "contacts": sum(facts["counts"].values()),
        "planned": sum(facts["outcomes"].values()),
    }


def _decided(runs: Path) -> RunFolder:
    """The newest run that decided about contacts; an undo does not."""
    found = [one for one in folder.all_runs(runs) if _listed(one)["kind"] != "undo"]
    return found[-1] if found else folder.find_run(runs, folder.LATEST)


def explained(common: Common, contact: str, run: str) -> Result:
    """``explain``."""
    found = _decided(common.runs) if run == folder.LATEST else folder.find_run(common.runs, run)
    if found.facts()["kind"] == "undo":
        raise UsageError(f"an undo decides nothing: explain the contact in {found.facts()['undo_of']}.", where=str(found.run))
    if found.facts()["kind"] == "backfill":
        rows = story.stories(found, contact)
        told = "\n\n".join(story.told(row) for row in rows)
        return Result(command="explain", run=str(found.run), items=rows, text=told, folder=str(found.path))
    project = apply.project_of(found.facts())
    earlier = [one for one in folder.all_runs(common.runs) if one.run < found.run]
    stories = explain.explained(found, project, contact, earlier)
    items = [one.as_item() for one in stories]
    text = "\n\n".join(explain.told(one, found.path) for one in stories)
    return Result(command="explain", run=str(found.run), items=items, text=text, folder=str(found.path))


def shown_templates(common: Common, task: str | None) -> Result:
    """``templates``: the list, or one template as a table."""
    has_project = common.project is not None or common.source is not None or FILE.is_file()
    known = (common.load() if has_project else bare_project({}, "default")).templates
    if task is None:
        items = [
            {"task": one.task, "name": one.name, "source": one.source, "entity": one.entity, "rows": len(one.rows)}
            for one in known.values()
        ]
        return Result(command="templates", items=items, text=templates_text(known.values()))
    names = {name.casefold(): name for name in known}
    if task.casefold() not in names:
        raise UsageError(f"there is no task '{task}'.{near(task, known)}")
    template = known[names[task.casefold()]]
    return Result(command="templates", items=template_items(template), text=partial(template_text, template))


def shown_codes() -> Result:
    """``codes``."""
    return Result(command="codes", items=code_items(), text=codes_text)


def checked(common: Common) -> Result:
    """``check``: settings, templates and sources, without a plan."""
    items = check.checked(common.load())
    wrong = [one for one in items if one["status"] == "warning"]
    told = f"ATTENTION: {len(wrong)} of these will keep contacts back." if wrong else "CLEAN: the next step is `p2c plan`."
    text = "\n".join([*(f"{one['status']:<8} {one['what']}: {one['message']}" for one in items), told])
    return Result(command="check", items=items, text=text, exit_code=1 if wrong else 0)


def initialised(path: Path, source: Path, answers: Mapping[str, str | None]) -> Result:
    """``init``: write a commented ``p2c.toml``.

    Args:
        path: the project file.
        source: the folder of exports, as the user stands.
        answers: legal_entity, currency and country, null where there is none.

    Raises:
        Refused: the file is there already, its folder is not, or an answer cannot be.
    """
    if path.exists():
        raise UsageError(f"{path} exists already; p2c does not overwrite it.")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}.")
    bare_project({"destination": {key: value for key, value in answers.items() if value}}, "init")
    relative = Path(os.path.relpath(source, path.parent)).as_posix()
    text = starter(**answers, path=relative)
    folder.replace(path, text.encode())
    named = "" if path == FILE else f" --project {path}"
    told = f"Wrote {path}. Next: put the exports into {source}, then `p2c check{named}` and `p2c plan{named}`."
    return Result(command="init", items=[{"file": str(path)}], text=told)
