"""``p2c purge`` as a typed call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.audit import purge, retention
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.events import Listener, Step
from pipeline.lazy import import_lazily
from pipeline.project.resolve import Project, project_of_run
from pipeline.project.settings import parse_age
from pipeline.project.systems import connect_scm
from pipeline.run import folder
from pipeline.run.folder import RunFolder

if TYPE_CHECKING:
    from pipeline.audit import projects
else:
    projects = import_lazily("pipeline.audit.projects")


def _read_days(age: str) -> float:
    """What ``--older-than`` says, in days. Raises ``UsageError``."""
    try:
        return parse_age(age) / timedelta(days=1)
    except ValueError as error:
        raise UsageError(f"{error}; a bare number is days.", where=f"--older-than {age}") from error


def list_purgeable(
    common: Flags, runs: Sequence[str], age: str
) -> list[purge.PersonalData | purge.Leftover]:
    """What ``purge`` would remove; without a run's name also what stopped extractions left."""
    days = _read_days(age)
    chosen = (
        [folder.find_run(common.runs, one) for one in runs]
        if runs
        else purge.find_old(common.runs, read_clock, days)
    )
    found = [one for one in map(purge.find_personal_data, chosen) if one is not None]
    return [*found, *([] if runs else purge.find_leftovers(common.runs, read_clock, days))]


def describe_purge(found: Sequence[purge.PersonalData | purge.Leftover]) -> str:
    """What would go, before a person is asked."""
    return purge.render_purge(found)


def purge_runs(found: Sequence[purge.PersonalData | purge.Leftover], *, agreed: bool) -> Result:
    """``purge``: what was removed, or would be."""
    items = [
        {"run": purge.name_held(one), "files": len(one.files), "bytes": one.size, "purged": agreed}
        for one in found
    ]
    if agreed:
        for one in found:
            if isinstance(one, purge.PersonalData):
                purge.purge_run(one, read_clock)
            else:
                purge.clear_leftover(one)
    ending = (
        "Their personal data was removed." if agreed else "Nothing was removed; --yes removes it."
    )
    return Result(
        command="purge",
        items=items,
        text="\n".join([purge.render_purge(found), *([ending] if found else [])]),
    )


def remove_expired(common: Flags, project: Project, listener: Listener) -> None:
    """Remove what is older than ``run.keep_values``, before a new run is made.

    What was removed, or left, is told as progress. Raises ``Stopped``.
    """
    keep = project.settings.run.retention
    if keep is None:
        return
    for done, sentence in enumerate(retention.obey_retention(common.runs, read_clock, keep), 1):
        listener(Step(name="removing old personal data", done=done, note=sentence))


Ask = Callable[[str], bool]
"""Shows what would be removed, and answers whether it may."""


def purge_projects(common: Flags, runs: Sequence[str], age: str, ask: Ask) -> Result:
    """``purge --scm``: data projects that p2c made are removed from SCM, one SCM after the other.

    Exit 1 when SCM refuses to remove one.
    """
    days = _read_days(age)
    chosen = (
        [folder.find_run(common.runs, one) for one in runs]
        if runs
        else purge.find_old(common.runs, read_clock, days)
    )
    items, lines, refused = [], [], 0
    every = folder.find_runs(common.runs)
    for project, own in _group_by_scm(chosen):
        with connect_scm(project) as scm:
            found = projects.find_projects(scm, own, every)
            text = projects.render_projects(found)
            lines += [scm.label, text]
            if not found.removable or not ask(f"{scm.label}\n{text}"):
                lines += ["Nothing was removed; --yes removes them."] if found.removable else []
                items += [{"project": name, "removed": False} for name in found.removable]
                continue
            done = projects.remove_projects(scm, found, read_clock)
        gone = set(done.names)
        items += [{"project": name, "removed": name in gone} for name in found.removable]
        lines.append(f"{len(done.names):,} were removed.")
        lines += [f"SCM refused {name}: {cause}" for name, cause in done.refused.items()]
        refused += len(done.refused)
    return Result(
        command="purge",
        exit_code=1 if refused else 0,
        items=items,
        text="\n".join(lines) or "No run that old sent packages to SCM.",
    )


def _group_by_scm(chosen: Sequence[RunFolder]) -> Iterator[tuple[Project, list[RunFolder]]]:
    """The newest project of each SCM that runs sent rows to, and these runs."""
    found: dict[str, list[RunFolder]] = {}
    for one in chosen:
        destination = one.facts().destination
        if destination.url and destination.load != "folder":
            found.setdefault(destination.url.rstrip("/").lower(), []).append(one)
    for own in found.values():
        yield project_of_run(own[-1].facts()), own
