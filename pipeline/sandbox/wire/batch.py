"""OData ``$batch`` for both twins: operations in, run in order, answers out.

``multipart.py`` reads and writes the wire. An app hands every operation to its own synchronous
handler::

    parts = parse_batch(content_type, body, limit=1000)
    result = run_batch(
        parts, send=handle, transaction=store.transaction, continue_on_error=False
    )
    content_type, body = render_batch(result.parts)

A ``BatchError`` is a 400 with its text; the outer status is the app's, which ``result.failed``
helps to choose. ``handle`` answers an :class:`ODataOperation` with an :class:`ODataAnswer`;
``transaction`` is a context manager that commits at the end of its block and rolls back when it is
left by an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import urljoin, urlsplit

import orjson

FAILURE: Final = 400
"""Statuses from here on are failures."""

_REFERENCE: Final = re.compile(r"/?\$([A-Za-z0-9_.~-]+)(?=[/?(]|$)")
_BOUND: Final = ("@odata.bind", "@odata.id")
_SYSTEM: Final = frozenset(
    {"batch", "metadata", "entity", "count", "value", "ref", "all", "crossjoin"}
)


class BatchError(Exception):
    """The request is not a batch that can be run; the text is the message to answer with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ODataOperation:
    """One request of a batch.

    Header names are lower case; ``url`` is as written, absolute or not, references resolved.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None

    def target(self, batch_url: str) -> tuple[str, str]:
        """Path and query of the operation, both still percent-encoded.

        Relative forms count from ``batch_url``.
        """
        parts = urlsplit(urljoin(batch_url, self.url))
        return parts.path, parts.query


@dataclass(frozen=True, kw_only=True, slots=True)
class Changeset:
    """Operations that succeed or fail as one."""

    operations: tuple[ODataOperation, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ODataAnswer:
    """The answer to one operation. Headers are sent as they stand here."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the operation succeeded."""
        return self.status < FAILURE

    @property
    def location(self) -> str:
        """The URL of what the operation made or changed, else empty."""
        found = {name.lower(): value for name, value in self.headers.items()}
        return found.get("odata-entityid") or found.get("location") or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangesetAnswer:
    """The answers of one changeset.

    One for each operation, or the single one of the operation that failed it.
    """

    answers: tuple[ODataAnswer, ...]


Part: TypeAlias = ODataOperation | Changeset
PartAnswer: TypeAlias = ODataAnswer | ChangesetAnswer
Send: TypeAlias = Callable[[ODataOperation], ODataAnswer]
Transaction: TypeAlias = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchResult:
    """What a batch came to.

    ``failed`` is the first failed answer; without continue-on-error it is the last part.
    """

    parts: tuple[PartAnswer, ...]
    failed: ODataAnswer | None


def run_batch(
    parts: Sequence[Part], *, send: Send, transaction: Transaction, continue_on_error: bool
) -> BatchResult:
    """Run the parts in order.

    A changeset runs in one transaction, which a failed operation rolls back.
    """
    done: list[PartAnswer] = []
    failed: ODataAnswer | None = None
    for part in parts:
        answer = (
            _run_changeset(part, send, transaction)
            if isinstance(part, Changeset)
            else _run(part, send, {})
        )
        done.append(answer)
        wrong = next((one for one in _flat(answer) if not one.ok), None)
        failed = failed or wrong
        if wrong and not continue_on_error:
            break
    return BatchResult(parts=tuple(done), failed=failed)


class _RolledBackError(Exception):
    def __init__(self, answer: ODataAnswer) -> None:
        super().__init__()
        self.answer = answer


def _run(operation: ODataOperation, send: Send, known: Mapping[str, str]) -> ODataAnswer:
    missing = [name for name in _references(operation) if name not in known]
    if missing:
        return _unknown_reference(operation, missing[0])
    return replace(send(_resolve(operation, known)), content_id=operation.content_id)


def _run_changeset(changeset: Changeset, send: Send, transaction: Transaction) -> ChangesetAnswer:
    known: dict[str, str] = {}
    answers = []
    try:
        with transaction():
            for operation in changeset.operations:
                answer = _run(operation, send, known)
                _need(answer)
                if operation.content_id:
                    known[operation.content_id] = answer.location
                answers.append(answer)
    except _RolledBackError as failure:
        return ChangesetAnswer(answers=(failure.answer,))
    return ChangesetAnswer(answers=tuple(answers))


def _need(answer: ODataAnswer) -> None:
    if not answer.ok:
        raise _RolledBackError(answer)


def _flat(answer: PartAnswer) -> tuple[ODataAnswer, ...]:
    return answer.answers if isinstance(answer, ChangesetAnswer) else (answer,)


def _unknown_reference(operation: ODataOperation, name: str) -> ODataAnswer:
    message = f"Content-ID Reference: '${name}' does not exist in the batch context."
    return ODataAnswer(
        status=HTTPStatus.BAD_REQUEST,
        headers={
            "Content-Type": "application/json; odata.metadata=minimal",
            "OData-Version": "4.0",
        },
        body=orjson.dumps({"error": {"code": "", "message": message}}),
        content_id=operation.content_id,
    )


def _references(operation: ODataOperation) -> list[str]:
    """The Content-IDs that the URL and the bindings of the body refer to."""
    texts = [operation.url, *_bindings(operation)]
    matches = (_REFERENCE.match(text) for text in texts)
    return [match[1] for match in matches if match and match[1] not in _SYSTEM]


def _bindings(operation: ODataOperation) -> list[str]:
    """What ``@odata.bind`` and ``@odata.id`` of a body say; bodies without a ``$`` are not read."""
    if b"$" not in operation.body:
        return []
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _walk(_load(operation.body), note)
    return found


def _resolve(operation: ODataOperation, known: Mapping[str, str]) -> ODataOperation:
    def put(text: str) -> str:
        match = _REFERENCE.match(text)
        return known[match[1]] + text[match.end() :] if match and match[1] in known else text

    if not _references(operation):
        return operation
    body = (
        orjson.dumps(_walk(_load(operation.body), put)) if _bindings(operation) else operation.body
    )
    return replace(operation, url=put(operation.url), body=body)


def _load(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None  # the app's handler says what is wrong with it


def _walk(value: object, put: Callable[[str], str]) -> object:
    """The value with ``put`` applied to every text, or list of texts, that is bound."""
    if isinstance(value, list):
        return [_walk(one, put) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _bound(one, put) if name.endswith(_BOUND) else _walk(one, put)
        for name, one in value.items()
    }


def _bound(value: object, put: Callable[[str], str]) -> object:
    if isinstance(value, list):
        return [put(one) if isinstance(one, str) else one for one in value]
    return put(value) if isinstance(value, str) else value
