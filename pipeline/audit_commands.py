"""The commands that prove, explain and mend, as typed calls: each gives a ``Result``, none prints."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import apply, backfilling, folder, plan, summary, writeback
from pipeline.commands import Common, now, of_run
from pipeline.errors import UsageError
from pipeline.events import Listener, Step, silent
from pipeline.extract.landing import ReadOptions
from pipeline.fingerprint import versions
from pipeline.folder import RunFolder
from pipeline.project import Project
from pipeline.proof import confirm, corrected, examples, findings, purge, readback, retry, undo, verify, worklist
from pipeline.proof.evidence import gathered
from pipeline.proof.visible import visible
from pipeline.reconciling import from_scm
from pipeline.report.facts import page_facts
from pipeline.report.page import rendered
from pipeline.result import Result
from pipeline.systems import scm_of
from pipeline.writeback import is_write_back


def reported(common: Common, run: str, *, to: Path | None, values: bool, listener: Listener) -> Result:
    """``report``: the page, into the run folder if no other place is said."""
    found = folder.find_run(common.runs, run)
    listener(Step(name="reading the run", done=0))
    facts = page_facts(found, values=values)
    path = to or found.path / "report.html"
    page = rendered(facts).encode()
    folder.replace(path, page)
    notes = [f"  {one.sentence}" for one in facts.troubles]
    text = "\n".join([f"{facts.sentence}", f"Wrote {path} ({len(page):,} bytes).", *notes])
    return _of(found, "report", items=[{"file": str(path), "bytes": len(page)}], text=text)


def verified(common: Common, run: str) -> Result:
    """``verify``: exit 4 when the run folder was altered."""
    found = folder.find_run(common.runs, run)
    checked = verify.verified(found)
    facts = checked.evidence.summary
    verdict = {0: "clean", 1: "attention", 4: "broken"}[checked.exit_code]
    return Result(
        command="verify",
        run=str(found.run),
        folder=str(found.path),
        facts={**facts, "verdict": verdict, "balanced": facts.get("balanced", False) and not checked.altered},
        exit_code=checked.exit_code,
        items=[dict(one) for one in verify.items(checked)],
        text=verify.told(checked),
    )


def exported(common: Common, run: str, *, to: Path | None, codes: Sequence[str], values: bool) -> Result:
    """``findings``: the groups, or all of them as a file."""
    found = folder.find_run(common.runs, run)
    if to is not None:
        rows = findings.exported(found, to, codes, values=values)
        text = f"Wrote {rows:,} findings into {to}."
        return _of(found, "findings", items=[{"file": str(to), "rows": rows}], text=text)
    evidence = gathered(found)
    groups = findings.grouped(evidence, findings.codes_known(codes))
    if groups is None:
        raise UsageError(" ".join(one.sentence for one in evidence.troubles), where=str(found.run))
    return _of(found, "findings", items=groups, text=findings.told(groups))


def listed_work(common: Common, run: str, *, to: Path, sales_url: str | None) -> Result:
    """``findings --worklist``: what people must repair in Sales, by owner."""
    found = folder.find_run(common.runs, run)
    written = worklist.worklist(gathered(found), to, sales_url)
    owners = [f"{one['contacts']:>9,}  {one['owner'] or 'owner not known'}" for one in written.owners]
    text = "\n".join([f"Wrote {written.rows:,} contacts into {to}.", *owners[:20], *written.notes])
    return _of(found, "findings", items=written.owners, text=text)


def repaired(common: Common, run: str, *, to: Path) -> Result:
    """``findings --repair``: the source rows that need work, to be corrected and fed back."""
    found = folder.find_run(common.runs, run)
    rows = worklist.repair_file(gathered(found), to)
    text = (
        f"Wrote {rows:,} contacts into {to}, with their values. Correct them there, then: p2c retry {found.run} --corrected {to}"
    )
    return _of(found, "findings", items=[{"file": str(to), "rows": rows}], text=text)


def confirmed(common: Common, run: str, *, errors: Path | None, packages: Sequence[str]) -> Result:
    """``confirm``: after a manual import of a folder load."""
    found = folder.find_run(common.runs, run)
    done = confirm.confirmed(found, now, errors=errors, packages=packages)
    outcomes = ", ".join(f"{rows:,} {name}" for name, rows in done.facts["outcomes"].items() if rows)
    lines = [f"{done.rows:,} written rows were confirmed. Outcomes now: {outcomes}."]
    if done.strangers:
        places = ", ".join(map(str, done.strangers[:10]))
        lines.append(f"{len(done.strangers):,} rows of the error file name no row that was imported: lines {places}.")
    facts = done.facts
    code = 1 if done.strangers or facts["verdict"] != "clean" else 0
    items: list[dict[str, Any]] = [{"line": line, "problem": "names no row that was imported"} for line in done.strangers]
    return changed(_of(found, "confirm", items=items, text="\n".join(lines)), exit_code=code)


def retried(common: Common, run: str, *, correction: Path | None, codes: Sequence[str], listener: Listener) -> Result:
    """``retry``: plan again what was held, rejected or failed."""
    found = folder.find_run(common.runs, run)
    chosen = retry.wanted(found, codes)
    if not chosen.contactids and correction is None:
        return _of(found, "retry", text=f"There is nothing to retry.{_nameless(chosen.nameless)}")
    made = _planned_again(common, found, chosen, correction, listener)
    result = of_run("retry", made)
    note = f"This plan retries {len(chosen.contactids):,} contacts of {found.run}.{_nameless(chosen.nameless)}"
    return changed(result, text=lambda width: f"{result.lines(width)}\n\n{note}")


def _nameless(count: int) -> str:
    return f" {count:,} have no readable contactid and must be exported again." if count else ""


def _planned_again(
    common: Common, found: RunFolder, chosen: retry.Wanted, correction: Path | None, listener: Listener
) -> RunFolder:
    facts = found.facts()
    given = common if common.source is None else _reading(common, common.source)
    project = given.today(facts)
    ids = list(chosen.contactids)
    with retry.place(common.runs, found) as beside:
        if correction is not None:
            options = ReadOptions(row_limit=project.settings.source.row_limit)
            columns = facts["columns"]["contacts"]
            overlay = corrected.laid_over(project.source_folder, correction, beside / "source", columns, options)
            project = _reading(given, overlay.folder).today(facts)
            ids += overlay.contactids
        request = plan.Request(only=retry.only_file(beside, ids), command="retry")
        made = plan.make_plan(project, request, common.runs, now, listener)
    retry.marked(made, found, now)
    return made


def _reading(common: Common, source: Path) -> Common:
    """The same flags, with another folder of exports."""
    return changed(common, assignments=(*common.assignments, f"source.path={source.resolve()}"))


def tested(common: Common, files: Sequence[Path], listener: Listener) -> Result:
    """``test``: example rows against the project's templates; exit 1 when one comes out otherwise."""
    project = common.load()
    placed = examples.parsed(examples.found_files(project, files), project)
    with tempfile.TemporaryDirectory(prefix="p2c-test-") as temporary:
        examples.write_source(placed, Path(temporary) / "source")
        tried = _with_examples(project, Path(temporary) / "source")
        made = plan.make_plan(tried, plan.Request(command="test"), Path(temporary) / "runs", now, listener)
        outcomes = _example_outcomes(made, placed)
    items = [
        {
            "example": one.example.name,
            "file": one.file,
            "passed": not found,
            "differences": [{"what": each.what, "expected": each.expected, "got": each.got} for each in found],
        }
        for one, found in zip(placed, outcomes, strict=True)
    ]
    failed = sum(bool(found) for found in outcomes)
    lines = [line for one, found in zip(placed, outcomes, strict=True) for line in _example_lines(one, found)]
    text = "\n".join([*lines, f"{len(placed)} examples, {failed} failed."])
    return Result(command="test", items=items, text=text, exit_code=1 if failed else 0)


def _with_examples(project: Project, source: Path) -> Project:
    """The project with the examples for a source; a folder load that knows nothing of SCM."""
    settings = project.settings
    entity = settings.destination.legal_entity or next(iter(project.legal_entities), "test")
    nowhere = {"url": None, "auth": None}
    place = settings.source.model_copy(update={"kind": "files", "path": str(source), **nowhere})
    into = settings.destination.model_copy(
        update={"load": "folder", "name": "examples", "known_customers": None, "legal_entity": entity, **nowhere}
    )
    return changed(project, settings=settings.model_copy(update={"source": place, "destination": into}))


def _example_outcomes(made: RunFolder, placed: Sequence[examples.Placed]) -> list[list[examples.Difference]]:
    decisions = {row["contactid"]: row for row in pl.read_parquet(made.decisions, glob=False).iter_rows(named=True)}
    findings_of: dict[str, set[str]] = {}
    for contactid, code in pl.read_parquet(made.findings, glob=False).select("contactid", "code").iter_rows():
        findings_of.setdefault(contactid, set()).add(code)
    rows = {
        row["contactid"]: row
        for path in (made.path / "rows").glob("*/*.parquet")
        for row in pl.read_parquet(path, glob=False).iter_rows(named=True)
    }
    return [
        examples.differences(
            one.example, decisions.get(one.contactid), findings_of.get(one.contactid, set()), rows.get(one.contactid)
        )
        for one in placed
    ]


def _example_lines(one: examples.Placed, found: Sequence[examples.Difference]) -> list[str]:
    head = f"{'FAIL' if found else 'ok':<5} {visible(one.example.name)}"
    return [head, *(f"        {each.what}: expected {each.expected}, got {each.got}" for each in found)]


def reconciled(common: Common, run: str, *, scm: Sequence[Path], listener: Listener) -> Result:
    """``reconcile``: with exports of SCM, or with SCM itself where the run's project has one; exit 1 when it differs."""
    found = folder.find_run(common.runs, run)
    if scm:
        done = readback.reconciled(found, readback.from_exports(scm), ", ".join(path.name for path in scm), now)
    else:
        done = _reconciled_live(found, listener)
    differs = any(one.rows != one.equal for one in done.results.values())
    result = _of(found, "reconcile", items=done.facts["differences"], text=readback.told(done))
    return changed(result, exit_code=1 if differs else 0)


def _reconciled_live(found: RunFolder, listener: Listener) -> readback.Reconciled:
    project = apply.project_of(found.facts())
    if project.scm is None:
        raise UsageError(
            "say what SCM has: --scm FILE, an export of Customers V2 or CDS Contacts; the run's project names no SCM."
        )
    with scm_of(project) as system, tempfile.TemporaryDirectory(dir=found.path.parent, prefix=".reconciling-") as scratch:
        return readback.reconciled(found, from_scm(found, system, Path(scratch), listener), system.label, now)


def undone(common: Common, run: str, listener: Listener = silent) -> Result:
    """``undo``: the pack as a plan; exit 1 when something of it cannot be undone."""
    found = folder.find_run(common.runs, run)
    if found.facts()["kind"] == "backfill":
        return _backfill_undone(common, found, listener)
    pack = undo.packed(found, versions(), now)
    items = [{"action": action, "rows": rows, "meaning": undo.ACTIONS[action]} for action, rows in pack.counts.items()]
    result = _of(pack.folder, "undo", items=items, text=undo.told(pack, found))
    return changed(result, exit_code=summary.exit_code(result.facts))


def _backfill_undone(common: Common, found: RunFolder, listener: Listener) -> Result:
    """The undo of a backfill: what it wrote into Sales and what still stands there, as a plan to apply."""
    if is_write_back(found.facts()):
        made = writeback.undone(found, apply.project_of(found.facts()), now)
    else:
        where = () if common.source is None else (f"source.path={common.source.resolve()}",)
        today = changed(common, assignments=(*common.assignments, *where)).today(found.facts())
        made = backfilling.undo_on_files(found, today, now, listener)
    facts = folder.read_json(made.summary)
    left = sum(facts["findings"].values())
    lines = [f"Undo of {found.run}, planned as {made.run}: {facts['outcomes']['pending']:,} contacts get back what they had."]
    lines += [f"  {left:,} were changed or removed since, and are left alone."] if left else []
    if facts["outcomes"]["pending"]:
        lines.append(f"The counter is not set back. `p2c apply {made.run}` does it.")
    return changed(_of(made, "undo", text="\n".join(lines)), exit_code=summary.exit_code(facts))


def purge_listed(common: Common, runs: Sequence[str], days: float) -> list[purge.Held | purge.Leftover]:
    """What ``purge`` would remove; without a run's name also what stopped extractions left."""
    chosen = [folder.find_run(common.runs, one) for one in runs] if runs else purge.old(common.runs, now, days)
    found = [one for one in map(purge.held, chosen) if one is not None]
    return [*found, *([] if runs else purge.leftovers(common.runs, now, days))]


def purge_told(found: Sequence[purge.Held | purge.Leftover]) -> str:
    """What would go, before a person is asked."""
    return purge.told(found)


def purged(found: Sequence[purge.Held | purge.Leftover], *, agreed: bool) -> Result:
    """``purge``: what was removed, or would be."""
    items = [{"run": purge.name_of(one), "files": len(one.files), "bytes": one.size, "purged": agreed} for one in found]
    if agreed:
        for one in found:
            if isinstance(one, purge.Held):
                purge.purged(one, now)
            else:
                purge.cleared(one)
    ending = "Their personal data was removed." if agreed else "Nothing was removed; --yes removes it."
    return Result(command="purge", items=items, text="\n".join([purge.told(found), *([ending] if found else [])]))


def _of(found: RunFolder, command: str, *, items: Sequence[dict[str, Any]] = (), text: str = "") -> Result:
    """A result about a run whose exit code does not depend on it."""
    facts = gathered(found).summary
    return Result(command=command, run=str(found.run), folder=str(found.path), facts=facts, items=list(items), text=text)
