"""Texts that a tool before us read or wrote wrongly, such as ``MÃ¼ller`` and ``M?ller``.

Each pattern knows texts of one mistake and leaves alone what people write: ``SÃO``, ``CAFÉ™``,
``„PRÄ“``. All three engines read them. A text that none of them knows may be damaged all the same.
"""

from __future__ import annotations

from typing import Final, TypeVar

import polars as pl

DAMAGED: Final = "\ufffd"
"""What cells such as ``MÃ¼ller`` are counted as."""


def _read_as(page: str, first: int = 0x80, last: int = 0xBF) -> str:
    """What a code page makes of some bytes; bytes without a sign there are kept, as browsers do."""
    return "".join(
        byte.decode(page, "ignore") or byte.decode("latin-1")
        for byte in (bytes([one]) for one in range(first, last + 1))
    )


_WINDOWS: Final = _read_as("cp1252")
_INSIDE: Final = "©®»–”…™›"
_CLOSING: Final = f"\u00a0—’{_INSIDE}"
_OTHERS: Final = "".join(one for one in _WINDOWS if one not in _CLOSING)
_SIGNS: Final = "".join(one for one in _OTHERS if not one.isalpha() and one not in "‘“«")
"""What Windows-1252 makes of the bytes 80 to BF. Those of ``_CLOSING`` may stand behind a word in
capitals that ends in Ã, too, and most of them not before a letter. ``_SIGNS`` stand behind no word,
while Ž and “ may stand behind an É or Ä."""

_CONTROLS: Final = "\x1a\u0080-\u0084\u0086-\u009f"

_AS_WINDOWS: Final = (
    f"[ÂÃ][{_OTHERS}]|â€[{_CLOSING}{_OTHERS}]"
    rf"|(?:^|[^\p{{Lu}}])[ÂÃ][{_CLOSING}]|[ÂÃ][{_INSIDE}]\p{{L}}"
    rf"|[Ä-Í][{_SIGNS}]|\p{{Ll}}[Ä-Í][{_CLOSING}‘“«]|(?:^|[^\p{{L}}])[Ä-Í][{_INSIDE}‘“«]\p{{L}}"
    f"|[ÄÅ][Ÿžœ]|Å[š]|[Î-Þ][{_WINDOWS}][Î-Þ][{_WINDOWS}]"
    f"|[à-ï](?:[{_SIGNS}][{_WINDOWS}]|[{_WINDOWS}][{_SIGNS}])|ðŸ[{_WINDOWS}]|ï»¿"
)
"""UTF-8 read as Windows-1252 or Latin-1: Western and Central Europe; two letters of Greek,
Cyrillic, Hebrew or Arabic; one of the far East."""

_LETTERS: Final = "".join(one for one in _read_as("mac_roman") if one.isalpha())
_AS_MAC: Final = f"√[{_read_as('mac_roman')}]|¬[†∞´ªº]|[ƒ≈][{_LETTERS}]|‚Ä[{_read_as('mac_roman')}]"

_DOS: Final = "".join(map(_read_as, ("cp437", "cp850", "cp852", "cp866")))
_AS_DOS: Final = (
    f"[├┬┼╨╤╬╧╫╪┘╚][{_DOS}]|[─╔][ÄÇâäàåçêëèïîæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑ¡»ćčěůТЧЩЯа-я░▒]"
    f"|[ΓÔ][ÇéΘ][{_DOS}]"
)

_CENTRAL: Final = "".join(one for one in _read_as("cp1250") if one not in f"{_CLOSING}ŠŽŚŤŹŞš‘“«")
_AS_CENTRAL: Final = rf"[ĂĹ][{_CENTRAL}]|\p{{Ll}}[ĂĹ][{_read_as('cp1250')}]|Ĺ[›šś]"

_EASTERN: Final = _read_as("cp1251")
_EAST_SIGNS: Final = "".join(one for one in _EASTERN if not one.isalpha() and one not in _CLOSING)
_AS_EASTERN: Final = (
    f"(?:[РС][{_EASTERN}]){{3}}|[ВГ][{_EAST_SIGNS}]|[A-Za-z][В-Е][{_EASTERN}]|вЂ[{_EASTERN}]"
    f"|(?:[ΞΟ][{_read_as('cp1253')}]){{3}}"
)

_WITHIN: Final = "¡¢£¤¥¦§¨¬¯±²³¶¸¹¼½¾¿÷ˆ‰†‡„‚‹›˜”ⁿ√∂∑∏∫≈∆◊ﬁﬂ˙˚˝˛ˇ▀▄■┤╡╢╖╕╣║╗╝┐└┴┬├╞╟╚╔"
_FOREIGN: Final = r"α-δζ-λν-ώБГДЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯб-дж-нптф-я\p{Hebrew}\p{Arabic}\p{Thai}"
_OF_OTHER_PAGES: Final = (
    rf"\p{{L}}[{_WITHIN}]+\p{{L}}|¯\p{{Ll}}|£[óu]\p{{Ll}}|[À-ÖØ-öø-ÿ]{{5}}|锟斤|烫烫"
    rf"|[A-Za-z][{_FOREIGN}][a-z]|[a-z][{_FOREIGN}]+[{_WITHIN}©«®°µ¶·─-▟]"
)
"""One code page of single bytes read as another, as ``M³ller``, ``Kr„mer``, ``Èâàíîâ``."""

DAMAGED_LETTERS: Final = "|".join(
    (
        f"\ufffd|[{_CONTROLS}]",
        *(_AS_WINDOWS, _AS_MAC, _AS_DOS, _AS_CENTRAL, _AS_EASTERN, _OF_OTHER_PAGES),
    )
)
"""Texts of which a sign is not ASCII."""

_ENTITY: Final = (
    "&(?:nbsp|szlig|[A-Za-z]{1,2}(?:uml|acute|grave|circ|tilde|cedil|ring|lig)"
    "|oslash|Oslash|#[0-9]{2,5}|#[xX][0-9A-Fa-f]{2,4});"
)
_QUESTION: Final = (
    r"^[^?/=&@:]{0,40}\p{L}\?\p{Ll}[^/=&@:]{0,40}$|^[^\p{L}\p{N}/=&@:]*\?{4}[^\p{L}\p{N}/=&@:]*$"
)
DAMAGED_SIGNS: Final = (
    rf"{_QUESTION}|{_ENTITY}|\\u00[89a-fA-F][0-9a-fA-F]|\x1a|\+A[I-P][0-9A-Za-z+/]-"
)
"""A question mark inside of a word, as programs write it for a letter that their code page lacks;
letters as HTML, JSON or UTF-7 write them."""

SIGNS_OF_DAMAGE: Final = ("?", "&", "\\u00", "\x1a", "+A")
"""One of these is in each text of ``DAMAGED_SIGNS``."""

DAMAGED_TEXT: Final = f"{DAMAGED_LETTERS}|{DAMAGED_SIGNS}"


Texts = TypeVar("Texts", pl.Series, pl.Expr)


def have_more(texts: Texts) -> Texts:
    """Which texts have more than ASCII."""
    return texts.str.len_bytes() != texts.str.len_chars()


def find_damaged(texts: pl.Series) -> pl.Series:
    """Those texts that are damaged, each once.

    Texts repeat themselves, and a pattern that knows so many mistakes takes its time.
    """
    distinct = texts.unique()
    return distinct.filter(distinct.str.contains(DAMAGED_TEXT))


def count_damaged(texts: pl.Series) -> int:
    """How many of some texts are damaged."""
    is_other = have_more(texts)
    others = texts.filter(is_other)
    wrong = others.is_in(find_damaged(others).implode())
    replaced = texts.filter(~is_other).str.contains(DAMAGED_SIGNS)
    return int(wrong.sum()) + int(replaced.sum())
