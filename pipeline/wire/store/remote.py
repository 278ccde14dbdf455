"""What readers need to know of a file that is not on this machine. It needs no package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from pipeline.wire.store.reader import PieceReader

CHANGED: Final = (
    "changed while p2c was reading it, so nothing was kept. Run the same command again when "
    "nobody writes to it."
)
"""What is said of a file that is not what it was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreEntry:
    """What a listing says of a file or folder; ``changed`` in seconds since 1970."""

    is_folder: bool
    size: int = 0
    changed: float = 0.0
    etag: str = ""
    version: str = ""


@runtime_checkable
class RemoteFile(Protocol):
    """A file of a store. It is otherwise used like a path of this machine."""

    def describe(self) -> StoreEntry:
        """What the listing says of it."""
        ...

    def open_pieces(self) -> PieceReader:
        """The file for readers that know which of its bytes they need."""
        ...

    def fetch(self) -> Path:
        """The whole file on this machine, until p2c ends."""
        ...

    def look_again(self) -> Path:
        """The same place, of which nothing is known yet."""
        ...

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file if it was read from front to end, else blank."""
        ...
