"""The third pass: a part's contacts are decided about as in one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from pipeline.backfill.evidence import write_evidence
from pipeline.backfill.morsels import BackfillTally, Stream, decide_stream, read_morsels
from pipeline.backfill.parts.kit import Candidates, open_candidates, read_backfill_kit
from pipeline.engine.protocol import Work
from pipeline.plan.sessions import make_hasher
from pipeline.project.resolve import restore_project
from pipeline.project.settings import Settings
from pipeline.run.files import TableWriter
from pipeline.run.handed import PartModel, name_attempt
from schemas.run import BACKFILL, FINDINGS
from sql.query import query
from sql.session import session

Hash = Callable[[pl.Series], pl.Series]


class PartBackfill(PartModel):
    """What became of a part: its files in the folder, and its counts."""

    rows: str
    found: str
    states: dict[str, int]
    actions: dict[str, int]
    findings: dict[str, int]


class BackfillWork(Work[PartBackfill]):
    """Part → the plan's rows and their findings."""

    kit: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartBackfill]]:
        """What decides about the contacts of a part."""
        kit = read_backfill_kit(self.kit)
        settings = restore_project(kit.settings, None).settings
        with (
            session(memory="256MB", threads=1, macros=False) as hasher,
            open_candidates(kit) as candidates,
        ):
            md5 = make_hasher(hasher)
            yield lambda part: _decide_part(candidates, md5, settings, part)

    def read(self, answer: str) -> PartBackfill:
        """An answer out of its JSON."""
        return PartBackfill.model_validate_json(answer)


def _decide_part(candidates: Candidates, md5: Hash, settings: Settings, part: int) -> PartBackfill:
    here, kit = candidates.here, candidates.kit
    folder = kit.source.folder
    candidates.choose(part)
    evidence, ranks = (name_attempt(folder, name, part) for name in ("evidence", "ranks"))
    write_evidence(here, evidence)
    here.copy(query("backfill/ranks_in_order"), ranks)
    tally = BackfillTally()
    stream = Stream(
        main=here,
        md5=md5,
        settings=settings,
        evidence=evidence,
        ranks=ranks,
        numbers=kit.numbers,
        last_row=kit.last_row,
        tally=tally,
        first=kit.source.stretch(part).start,
    )
    here.use_threads(1)  # Rows come nearly in order.
    with (
        TableWriter(name_attempt(folder, "rows", part), BACKFILL) as rows,
        TableWriter(name_attempt(folder, "found", part), FINDINGS) as found,
    ):
        for frame, findings in decide_stream(stream, read_morsels(stream)):
            rows.write(frame)
            found.write(findings)
    for path in (evidence, ranks):
        path.unlink()
    return PartBackfill(
        rows=rows.path.name,
        found=found.path.name,
        states=dict(tally.states),
        actions=dict(tally.actions),
        findings=dict(tally.findings),
    )
