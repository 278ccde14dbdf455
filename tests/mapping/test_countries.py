from __future__ import annotations

import unicodedata

import pycountry
import pytest

from pipeline.mapping.countries import find_country, load_country_codes
from pipeline.mapping.states import load_state_codes
from schemas.text import fold_text
from tests.scenes import country_names


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"), ("Great Britain", "GB"), ("england", "GB"), ("Northern Ireland", "GB"), ("EL",
        "GR"),
        ("usa", "US"), ("U.S.A.", "US"), ("U.S.", "US"), ("Vereinigte Staaten", "US"),
        ("Deutschland", "DE"),
        ("BRD", "DE"), ("日本", "JP"), ("Holland", "NL"), ("The Netherlands", "NL"),
        ("Czech Republic", "CZ"),
        ("Türkiye", "TR"), ("Turkey", "TR"), ("Ivory Coast", "CI"), ("UAE", "AE"), ("Macau", "MO"),
        ("Burma", "MM"),
        ("Swaziland", "SZ"), ("Cape Verde", "CV"), ("East Timor", "TL"), ("Kosovo", "XK"),
        ("South Korea", "KR"),
        ("DR Congo", "CD"), ("Guinea", "GN"), ("Niger", "NE"), ("Georgia", "GE"), ("Россия", "RU"),
        ("ישראל", "IL"),
        ("Danmark", "DK"), ("Irland", "IE"), ("  germany\u00a0", "DE"), ("ÖSTERREICH", "AT"),
    ],
)  # fmt: skip
def test_a_spelling_names_its_country(text: str, code: str) -> None:
    assert find_country(text) == code


@pytest.mark.parametrize(
    "text", ["", " ", "Narnia", "Congo", "Korea", "Kongo", "America", "Germny", "Yugoslavia", "ZZ"]
)
def test_what_names_no_country_or_several_has_no_match(text: str) -> None:
    assert find_country(text) is None


@pytest.mark.parametrize("country", list(pycountry.countries), ids=lambda country: country.alpha_2)
def test_every_iso_code_and_name_maps_to_its_country(country: object) -> None:
    alpha_2 = str(getattr(country, "alpha_2"))  # noqa: B009
    assert find_country(alpha_2) == alpha_2
    assert find_country(alpha_2.lower()) == alpha_2
    assert find_country(str(getattr(country, "alpha_3"))) == alpha_2  # noqa: B009


def test_every_answer_is_a_code_that_names_itself() -> None:
    assert {find_country(code) for code in load_country_codes().values()} == set(
        load_country_codes().values()
    )
    assert all(find_country(code) == code for code in load_country_codes().values())


def test_accents_may_be_one_character_or_two() -> None:
    for form in ("NFC", "NFD"):
        assert find_country(unicodedata.normalize(form, "Türkiye")) == "TR"
        assert find_country(unicodedata.normalize(form, "Österreich")) == "AT"


def test_keys_are_folded() -> None:
    assert all(fold_text(key) == key for key in load_country_codes())


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        ("US", "Washington", "WA"), ("US", "wa", "WA"), ("US", "US-WA", "WA"), ("DE", "Bayern",
        "BY"),
        ("de", "by", "BY"), ("ES", "Catalunya", "CT"), ("ES", "Cataluña", "CT"), ("CH", "Zürich",
        "ZH"),
        ("CA", "Quebec", "QC"), ("AU", "New South Wales", "NSW"),
    ],
)  # fmt: skip
def test_a_state_has_the_code_behind_the_dash(country: str, text: str, code: str) -> None:
    assert load_state_codes(country)[fold_text(text)] == code


def test_a_state_of_another_country_or_none_has_no_code() -> None:
    assert "washington" not in load_state_codes("DE")
    assert load_state_codes("ZZ") == {}


def test_every_state_code_maps_to_itself() -> None:
    for division in pycountry.subdivisions:
        short = division.code.partition("-")[2]
        assert load_state_codes(division.country_code)[fold_text(short)] == short


def test_the_shipped_names_are_those_of_iso_and_the_unicode_cldr() -> None:
    made = country_names.render(country_names.list_country_names())
    assert country_names.FILE.read_text(encoding="utf-8") == made


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [
        ("ES", "Illes Balears", "IB"),  # A region wins over its province of the same name.
        ("ES", "Badajoz", "BA"),
        ("GB", "Dumfries and Galloway", "DGY"),
        ("BE", "Antwerpen", "VAN"),
    ],
)
def test_a_region_wins_over_its_province_and_a_province_alone_is_found(
    country: str, name: str, code: str
) -> None:
    assert load_state_codes(country)[fold_text(name)] == code
