"""The rows that SCM refused, as a file that people made.

The error keys of Data management, or any list of keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import SourceError, UsageError
from pipeline.extract.forms import ReadOptions, land_file
from pipeline.scm.messages import explain_messages
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
    "log text",
    "logtext",
)
_KEYS: Final = (
    ("contactid",),
    ("destination_key",),
    ("CustomerAccount",),
    ("ContactPersonPartyNumber", "AssociatedPartyNumber"),
)

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
            name="dataAreaId", names=("company", "legalentityid", "legal entity", "legal_entity")
        ),
        Field(name="message", names=_TEXT[1:]),
    ),
)
"""One row is one row that SCM refused, named by contact or by key; legal entity and message if they
are there."""


def read_refused_rows(path: Path) -> pl.DataFrame:
    """The rows of an error file: line, contactid, legal_entity, key, message.

    ``key`` is ``number`` or ``number/company``.
    Keys are compared upper-cased, contactids lower-cased; what the file does not say is null.

    Raises:
        UsageError: the file is missing or has no column that names rows.
        SourceError: a row cannot be read, or names nothing.
    """
    if not path.is_file():
        raise UsageError(f"--errors: there is no file {path}.")
    frame, unreadable = land_file(path, ERRORS, ReadOptions())
    if unreadable:
        first = unreadable[0]
        raise SourceError(
            f"the row of line {first.source_line} cannot be read: {first.detail}.",
            where=f"--errors {path.name}",
        )
    if not any(all(name in frame.columns for name in group) for group in _KEYS):
        wanted = "; or ".join(" and ".join(group) for group in _KEYS)
        raise UsageError(f"--errors {path.name}: no column names the rows. It needs {wanted}.")
    missing = [
        pl.lit(None, pl.String).alias(one.name)
        for one in ERRORS.fields
        if one.name not in frame.columns
    ]
    whole = frame.with_columns(missing)
    person = pl.concat_str(["ContactPersonPartyNumber", "AssociatedPartyNumber"], separator="/")
    parts = pl.col("destination_key").str.splitn("/", 2)
    rows = whole.select(
        line=pl.col("source_line")
        if "source_line" in whole.columns
        else pl.int_range(2, pl.len() + 2, dtype=pl.Int64),
        contactid=trimmed(pl.col("contactid")).str.strip_chars("{}").str.to_lowercase(),
        legal_entity=pl.coalesce(
            trimmed(pl.col("dataAreaId")), parts.struct.field("field_0")
        ).str.to_lowercase(),
        key=key_of(pl.coalesce(parts.struct.field("field_1"), person, pl.col("CustomerAccount"))),
        message=trimmed(pl.col("message")),
    )
    nameless = rows.filter(pl.col("contactid").is_null() & pl.col("key").is_null())
    if nameless.height:
        raise SourceError(
            f"line {nameless['line'][0]} names no row: its key is blank.",
            where=f"--errors {path.name}",
        )
    return rows


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
