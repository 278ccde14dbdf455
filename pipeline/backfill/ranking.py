"""Which contacts get a number, in which order, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from pipeline.backfill.numbering import CounterRow, NumberOrigin, choose_base, read_origin
from pipeline.run.facts import Numbers
from pipeline.run.findings import RunFinding
from sql.query import query
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """The counter, the rank of each contact that gets a number, and what is to be said of that.

    ``ranks``: ``sql/backfill/ranks.sql``.
    """

    origin: NumberOrigin
    ranks: pl.DataFrame
    numbers: Numbers
    findings: Sequence[RunFinding]


def rank_contacts(main: Session, last_row: int, seed: str) -> Ranked:
    """Settle the counter and rank ``candidates`` up to ``last_row``; ``seed`` decides suffixes.

    Raises:
        ConfigurationError: numbers would become too long.
    """
    counters = cast("list[CounterRow]", main.frame(query("backfill/counters")).to_dicts())
    source = read_origin(counters)
    highest = int(main.frame(query("backfill/highest"), pattern=source.pattern).item())
    ranks = pl.DataFrame(schema={"source_row": pl.Int64, "rank": pl.Int64})
    if source.is_usable:
        ranks = main.frame(query("backfill/ranks"), last_row=last_row)
    base = choose_base(source, highest, ranks.height)
    findings = [RunFinding(code=name, detail=detail) for name, detail in source.findings]
    if source.id is not None and highest >= source.next:
        findings.append(RunFinding(code="counter_behind", detail=f"{source.prefix}-{base:05d}"))
    numbers = Numbers(
        count=ranks.height,
        highest=highest,
        prefix=source.prefix,
        suffix_length=source.suffix_length,
        base=base,
        next=source.next,
        counter=source.id,
        counter_etag=source.etag,
        seed=seed,
    )
    return Ranked(origin=source, ranks=ranks, numbers=numbers, findings=findings)
