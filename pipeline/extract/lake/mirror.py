"""The log of a Delta table in a store, copied to this machine for as long as it is read.

Its data files stay where they are: of them only the needed columns are fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipeline.extract.files.discover import FilePart
from pipeline.extract.files.remote import is_remote
from pipeline.extract.lake.faults import find_vector
from pipeline.extract.lake.log import LOG, DeltaLog, list_log, list_needed, read_actions
from pipeline.flow.threads import WorkerThreads, get_result
from pipeline.run.room import open_room

if TYPE_CHECKING:
    from pipeline.extract.lake.table import DeltaContent

_AT_ONCE: Final = 8
_HINT: Final = "_last_checkpoint"
_SIDECARS: Final = "_sidecars"


def read_mirrored(part: FilePart, read: Callable[[FilePart], DeltaContent]) -> DeltaContent:
    """The newest version of a table in a store, by way of a copy of its log.

    Args:
        part: the table's folder in the store.
        read: reads a table of this machine.

    Raises:
        SourceError: as ``read`` does.
        Stopped: the store cannot be asked.
    """
    with open_room("delta") as folder:
        mirror = folder.resolve() / part.name
        _copy_log(part, mirror)
        found = read(FilePart(path=mirror, name=part.name))
        source = part.path.parents[len(Path(part.name).parts) - 1]
        files = tuple(
            replace(one, part=FilePart(path=source / one.part.name, name=one.part.name))
            for one in found.files
        )
    return replace(found, files=files)


def _copy_log(part: FilePart, mirror: Path) -> None:
    log = list_log(part.path, part.name)
    newest = [log.commits[log.newest]] if log.newest in log.commits else []
    checksums = [path for version, path in log.checksums.items() if version >= log.whole]
    hint, sidecars = log.folder / _HINT, log.folder / _SIDECARS
    hints = [hint] if hint.is_file() else []
    more = sidecars.iterdir() if sidecars.is_dir() else ()
    (mirror / LOG).mkdir(parents=True)
    _copy({*list_needed(log), *newest, *checksums, *hints, *more}, part.path, mirror)
    _copy(_list_vectors(list_log(mirror, part.name), part.path), part.path, mirror)


def _list_vectors(log: DeltaLog, table: Path) -> set[Path]:
    """The files of deletion vectors that the log names. What is wrong with them is said later."""
    try:
        vectors = [one.get("deletionVector") for one in read_actions(log, "add")]
    except (OSError, ValueError, LookupError, RecursionError, pa.ArrowException):
        return set()
    named = {find_vector(one, table) for one in vectors if isinstance(one, dict)}
    return {path for path in named if path is not None and is_remote(path) and path.is_file()}


def _copy(paths: Iterable[Path], source: Path, mirror: Path) -> None:
    """Copy files of a table, each to the same place of its mirror."""

    def fetch(path: Path) -> None:
        target = mirror / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    with WorkerThreads(_AT_ONCE) as pool:
        for done in [pool.submit(fetch, path) for path in paths]:
            get_result(done)
