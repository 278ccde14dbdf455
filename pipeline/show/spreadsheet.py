"""CSV that is safe to open in a spreadsheet, and can be read back.

A cell that would be a formula gets an apostrophe in front.

UTF-8 with byte order mark, comma, CRLF, every cell quoted: what Excel opens with the right letters
in every country.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.run.files import atomic
from pipeline.show.visible_frame import make_frame_visible

_FORMULA: Final = r"[\s'\p{C}]*[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""What a spreadsheet could take for the start of a formula, full-width signs included, after what
it skips."""

_DANGEROUS: Final = f"^{_FORMULA}"
_DEFUSED: Final = f"^'{_FORMULA}"


def defuse(value: pl.Expr) -> pl.Expr:
    """Put an apostrophe before whatever a spreadsheet could take for a formula."""
    return (
        pl.when(value.str.contains(_DANGEROUS))
        .then(pl.lit("'") + value)
        .otherwise(value)
        .name.keep()
    )


def restore(value: pl.Expr) -> pl.Expr:
    """The text from before ``defuse``."""
    return (
        pl.when(value.str.contains(_DEFUSED)).then(value.str.slice(1)).otherwise(value).name.keep()
    )


def write_csv(path: Path, parts: Iterable[pl.DataFrame], *, visible: bool = False) -> int:
    """Write frames of one schema as one file, completely or not at all; the number of rows.

    Args:
        path: the file.
        parts: its rows.
        visible: show control characters; such a file is not for reading back.

    Raises:
        Stopped: the disk failed.
    """
    rows = 0
    with atomic(path) as file:
        for number, part in enumerate(parts):
            shown = make_frame_visible(part) if visible else part
            file.write(_encode(shown, header=number == 0))
            rows += part.height
    return rows


def _encode(part: pl.DataFrame, *, header: bool) -> bytes:
    safe = part.with_columns(
        defuse(pl.col(name)) for name, dtype in part.schema.items() if dtype == pl.String
    )
    buffer = io.BytesIO()
    safe.write_csv(
        buffer,
        include_header=header,
        include_bom=header,
        quote_style="always",
        line_terminator="\r\n",
    )
    return buffer.getvalue()
