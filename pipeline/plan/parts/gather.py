"""What came back of the parts, put together in the run folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.protocol import Engine
from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.parts.decide import DecideWork
from pipeline.plan.parts.number import NumberWork, PartNumbering, advance, name_numbering
from pipeline.plan.parts.writing import read_groups
from pipeline.plan.request import Planning
from pipeline.plan.writing import make_rows_schema
from pipeline.run.files import DISK, TableWriter
from pipeline.transform.decide import Decider
from schemas.run import DECISIONS

Words = Counter[tuple[str, str]]
"""How often a cell is nothing but a word that may mean null, by column and word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOut:
    """What an engine is given: the file of the kit, next to all others, and the parts."""

    engine: Engine
    kit: Path
    parts: range


def gather_decided(
    planning: Planning, handed: HandedOut, decider: Decider, findings: TableWriter
) -> Iterator[Words]:
    """Write decisions and findings as they come, and where the batches of each part begin.

    Yields the words of each part. ``decider`` gets all counts, and the sizes of batches.
    """
    folder = handed.kit.parent
    answers = handed.engine.map(DecideWork(kit=handed.kit), handed.parts)
    with TableWriter(planning.folder.decisions, DECISIONS) as decisions:
        for part, one in zip(handed.parts, answers, strict=True):
            for name, writer in ((one.decisions, decisions), (one.findings, findings)):
                for rows in read_groups(folder / name):
                    writer.write(rows)
                (folder / name).unlink()
            decider.tally.add(one.tally.restore())
            numbering = PartNumbering.of(one.rows, decider.batcher)
            numbering.write(folder / name_numbering(part))
            for task, name in one.rows.items():
                kept = planning.mappings[task].kept if decider.packages else ()
                advance(decider.batcher, task, folder / name, kept)
            yield Counter(dict(one.words))
    planning.hashes[decisions.path] = decisions.sha256


def gather_numbered(planning: Planning, handed: HandedOut) -> None:
    """Put planned rows in their places, the files of a task in source order."""
    digits = max(5, len(str(len(handed.parts))))
    done = dict.fromkeys(planning.mappings, 0)
    for one in handed.engine.map(NumberWork(kit=handed.kit), handed.parts):
        for task, (name, digest) in one.rows.items():
            done[task] += 1
            path = planning.folder.rows(task) / f"part-{done[task]:0{digits}d}.parquet"
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            DISK.replace(handed.kit.with_name(name), path)
            planning.hashes[path] = digest
    for task in (name for name, files in done.items() if not files):
        _write_none(planning, task, planning.mappings[task], f"part-{1:0{digits}d}.parquet")


def _write_none(planning: Planning, task: str, mapping: CompiledTemplate, name: str) -> None:
    with TableWriter(planning.folder.rows(task) / name, make_rows_schema(mapping)) as writer:
        pass
    planning.hashes[writer.path] = writer.sha256
