"""Files are whole or not there, and what one process holds no other one gets."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import filelock
import polars as pl
import pytest

from pipeline.errors import Stopped
from pipeline.run.files import (
    LOCK,
    Disk,
    TableWriter,
    atomic,
    locked,
    replace_file,
    replacing,
    try_lock,
)
from tests.scenes.places import ROOT

SENTENCE = "another process is applying this run."


class Recorder(Disk):
    """A disk that remembers in which order it was asked, and what it had then."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []

    def flush(self, path: Path) -> None:
        self.asked.append(("flush", path.name, path.read_bytes()))
        super().flush(path)

    def replace(self, partial: Path, path: Path) -> None:
        self.asked.append(("replace", path.name, partial.read_bytes()))
        super().replace(partial, path)


class Full(Disk):
    """A disk that has no room for what was written."""

    def flush(self, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))


def by_file(path: Path, disk: Disk) -> None:
    with atomic(path, disk) as file:
        file.write(b"new")


def by_path(path: Path, disk: Disk) -> None:
    with replacing(path, disk) as partial:
        partial.write_bytes(b"new")


Write = Callable[[Path, Disk], None]
writes = pytest.mark.parametrize("write", [by_file, by_path])


@writes
@pytest.mark.parametrize("old", [None, b"old, and longer than what is new"])
def test_a_file_takes_its_place_once_it_is_on_the_disk(
    tmp_path: Path, write: Write, old: bytes | None
) -> None:
    path, disk = tmp_path / "folder" / "file.json", Recorder()
    if old is not None:
        path.parent.mkdir()
        path.write_bytes(old)
    write(path, disk)
    assert disk.asked == [
        ("flush", ".file.json.partial", b"new"),
        ("replace", "file.json", b"new"),
    ]
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@writes
def test_what_does_not_come_to_the_disk_leaves_the_file_as_it_was(
    tmp_path: Path, write: Write
) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(Stopped, match=r"writing file\.json stopped: the disk is full"):
        write(path, Full())
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    with pytest.raises(Stopped, match="the disk is full"):
        write(path, Full())
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def half_a_file(path: Path) -> AbstractContextManager[Any]:
    return atomic(path)


def half_a_table(path: Path) -> AbstractContextManager[Any]:
    return TableWriter(path, pl.Schema({"id": pl.String()}))


@pytest.mark.parametrize("begun", [half_a_file, half_a_table])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a defect"), Stopped("a stop")])
def test_a_writer_that_stops_in_the_middle_leaves_nothing(
    tmp_path: Path,
    begun: Callable[[Path], AbstractContextManager[Any]],
    error: BaseException,
) -> None:
    path = tmp_path / "file.parquet"
    path.write_bytes(b"old")

    def stop() -> None:
        with begun(path) as file:
            file.write(b"half" if begun is half_a_file else pl.DataFrame({"id": ["half"]}))
            raise error

    with pytest.raises(type(error)) as raised:
        stop()
    assert raised.value is error
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_a_table_knows_the_hash_of_what_stands_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.parquet"
    frame = pl.DataFrame({"id": ["a", "b"], "rows": [1, None]})
    with TableWriter(path, frame.schema) as writer:
        writer.write(frame)
        assert not path.exists()
        writer.write(frame)
    assert writer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert pl.read_parquet(path).equals(pl.concat([frame, frame]))
    assert list(path.parent.iterdir()) == [path]


HOLDER = """
import sys
from pathlib import Path
from pipeline.run.files import locked
with locked(Path(sys.argv[1]), "another one"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_name_is_on_the_disk_when_the_writer_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut brings back the old file after the journal spoke of the new one."""
    asked, flush = list[tuple[Path, list[str]]](), os.fsync

    def watched(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").resolve()
        asked.append((path, sorted(one.name for one in path.iterdir()) if path.is_dir() else []))
        flush(handle)

    monkeypatch.setattr(os, "fsync", watched)
    with atomic(tmp_path / "new" / "newer" / "file.json") as file:
        file.write(b"{}")
    folder = tmp_path.resolve() / "new" / "newer"
    assert asked == [
        (folder.parent.parent, ["new"]),
        (folder.parent, ["newer"]),
        (folder / ".file.json.partial", []),
        (folder, ["file.json"]),
    ]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ENOTSUP, errno.EINVAL])
def test_a_disk_that_cannot_keep_a_name_stops_and_one_that_has_no_flush_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    flush = os.fsync

    def failing(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        flush(handle)

    monkeypatch.setattr(os, "fsync", failing)
    is_failure = number in (errno.EIO, errno.ENOSPC)
    with pytest.raises(Stopped, match=r"^writing a\.json stopped") if is_failure else nullcontext():
        replace_file(tmp_path / "a.json", b"{}")
    assert list(tmp_path.glob(".*")) == []


def test_what_another_process_holds_stops_with_the_sentence_until_it_lets_go(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "20260101T000000Z-0000"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Stopped) as stopped, locked(folder, SENTENCE):
            pass
        assert (stopped.value.message, stopped.value.where) == (SENTENCE, folder.name)
        with try_lock(folder / LOCK) as is_ours:
            assert not is_ours
        other.communicate("let go\n")
    with locked(folder, SENTENCE), pytest.raises(filelock.Timeout):
        filelock.FileLock(folder / LOCK, timeout=0).acquire()


def test_a_lock_is_let_go_when_its_block_fails_and_the_error_is_not_changed(tmp_path: Path) -> None:
    error = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left") as raised, locked(tmp_path, SENTENCE):
        raise error
    assert raised.value is error
    with locked(tmp_path, SENTENCE):
        pass


def test_a_folder_that_cannot_be_locked_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(Stopped, match="locking run stopped"),
        locked(tmp_path / "file" / "run", SENTENCE),
    ):
        pass
