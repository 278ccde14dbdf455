"""The page of tables: every column of a run folder, with its type and what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from pipeline.audit.reconcile import DIFFERENCES
from pipeline.plan.undo import SCHEMA as UNDO
from pipeline.run.memory import LOADED
from pipeline.show.markdown import mark_code, render_markdown_table
from schemas.run import BACKFILL, BATCHES, CHANGES, DECISIONS, FINDINGS, OUTCOMES, PLANNED
from schemas.tables import TableText, load_table_texts

SCHEMAS: Final[Mapping[str, pl.Schema]] = {
    "decisions": DECISIONS,
    "findings": FINDINGS,
    "rows": PLANNED,
    "batches": BATCHES,
    "outcomes": OUTCOMES,
    "changes": CHANGES,
    "backfill": BACKFILL,
    "reconciliation": DIFFERENCES,
    "undo": UNDO,
    "loaded": LOADED,
}
"""The tables as they are written, by the names of their texts."""

_HEAD: Final = """\
# Tables of a run

<!-- Written by `python -m pipeline.manual`. Change schemas/run.toml. -->

Names and types are stable: other programs may rely on them. [The run folder](run-folder.md) says
what else is there, and has queries. Times are in UTC. A null means that there is nothing to say.
"""

_TYPES: Final = {
    pl.String(): "text",
    pl.Int64(): "whole number",
    pl.Int32(): "whole number",
    pl.Boolean(): "true or false",
    pl.Datetime("us", "UTC"): "time",
}


def render_tables_page() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *_render_tables(load_table_texts())])


def _render_tables(texts: Mapping[str, TableText]) -> Iterator[str]:
    for name, schema in SCHEMAS.items():
        text = texts[name]
        yield f"## {name}\n\n{mark_code(text.file)}\n\n{text.row}\n"
        yield render_markdown_table(
            ("Column", "Type", "Holds"),
            (
                (mark_code(column), _TYPES[kind], text.columns[column])
                for column, kind in schema.items()
            ),
        )
