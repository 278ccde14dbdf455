"""One meaning of blank, length and equal, given to both engines.

Polars and DuckDB differ (one trims tabs, the other does not; both count an emoji as 1 where SCM's
columns count 2), so each rule stands twice and means one thing: here as a Polars expression, in
``sql/text.sql`` as a DuckDB macro of the same name. A property test feeds both the same strings.

* white space: the Unicode ``White_Space`` characters, the four ASCII separators, zero-width space
  and byte order mark;
* blank: null, or nothing but white space;
* length: UTF-16 code units, as SCM's ``nvarchar`` columns count; never cut inside a surrogate pair;
* key: trimmed and ASCII-upper-cased; used for comparing, never sent;
* GUID: read in any case, with or without braces; kept as 36 lower-case characters. The one of
  nothing but zeros stands for none: programs write it where there is no id.
"""

from __future__ import annotations

import re
import string
from typing import Final

import polars as pl

WHITE_SPACE: Final = "".join(
    chr(point)
    for point in (
        *range(0x09, 0x0E),
        *range(0x1C, 0x21),
        0x85,
        0xA0,
        0x1680,
        *range(0x2000, 0x200C),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
        0xFEFF,
    )
)
"""Characters that a value is trimmed of, at both ends."""

GUID: Final = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""A GUID without braces, as a pattern that Python, Polars, Arrow and DuckDB read alike."""

WRITTEN_GUID: Final = rf"(?:{GUID}|\{{{GUID}\}})"

NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
"""What programs write where there is no id."""

_ASTRAL: Final = r"[\x{10000}-\x{10FFFF}]"


def trimmed(value: pl.Expr) -> pl.Expr:
    """The value without white space at its ends; null when nothing is left."""
    stripped = value.str.strip_chars(WHITE_SPACE)
    return pl.when(stripped != "").then(stripped)


def utf16_length(value: pl.Expr) -> pl.Expr:
    """Length in UTF-16 code units, null for null."""
    return value.str.len_chars() + value.str.count_matches(_ASTRAL)


def key_of(value: pl.Expr) -> pl.Expr:
    """The form in which keys are compared: trimmed, ASCII letters upper-cased."""
    return trimmed(value).str.replace_many(
        list(string.ascii_lowercase), list(string.ascii_uppercase)
    )


def guid_of(value: pl.Expr) -> pl.Expr:
    """A GUID as it is kept: 36 lower-case characters; null for what is none."""
    written = trimmed(value)
    kept = written.str.strip_chars("{}").str.to_lowercase()
    is_id = written.str.contains(f"^{WRITTEN_GUID}$") & (kept != NO_GUID)
    return pl.when(is_id).then(kept)


def parse_guid(text: str) -> str | None:
    """What ``guid_of`` makes of one text."""
    written = text.strip(WHITE_SPACE)
    kept = written.strip("{}").lower()
    return kept if re.fullmatch(WRITTEN_GUID, written) and kept != NO_GUID else None


def is_plain_key(text: str) -> bool:
    """Whether a text looks like a key: in a contact number's place there may be a name instead."""
    return re.fullmatch(r"(?=.*[0-9])[A-Za-z0-9_.-]{1,20}", text) is not None


def truncate(texts: pl.Series, lengths: pl.Series) -> pl.Series:
    """The longest prefix of each text of at most so many UTF-16 code units, trimmed at its end.

    It ends between characters, never inside one; null when nothing is left.
    """
    text, length = pl.col("text"), pl.col("length")
    frame = pl.DataFrame([texts.alias("text"), lengths.alias("length")])
    made = frame.select_seq(
        short=trimmed(text.str.slice(0, length)),
        uneven=(text.str.contains(_ASTRAL) & (utf16_length(text) > length)).fill_null(value=False),
    )
    if not made["uneven"].any():
        return made["short"]
    rows = made["uneven"].arg_true()
    exact = pl.DataFrame({"text": [cut_text(*one) for one in frame[rows].rows()]})
    return made["short"].scatter(rows, exact.select_seq(trimmed(text)).to_series())


def cut_text(text: str, length: int) -> str:
    """``text`` cut to at most ``length`` UTF-16 code units, never inside a surrogate pair."""
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * length]
    return units.decode("utf-16-le", "ignore")


def fold_text(text: str) -> str:
    """The form in which value-map keys and country names match: trimmed and casefolded."""
    return text.strip(WHITE_SPACE).casefold()
