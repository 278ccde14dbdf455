"""The engine that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol

from pipeline.engine.here import Here
from pipeline.engine.protocol import Engine
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.engine import spark
else:
    spark = import_lazily("pipeline.engine.spark")


class EngineSettings(Protocol):
    """What a project says of its engine."""

    @property
    def engine(self) -> Literal["here", "spark"]:
        """Which."""
        ...

    @property
    def spark(self) -> str | None:
        """The address of a Spark Connect server."""
        ...

    @property
    def part_rows(self) -> int | None:
        """Rows of a part; null where this process works in one stream."""
        ...


@contextmanager
def start_engine(settings: EngineSettings) -> Iterator[Engine | None]:
    """Start an engine; null where all contacts are to stream by in this process.

    Raises:
        ConfigurationError: what the engine needs is missing.
        Stopped: it does not answer.
    """
    if settings.engine == "spark":
        with spark.open_spark(settings.spark) as found:
            yield found
    else:
        yield None if settings.part_rows is None else Here()
