"""What commands answer about a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl

from pipeline.audit.refusals import count_refusals
from pipeline.audit.verify import require_unaltered
from pipeline.commands.result import Item, Result
from pipeline.errors import UsageError
from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import Kind
from pipeline.run.findings import FILE
from pipeline.run.folder import RunFolder
from pipeline.show.run_text import Columns, Refused, render_run


def answer_about(
    found: RunFolder, command: str, *, items: Sequence[Item] = (), text: str = ""
) -> Result:
    """A result about a run whose exit code does not depend on it."""
    evidence = gather_evidence(found)
    return Result(
        command=command,
        run=str(found.run),
        folder=str(found.path),
        facts=evidence.summary if evidence.summary_says else None,
        items=items,
        text=text,
    )


def require_whole(found: RunFolder) -> None:
    """Refuse to decide anything by a run that was altered. Raises ``InvariantBroken``."""
    require_unaltered(found)


def require_load(found: RunFolder, kind: Kind, why: str) -> None:
    """Refuse runs that load nothing into SCM.

    ``why`` is a sentence. Raises ``UsageError``.
    """
    if not kind.is_load:
        name = "a backfill" if kind is Kind.BACKFILL else "an undo"
        raise UsageError(
            f"is {name}. {why} `p2c runs` lists all runs.",
            where=found.run,
        )


def describe_run(command: str, made: RunFolder, *, values: bool = False) -> Result:
    """What a command answers that made or applied a plan: the whole run.

    ``values`` shows which values of contacts a closed list does not know.
    """
    facts = made.read_summary()
    refused = _list_refused(made) if facts.applied else ()
    text = partial(
        render_run, facts, made.path, _name_columns(made), refused=refused, values=values
    )
    return Result(
        command=command, exit_code=facts.exit_code, facts=facts, folder=str(made.path), text=text
    )


def append_text(result: Result, more: str, width: int) -> str:
    """A result's text with more behind it."""
    return f"{result.lines(width)}\n\n{more}"


def _list_refused(made: RunFolder) -> Refused:
    """Why rows were not accepted, most rows first."""
    return [
        (one["outcome"], one["code"] or "no code", one["task"], one["rows"])
        for one in count_refusals(gather_evidence(made)) or ()
    ]


def _name_columns(made: RunFolder) -> Columns:
    """The columns that the findings of each code are about, for codes that have them.

    Destination columns, several source columns, or files as a whole.
    """
    place = pl.coalesce("destination", "column", FILE).alias("place")
    is_named = pl.col("destination").is_not_null() | FILE.is_not_null()
    counted = (
        pl.scan_parquet(made.findings, glob=False)
        .group_by("code", place)
        .agg(rows=pl.len(), named=is_named.any())
        .filter(pl.col("place").is_not_null() & (pl.col("named") | (pl.len().over("code") > 1)))
        .sort("rows", "place", descending=[True, False])
        .collect()
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for code, name, rows in counted.select("code", "place", "rows").iter_rows():
        found.setdefault(code, []).append((name, rows))
    return found
