"""Files of a store, for readers that need them on this machine."""

from __future__ import annotations

from pathlib import Path

from pipeline.wire.store.remote import RemoteFile


def is_remote(path: Path) -> bool:
    """Whether it is in a store."""
    return isinstance(path, RemoteFile)


def fetch_local(path: Path) -> Path:
    """The file itself; of one in a store, the whole of it is fetched, and goes when p2c ends.

    Raises:
        Stopped: the store cannot be asked, or the disk is full.
    """
    return path.fetch() if isinstance(path, RemoteFile) else path
