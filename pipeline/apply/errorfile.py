"""The rows that SCM refused, as files that people have.

The error keys of Data management, its logs, or any list of keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import SourceError, UsageError, reading
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.side_files import ReadOptions, land_file
from pipeline.load.packages.naming import read_cells
from pipeline.scm.messages import explain_messages
from pipeline.suggest import explain_no_file
from schemas.catalogue import Field, Table
from schemas.codes import find_code
from schemas.text import key_of, trimmed

_CODE: Final = "import_failed"
_TEXT: Final = (
    "message",
    "error",
    "errormessage",
    "error message",
    "errortext",
    "error text",
    "log text",
    "logtext",
    "log message",
    "error messages",
)
_KEYS: Final = (
    "contactid", "destination_key", "CustomerAccount", "ContactPersonPartyNumber", "record",
)  # fmt: skip
_LISTS: Final = (".csv", ".tsv", ".txt", "")
"""Endings of files that can be lists of keys without a header."""
_HEADER: Final = 20
"""Lines in which a header is looked for."""
_HARMLESS: Final = ("info", "information", "informational", "warning", "completed", "updated")
_HARMFUL: Final = (
    "error", "failed", "not started", "notstarted", "in progress", "inprogress", "canceled",
    "cancelled", "validation error", "exception", "critical", "",
)  # fmt: skip

_OF_SALES: Final = "msdynce_isactivecustomer"
"""A column that only contacts in Sales have."""

ERRORS: Final = Table(
    name="errors",
    singular="error",
    key="contactid",
    fields=(
        Field(name="contactid"),
        Field(name="destination_key", names=("key",)),
        Field(name="CustomerAccount", names=("customer account", "accountnum")),
        Field(name="ContactPersonPartyNumber", names=("contact person party number",)),
        Field(name="AssociatedPartyNumber", names=("associated party number",)),
        Field(
            name="record",
            names=("record id", "recordid", "record key", "recordkey", "record keys", "key values"),
        ),
        Field(
            name="dataAreaId", names=("company", "legalentityid", "legal entity", "legal_entity")
        ),
        Field(name="message", names=_TEXT[1:]),
        Field(
            name="status",
            names=("transferstatus", "transfer status", "log type", "logtype", "severity"),
        ),
        Field(name=_OF_SALES, names=("is active customer",)),
    ),
)
"""One row is one row that SCM refused, named by contact, by key or by what a log calls its record;
legal entity, message and the status of a log or a staging table if they are there."""

REFUSED_LINES: Final = pl.Schema(
    {
        "file": pl.String(),
        "line": pl.Int64(),
        "contactid": pl.String(),
        "legal_entity": pl.String(),
        "key": pl.String(),
        "cells": pl.List(pl.String()),
        "message": pl.String(),
    }
)
"""One row per line that says that a row was refused: by ``contactid`` (lower case), by ``key``
(``number`` or ``number/company``, upper case), else by ``cells``, which SCM joined in its own way;
``legal_entity`` in lower case. What a file does not say is null."""


def read_refused_lines(paths: Sequence[Path]) -> pl.DataFrame:
    """The lines of error files as ``REFUSED_LINES``.

    A file without a header is a list of keys, as Data management writes them.

    Raises:
        UsageError: a file is missing or has no column that names rows.
        SourceError: a row cannot be read, or names nothing.
    """
    for path in paths:
        if not path.is_file():
            raise UsageError(f"--errors: {explain_no_file(path)}")
    parts = [_read_list(path) if _is_list(path) else _read_table(path) for path in paths]
    return pl.concat([REFUSED_LINES.to_frame(), *parts])


def _is_list(path: Path) -> bool:
    """Whether a file is a list of keys: text in whose first lines no column is named."""
    if path.suffix.lower() not in _LISTS:
        return False
    known = ColumnSelection(table=ERRORS)
    with reading(path.name):
        content = path.read_bytes()
    lines = islice(read_cells(content), _HEADER)
    return bool(content.strip()) and not any(known.count_known(cells) for _, cells in lines)


def _read_list(path: Path) -> pl.DataFrame:
    with reading(path.name):
        rows = [
            {"file": path.name, "line": line, "cells": [one.strip() for one in cells]}
            for line, cells in read_cells(path.read_bytes())
        ]
    return pl.DataFrame(rows, schema=REFUSED_LINES)


def _read_table(path: Path) -> pl.DataFrame:
    """A file with a header."""
    frame, unreadable = land_file(path, ERRORS, ReadOptions(every_row=True))
    if unreadable:
        first = unreadable[0]
        raise SourceError(
            f"the row of line {first.source_line} cannot be read: {first.detail}.",
            where=f"--errors {path.name}",
        )
    if _OF_SALES in frame.columns:
        raise UsageError(
            f"--errors {path.name}: is an export of contacts from Sales, and does not say what SCM "
            "refused. Name the error file of the import."
        )
    if not any(name in frame.columns for name in _KEYS):
        raise UsageError(
            f"--errors {path.name}: no column names the rows. Name one {', '.join(_KEYS[:-1])} or "
            "Record ID."
        )
    missing = [
        pl.lit(None, pl.String).alias(one.name)
        for one in ERRORS.fields
        if one.name not in frame.columns
    ]
    lines = (
        pl.col("source_line")
        if "source_line" in frame.columns
        else pl.int_range(2, pl.len() + 2, dtype=pl.Int64)
    )
    whole = frame.with_columns(*missing, line=lines)
    rows = _select_lines(_drop_harmless(whole, path.name), path.name)
    nameless = rows.filter(
        pl.col("contactid").is_null() & pl.col("key").is_null() & pl.col("cells").is_null()
    )
    if nameless.height:
        raise SourceError(
            f"line {nameless['line'][0]} names no row: its key is blank. If it is about the import "
            "as a whole, delete it; else put the key of the row there.",
            where=f"--errors {path.name}",
        )
    return rows


def _drop_harmless(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    """The rows that were refused: staging tables and logs have others, too."""
    status = trimmed(pl.col("status")).str.to_lowercase().fill_null("")
    unknown = rows.filter(~status.is_in([*_HARMLESS, *_HARMFUL]))
    if unknown.height:
        raise SourceError(
            f"the status in line {unknown['line'][0]} is none that p2c knows. Keep only the rows "
            "that SCM refused, and remove the column.",
            where=f"--errors {file}",
        )
    return rows.filter(~status.is_in(_HARMLESS))


def _select_lines(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    person = pl.concat_str(["ContactPersonPartyNumber", "AssociatedPartyNumber"], separator="/")
    parts = pl.col("destination_key").str.splitn("/", 2)
    key = pl.coalesce(parts.struct.field("field_1"), person, pl.col("CustomerAccount"))
    area = pl.coalesce(
        trimmed(pl.col("dataAreaId")),
        pl.when(parts.struct.field("field_1").is_not_null()).then(parts.struct.field("field_0")),
    )
    record = trimmed(pl.coalesce("record", "destination_key", "ContactPersonPartyNumber"))
    return rows.select(
        file=pl.lit(file),
        line=pl.col("line"),
        contactid=trimmed(pl.col("contactid")).str.strip_chars("{}").str.to_lowercase(),
        legal_entity=area.str.to_lowercase(),
        key=key_of(key),
        cells=pl.when(key_of(key).is_null() & record.is_not_null()).then(
            pl.when(area.is_null())
            .then(pl.concat_list(record))
            .otherwise(pl.concat_list(area, record))
        ),
        message=trimmed(pl.col("message")),
    ).cast(REFUSED_LINES)


def explain_refusals(found: pl.DataFrame) -> pl.DataFrame:
    """destination_key, and SCM's message with its code and in plain words."""
    texts = found["message"].drop_nulls().unique().to_list()
    meant = {text: explain_messages([text]) for text in texts}
    rows = [{"message": text, "code": one.code, "plain": one.text} for text, one in meant.items()]
    meanings = pl.DataFrame(
        rows, schema={"message": pl.String, "code": pl.String, "plain": pl.String}
    )
    return found.join(meanings, on="message", how="left", maintain_order="left").select(
        "destination_key",
        pl.col("code").fill_null(_CODE),
        message=pl.col("plain").fill_null(find_code(_CODE).message(detail="no message")),
    )
