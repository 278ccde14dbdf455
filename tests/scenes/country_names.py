"""``python -m tests.scenes.country_names``: write ``pipeline/templates/country_names.tsv``.

ISO's names of countries (pycountry) and those of the Unicode CLDR (babel), which take half a second
to collect, so plans read them from the file. A test holds the file against this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pycountry
from babel import Locale

from pipeline import templates
from pipeline.mapping.countries import fold_forms

LANGUAGES: Final = (
    "en", "de", "fr", "es", "it", "nl", "da", "sv", "nb", "fi", "pl", "pt", "cs", "sk", "hu", "ro",
    "tr", "ru", "uk",
    "el", "ja", "zh", "zh_Hant", "ko", "ar", "he",
)  # fmt: skip
"""Languages whose names of countries are known."""

FILE: Final = Path(str(templates.__file__)).with_name("country_names.tsv")


def list_country_names() -> dict[str, str]:
    """Folded spelling → ISO 3166-1 alpha-2 code.

    A name that means two countries is left out; an ISO code means its own country.
    """
    return {**_keep_unambiguous(_list_names()), **_keep_unambiguous(_list_codes())}


def render(names: dict[str, str]) -> str:
    """The file's text: spelling, tab, code; a line each, in order."""
    return "".join(f"{spelling}\t{code}\n" for spelling, code in sorted(names.items()))


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


def _keep_unambiguous(spellings: Iterable[tuple[str, str]]) -> dict[str, str]:
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for spelling, code in spellings:
        for key in fold_forms(spelling):
            meanings[key].add(code)
    return {key: codes.pop() for key, codes in meanings.items() if len(codes) == 1}


if __name__ == "__main__":
    FILE.write_text(render(list_country_names()), encoding="utf-8")
