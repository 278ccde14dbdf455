"""Every spelling of a country that p2c knows, and the one ISO 3166-1 code that it means.

Matching is exact, after ``fold_text``, and never fuzzy: a wrong country is worse than a rejected
row. There are three ranks of spellings, and the first that knows a spelling wins: our own map
(``templates/countries.toml``), the ISO codes, and names (ISO's own, and those of the Unicode CLDR
in the languages below). A name that means two countries has no match.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections import defaultdict
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pycountry
from babel import Locale

from pipeline.templates import read_shipped
from schemas.text import fold_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LANGUAGES: Final = (
    "en", "de", "fr", "es", "it", "nl", "da", "sv", "nb", "fi", "pl", "pt", "cs", "sk", "hu", "ro",
    "tr", "ru", "uk",
    "el", "ja", "zh", "zh_Hant", "ko", "ar", "he",
)  # fmt: skip
"""Languages whose names of countries are known."""


@cache
def load_country_codes() -> Mapping[str, str]:
    """Folded spelling → ISO 3166-1 alpha-2 code."""
    own, ambiguous = _read_own_spellings()
    known = _keep_unambiguous(_list_names())
    for spelling in ambiguous:
        known.pop(spelling, None)
    return MappingProxyType({**known, **_keep_unambiguous(_list_codes()), **own})


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


def _list_codes() -> Iterator[tuple[str, str]]:
    for country in pycountry.countries:
        yield country.alpha_2, country.alpha_2
        yield country.alpha_3, country.alpha_2


def _list_names() -> Iterator[tuple[str, str]]:
    iso = set()
    for country in pycountry.countries:
        iso.add(country.alpha_2)
        for kind in ("name", "official_name", "common_name"):
            if name := getattr(country, kind, None):
                yield name, country.alpha_2
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if code in iso:
                yield name, code


def _read_own_spellings() -> tuple[dict[str, str], set[str]]:
    shipped = tomllib.loads(read_shipped("countries"))
    own = {
        key: code
        for code, names in shipped["names"].items()
        for name in names
        for key in fold_forms(name)
    }
    return own, {key for name in shipped["ambiguous"] for key in fold_forms(name)}


def _keep_unambiguous(spellings: Iterable[tuple[str, str]]) -> dict[str, str]:
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for spelling, code in spellings:
        for key in fold_forms(spelling):
            meanings[key].add(code)
    return {key: codes.pop() for key, codes in meanings.items() if len(codes) == 1}
