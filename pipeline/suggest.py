"""What the user may have meant.

Near misses for every name that is not known, and pydantic's complaints as sentences.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from pipeline.errors import UsageError
from schemas.codes import catalogue

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""pydantic's complaints in our words; others keep theirs."""


def near(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for the nearest known word, else nothing."""
    words = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(word.casefold(), words, n=1, cutoff=0.7)
    return f" Did you mean '{words[found[0]]}'?" if found else ""


def sentences(
    error: ValidationError, keys_at: Callable[[tuple[str | int, ...]], Iterable[str]]
) -> list[str]:
    """One sentence for each complaint: where, what, and a near miss for unknown keys and words.

    Args:
        error: what pydantic found.
        keys_at: the keys known at a place (the path of the table that holds the unknown key).
    """
    found = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":
            continue  # A default that depends on a setting that is wrong.
        path = tuple(part for part in detail["loc"] if part != "[key]")
        where = ".".join(str(part) for part in path)
        if detail["type"] == "extra_forbidden":
            text = f"unknown key '{path[-1]}'.{_known(str(path[-1]), list(keys_at(path[:-1])))}"
        elif detail["type"] in {"literal_error", "enum"}:
            text = _closed(detail["ctx"]["expected"], detail["input"])
        else:
            sentence = _SENTENCES.get(detail["type"], detail["msg"].removeprefix("Value error, "))
            text = (
                f"{sentence.format_map(detail.get('ctx', {}))}."
                if detail["type"] in _SENTENCES
                else f"{sentence}."
            )
        found.append(f"{where}: {text}")
    return found


def _known(word: str, known: Sequence[str]) -> str:
    """The near miss, or all that is known."""
    return near(word, known) or (f" Known are {', '.join(known)}." if known else "")


def _closed(expected: str, given: Any) -> str:
    """``expected`` is pydantic's list: ``'no', 'hold' or 'x'``."""
    words = re.findall("'([^']*)'", expected)
    return f"must be {expected}.{near(str(given), words)}"


def codes_known(codes: Sequence[str]) -> list[str]:
    """The codes to filter by.

    Raises:
        UsageError: one is not in the catalogue.
    """
    for name in codes:
        if name not in catalogue():
            raise UsageError(
                f"--code {name}: there is no such code.{near(name, catalogue())} `p2c codes` lists "
                "them."
            )
    return list(codes)
