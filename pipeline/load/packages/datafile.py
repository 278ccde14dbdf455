"""The data file of a package: CSV-Unicode, as Data management reads it (reference C.5, C.6).

UTF-16LE with byte order mark, comma, CRLF row ends. The header row is upper case and not quoted
(its names are plain). Text cells are quoted, inner quotes doubled; numbers and timestamps are not
quoted; a null is an empty cell without quotes, and an empty text is an empty cell between quotes.
On demand, only the columns are quoted that have a text with a comma or a quote.
Decimals are plain, without trailing zeros; timestamps are UTC in whole seconds,
``2154-12-31T23:59:59Z``.
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, Final

import polars as pl
import polars.selectors as cs

from pipeline.load.packages.manifest import format_field_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_ROW_END: Final = "\r\n"
_LINE_BREAKS: Final = ["\r", "\n"]
_QUOTE: Final = '"'
_DELIMITER: Final = ","
_ROWS_AT_ONCE: Final = 16_384


def find_qualified(rows: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """The columns whose texts can only be carried between quotes."""
    return _find_texts_with(rows.select(columns), [_QUOTE, _DELIMITER])


def build_data_file(
    rows: pl.DataFrame, columns: Sequence[str], qualified: Collection[str] | None = None
) -> bytes:
    """The rows as the bytes of one data file, in their order.

    Args:
        rows: the rows of a batch.
        columns: the columns of the package.
        qualified: the columns whose texts stand between quotes; null: all.

    Raises ``ValueError`` naming the column (never the value) for a text with a line break, a
    missing column, or a column of another type than String, Decimal, integer and Datetime; and for
    a row without any value, which readers would skip.
    """
    missing = [column for column in columns if column not in rows.columns]
    if missing:
        raise ValueError(
            f"the rows lack {len(missing)} of the package's columns: {', '.join(missing)}"
        )
    chosen = rows.select(columns)
    special = _find_texts_with(chosen, [_QUOTE, *_LINE_BREAKS])
    _refuse_line_breaks(chosen.select(special))
    _refuse_lost_rows(chosen)
    header = _DELIMITER.join(map(format_field_name, columns)) + _ROW_END
    quoted = frozenset(columns if qualified is None else qualified)
    body = (_encode(part, special, quoted) for part in chosen.iter_slices(_ROWS_AT_ONCE))
    return b"".join((codecs.BOM_UTF16_LE, header.encode("utf-16-le"), *body))


def _encode(rows: pl.DataFrame, texts_with_quotes: list[str], quoted: frozenset[str]) -> bytes:
    cells = rows.select(
        pl.col(name)
        if dtype == pl.String and name not in quoted
        else _render_cell(name, dtype, has_quote=name in texts_with_quotes)
        for name, dtype in rows.schema.items()
    )
    body = io.BytesIO()  # writing to a string is four times slower
    cells.write_csv(body, include_header=False, quote_style="never", line_terminator=_ROW_END)
    return str(body.getbuffer(), "utf-8").encode("utf-16-le")


def _refuse_line_breaks(rows: pl.DataFrame) -> None:
    broken = _find_texts_with(rows, _LINE_BREAKS)
    if broken:
        raise ValueError(
            f"a text holds a line break, which a data file cannot carry: column {', '.join(broken)}"
        )


def _refuse_lost_rows(rows: pl.DataFrame) -> None:
    if rows.select(pl.all_horizontal(pl.all().is_null()).any()).item():
        raise ValueError("a row has no value in any column; it would be lost on the way")


def _find_texts_with(rows: pl.DataFrame, characters: list[str]) -> list[str]:
    """The text columns in which any of the characters occurs."""
    found = rows.select(cs.string().str.contains_any(characters).any())
    return [column.name for column in found if column.item()]


def _render_cell(column: str, dtype: pl.DataType, *, has_quote: bool) -> pl.Expr:
    value = pl.col(column)
    if dtype == pl.String:
        inner = value.str.replace_all(_QUOTE, 2 * _QUOTE, literal=True) if has_quote else value
        return pl.concat_str(pl.lit(_QUOTE), inner, pl.lit(_QUOTE)).alias(column)
    if isinstance(dtype, pl.Decimal):
        plain = value.cast(pl.String)
        return plain.str.strip_chars_end("0").str.strip_chars_end(".") if dtype.scale else plain
    if isinstance(dtype, pl.Datetime):
        in_utc = value.dt.convert_time_zone("UTC") if dtype.time_zone else value
        return in_utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    if dtype.is_integer() or dtype == pl.Null:
        return value.cast(pl.String)
    raise ValueError(
        f"column {column} is {dtype}: a data file holds String, Decimal, integers and Datetime"
    )
