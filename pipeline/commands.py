"""The commands as typed calls: each gives a ``Result``, none prints."""

from __future__ import annotations

import io
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from pipeline import apply, check, folder, plan, summary
from pipeline.errors import UsageError, during
from pipeline.events import Listener
from pipeline.folder import RunFolder
from pipeline.project import Project, load_project
from pipeline.proof import compare, explain
from pipeline.result import Result
from pipeline.samples.expected import expected_rows
from pipeline.samples.generate import write_samples
from pipeline.show import code_items, codes_table, template_items, templates_table
from pipeline.starter import starter
from pipeline.suggest import near

_WIDTH: Final = 120


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


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def planned(common: Common, request: plan.Request, listener: Listener, against: str | None = None) -> Result:
    """``plan``."""
    before = None if against is None else folder.find_run(common.runs, against)
    made = plan.make_plan(common.load(), request, common.runs, now, listener)
    result = _of_run("plan", made)
    if before is None:
        return result
    items = compare.compared(before, made)
    return replace(result, items=items, text=compare.told(items, before))


def applied(common: Common, run: str, listener: Listener) -> Result:
    """``apply``."""
    found = folder.find_run(common.runs, run)
    apply.apply_plan(found, now, listener)
    return _of_run("apply", found)


def ran(common: Common, request: plan.Request, listener: Listener) -> Result:
    """``run``: plan and apply."""
    made = plan.make_plan(common.load(), request, common.runs, now, listener)
    apply.apply_plan(made, now, listener)
    return _of_run("run", made)


def _of_run(command: str, made: RunFolder) -> Result:
    facts = folder.read_json(made.summary)
    return Result(command=command, exit_code=summary.exit_code(facts), facts=facts, folder=str(made.path))


def listed_runs(common: Common) -> Result:
    """``runs``."""
    items = []
    for one in folder.all_runs(common.runs):
        facts = folder.read_json(one.summary)
        items.append(
            {
                "run": str(one.run),
                "kind": facts["kind"],
                "applied": facts["applied"],
                "verdict": facts["verdict"],
                "contacts": sum(facts["counts"].values()),
                "planned": sum(facts["outcomes"].values()),
            }
        )
    lines = [
        f"{one['run']}  {one['kind']}  {'applied' if one['applied'] else 'planned'}  {one['verdict']}  "
        f"{one['contacts']:,} contacts, {one['planned']:,} planned rows"
        for one in items
    ]
    return Result(command="runs", items=items, text="\n".join(lines) or f"There are no runs in {common.runs}.")


def explained(common: Common, contact: str, run: str) -> Result:
    """``explain``."""
    found = folder.find_run(common.runs, run)
    project = apply.project_of(found.facts())
    earlier = [one for one in folder.all_runs(common.runs) if one.run < found.run]
    stories = explain.explained(found, project, contact, earlier)
    items = [
        {
            "decision": one.decision, "findings": one.findings, "source": one.source, "fields": one.fields,
            "planned": one.planned, "batch": one.batch, "outcome": one.outcome, "earlier": one.earlier,
        }
        for one in stories
    ]  # fmt: skip
    text = "\n\n".join(explain.told(one, found.path) for one in stories)
    return Result(command="explain", items=items, text=text, folder=str(found.path), facts={})


def shown_templates(common: Common, task: str | None) -> Result:
    """``templates``: the list, or one template as a table."""
    has_project = common.project is not None or common.source is not None or Path("p2c.toml").is_file()
    known = common.load().templates if has_project else load_project(None, source=Path()).templates
    if task is None:
        items = [
            {"task": one.task, "name": one.name, "source": one.source, "entity": one.entity, "rows": len(one.rows)}
            for one in known.values()
        ]
        lines = [
            f"{one['task']:<18} {one['rows']} rows  Sales.{one['source']} → {one['entity']}\n  {one['name']}" for one in items
        ]
        return Result(command="templates", items=items, text="\n".join(lines))
    names = {name.casefold(): name for name in known}
    if task.casefold() not in names:
        raise UsageError(f"there is no task '{task}'.{near(task, known)}")
    template = known[names[task.casefold()]]
    return Result(command="templates", items=template_items(template), text=_rendered(lambda to: templates_table(template, to)))


def shown_codes() -> Result:
    """``codes``."""
    return Result(command="codes", items=code_items(), text=_rendered(codes_table))


def _rendered(render: Any) -> str:
    console = Console(width=min(_WIDTH, shutil.get_terminal_size((_WIDTH, 40)).columns), record=True, file=io.StringIO())
    render(console)
    return console.export_text().rstrip()


def checked(common: Common) -> Result:
    """``check``: settings, templates and sources, without a plan."""
    items = check.checked(common.load())
    wrong = [one for one in items if one["status"] == "warning"]
    text = "\n".join(f"{one['status']:<8} {one['what']}: {one['message']}" for one in items)
    return Result(command="check", items=items, text=text, exit_code=1 if wrong else 0)


def initialised(path: Path, *, legal_entity: str | None, currency: str | None, country: str | None, source: str) -> Result:
    """``init``: write a commented ``p2c.toml``."""
    if path.exists():
        raise UsageError(f"{path} exists already; p2c does not overwrite it.")
    text = starter(legal_entity=legal_entity, currency=currency, country=country, path=source)
    with during("writing the project file"):
        path.write_text(text, encoding="utf-8")
    told = f"Wrote {path}. Next: put the exports into {source}, then `p2c check` and `p2c plan`."
    return Result(command="init", items=[{"file": str(path)}], text=told)


def demonstrated(runs: Path, listener: Listener) -> Result:
    """``demo``: the whole job on the samples, and whether they end as they should."""
    with tempfile.TemporaryDirectory(prefix="p2c-demo-") as temporary:
        samples = Path(temporary) / "samples"
        samples.mkdir()
        write_samples(samples)
        (samples / "p2c.toml").write_bytes(files("pipeline.samples").joinpath("p2c.toml").read_bytes())
        common = Common(project=samples / "p2c.toml", runs=runs)
        result = ran(common, plan.Request(command="demo"), listener)
    expected: dict[str, int] = {}
    for row in expected_rows():
        if row.is_contact:
            expected[f"{row.decision}/{row.reason}"] = expected.get(f"{row.decision}/{row.reason}", 0) + 1
    same = expected == result.facts["reasons"] and result.facts["balanced"]
    told = "The samples ended as they should." if same else "The samples did not end as they should."
    return replace(result, command="demo", exit_code=0 if same else 4, text=told)
