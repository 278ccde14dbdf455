"""What SCM has under the keys of planned rows.

Asked after lost answers, for rows that nobody looked up yet, and before an update.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from pipeline.errors import AnswerUnreadable
from pipeline.scm.literals import COMPANY, quote_text
from pipeline.scm.normal import normalize
from pipeline.wire.scm import Scm, ScmRow
from schemas.catalogue import Column, Entity
from schemas.text import key_of

KEY: Final = "destination_key"
ETAG: Final = "@odata.etag"
_KEYS_AT_ONCE: Final = 20
"""Keys in one ``$filter``: F&O has no ``in``, and web servers accept queries of about 2,000
characters."""


def find_rows(
    scm: Scm, entity: Entity, columns: Sequence[str], rows: pl.DataFrame, *extra: str
) -> pl.DataFrame:
    """SCM's rows under the keys of these planned rows, all of one legal entity.

    Args:
        scm: where to look.
        entity: what to look at.
        columns: destination columns to read in addition to the key.
        rows: legal_entity, destination_key and the key columns.
        extra: what SCM says of rows without being asked: ``ETAG``.

    Returns:
        One row for each row that is there: destination_key as planned, the columns and the extra
            ones, all as text.

    Raises:
        Stopped: SCM cannot be reached, or does not say an extra one.
    """
    names = list(dict.fromkeys([*entity.key, *columns]))
    schema = dict.fromkeys([COMPANY, *names, *extra], pl.String)
    got = [
        _to_text(row, schema)
        for part in rows.iter_slices(_KEYS_AT_ONCE)
        for row in _read_rows(scm, entity, names, part)
    ]
    there = pl.DataFrame(got, schema=schema)
    for name in extra:
        if there[name].null_count():
            raise AnswerUnreadable(
                f"answered {entity.odata_set} with a row that lacks {name}. Run the same command "
                "again to continue.",
                where=scm.label,
            )
    keys = [COMPANY, *entity.key]
    planned = rows.select(KEY, pl.col("legal_entity").alias(COMPANY), *entity.key).with_columns(
        _fold(keys)
    )
    return (
        planned.select(KEY, *(f"={name}" for name in keys))
        .join(
            there.with_columns(_fold(keys)),
            on=[f"={name}" for name in keys],
            how="inner",
            maintain_order="left",
        )
        .unique(KEY, keep="first", maintain_order=True)
        .select(KEY, *names, *extra)
    )


def _fold(keys: Sequence[str]) -> list[pl.Expr]:
    """Keys as SCM compares them."""
    return [key_of(pl.col(name)).alias(f"={name}") for name in keys]


def _read_rows(
    scm: Scm, entity: Entity, names: Sequence[str], part: pl.DataFrame
) -> Iterator[ScmRow]:
    keys = " or ".join(
        "("
        + " and ".join(
            f"{name} eq {quote_text(value)}" for name, value in zip(entity.key, values, strict=True)
        )
        + ")"
        for values in part.select(entity.key).iter_rows()
    )
    area = quote_text(part["legal_entity"][0])
    for page in scm.pages(
        entity.odata_set,
        filter=f"{COMPANY} eq {area} and ({keys})",
        select=",".join([COMPANY, *names]),
    ):
        yield from page


def _to_text(row: ScmRow, schema: Iterable[str]) -> dict[str, str | None]:
    return {name: None if row.get(name) is None else str(row[name]) for name in schema}


def find_equal_keys(
    sent: pl.DataFrame, there: pl.DataFrame, columns: Mapping[str, Column]
) -> set[str]:
    """The keys under which SCM has exactly what was sent, whatever either calls blank.

    A column without a value that keeps what SCM has was not sent.
    """
    own = sent.select(
        KEY,
        *(normalize(pl.col(name), column).alias(name) for name, column in columns.items()),
        *(
            pl.col(name).is_null().alias(f"unsent:{name}")
            for name, column in columns.items()
            if column.keeps
        ),
    )
    theirs = there.select(
        KEY,
        *(normalize(pl.col(name), column).alias(f"scm:{name}") for name, column in columns.items()),
    )
    both = own.join(theirs, on=KEY, how="inner")
    equal = pl.all_horizontal(
        pl.lit(value=True), *(_is_equal(name, column) for name, column in columns.items())
    )
    return set(both.filter(equal)[KEY])


def _is_equal(name: str, column: Column) -> pl.Expr:
    equal = pl.col(name).eq_missing(pl.col(f"scm:{name}"))
    return equal | pl.col(f"unsent:{name}") if column.keeps else equal
