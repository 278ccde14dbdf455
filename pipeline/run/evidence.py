"""What of a run folder can be read, and what is wrong with it.

A damaged folder still shows what it can.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from pipeline.run.folder import RunFolder
from pipeline.run.journal import Entry, salvaged

Fault = Literal["missing", "cut", "altered", "older", "unfinished", "purged"]

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

    ``run`` and ``summary`` are empty where their files cannot be read.
    """

    folder: RunFolder
    run: dict[str, Any]
    summary: dict[str, Any]
    entries: tuple[Entry, ...]
    torn: bool
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What the run is: main, backfill, retry, undo."""
        return str(self.summary.get("kind") or self.run.get("kind") or "main")

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

    def setting(self, key: str) -> Any:
        """A setting's value as the run recorded it; null if it did not."""
        entry = self.run.get("settings", {}).get(key)
        return entry.get("value") if isinstance(entry, dict) else None

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
            broken = [path for path in files if not whole(path)] or files
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
    def purged(self) -> frozenset[str]:
        """Files that `p2c purge` removed."""
        return frozenset(
            name
            for entry in self.entries
            if entry.event == "purged"
            for name in entry.payload.get("removed", ())
        )


def gathered(folder: RunFolder) -> Evidence:
    """Read run.json, summary.json and the journal of a run as far as they go."""
    journal, broken = salvaged(folder.journal)
    evidence = Evidence(
        folder=folder, run={}, summary={}, entries=journal.entries, torn=journal.torn
    )
    if broken is not None:
        fault: Fault = "altered" if folder.journal.exists() else "missing"
        told = (
            f"{Path(broken.where).name}: {broken.message}"
            if fault == "altered"
            else "journal.jsonl is missing"
        )
        evidence.note(folder.journal, fault, f"{told}.")
    if journal.torn:
        evidence.note(
            folder.journal, "cut", "The last line of journal.jsonl is torn; it is left out."
        )
    evidence.run = _object(evidence, folder.run_json, _RUN_KEYS)
    evidence.summary = _object(evidence, folder.summary, _SUMMARY_KEYS)
    if evidence.started and not evidence.finished:
        sentence = (
            f"This run is still going, or was stopped: `p2c apply {folder.run}` goes on with it."
        )
        evidence.troubles.append(
            Trouble(file="journal.jsonl", fault="unfinished", sentence=sentence)
        )
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


def _object(evidence: Evidence, path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """A JSON object of the folder, empty if it cannot be read.

    Keys that an older version did not write are said.
    """
    if not path.is_file():
        evidence.note(path, "missing", f"{path.name} is missing.")
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        evidence.note(path, "cut", f"{path.name} is not valid JSON: it was cut or altered.")
        return {}
    if not isinstance(loaded, dict):
        evidence.note(path, "altered", f"{path.name} holds no JSON object.")
        return {}
    lacking = [key for key in keys if key not in loaded]
    if lacking:
        evidence.note(
            path,
            "older",
            (
                f"{path.name} does not say {', '.join(lacking)}: another version of p2c wrote it, "
                "or it was altered."
            ),
        )
    return loaded


def whole(path: Path) -> bool:
    """Whether every page of a Parquet file can be read."""
    try:
        pl.scan_parquet(path, glob=False).select(pl.all().null_count()).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
