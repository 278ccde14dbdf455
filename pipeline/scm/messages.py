"""Messages of SCM in plain words: their code, what happened, what to do.

The patterns are in ``messages.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

from pipeline.scm.wording import clean_messages, fold_quotes, is_foreign

OTHER: Final = "import_failed"
"""The code of a message that matches no pattern."""

FOREIGN: Final = "refused_untranslated"
"""The code of such a message if it is not English."""

REFUSED: Final = "package_refused"
"""The code of rows whose package or request was refused, if nothing says more."""

_OF_WHOLE: Final = frozenset(
    {"refused_conflict", "refused_mapping", "refused_format", "refused_repeated", "refused_access"}
)
"""Codes that say of every row why its package was refused. The others speak of single rows."""

_RULE: Final = "refused_rule"
"""Which rule it was is English in every language; what it wants is not."""

_NOT_ENGLISH: Final = (
    "p2c knows SCM's messages in English only, and this one has another language. In SCM, set the "
    "language of the user that p2c logs in as to en-us; new messages are explained then."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """One kind of message."""

    code: str
    expression: re.Pattern[str]
    plain: str
    advice: str
    later: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A message with its code and its text.

    The text says what happened, then what to do, then what SCM said. ``later`` says that the same
    request can succeed a little later.
    """

    code: str
    text: str
    later: bool = False
    cause: str = ""
    """The text without what to do then."""


@cache
def load_patterns() -> tuple[Pattern, ...]:
    """All patterns, in the order in which they are tried."""
    text = files("pipeline.scm").joinpath("messages.toml").read_text(encoding="utf-8")
    return tuple(
        Pattern(
            code=one["code"],
            expression=re.compile(one["pattern"], re.IGNORECASE | re.DOTALL),
            plain=one["plain"],
            advice=one["advice"],
            later=one.get("later", False),
        )
        for one in tomllib.loads(text)["message"]
    )


def explain_messages(texts: Iterable[str], code: str = OTHER) -> Explanation:
    """What several messages about one row or package mean.

    The first pattern in the list that matches any of them counts.

    Args:
        texts: SCM's messages.
        code: for messages that match no pattern.
    """
    said = clean_messages(texts)
    text = f"SCM said: {said}" if said else "SCM gave no message."
    strange = f"{_NOT_ENGLISH} " if is_foreign(said) else ""
    for pattern in load_patterns():
        match = pattern.expression.search(fold_quotes(said))
        if match is not None:
            plain = f"{pattern.plain}. {pattern.advice}.".format_map(_read_words(match))
            cause = pattern.plain.format_map(_read_words(match))
            more = strange if pattern.code == _RULE else ""
            return Explanation(
                code=pattern.code,
                text=f"{plain[0].upper()}{plain[1:]} {more}{text}",
                later=pattern.later,
                cause=f"{cause[0].upper()}{cause[1:]}. {more}{text}",
            )
    if strange and code == OTHER:
        code = FOREIGN
    return Explanation(code=code, text=f"{strange}{text}", cause=f"{strange}{text}")


def explain_refusal(texts: Iterable[str]) -> Explanation:
    """What messages mean that refused a whole package or request; the code is about the whole."""
    meant = explain_messages(texts, REFUSED)
    return meant if meant.code in _OF_WHOLE else replace(meant, code=REFUSED)


def explain_size(texts: Iterable[str]) -> Explanation:
    """What it means that a request with one row alone is too large (HTTP 413)."""
    said = clean_messages(texts)
    plain = "A request with this row alone is larger than SCM, or a gateway before it, takes."
    advice = "Shorten the row's longest values in Sales, or let the gateway take more."
    more = f" SCM said: {said}" if said else ""
    return Explanation(
        code="refused_too_large", text=f"{plain} {advice}{more}", cause=f"{plain}{more}"
    )


def _read_words(match: re.Match[str]) -> dict[str, str]:
    """What the groups of a pattern found; groups that differ in a digit stand for the same."""
    found: dict[str, str] = {}
    for name, value in match.groupdict().items():
        word = name.rstrip("0123456789")
        found[word] = found.get(word) or (value or "").strip()
    return {word: value or "a field" for word, value in found.items()}
