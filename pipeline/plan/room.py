"""What a large plan needs of disk and memory, and what is there, before it begins.

The constants are of generated contacts (``python -m tests.benchmarks.size``).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import Stopped
from pipeline.extract.landing import LandedTable
from pipeline.project.settings import RunSettings, count_bytes
from schemas.sales import CONTACTS

LARGE: Final = 1_000_000
"""Contacts of a plan that may need more than a machine has."""

_DECISION: Final = 50
"""Bytes on the disk of a contact's decision and findings."""
_SPILLED: Final = 100
"""Bytes of a contact's keys, while repeats are looked for."""
_VALUES: Final = 0.6
"""Planned rows against the landed contacts, both compressed; those of a plain export need less."""
_GIGABYTE: Final = 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """Bytes. ``memory_there`` is null where it cannot be told."""

    disk_needed: int
    disk_there: int
    memory_needed: int
    memory_there: int | None

    @property
    def lacks(self) -> list[str]:
        """What there is too little of, as sentences."""
        found = []
        if self.disk_there < self.disk_needed:
            found.append(
                f"the plan needs about {_tell(self.disk_needed)} on the disk of the folder of runs,"
                f" and {_tell(self.disk_there)} are free. Make room, or give another folder with "
                "--runs."
            )
        if self.memory_there is not None and self.memory_there < self.memory_needed:
            found.append(
                f"the plan needs about {_tell(self.memory_needed)} of memory, and "
                f"{_tell(self.memory_there)} are free. Close other programs, or lower run.memory."
            )
        return found

    @property
    def sentence(self) -> str:
        """For people."""
        there = "" if self.memory_there is None else f" ({_tell(self.memory_there)} are free)"
        return (
            f"a plan needs about {_tell(self.disk_needed)} of disk ({_tell(self.disk_there)} are "
            f"free) and {_tell(self.memory_needed)} of memory{there}"
        )


def measure_room(landed: Mapping[str, LandedTable], run: RunSettings, runs: Path) -> Room | None:
    """What a plan of these tables needs; null for one that any machine has room for.

    Args:
        landed: its tables.
        run: says how much memory it takes.
        runs: where the run folder will be.
    """
    contacts = landed[CONTACTS.name]
    if contacts.rows < LARGE:
        return None
    size = sum(path.stat().st_size for path in contacts.files)
    return Room(
        disk_needed=contacts.rows * (_DECISION + _SPILLED) + int(size * _VALUES),
        disk_there=shutil.disk_usage(_find_folder(runs)).free,
        memory_needed=int(count_bytes(run.memory)),
        memory_there=_find_free_memory(),
    )


def refuse_lack(room: Room | None) -> None:
    """Stop a plan that cannot fit.

    Raises:
        Stopped: there is too little disk or memory; nothing was decided.
    """
    if room is not None and room.lacks:
        raise Stopped(" ".join(one[0].upper() + one[1:] for one in room.lacks))


def _find_folder(path: Path) -> Path:
    """The nearest folder that is there."""
    return next(one for one in (path.absolute(), *path.absolute().parents) if one.is_dir())


def _find_free_memory() -> int | None:
    """Bytes that this process may still take: of the machine, and of its control group."""
    found = [_read_available(Path("/proc/meminfo")), _read_group(Path("/sys/fs/cgroup"))]
    return min((one for one in found if one is not None), default=None)


def _read_available(path: Path) -> int | None:
    try:
        lines = path.read_text("ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _read_group(folder: Path) -> int | None:
    try:
        most = (folder / "memory.max").read_text("ascii").strip()
        used = (folder / "memory.current").read_text("ascii").strip()
    except OSError:
        return None
    return None if most == "max" else max(int(most) - int(used), 0)


def _tell(size: int) -> str:
    return f"{size / _GIGABYTE:,.1f} GB"
