"""The journal's hash chain: whether it holds, and which line was altered where it does not.

The one check of it: reading a journal, salvaging a broken one and ``p2c verify`` all ask
``check_chain``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.errors import during

START_HASH: Final = "0" * 64
"""The ``previous`` of the first line."""

OWN_KEYS: Final = frozenset({"at", "event", "previous"})
"""What the journal itself writes into every line."""

Status = Literal["ok", "note", "changed", "interrupted", "missing", "cut", "altered"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at: what, how it stands, and a sentence.

    ``changed`` is outside the run folder; ``interrupted`` is what a command left half done.
    """

    what: str
    status: Status
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalLine:
    """One line: its number from 1, its hash, and what it says.

    ``content`` is null when it is not a line of a journal.
    """

    number: int
    hash: str
    content: Mapping[str, Any] | None

    @property
    def previous(self) -> str | None:
        """The hash of the line before, as this line has it; null without content."""
        return None if self.content is None else str(self.content["previous"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """A line that does not follow the one before it, and a sentence about what was altered."""

    line: int
    sentence: str


REPORTED: Final = "reported"
"""The event of a page about the run, which changes nothing of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A journal, line by line; a torn last line is left out.

    ``size``: bytes of these lines. ``breaks``: where the chain does not hold, in order.
    """

    lines: tuple[JournalLine, ...]
    torn: bool
    size: int
    breaks: tuple[Break, ...]


def check_chain(content: bytes, known_end: str | None = None) -> Chain:
    """Hold every line of a journal against the line before it.

    Args:
        content: the journal's file.
        known_end: a hash that is known from elsewhere. Whatever the chain says, that line was not
            altered.
    """
    texts, torn = _split(content)
    lines = tuple(_parse_line(number, text) for number, text in enumerate(texts, start=1))
    breaks = _list_breaks(lines, known_end)
    is_ended = torn or not content or content.endswith(b"\n")
    if not is_ended and lines[-1].content is not None:
        sentence = f"Line {len(lines)} has another line end: it was altered."
        breaks.append(Break(line=len(lines), sentence=sentence))
    size = sum(len(text) + 1 for text in texts)
    return Chain(lines=lines, torn=torn, size=size, breaks=tuple(breaks))


def prove_chain(path: Path, known_end: str | None) -> list[Check]:
    """Check a journal, and its end against ``known_end``, the hash that ``summary.json`` keeps."""
    what = path.name
    if not path.is_file():
        return [Check(what=what, status="missing", sentence=f"{what} is missing.")]
    with during("reading the journal"):
        found = check_chain(path.read_bytes(), known_end)
    torn = Check(what=what, status="note", sentence="The last line is torn; it is left out.")
    checks = [torn] if found.torn else []
    altered = [Check(what=what, status="altered", sentence=one.sentence) for one in found.breaks]
    checks += altered or _check_end(what, found.lines, known_end)
    if any(one.status in ("altered", "cut") for one in checks):
        return checks
    whole = f"{len(found.lines)} lines, each bound to the one before."
    return [Check(what=what, status="ok", sentence=whole), *checks]


def _split(content: bytes) -> tuple[list[bytes], bool]:
    """The whole lines, and whether a torn one followed.

    Torn are bytes without a line end, and a last line that is not JSON. A whole object with
    something behind it was not torn: its line end was altered, and what it records did happen.
    """
    *lines, last = content.split(b"\n")
    if last:
        rest = _find_text_after_object(last)
        if rest is not None and rest.strip("\x00"):
            return [*lines, last], False
        return lines, True
    if lines and _find_text_after_object(lines[-1]) is None:
        return lines[:-1], True
    return lines, False


def _find_text_after_object(line: bytes) -> str | None:
    """What stands behind the JSON value with which the line begins; null without such a value."""
    text = line.decode("ascii", "replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return text[end:]


def _parse_line(number: int, text: bytes) -> JournalLine:
    try:
        content = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError):
        content = None
    is_entry = (
        isinstance(content, dict)
        and content.keys() >= OWN_KEYS
        and isinstance(content["previous"], str)
    )
    return JournalLine(
        number=number,
        hash=hashlib.sha256(text).hexdigest(),
        content=content if is_entry else None,
    )


def _list_breaks(lines: tuple[JournalLine, ...], known_end: str | None) -> list[Break]:
    """Where the chain does not hold.

    A line that the next one vouches for was not altered: then the one before it was.
    """
    vouched = {line.previous for line in lines} | {known_end}
    hashes = {line.hash: line.number for line in lines}
    found = []
    for before, line in zip([None, *lines], lines, strict=False):
        expected = START_HASH if before is None else before.hash
        if line.previous is None:
            sentence = f"Line {line.number} is not a line of a journal: it was altered."
            found.append(Break(line=line.number, sentence=sentence))
        elif line.previous != expected and (before is None or before.previous is not None):
            follows, trusted = hashes.get(line.previous), line.hash in vouched
            sentence = _describe_break(before, line, trusted=trusted, follows=follows)
            found.append(Break(line=line.number, sentence=sentence))
    return found


def _describe_break(
    before: JournalLine | None, line: JournalLine, *, trusted: bool, follows: int | None
) -> str:
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


def _check_end(what: str, lines: tuple[JournalLine, ...], known_end: str | None) -> list[Check]:
    """Whether the journal ends where ``summary.json`` says.

    The lines behind that one are written before the summary is.
    """
    if known_end is None:
        sentence = (
            "summary.json does not say where the journal ends: nothing vouches for its last lines."
        )
        return [Check(what=what, status="note", sentence=sentence)]
    ends = [line.number for line in lines if line.hash == known_end]
    if not ends:
        sentence = (
            "The last line was altered, or lines were removed after it: summary.json knows another "
            "end."
        )
        return [Check(what=what, status="cut", sentence=sentence)]
    behind = [line.content or {} for line in lines[ends[0] :]]
    further = sum(content.get("event") != REPORTED for content in behind)
    if not further:
        return []
    sentence = (
        f"{further} lines were written after the summary: a command is still going, or was stopped "
        "before its end."
    )
    return [Check(what=what, status="note", sentence=sentence)]
