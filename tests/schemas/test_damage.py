"""Texts that a tool damaged are known, and texts that only look so are left alone."""

# ruff: noqa: RUF001

from __future__ import annotations

import polars as pl
import pytest

from schemas.damage import DAMAGED_SIGNS, DAMAGED_TEXT, SIGNS_OF_DAMAGE, count_damaged
from sql.session import session


def _read(content: bytes, page: str) -> str:
    """Bytes as a code page; those that have no sign there are kept, as browsers do."""
    return "".join(
        byte.decode(page, "ignore") or byte.decode("latin-1")
        for byte in (bytes([one]) for one in content)
    )


def _misread(text: str, page: str = "cp1252") -> str:
    """UTF-8 read as a code page."""
    return _read(text.encode(), page)


def test_text_that_was_read_with_a_wrong_code_page_is_known() -> None:
    signs = [*map(chr, range(0xA0, 0x100)), *"–—‘’“”„†•…‰‹›"]
    texts = pl.Series([*(_misread(f"ab{sign}cd") for sign in signs), "Gar\ufffdon"])
    assert texts.filter(~texts.str.contains(DAMAGED_TEXT)).to_list() == []


def test_text_that_only_looks_damaged_is_text() -> None:
    texts = pl.Series(
        [
            "SÃO PAULO", "MÃE", "Ã", "JOÃO-MARIA", "“AMANHÔ", "«AMANHû", "AMANHÃ…", "AMANHÃ—HOJE",
            "AMANHÃ\u00a0NÃO", "ROMÂNIA", "CHÂTEAU", "Âge", "Ân", "SABÃ®", "bâ €", "5€", "Müller",
            "Ž", "â", "ÂÃ",
        ]
    )  # fmt: skip
    assert texts.filter(texts.str.contains(DAMAGED_TEXT)).to_list() == []


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("Łukasz Grażyna Święty Jiří Černý Růžena Győző İstanbul Aydoğan Ștefan", "cp1252"),
        ("Иванов Γιώργος שלום محمد 田中 서울 สมชาย Trần Đặng 😀 O’Brien 5€", "cp1252"),
        ("Müller Élodie García Łukasz Jiří Győző O’Brien", "mac_roman"),
        ("Müller Straße Élodie García Paweł Dvořák Иванов Γιώργος 5€", "cp850"),
        ("Müller Straße Élodie García Paweł Dvořák Иванов O’Brien", "cp437"),
        ("Müller Straße Élodie García Łukasz Jiří Győző", "cp1250"),
        ("Müller Straße François García Иванов Київ Сергій O’Brien", "cp1251"),
    ],
)
def test_utf_8_that_was_read_with_any_code_page_is_known(words: str, page: str) -> None:
    texts = pl.Series([_misread(word, page) for word in words.split()])
    assert texts.filter(~texts.str.contains(DAMAGED_TEXT)).to_list() == []


@pytest.mark.parametrize(
    ("words", "page", "other"),
    [
        ("Müller Jörg Straße", "cp1252", "cp850"),
        ("Müller Jörg García", "cp850", "cp1252"),
        ("Müller Jörg Bär García", "cp1252", "cp1251"),
        ("Grażyna Dąbrowski", "cp1250", "cp1252"),
        ("Иванов Москва Сергей", "cp1251", "cp1252"),
        ("Γιώργος", "cp1253", "cp1252"),
        ("Müller Jörg", "cp1252", "mac_roman"),
    ],
)
def test_one_code_page_that_was_read_as_another_is_known(words: str, page: str, other: str) -> None:
    texts = pl.Series([_read(word.encode(page), other) for word in words.split()])
    assert texts.filter(~texts.str.contains(DAMAGED_TEXT)).to_list() == []


def test_letters_that_a_program_replaced_are_known() -> None:
    texts = pl.Series(
        [
            *("M?ller", "Garc?a L?pez", "?????? ????????", "M&uuml;ller", "Br&ouml;de &amp; Co"),
            *("M&#252;ller", r"M\u00fcller", "M\x1aller", "M\x81ller", "M+APw-ller"),
        ]
    )
    assert texts.filter(~texts.str.contains(DAMAGED_TEXT)).to_list() == []
    signs = texts.filter(texts.str.contains(DAMAGED_SIGNS))
    assert all(any(one in text for one in SIGNS_OF_DAMAGE) for text in signs)
    assert count_damaged(texts) == len(texts)


def test_questions_addresses_and_signs_are_text() -> None:
    texts = pl.Series(
        [
            "Why?", "Really? yes", "??", "http://example.com/a?b=1", "a.example/x?y", "R&D",
            "AT&T;", "Berg &amp; <Sohn/>",
            "B & Q", "CAFÉ™", "CAFÉ…", "„PRÄ“", "»SMÅ«", "ÚŽASNÝ", "VÝŠINKA", "„Gruß“",
            "O´Brien", "D’Angelo", "l·l", "5²", "30 m³", "20 °C", "№ 5", "20–30", "Łódź",
            "Öþýður", "Ærø",
            "Ångström", "Þór", "créée", "ΑΘΗΝΑ", "Иванов", "«iPhoneы»", "SMSки", "שלום", "北京",
            "µm", "¿Qué?", "¡Olé!", "Ø 5", "3 × 4", "50 £", "±5", "ÉTÉ–HIVER", "À…", "été…»",
        ]
    )  # fmt: skip
    assert texts.filter(texts.str.contains(DAMAGED_TEXT)).to_list() == []
    assert count_damaged(texts) == 0


def test_both_engines_read_the_patterns() -> None:
    with session() as here:
        rows = here.frame("SELECT regexp_matches('MÃ¼ller', $damaged)", damaged=DAMAGED_TEXT)
    assert rows.item()


def test_damaged_texts_are_counted_cell_by_cell_though_each_is_looked_at_once() -> None:
    texts = ["Jürgen", "MÃ¼ller", "MÃ¼ller", "KrÃ¤mer", None, "M?ller", "Miller"]
    assert count_damaged(pl.Series(texts)) == 4
