"""Contacts of a backfill stream by once, in source order, and are decided on the way."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.backfill.deciding import decide_flags, list_contact_findings, plan_rows
from pipeline.backfill.evidence import EvidenceColumns
from pipeline.flow import heap
from pipeline.flow.frames import read_ahead, read_frames
from pipeline.flow.ordered import restore_order
from pipeline.project.settings import Settings
from pipeline.run.facts import Numbers
from pipeline.transform.decide import NO_CONTACT
from sql.query import query
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillTally:
    """Contact rows by state, contacts by action, findings by code."""

    states: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)

    def count(self, frame: pl.DataFrame, found: pl.DataFrame) -> None:
        """Add a morsel's rows and findings."""
        self.findings.update(dict(found["code"].value_counts().iter_rows()))
        self.actions.update(dict(frame["action"].value_counts().iter_rows()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """What contacts of a backfill stream by with.

    ``evidence`` is the file of their documents, ``ranks`` that of their ranks. ``last_row`` is the
    last contact row that is taken, ``first`` the first that comes by.
    """

    main: Session
    md5: Callable[[pl.Series], pl.Series]
    settings: Settings
    evidence: Path
    ranks: Path
    numbers: Numbers
    last_row: int
    tally: BackfillTally
    first: int = 0


@contextlib.contextmanager
def plan_morsels(stream: Stream) -> Iterator[Iterator[tuple[pl.DataFrame, pl.DataFrame]]]:
    """The plan's rows and their findings; they are counted on the way."""
    with (
        heap.freeze_heap(),
        contextlib.closing(read_ahead(read_morsels(stream))) as morsels,
    ):
        yield decide_stream(stream, morsels)


def read_morsels(stream: Stream) -> Iterator[pl.DataFrame]:
    """What SQL says of each contact, morsel by morsel in source order."""
    size = stream.settings.run.morsel_rows
    reader = stream.main.stream(
        query("backfill/contacts"),
        size,
        last_row=stream.last_row,
        number_pattern=stream.settings.source.contact_number_pattern,
    )
    return restore_order(read_frames(reader), size, start=stream.first)


def decide_stream(
    stream: Stream, morsels: Iterator[pl.DataFrame]
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The plan's rows and their findings; they are counted on the way."""
    evidence_columns = EvidenceColumns(stream.evidence, stream.ranks)
    for morsel in morsels:
        yield _decide(stream, evidence_columns.of(morsel))
    evidence_columns.close()


def _decide(stream: Stream, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    stream.tally.states.update(dict(rows["state"].value_counts().iter_rows()))
    contacts = decide_flags(
        rows.filter(~pl.col("state").is_in(NO_CONTACT)), stream.settings.backfill
    )
    frame = plan_rows(contacts, stream.numbers, stream.md5)
    found = list_contact_findings(contacts)
    stream.tally.count(frame, found)
    return frame, found
