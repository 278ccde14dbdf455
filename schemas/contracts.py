"""Contracts of the run folder's tables: their columns in order, and closed sets of values."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.codes import Decision, Severity, load_codes
from schemas.run import DECISIONS, FINDINGS


def make_contract(schema: pl.Schema, **closed: tuple[str, ...]) -> pa.DataFrameSchema:
    """A Pandera schema of a run folder's table.

    ``closed`` names the columns whose values are a closed set.
    """
    columns = {
        name: pa.Column(
            dtype,
            nullable=True,
            checks=[pa.Check.isin(closed[name], name=f"{name}_known")] if name in closed else [],
        )
        for name, dtype in schema.items()
    }
    return pa.DataFrameSchema(columns, strict=True, ordered=True)


def make_decisions_contract() -> pa.DataFrameSchema:
    """The contract of ``decisions.parquet``."""
    return make_contract(DECISIONS, decision=tuple(Decision), reason=tuple(load_codes()))


def make_findings_contract() -> pa.DataFrameSchema:
    """The contract of ``findings.parquet``."""
    return make_contract(FINDINGS, severity=tuple(Severity), code=tuple(load_codes()))
