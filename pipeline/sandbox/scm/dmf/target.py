"""Staging to target: each staged row is inserted or updated by its key.

A row that is refused leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from pipeline.sandbox.scm import infolog
from pipeline.sandbox.scm.dmf.staging import Staged, StagedRow, make_record_id
from pipeline.sandbox.scm.entities import COMPANY, ScmEntity
from pipeline.sandbox.scm.infolog import RowRefused
from pipeline.sandbox.scm.languages import translate_infos
from pipeline.sandbox.scm.store import pick_key
from pipeline.sandbox.scm.writing import Desk

ROWS_AT_ONCE: Final = 250
"""Rows between two moments at which others may read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetError:
    """One staged row that SCM refused."""

    number: int
    record: str
    field: str
    message: str
    key: Mapping[str, str]


@dataclass(kw_only=True, slots=True)
class Written:
    """What the target phase came to."""

    created: int = 0
    updated: int = 0
    errors: list[TargetError] = field(default_factory=list)


def write_target(
    desk: Desk, entity: ScmEntity, staged: Staged, company: str, written: Written
) -> None:
    """Write the staged rows into a legal entity, counting in ``written`` as it goes."""
    rows = iter(staged.rows)
    while part := list(islice(rows, ROWS_AT_ONCE)):
        with desk.store.transaction():
            for row in part:
                _write(desk, entity, row, staged, company, written)


def _write(
    desk: Desk, entity: ScmEntity, row: StagedRow, staged: Staged, company: str, written: Written
) -> None:
    values = dict(row.values) if entity.shared else {COMPANY: company, **row.values}
    try:
        _need_key(entity, values, staged)
        _, created = desk.upsert(entity, _drop_empty(desk, entity, values))
    except RowRefused as refusal:
        written.errors.append(_error(entity, row, refusal.infos, desk.switches.language))
        return
    if created:
        written.created += 1
    else:
        written.updated += 1


def _need_key(entity: ScmEntity, values: Mapping[str, Any], staged: Staged) -> None:
    """Numbers come from a number sequence only where the mapping asks for it."""
    blank = [
        one
        for one in entity.own_keys
        if not values.get(one.name) and one.name not in staged.auto_generated
    ]
    if blank:
        raise RowRefused([infolog.must_be_filled(one) for one in blank])


def _drop_empty(desk: Desk, entity: ScmEntity, values: dict[str, Any]) -> dict[str, Any]:
    """The values without the empty cells, if those are to leave a row as it is."""
    if (
        desk.switches.empty_cells == "blank"
        or desk.store.find(entity, pick_key(entity, values)) is None
    ):
        return values
    keys = {one.name for one in entity.keys}
    return {
        name: value
        for name, value in values.items()
        if name in keys or value != entity.by_name[name].default
    }


def _error(
    entity: ScmEntity, row: StagedRow, infos: Sequence[infolog.Info], language: str
) -> TargetError:
    fields = {info.field for info in infos if info.field}
    name = fields.pop().upper() if len(fields) == 1 else ""
    return TargetError(
        number=row.number,
        record=make_record_id(entity, row.values),
        field=name,
        message=infolog.render_for_staging(translate_infos(infos, language)),
        key={one.name: str(row.values.get(one.name, "")) for one in entity.own_keys},
    )
