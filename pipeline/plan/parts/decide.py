"""The second pass: a part's contacts are routed, mapped and screened as in one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from pipeline.engine.protocol import Work
from pipeline.extract.texts import TextColumns
from pipeline.plan.deciding import build_decider
from pipeline.plan.morsels import join_texts
from pipeline.plan.parts.keys import read_marks
from pipeline.plan.parts.route import open_routing
from pipeline.plan.parts.tallies import ByTwo, PartTally
from pipeline.plan.parts.tasks import PartTools, load_tools
from pipeline.plan.parts.writing import PartWriter
from pipeline.run.handed import PartModel
from sql.session import Session, session


class PartDecided(PartModel):
    """What became of a part: its files in the folder, and its counts.

    ``rows`` are those of tasks that have any, whose batches are the part's own for now; ``words``
    how often a cell is nothing but a word that may mean null, by column and word.
    """

    decisions: str
    findings: str
    rows: dict[str, str]
    tally: PartTally
    words: ByTwo


class DecideWork(Work[PartDecided]):
    """Part → decisions, findings and planned rows."""

    kit: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartDecided]]:
        """What decides about the contacts of a part."""
        tools = load_tools(self.kit)
        with (
            session(memory="256MB", threads=1) as hasher,
            open_routing(tools.kit) as route,
        ):
            yield lambda part: _decide(tools, hasher, route(part), part)

    def read(self, answer: str) -> PartDecided:
        """An answer out of its JSON."""
        return PartDecided.model_validate_json(answer)


def _decide(
    tools: PartTools, hasher: Session, routed: Iterator[pl.DataFrame], part: int
) -> PartDecided:
    kit, source = tools.kit, tools.kit.source
    texts = TextColumns(source.contacts.restore(), kit.plain, source.blank)
    marks = read_marks(source.folder / kit.keys[part], has_documents=kit.has_documents)
    decider = build_decider(tools.open_tasks(), hasher, tools.destination, kit.rules)
    decider.taken = kit.taken[part] if kit.taken else 0
    with PartWriter(source.folder, part) as writer:
        for morsel in routed:
            first = source.stretch(part).start
            chosen = join_texts(decider.select(morsel), texts, marks, first=first)
            writer.write(decider.settle(decider.weigh(chosen)))
        tally = decider.finish()
    return PartDecided(
        decisions=writer.decisions.path.name,
        findings=writer.findings.path.name,
        rows={name: one.path.name for name, one in writer.rows.items()},
        tally=PartTally.of(tally),
        words=tuple(texts.words.items()),
    )
