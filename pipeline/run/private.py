"""Folders and files for the person who runs p2c, and for nobody else.

They hold personal data. Whatever the umask allows others, folders that p2c makes are 0700 and files
0600; a folder that is there already keeps its mode. Windows inherits the rights of the folder.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


_LOST: Final = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT})
"""What a disk says that could not keep names; all else means that the system has no such flush."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where the system can.

    Raises ``OSError`` if the disk failed.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _LOST:
            raise


def make_folder(path: Path) -> None:
    """Make a folder, and the missing ones above it, if it is not there.

    They survive a power cut. Raises ``OSError``.
    """
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    sync_folder(path.parent)


def create_file(path: Path) -> None:
    """Make an empty file, or empty the one that is there, and close it to others.

    Whoever opens it to write afterwards leaves its mode. Raises ``OSError``.
    """
    path.unlink(missing_ok=True)
    path.touch(mode=PRIVATE_FILE)


def close_to_others(path: Path) -> None:
    """Take a file, or a folder with all that is in it, away from others.

    Links stay as they are: what they lead to is not ours. Raises ``OSError``.
    """
    if path.is_symlink():
        return
    path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)
    if path.is_dir():
        for one in path.iterdir():
            close_to_others(one)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file into one that is closed to others. Raises ``OSError``."""
    create_file(target)
    with suppress(shutil.SameFileError):
        shutil.copyfile(source, target)
