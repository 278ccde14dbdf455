"""Findings as a file for people or programs, and as groups.

What went wrong, how often, what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypedDict, cast

import duckdb
import polars as pl

from pipeline.errors import InvariantBroken, UsageError
from pipeline.run.evidence import Evidence
from pipeline.run.files import TableWriter
from pipeline.run.findings import FILE
from pipeline.run.folder import RunFolder
from pipeline.run.summary import CountedFinding, NamedValues
from pipeline.show.named import explain_repair, list_values
from pipeline.show.spreadsheet import write_csv
from pipeline.suggest import check_codes
from schemas.codes import TOP, Severity, load_codes
from sql.query import query
from sql.session import Session, session

_GENERAL: Final = (
    (": {detail}.", "."),
    ("none of: {limit}", "none of those allowed"),
    ("of the type {limit}", "of its type"),
    ("{limit} characters", "its limit of characters"),
    ("{limit}", "its limit"),
    ("{detail}", "some"),
)
"""What stands for a blank that differs from row to row."""

_NO_TEXT: Final = pl.lit(None, pl.String)
_BLANKS: Final = (
    pl.lit("").alias("advice"),
    _NO_TEXT.alias("outcome"),
    _NO_TEXT.alias("task"),
    pl.lit("").alias("named"),
)
"""What only groups of refused rows have, and what is filled in later."""

_SEVERITIES: Final = tuple(Severity)

PLACE: Final = pl.coalesce("column", FILE)
"""What a finding is about: a column, or a file as a whole."""

MEMORY: Final = "400MB"
_ROWS: Final = 65_536


def export_rows(
    folder: RunFolder, to: Path, codes: Sequence[str], scratch: Path, *, values: bool
) -> int:
    """Write findings to ``to``, CSV or Parquet by its ending, in the order of the run.

    Rows that were refused, or whose outcome is unknown, follow them. ``scratch`` is an empty folder
    for as long as that takes.

    Returns:
        The number of rows.

    Raises:
        UsageError: the ending is neither of the two, or a code is unknown.
        InvariantBroken: the tables of the run cannot be read.
    """
    if to.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"--to {to.name}: end the name in .csv or .parquet.")
    wanted = check_codes(codes)
    for path in (folder.findings, folder.decisions, folder.outcomes):
        if not path.is_file():
            raise UsageError(
                f"{path.name} is missing: there is nothing to export. `p2c verify {folder.run}` "
                "says more."
            )
    try:
        with session(memory=MEMORY, scratch=scratch) as here:
            return _write_rows(here, folder, to, wanted, values=values)
    except duckdb.Error as error:
        raise InvariantBroken(
            f"the tables of the run cannot be read. `p2c verify {folder.run}` says more.",
            where=folder.run,
        ) from error


def _write_rows(
    here: Session, folder: RunFolder, to: Path, codes: Sequence[str], *, values: bool
) -> int:
    for path in (folder.findings, folder.decisions, folder.outcomes):
        here.parquet(path.stem, path)
    known = load_codes().values()
    here.register(
        "codes",
        pl.DataFrame(
            {
                "code": [one.code for one in known],
                "severity": [one.severity or "error" for one in known],
                "sentence": [generalize(one.sentence) for one in known],
                "advice": [one.advice for one in known],
            }
        ),
    )
    parts = _stream_frames(here, codes, values=values)
    if to.suffix.lower() == ".csv":
        return write_csv(to, parts, visible=True)
    first = next(parts)
    rows = first.height
    with TableWriter(to, first.schema) as writer:
        writer.write(first)
        for part in parts:
            writer.write(part)
            rows += part.height
    return rows


def _stream_frames(here: Session, codes: Sequence[str], *, values: bool) -> Iterator[pl.DataFrame]:
    """The export in frames of one schema; the first is empty and names the columns."""
    reader = here.stream(
        query("audit/findings"),
        _ROWS,
        codes=list(codes),
        every_code=not codes,
        with_messages=values,
    )
    left_out = () if values else ("value",)
    yield pl.DataFrame(reader.schema.empty_table()).drop(left_out)
    for batch in reader:
        yield pl.DataFrame(batch).drop(left_out)


class FindingGroup(TypedDict):
    """Findings of one code at one column: how many, a contact as an example, and what to do.

    ``column`` is the file's name where a finding is about a file as a whole. Rows that were refused
    or whose fate is not known are groups, too: they have an ``outcome`` and a ``task``.
    """

    code: str
    severity: str
    outcome: str | None
    task: str | None
    column: str | None
    destination: str | None
    rows: int
    example: str | None
    message: str | None
    one_message: bool
    advice: str
    values: dict[str, int]
    """Values that the findings are about and their rows, where they are no personal data."""
    named: str
    """The same as text, with what an entry of the project repairs."""


def group_findings(evidence: Evidence, codes: Sequence[str] = ()) -> list[FindingGroup] | None:
    """Findings by cause, the most urgent first, as ``p2c plan`` lists them.

    Null if they cannot be read.
    """
    keys = ["code", "severity", "column", "destination"]
    frame = evidence.frame(
        evidence.folder.findings,
        lambda rows: (
            (rows.filter(pl.col("code").is_in(list(codes))) if codes else rows)
            .with_columns(column=PLACE)
            .group_by(keys)
            .agg(
                pl.len().alias("rows"),
                pl.col("contactid").drop_nulls().min().alias("example"),
                pl.col("message").min(),
                (pl.col("message").min() == pl.col("message").max()).alias("one_message"),
            )
        ),
    )
    if frame is None:
        return None
    ordered = frame.sort("code", "column", "destination", nulls_last=True)
    found = [{**row, "values": {}} for row in ordered.with_columns(_BLANKS).to_dicts()]
    rows = cast("list[FindingGroup]", found)
    summary = evidence.summary
    groups = [_put_in_words(_count_concerned(row, summary.counted)) for row in rows]
    return sorted((_name_values(one, summary.named) for one in groups), key=_rank)


def _name_values(row: FindingGroup, named: Sequence[NamedValues]) -> FindingGroup:
    """A group with the values that its findings are about, where the summary names them."""
    place = (row["code"], row["column"] or "", row["destination"] or "")
    for one in named:
        if (one.code, one.column, one.destination) == place and one.values:
            text = " ".join([f"{', '.join(list_values(one))}.", explain_repair(one)])
            return {**row, "values": dict(one.values), "named": text.strip()}
    return row


def _count_concerned(row: FindingGroup, counted: Sequence[CountedFinding]) -> FindingGroup:
    """A group with the rows that its findings are about: one finding of the run is about many."""
    more = [
        one.rows - 1
        for one in counted
        if (one.code, one.column or None) == (row["code"], row["column"])
    ]
    return {**row, "rows": row["rows"] + sum(more)}


def _rank(group: FindingGroup) -> tuple[int, bool, int, int]:
    """By severity, of one severity first what is about the run as a whole, then by rows."""
    known = load_codes().get(group["code"])
    idle = known is not None and known.is_idle
    severity = _SEVERITIES.index(group["severity"]) if group["severity"] in _SEVERITIES else 0
    return (
        2 * severity + idle,
        group["code"] not in TOP,
        -group["rows"],
        known.rank if known else 0,
    )


def _put_in_words(row: FindingGroup) -> FindingGroup:
    """A group with its sentence.

    The findings' own if they are all equal, else the catalogue's without its blanks.
    """
    known = load_codes().get(row["code"])
    if known is None:
        advice = "Another version of p2c wrote this code; `p2c codes` of that version explains it."
        return {**row, "message": "", "advice": advice}
    message = (
        row["message"]
        if row["one_message"]
        else generalize(known.sentence, row["destination"] or row["column"])
    )
    return {**row, "message": message, "advice": known.advice}


def generalize(sentence: str, column: str | None = None) -> str:
    """A catalogue sentence with its blanks left out or put in general words."""
    text = sentence
    for blank, word in (*_GENERAL, ("{column}", column or "a column")):
        text = text.replace(blank, word)
    return text if column and sentence.startswith("{column}") else text[:1].upper() + text[1:]


def render_groups(groups: Sequence[FindingGroup]) -> str:
    """The groups as lines: what was refused first, with its reason, then the findings."""
    refused = [one for one in groups if one["outcome"] is not None]
    others = [one for one in groups if one["outcome"] is None]
    if not groups:
        return "There are no findings."
    lines = [f"{'rows':>9}  outcome   code and task"] if refused else []
    for one in refused:
        lines.append(f"{one['rows']:>9,}  {one['outcome']:<8}  {one['code']}, {one['task']}")
        lines += [f"{'':>9}  {'':<8}    {text}" for text in (one["message"], one["advice"]) if text]
    if refused and others:
        lines.append("")
    lines += [f"{'rows':>9}  severity  code and column"] if others else []
    for one in others:
        place = " ← ".join(name for name in (one["destination"], one["column"]) if name)
        lines.append(
            f"{one['rows']:>9,}  {one['severity']:<8}  {one['code']}{f', {place}' if place else ''}"
        )
        lines += [f"{'':>9}  {'':<8}    {text}" for text in (one["named"], one["advice"]) if text]
    return "\n".join(lines)
