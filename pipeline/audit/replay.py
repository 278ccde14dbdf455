"""``replay``: the plan of a run made again from its folder, and compared with what is there.

The folder is only read. What is made again lies in a place that is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.audit.repack import Compared, compare_packages
from pipeline.errors import count_of
from pipeline.events import Listener
from pipeline.plan.again import make_again
from pipeline.plan.compare import Change, compare_runs, render_change
from pipeline.plan.fingerprint import list_changed_code
from pipeline.plan.restore import list_lost
from pipeline.project.resolve import project_of_run
from pipeline.run.facts import RunFacts
from pipeline.run.folder import RunFolder
from sql.query import SelectColumn, query
from sql.session import Session, session

_ROW: Final = ("contactid", "legal_entity", "destination_key", "batch", "action", "row_hash")
"""What is compared of planned rows; the hash is that of all values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What a replay found.

    ``lost`` says why nothing could be made again, ``code`` what of p2c is not what the plan was
    made with. ``changes`` are contacts and values that came out otherwise; ``compared`` counts
    tables and packages as a whole.
    """

    lost: Sequence[str] = ()
    code: Sequence[str] = ()
    changes: Sequence[Change] = ()
    compared: Sequence[Compared] = ()

    @property
    def is_same(self) -> bool:
        """Whether all came out as it is in the folder."""
        return not (self.lost or self.changes or any(one.differing for one in self.compared))


def compare_with_folder(
    found: RunFolder, facts: RunFacts, place: Path, listener: Listener
) -> Replay:
    """Make the plan of a run again and compare it with what the folder has.

    Args:
        found: a run that loads contacts into SCM.
        facts: its ``run.json``.
        place: an empty folder for it.
        listener: hears of progress.

    Raises:
        Refused: this version of p2c does not take what the run recorded.
        Stopped: the disk or the query engine failed.
    """
    project = project_of_run(facts)
    code = list_changed_code(facts, project)
    lost = list_lost(found, facts, project)
    if lost:
        return Replay(lost=lost, code=code)
    again = make_again(found, facts, project, place, listener)
    with session(scratch=place / "sorting") as here:
        tables = list(_compare_tables(here, found, again))
    packages = compare_packages(found, again, project, facts.scm.labels, listener)
    return Replay(code=code, changes=compare_runs(found, again), compared=[*tables, packages])


def _compare_tables(here: Session, found: RunFolder, again: RunFolder) -> Iterator[Compared]:
    """Decisions in all their columns, planned rows by their hashes."""
    sides = {"before": found, "after": again}
    for name, folder in sides.items():
        here.parquet(name, folder.decisions)
    yield _compare_sides(here, "contact")
    for name, folder in sides.items():
        files = folder.list_all_rows()
        here.parquet(f"{name}_rows", files, by_name=True)
        columns = [SelectColumn(name=column, of=column) for column in _ROW]
        here.view(name, query("audit/replayed_rows", rows=f"{name}_rows", columns=columns))
    yield _compare_sides(here, "planned row")


def _compare_sides(here: Session, noun: str) -> Compared:
    (row,) = here.frame(query("audit/one_sided")).iter_rows(named=True)
    return Compared(noun=noun, **row)


def render_replay(run: str, found: Replay) -> str:
    """What came out, as lines."""
    if found.lost:
        return "\n".join([f"Run {run} cannot be made again.", *found.lost, *_tell_code(found)])
    counts = ", ".join(count_of(one.total, one.noun) for one in found.compared if one.total)
    if found.is_same:
        built = any(one.noun == "package" and one.total for one in found.compared)
        what = "decision, row and package" if built else "decision and planned row"
        last = f"Every {what} is as in the run folder. Nothing was sent."
        return "\n".join([f"Run {run} was made again: {counts}.", *_tell_code(found), last])
    lines = [f"Run {run} comes out otherwise when it is made again: {counts}."]
    lines += _tell_code(found)
    lines += [
        f"{one.differing:>11,} {one.noun}s differ, for example {one.example}"
        for one in found.compared
        if one.differing
    ]
    return "\n".join([*lines, *map(render_change, found.changes)])


def _tell_code(found: Replay) -> list[str]:
    if not found.code:
        return []
    return [f"Since the plan was made, p2c has changed: {', '.join(found.code)}."]


def list_differences(found: Replay) -> list[dict[str, object]]:
    """What differs, for ``--json``."""
    lost: list[dict[str, object]] = [{"lost": sentence} for sentence in found.lost]
    code: list[dict[str, object]] = [{"code_changed": phrase} for phrase in found.code]
    compared: list[dict[str, object]] = [
        {"compared": one.noun, "rows": one.total, "differing": one.differing,
         "example": one.example}
        for one in found.compared
    ]  # fmt: skip
    return [*lost, *code, *compared, *map(dict, found.changes)]
