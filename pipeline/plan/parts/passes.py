"""The driver of the passes: it hands out parts, and has them put together."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.engine.protocol import Engine
from pipeline.events import Step
from pipeline.plan.parts.gather import HandedOut, gather_decided, gather_numbered
from pipeline.plan.parts.keys import KeysWork
from pipeline.plan.parts.kit import PartSource
from pipeline.plan.parts.route import find_taken
from pipeline.plan.parts.sides import describe_source, make_kit, store_keys, write_activity
from pipeline.plan.prepare import Prepared, Routing
from pipeline.plan.request import Planning
from pipeline.run.files import TableWriter
from pipeline.transform.decide import Decider
from sql.session import Session


class PartPasses:
    """The passes of one plan.

    ``blank`` are the words that are blank in contacts.
    """

    def __init__(
        self,
        planning: Planning,
        engine: Engine,
        main: Session,
        blank: Sequence[str],
        folder: Path,
    ) -> None:
        self._planning = planning
        self._engine = engine
        self._main = main
        self._blank = blank
        self._folder = folder
        self._keys: list[str] = []
        self.words = Counter[tuple[str, str]]()

    def hash_elsewhere(self, session: Session) -> None:
        """The first pass. It stores ``hashes`` (``sql/plan/hashes.sql``)."""
        source = self._describe()
        work = KeysWork(source=source.write(self._folder / "source.json"))
        write_activity(session, self._folder)
        for one in self._engine.map(work, self._list_parts(source)):
            self._keys.append(one.file)
            self._report("looking for repeats", source, len(self._keys))
        store_keys(session, self._folder, self._keys)

    def write(
        self, routing: Routing, prepared: Prepared, decider: Decider, findings: TableWriter
    ) -> None:
        """The other two passes; ``decider`` gets what they counted."""
        source, planning, folder = self._describe(), self._planning, self._folder
        parts = self._list_parts(source)
        kit = make_kit(planning, self._main, source, routing, prepared, self._keys)
        if kit.rules.limit is not None:
            first = kit.write(folder / "limit.json")
            kit = kit.model_copy(update={"taken": find_taken(self._engine, first, parts)})
        handed = HandedOut(engine=self._engine, kit=kit.write(folder / "kit.json"), parts=parts)
        gathered = gather_decided(planning, handed, decider, findings)
        for done, words in enumerate(gathered, start=1):
            self.words.update(words)
            self._report("planning", source, done)
        gather_numbered(planning, handed)

    def _describe(self) -> PartSource:
        return describe_source(self._planning, self._main, self._blank, self._folder)

    def _list_parts(self, source: PartSource) -> range:
        return range(-(-source.contacts.rows // source.part_rows) or 1)

    def _report(self, name: str, source: PartSource, parts: int) -> None:
        rows = source.contacts.rows
        self._planning.listener(
            Step(name=name, done=min(parts * source.part_rows, rows), total=rows)
        )


@contextmanager
def open_passes(
    planning: Planning, engine: Engine, main: Session, blank: Sequence[str]
) -> Iterator[PartPasses]:
    """The passes of a plan; their files are gone when the block ends."""
    folder = planning.folder.parts
    try:
        yield PartPasses(planning, engine, main, blank, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
