"""Whether a file is still the one that was found: what changes under a plan is said."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.extract.records import Stamp
from pipeline.wire.store.remote import RemoteFile


def take_stamp(path: Path) -> Stamp | None:
    """The file as it is now; null if there is none."""
    with contextlib.suppress(OSError):
        if isinstance(path, RemoteFile):
            found = path.describe()
            return Stamp(size=found.size, etag=found.etag, version=found.version)
        there = path.stat()
        return Stamp(size=there.st_size, changed=there.st_mtime_ns, number=there.st_ino)
    return None
