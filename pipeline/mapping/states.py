"""Names and codes of a country's states and regions, and the ISO 3166-2 code that each means."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import pycountry

from pipeline.mapping.countries import fold_forms
from schemas.text import fold_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class _Division(Protocol):
    """A subdivision of pycountry's, as far as it is read."""

    code: str
    name: str
    parent_code: str | None


@cache
def load_state_codes(country: str) -> Mapping[str, str]:
    """Folded name or code → the ISO 3166-2 code behind its dash, within one country (alpha-2).

    ``US``: ``washington``, ``wa`` and ``us-wa`` → ``WA``. Codes win over names; a name that two
    subdivisions share is left out, unless only one of them stands at the top level (a region wins
    over its province of the same name). A country without subdivisions, or no country at all, has
    no entries.
    """
    find: Callable[..., list[_Division] | None] = pycountry.subdivisions.get
    divisions = sorted(
        find(country_code=country.upper()) or [],
        key=lambda division: str(division.code),
    )
    meanings: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for division in divisions:
        for name in _split_names(division):
            for key in fold_forms(name):
                meanings[key][_shorten(division)] = division.parent_code is None
    names = {
        key: code for key, codes in meanings.items() if (code := _choose_one(codes)) is not None
    }
    codes = {
        fold_text(spelling): _shorten(one)
        for one in divisions
        for spelling in (one.code, _shorten(one))
    }
    return MappingProxyType({**names, **codes})


def _choose_one(codes: Mapping[str, bool]) -> str | None:
    top = [code for code, at_top in codes.items() if at_top]
    candidates = top or list(codes)
    return candidates[0] if len(candidates) == 1 else None


def _split_names(division: _Division) -> Iterator[str]:
    """The whole name, and each name that ISO joins by slash or semicolon or puts in brackets."""
    name = str(division.name)
    yield name
    yield from (part for part in re.split(r"[\[\]/;]", name) if part.strip())


def _shorten(division: _Division) -> str:
    return str(division.code).partition("-")[2]
