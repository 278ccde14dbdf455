"""What the user may have meant: near misses for every name that is not known, and pydantic's complaints as sentences."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from pydantic import ValidationError


def near(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for the nearest known word, else nothing."""
    words = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(word.casefold(), words, n=1, cutoff=0.6)
    return f" Did you mean '{words[found[0]]}'?" if found else ""


def sentences(error: ValidationError, keys_at: Callable[[tuple[str | int, ...]], Iterable[str]]) -> list[str]:
    """One sentence for each complaint: where, what, and a near miss for unknown keys.

    Args:
        error: what pydantic found.
        keys_at: the keys known at a place (the path of the table that holds the unknown key).
    """
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        where = ".".join(str(part) for part in path)
        if detail["type"] == "extra_forbidden":
            known = list(keys_at(path[:-1]))
            found.append(f"{where}: unknown key '{path[-1]}'.{near(str(path[-1]), known)}")
        else:
            found.append(f"{where}: {detail['msg'].removeprefix('Value error, ')}.")
    return found
