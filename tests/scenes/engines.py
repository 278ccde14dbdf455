"""Engines that go wrong, and work that dies: as clusters do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from pipeline.engine.protocol import Engine, Made, Work
from pipeline.plan.parts.decide import DecideWork, PartDecided

KILLED = 9


class DyingWork(Work[PartDecided]):
    """Deciding about parts; the process of the first attempt ends once its files are whole."""

    kit: Path
    grave: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartDecided]]:
        with DecideWork(kit=self.kit).open() as run:

            def decide(part: int) -> PartDecided:
                made = run(part)
                if not self.grave.exists():
                    self.grave.touch()
                    os._exit(KILLED)
                return made

            yield decide

    def read(self, answer: str) -> PartDecided:
        return PartDecided.model_validate_json(answer)


class DyingWorker:
    """An engine one of whose workers is killed while parts are decided."""

    def __init__(self, engine: Engine, grave: Path) -> None:
        self._engine = engine
        self._grave = grave
        self.threads = engine.threads

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        read = work.read
        if isinstance(work, DecideWork):
            dying = DyingWork(kit=work.kit, grave=self._grave)
            return (read(one.model_dump_json()) for one in self._engine.map(dying, parts))
        return self._engine.map(work, parts)


class LostEngine:
    """An engine that is gone when the second pass begins."""

    def __init__(self, engine: Engine, end: Callable[[], None]) -> None:
        self._engine = engine
        self._end = end
        self.threads = engine.threads

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        if isinstance(work, DecideWork):
            self._end()
        return self._engine.map(work, parts)


class Number(BaseModel):
    """An answer."""

    value: int


class Awkward(Work[Number]):
    """Twice the part's number; the part ``bad`` raises what ``make_error`` makes of its name."""

    bad: int = -1
    error: str = ""

    @contextmanager
    def open(self) -> Iterator[Callable[[int], Number]]:
        yield self._run

    def _run(self, part: int) -> Number:
        if part == self.bad:
            raise make_error(self.error)
        return Number(value=2 * part)

    def read(self, answer: str) -> Number:
        return Number.model_validate_json(answer)


def make_error(name: str) -> Exception:
    """An error of ours by the name of its class, or an error of the program."""
    from pipeline import errors  # noqa: PLC0415

    kind = getattr(errors, name, None)
    return ValueError("Ada Lovelace") if kind is None else kind("it is so.", where="a.csv")
