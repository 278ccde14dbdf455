"""How long one answer inside a ``$batch`` asks to wait."""

from __future__ import annotations

from typing import Final

import httpx

from pipeline.wire.failures import read_retry_after
from pipeline.wire.multipart import PartAnswer

_BUSY_WAIT: Final = 30.0
"""Seconds to wait when a busy system does not say how long."""


def read_wait(answer: PartAnswer) -> float:
    """The seconds that a busy system asks to wait."""
    seconds = read_retry_after(httpx.Headers(answer.headers, encoding="latin-1"))
    return _BUSY_WAIT if seconds is None else seconds
