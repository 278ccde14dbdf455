"""What a Parquet file's own statistics prove of its columns, without reading them.

A link writes a row's id twice; as long as the first column has no blank, the second one is not
needed, and the file can be read where it lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow.parquet as pq

from pipeline.extract.headers import ColumnSelection
from schemas.text import NO_GUID

_FIRST, _LAST = "!", "~"
"""Printable ASCII but for the space: text whose lowest and highest values begin so is not blank."""
_TEXTS: Final = "BYTE_ARRAY"


def drop_needless_spellings(
    columns: Mapping[str, tuple[str, ...]], file: pq.FileMetaData, selection: ColumnSelection
) -> dict[str, tuple[str, ...]]:
    """The columns without spellings that cannot change them: they are all null, or only fill gaps.

    Args:
        columns: canonical column → its spellings in the file, the best one first.
        file: its metadata.
        selection: the columns that are wanted.
    """
    if all(len(spellings) == 1 for spellings in columns.values()):
        return dict(columns)
    places = {file.schema.column(place).path: place for place in range(file.num_columns)}
    proof = _Proof(file, places)
    return {name: _drop(name, used, proof, selection) for name, used in columns.items()}


def _drop(
    name: str, spellings: tuple[str, ...], proof: _Proof, selection: ColumnSelection
) -> tuple[str, ...]:
    if len(spellings) == 1:
        return spellings
    needed = tuple(one for one in spellings if not proof.is_null(one)) or spellings[:1]
    if selection.fills_gaps(name) and proof.is_filled(needed[0]):
        return needed[:1]
    return needed


class _Proof:
    """Statistics of the columns, over all row groups; what they do not say is not proved."""

    def __init__(self, file: pq.FileMetaData, places: Mapping[str, int]) -> None:
        self._file, self._places = file, places

    def is_null(self, header: str) -> bool:
        """Whether every cell is null."""
        return all(
            one is not None and one.has_null_count and one.null_count == rows
            for one, rows in self._list_statistics(header)
        )

    def is_filled(self, header: str) -> bool:
        """Whether no cell is null or blank, or the id that stands for none."""
        return all(_is_filled(one) for one, _ in self._list_statistics(header))

    def _list_statistics(self, header: str) -> list[tuple[pq.Statistics | None, int]]:
        place = self._places.get(header)
        if place is None:
            return [(None, 0)]
        groups = [self._file.row_group(group) for group in range(self._file.num_row_groups)]
        return [(one.column(place).statistics, one.num_rows) for one in groups]


def _is_filled(one: pq.Statistics | None) -> bool:
    if one is None or not one.has_null_count or one.null_count or not one.has_min_max:
        return False
    if one.physical_type != _TEXTS:
        return True
    lowest, highest = _to_text(one.min), _to_text(one.max)
    return lowest[:1] >= _FIRST and highest[:1] <= _LAST and NO_GUID not in lowest


def _to_text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
