"""A folder of this machine as if it were in an object store: the client is obstore's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import obstore
from obstore.store import LocalStore, MemoryStore

from pipeline.wire.store.location import StoreLocation, parse_location
from pipeline.wire.store.path import Store, StorePath

BUCKET: Final = "s3://exports"


def locate(url: str) -> StoreLocation:
    """What an address says."""
    found = parse_location(url)
    assert found is not None
    return found


def store_folder(folder: Path) -> StorePath:
    """A folder of this machine, read by way of a store."""
    return StorePath(Store(LocalStore(folder), locate(BUCKET)), "")


def hold_in_memory(files: Mapping[str, str | bytes], url: str = BUCKET) -> StorePath:
    """Files of a store that holds them in memory."""
    memory = MemoryStore()
    for key, content in files.items():
        obstore.put(memory, key, content.encode() if isinstance(content, str) else content)
    location = locate(url)
    return StorePath(Store(memory, location), location.path)


def as_path(place: StorePath) -> Path:
    """The place as readers take it."""
    return cast("Path", place)
