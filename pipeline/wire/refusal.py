"""The body of a refusal as data: the system's own code, its message, and the innermost cause.

OData nests causes: SCM in ``innererror`` and its ``internalexception``, to any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.errors import Refusal
from pipeline.wire.json_body import parse_json
from pipeline.wire.redact import redact_secrets

_LONGEST: Final = 2_000
"""Characters of one message; those of SCM can be long: they list what failed in a row."""

_LONGEST_READ: Final = 10 * _LONGEST
"""Characters of one message that are looked at."""

_NESTED: Final = ("innererror", "internalexception", "InnerException")
_MESSAGES: Final = ("message", "Message", "ExceptionMessage")
_SAYS_NOTHING: Final = re.compile(
    r"(?i)(exception has been thrown by the target of an invocation|an error has occurred)\W*"
)
_LONGEST_CODE: Final = 200
_NUMBER: Final = re.compile(r"-[0-9]{1,20}")


def read_refusal(status: int, content: bytes) -> Refusal:
    """What a body says, of an answer or of one part of a batch; blank if it is not an error body.

    Args:
        status: the HTTP status.
        content: the body: ``{"error": {"code": …, "message": …, "innererror": …}}``, or with
            ``error_description`` as login services have it.
    """
    try:
        body = parse_json(content.decode("utf-8-sig", "replace"))
    except ValueError:
        return Refusal(status=status)
    if not isinstance(body, dict):
        return Refusal(status=status)
    error = _find_error(body)
    if isinstance(error, str):
        text = _clean(body.get("error_description"))
        return Refusal(status=status, code=error, text=text, cause=text)
    if not isinstance(error, dict):
        return Refusal(status=status)
    messages = [text for text in map(_clean, _list_messages(error)) if text]
    return Refusal(
        status=status,
        code=_format_code(error.get("code")),
        text=_clean(_read_text(error.get("message"))),
        cause=_choose_cause(messages),
    )


def _find_error(body: dict[str, object]) -> object:
    """The error in a body: under its name, or the body itself as ASP.NET writes it."""
    found = body.get("error", body.get("odata.error"))
    return body if found is None and isinstance(body.get("Message"), str) else found


def _choose_cause(messages: Sequence[str]) -> str:
    """The innermost message that says something, else the innermost."""
    telling = [text for text in messages if not _SAYS_NOTHING.fullmatch(text)]
    return next(reversed(telling or messages), "")


def _list_messages(error: dict[str, object]) -> Iterator[object]:
    """The messages of an error, from the outermost to the innermost."""
    node: object = error
    while isinstance(node, dict):
        yield from (_read_text(node.get(name)) for name in _MESSAGES)
        node = next((node[name] for name in _NESTED if isinstance(node.get(name), dict)), None)


def _read_text(message: object) -> object:
    """A message; some services write it with its language."""
    return message.get("value") if isinstance(message, dict) else message


def _clean(text: object) -> str:
    return redact_secrets(str(text or "")[:_LONGEST_READ], longest=_LONGEST)


def _format_code(code: object) -> str:
    """An HRESULT as ``0x…``, however it is written."""
    text = redact_secrets(str(code or "")[:_LONGEST_CODE])
    return f"0x{int(text) & 0xFFFFFFFF:08x}" if _NUMBER.fullmatch(text) else text
