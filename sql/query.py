"""The texts of queries: one file each, in a folder for each room that asks them.

A file begins with what one output row is, the relations it reads, its parameters and what is
unique. Two things may vary, and both are put in here only:

* ``{{name}}``: a relation, a column or a list of columns. ``query`` puts the names in, quoted.
* ``$name``: a value. A statement takes it as a parameter. A view and a prepared statement cannot,
  so ``with_literals`` writes the value into them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

Value = str | int | float | bool | None | Sequence[str] | Sequence[int]
"""What a query parameter can be."""

_NAMES: Final = re.compile(r"\{\{(\w+)\}\}")
_VALUES: Final = re.compile(r"\$(\w+)")
_ENDING: Final = ".sql"


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectColumn:
    """A column of a select list: the column ``of``, read by a macro if one is named."""

    name: str
    of: str
    macro: str = ""


Names = str | Sequence[str | SelectColumn]
"""What ``{{name}}`` can stand for."""


def query(name: str, package: str = "sql", /, **names: Names) -> str:
    """The text of a query file, without its comments.

    Args:
        name: folder and file without its ending, as in ``plan/route``.
        package: where the file is.
        names: what stands for each ``{{name}}`` of the text.

    Raises:
        TypeError: the text has other placeholders than ``list_queries``.
    """
    text = _read_text(package, name)
    wanted = set(_NAMES.findall(text))
    if wanted != names.keys():
        raise TypeError(f"{name} takes the names {sorted(wanted)}, not {sorted(names)}")
    return _NAMES.sub(lambda found: _list_names(names[found.group(1)]), text) if names else text


def with_literals(text: str, /, **values: Value) -> str:
    """The text with values in place of their ``$name``."""
    return _VALUES.sub(
        lambda found: literal(values[found[1]]) if found[1] in values else found[0], text
    )


def list_queries(package: str = "sql") -> list[str]:
    """All query files of a package, as ``query`` takes them."""
    return sorted(_list_below(files(package), ""))


def literal(value: Value) -> str:
    """A value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool | int | float):
        return repr(value).lower()
    return f"[{', '.join(map(literal, value))}]"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@cache
def _read_text(package: str, name: str) -> str:
    text = files(package).joinpath(f"{name}{_ENDING}").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines)


def _list_names(names: Names) -> str:
    if isinstance(names, str):
        return identifier(names)
    return ", ".join(_render_column(one) for one in names)


def _render_column(one: str | SelectColumn) -> str:
    if isinstance(one, str):
        return identifier(one)
    column = identifier(one.of)
    return f"{f'{one.macro}({column})' if one.macro else column} AS {identifier(one.name)}"


def _list_below(folder: Traversable, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _list_below(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_ENDING):
            yield f"{prefix}{entry.name.removesuffix(_ENDING)}"
