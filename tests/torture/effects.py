"""Every effect of a process on disk and network, counted, with an end before one of them.

An effect is a file that is opened for writing, a flush, a rename, a removal, a new folder, a
request that is sent and an answer that is received. Between two effects nothing happens that
another process could see, so an end before each of them is an end at every moment that matters.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

import httpx

End = Literal["kill", "power", "disk"]
"""How it ends: the process is killed; the machine loses its power, too; the disk is full from then
on, and the process ends by itself."""

_TWO_PATHS: Final = {"os.rename", "os.link"}
_ONE_PATH: Final = {"os.remove", "os.rmdir", "os.mkdir", "os.truncate"}
_JOURNAL: Final = "journal.jsonl"
_ROOM: Final = (".lock", "__pycache__")


@dataclass(kw_only=True)
class Disk:
    """What a power cut would take: names that no folder's flush kept, and unflushed files."""

    spare: Path
    renames: list[tuple[str, str, str | None]] = field(default_factory=list)
    """From, to, and where the file lies that had the name before."""
    dirty: set[str] = field(default_factory=set)
    kept: dict[str, int] = field(default_factory=dict)
    """Bytes of a journal that are on the disk, whatever happens."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def note_open(self, path: str) -> None:
        """A file that is there is opened: what earlier commands wrote was flushed."""
        if path.endswith(_JOURNAL):
            self.kept.setdefault(path, Path(path).stat().st_size)

    def note_rename(self, source: str, target: str) -> None:
        """Before it: keep what has the name now."""
        kept = None
        if Path(target).is_file():
            self.spare.mkdir(parents=True, exist_ok=True)
            kept = str(self.spare / f"{next(self.numbers)}")
            os.link(target, kept)
        self.renames.append((source, target, kept))
        inside = {name for name in self.dirty if name == source or name.startswith(f"{source}/")}
        self.dirty = self.dirty - inside | {target + name[len(source) :] for name in inside}

    def note_flush(self, path: str) -> None:
        """A file's content is kept, or a folder's names."""
        self.dirty.discard(path)
        if path.endswith(_JOURNAL):
            self.kept[path] = Path(path).stat().st_size
        self.renames = [one for one in self.renames if str(Path(one[1]).parent) != path]

    def lose(self, flushing: str | None) -> None:
        """Lose the power. A journal's line that is being flushed is there by half."""
        for source, target, kept in reversed(self.renames):
            with contextlib.suppress(OSError):
                Path(target).rename(source)
                if kept is not None:
                    Path(kept).rename(target)
        if flushing is not None and flushing.endswith(_JOURNAL):
            safe, size = self.kept.get(flushing, 0), Path(flushing).stat().st_size
            os.truncate(flushing, min(size, safe + (size - safe) // 2))
            self.dirty.discard(flushing)
        for name in self.dirty:
            with contextlib.suppress(OSError):
                os.truncate(name, 0)


def _is_emptied(path: str, flags: int) -> bool:
    """Whether opening a file makes it, or makes it empty."""
    return bool(flags & os.O_TRUNC or (flags & os.O_CREAT and not Path(path).exists()))


class _Names(Iterator["os.DirEntry[str]"]):
    """Names of a folder that were all read, in order."""

    def __init__(self, found: Iterable[os.DirEntry[str]]) -> None:
        self._rest = iter(sorted(found, key=lambda one: one.name))

    def __next__(self) -> os.DirEntry[str]:
        return next(self._rest)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _sort_folders() -> None:
    """Let folders be removed in the order of names: in which else, depends on the disk."""
    scan = os.scandir

    def sorted_scan(path: str = ".") -> _Names:
        with scan(path) as found:
            return _Names(found)

    os.scandir = sorted_scan  # type: ignore[assignment]


@dataclass(kw_only=True)
class Effects:
    """Counts the effects below ``home`` and on the network; ends before number ``stop``, from 0.

    Each is a line of ``log``.
    """

    home: Path
    log: int
    stop: int | None
    end: End
    disk: Disk
    count: int = 0
    is_full: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    local: threading.local = field(default_factory=threading.local)

    def install(self) -> None:
        """From now on, in this process."""
        sys.addaudithook(self._hear)
        self._watch_flushes()
        self._watch_requests()
        _sort_folders()

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """What happens in the block is no effect."""
        self.local.busy = True
        try:
            yield
        finally:
            self.local.busy = False

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if getattr(self.local, "busy", False):
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and self._is_ours(path) and _is_emptied(str(path), flags):
                self.take(f"open {self._name(path)}", on_disk=True)
                with self.lock:
                    self.disk.dirty.add(os.path.realpath(str(path)))
            elif self._is_ours(path) and Path(str(path)).is_file():
                self.disk.note_open(os.path.realpath(str(path)))
        elif event in _TWO_PATHS and self._is_ours(arguments[1]):
            source, target = (os.path.realpath(str(one)) for one in arguments[:2])
            self.take(f"{event} {self._name(target)}", on_disk=True)
            if event == "os.rename":
                with self.lock, self._ours():
                    self.disk.note_rename(source, target)
        elif event in _ONE_PATH and self._is_ours(arguments[0]):
            if event == "os.mkdir" and Path(str(arguments[0])).exists():
                return
            self.take(f"{event} {self._name(arguments[0])}", on_disk=event == "os.mkdir")

    def _is_ours(self, path: object) -> bool:
        if not isinstance(path, str | os.PathLike):
            return False
        text = os.fspath(path)
        if not isinstance(text, str) or text.endswith(_ROOM):
            return False
        if os.path.isabs(text):  # noqa: PTH117 - what Path does would be heard again
            return text.startswith(f"{self.home}/")
        return True

    def _name(self, path: object) -> str:
        text = str(path)
        return text.removeprefix(f"{self.home}/")

    def take(self, name: str, *, on_disk: bool = False, flushing: str | None = None) -> None:
        """Count an effect that is about to happen, or end before it."""
        with self.lock, self._ours():
            os.write(self.log, f"{name}\n".encode())
            if self.count == self.stop:
                self._finish(flushing)
            self.count += 1
            if self.is_full and on_disk:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _finish(self, flushing: str | None) -> None:
        if self.end == "disk":
            self.is_full = True
            return
        if self.end == "power":
            self.disk.lose(flushing)
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    def _watch_flushes(self) -> None:
        flush = os.fsync

        def watched(file: int) -> None:
            if not getattr(self.local, "busy", False):
                path = os.readlink(f"/proc/self/fd/{file}")  # noqa: PTH115
                self.take(f"flush {self._name(path)}", on_disk=True, flushing=path)
                with self.lock:
                    self.disk.note_flush(path)
            flush(file)

        os.fsync = watched  # type: ignore[assignment]

    def _watch_requests(self) -> None:
        send: Callable[[httpx.HTTPTransport, httpx.Request], httpx.Response]
        send = httpx.HTTPTransport.handle_request

        def watched(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            self.take(f"request {request.method} {request.url.path}")
            answer = send(transport, request)
            self.take(f"answer {answer.status_code} {request.url.path}")
            return answer

        httpx.HTTPTransport.handle_request = watched  # type: ignore[method-assign,assignment]
