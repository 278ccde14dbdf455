"""What an engine is asked for: one piece of work, done to each of some parts.

An engine knows no rows and no rules. It carries names and JSON: the class of the work, its fields,
the number of a part, and the answer. Whoever runs a part makes all else from these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

Made = TypeVar("Made", bound=BaseModel)


class Work(BaseModel, ABC, Generic[Made]):
    """What is done to each part.

    A part may be done more than once, also at the same time: whoever writes files names them by the
    attempt, and says the names in the answer. One answer of a part counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @abstractmethod
    def open(self) -> AbstractContextManager[Callable[[int], Made]]:
        """What does it to one part, by the number of the part from 0.

        What several parts need is made once, and closed when the block ends.
        """

    @abstractmethod
    def read(self, answer: str) -> Made:
        """An answer out of its JSON."""


class Engine(Protocol):
    """Where parts of the work run.

    ``threads``: how many one part may use; null for all that the machine has.
    """

    threads: int | None

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        """What ``work`` makes of each part, in the order of ``parts``.

        Raises:
            P2cError: what the work raised.
            Stopped: the engine is lost, or has no room.
        """
        ...
