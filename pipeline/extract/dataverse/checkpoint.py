"""What an extraction has on disk, so that it resumes where it stopped.

``<table>/index.json`` lists the parts, which are ranges of ids. ``<table>/<part>/progress.json`` is
the checkpoint of a part, written after a page, never before; ``<page>.arrow`` is that page. The
folder is gone once the table is landed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, TypedDict

import pyarrow as pa

from pipeline.errors import during
from pipeline.run.files import atomic, locked, replace_file
from pipeline.run.private import create_file, make_folder

_INDEX: Final = "index.json"
_PAGES: Final = pa.ipc.IpcWriteOptions(compression=None)


class AbandonedError(Exception):
    """A table is read again from the start, so its old parts do not count."""


class Range(TypedDict):
    """What the index keeps of a part."""

    number: int
    lows: list[str]
    highs: list[str]


@dataclass(kw_only=True, slots=True)
class TablePart:
    """A range of ids of one table: above all ``lows`` and not above any of the ``highs``.

    Ids compare as the server compares them. ``link`` is the next page's address, valid for the
    range as it is; without it the next page begins after ``last``.
    """

    number: int
    lows: list[str] = field(default_factory=list)
    highs: list[str] = field(default_factory=list)
    pages: int = 0
    slots: int = 0
    last: str | None = None
    link: str | None = None
    delta: str | None = None
    is_sorted: bool = True
    is_done: bool = False
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    """Place among the part's rows, from 1, and why."""

    @property
    def range(self) -> Range:
        """What the index keeps."""
        return {"number": self.number, "lows": self.lows, "highs": self.highs}


def begin_folder(path: Path, files: Collection[Path] = ()) -> None:
    """Clear a folder of what is under way, and make empty files that are closed to others."""
    discard(path)
    make_folder(path)
    for one in files:
        create_file(one)


def write_checkpoint(path: Path, content: Mapping[str, object]) -> None:
    """Write a file of JSON, whole or not at all."""
    replace_file(path, json.dumps(content).encode())


WriteCheckpoint = Callable[[Path, Mapping[str, object]], None]


@dataclass(kw_only=True, slots=True)
class TableWork:
    """The parts of one table. ``can_range``: ids can be compared, so there may be several parts."""

    folder: Path
    asked: Mapping[str, object]
    begun: str
    tracked: bool
    can_range: bool = True
    parts: list[TablePart] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    write: WriteCheckpoint = write_checkpoint

    @property
    def is_done(self) -> bool:
        """Whether everything is on disk."""
        return bool(self.parts) and all(part.is_done for part in self.parts)

    @property
    def slots(self) -> int:
        """Rows on disk, readable or not."""
        return sum(part.slots for part in self.parts)

    def begin(self) -> None:
        """Start again with one part."""
        with self.lock, during("extracting"):
            begin_folder(self.folder)
            self.parts = [TablePart(number=1)]
            self._write_index()

    def drop(self) -> None:
        """Forget everything."""
        with self.lock:
            self.parts = []
            discard(self.folder)

    def keep(self, part: TablePart, page: pa.Table, found: TablePart) -> None:
        """Keep a page, then say that it is there.

        Args:
            part: as it was before the page.
            page: the rows.
            found: the part as it is with the page; ``part`` becomes like it.

        Raises:
            AbandonedError: the part was given up in the meantime.
        """
        with self.lock, during("extracting"):
            if not any(one is part for one in self.parts):
                raise AbandonedError
            folder = self._find_folder(part)
            make_folder(folder)
            _write_page(self._find_page(part, part.pages + 1), page)
            self.write(folder / "progress.json", asdict(found))
            for name, value in asdict(found).items():
                setattr(part, name, value)

    def split(self, part: TablePart, at: str) -> TablePart:
        """Give the ids above ``at`` to a new part; ``part`` continues after its last row."""
        with self.lock, during("extracting"):
            after = [part.last] if part.last else part.lows
            if not any(one is part for one in self.parts):
                raise AbandonedError
            child = TablePart(number=len(self.parts) + 1, lows=[*after, at], highs=list(part.highs))
            part.lows, part.highs, part.link = after, [*part.highs, at], None
            self.parts.append(child)
            self._write_index()
            return child

    def pages(self, part: TablePart) -> Iterator[pa.Table]:
        """The pages of a part, in order."""
        for number in range(1, part.pages + 1):
            with pa.memory_map(str(self._find_page(part, number))) as file:
                yield pa.ipc.open_file(file).read_all()

    def _find_folder(self, part: TablePart) -> Path:
        return self.folder / f"{part.number:05d}"

    def _find_page(self, part: TablePart, number: int) -> Path:
        return self._find_folder(part) / f"{number:06d}.arrow"

    def _write_index(self) -> None:
        index = {
            "asked": self.asked,
            "begun": self.begun,
            "tracked": self.tracked,
            "can_range": self.can_range,
            "parts": [part.range for part in self.parts],
        }
        self.write(self.folder / _INDEX, index)

    def resume(self) -> bool:
        """Take up what an earlier extraction left, if it asked the same.

        Whether there was something.
        """
        try:
            index = json.loads((self.folder / _INDEX).read_bytes())
            if index["asked"] != self.asked or index["begun"] < self.begun:
                return False
            parts = [self._resume_part(one) for one in index["parts"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return False
        self.begun, self.tracked, self.can_range, self.parts = (
            index["begun"],
            index["tracked"],
            index["can_range"],
            parts,
        )
        return bool(parts)

    def _resume_part(self, kept: Range) -> TablePart:
        part = TablePart(**kept)
        path = self._find_folder(part) / "progress.json"
        if not path.exists():
            return part
        found = TablePart(**json.loads(path.read_bytes()))
        found.unreadable = [(int(place), str(why)) for place, why in found.unreadable]
        for number in range(1, found.pages + 1):
            if not self._find_page(found, number).is_file():
                raise ValueError("a page is gone")
        if found.range != part.range:
            found.lows, found.highs, found.link = part.lows, part.highs, None
            found.is_done = False
        return found


def discard(folder: Path) -> None:
    """Remove the folder of a table; its index goes first, so a stop leaves nothing that counts."""
    with contextlib.suppress(OSError):
        (folder / _INDEX).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def hold(work: Path) -> AbstractContextManager[None]:
    """Keep other processes out of an extraction's folder; raises ``Stopped`` when one is in it."""
    return locked(work, "another process is reading the same Sales for this folder of runs.")


def _write_page(path: Path, page: pa.Table) -> None:
    with (
        atomic(path) as file,
        pa.ipc.new_file(file, page.schema, options=_PAGES) as writer,
    ):
        writer.write_table(page)
