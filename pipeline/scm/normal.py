"""One form for values that SCM and a plan write differently but that mean the same.

SCM has no null: empty text, 0, the date 1900-01-01 and an enum's default (its first member) are
its blanks.

* text: trimmed; every run of line breaks and tabs is one space, as in a package; empty is blank;
* enums: a member's name in any case, or its number; the first member is blank;
* integers and decimals: as numbers, six places at most, 0 is blank; other text stays as it is;
* timestamps: UTC, whole seconds; 1900-01-01 is blank;
* booleans in lower case, false is blank; GUIDs in lower case, the one of zeros is blank;
* keys: in ASCII upper case, as SCM stores them.
"""

from __future__ import annotations

from typing import Final, assert_never

import polars as pl

from pipeline.scm.literals import NO_GUID
from schemas.catalogue import BOOLEANS, Column, ColumnKind
from schemas.text import key_of, trimmed

_NO_DATE: Final = "1900-01-01 00:00:00"
_PLACES: Final = 6
_DECIMAL: Final = pl.Decimal(38, 12)


def normalize(value: pl.Expr, column: Column) -> pl.Expr:
    """A column's values in the one form, as text; null is blank."""
    text = trimmed(value.cast(pl.String))
    match column.kind:
        case ColumnKind.TEXT:
            made = _normalize_text(value, column)
        case ColumnKind.ENUM:
            made = _normalize_member(text, column, blank=True)
        case ColumnKind.INTEGER | ColumnKind.LONG | ColumnKind.DECIMAL:
            made = _normalize_number(text)
        case ColumnKind.TIMESTAMP:
            made = _normalize_time(text)
        case ColumnKind.BOOLEAN:
            made = _normalize_word(text, BOOLEANS[0])
        case ColumnKind.GUID:
            made = _normalize_word(text, NO_GUID)
        case _:
            assert_never(column.kind)
    return made


def _normalize_text(value: pl.Expr, column: Column) -> pl.Expr:
    text = trimmed(value.cast(pl.String).str.replace_all(r"[\r\n\t]+", " "))
    if column.members:
        return _normalize_member(text, column, blank=False)
    return key_of(text) if column.key else text


def _normalize_member(text: pl.Expr, column: Column, *, blank: bool) -> pl.Expr:
    """The member's name.

    A text that SCM reads like an enum has neither numbers nor a blank of its own.
    """
    names = {name.lower(): name for name in column.members}
    if blank:
        names |= {str(number): name for number, name in enumerate(column.members)}
    lowered = text.str.to_lowercase()
    found = lowered.replace_strict(names, default=None, return_dtype=pl.String)
    name = pl.coalesce(found, text)
    return pl.when(name != column.members[0]).then(name) if blank else name


def _normalize_word(text: pl.Expr, blank: str) -> pl.Expr:
    """A word whose case means nothing; one stands for a blank."""
    word = text.str.to_lowercase()
    return pl.when(word != blank).then(word)


def _normalize_number(text: pl.Expr) -> pl.Expr:
    """Numbers in plain decimals; what is not a number stays text."""
    exact = text.cast(_DECIMAL, strict=False)
    rough = text.cast(pl.Float64, strict=False).round(_PLACES).cast(_DECIMAL, strict=False)
    number = pl.coalesce(exact, rough).round(_PLACES)
    plain = number.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(number.is_null()).then(text).when(number != 0).then(plain)


def _normalize_time(text: pl.Expr) -> pl.Expr:
    """Times in one spelling; what is not a time stays text."""
    zoned = text.str.replace("T", " ").str.replace(r"(\.[0-9]+)?(Z|[+-]00:?00)?$", "")
    dated = (
        pl.when(zoned.str.contains(r"^\d{4}-\d{2}-\d{2}$"))
        .then(zoned + " 00:00:00")
        .otherwise(zoned)
    )
    return pl.when(dated != _NO_DATE).then(dated)
