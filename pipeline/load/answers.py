"""What one answer inside a ``$batch`` says about its failure: the error, and how long to wait."""

from __future__ import annotations

from typing import Any, Final

import httpx
import orjson

from pipeline.wire.failures import retry_after
from pipeline.wire.multipart import Answer

_BUSY_WAIT: Final = 30.0
"""Seconds to wait when a busy system does not say how long."""


def read_error(answer: Answer) -> dict[str, Any]:
    """The error object of an answer; empty if its body is something else."""
    try:
        error = orjson.loads(answer.body)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def read_wait(answer: Answer) -> float:
    """The seconds that a busy system asks to wait."""
    seconds = retry_after(httpx.Headers(answer.headers))
    return _BUSY_WAIT if seconds is None else seconds
