"""One reader for each kind of value, given to both engines.

A reader has its accepted forms here, as words and patterns. It stands twice and means one thing:
here as a Polars expression, in ``sql/macros.sql`` as a DuckDB macro of the same name that gets the
forms as parameters. Both give null for blank and for what they cannot read, and a property test
feeds both the same strings. GUIDs are in ``schemas/text.py``.

* flag: ``FLAGS``, in any case;
* type of a lookup: ``LOOKUP_TYPES``, in any case;
* whole number: digits, and no decimals but zeros. Nothing is rounded;
* time: ISO 8601, a date with the year first, one with dots (else the day comes first),
  ``/Date(0)/`` of .NET, seconds, milli- or microseconds since 1970 (10, 13 or 16 digits, until
  2033), and a date with slashes or dashes if its column shows whether the day or the month comes
  first. Without a zone it is UTC. A year of two digits is not read, for nothing says its century;
* amount: with signs of thousands and a currency, if it or its column shows that the point is the
  decimal sign. A decimal comma is never read, nor ``7.000`` where nothing shows what it means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import polars as pl

from schemas.text import trimmed

FLAGS: Final = MappingProxyType(
    {
        **dict.fromkeys(("1", "true", "yes", "t", "y", "-1", "1.0", "1.00", "-1.0"), True),
        **dict.fromkeys(("0", "false", "no", "f", "n", "0.0", "0.00", "-0"), False),
    }
)
"""Words of a two-options column, in lower case; ``-1`` is what Access writes for Yes."""

LOOKUP_TYPES: Final = MappingProxyType(
    {
        **dict.fromkeys(("account", "accounts", "1", "1.0"), "account"),
        **dict.fromkeys(("contact", "contacts", "2", "2.0"), "contact"),
    }
)
"""Words of the column beside a lookup, in lower case: logical names, set names, type codes."""

NULL_WORDS: Final = (
    "NULL", "null", "\\N", "(null)", "(NULL)", "<null>", "<NULL>", "[NULL]", "[null]", "<NA>",
    "(blank)", "(Blank)", "(leer)", "(Leer)", "(vide)", "(empty)", "(Empty)", "<empty>", "<blank>",
    "[blank]", "(none)", "<none>", "<None>", "(Null)", "<Null>", "[Null]", "{null}",
    "{NULL}", "nan", "NaN", "NAN", "NaT",
    "Null", "None", "none", "NONE", "nil", "Nil", "NIL", "undefined", "NA", "N/A", "n/a", "N\\A",
    "#N/A", "#NULL!", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!",
    "#ERROR!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#PYTHON!",
    "#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#ÜBERLAUF!", "#KALK!", "#FELD!", "#BLOCKIERT!",
    "#VALEUR!", "#NOM?", "#NOMBRE!", "#NUL!", "#PROPAGATION!",
    "#VERW!", "#WAARDE!", "#NAAM?", "#GETAL!", "#DEEL/0!", "#N/B", "#LEEG!", "#OVERLOOP!",
    "#RIF!", "#VALORE!", "#NOME?", "#N/D", "#NULLO!", "#ESPANSIONE!",
    "#VALOR!", "#NÚM!", "#NULO!", "#¡REF!", "#¡VALOR!", "#¿NOMBRE?", "#¡NUM!", "#¡DIV/0!",
    "#¡NULO!", "#¡DESBORDAMIENTO!", "#¡CALC!", "#¡CAMPO!",
    "#ADR!", "#ARG!", "#NAZWA?", "#LICZBA!", "#N/D!", "#DZIEL/0!", "#ZERO!",
    "#NAVN?", "#VÆRDI!", "#VERDI!", "#I/T", "#DIVISION/0!", "#REFERENCE!",
    "#NAMN?", "#VÄRDEFEL!", "#REFERENS!", "#OGILTIGT!", "#SAKNAS!", "#SKÄRNING!",
    "#ARVO!", "#VIITTAUS!", "#NIMI?", "#LUKU!", "#JAKO/0!", "#PUUTTUU!", "#TYHJÄ!",
    "#HODNOTA!", "#ODKAZ!", "#NÁZEV?", "#ČÍSLO!", "#DĚLENÍ_NULOU!", "#NENÍ_K_DISPOZICI",
    "#NÁZOV?", "#DELENIENULOU!", "#NEDOSTUPNÝ",
    "#ÉRTÉK!", "#HIV!", "#NÉV?", "#SZÁM!", "#ZÉRÓOSZTÓ!", "#HIÁNYZIK", "#NULLA!",
    "#DEĞER!", "#BAŞV!", "#AD?", "#SAYI!", "#SAYI/0!", "#YOK", "#BOŞ!",
    "#ЗНАЧ!", "#ССЫЛКА!", "#ИМЯ?", "#ЧИСЛО!", "#ДЕЛ/0!", "#Н/Д", "#ПУСТО!",
    "#ΤΙΜΗ!", "#ΑΡΙΘ!", "#ΔΙΑΙΡ./0!", "#ΔΙΑΙΡ/0!", "#ΟΝΟΜΑ?", "#Δ/Υ",
    "#ΑΝΑΦ!", "#ΚΕΝΟ!",
    "#VRIJEDNOST!", "#BROJ!", "#DIJ/0!", "#NAZIV?", "#VALOARE!", "#NUME?", "#NEPLATNÝ!",
    "#VREDN!", "#ŠTEV!", "#DEL/0!", "#IME?", "#N/V", "#SKLIC!", "#NIČ!",
    "#ЗНАЧЕННЯ!", "#ПОСИЛАННЯ!", "#ІМ’Я?", "#НОМЕР!", "#ДІЛЕННЯ/0!",
    *(f"Err:{number}" for number in range(501, 541)),
    "Microsoft.Xrm.Sdk.OptionSetValue", "Microsoft.Xrm.Sdk.EntityReference",
    "Microsoft.Xrm.Sdk.Money", "Microsoft.Xrm.Sdk.AliasedValue",
    "Microsoft.Xrm.Sdk.OptionSetValueCollection", "Microsoft.Xrm.Sdk.EntityCollection",
    "System.Object[]", "System.String[]", "System.Byte[]", "System.Object", "System.__ComObject",
    "System.Collections.Hashtable", "System.Data.DataRow", "System.Xml.XmlElement",
    "System.Management.Automation.PSCustomObject",
    "#GETTING_DATA", "######", "#######", "########", "#########", "##########",
    "[object Object]", "[Record]", "[List]", "[Table]", "[Binary]",
)  # fmt: skip
"""What databases and data frames write where there is no value, spreadsheets for an error, and
scripts, .NET and Power Query for a value that is no text."""

TYPED_BY_NOBODY: Final = NULL_WORDS[: NULL_WORDS.index("Null")]
"""Those that people do not type into a text, or only as a joke."""

ERROR_WORDS: Final = NULL_WORDS[NULL_WORDS.index("#N/A") :]
"""Those of a spreadsheet, and those for a value that is no text: there was one, and it is lost."""

LONGEST_WORD: Final = max(len(word.encode()) for word in NULL_WORDS)
"""Bytes of the longest of these words."""

SHORTENED: Final = "E+"
"""What cells such as ``4.93E+11`` are counted as: a spreadsheet wrote a long number short."""

SHORTENED_NUMBER: Final = r"[+-]?[0-9](?:(?:[.,][0-9]+)?[Ee]\+[0-9]{2}|[.,][0-9]+[Ee][0-9]{2})"
"""Such a number; Python and R write a small e, and Germans a comma. ``4E11`` may be a code."""
EXPONENT: Final = r"[Ee]\+?[0-9]{2}$"
"""How such a text ends."""

FRACTION: Final = r"[0-9]+\.0"
"""A whole number as data frames write it in a column that has blanks."""

WHOLE_NUMBER: Final = r"[+-]?[0-9]+(?:\.0+)?"

_GROUPS: Final = "'\u2019 \u00a0\u202f"
_CURRENCY: Final = r"(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3})"


def _frame_amount(number: str) -> str:
    """The pattern of an amount: sign, currency in front or behind, brackets for negative ones."""
    space = "[ \u00a0\u202f]?"
    front, behind = f"(?:{_CURRENCY}{space})?", f"(?:{space}{_CURRENCY})?"
    bare = f"(?:[+-]{front}|{front}[+-]?)(?:{number}){behind}"
    return rf"(?:{bare}|{front}\({front}(?:{number}){behind}\))"


POINTED_AMOUNT: Final = _frame_amount(
    rf"[0-9]{{1,3}}(?:[,{_GROUPS}][0-9]{{3}})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
)
"""Amounts that can be read where the point is the decimal sign."""

PLAIN_AMOUNT: Final = r"[+-]?(?:[0-9]+(?:\.(?:[0-9]{0,2}|[0-9]{4,}))?|0?\.[0-9]+|[0-9]{4,}\.[0-9]+)"
"""Amounts as machines write them, but for three decimals, which may be thousands."""

SHOWS_POINT: Final = _frame_amount(
    rf"[0-9]+\.(?:[0-9]{{1,2}}|[0-9]{{4,}})|0?\.[0-9]+|[0-9]{{4,}}\.[0-9]+"
    rf"|[0-9]{{1,3}}(?:,[0-9]{{3}})+\.[0-9]+|[0-9]{{1,3}}(?:,[0-9]{{3}}){{2,}}"
    rf"|[0-9]{{1,3}}(?:[{_GROUPS}][0-9]{{3}})+\.[0-9]+"
)
"""Amounts that show that the point is the decimal sign."""

EVIDENT_AMOUNT: Final = (
    _frame_amount(f"[0-9]{{1,3}}(?:[{_GROUPS}][0-9]{{3}})+|[0-9]+") + f"|{SHOWS_POINT}"
)
"""Amounts that mean the same whatever the others of their column look like."""

SHOWS_COMMA: Final = _frame_amount(
    rf"[0-9]+,(?:[0-9]{{1,2}}|[0-9]{{4,}})|0?,[0-9]+|[0-9]{{4,}},[0-9]+"
    rf"|[0-9]{{1,3}}(?:\.[0-9]{{3}})+,[0-9]+|[0-9]{{1,3}}(?:\.[0-9]{{3}}){{2,}}"
    rf"|[0-9]{{1,3}}(?:[{_GROUPS}][0-9]{{3}})+,[0-9]+"
)
"""Amounts that show that the comma is the decimal sign."""

_CLOCK: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?"
_ZONE: Final = " ?(?:[Zz]|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
ISO_TIME: Final = f"[1-9][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{_CLOCK}(?:{_ZONE})?)?"

_HOUR: Final = (
    "(?:,? {1,2}(?:[01]?[0-9]|2[0-3])"
    "(?::[0-5][0-9](?::[0-5][0-9])?|[.][0-5][0-9](?:[.][0-5][0-9])?)"
)
DOTTED_TIME: Final = rf"[0-9]{{1,2}}\. ?[0-9]{{1,2}}\. ?[1-9][0-9]{{3}}\.?{_HOUR})?"
SLASHED_TIME: Final = (
    f"(?:[0-9]{{1,2}}/[0-9]{{1,2}}/|[0-9]{{1,2}}-[0-9]{{1,2}}-)[1-9][0-9]{{3}}"
    f"{_HOUR}(?:[ \u00a0\u202f]?[AaPp][Mm])?)?"
)
NET_TIME: Final = r"/Date\(-?[0-9]{1,15}(?:[+-][0-9]{4})?\)/"
EPOCH_TIME: Final = "1[0-9]{9}(?:[0-9]{3}){0,2}"
YEAR_FIRST: Final = f"[1-9][0-9]{{3}}/[0-9]{{2}}/[0-9]{{2}}(?: {_CLOCK})?"
SHORT_TIME: Final = (
    r"[1-9][0-9]{3}(?:/[0-9]{1,2}/[0-9]{1,2}|-[0-9]{1,2}-[0-9]{1,2}"
    rf"|\. ?[0-9]{{1,2}}\. ?[0-9]{{1,2}}\.?){_HOUR})?"
)

FORMS: Final[Mapping[str, str | Sequence[str] | Sequence[int]]] = MappingProxyType(
    {
        "flag_words": tuple(FLAGS),
        "flag_values": tuple(FLAGS.values()),
        "lookup_words": tuple(LOOKUP_TYPES),
        "lookup_types": tuple(LOOKUP_TYPES.values()),
        "whole_number": WHOLE_NUMBER,
        "evident_amount": EVIDENT_AMOUNT,
        "pointed_amount": POINTED_AMOUNT,
        "iso_time": ISO_TIME,
        "dotted_time": DOTTED_TIME,
        "slashed_time": SLASHED_TIME,
        "net_time": NET_TIME,
        "epoch_time": EPOCH_TIME,
        "year_first": YEAR_FIRST,
        "short_time": SHORT_TIME,
    }
)
"""The forms, by the names of the macros' parameters."""

_NOON: Final = 12
_CLOCK_GROUP: Final = 4
"""The clock stands behind the three numbers of the date."""
_MICROSECONDS: Final = 16
"""Digits of a time of our days in microseconds since 1970."""


def two_options_of(value: pl.Expr) -> pl.Expr:
    """A flag as a boolean."""
    folded = trimmed(value).str.to_lowercase()
    return folded.replace_strict(dict(FLAGS), default=None, return_dtype=pl.Boolean)


def lookup_type_of(value: pl.Expr) -> pl.Expr:
    """The type of a lookup: ``account`` or ``contact``."""
    folded = trimmed(value).str.to_lowercase()
    return folded.replace_strict(dict(LOOKUP_TYPES), default=None, return_dtype=pl.String)


def whole_of(value: pl.Expr) -> pl.Expr:
    """A whole number as an integer of 64 bits."""
    text = trimmed(value)
    digits = text.str.strip_prefix("+").str.split(".").list.first()
    return pl.when(_matches(text, WHOLE_NUMBER)).then(digits.cast(pl.Int64, strict=False))


def amount_of(value: pl.Expr, *, pointed: bool) -> pl.Expr:
    """An amount as plain text: digits, a sign if it is negative, a point before its decimals.

    Args:
        value: text.
        pointed: the column shows that the point is the decimal sign.
    """
    text = trimmed(value)
    digits = text.str.replace_all("[^0-9.]", "")
    sign = pl.when(text.str.contains(r"[-(]")).then(pl.lit("-")).otherwise(pl.lit(""))
    form = POINTED_AMOUNT if pointed else EVIDENT_AMOUNT
    return pl.when(_matches(text, form)).then(sign + digits)


def timestamp_of(value: pl.Expr, *, day_first: bool | None = None) -> pl.Expr:
    """A time in UTC, to the microsecond.

    Args:
        value: text.
        day_first: whether the day comes first in the column's dates with slashes or dashes; null
            when it does not show: then they are not read.
    """
    text = trimmed(value)
    net = text.str.extract(r"\((-?[0-9]+)").cast(pl.Int64, strict=False)
    since_1970 = text.str.pad_end(_MICROSECONDS, "0").cast(pl.Int64, strict=False)
    branches = (
        pl.when(_matches(text, ISO_TIME)).then(_read_iso(text))
        .when(_matches(text, YEAR_FIRST)).then(_read_iso(text.str.replace_all("/", "-")))
        .when(_matches(text, SHORT_TIME)).then(_read_parts(text, 1, 2, 3))
        .when(_matches(text, DOTTED_TIME)).then(_read_parts(text, 3, 2, 1))
        .when(_matches(text, NET_TIME)).then(pl.from_epoch(net, "ms").cast(pl.Datetime("us")))
        .when(_matches(text, EPOCH_TIME)).then(pl.from_epoch(since_1970, "us"))
    )  # fmt: skip
    if day_first is not None:
        month, day = (2, 1) if day_first else (1, 2)
        slashed = _read_parts(text, 3, month, day)
        branches = branches.when(_matches(text, SLASHED_TIME)).then(slashed)
    return branches.otherwise(None).dt.replace_time_zone("UTC")


def _matches(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.contains(rf"^(?:{pattern})$")


def _read_iso(text: pl.Expr) -> pl.Expr:
    """Date, clock and zone, taken apart."""
    day = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    clock = text.str.extract("^.{11}([0-9:]+)")
    fraction = text.str.extract("[.]([0-9]+)").fill_null("").str.pad_end(6, "0").str.slice(0, 6)
    zone = text.str.slice(10).str.extract("([+-])[0-9:]+$")
    offset = text.str.extract("[+-]([0-9:]+)$").str.replace(":", "", literal=True)
    away = _read_clock(offset.str.slice(0, 2) + ":" + offset.str.slice(2).str.pad_start(2, "0"))
    signed = pl.when(zone == "-").then(-away).when(zone == "+").then(away)
    return (
        day
        + _read_clock(clock).fill_null(pl.duration())
        + pl.duration(microseconds=fraction.cast(pl.Int64))
        - signed.fill_null(pl.duration())
    )


def _read_clock(clock: pl.Expr) -> pl.Expr:
    """``hh:mm`` or ``hh:mm:ss`` as a length of time."""
    parts = clock.str.split(":").list
    hours, minutes, seconds = (
        parts.get(place, null_on_oob=True).cast(pl.Int64, strict=False) for place in range(3)
    )
    return pl.duration(hours=hours, minutes=minutes, seconds=seconds.fill_null(0))


def _read_parts(text: pl.Expr, year: int, month: int, day: int) -> pl.Expr:
    """A date of three numbers, each by its place, and a clock of 24 or of twice 12 hours."""
    date = r"^([0-9]+)\D+([0-9]+)\D+([0-9]+)"
    joined = pl.concat_str(
        [text.str.extract(date, part) for part in (year, month, day)], separator="-"
    )
    clock = text.str.extract(rf"{date}\.?,? {{1,2}}([0-9]+[:.][0-9][0-9:.]*)", _CLOCK_GROUP)
    clock = clock.str.replace_all(".", ":", literal=True)
    half = text.str.extract("([AaPp])[Mm]$").str.to_lowercase()
    hour = clock.str.extract("^([0-9]+)").cast(pl.Int64, strict=False)
    wrong = half.is_not_null() & ~hour.is_between(1, _NOON)
    after_noon, at_twelve = half == "p", hour == _NOON
    shift = pl.when(after_noon & ~at_twelve).then(_NOON).when(~after_noon & at_twelve).then(-_NOON)
    moment = (
        joined.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
        + _read_clock(clock).fill_null(pl.duration())
        + pl.duration(hours=shift.otherwise(0))
    )
    return pl.when(~wrong.fill_null(value=False)).then(moment)
