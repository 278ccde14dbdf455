"""The journal of a run: append-only, each line bound to the line before.

It is on the disk before the next step begins.

One line is one JSON object with sorted keys in ASCII: ``at`` (UTC), ``event``, ``previous``
(SHA-256 of the whole line before, without its line end; 64 zeros in the first line) and what the
event carries.

An effect that cannot be repeated blindly has two lines: *intent* with our own ids before it, *done*
after it. An intent without done is looked up, never repeated.

The last line can be torn when a process or machine stopped while it was being written. It is
dropped, which is reported, and cut away when the journal is opened again: what it was to record had
not begun (intent) or is looked up (done). Everything else that does not fit the chain breaks the
run (``run/chain.py``). The chain cannot vouch for its own end: whoever must know that nothing is
missing or changed there compares ``last_hash`` with the one kept elsewhere.
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
from pipeline.run.chain import OWN_KEYS, START_HASH, JournalLine, check_chain
from pipeline.run.private import create_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from io import FileIO
    from pathlib import Path

_INTENT: Final = "intent"
_DONE: Final = "done"

PURGE_STARTED: Final = "purge_started"
"""The line before a purge changes a run; ``purged`` follows."""


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
    """A journal read back: its whole lines, and the hash of the last one.

    ``torn``: whether a torn line followed them.
    """

    entries: tuple[Entry, ...]
    torn: bool
    last_hash: str
    size: int
    """Bytes of the whole lines."""


def read_journal(path: Path) -> JournalRead:
    """Read and verify a journal.

    Raises ``InvariantBroken`` naming the line where the chain does not hold.
    """
    found, broken = salvage_journal(path)
    if broken is not None:
        raise broken
    return found


def salvage_journal(path: Path) -> tuple[JournalRead, InvariantBroken | None]:
    """What can still be read of a journal, and what broke it.

    Of a broken one these are all lines that are entries by themselves, also behind the break: they
    say what was once written, and vouch for nothing.
    """
    nothing = JournalRead(entries=(), torn=False, last_hash=START_HASH, size=0)
    if not path.is_file():
        missing = "the journal is missing; the run folder was altered"
        return nothing, InvariantBroken(missing, where=str(path))
    with during("reading the journal"):
        found = check_chain(path.read_bytes())
    entries = tuple(
        _make_entry(line, line.content) for line in found.lines if line.content is not None
    )
    if found.breaks:
        broken = InvariantBroken(
            "the chain does not hold here; this line or the one before it was altered",
            where=f"{path}, line {found.breaks[0].line}",
        )
        return dataclasses.replace(nothing, entries=entries), broken
    last_hash = entries[-1].hash if entries else START_HASH
    return JournalRead(entries=entries, torn=found.torn, last_hash=last_hash, size=found.size), None


def _make_entry(line: JournalLine, content: Mapping[str, Any]) -> Entry:
    return Entry(
        line=line.number,
        at=content["at"],
        event=content["event"],
        payload={key: value for key, value in content.items() if key not in OWN_KEYS},
        hash=line.hash,
    )


def list_purged(entries: Iterable[Entry]) -> tuple[frozenset[str], frozenset[str]]:
    """What purges of a run removed: names of files, and hashes of tables without their values."""
    payloads = [one.payload for one in entries if one.event in (PURGE_STARTED, "purged")]
    removed = (name for one in payloads for name in one.get("removed", ()))
    blanked = (sha256 for one in payloads for sha256 in one.get("files", {}).values())
    return frozenset(removed), frozenset(blanked)


def find_unfinished(entries: Iterable[Entry]) -> list[Entry]:
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

        A missing file is started.
        """
        with during("opening the journal"):
            if not path.exists():
                create_file(path)
                sync_folder(path.parent)
            found = read_journal(path)
            file = path.open("r+b", buffering=0)
        journal = cls(file, found, clock)
        try:
            with during("opening the journal"):
                journal._cut_back()
                os.fsync(file.fileno())
        except BaseException:
            file.close()
            raise
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
        taken = OWN_KEYS & payload.keys()
        if taken:
            raise ValueError(f"the journal itself writes {', '.join(sorted(taken))}")
        with self._lock:
            line = _render_line(
                {
                    **payload,
                    "at": _format_utc(self._clock()),
                    "event": event,
                    "previous": self._last_hash,
                }
            )
            with during("writing the journal"):
                self._write(line + b"\n")
            self._size += len(line) + 1
            self._last_hash = _hash_line(line)
            return self._last_hash

    def intent(self, effect: str, /, **ids: object) -> str:
        """Before an effect that cannot be repeated blindly, with our own ids to look it up by."""
        return self.append(_INTENT, effect=effect, **ids)

    def done(self, effect: str, /, **ids: object) -> str:
        """After it, with the ids of the intent; more may stand with them."""
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


def _render_line(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode(
        "ascii"
    )


def _hash_line(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _format_utc(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("the clock of a journal must know its time zone")
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def list_recorded_hashes(entries: Iterable[Entry]) -> dict[str, str | None]:
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
