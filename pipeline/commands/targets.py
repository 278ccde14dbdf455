"""Where a command writes a file that the user named: a file, through links, and nothing else.

It is a new file, or one that p2c wrote earlier.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import UsageError, during

_BOM: Final = "\ufeff"
_FINDINGS: Final = ("contactid", "contact_number", "decision", "reason", "task")
_BEGINNINGS: Final = tuple(
    one.encode()
    for one in (
        f'{_BOM}"owner","link","contactid","contact_number"',
        f'{_BOM}"p2c_codes","p2c_columns"',
        _BOM + ",".join(f'"{name}"' for name in _FINDINGS),
    )
)
"""Of the lists that p2c writes as CSV: worklist, rows to correct, findings."""
_MARKS: Final = (b"<title>p2c", b'"kind": "p2c memory"')
"""In the first bytes of its pages, and of what it remembers of loads."""
_HEAD: Final = 1_000


def choose_target(path: Path, flag: str, example: str) -> Path:
    """The file to write, as the user named it; if that is a link, the file that it leads to.

    Args:
        path: what the user named.
        flag: with which flag, as in ``--to``.
        example: a usual name of such a file.

    Raises:
        UsageError: it cannot be a file: a folder, a device, a pipe, or ``-``. Or there is a file
            that p2c did not write.
    """
    where = f"{flag} {path}"
    if str(path) == "-":
        raise UsageError(
            f"p2c writes this into a file, not to stdout. Name one, as in {flag} {example}.",
            where=where,
        )
    try:
        found = Path(os.path.realpath(path))
        kind = found.stat().st_mode if found.exists() else None
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}.", where=where) from error
    if found.is_symlink():
        raise UsageError("cannot be written: its links form a circle.", where=where)
    if kind is not None and stat.S_ISDIR(kind):
        raise UsageError(
            f"is a folder. Name the file, too, as in {flag} {path / example}.", where=where
        )
    if kind is not None and not stat.S_ISREG(kind):
        raise UsageError(
            f"is a device or a pipe. Name a file, as in {flag} {example}.", where=where
        )
    _refuse_evidence(found, path, flag, example)
    _refuse_strange(found, where)
    with during("looking for a place to write"):
        above = next(one for one in found.parents if one.exists())
    if not above.is_dir():
        raise UsageError(f"cannot be written: {above} is a file, not a folder.", where=where)
    return found if path.is_symlink() else path


def _refuse_evidence(found: Path, path: Path, flag: str, example: str) -> None:
    """Refuse to write over what p2c works with: a project file, or a file of a run."""
    where = f"{flag} {path}"
    if found.suffix.casefold() == ".toml":
        raise UsageError(
            f"is a name of settings, which this would replace. Name another file, as in {flag} "
            f"{example}.",
            where=where,
        )
    if any((one / "run.json").is_file() for one in found.parents):
        raise UsageError(
            f"lies in the folder of a run, which is evidence. Name a file elsewhere, as in {flag} "
            f"{example}.",
            where=where,
        )


def _refuse_strange(found: Path, where: str) -> None:
    """Refuse to write over a file that p2c did not write: it may be an export."""
    with during("looking at the file to write"):
        is_strange = found.is_file() and found.stat().st_size > 0 and not _is_own(found)
    if is_strange:
        raise UsageError(
            "is there already, and this p2c did not write it. Name another file, or remove it.",
            where=where,
        )


def _is_own(path: Path) -> bool:
    """Whether p2c wrote a file: an export, a page, or what it remembers of loads."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PAR1"):
        try:
            return tuple(pl.read_parquet_schema(path))[: len(_FINDINGS)] == _FINDINGS
        except pl.exceptions.PolarsError:
            return False
    return head.startswith(_BEGINNINGS) or any(mark in head for mark in _MARKS)
