"""What a command leaves behind, in a form in which two trials can be compared.

Ids of runs, times, and how often something was tried are left out. Runs that are equal in
everything else count once: a plan that was made a second time is the same plan.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

Left = dict[str, object]
"""What there is, by name: rows of a table, fields of a summary, or that a file exists."""

_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")
_ALL: Final = re.compile(rf"{_ID.pattern}(-[0-9a-f]{{4}})?")
_OF_A_STOP: Final = {"rows_read_earlier"}
"""Findings that a command which was stopped has, and an undisturbed one has not."""

_PASSING: Final = {"attempt", "execution_id", "bytes", "etag", "sent_at", "finished_at", "journal"}
_COSTS: Final = {"throttling", "traffic", "forecast", "systems"}
_QUIET: Final = (".lock", ".html")
_LASTING: Final = ("created", "updated", "written", "failed", "unknown", "pending")
_DIFFERENCES: Final = 3


def read_runs(runs: Path) -> Left:
    """Everything below a folder of runs."""
    found = sorted(path for path in runs.glob("*") if _ID.fullmatch(path.name))
    left: Left = {}
    seen: list[Left] = []
    for path in found:
        one = dict(_read_folder(path))
        if one not in seen:
            seen.append(one)
    for number, one in enumerate(seen, 1):
        left |= {f"run {number}: {name}": content for name, content in one.items()}
    for path in sorted(runs.rglob("*")):
        inside = any(path.is_relative_to(run) for run in found)
        if path.is_file() and not inside and not path.name.endswith(_QUIET):
            name = _ALL.sub("RUN", str(path.relative_to(runs)))
            left[name] = _read_file(path)
    return left


def count_outcomes(runs: Path) -> Left:
    """What became of rows in all runs together, and what lies beside the runs.

    A plan of a command that was stopped before it began to send did no harm and counts for nothing.
    """
    sums: Counter[str] = Counter()
    for path in runs.glob("2*/summary.json"):
        if '"apply_started"' not in path.with_name("journal.jsonl").read_text(encoding="utf-8"):
            continue
        loaded = json.loads(path.read_text(encoding="utf-8"))
        sums.update({name: rows for name, rows in loaded["outcomes"].items() if rows})
    beside = {name: one for name, one in read_runs(runs).items() if not name.startswith("run ")}
    return {"outcomes": {name: sums[name] for name in _LASTING if sums[name]}, **beside}


def _read_folder(run: Path) -> Iterator[tuple[str, object]]:
    for path in sorted(run.rglob("*")):
        if path.is_file() and not path.name.endswith(_QUIET):
            yield _ALL.sub("RUN", str(path.relative_to(run))), _read_file(path)


def _read_file(path: Path) -> object:
    """Content as far as two trials must agree on it."""
    match path.suffix:
        case ".parquet":
            return _read_table(path)
        case ".zip":
            return _read_package(path)
        case ".csv":
            return sorted(_ALL.sub("RUN", path.read_text(encoding="utf-8")).splitlines())
        case _ if path.name == "summary.json":
            return _read_summary(path)
        case _:
            return "is there"


def _read_table(path: Path) -> object:
    frame = pl.read_parquet(path)
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    kept = frame.drop(*times, *(_PASSING & set(frame.columns)))
    if "code" in kept.columns:
        kept = kept.filter(~pl.col("code").is_in(_OF_A_STOP).fill_null(value=False))
    rows = [
        _ALL.sub("RUN", json.dumps(row, sort_keys=True, default=str))
        for row in kept.iter_rows(named=True)
    ]
    return sorted(rows)


def _read_package(path: Path) -> object:
    with zipfile.ZipFile(path) as package:
        return sorted((one.filename, zlib.crc32(package.read(one))) for one in package.infolist())


def _read_summary(path: Path) -> object:
    loaded = json.loads(_ALL.sub("RUN", path.read_text(encoding="utf-8")))
    kept = {name: one for name, one in loaded.items() if name not in _PASSING | _COSTS}
    for name, one in kept.items():
        if isinstance(one, dict):
            kept[name] = {code: rows for code, rows in one.items() if code not in _OF_A_STOP}
        elif isinstance(one, list):
            kept[name] = [each for each in one if not _is_of_a_stop(each)]
    return sorted(f"{name}: {json.dumps(one, sort_keys=True)}" for name, one in kept.items())


def _is_of_a_stop(counted: object) -> bool:
    return isinstance(counted, dict) and counted.get("code") in _OF_A_STOP


def list_differences(found: Mapping[str, object], expected: Mapping[str, object]) -> list[str]:
    """What differs, a phrase each; none if nothing does."""
    differences = [f"{name} is missing" for name in expected if name not in found]
    differences += [f"{name} is left over" for name in found if name not in expected]
    for name, content in found.items():
        if name in expected and content != expected[name]:
            differences.append(f"{name} differs: {_describe(content, expected[name])}")
    return differences


def _describe(found: object, expected: object) -> str:
    if not isinstance(found, list) or not isinstance(expected, list):
        return f"{found!r:.200} instead of {expected!r:.200}"
    more = [one for one in found if one not in expected]
    less = [one for one in expected if one not in found]
    lines = [f"+{one!s:.400}" for one in more[:_DIFFERENCES]]
    lines += [f"-{one!s:.400}" for one in less[:_DIFFERENCES]]
    return f"{len(found)} rows for {len(expected)}: {' '.join(lines)}"
