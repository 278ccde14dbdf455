"""Every spelling of a country that p2c knows, and the one ISO 3166-1 code that it means.

Matching is exact, after ``fold_text``, and never fuzzy: a wrong country is worse than a rejected
row. There are three ranks of spellings, and the first that knows a spelling wins: our own map
(``templates/countries.toml``), the ISO codes, and names (ISO's own, and those of the Unicode CLDR
in 26 languages). A name that means two countries has no match. Codes and names are collected in
``templates/country_names.tsv``.
"""

from __future__ import annotations

import tomllib
import unicodedata
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline.templates import read_shipped
from schemas.text import fold_text

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def load_country_codes() -> Mapping[str, str]:
    """Folded spelling → ISO 3166-1 alpha-2 code."""
    own, ambiguous = _read_own_spellings()
    lines = read_shipped("country_names", ".tsv").splitlines()
    known = {
        spelling: code
        for spelling, _, code in (line.partition("\t") for line in lines)
        if spelling not in ambiguous
    }
    return MappingProxyType({**known, **own})


def find_country(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of the country that ``text`` names exactly.

    Null when it names none, or several.
    """
    return load_country_codes().get(fold_text(text))


def fold_forms(text: str) -> set[str]:
    """``text`` as a look-up key, with its accents as one character and as two.

    Both look the same to who types them.
    """
    return {
        fold_text(unicodedata.normalize("NFC", text)),
        fold_text(unicodedata.normalize("NFD", text)),
    }


def _read_own_spellings() -> tuple[dict[str, str], set[str]]:
    shipped = tomllib.loads(read_shipped("countries"))
    own = {
        key: code
        for code, names in shipped["names"].items()
        for name in names
        for key in fold_forms(name)
    }
    return own, {key for name in shipped["ambiguous"] for key in fold_forms(name)}
