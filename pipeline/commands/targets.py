"""Where a command writes a file that the user named: a file, through links, and nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pipeline.errors import UsageError, during


def choose_target(path: Path, flag: str, example: str) -> Path:
    """The file to write, as the user named it; if that is a link, the file that it leads to.

    Args:
        path: what the user named.
        flag: with which flag, as in ``--to``.
        example: a usual name of such a file.

    Raises:
        UsageError: it cannot be a file: a folder, a device, a pipe, or ``-``.
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
