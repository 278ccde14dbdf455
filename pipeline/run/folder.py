"""The run folder: ids, names, and how its files are written whole or not at all.

Its layout is an interface (DESIGN 4).
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NewType

from pipeline.errors import Stopped, UsageError, during
from pipeline.run.facts import RunFacts
from pipeline.run.files import DISK, LOCK, PARTIALS, locked, try_lock, write_json
from pipeline.run.opened import note_opened_run
from pipeline.run.private import make_folder
from pipeline.run.record import read_record
from pipeline.run.room import open_room
from pipeline.run.summary import Summary

FOLDER: Final = "retries"
"""Next to the runs: what each retry was made from."""

MEMORIES: Final = "loaded"
"""Below the folder of runs: what each destination was loaded with."""

_PARTIAL: Final = ".partial"
SCRATCH: Final = ".scratch-"
"""How names of folders begin that a command needs for a while, beside a memory."""

_READ_BACK: Final = ".reconciling-"
"""How names of folders begin that hold what SCM has of a run while the two are compared."""

_UNDOING: Final = ".undoing-"
"""How names of folders begin that hold what an export has while an undo is planned from it."""

_LEFT_IN_MEMORIES: Final = (f"{SCRATCH}*", ".*.rows", PARTIALS)

RunId = NewType("RunId", str)
Clock = Callable[[], datetime]

_STAMP: Final = "%Y%m%dT%H%M%SZ"
_ID: Final = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{4}$")
EXTRACTING: Final = "extracting"
"""Below the folder of runs: what an extraction has so far, by Sales. It outlives a run that stops.
"""

LATEST: Final = "latest"
"""Instead of an id: the newest run."""


_PART: Final = re.compile(r"part-[0-9]+\.parquet")


def _is_part(path: Path) -> bool:
    return _PART.fullmatch(path.name) is not None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder and the names of what is in it."""

    path: Path

    @property
    def run(self) -> RunId:
        """The run's id, which is the folder's name."""
        return RunId(self.path.name)

    @property
    def run_json(self) -> Path:
        """What was known at the start."""
        return self.path / "run.json"

    @property
    def summary(self) -> Path:
        """The facts."""
        return self.path / "summary.json"

    @property
    def journal(self) -> Path:
        """What was done, line by line."""
        return self.path / "journal.jsonl"

    @property
    def source(self) -> Path:
        """Landed tables."""
        return self.path / "source"

    @property
    def decisions(self) -> Path:
        """One row per contact."""
        return self.path / "decisions.parquet"

    @property
    def findings(self) -> Path:
        """One row per problem."""
        return self.path / "findings.parquet"

    @property
    def batches(self) -> Path:
        """One row per batch."""
        return self.path / "batches.parquet"

    @property
    def outcomes(self) -> Path:
        """One row per planned row that has an outcome."""
        return self.path / "outcomes.parquet"

    @property
    def changes(self) -> Path:
        """One row per field that an update changes."""
        return self.path / "changes.parquet"

    def present(self, task: str) -> Path:
        """What SCM had, when the plan was made, under the keys that a task updates."""
        return self.path / "present" / f"{task}.parquet"

    @property
    def gone(self) -> Path:
        """One row per key that was loaded earlier and that no contact of the source has."""
        return self.path / "no_longer_in_source.csv"

    @property
    def accepted(self) -> Path:
        """The project's list of accepted contacts, as it was when the plan was made."""
        return self.path / "accepted.toml"

    @property
    def only(self) -> Path:
        """The contacts that ``--only`` named, one a line."""
        return self.path / "only.csv"

    @property
    def loaded(self) -> Path:
        """What earlier loads had left at the destination when the plan was made."""
        return self.path / "loaded.parquet"

    @property
    def packages(self) -> Path:
        """Packages, by task."""
        return self.path / "packages"

    @property
    def parts(self) -> Path:
        """What an engine hands to and fro, while it works on this run."""
        return self.path / "parts"

    def make_source(self) -> None:
        """Make the folder of landed tables. Raises ``OSError``."""
        make_folder(self.source)

    def rows(self, task: str) -> Path:
        """Planned rows of a task: a folder of Parquet files."""
        return self.path / "rows" / task

    def rows_files(self, task: str) -> list[Path]:
        """The Parquet files of a task's planned rows, in source order.

        Others, such as the copy that a service for shared folders makes of a conflict, are none.
        """
        return sorted(filter(_is_part, self.rows(task).glob("*.parquet")))

    def list_all_rows(self) -> list[Path]:
        """The Parquet files of all planned rows, task by task."""
        return sorted(filter(_is_part, (self.path / "rows").glob("*/*.parquet")))

    def plan_files(self) -> list[Path]:
        """The files that are the plan, with what was landed and what SCM had.

        Results are left out.
        """
        fixed = [
            self.run_json,
            self.decisions,
            self.findings,
            self.gone,
            self.changes,
            self.accepted,
            self.only,
            self.loaded,
        ]
        rows = self.list_all_rows()
        landed = sorted(self.source.glob("*.parquet"))
        seen = sorted((self.path / "scm").glob("*.parquet"))
        present = sorted((self.path / "present").glob("*.parquet"))
        return [path for path in [*fixed, *rows, *landed, *seen, *present] if path.exists()]

    def facts(self) -> RunFacts:
        """``run.json``. Raises ``UsageError`` where it is not whole."""
        return read_record(self.run_json, RunFacts)

    def read_summary(self) -> Summary:
        """``summary.json``. Raises ``UsageError`` where it is not whole."""
        return read_record(self.summary, Summary)

    def write_facts(self, facts: RunFacts) -> None:
        """Write ``run.json``."""
        write_json(self.run_json, facts.as_json())

    def write_summary(self, summary: Summary) -> None:
        """Write ``summary.json``, which names the journal's last line."""
        write_json(self.summary, summary.as_json())


def make_run_id(clock: Clock, runs: Path) -> RunId:
    """An id that sorts behind all runs that are there, by time.

    So ``latest`` is the run that was made last, also after the clock was set back; ``started_at``
    says what the clock showed.
    """
    moment = clock().astimezone(UTC).replace(microsecond=0)
    known = find_runs(runs)
    if known:
        moment = max(moment, read_stamp(known[-1].run) + timedelta(seconds=1))
    return RunId(f"{moment:{_STAMP}}-{secrets.token_hex(2)}")


def read_stamp(run: RunId) -> datetime:
    """The time in the id of a run."""
    return datetime.strptime(run.partition("-")[0], _STAMP).replace(tzinfo=UTC)


@contextmanager
def build_run(runs: Path, facts: RunFacts) -> Iterator[RunFolder]:
    """A run folder that appears under its name only when it is whole.

    Its ``run.json`` is the first that is written: what a killed process left says what it was going
    to be, until the next run clears it away.

    Raises:
        UsageError: ``runs`` is not a folder.
        Stopped: the disk failed; nothing is left behind.
    """
    if runs.exists() and not runs.is_dir():
        raise UsageError("is not a folder; --runs names the folder of all runs.", where=str(runs))
    partial = runs / f".{facts.run}{_PARTIAL}"
    with during("creating the run folder"):
        _clear(runs)
        make_folder(runs)
    try:
        with try_lock(_name_lock(partial)):
            with during("creating the run folder"):
                make_folder(partial)
            try:
                RunFolder(partial).write_facts(facts)
                yield RunFolder(partial)
                with during("finishing the run folder"):
                    DISK.replace(partial, runs / facts.run)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    finally:
        _name_lock(partial).unlink(missing_ok=True)


def _name_lock(partial: Path) -> Path:
    """The lock next to a run folder in the making, which its process holds."""
    return partial.with_suffix(LOCK)


def _clear(runs: Path) -> None:
    """Remove folders whose process is gone: the system freed their locks.

    They hold personal data, and room.
    """
    for path in runs.glob(f".*{_PARTIAL}"):
        lock = _name_lock(path)
        if path.is_dir() and lock.is_file():
            with try_lock(lock) as is_abandoned:
                if is_abandoned:
                    shutil.rmtree(path, ignore_errors=True)
                    lock.unlink(missing_ok=True)
    _sweep(runs)


def _sweep(runs: Path) -> None:
    """Remove what killed commands were writing, where no other process works.

    What cannot be removed does no harm and stays.
    """
    for one in find_runs(runs):
        _remove_unless_held(one.path, [*one.path.rglob(PARTIALS)])
    for memory in (runs / MEMORIES).glob("*"):
        left = [path for pattern in _LEFT_IN_MEMORIES for path in memory.glob(pattern)]
        _remove_unless_held(memory, left)
    for room in [*runs.glob(f"{_READ_BACK}*"), *runs.glob(f"{_UNDOING}*")]:
        _remove_unless_held(room, [room])
    for lock in runs.glob(f".*{LOCK}"):
        if not lock.with_suffix(_PARTIAL).is_dir():
            with suppress(Stopped), try_lock(lock) as is_free:
                if is_free:
                    lock.unlink(missing_ok=True)


@contextmanager
def open_read_back_room(found: RunFolder) -> Iterator[Path]:
    """A folder next to a run for what SCM has of it, for a while; of the system if none may be.

    What a killed process left there is removed first; the next plan removes it, too.

    Raises:
        Stopped: another process has it, or the disk failed.
    """
    if not os.access(found.path.parent, os.W_OK):
        with open_room("reconciling") as room:
            yield room
        return
    room = found.path.with_name(f"{_READ_BACK}{found.run}")
    with locked(room, "another process is reconciling this run."):
        try:
            for left in room.iterdir():
                if left.name != LOCK:
                    left.unlink(missing_ok=True)
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)


@contextmanager
def open_undo_room(runs: Path) -> Iterator[Path]:
    """A folder among the runs for what an export has, for a while.

    What a killed process left there is removed by the next plan.

    Raises:
        Stopped: the disk failed.
    """
    room = runs / f"{_UNDOING}{secrets.token_hex(2)}"
    with locked(room, "another process is planning this undo."):
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)


def _remove_unless_held(folder: Path, left: list[Path]) -> None:
    if not left:
        return
    with suppress(Stopped, OSError), try_lock(folder / LOCK) as is_free:
        for path in left if is_free else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def find_runs(runs: Path) -> list[RunFolder]:
    """All runs, oldest first."""
    if not runs.is_dir():
        return []
    return [
        RunFolder(path) for path in sorted(runs.iterdir()) if path.is_dir() and _ID.match(path.name)
    ]


def find_runs_before(runs: Path, run: RunFolder) -> list[RunFolder]:
    """The runs that were made before a run, oldest first."""
    return [one for one in find_runs(runs) if one.run < run.run]


def find_run(runs: Path, name: str) -> RunFolder:
    """The run that an id, a unique prefix, ``latest`` or the path of its folder means.

    Raises:
        UsageError: none or several match.
    """
    if _is_path(name):
        found = RunFolder(Path(name).resolve())
        if not (found.path / "run.json").is_file():
            raise UsageError("is not the folder of a run: run.json is not there.", where=name)
        note_opened_run(found.path)
        return found
    known = find_runs(runs)
    if name == LATEST:
        if not known:
            raise UsageError(
                f"there are no runs in {runs}. `p2c plan` makes one; --runs names another folder."
            )
        note_opened_run(known[-1].path)
        return known[-1]
    matching = [one for one in known if one.run.startswith(name)]
    if len(matching) == 1:
        note_opened_run(matching[0].path)
        return matching[0]
    what = "no run has" if not matching else f"{len(matching)} runs have"
    raise UsageError(
        f"{what} an id that begins with '{name}'. `p2c runs` lists them; of a run that lies "
        "elsewhere, name the folder."
    )


def _is_path(name: str) -> bool:
    """Whether a name is the path of a folder, not the id of a run."""
    return any(sign in name for sign in {"/", os.sep}) or (Path(name) / "run.json").is_file()
