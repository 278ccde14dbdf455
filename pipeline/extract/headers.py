"""Spellings of columns: which column of a file means which column of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from pipeline.errors import SourceError, listed
from pipeline.suggest import near
from schemas.catalogue import Field, Table
from schemas.text import WHITE_SPACE


def _plain(header: str) -> str:
    return header.strip(WHITE_SPACE).casefold()


def picked(
    table: Table, headers: Sequence[str], file: str, *, extra: Collection[str] = (), wished: Collection[str] = ()
) -> dict[str, str]:
    """Catalogue column → header as written, for the columns that are there.

    Names of the Web API and of exports outrank display labels; a label beside a name is an extra column and ignored.

    Args:
        table: the catalogue's entry.
        headers: the file's columns.
        file: its name, for messages.
        extra: further columns that must be there.
        wished: further columns that are taken if they are there.

    Raises:
        SourceError: a header twice, two names of one column, or a required column missing; all missing ones at once.
    """
    _refuse_doubles(headers, file)
    written = {_plain(header): header for header in headers}
    found: dict[str, str] = {}
    for field in table.fields:
        header = _header_of(field, written, file)
        if header is not None:
            found[field.name] = header
    known = {field.name for field in table.fields}
    for name in [*extra, *wished]:
        if name not in known and _plain(name) in written:
            found[name] = written[_plain(name)]
    problems = [*_missing(table, found, headers), *_missing_extra(extra, found, headers)]
    if problems:
        raise SourceError(listed(problems), where=file)
    return found


def _refuse_doubles(headers: Sequence[str], file: str) -> None:
    counts = Counter(_plain(header) for header in headers if _plain(header))
    for name, count in counts.items():
        if count > 1:
            places = [str(place) for place, header in enumerate(headers, start=1) if _plain(header) == name]
            raise SourceError(f"the column '{name}' is there {count} times, in columns {', '.join(places)}.", where=file)


def _header_of(field: Field, written: Mapping[str, str], file: str) -> str | None:
    names = [written[_plain(name)] for name in (field.name, *field.names) if _plain(name) in written]
    if len(names) > 1:
        raise SourceError(f"the columns '{names[0]}' and '{names[1]}' both mean {field.name}; leave one out.", where=file)
    if names:
        return names[0]
    return written.get(_plain(field.label)) if field.label else None


def _missing(table: Table, found: Mapping[str, str], headers: Sequence[str]) -> list[str]:
    problems = []
    for group in table.required:
        if any(name in found for name in group):
            continue
        if len(group) > 1:
            problems.append(f"there is none of the columns {', '.join(group)}; at least one is needed.")
            continue
        field = table.field(group[0])
        label = f" ({field.label})" if field is not None and field.label else ""
        spellings = (group[0], *(field.names if field else ()), *((field.label,) if field and field.label else ()))
        hint = next((text for text in (near(one, headers) for one in spellings) if text), "")
        problems.append(f"there is no column {group[0]}{label}.{hint}")
    return problems


def _missing_extra(extra: Collection[str], found: Mapping[str, str], headers: Sequence[str]) -> list[str]:
    return [
        f"there is no column '{name}', which the project's mapping uses.{near(name, headers)}"
        for name in sorted(extra)
        if name not in found
    ]
