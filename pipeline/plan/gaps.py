"""What an export lacks: columns that templates map, or the filter names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pipeline.extract.landing import LandedTable, SourceFile
from pipeline.extract.records import Note
from pipeline.mapping.template import MappingRow
from pipeline.plan.source import list_filter_columns
from pipeline.project.resolve import Project
from schemas.sales import CONTACTS

_PLURALS: Final = {"is": "are", "takes": "take", "stays": "stay"}


def list_column_gaps(project: Project, landed: Mapping[str, LandedTable]) -> Iterator[Note]:
    """One note for each column of templates and filter that contacts lack, or some files do."""
    contacts = landed[CONTACTS.name]
    if not contacts.rows:
        return
    named = dict.fromkeys(sorted(list_filter_columns(project)), ())
    for source, rows in {**named, **_list_mapped(project)}.items():
        column, *_ = spellings = _list_columns(source)
        if not contacts.columns.keys() & set(spellings):
            yield _note_gap(project, column, rows, f"in {_count_rows(contacts.rows)}")
            continue
        lacking = [one for one in contacts.sources if _lacks(one, spellings)]
        if lacking:
            count = sum(one.rows for one in lacking)
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            place = f"in {_count_rows(count)} of {lacking[0].name}{more}"
            yield _note_gap(project, column, rows, place, lacking[0].name)


def _list_mapped(project: Project) -> dict[str, list[tuple[str, MappingRow]]]:
    """Source column or path → the destination columns that it fills, and their rows."""
    found: dict[str, list[tuple[str, MappingRow]]] = {}
    for template in project.templates.values():
        for one in template.rows:
            if one.row.source:
                found.setdefault(one.row.source, []).append((one.destination, one.row))
    return found


def _list_columns(source: str) -> list[str]:
    """The columns one of which must be there: of a path its lookup, or the path itself."""
    return list(dict.fromkeys([source.partition(".")[0], source]))


def _lacks(one: SourceFile, columns: Collection[str]) -> bool:
    return one.columns is not None and one.rows > 0 and one.columns.isdisjoint(columns)


def _note_gap(
    project: Project,
    column: str,
    rows: Sequence[tuple[str, MappingRow]],
    place: str,
    file: str | None = None,
) -> Note:
    effects: dict[str, dict[str, None]] = {}
    for destination, row in rows:
        effects.setdefault(_tell_blank(project, row), {})[destination] = None
    told = [
        f"{' and '.join(names)} {effect if len(names) == 1 else _make_plural(effect)}"
        for effect, names in effects.items()
    ]
    return Note(
        code="column_missing",
        detail=f"{', '.join(told) or 'source.filter sees a blank'} {place}",
        column=column,
        source_file=file,
    )


def _tell_blank(project: Project, row: MappingRow) -> str:
    """What a blank source value becomes in a destination column."""
    if row.value_map is not None and "" in row.value_map:
        return f"is {row.value_map['']}"
    setting = project.defaults.get(row.default_setting) if row.default_setting else None
    if row.default is not None or setting is not None:
        return "takes its default"
    return "stays blank"


def _count_rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _make_plural(effect: str) -> str:
    verb, _, rest = effect.partition(" ")
    return f"{_PLURALS[verb]} {rest}".replace("its default", "their defaults")
