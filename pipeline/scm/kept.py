"""What SCM shows of a row that it has just written, compared with what was sent. Pure.

SCM spells some values in its own way, and they are equal: what ``normalize`` calls equal, codes and
mail addresses in any case, postal codes with or without spaces, phone numbers by their digits and
letters, web addresses with or without a slash at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import polars as pl

from pipeline.mapping.references import REFERENCES
from pipeline.scm.literals import encode_value
from pipeline.scm.lookup import KEY
from pipeline.scm.normal import normalize
from schemas.catalogue import Column, ColumnKind

SentRow: TypeAlias = Mapping[str, Any]
ShownRecord: TypeAlias = Mapping[str, Any]
"""A record as JSON: the columns that SCM shows of it."""

_PHONE: Final = re.compile(r"(Phone|Fax)(Number)?")
_LOCATION: Final = re.compile(r"(Email(Address)?|URL)")
_CONTACT: Final = re.compile(r"Primary(Contact)?(?=[A-Z])")


def find_changed_columns(
    rows: Mapping[str, tuple[SentRow, ShownRecord]], columns: Mapping[str, Column]
) -> dict[str, tuple[str, ...]]:
    """The columns in which SCM shows another value than was sent, by the row's key.

    Args:
        rows: key → the row as it was sent, and the record that SCM shows of it. A column that the
            record lacks says nothing. Neither does one that was sent blank: SCM has defaults.
        columns: what was sent.
    """
    unequal = {
        key: [one for one in columns.values() if _may_differ(one, sent, shown)]
        for key, (sent, shown) in rows.items()
    }
    names = {one.name for found in unequal.values() for one in found}
    doubtful = [key for key, found in unequal.items() if found]
    differing = {
        name: _find_different(columns[name], doubtful, rows) for name in columns if name in names
    }
    changed = {
        key: tuple(one.name for one in unequal[key] if key in differing[one.name])
        for key in doubtful
    }
    return {key: found for key, found in changed.items() if found}


def _may_differ(column: Column, sent: SentRow, shown: ShownRecord) -> bool:
    """Whether the record has a column that was filled, and not exactly as it was sent."""
    name, value = column.name, sent[column.name]
    if column.key or name not in shown or value in (None, ""):
        return False
    return bool(shown[name] != encode_value(column, value))


def _find_different(
    column: Column, keys: list[str], rows: Mapping[str, tuple[SentRow, ShownRecord]]
) -> set[str]:
    """The keys of rows whose column differs, whatever SCM calls the same."""
    name = column.name
    sent = pl.Series("sent", [rows[key][0][name] for key in keys])
    shown = [rows[key][1].get(name, rows[key][0][name]) for key in keys]
    theirs = pl.Series("shown", [None if one is None else str(one) for one in shown], pl.String)
    sides = pl.DataFrame([pl.Series(KEY, keys), sent, theirs]).with_columns(
        _loosen(normalize(pl.col(side), column), column) for side in ("sent", "shown")
    )
    return set(sides.filter(pl.col("sent").ne_missing(pl.col("shown")))[KEY])


def _loosen(value: pl.Expr, column: Column) -> pl.Expr:
    """A value without what SCM may spell in its own way."""
    if column.kind is not ColumnKind.TEXT:
        return value
    lowered, what = value.str.to_lowercase(), _CONTACT.sub("", column.name)
    if _PHONE.fullmatch(what):
        return lowered.str.replace_all(r"[^\pL\pN]", "")
    if column.name.endswith("ZipCode"):
        return lowered.str.replace_all(r"[\s-]", "")
    if _LOCATION.fullmatch(what):
        return lowered.str.strip_chars_end("/")
    is_code = column.name in REFERENCES or column.name.endswith(("Id", "Code", "Number"))
    return lowered if is_code else value
