"""The multipart form of ``$batch``: bytes of a request to parts, answers to bytes.

Lines end with CRLF.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from email.message import Message
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from pipeline.sandbox.wire.batch import (
    BatchError,
    Changeset,
    ODataAnswer,
    ODataOperation,
    Part,
    PartAnswer,
)

_CRLF: Final = b"\r\n"
_REQUEST_LINE: Final = re.compile(r"([A-Z]+) (\S(?:.*\S)?) HTTP/1\.[01]")


def is_batch(content_type: str) -> bool:
    """Whether a request with this content type is a batch in multipart form."""
    return _media_type(content_type)[0] == "multipart/mixed"


def parse_batch(content_type: str, body: bytes, *, limit: int) -> tuple[Part, ...]:
    """The parts of a batch request.

    Raises ``BatchError`` for what is malformed, nested, or longer than ``limit`` operations.
    """
    parts = tuple(_part(headers, content) for headers, content in _multipart(content_type, body))
    count = sum(len(part.operations) if isinstance(part, Changeset) else 1 for part in parts)
    if count > limit:
        raise BatchError(
            f"The number of requests in the batch, {count}, exceeds the limit of {limit}."
        )
    return parts


def render_batch(
    parts: Sequence[PartAnswer], *, failed_in_changeset: bool = False
) -> tuple[str, bytes]:
    """Content type and body of the answer.

    ``failed_in_changeset`` leaves a failed changeset's one part inside a multipart.
    """
    boundary = f"batchresponse_{uuid.uuid4()}"
    pieces = [_render_part(part, failed_in_changeset=failed_in_changeset) for part in parts]
    return f"multipart/mixed; boundary={boundary}", _join(boundary, pieces)


def _media_type(content_type: str) -> tuple[str, str]:
    """Type and boundary parameter of a content type."""
    message = Message()
    message["content-type"] = content_type
    return message.get_content_type(), str(message.get_param("boundary") or "")


def _multipart(content_type: str, body: bytes) -> list[tuple[Mapping[str, str], bytes]]:
    """Headers and content of every part.

    What stands before the first boundary and after the last is ignored.
    """
    media, boundary = _media_type(content_type)
    if media != "multipart/mixed" or not boundary:
        raise BatchError(
            f"The content type '{content_type}' is not multipart/mixed with a boundary."
        )
    delimiter = re.compile(
        rb"(?:^|\r\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r\n|$)"
    )
    found = list(delimiter.finditer(body))
    if not found:
        raise BatchError(
            f"The boundary '--{boundary}' does not occur at the start of a line; lines end with "
            "CRLF."
        )
    ends = [*found[1:], None]
    pieces = []
    for start, end in zip(found, ends, strict=True):
        if start.group(1):
            break
        pieces.append(
            _split_headers(body[start.end() + len(_CRLF) : end.start() if end else len(body)])
        )
    return pieces


def _split_headers(block: bytes) -> tuple[Mapping[str, str], bytes]:
    head, _, content = (_CRLF + block).partition(_CRLF * 2)
    return _headers(head.removeprefix(_CRLF)), content


def _headers(head: bytes) -> Mapping[str, str]:
    headers = {}
    for line in filter(None, head.split(_CRLF)):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or "\n" in line.decode("latin-1"):
            raise BatchError(
                "A header line of the batch has no colon, or a line does not end with CRLF."
            )
        headers[name.strip().lower()] = value.strip()
    return headers


def _part(headers: Mapping[str, str], content: bytes) -> Part:
    content_type = headers.get("content-type", "")
    if not is_batch(content_type):
        return _operation(headers, content)
    operations = []
    for inner, text in _multipart(content_type, content):
        if is_batch(inner.get("content-type", "")):
            raise BatchError("A changeset cannot contain another changeset.")
        operation = _operation(inner, text)
        if operation.method == "GET":
            raise BatchError("A GET request is not allowed in a changeset.")
        operations.append(operation)
    if not operations:
        raise BatchError("A changeset has no requests.")
    return Changeset(operations=tuple(operations))


def _operation(headers: Mapping[str, str], content: bytes) -> ODataOperation:
    if _media_type(headers.get("content-type", ""))[0] != "application/http":
        raise BatchError("A part of the batch is neither application/http nor a changeset.")
    first, _, rest = content.lstrip(_CRLF).partition(_CRLF)
    line = _REQUEST_LINE.fullmatch(first.decode("latin-1"))
    if line is None:
        raise BatchError(
            "A request of the batch does not start with 'METHOD url HTTP/1.1', or its lines do not "
            "end with CRLF."
        )
    inner, body = _split_headers(rest)
    method, url = line.groups()
    if urlsplit(url).path.endswith("/$batch"):
        raise BatchError("A batch cannot contain another batch.")
    return ODataOperation(
        method=method, url=url, headers=inner, body=body, content_id=headers.get("content-id")
    )


def _render_part(part: PartAnswer, *, failed_in_changeset: bool) -> bytes:
    if isinstance(part, ODataAnswer):
        return _render_answer(part)
    if not all(answer.ok for answer in part.answers) and not failed_in_changeset:
        return _render_answer(part.answers[0])
    boundary = f"changesetresponse_{uuid.uuid4()}"
    inner = _join(boundary, [_render_answer(answer) for answer in part.answers])
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + inner


def _render_answer(answer: ODataAnswer) -> bytes:
    outer = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if answer.content_id:
        outer.append(f"Content-ID: {answer.content_id}")
    inner = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
    inner += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*outer, "", *inner, "", ""]).encode("latin-1", "replace") + answer.body


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"


def _join(boundary: str, pieces: Sequence[bytes]) -> bytes:
    opening, closing = f"--{boundary}\r\n".encode(), f"--{boundary}--\r\n".encode()
    return b"".join(opening + piece + _CRLF for piece in pieces) + closing
