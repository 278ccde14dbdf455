"""The journal of a run: append-only, each line bound to the line before, on disk before the next step begins.

One line is one JSON object with sorted keys in ASCII: ``at`` (UTC), ``event``, ``previous``
(SHA-256 of the whole line before, without its line end; 64 zeros in the first line) and what the
event carries.

An effect that cannot be repeated blindly has two lines: *intent* with our own ids before it, *done*
after it. An intent without done is looked up, never repeated.

The last line can be torn when a process or machine stopped while it was being written. It is
dropped and said, and cut away when the journal is opened again: what it was to record had not begun
(intent) or is looked up (done). Everything else that does not fit the chain breaks the run. The
chain cannot vouch for its own end: whoever must know that nothing is missing or changed there
compares ``last_hash`` with the one kept elsewhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from pipeline.errors import InvariantBroken, during

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from io import FileIO
    from pathlib import Path

FIRST: Final = "0" * 64
"""The ``previous`` of the first line."""

_OWN_KEYS: Final = frozenset({"at", "event", "previous"})
_INTENT: Final = "intent"
_DONE: Final = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line: its number from 1, when, what, what it carries, and its own hash."""

    line: int
    at: str
    event: str
    payload: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalRead:
    """A journal read back: its whole lines, whether a torn line followed them, the hash of the last whole line."""

    entries: tuple[Entry, ...]
    torn: bool
    last_hash: str
    size: int
    """Bytes of the whole lines."""


def read(path: Path) -> JournalRead:
    """Read and verify a journal.

    Raises ``InvariantBroken`` naming the line where the chain does not hold.
    """
    if not path.exists():
        raise InvariantBroken("the journal is missing; the run folder was altered", where=str(path))
    with during("reading the journal"):
        content = path.read_bytes()
    lines, torn = _split(path, content)
    entries = _chained(path, lines)
    return JournalRead(
        entries=entries,
        torn=torn,
        last_hash=entries[-1].hash if entries else FIRST,
        size=sum(len(line) + 1 for line in lines),
    )


def salvaged(path: Path) -> tuple[JournalRead, InvariantBroken | None]:
    """What can still be read of a journal, and what broke it.

    Of a broken one these are all lines that are entries by themselves, also behind the break: they
    tell what once was said, and vouch for nothing.
    """
    nothing = JournalRead(entries=(), torn=False, last_hash=FIRST, size=0)
    try:
        return read(path), None
    except InvariantBroken as error:
        if not path.exists():
            return nothing, error
        broken = error
    entries: list[Entry] = []
    with during("reading the journal"):
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            with contextlib.suppress(InvariantBroken):
                entries.append(_entry(path, number, line, None))
    return dataclasses.replace(nothing, entries=tuple(entries)), broken


def unfinished(entries: Iterable[Entry]) -> list[Entry]:
    """The intents without a later *done* of the same effect with the same ids, in order.

    A *done* may carry more than the ids; it ends every earlier intent whose ids it repeats.
    """
    waiting: list[Entry] = []
    for entry in entries:
        if entry.event == _INTENT:
            waiting.append(entry)
        elif entry.event == _DONE:
            ended = entry.payload.items()
            waiting = [
                intent
                for intent in waiting
                if not all(item in ended for item in intent.payload.items())
            ]
    return waiting


class Journal:
    """A journal open for appending; for one process at a time, and any of its threads.

    ``torn`` says that a torn last line was cut away on opening; ``entries`` are those found then.
    """

    def __init__(self, file: FileIO, found: JournalRead, clock: Callable[[], dt.datetime]) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._size = found.size
        self._last_hash = found.last_hash
        self.entries = found.entries
        self.torn = found.torn

    @classmethod
    def open(cls, path: Path, clock: Callable[[], dt.datetime]) -> Self:
        """Open a journal, verified, at its end and without a torn line.

        A new one where there is none.
        """
        with during("opening the journal"):
            if not path.exists():
                path.touch()
                _sync_folder(path.parent)
            found = read(path)
            file = path.open("r+b", buffering=0)
        journal = cls(file, found, clock)
        with during("opening the journal"):
            journal._cut_back()
            os.fsync(file.fileno())
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def last_hash(self) -> str:
        """The hash of the last line; 64 zeros for an empty journal."""
        return self._last_hash

    def append(self, event: str, /, **payload: object) -> str:
        """Write one line and flush it to the disk; its hash.

        What is not on disk afterwards raises ``Stopped``.
        """
        taken = _OWN_KEYS & payload.keys()
        if taken:
            raise ValueError(f"the journal itself writes {', '.join(sorted(taken))}")
        with self._lock:
            line = _line(
                {**payload, "at": _utc(self._clock()), "event": event, "previous": self._last_hash}
            )
            with during("writing the journal"):
                self._write(line + b"\n")
            self._size += len(line) + 1
            self._last_hash = _hash(line)
            return self._last_hash

    def intent(self, effect: str, /, **ids: object) -> str:
        """Before an effect that cannot be repeated blindly, with our own ids to look it up by."""
        return self.append(_INTENT, effect=effect, **ids)

    def done(self, effect: str, /, **ids: object) -> str:
        """After it, with the ids of the intent; more may stand beside them."""
        return self.append(_DONE, effect=effect, **ids)

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._cut_back()
            raise

    def _cut_back(self) -> None:
        self._file.seek(self._size)
        self._file.truncate(self._size)


def _split(path: Path, content: bytes) -> tuple[list[bytes], bool]:
    """The whole lines, and whether a torn one followed: bytes without line end, or a last line that is no JSON.

    A whole object with something behind it was not torn: a line end was altered, and the line
    before it did happen.
    """
    *lines, last = content.split(b"\n")
    if last:
        rest = _after_object(last)
        if rest is not None and rest.strip("\x00"):
            raise _broken(path, len(lines) + 1)
        return lines, True
    if lines and _after_object(lines[-1]) is None:
        return lines[:-1], True
    return lines, False


def _after_object(line: bytes) -> str | None:
    """What stands behind the JSON value with which the line begins.

    Null when it begins with none.
    """
    try:
        text = line.decode("ascii")
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    return text[end:]


def _chained(path: Path, lines: list[bytes]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    previous = FIRST
    for number, line in enumerate(lines, start=1):
        entry = _entry(path, number, line, previous)
        previous = entry.hash
        entries.append(entry)
    return tuple(entries)


def _entry(path: Path, number: int, line: bytes, previous: str | None) -> Entry:
    """A line as an entry that follows ``previous``; null: whatever it follows."""
    try:
        content = json.loads(line.decode("ascii"))
    except ValueError as error:
        raise _broken(path, number) from error
    if (
        not isinstance(content, dict)
        or not content.keys() >= _OWN_KEYS
        or previous not in (None, content["previous"])
    ):
        raise _broken(path, number)
    payload = {key: value for key, value in content.items() if key not in _OWN_KEYS}
    return Entry(
        line=number, at=content["at"], event=content["event"], payload=payload, hash=_hash(line)
    )


def _broken(path: Path, number: int) -> InvariantBroken:
    where = f"{path}, line {number}"
    return InvariantBroken(
        "the chain does not hold here; this line or the one before it was altered", where=where
    )


def _line(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode(
        "ascii"
    )


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _utc(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("the clock of a journal must know its time zone")
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sync_folder(folder: Path) -> None:
    """Make a new file's name survive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def recorded(entries: Iterable[Entry]) -> dict[str, str | None]:
    """File → the last hash that the journal has of it; null once it was removed on purpose."""
    found: dict[str, str | None] = {}
    for entry in entries:
        payload = entry.payload
        if isinstance(payload.get("files"), dict):
            found |= payload["files"]
        if isinstance(payload.get("file"), str) and isinstance(payload.get("sha256"), str):
            found[payload["file"]] = payload["sha256"]
        found |= dict.fromkeys(payload.get("removed", ()))
    return found
