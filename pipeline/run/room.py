"""Folders for a while, among the temporary files of the system.

They may hold values of contacts, so what a killed command left there does not stay: the next
command that needs such a folder removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pipeline.errors import Stopped
from pipeline.run.files import try_lock

_PREFIX: Final = "p2c-"
_HELD: Final = ".temporary.lock"
"""The lock of such a folder. Those of runs and memories, which must stay wherever they lie, have
another name."""


@contextmanager
def open_room(purpose: str) -> Iterator[Path]:
    """An empty folder of our own until the block ends.

    Args:
        purpose: a word for its name.

    Raises:
        Stopped: the disk failed.
    """
    _sweep()
    name = f"{_PREFIX}{purpose}-"
    with (
        tempfile.TemporaryDirectory(prefix=name, ignore_cleanup_errors=True) as path,
        try_lock(Path(path) / _HELD),
    ):
        room = Path(path) / purpose
        room.mkdir(mode=0o700)
        yield room


def _sweep() -> None:
    """Remove folders of ours that nobody holds any more."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_HELD}"):
        with suppress(Stopped, OSError):
            if _is_ours(lock.parent):
                with try_lock(lock) as is_free:
                    if is_free:
                        shutil.rmtree(lock.parent, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Whether we made a folder: others may write there, too."""
    return not folder.is_symlink() and (
        not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    )
