"""SCM's words in one form, and whether they are English. Pure.

Messages are in the language of the user that imports them; p2c knows what they mean in English.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

_LONGEST: Final = 2_000
_NOISE: Final = re.compile(
    r"\bResults\.\s*"
    r"|^(?:Write|Delete) failed for table row of type '[^']*'\.\s*(?:Infolog:\s*)?"
    r"|\bException occurred while executing action \w+ on Entity [\w ]+:\s*"
    r"|^Exception has been thrown by the target of an invocation\.\s*"
    r"|^An error has occurred\.\s*",
    re.IGNORECASE,
)
_SAYS_NOTHING: Final = re.compile(
    r"(?i)((an? )?(unexpected |unhandled |internal |server )*(error|exception)"
    r"( has)?( occur?red)?\W*)?"
)
_SPACES: Final = re.compile(r"\s+")
_QUOTES: Final = str.maketrans(
    dict.fromkeys('\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb"`\u00b4', "'")
)
_CONTRACTIONS: Final = (
    (re.compile(r"\bcan't\b", re.IGNORECASE), "cannot"),
    (re.compile(r"\b(\w+)n't\b", re.IGNORECASE), r"\1 not"),
)
_QUOTED: Final = re.compile(r"'[^']*'")
_CLAUSES: Final = re.compile(r"[.;|:!?]+(?:\s|$)")
_WORD: Final = re.compile(r"[^\W\d_]+")
_FEW: Final = 3
"""A clause with fewer words does not show its language, unless its letters do."""


def clean_messages(texts: Iterable[str]) -> str:
    """SCM's messages as one line, each once, without the phrases that say nothing."""
    lines = (_SPACES.sub(" ", _strip_noise(text.strip())).strip() for text in texts)
    return " | ".join(dict.fromkeys(line for line in lines if line))[:_LONGEST]


def _strip_noise(text: str) -> str:
    """A text without its noise; all of it, if nothing else is left."""
    stripped = text
    while (shorter := _NOISE.sub("", stripped)) != stripped:
        stripped = shorter.strip()
    return stripped or text


def tells_reason(text: str) -> bool:
    """Whether a message says why something failed, and not only that it did."""
    return _SAYS_NOTHING.fullmatch(text) is None


def fold_quotes(text: str) -> str:
    """A text as patterns expect it: one kind of quotation mark, no contractions."""
    folded = text.translate(_QUOTES)
    for pattern, written in _CONTRACTIONS:
        folded = pattern.sub(written, folded)
    return folded


def is_foreign(text: str) -> bool:
    """Whether a part of a message is of a language other than English.

    What stands between quotation marks says nothing: names and values have any language. Beside an
    English clause, letters alone say nothing either.
    """
    english, foreign = _load_words()
    clauses = [
        [unicodedata.normalize("NFC", word) for word in _WORD.findall(clause.lower())]
        for clause in _CLAUSES.split(_QUOTED.sub(" ", fold_quotes(text)))
    ]
    others = [words for words in clauses if words and english.isdisjoint(words)]
    if any(len(words) >= _FEW and not foreign.isdisjoint(words) for words in others):
        return True
    is_whole = len(others) == sum(map(bool, clauses))
    return is_whole and any(_has_strange_letters(words) for words in others)


def _has_strange_letters(words: Sequence[str]) -> bool:
    """Whether there are letters of another script, or accents in a clause that is not short."""
    if len(words) >= _FEW and not all(word.isascii() for word in words):
        return True
    return any("LATIN" not in unicodedata.name(one, "LATIN") for word in words for one in word)


@cache
def _load_words() -> tuple[frozenset[str], frozenset[str]]:
    """Words of English only, and words of other languages only."""
    text = files("pipeline.scm").joinpath("wording.toml").read_text(encoding="utf-8")
    lists = tomllib.loads(text)
    return frozenset(lists["english"]), frozenset(lists["foreign"])
