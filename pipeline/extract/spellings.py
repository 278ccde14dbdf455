"""One column out of the several spellings that a file has of it, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from schemas.catalogue import Field, Type
from schemas.text import NO_GUID, WHITE_SPACE

Cells: TypeAlias = pa.Array | pa.ChunkedArray


def merge_spellings(spellings: Sequence[Cells], field: Field, *, is_key: bool = False) -> Cells:
    """The first filled value of each row.

    Where two spellings are filled and mean different things, both are kept, as ``one / other``: no
    reader takes that for a value, so it becomes a finding of its row. A key's further spelling is a
    fallback only, and a better spelling is no contradiction. A decisive value wins over all others.

    Args:
        spellings: cells of equal length, the best spelling first.
        field: the column.
        is_key: it is the table's primary id.
    """
    if len(spellings) == 1:
        return spellings[0]
    if len({cells.type for cells in spellings}) > 1:
        spellings = [cells.cast(pa.string()) for cells in spellings]
    if field.type is Type.GUID:
        spellings = [_drop_none(cells) for cells in spellings]
    if field.decisive:
        return reduce(partial(_decide, field.decisive), map(_to_text, spellings))
    may_differ = is_key or bool(field.better) or spellings[0].type != pa.string()
    return reduce(_fill if may_differ else partial(_join, field.alike), spellings)


def _fill(best: Cells, other: Cells) -> Cells:
    return pc.if_else(_is_filled(best), best, other)


def _decide(values: Sequence[str], best: Cells, other: Cells) -> Cells:
    """The other cell where it decides, or the best one is blank."""
    decides = pc.is_in(pc.utf8_lower(_trim(other)), value_set=pa.array(values, pa.string()))
    return pc.if_else(decides, other, _fill(best, other))


def _to_text(cells: Cells) -> Cells:
    return cells if cells.type == pa.string() else cells.cast(pa.string())


def _join(alike: Mapping[str, str], best: Cells, other: Cells) -> Cells:
    differ = _find_different(best, other, {})
    if alike and pc.any(differ).as_py():
        differ = _find_different(best, other, alike)
    if not pc.any(differ).as_py():
        return _fill(best, other)
    both = pc.binary_join_element_wise(best, other, " / ")
    return pc.if_else(pc.fill_null(differ, False), both, _fill(best, other))


def _find_different(best: Cells, other: Cells, alike: Mapping[str, str]) -> Cells:
    """Where both are filled, and mean different things."""
    both = pc.and_(_is_filled(best), _is_filled(other))
    one, two = (_translate(_fold(cells), alike) for cells in (best, other))
    return pc.and_kleene(both, pc.not_equal(one, two))


def _translate(cells: Cells, alike: Mapping[str, str]) -> Cells:
    """Each word as the one that stands for all that mean the same."""
    if not alike:
        return cells
    place = pc.index_in(cells, value_set=pa.array(list(alike), pa.string()))
    return pc.coalesce(pa.array(list(alike.values()), pa.string()).take(place), cells)


def _drop_none(cells: Cells) -> Cells:
    """Ids without the one that stands for none."""
    if cells.type != pa.string():
        return cells
    is_none = pc.or_(pc.starts_with(cells, NO_GUID), pc.starts_with(cells, "{" + NO_GUID))
    if not pc.any(is_none).as_py():
        return cells
    return pc.if_else(is_none, pa.scalar(None, pa.string()), cells)


def _is_filled(cells: Cells) -> Cells:
    if cells.type != pa.string():
        return pc.is_valid(cells)
    return pc.fill_null(pc.greater(pc.binary_length(_trim(cells)), 0), False)


def _trim(cells: Cells) -> Cells:
    return pc.utf8_trim(cells, WHITE_SPACE)


def _fold(cells: Cells) -> Cells:
    """The form in which two spellings are compared: braces of a GUID and case mean nothing."""
    return pc.utf8_lower(pc.utf8_trim(_trim(cells), "{}"))
