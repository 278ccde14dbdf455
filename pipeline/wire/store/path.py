"""A place in a store with as much of ``pathlib.Path`` as readers of a folder use.

It is read, never written, and no listing and no file is asked for twice without need.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import shutil
import stat
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, Literal, TextIO, cast, overload

import obstore

from pipeline.errors import AnswerUnreadable, SourceError, Stopped, Unreachable, during
from pipeline.run.room import open_room
from pipeline.wire.failures import CONTINUE
from pipeline.wire.store.failures import translate_failures
from pipeline.wire.store.location import Provider, StoreLocation
from pipeline.wire.store.login import StoreLogin
from pipeline.wire.store.reader import BLOCK, BlockReader, PieceReader
from pipeline.wire.store.remote import CHANGED, StoreEntry

if TYPE_CHECKING:
    from obstore import GetOptions, ListResult, ObjectMeta
    from obstore.store import ObjectStore

MOST: Final = 100_000
"""So many files one folder may hold."""

LONGEST: Final = 300.0
"""Seconds of the listing of one folder, page after page."""

_FOLDER_MARK: Final = "hdi_isfolder"
"""What Azure writes at a file of no bytes that stands for a folder."""


_FOLDER: Final = StoreEntry(is_folder=True)


def _describe(found: ObjectMeta) -> StoreEntry:
    return StoreEntry(
        is_folder=False,
        size=found["size"],
        changed=found["last_modified"].timestamp(),
        etag=_quote(found["e_tag"] or ""),
        version=found["version"] or "",
    )


def _quote(etag: str) -> str:
    """An ETag as headers write it; Azure's listings leave the quotes out."""
    return etag if not etag or etag.endswith('"') else f'"{etag}"'


class Store:
    """A container or bucket. A folder is listed once, so a run sees one state of it."""

    def __init__(
        self,
        client: ObjectStore,
        location: StoreLocation,
        login: StoreLogin | None = None,
        *,
        most: int = MOST,
        longest: float = LONGEST,
    ) -> None:
        self.location = location
        self._most = most
        self._longest = longest
        self._client = client
        self._login = login
        self._listed: dict[str, dict[str, StoreEntry]] = {}
        self.sums: dict[str, str] = {}
        """Key → the SHA-256 of a file that was read from front to end."""
        self._fetched: dict[str, Path] = {}
        self._room: Path | None = None

    def look_again(self) -> Store:
        """The same container, of which nothing is known yet."""
        return Store(
            self._client, self.location, self._login, most=self._most, longest=self._longest
        )

    def _open_room(self) -> Path:
        if self._room is None:
            holding = ExitStack()
            self._room = holding.enter_context(open_room("store"))
            weakref.finalize(self, holding.close)
        return self._room

    def fetch(self, key: str, content: BinaryIO) -> Path:
        """A whole file on this machine; it goes when the store is no longer used."""
        if key not in self._fetched:
            with during("fetching a file of the store"):
                folder = self._open_room() / str(len(self._fetched))
                folder.mkdir()
                path = folder / PurePosixPath(key).name
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file, BLOCK)
            self._fetched[key] = path
        return self._fetched[key]

    def name(self, key: str) -> str:
        """The address of a file or folder."""
        return f"{self.location.root}/{key}" if key else self.location.root

    def list_folder(self, key: str) -> Mapping[str, StoreEntry]:
        """Name → what is in a folder; empty if there is no such folder.

        Raises:
            SourceError: there is no such container, or the folder holds too much.
            SystemStopped: the store cannot be asked.
        """
        if key not in self._listed:
            found = self._list(key)
            if len(found["objects"]) > self._most:
                raise SourceError(
                    f"holds more than {self._most:,} files. Name the folder that holds the tables.",
                    where=self.name(key),
                )
            files = {
                PurePosixPath(one["path"]).name: _describe(one)
                for one in found["objects"]
                if one["path"] != key
            }
            folders = [PurePosixPath(one).name for one in found["common_prefixes"]]
            for name in folders:
                if name in files and files[name].size:
                    raise SourceError(
                        "is a file and a folder; leave one.", where=f"{self.name(key)}/{name}"
                    )
            self._listed[key] = {**files, **dict.fromkeys(folders, _FOLDER)}
            self._refuse_emptied(key)
        return self._listed[key]

    def _list(self, key: str) -> ListResult[Sequence[ObjectMeta]]:
        """All pages of the list of a folder, unless they take too long: they may have no end."""

        async def ask() -> ListResult[Sequence[ObjectMeta]]:
            asked = obstore.list_with_delimiter_async(self._client, prefix=key or None)
            return await asyncio.wait_for(asked, self._longest)

        place = self.name(key)
        with translate_failures(self.location, place, self._login), ThreadPoolExecutor(1) as pool:
            try:
                return pool.submit(asyncio.run, ask()).result()
            except TimeoutError as error:
                raise Unreachable(
                    f"did not end the list of this folder within {self._longest:g} s. {CONTINUE}",
                    where=place,
                    again=True,
                ) from error

    def _refuse_emptied(self, key: str) -> None:
        """Refuse a folder that was listed and has nothing now.

        Only Azure has folders without files. A web page in the place of a list is a list of
        nothing.
        """
        folder, _, name = key.rpartition("/")
        was_listed = name in self._listed.get(folder, {})
        if was_listed and not self._listed[key] and self.location.provider is not Provider.AZURE:
            del self._listed[key]
            raise AnswerUnreadable(
                f"lists nothing in a folder that it listed before. {CONTINUE}",
                where=self.name(key),
                again=True,
            )

    def find(self, key: str) -> StoreEntry | None:
        """What is at a key; null for nothing."""
        if key == self.location.path:  # Who may read it may not always read the folder above.
            return _FOLDER if self.list_folder(key) or not key else self._look_up(key)
        folder, _, name = key.rpartition("/")
        return self.list_folder(folder).get(name)

    def _look_up(self, key: str) -> StoreEntry | None:
        options: GetOptions = {"head": True}
        try:
            with translate_failures(self.location, self.name(key), self._login):
                found = obstore.get(self._client, key, options=options)
        except SourceError:
            return None
        is_folder = not found.meta["size"] and any(
            name.lower() == _FOLDER_MARK for name in found.attributes
        )
        return _FOLDER if is_folder else _describe(found.meta)

    def read(self, key: str, entry: StoreEntry, start: int, end: int) -> bytes:
        """Bytes of the very version of a file that was listed, and all of them.

        Raises:
            Stopped: the file changed since, or the store cannot be asked.
        """
        place = self.name(key)
        options: GetOptions = {"range": (start, end)}
        if entry.etag:
            options["if_match"] = entry.etag
        with translate_failures(self.location, place, self._login):
            found = obstore.get(self._client, key, options=options)
            now = _describe(found.meta)
            content = found.bytes().to_bytes()
        if now.size != entry.size or (entry.etag and now.etag and now.etag != entry.etag):
            raise Stopped(CHANGED, where=place)
        if len(content) != end - start:
            raise AnswerUnreadable(
                f"sent {len(content):,} bytes of the {end - start:,} that were asked for. "
                f"{CONTINUE}",
                where=place,
                again=True,
            )
        return content


class StorePath:
    """A file or folder of a store. Its text is its address."""

    __slots__ = ("pure", "store")

    def __init__(self, store: Store, key: str | PurePosixPath) -> None:
        self.store = store
        self.pure = PurePosixPath(key)
        """The steps within the container."""

    @property
    def key(self) -> str:
        """The name within the container; blank for all of it."""
        return "" if self.pure == PurePosixPath() else self.pure.as_posix()

    @property
    def name(self) -> str:
        """The last step."""
        return self.pure.name or self.store.location.container

    @property
    def suffix(self) -> str:
        """The ending, with its dot."""
        return self.pure.suffix

    @property
    def suffixes(self) -> list[str]:
        """All endings, each with its dot."""
        return self.pure.suffixes

    @property
    def stem(self) -> str:
        """The name without its last ending."""
        return self.pure.stem

    @property
    def parts(self) -> tuple[str, ...]:
        """The steps within the container."""
        return self.pure.parts

    @property
    def parent(self) -> StorePath:
        """The folder that it is in."""
        return self._make(self.pure.parent)

    @property
    def parents(self) -> list[StorePath]:
        """The folders that it is in, the nearest first."""
        return [self._make(one) for one in self.pure.parents]

    def _make(self, pure: PurePosixPath) -> StorePath:
        return StorePath(self.store, pure)

    def __truediv__(self, step: str | PurePosixPath) -> StorePath:
        return self.joinpath(step)

    def joinpath(self, *steps: str | PurePosixPath) -> StorePath:
        """What is below, step by step."""
        return self._make(self.pure.joinpath(*steps))

    def with_name(self, name: str) -> StorePath:
        """What is beside it under another name."""
        return self._make(self.pure.with_name(name))

    def with_suffix(self, suffix: str) -> StorePath:
        """What is beside it with another ending."""
        return self._make(self.pure.with_suffix(suffix))

    def relative_to(self, other: StorePath) -> PurePosixPath:
        """The steps from a folder to here. Raises ``ValueError`` if it is not below."""
        return self.pure.relative_to(other.pure)

    def is_relative_to(self, other: StorePath) -> bool:
        """Whether it is that folder or below it."""
        return isinstance(other, StorePath) and self.pure.is_relative_to(other.pure)

    def as_posix(self) -> str:
        """The address."""
        return str(self)

    def resolve(self, *, strict: bool = False) -> StorePath:
        """Itself: a store has no links."""
        if strict:
            self.stat()
        return self

    absolute = resolve

    def __str__(self) -> str:
        return self.store.name(self.key)

    def __repr__(self) -> str:
        return f"StorePath('{self}')"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, StorePath) and self.store is other.store and self.pure == other.pure
        )

    def __hash__(self) -> int:
        return hash(self.pure)

    def __lt__(self, other: StorePath) -> bool:
        return self.pure < other.pure

    def exists(self) -> bool:
        """Whether there is a file or folder."""
        return self.store.find(self.key) is not None

    def is_dir(self) -> bool:
        """Whether it is a folder: a name with something below it."""
        found = self.store.find(self.key)
        return found is not None and found.is_folder

    def is_file(self) -> bool:
        """Whether it is a file."""
        found = self.store.find(self.key)
        return found is not None and not found.is_folder

    def is_symlink(self) -> bool:
        """Never: a store has no links."""
        return False

    def iterdir(self) -> Iterator[StorePath]:
        """What is in the folder, in no order."""
        for name in self.store.list_folder(self.key):
            yield self / name

    def glob(self, pattern: str) -> Iterator[StorePath]:
        """What is below and fits a pattern, step by step; ``**`` stands for any steps."""
        first, _, rest = pattern.partition("/")
        if first == "**":
            yield from self.glob(rest or "*")
            for folder in self._list_folders():
                yield from folder.glob(pattern)
            return
        for one in self.iterdir():
            if fnmatchcase(one.name, first):
                if rest:
                    yield from one.glob(rest) if one.is_dir() else ()
                else:
                    yield one

    def rglob(self, pattern: str) -> Iterator[StorePath]:
        """What is anywhere below and fits a pattern."""
        yield from self.glob(f"**/{pattern}")

    def _list_folders(self) -> Iterator[StorePath]:
        return (one for one in self.iterdir() if one.is_dir())

    def describe(self) -> StoreEntry:
        """What the listing says of the file or folder. Raises ``FileNotFoundError``."""
        found = self.store.find(self.key)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        return found

    def stat(self) -> os.stat_result:
        """Size, time and kind. Raises ``FileNotFoundError``."""
        found = self.describe()
        kind = stat.S_IFDIR if found.is_folder else stat.S_IFREG
        when, times = int(found.changed), [found.changed] * 3
        usual = (kind | 0o444, 0, 0, 1, 0, 0, found.size, when, when, when)
        return os.stat_result([*usual, *times, *(int(one * 1e9) for one in times)])

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file if it was read from front to end, else blank."""
        return self.store.sums.get(self.key, "")

    def _describe_file(self) -> StoreEntry:
        found = self.describe()
        if found.is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self))
        return found

    @overload
    def open(self, mode: Literal["rb"]) -> BinaryIO: ...

    @overload
    def open(self, mode: Literal["r"] = "r", *, encoding: str | None = None) -> TextIO: ...

    def open(self, mode: str = "r", *, encoding: str | None = None) -> IO[Any]:
        """The file from its front on, or anywhere, in blocks.

        Raises ``FileNotFoundError``, ``IsADirectoryError``; reading raises as ``Store.read`` does.
        """
        if mode not in {"r", "rb"}:
            raise io.UnsupportedOperation(f"a store is read, and not opened as {mode}")
        entry, key, store = self._describe_file(), self.key, self.store
        raw = BlockReader(
            lambda start, end: store.read(key, entry, start, end),
            entry.size,
            lambda found: store.sums.update({key: found}),
        )
        content = io.BufferedReader(raw, 1 << 20)
        return content if mode == "rb" else io.TextIOWrapper(content, encoding or "utf-8")

    def fetch(self) -> Path:
        """The whole file on this machine, until p2c ends."""
        with self.open("rb") as file:
            return self.store.fetch(self.key, file)

    def look_again(self) -> Path:
        """The same place, of which nothing is known yet."""
        return cast("Path", StorePath(self.store.look_again(), self.pure))

    def open_pieces(self) -> PieceReader:
        """The file for readers that know which of its bytes they need."""
        entry, key, store = self._describe_file(), self.key, self.store
        return PieceReader(lambda start, end: store.read(key, entry, start, end), entry.size)

    def read_bytes(self) -> bytes:
        """All of the file."""
        with self.open("rb") as file:
            return file.read()

    def read_text(self, encoding: str = "utf-8") -> str:
        """All of the file as text."""
        return self.read_bytes().decode(encoding)
