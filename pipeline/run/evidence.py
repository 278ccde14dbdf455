"""What of a run folder can be read, and what is wrong with it.

A damaged folder still shows what it can.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

import polars as pl
from pydantic import JsonValue

from pipeline.run.facts import Kind, RunFacts, make_blank_facts
from pipeline.run.folder import RunFolder
from pipeline.run.journal import PURGE_STARTED, Entry, list_purged, salvage_journal
from pipeline.run.record import RunRecord, Salvaged, salvage
from pipeline.run.summary import Summary, digest_facts, make_blank_summary
from pipeline.run.vouching import CONFIRM_STARTED

Fault = Literal["missing", "cut", "altered", "older", "unfinished", "interrupted", "purged"]

Interrupted = Literal["", "purge", "confirm"]
"""The command that changed a run and was stopped on the way; blank if there is none."""

_CHANGES: Final[Mapping[str, tuple[str, Interrupted]]] = {
    PURGE_STARTED: ("purged", "purge"),
    CONFIRM_STARTED: ("confirmed", "confirm"),
}
"""The journal's line before a finished run is changed, the one after, and who writes both."""

Model = TypeVar("Model", bound=RunRecord)

_SUMMARY_KEYS: Final = ("run", "kind", "verdict", "equations", "counts", "outcomes", "journal")
_RUN_KEYS: Final = ("run", "kind", "started_at", "versions", "settings", "sources")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One thing that is wrong with a run folder: which file, of what kind, and as a sentence."""

    file: str
    fault: Fault
    sentence: str


@dataclass(kw_only=True, slots=True)
class Evidence:
    """A run folder as far as it can be read.

    ``run`` and ``summary`` are blank where their files cannot be read; ``run_says`` and
    ``summary_says`` are the fields that could be.
    """

    folder: RunFolder
    run: RunFacts
    summary: Summary
    entries: tuple[Entry, ...]
    torn: bool
    run_says: frozenset[str] = frozenset()
    summary_says: frozenset[str] = frozenset()
    summary_digest: str = ""
    """Of ``summary.json`` as it is on disk; blank when it is not a JSON object."""
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """What the run is.

        ``summary.json`` knows best: p2c 0.1.0 called a retry main in ``run.json``.
        """
        return self.summary.kind if "kind" in self.summary_says else self.run.kind

    @property
    def started(self) -> bool:
        """Whether applying it began."""
        return any(entry.event == "apply_started" for entry in self.entries)

    @property
    def finished(self) -> bool:
        """Whether the last start came to its end."""
        events = [
            entry.event for entry in self.entries if entry.event in ("apply_started", "applied")
        ]
        return bool(events) and events[-1] == "applied"

    def frame(
        self, paths: Path | Iterable[Path], query: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> pl.DataFrame | None:
        """What a query says of Parquet files.

        Null, and a trouble noted, where they are not there or not whole.
        """
        files = [paths] if isinstance(paths, Path) else list(paths)
        missing = [path for path in files if not path.is_file()]
        for path in missing:
            self.note(path, "missing", f"{self.name(path)} is missing.")
        if missing or not files:
            return None
        try:
            return query(pl.scan_parquet(files, glob=False)).collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError):
            broken = [path for path in files if not is_whole(path)] or files
            for path in broken:
                self.note(path, "cut", f"{self.name(path)} cannot be read: it was cut or altered.")
            return None

    def name(self, path: Path) -> str:
        """A file's name inside the run folder."""
        return path.relative_to(self.folder.path).as_posix()

    def note(self, path: Path, fault: Fault, sentence: str) -> None:
        """Remember a trouble, once per file and fault; what a purge took away is not missing."""
        name = self.name(path)
        if fault == "missing" and name in self.purged:
            return
        if not any((one.file, one.fault) == (name, fault) for one in self.troubles):
            self.troubles.append(Trouble(file=name, fault=fault, sentence=sentence))

    @property
    def interrupted(self) -> Interrupted:
        """The command that was stopped while it changed the run, or before it said so."""
        lines = {entry.hash: entry.line for entry in self.entries}
        vouched = lines.get(self.summary.journal or "")
        last = {entry.event: entry.line for entry in self.entries}
        for started, (ended, command) in _CHANGES.items():
            end = last.get(ended, 0)
            if last.get(started, 0) > end or (vouched is not None and end > vouched):
                return command
        return ""

    @property
    def purged(self) -> frozenset[str]:
        """Files that `p2c purge` removed, or was removing when it was stopped."""
        return list_purged(self.entries)[0]


def gather_evidence(folder: RunFolder) -> Evidence:
    """Read run.json, summary.json and the journal of a run as far as they go."""
    journal, broken = salvage_journal(folder.journal)
    evidence = Evidence(
        folder=folder,
        run=make_blank_facts(folder.run),
        summary=make_blank_summary(folder.run),
        entries=journal.entries,
        torn=journal.torn,
    )
    if broken is not None:
        fault: Fault = "altered" if folder.journal.exists() else "missing"
        sentence = (
            f"{Path(broken.where).name}: {broken.message}"
            if fault == "altered"
            else "journal.jsonl is missing"
        )
        evidence.note(folder.journal, fault, f"{sentence}.")
    if journal.torn:
        evidence.note(
            folder.journal, "cut", "The last line of journal.jsonl is torn; it is left out."
        )
    _read_files(evidence)
    if evidence.started and not evidence.finished:
        sentence = (
            "This run was stopped and then purged: nothing can continue it."
            if evidence.purged
            else f"This run is still going, or was stopped: `p2c apply {folder.run}` continues it."
        )
        evidence.troubles.append(
            Trouble(file="journal.jsonl", fault="unfinished", sentence=sentence)
        )
    if evidence.interrupted:
        evidence.troubles.append(_describe_interrupted(folder, evidence.interrupted))
    for entry in journal.entries:
        if entry.event == "purged":
            sentence = (
                f"Personal data was purged on {entry.at[:10]}: what needs values cannot be shown "
                "any more."
            )
            evidence.troubles.append(
                Trouble(file="journal.jsonl", fault="purged", sentence=sentence)
            )
    return evidence


def _describe_interrupted(folder: RunFolder, command: Literal["purge", "confirm"]) -> Trouble:
    again = {
        "purge": f"`p2c purge {folder.run} --yes`",
        "confirm": f"`p2c confirm {folder.run}` with the same files",
    }
    sentence = (
        f"`p2c {command}` was interrupted while it changed this run: {again[command]} finishes it."
    )
    return Trouble(file="journal.jsonl", fault="interrupted", sentence=sentence)


def _read_files(evidence: Evidence) -> None:
    run = _read_object(evidence, evidence.folder.run_json)
    if run is not None:
        facts = _salvage(evidence, evidence.folder.run_json, run, evidence.run, _RUN_KEYS)
        evidence.run, evidence.run_says = facts.content, facts.known
        if "run" in facts.known and facts.content.run != evidence.folder.run:
            sentence = (
                f"run.json is that of run {facts.content.run}: the folder was renamed. Give it the "
                "name of its run again."
            )
            evidence.note(evidence.folder.run_json, "altered", sentence)
    loaded = _read_object(evidence, evidence.folder.summary)
    if loaded is not None:
        path = evidence.folder.summary
        summary = _salvage(evidence, path, loaded, evidence.summary, _SUMMARY_KEYS)
        evidence.summary, evidence.summary_says = summary.content, summary.known
        evidence.summary_digest = digest_facts(loaded)


def _read_object(evidence: Evidence, path: Path) -> dict[str, JsonValue] | None:
    """A JSON object of the folder; null if it cannot be read."""
    if not path.is_file():
        evidence.note(path, "missing", f"{path.name} is missing.")
        return None
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        evidence.note(path, "cut", f"{path.name} is not valid JSON: it was cut or altered.")
        return None
    if not isinstance(loaded, dict):
        evidence.note(path, "altered", f"{path.name} is not a JSON object.")
        return None
    return loaded


def _salvage(
    evidence: Evidence,
    path: Path,
    loaded: dict[str, JsonValue],
    blank: Model,
    keys: tuple[str, ...],
) -> Salvaged[Model]:
    """What an object says; fields that it lacks, or that cannot be read, are a trouble."""
    found = salvage(loaded, blank)
    lacking = dict.fromkeys([*(key for key in keys if key not in found.known), *found.unreadable])
    if lacking:
        evidence.note(
            path,
            "older",
            (
                f"{path.name} does not say {', '.join(lacking)}: another version of p2c wrote it, "
                "or it was altered."
            ),
        )
    return found


def is_whole(path: Path) -> bool:
    """Whether every page of a Parquet file can be read."""
    try:
        pl.scan_parquet(path, glob=False).select(pl.all().null_count()).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
