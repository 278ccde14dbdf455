"""The engine that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.engine.here import Here
from pipeline.engine.protocol import Engine


@contextmanager
def start_engine(*, in_parts: bool) -> Iterator[Engine | None]:
    """Open an engine; null where all contacts are to stream by in this process."""
    yield Here() if in_parts else None
