"""What the user may have meant.

A near miss for every unknown name, and pydantic's complaints in our own words.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import UsageError
from schemas.codes import load_codes

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
"""pydantic's complaints in our words; the others keep its own."""

_SECRET: Final = re.compile("~|^eyJ|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[^ ]{20,}")
_LONGEST_KEY: Final = 60
_SHORTEST: Final = 6
"""The length from which a known word that is part of what was given counts as near."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """Something wrong with a setting: ``key`` says where, as in ``run.morsel_rows``."""

    key: str
    sentence: str

    def __str__(self) -> str:
        """Both, for a list of problems."""
        return f"{self.key}: {self.sentence}"


def suggest_nearest(word: str, known: Iterable[str], likeness: float = 0.7) -> str:
    """`` Did you mean 'x'?`` for the nearest known word; blank if none is near.

    Args:
        word: what was given, or is missing.
        known: what could be meant.
        likeness: from 0 to 1, what a known word must reach. Take more where words of other
            languages are among the known ones: ``firstname`` is not ``Firmenname``.
    """
    words = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(word.casefold(), words, n=1, cutoff=likeness)
    return f" Did you mean '{words[found[0]]}'?" if found else ""


def suggest_path(path: Path) -> str:
    """`` Did you mean 'x'?`` for the nearest name where a path ends that is not there.

    Blank if none is near, or where the folder cannot be looked into.
    """
    missing = path
    while not missing.parent.exists() and missing.parent != missing:
        missing = missing.parent
    with contextlib.suppress(OSError):
        names = [one.name for one in missing.parent.iterdir() if not one.name.startswith(".")]
        return suggest_nearest(missing.name, names, 0.6)
    return ""


def explain_no_file(path: Path) -> str:
    """Why a path that was given is no file: nothing is there, or something else is."""
    if path.is_dir():
        return f"{path} is a folder. Name the file itself."
    return f"there is no file {path}.{suggest_path(path)}"


def suggest_several(word: str, known: Iterable[str], most: int = 3) -> str:
    """The nearest known word as a question, and others that are near or that contain it.

    Blank if there are none.
    """
    words = {one.casefold(): one for one in known}
    folded = word.casefold()
    near = difflib.get_close_matches(folded, words, n=most, cutoff=0.7)
    near += [one for one in words if folded in one or (len(one) >= _SHORTEST and one in folded)]
    first, *others = [words[one] for one in dict.fromkeys(near)][:most] or [""]
    if not first:
        return ""
    also = f" Near are also {' and '.join(map(repr, others))}." if others else ""
    return f" Did you mean '{first}'?{also}"


def explain_validation_error(
    error: ValidationError, keys_at: Callable[[tuple[str | int, ...]], Iterable[str]]
) -> list[SettingProblem]:
    """One problem for each complaint, with a near miss for unknown keys and words.

    Args:
        error: what pydantic found.
        keys_at: the keys that are known at a place, the path of the table with the unknown key.
    """
    return [
        _translate(detail, keys_at)
        for detail in error.errors(include_url=False)
        if detail["type"] != "default_factory_not_called"  # Its default needs a wrong setting.
    ]


def _translate(
    detail: ErrorDetails, keys_at: Callable[[tuple[str | int, ...]], Iterable[str]]
) -> SettingProblem:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            word = str(path[-1])
            text = f"unknown key '{_hide(word)}'.{_suggest_key(word, list(keys_at(path[:-1])))}"
        case "literal_error" | "enum":
            text = _suggest_word(context["expected"], detail["input"])
        case "value_error":
            text = f"{context['error']}."
        case kind:
            text = (
                f"{_SENTENCES[kind].format_map(context) if kind in _SENTENCES else detail['msg']}."
            )
    return SettingProblem(".".join(_hide(str(part)) for part in path), text)


def _hide(word: str) -> str:
    """A word of a key for a message; what may be a secret in its place is not repeated."""
    return "…" if _SECRET.search(word) or len(word) > _LONGEST_KEY else word


def _suggest_key(word: str, known: Sequence[str]) -> str:
    """The near miss, or all that is known."""
    return suggest_nearest(word, known) or (f" Known are {', '.join(known)}." if known else "")


def _suggest_word(expected: str, given: object) -> str:
    """``expected`` is pydantic's list: ``'no', 'hold' or 'x'``."""
    words = re.findall("'([^']*)'", expected)
    return f"must be {expected}.{suggest_nearest(str(given), words)}"


def check_codes(codes: Sequence[str]) -> list[str]:
    """The codes to filter by, as a list.

    Raises:
        UsageError: one of them is not in the catalogue.
    """
    for name in codes:
        if name not in load_codes():
            raise UsageError(
                f"--code {name}: there is no such code.{suggest_nearest(name, load_codes())} "
                "`p2c codes` lists "
                "them."
            )
    return list(codes)
