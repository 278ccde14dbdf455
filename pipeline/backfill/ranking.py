"""Which contacts get a number, in which order, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow.parquet as pq

from pipeline.backfill.numbering import CounterRow, NumberOrigin, choose_base, read_origin
from pipeline.run.facts import Numbers
from pipeline.run.findings import RunFinding
from sql.query import query
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """The numbers that are wanted, and what is to be said of that."""

    numbers: Numbers
    findings: Sequence[RunFinding]


def find_number_origin(main: Session) -> NumberOrigin:
    """Where numbers come from, by the counters of the source."""
    return read_origin(cast("list[CounterRow]", main.frame(query("backfill/counters")).to_dicts()))


def write_ranks(main: Session, source: NumberOrigin, last_row: int, target: Path) -> int:
    """Write the rank of each contact that gets a number, in source order; how many they are.

    Args:
        main: has ``wanted``; it gets ``ranks``.
        source: without a usable one, no contact gets a number.
        last_row: the last contact row that is taken.
        target: the Parquet file to write.
    """
    main.view("ranks", query("backfill/ranks"), last_row=last_row if source.is_usable else -1)
    main.copy(query("backfill/ranks_in_order"), target)
    return int(pq.read_metadata(target).num_rows)


def settle_numbers(source: NumberOrigin, highest: int, count: int, seed: str) -> Ranked:
    """Settle where numbers begin.

    Args:
        source: the counter.
        highest: the highest number in use with its prefix, 0 without any.
        count: how many contacts get a number.
        seed: it decides suffixes.

    Raises:
        ConfigurationError: numbers would become too long.
    """
    base = choose_base(source, highest, count)
    findings = [RunFinding(code=name, detail=detail) for name, detail in source.findings]
    if source.id is not None and highest >= source.next:
        findings.append(RunFinding(code="counter_behind", detail=f"{source.prefix}-{base:05d}"))
    numbers = Numbers(
        count=count,
        highest=highest,
        prefix=source.prefix,
        suffix_length=source.suffix_length,
        base=base,
        next=source.next,
        counter=source.id,
        counter_etag=source.etag,
        seed=seed,
    )
    return Ranked(numbers=numbers, findings=findings)
