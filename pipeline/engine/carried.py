"""What a worker of another process sends back: an answer, or why there is none."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from pipeline.engine.protocol import Made, Work
from pipeline.errors import (
    ConfigurationError,
    InvariantBroken,
    P2cError,
    PlanRefused,
    Refused,
    SourceError,
    Stopped,
    UsageError,
)

_KINDS: Final = (
    UsageError, ConfigurationError, SourceError, PlanRefused, Refused, InvariantBroken, Stopped,
)  # fmt: skip
"""Errors that keep their kind on the way; the first one counts that an error is."""


class WorkerFailed(Exception):
    """An error of a worker that nobody foresaw, without its text, which may hold values."""


class Carried(BaseModel):
    """The answer of one part as JSON, or the error that ended it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str = ""
    error: str = ""
    message: str = ""
    where: str = ""

    def take(self) -> str:
        """The answer. Raises the error."""
        if not self.error:
            return self.answer
        kind = next((one for one in _KINDS if one.__name__ == self.error), InvariantBroken)
        raise kind(self.message, where=self.where)


def carry_parts(work: Work[Made], parts: Iterable[int]) -> Iterator[tuple[int, Carried]]:
    """Do the work to parts, in a worker; after an error no further part has an answer.

    Raises:
        WorkerFailed: the engine may try again.
    """
    left = iter(parts)
    part = next(left, None)
    try:
        with work.open() as run:
            while part is not None:
                yield part, Carried(answer=run(part).model_dump_json())
                part = next(left, None)
    except P2cError as error:
        yield part or 0, _carry_error(error)
    except Exception as error:  # noqa: BLE001 - a worker answers whatever happens
        raise WorkerFailed(_name_place(error)) from None


def _carry_error(error: P2cError) -> Carried:
    kind = next((one for one in _KINDS if isinstance(error, one)), InvariantBroken)
    return Carried(error=kind.__name__, message=error.message, where=error.where)


def _name_place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} line {last.lineno}"
