"""New contact numbers: which counter they come from, where they begin, and the suffix of each.

A suffix is derived from seed and contactid alone: character i is the i-th byte of the MD5 of
``<seed>/<contactid>``, modulo 36, in ``A…Z0…9``. It is the same on every machine, whatever the
order or the number of threads.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypedDict

import polars as pl

from pipeline.backfill.counter import LONGEST, format_number
from pipeline.errors import ConfigurationError

ENTITY: Final = "contact"
PREFIX: Final = "CON"
FIRST: Final = 1000
SUFFIX_LENGTH: Final = 6
"""What the Sales solution begins with."""

_SIGNS: Final = string.ascii_uppercase + string.digits


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberOrigin:
    """Where numbers come from.

    ``next`` is what the counter holds, or the solution's first number; ``id`` is null without one.
    """

    prefix: str
    next: int
    suffix_length: int
    is_usable: bool = True
    id: str | None = None
    etag: str | None = None
    findings: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Code and detail."""

    @property
    def pattern(self) -> str:
        """Numbers of this prefix, upper-cased.

        The digits are the first group, nine at most (reference 3.1).
        """
        return rf"\A{re.escape(self.prefix.upper())}-([0-9]{{1,9}})(?:-.*)?\z"


class CounterRow(TypedDict):
    """A row of ``sql/backfill/counters.sql``."""

    entity: str | None
    prefix: str | None
    next: int | None
    suffix_length: int
    id: str | None
    etag: str | None


def read_origin(counters: Sequence[CounterRow]) -> NumberOrigin:
    """The counter of contacts, from ``sql/backfill/counters.sql``.

    Without a usable one, what the solution begins with.
    """
    mine = [one for one in counters if one["entity"] == ENTITY]
    if not mine:
        missing = (("counter_missing", f"{PREFIX}-{FIRST:05d}"),)
        return NumberOrigin(
            prefix=PREFIX, next=FIRST, suffix_length=SUFFIX_LENGTH, findings=missing
        )
    if len(mine) > 1:
        repeated = (("counter_repeated", str(len(mine))),)
        return NumberOrigin(
            prefix=PREFIX,
            next=FIRST,
            suffix_length=SUFFIX_LENGTH,
            is_usable=False,
            findings=repeated,
        )
    [one] = mine
    if not one["prefix"] or one["next"] is None:
        unreadable = (("counter_unreadable", ""),)
        return NumberOrigin(
            prefix=PREFIX,
            next=FIRST,
            suffix_length=SUFFIX_LENGTH,
            is_usable=False,
            findings=unreadable,
        )
    same = [
        other["next"] or 0
        for other in counters
        if other is not one and other["prefix"] == one["prefix"]
    ]
    following = max([one["next"], *same])
    shared = (("counter_prefix_shared", f"{one['prefix']}-{following:05d}"),) if same else ()
    length = int(one["suffix_length"])
    return NumberOrigin(
        prefix=one["prefix"],
        next=following,
        suffix_length=length,
        id=one["id"],
        etag=one["etag"],
        findings=shared,
    )


def choose_base(source: NumberOrigin, highest: int, count: int) -> int:
    """The first number of a preview.

    Args:
        source: the counter.
        highest: the highest number in use with its prefix, 0 without any.
        count: how many are needed.

    Raises:
        ConfigurationError: numbers would be longer than Sales and SCM let them be; nothing was
            written.
    """
    base = max(source.next, highest + 1)
    last = format_number(source.prefix, base + max(count - 1, 0), "X" * source.suffix_length)
    if len(last) > LONGEST:
        raise ConfigurationError(
            (
                f"contact numbers would go up to {last}: more than {LONGEST} characters. Set the "
                "counter's prefix or suffix length."
            ),
            where="msdynce_p2cautonumbers",
        )
    return base


def derive_suffixes(
    contactids: pl.Series, seed: str, length: int, md5: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """The suffix of each contact. ``md5`` gives 32 hexadecimal digits of each text."""
    hashes = md5(_add_seed(contactids, seed))
    signs = pl.Series(list(_SIGNS))
    parts = [
        signs.gather(hashes.str.slice(2 * place, 2).str.to_integer(base=16) % len(_SIGNS)).alias(
            str(place)
        )
        for place in range(length)
    ]
    return pl.DataFrame(parts).select(pl.concat_str(pl.all()).alias("suffix")).to_series()


def _add_seed(contactids: pl.Series, seed: str) -> pl.Series:
    return (
        contactids.to_frame("id")
        .select(pl.concat_str(pl.lit(f"{seed}/"), pl.col("id")))
        .to_series()
    )
