"""``$batch`` on the wire: a row that is refused fails alone (reference A.9, B.3).

SCM takes writes only in changesets, one for each row. Dataverse takes them as they are, without a
transaction around each.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.errors import CloseBoundaryNotFoundDefect
from email.message import Message
from email.parser import BytesParser
from typing import Final

from pipeline.errors import Refusal
from pipeline.wire.refusal import read_refusal

_STATUS: Final = re.compile(rb"HTTP/\d\.\d (\d{3})(?!\d)")
_NESTED: Final = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_CRLF: Final = b"\r\n"
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_DONE: Final = frozenset({200, 201, 204})
_REFUSED: Final = range(400, 600)
_OF_THE_WAY: Final = frozenset({401, 402, 405, 407, 411, 414, 431, 451, 501, 502, 504})
"""Statuses that speak of login and address, or of whoever stands before a system: they say nothing
of what an operation holds, nor of what became of it."""
_BUSY: Final = frozenset({408, 429, 503})
_PAGE: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html)\b", re.IGNORECASE)
_RECORD: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\Z|\{(?!\s*"(?:odata\.)?error"\s*:))')
"""How the body of an operation begins that had its effect: a record of JSON, or nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchOperation:
    """One request of a batch; ``url`` is absolute."""

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PartAnswer:
    """The answer to one operation; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None

    @property
    def ok(self) -> bool:
        """Whether the operation had its effect."""
        return self.status in _DONE and _RECORD.match(self.body) is not None

    @property
    def is_clear(self) -> bool:
        """Whether it says what became of the operation."""
        if self.status in _BUSY:
            return True
        is_refused = self.status in _REFUSED and self.status not in _OF_THE_WAY
        return self.ok or (is_refused and _PAGE.match(self.body) is None)

    @property
    def refusal(self) -> Refusal:
        """What the system said, if it refused."""
        return read_refusal(self.status, self.body)


class BatchAnswers(dict[int, PartAnswer]):
    """Answers to operations by their number, and the statuses of those that nobody understands."""

    unclear: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRequest:
    """A batch ready to be sent.

    Equal operations make equal bytes, so ``sha256`` identifies what was sent.
    """

    content_type: str
    body: bytes

    @property
    def sha256(self) -> str:
        """The hash of what is sent."""
        return hashlib.sha256(self.body).hexdigest()


def build_batch(operations: Sequence[BatchOperation], *, changesets: bool = True) -> BatchRequest:
    """Operations as a batch.

    Operation *n*, counted from 1, has the Content-ID *n* and, if asked for, its own changeset.
    """
    digest = hashlib.sha256()
    for one in operations:
        digest.update(one.url.encode() + one.body)
    mark = digest.hexdigest()[:24]
    boundary = f"batch_{mark}"
    parts = [_build_part(one, number) for number, one in enumerate(operations, start=1)]
    if changesets:
        parts = [
            _wrap_in_changeset(part, f"changeset_{mark}_{number}")
            for number, part in enumerate(parts, start=1)
        ]
    return BatchRequest(
        content_type=f"multipart/mixed; boundary={boundary}", body=_join(boundary, parts)
    )


def _wrap_in_changeset(part: bytes, boundary: str) -> bytes:
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + _join(
        boundary, [part]
    )


def _build_part(operation: BatchOperation, number: int) -> bytes:
    outer = [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: {number}",
        "",
    ]
    headers = (
        {**operation.headers, "Content-Type": "application/json; charset=utf-8"}
        if operation.body
        else operation.headers
    )
    inner = [
        f"{operation.method} {operation.url} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join([*outer, *inner]).encode() + operation.body


def _join(boundary: str, parts: Sequence[bytes]) -> bytes:
    opening, closing = f"--{boundary}\r\n".encode(), f"--{boundary}--\r\n".encode()
    return b"".join(opening + part + _CRLF for part in parts) + closing


def parse_answers(content_type: str, content: bytes, count: int) -> BatchAnswers:
    """The answers of a batch of ``count`` operations, by the number of the operation.

    Answers that did not come, that nobody understands, or of which nobody can tell whose they are,
    are missing.

    Raises:
        ValueError: it is not an answer to a batch.
    """
    if len(_NESTED.findall(content)) > count:
        raise ValueError("the answer to a batch holds more changesets than there were operations")
    whole = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    if not whole.is_multipart():
        raise ValueError("the answer to a batch is not multipart")
    found, is_cut = list(_walk_answers(whole)), _is_cut(whole)
    if found and is_cut and not found[-1].ok:
        found.pop()  # Of a refusal that was cut off, nobody knows what it said.
    placed = _place_answers(found, count, is_cut=is_cut)
    answers = BatchAnswers({number: one for number, one in placed.items() if one.is_clear})
    answers.unclear = sorted({one.status for one in placed.values() if not one.is_clear})
    return answers


def _is_cut(whole: Message) -> bool:
    """Whether an answer ends before its last boundary."""
    return any(isinstance(one, CloseBoundaryNotFoundDefect) for one in whole.defects)


def _place_answers(
    found: Sequence[PartAnswer], count: int, *, is_cut: bool
) -> dict[int, PartAnswer]:
    """Answers by number: by their Content-ID, and where none has one, by their order.

    A server may leave the id out where it refuses. Then order counts if there is an answer to every
    operation, and no id contradicts it.
    """
    named = [(number, _read_number(one)) for number, one in enumerate(found, start=1)]
    if all(own is None for _, own in named):
        in_order = is_cut or len(found) == count or _has_stopped(found)
        return dict(enumerate(found, start=1)) if in_order and len(found) <= count else {}
    if len(found) == count and all(own in (None, number) for number, own in named):
        return dict(enumerate(found, start=1))
    numbers = Counter(own for _, own in named)
    return {
        own: one
        for (_, own), one in zip(named, found, strict=True)
        if own is not None and 1 <= own <= count and numbers[own] == 1
    }


def _has_stopped(found: Sequence[PartAnswer]) -> bool:
    """Whether answers are those of a server that stops at the first failure."""
    return bool(found) and not found[-1].ok and all(one.ok for one in found[:-1])


def _read_number(answer: PartAnswer) -> int | None:
    """The number of the operation that an answer names; null without an id, 0 if it is not ours."""
    mark = answer.content_id
    if not mark:
        return None
    return int(mark) if _NUMBER.fullmatch(mark) else 0


def _walk_answers(part: Message) -> Iterator[PartAnswer]:
    if part.is_multipart():
        for inner in part.get_payload():
            if isinstance(inner, Message):
                yield from _walk_answers(inner)
        return
    content = part.get_payload(decode=True)
    text = (content if isinstance(content, bytes) else b"").lstrip(_CRLF)
    head, body = [*_HEAD_END.split(text, 1), b""][:2]
    status = _STATUS.match(head)
    if status is None:
        return
    lines = (line.decode("latin-1").partition(":") for line in head.splitlines()[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    mark = part["Content-ID"] or headers.get("content-id")
    yield PartAnswer(
        status=int(status[1]),
        headers=headers,
        body=body.rstrip(_CRLF),
        content_id=str(mark).strip() if mark else None,
    )
