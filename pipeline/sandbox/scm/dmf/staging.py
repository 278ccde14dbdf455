"""Source to staging: a data file through the mapping into typed rows.

What does not fit stays behind as an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.sandbox.scm.cells import CellError, read_cell
from pipeline.sandbox.scm.dmf.datafile import (
    DataFile,
    FileError,
    Line,
    read_delimited_file,
    read_xml_file,
)
from pipeline.sandbox.scm.dmf.package import EntityFile, FieldMap, PackageError
from pipeline.sandbox.scm.entities import Property, ScmEntity
from pipeline.sandbox.scm.switches import Switches

_XML: Final = {"XML-Element": False, "XML-Attribute": True}
_EXCEL: Final = "EXCEL"


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedRow:
    """One row in the staging table.

    Typed values by property, and the key fields that SCM is to number itself.
    """

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StagingError:
    """One row that could not be staged, as it came.

    ``record`` is its key as far as it could be read.
    """

    number: int
    text: str
    message: str
    record: str = ""
    field: str = ""


@dataclass(kw_only=True, slots=True)
class Staged:
    """What staging came to.

    ``failed`` says why not one row of the file was staged, else it is empty.
    """

    total: int = 0
    rows: list[StagedRow] = field(default_factory=list)
    errors: list[StagingError] = field(default_factory=list)
    failed: str = ""
    header: tuple[str, ...] = ()
    auto_generated: frozenset[str] = frozenset()


def stage(entity: ScmEntity, definition: EntityFile, content: bytes, switches: Switches) -> Staged:
    """Stage one data file. Raises ``PackageError`` for what stops the whole import."""
    if not definition.maps:
        return Staged()  # nothing is mapped, so nothing is read, and nothing is wrong
    maps = _map(entity, definition)
    staged = Staged(
        auto_generated=frozenset(
            maps[one.source_field].name for one in definition.maps if one.auto_generated
        )
    )
    try:
        file = _open(definition, content, switches)
        _check_columns(file, definition.maps)
        staged.header = file.columns
        for line in file.rows:
            staged.total += 1
            _stage_row(entity, maps, line, switches, staged)
        _refuse_repeats(entity, switches, staged)
    except FileError as error:
        staged.failed, staged.rows = str(error), []
    return staged


def make_record_id(entity: ScmEntity, values: Mapping[str, Any]) -> str:
    """How errors name a row: the values of its key without the legal entity."""
    return ",".join(str(values.get(one.name, "")) for one in entity.own_keys)


def _open(definition: EntityFile, content: bytes, switches: Switches) -> DataFile:
    name = definition.source_format
    if name in _XML:
        return read_xml_file(content, attributes=_XML[name])
    if name in switches.code_pages:
        return read_delimited_file(
            content, switches.code_pages[name], definition.maps, definition.label
        )
    if name == _EXCEL:
        raise FileError("DMF040: The Excel query failed.")
    raise PackageError(f"Source data format '{name}' does not exist.")


def _map(entity: ScmEntity, definition: EntityFile) -> Mapping[str, Property]:
    """The property that each column of the file fills."""
    unknown = [
        one.entity_field
        for one in definition.maps
        if one.entity_field not in entity.by_staging_name
    ]
    if unknown:
        raise PackageError(
            f"The mapping is incorrect for entity {definition.label} and field {unknown[0]}."
        )
    return {one.source_field: entity.by_staging_name[one.entity_field] for one in definition.maps}


def _check_columns(file: DataFile, maps: Sequence[FieldMap]) -> None:
    mapped = {one.source_field for one in maps}
    missing = sorted(mapped - set(file.columns))
    if missing and file.columns:
        raise FileError(f"DMF2025: Column '{missing[0]}' was not found in the input file.")
    unmapped = [column for column in file.columns if column not in mapped]
    if unmapped:
        raise FileError(f"DMF2022: Column '{unmapped[0]}' of the input file is not mapped.")


def _stage_row(
    entity: ScmEntity, maps: Mapping[str, Property], line: Line, switches: Switches, staged: Staged
) -> None:
    if line.problem:
        staged.errors.append(StagingError(number=line.number, text=line.text, message=line.problem))
        return
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for column, one in maps.items():
        try:
            values[one.name] = read_cell(one, line.cells.get(column, ""), switches)
        except CellError as error:
            problems.append((one.staging_name, str(error)))
    if problems:
        staged.errors.append(_error(line, make_record_id(entity, values), problems))
    else:
        staged.rows.append(StagedRow(number=line.number, values=values))


def _error(line: Line, record: str, problems: Sequence[tuple[str, str]]) -> StagingError:
    fields = problems[0][0] if len(problems) == 1 else ""
    message = " ".join(text for _, text in problems)
    return StagingError(
        number=line.number, text=line.text, message=message, record=record, field=fields
    )


def _refuse_repeats(entity: ScmEntity, switches: Switches, staged: Staged) -> None:
    """Staging has a primary key.

    Rows that share theirs fail the file, or the later ones fail alone.
    """
    repeated = list(_find_repeats(entity, staged))
    if repeated and switches.duplicates_in_file == "file":
        named = make_record_id(entity, repeated[0].values)
        raise FileError(f"DMF1959: Multiple rows have the same key column values: {named}.")
    numbers = {row.number for row in repeated}
    staged.rows = [row for row in staged.rows if row.number not in numbers]
    for row in repeated:
        text = "DMF1959: Another row has the same key column values."
        staged.errors.append(
            StagingError(
                number=row.number, text="", message=text, record=make_record_id(entity, row.values)
            )
        )


def _find_repeats(entity: ScmEntity, staged: Staged) -> Iterator[StagedRow]:
    names = [one.name for one in entity.own_keys if one.name not in staged.auto_generated]
    seen: set[tuple[str, ...]] = set()
    for row in staged.rows:
        key = tuple(str(row.values.get(name, "")).lower() for name in names)
        if names and key in seen:
            yield row
        seen.add(key)
