"""Values that findings may name, because they are no personal data.

Business units, states, countries, currencies, labels of choices, and what SCM's lists lack.
A column can hold anything where an export went wrong. So a value counts as one of a list only where
several contacts have it, and it looks like a word of one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from schemas.catalogue import Type
from schemas.sales import CONTACTS
from schemas.text import WHITE_SPACE, parse_guid

UNIT: Final = "owningbusinessunit"

CODES: Final = (
    "legal_entity_unmapped",
    "currency_not_found",
    "value_not_mapped",
    "country_unknown",
    "state_unknown",
    "value_not_allowed",
    "reference_not_in_scm",
)
"""Codes about values of lists, whatever the column."""

_CHOICES: Final = tuple(
    one.name for one in CONTACTS.fields if one.type in (Type.CHOICE, Type.TWO_OPTIONS)
)
"""Columns of choices: what cannot be read there is a label."""

_SHARED: Final = 2
"""So many contacts have a value that is shown."""
_LONGEST: Final = 40
_PRIVATE: Final = re.compile(r"@|//|\d.*\d.*\d.*\d.*\d")
"""Mail and web addresses, and what has as many digits as a phone number."""

Place = tuple[str, str, str]
"""Code, source column, destination column; blank where there is none."""


def count_values(findings: pl.DataFrame) -> Counter[tuple[Place, str]]:
    """How often findings of lists have each value; a blank counts as a blank text."""
    listed = pl.col("code").is_in(CODES) | (
        (pl.col("code") == "value_unreadable") & pl.col("column").is_in(_CHOICES)
    )
    rows = (
        findings.filter(listed)
        .select("code", pl.col("column", "destination", "value").fill_null(""))
        .group_by("code", "column", "destination", "value")
        .len()
    )
    return Counter(
        {
            ((code, column, destination), value): count
            for code, column, destination, value, count in rows.iter_rows()
        }
    )


def name_units(counted: Mapping[str, int], names: Mapping[str, str]) -> Counter[str]:
    """Business units by name; those without a name stay as they are.

    Args:
        counted: business unit, as contacts spell it → contacts.
        names: id or name → name.
    """
    named: Counter[str] = Counter()
    for unit, rows in counted.items():
        named[names.get(parse_guid(unit) or unit.strip(WHITE_SPACE), unit)] += rows
    return named


def choose_shown(counted: Mapping[str, int], known: Collection[str] = ()) -> dict[str, int]:
    """The values that may be shown, most frequent first.

    Args:
        counted: value → contacts.
        known: values that may be shown whoever has them, besides the blank.
    """
    shown = {
        value: rows
        for value, rows in counted.items()
        if not value or value in known or (rows >= _SHARED and is_word(value))
    }
    return dict(sorted(shown.items(), key=lambda one: (-one[1], one[0])))


def is_word(value: str) -> bool:
    """Whether a value looks like a word of a list: an id, or a short text that is no address."""
    if parse_guid(value) is not None:
        return True
    return len(value) <= _LONGEST and _PRIVATE.search(value) is None
