"""Text to the type of a destination column, the same for mapped values and for fixed ones."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, assert_never

import polars as pl

from schemas.catalogue import BOOLEANS, NO_YES, Column, ColumnKind
from schemas.text import guid_of
from schemas.values import timestamp_of

_PLAIN_AMOUNT: Final = r"^[+-]?[0-9]{1,26}(\.[0-9]*)?$"
_FALSE: Final = ("false", "no", "0")
_TRUE: Final = ("true", "yes", "1")


def _pair(values: tuple[str, ...]) -> MappingProxyType[str, str]:
    """Words of flags → the two values that a column has for them, the one of false first."""
    no, yes = values
    return MappingProxyType(dict.fromkeys(_FALSE, no) | dict.fromkeys(_TRUE, yes))


_BOOLEANS: Final = _pair(BOOLEANS)
_NO_YES: Final = _pair(NO_YES)


def needs_cast(column: Column) -> bool:
    """Whether a column holds anything but text as it stands."""
    return column.kind not in (ColumnKind.TEXT, ColumnKind.ENUM)


def is_flag(column: Column) -> bool:
    """Whether a column is of SCM's enum of flags."""
    return column.kind is ColumnKind.ENUM and column.members == NO_YES


def cast_text(value: pl.Expr, column: Column) -> pl.Expr:
    """Text as the column's type; null where it is not of that type."""
    match column.kind:
        case ColumnKind.TEXT | ColumnKind.ENUM:
            made = value
        case ColumnKind.TIMESTAMP:
            made = timestamp_of(value)
        case ColumnKind.DECIMAL:
            plain = pl.when(value.str.contains(_PLAIN_AMOUNT)).then(value)
            made = plain.cast(column.dtype, strict=False)
        case ColumnKind.INTEGER:
            made = value.cast(pl.Int32(), strict=False).cast(column.dtype)
        case ColumnKind.LONG:
            made = value.cast(column.dtype, strict=False)
        case ColumnKind.BOOLEAN:
            made = _replace(value, _BOOLEANS)
        case ColumnKind.GUID:
            made = guid_of(value)
        case _:
            assert_never(column.kind)
    return made


def name_flag(value: pl.Expr) -> pl.Expr:
    """A flag of Sales as the member of ``NoYes``; other texts stay as they are."""
    return pl.coalesce(_replace(value, _NO_YES), value)


def _replace(value: pl.Expr, words: MappingProxyType[str, str]) -> pl.Expr:
    return value.str.to_lowercase().replace_strict(
        list(words), list(words.values()), default=None, return_dtype=pl.String
    )


def is_of_type(text: str, column: Column) -> bool:
    """Whether a fixed value is of a column's type."""
    made = pl.select(cast_text(pl.lit(text, pl.String), column))
    return made.item() is not None
