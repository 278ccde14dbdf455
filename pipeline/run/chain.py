"""The journal's hash chain, line by line: not only that it breaks, but which line was altered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import during
from pipeline.run.journal import FIRST

Status = Literal["ok", "note", "changed", "missing", "cut", "altered"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at: what, how it stands, and a sentence.

    ``changed`` is outside the run folder.
    """

    what: str
    status: Status
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    number: int
    hash: str
    previous: str | None
    """Null when the line is no journal line."""


def chain(path: Path, known_end: str | None) -> list[Check]:
    """Hold every line against the next, and the last against ``known_end``, the hash that ``summary.json`` keeps."""
    what = path.name
    if not path.is_file():
        return [Check(what=what, status="missing", sentence=f"{what} is missing.")]
    with during("reading the journal"):
        content = path.read_bytes()
    *texts, rest = content.split(b"\n")
    found = (
        []
        if not rest
        else [Check(what=what, status="note", sentence="The last line is torn; it is left out.")]
    )
    lines = [_line(number, text) for number, text in enumerate(texts, start=1)]
    if lines and lines[-1].previous is None and not rest:
        found.append(
            Check(what=what, status="note", sentence="The last line is torn; it is left out.")
        )
        lines.pop()
    broken = [_altered(what, text) for text in _breaks(lines, known_end)]
    found += broken + ([] if broken else _end(what, lines, known_end))
    if not any(one.status in ("altered", "cut") for one in found):
        found.insert(
            0,
            Check(
                what=what,
                status="ok",
                sentence=f"{len(lines)} lines, each bound to the one before.",
            ),
        )
    return found


def _line(number: int, text: bytes) -> _Line:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    previous = content.get("previous") if isinstance(content, dict) else None
    return _Line(
        number=number,
        hash=hashlib.sha256(text).hexdigest(),
        previous=previous if isinstance(previous, str) else None,
    )


def _altered(what: str, sentence: str) -> Check:
    return Check(what=what, status="altered", sentence=sentence)


def _breaks(lines: list[_Line], known_end: str | None) -> list[str]:
    """Where the chain does not hold.

    A line that the next one vouches for was not altered: then the one before it was.
    """
    vouched = {line.previous for line in lines} | {known_end}
    hashes = {line.hash: line.number for line in lines}
    told = []
    for before, line in zip([None, *lines], lines, strict=False):
        expected = FIRST if before is None else before.hash
        if line.previous is None:
            told.append(f"Line {line.number} is no journal line: it was altered.")
        elif line.previous != expected and (before is None or before.previous is not None):
            told.append(
                _told(before, line, trusted=line.hash in vouched, follows=hashes.get(line.previous))
            )
    return told


def _told(before: _Line | None, line: _Line, *, trusted: bool, follows: int | None) -> str:
    if before is None:
        return (
            "The first line does not begin a journal: lines before it were removed, or it was "
            "altered."
        )
    if trusted and follows is not None and follows < before.number:
        first = follows + 1
        lines = (
            f"Line {first} was"
            if first == before.number
            else f"Lines {first} to {before.number} were"
        )
        return f"{lines} put in: line {line.number} follows line {follows}."
    if trusted:
        return (
            f"Line {before.number} was altered, or lines behind it were removed: line "
            f"{line.number} was written after other text."
        )
    return (
        f"Line {before.number} or line {line.number} was altered: the chain does not hold between "
        "them."
    )


def _end(what: str, lines: list[_Line], known_end: str | None) -> list[Check]:
    """Whether the journal ends where ``summary.json`` says.

    Lines behind that are written before the summary is.
    """
    if known_end is None:
        sentence = (
            "summary.json does not tell where the journal ends: nothing vouches for its last lines."
        )
        return [Check(what=what, status="note", sentence=sentence)]
    ends = [line.number for line in lines if line.hash == known_end]
    if not ends:
        told = (
            "The last line was altered, or lines were removed after it: summary.json knows another "
            "end."
        )
        return [Check(what=what, status="cut", sentence=told)]
    further = len(lines) - ends[0]
    if not further:
        return []
    sentence = (
        f"{further} lines were written after the summary: a command is still going, or was stopped "
        "before its end."
    )
    return [Check(what=what, status="note", sentence=sentence)]
