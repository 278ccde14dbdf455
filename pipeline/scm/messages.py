"""Messages of SCM in plain words: their code, what happened, what to do.

The patterns are in ``messages.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

OTHER: Final = "import_failed"
"""The code of a message that matches no pattern."""

_LONGEST: Final = 2_000
_NOISE: Final = re.compile(
    r"\bResults\.\s*|^Write failed for table row of type '[^']*'\.\s*(?:Infolog:\s*)?"
)
_SPACES: Final = re.compile(r"\s+")


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
    for pattern in load_patterns():
        match = pattern.expression.search(said)
        if match is not None:
            words = {name: value or "a field" for name, value in match.groupdict().items()}
            plain = f"{pattern.plain}. {pattern.advice}.".format(**words)
            return Explanation(
                code=pattern.code,
                text=f"{plain[0].upper()}{plain[1:]} SCM said: {said}",
                later=pattern.later,
            )
    return Explanation(code=code, text=f"SCM said: {said}" if said else "SCM gave no message.")


def clean_messages(texts: Iterable[str]) -> str:
    """SCM's messages as one line, each once, without the phrases that say nothing."""
    lines = (_SPACES.sub(" ", _NOISE.sub("", text.strip())).strip() for text in texts)
    return " | ".join(dict.fromkeys(line for line in lines if line))[:_LONGEST]
