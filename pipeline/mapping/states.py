"""Names and codes of the states, provinces and regions of a country, and the ISO 3166-2 code that each means."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pycountry

from pipeline.mapping.countries import forms
from schemas.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@cache
def state_codes(country: str) -> Mapping[str, str]:
    """Folded name or code → the part of the ISO 3166-2 code behind the dash, within one country (alpha-2).

    ``US``: ``washington``, ``wa`` and ``us-wa`` → ``WA``. Codes win over names; a name that two
    subdivisions share is left out, unless only one of them stands at the top level (a region wins
    over its province of the same name). A country without subdivisions, or no country at all, has
    no entries.
    """
    iso: Any = pycountry.subdivisions
    divisions = sorted(
        iso.get(country_code=country.upper()) or [], key=lambda division: str(division.code)
    )
    meanings: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for division in divisions:
        for name in _names(division):
            for key in forms(name):
                meanings[key][_short(division)] = division.parent_code is None
    names = {key: code for key, codes in meanings.items() if (code := _one(codes)) is not None}
    codes = {
        fold(spelling): _short(one) for one in divisions for spelling in (one.code, _short(one))
    }
    return MappingProxyType({**names, **codes})


def _one(codes: Mapping[str, bool]) -> str | None:
    top = [code for code, at_top in codes.items() if at_top]
    candidates = top or list(codes)
    return candidates[0] if len(candidates) == 1 else None


def _names(division: Any) -> Iterator[str]:
    """The name whole, and each of the names that ISO joins by a slash or a semicolon or sets in brackets."""
    name = str(division.name)
    yield name
    yield from (part for part in re.split(r"[\[\]/;]", name) if part.strip())


def _short(division: Any) -> str:
    return str(division.code).partition("-")[2]
