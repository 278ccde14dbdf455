"""Files that are packed, with gzip or in a zip: their bytes as they were before, within limits.

Nothing is unpacked onto the disk, and of a bomb no more is unpacked than the limits allow.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, Final, TypeAlias, cast

from isal import igzip, isal_zlib

from pipeline.errors import SourceError, reading
from pipeline.extract.files.remote import fetch_local
from pipeline.extract.records import ReadOptions

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP: Final = ".gz"
_MAGIC: Final = b"\x1f\x8b"
_IS_ENCRYPTED: Final = 0x1
_SMALL: Final = 64 * 1024 * 1024
"""Bytes under which nobody asks how well they were packed."""

_DAMAGED: Final[tuple[type[Exception], ...]] = (
    cast("type[Exception]", isal_zlib.error),
    zlib.error,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    EOFError,
)
_NO_ZIP: Final[tuple[type[Exception], ...]] = (*_DAMAGED, ValueError, NotImplementedError)
_NOT_READ: Final[tuple[type[Exception], ...]] = (*_DAMAGED, RuntimeError, NotImplementedError)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveMember:
    """One file in a zip."""

    archive: Path
    member: str


Content: TypeAlias = Path | ArchiveMember
"""Where the bytes of a file are: in a file of its own, or in a zip."""


@contextmanager
def open_content(content: Content, name: str, options: ReadOptions) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked.

    Args:
        content: the file; a name that ends in ``.gz`` says that it is packed.
        name: what messages call it.
        options: limits; ``unpacked_limit`` and ``unpacked_ratio`` hold for packed files only.

    Raises:
        SourceError: it cannot be unpacked, or becomes larger than it may.
    """
    with reading(name), ExitStack() as stack:
        if isinstance(content, ArchiveMember):
            yield _open_member(content, name, options, stack)
            return
        file = stack.enter_context(content.open("rb"))
        yield _unpack(file, name, options, stack) if _is_gzip(content) else file


def _is_gzip(path: Path) -> bool:
    return path.suffix.lower() == GZIP


def _unpack(file: BinaryIO, name: str, options: ReadOptions, stack: ExitStack) -> BinaryIO:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise SourceError(
            "its name ends in .gz, but it is not packed with gzip. If it is unpacked already, "
            "remove .gz from its name; else copy it again.",
            where=name,
        )
    file.seek(0)
    unpacked = stack.enter_context(
        cast("Callable[[IO[bytes], str], IO[bytes]]", igzip.open)(file, "rb")
    )
    return cast("BinaryIO", _Unpacked(unpacked, file, name, options))


def list_members(archive: Path, name: str) -> list[ArchiveMember]:
    """The files in a zip, but for hidden ones, in the order of their names.

    Raises:
        SourceError: it is not a whole zip, or has names that lead out of it.
    """
    with reading(name), ExitStack() as stack:
        opened = stack.enter_context(_open_zip(archive, name, stack))
        every = opened.infolist()
    if not all(info.filename for info in every):
        raise SourceError("holds a file without a name: copy it again.", where=name)
    infos = [info for info in every if not info.is_dir()]
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in info.filename:
            raise SourceError(
                "holds a file whose path leads out of the archive: this is not an export. Ask who "
                "made it.",
                where=name,
            )
    return [
        ArchiveMember(archive=archive, member=info.filename)
        for info in sorted(infos, key=lambda info: info.filename)
        if not any(
            part.startswith((".", "__MACOSX")) for part in PurePosixPath(info.filename).parts
        )
    ]


def _open_zip(archive: Path, name: str, stack: ExitStack) -> zipfile.ZipFile:
    file = stack.enter_context(fetch_local(archive).open("rb"))
    try:
        return zipfile.ZipFile(file)
    except _NO_ZIP as error:
        raise SourceError("is not a whole zip archive: copy it again.", where=name) from error


def _open_member(
    content: ArchiveMember, name: str, options: ReadOptions, stack: ExitStack
) -> BinaryIO:
    archive = stack.enter_context(_open_zip(content.archive, name, stack))
    info = archive.getinfo(content.member)
    if info.flag_bits & _IS_ENCRYPTED:
        raise SourceError("is encrypted: unpack it with its password.", where=name)
    if info.file_size > options.unpacked_limit:
        raise _make_limit_error(name, options)
    try:
        unpacked = stack.enter_context(archive.open(info))
    except _NOT_READ as error:
        raise SourceError(
            f"is packed in a way that is not read ({error}): unpack it, or pack it again.",
            where=name,
        ) from error
    return cast("BinaryIO", _Unpacked(unpacked, _Packed(info.compress_size), name, options))


class _Packed:
    """Something packed whose size is known."""

    def __init__(self, size: int) -> None:
        self._size = size

    def tell(self) -> int:
        """How many packed bytes were read at most."""
        return self._size


class _Unpacked(io.RawIOBase):
    """Unpacked bytes, counted."""

    def __init__(
        self,
        file: IO[bytes],
        packed: IO[bytes] | _Packed,
        name: str,
        options: ReadOptions,
    ) -> None:
        super().__init__()
        self._file, self._packed, self._name, self._options = file, packed, name, options
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        """Read ``size`` bytes, or what is left.

        Raises:
            SourceError: the packed bytes are damaged, or hold more than they may.
        """
        blocks = []
        while size > 0 and (block := self._read_some(size)):
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, or put in what is left; the number of bytes."""
        view = memoryview(buffer)
        block = self.read(len(view))
        view[: len(block)] = block
        return len(block)

    def _read_some(self, size: int) -> bytes:
        try:
            block: bytes = self._file.read(size)
        except _DAMAGED as error:
            raise SourceError(
                "its packed data are damaged or break off: copy the file again.", where=self._name
            ) from error
        self._done += len(block)
        ratio = self._done / max(self._packed.tell(), 1)
        if self._done > self._options.unpacked_limit or (
            self._done > _SMALL and ratio > self._options.unpacked_ratio
        ):
            raise _make_limit_error(self._name, self._options)
        return block


def _make_limit_error(name: str, options: ReadOptions) -> SourceError:
    return SourceError(
        f"unpacks to more than {options.unpacked_limit:,} bytes, or to more than "
        f"{options.unpacked_ratio:,} times its size. If it should be so large, raise "
        "source.unpacked_limit or source.unpacked_ratio.",
        where=name,
    )
