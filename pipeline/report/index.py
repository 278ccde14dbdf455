"""All runs at a glance: one page with a line for each, and links to their reports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pipeline.audit.verify import PAGE, Verification, glance_at_folder
from pipeline.report.environment import build_environment, read_style
from pipeline.report.letter import Tile, make_tiles, name_run
from pipeline.report.moments import format_moment
from pipeline.report.trend import StoppedCount, draw_trend
from pipeline.run.evidence import Evidence
from pipeline.run.facts import Kind
from pipeline.run.folder import RunFolder

_SHOWN: Final = 500
_LONGEST: Final = 200
_ALTERED: Final = ("altered", "cut", "missing")
_RECORDS: Final = ("summary.json", "journal.jsonl")
"""Files without which no count is to be trusted."""

_KINDS: Final = {Kind.MAIN: "load"}


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedRun:
    """One run as the page lists it.

    ``mark`` says in a word what is wrong with its folder, ``trouble`` in a sentence; ``href`` leads
    to its report. ``stopped`` is null except for loads.
    """

    run: str
    kind: str
    state: str
    verdict: str
    began: str
    title: str
    tiles: tuple[Tile, ...]
    stopped: StoppedCount | None
    mark: str
    trouble: str
    href: str


def index_runs(folders: Sequence[RunFolder], to: Path) -> list[IndexedRun]:
    """What the page says of each run, newest first; runs that others name and that are gone, too.

    Args:
        folders: the runs.
        to: the page, which its links start from.
    """
    found: list[IndexedRun] = []
    named: dict[str, str] = {}
    for folder in folders:
        glance = glance_at_folder(folder)
        found.append(_index_run(glance, to))
        for other in (glance.evidence.run.retry_of, glance.evidence.run.undo_of):
            if other:
                named[other] = folder.run
    known = {one.run for one in found}
    found += [_index_gone(run, by) for run, by in named.items() if run not in known]
    return sorted(found, key=lambda one: one.run, reverse=True)


def _index_run(glance: Verification, to: Path) -> IndexedRun:
    evidence = glance.evidence
    broken = [one for one in glance.checks if one.status in _ALTERED]
    broken.sort(key=lambda one: _ALTERED.index(one.status))
    began = evidence.run.started_at if "started_at" in evidence.run_says else None
    said = evidence.summary.verdict if "verdict" in evidence.summary_says else "unknown"
    verdict = "stopped" if evidence.started and not evidence.finished else said
    return IndexedRun(
        run=evidence.folder.run,
        kind=_KINDS.get(evidence.kind, evidence.kind),
        state=_name_state(evidence),
        verdict="unknown" if broken else verdict,
        began=format_moment(began),
        title=name_run(evidence),
        tiles=() if any(one.what in _RECORDS for one in broken) else make_tiles(evidence),
        stopped=_count_stopped(evidence),
        mark="" if not broken else "altered" if broken[0].status == "altered" else "damaged",
        trouble=broken[0].sentence if broken else "",
        href=_link_report(evidence.folder, to),
    )


def _index_gone(run: str, by: str) -> IndexedRun:
    return IndexedRun(
        run=run,
        kind="",
        state="",
        verdict="unknown",
        began="",
        title="",
        tiles=(),
        stopped=None,
        mark="deleted",
        trouble=f"The run folder is gone; {by} was made from it.",
        href="",
    )


def _name_state(evidence: Evidence) -> str:
    if evidence.summary.applied:
        return "applied"
    return "stopped" if evidence.started else "planned"


def _count_stopped(evidence: Evidence) -> StoppedCount | None:
    summary = evidence.summary
    if not evidence.kind.is_load or "counts" not in evidence.summary_says:
        return None
    if "started_at" not in evidence.run_says or evidence.run.retry_of:
        return None
    began = evidence.run.started_at
    return StoppedCount(
        day=f"{began.day} {began:%b %Y, %H:%M}",
        held=summary.counts.get("held", 0) - summary.accepted.count("held"),
        rejected=summary.counts.get("rejected", 0) - summary.accepted.count("rejected"),
        failed=summary.outcomes.get("failed", 0) + summary.outcomes.get("unknown", 0),
    )


def _link_report(folder: RunFolder, to: Path) -> str:
    """The report's address, seen from the page. Blank where there is none."""
    report = folder.path / PAGE
    if not report.is_file():
        return ""
    try:
        relative = Path(os.path.relpath(report.resolve(), to.resolve().parent))
    except ValueError:  # on another drive of Windows
        return report.resolve().as_uri()
    return quote(relative.as_posix())


def render_index(runs: Sequence[IndexedRun]) -> str:
    """The page as text."""
    loads = [one.stopped for one in reversed(runs) if one.stopped is not None and not one.mark]
    return (
        build_environment(_LONGEST)
        .get_template("index.html")
        .render(runs=runs, limit=_SHOWN, style=read_style(), trend=draw_trend(loads))
    )
