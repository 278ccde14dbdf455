"""Files of a store as Python reads files: from front to end in blocks, or in pieces.

Every piece is asked for with the ETag that the file had when it was listed, so all of them are of
one version of it.
"""

from __future__ import annotations

import hashlib
import io
from abc import abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Fetch = Callable[[int, int], bytes]
"""The bytes from a start to an end of one file."""

BLOCK: Final = 8 << 20
"""Bytes: few enough to hold some of them, many enough for one request each."""

_AT_ONCE: Final = 8
GAP: Final = 64 << 10
"""Bytes that are cheaper to read over than to ask twice for."""
LARGEST: Final = 16 << 20


class _Positioned(io.RawIOBase):
    """A file of a known size with a position."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self.size - self._place)
        if wanted <= 0:
            return 0
        piece = self._take(self._place, self._place + wanted)
        view[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    @abstractmethod
    def _take(self, start: int, end: int) -> bytes | memoryview:
        """At least one of these bytes, from the first on."""


class BlockReader(_Positioned):
    """Reads block by block; while one is worked on, the next one comes.

    ``finish`` gets the SHA-256 once all blocks came in order.
    """

    def __init__(
        self, fetch: Fetch, size: int, finish: Callable[[str], None], block: int = BLOCK
    ) -> None:
        super().__init__(size)
        self._size = block
        self._fetch = fetch
        self._finish = finish
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._number, self._block = -1, b""
        self._next: tuple[int, Future[bytes]] | None = None
        self._pool: ThreadPoolExecutor | None = None
        if not size:
            finish(self._digest.hexdigest())

    def _take(self, start: int, end: int) -> memoryview:
        number, begin = divmod(start, self._size)
        if number != self._number:
            self._block, self._number = self._turn_to(number), number
        return memoryview(self._block)[begin : begin + end - start]

    def _turn_to(self, number: int) -> bytes:
        """A block. When they are read in order, the one after it is begun."""
        waiting, self._next = self._next, None
        if waiting is not None and waiting[0] == number:
            block = waiting[1].result()
        else:
            block = self._get(number)
        in_order = number == self._number + 1
        if in_order and (number + 1) * self._size < self.size and not self.closed:
            self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="store")
            self._next = (number + 1, self._pool.submit(self._get, number + 1))
        return block

    def _get(self, number: int) -> bytes:
        start = number * self._size
        block = self._fetch(start, min(start + self._size, self.size))
        if start == self._hashed:
            self._digest.update(block)
            self._hashed += len(block)
            if self._hashed == self.size:
                self._finish(self._digest.hexdigest())
        return block

    def close(self) -> None:
        """End; what is under way is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._block, self._next = b"", None
        super().close()


class PieceReader(_Positioned):
    """Reads exactly what is asked for; what will be asked for can be fetched ahead."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__(size)
        self._fetch = fetch
        self._ahead: list[tuple[int, int, Future[bytes]]] = []
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="store")

    def fetch_ahead(self, spans: Iterable[tuple[int, int]]) -> None:
        """Begin to fetch spans of start and end; spans that lie near each other come together."""
        self._ahead += [
            (start, end, self._pool.submit(self._fetch, start, end))
            for start, end in join_spans(spans)
        ]

    def forget_before(self, place: int) -> None:
        """Drop what was fetched ahead and ends before a place."""
        self._ahead = [one for one in self._ahead if one[1] > place]

    def _take(self, start: int, end: int) -> bytes | memoryview:
        for first, last, piece in self._ahead:
            if first <= start and end <= last:
                return memoryview(piece.result())[start - first : end - first]
        return self._fetch(start, end)

    def close(self) -> None:
        """End; what is under way is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._ahead = []
        super().close()


def join_spans(
    spans: Iterable[tuple[int, int]], gap: int = GAP, largest: int = LARGEST
) -> list[tuple[int, int]]:
    """Spans of start and end in order; those that lie near each other as one, if it stays small."""
    ordered = sorted(spans)
    joined = ordered[:1]
    for (_, last), (start, end) in pairwise(ordered):
        if start - last <= gap and end - joined[-1][0] <= largest:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
