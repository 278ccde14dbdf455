"""Reference data of SCM for the columns that a mapping fills, and fixed values missing in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.mapping.compile import CompiledTemplate
from pipeline.mapping.references import REFERENCES, References, ReferenceTarget
from pipeline.run.files import write_table
from pipeline.scm.contract import list_fixed_values
from pipeline.scm.literals import build_company_filter
from pipeline.scm.metadata import Model
from pipeline.wire.scm import Scm, ScmRow
from schemas.text import key_of

COMPANY: Final = "dataAreaId"
_COUNTRIES: Final = "AddressCountryRegions"
_STATES: Final = "AddressStates"
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    _COUNTRIES: ("CountryRegion", "ISOcode"),
    _STATES: ("CountryRegionId", "State"),
    **{
        one.entity_set: (COMPANY, one.property) if one.by_company else (one.property,)
        for one in REFERENCES.values()
        if one.entity_set not in {_COUNTRIES, _STATES}
    },
}
"""Entity set → the columns that are read from it."""

_BETWEEN: Final = "\x1f"


PROSPECTS: Final = "prospects.parquet"
_FILE: Final = "references.parquet"
_KEPT: Final = pl.Schema({"column": pl.String, "key": pl.String})


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadColumn:
    """A column that could not be checked, and the entity set that this SCM does not publish."""

    column: str
    entity_set: str


def read_references(
    scm: Scm, model: Model, mappings: Iterable[CompiledTemplate], legal_entities: Sequence[str]
) -> tuple[References, list[UnreadColumn]]:
    """Read what the mapped columns refer to; each entity set once.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    columns = dict.fromkeys(
        target.name
        for mapping in mappings
        for target in mapping.targets
        if target.name in REFERENCES
    )
    reader = _Reader(scm, model, legal_entities)
    known: dict[str, frozenset[str]] = {}
    unread: list[UnreadColumn] = []
    for column in columns:
        reference = REFERENCES[column]
        values = reader.values(reference)
        if values is None and reference.is_standard:
            unread.append(UnreadColumn(column=column, entity_set=reference.entity_set))
        elif values is not None:
            known[column] = values
    return References(known=known), unread


def keep_reference_data(
    folder: Path, references: References, prospects: pl.DataFrame | None
) -> None:
    """Keep the reference data and the prospects that SCM had.

    A column that has no value at all stands there with a null.
    """
    rows: list[tuple[str, str | None]] = []
    for column, keys in sorted(references.known.items()):
        rows += [(column, key) for key in sorted(keys)] or [(column, None)]
    write_table(folder / _FILE, pl.DataFrame(rows, schema=_KEPT, orient="row"))
    if prospects is not None:
        write_table(folder / PROSPECTS, prospects)


def restore_references(folder: Path) -> References:
    """The reference data that ``keep_reference_data`` wrote."""
    grouped = pl.read_parquet(folder / _FILE, glob=False).group_by("column").agg("key")
    return References(
        known={
            column: frozenset(key for key in keys if key is not None)
            for column, keys in grouped.iter_rows()
        }
    )


class _Reader:
    """Reads each entity set once, with all its columns that anything refers to."""

    def __init__(self, scm: Scm, model: Model, legal_entities: Sequence[str]) -> None:
        self._scm, self._model, self._entities = scm, model, legal_entities
        self._tables: dict[str, pl.DataFrame] = {}

    def values(self, reference: ReferenceTarget) -> frozenset[str] | None:
        """The values of a reference as keys; null where this SCM does not publish them."""
        if reference.within:
            return self._read_states()
        names = [*([COMPANY] if reference.by_company else []), reference.property]
        if not self._model.has(reference.entity_set, *names):
            return None
        return frozenset(_fold_keys(self._read_table(reference.entity_set), names))

    def _read_states(self) -> frozenset[str] | None:
        """States behind the id of their country, and behind its ISO code."""
        if not all(self._model.has(name, *_COLUMNS[name]) for name in (_STATES, _COUNTRIES)):
            return None
        states = self._read_table(_STATES)
        by_iso = states.join(
            self._read_table(_COUNTRIES), left_on="CountryRegionId", right_on="CountryRegion"
        )
        return frozenset(
            [
                *_fold_keys(states, ["CountryRegionId", "State"]),
                *_fold_keys(by_iso, ["ISOcode", "State"]),
            ]
        )

    def _read_table(self, entity_set: str) -> pl.DataFrame:
        if entity_set not in self._tables:
            self._tables[entity_set] = self._read(entity_set)
        return self._tables[entity_set]

    def _read(self, entity_set: str) -> pl.DataFrame:
        names = [name for name in _COLUMNS[entity_set] if self._model.has(entity_set, name)]
        options = {"select": ",".join(names)}
        if COMPANY in names:
            options["filter"] = build_company_filter(self._entities)
        pages = self._scm.pages(entity_set, **options)
        schema = dict.fromkeys(names, pl.String)
        return pl.concat([pl.DataFrame(schema=schema), *(tabulate(page, schema) for page in pages)])


def tabulate(page: Sequence[ScmRow], names: Iterable[str]) -> pl.DataFrame:
    """A page as a table of text; what a row does not have is null."""
    columns = {
        name: [None if row.get(name) is None else str(row[name]) for row in page] for name in names
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _fold_keys(rows: pl.DataFrame, names: Sequence[str]) -> list[str]:
    return (
        rows.select(pl.concat_str([key_of(pl.col(name)) for name in names], separator=_BETWEEN))
        .to_series()
        .drop_nulls()
        .to_list()
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingValue:
    """A value that a template produces, whatever the source says, and that SCM lacks.

    A blank legal entity means all of them.
    """

    task: str
    column: str
    value: str
    legal_entity: str


def find_missing(
    mappings: Iterable[CompiledTemplate], references: References, legal_entities: Sequence[str]
) -> Iterator[MissingValue]:
    """Fixed values that SCM does not have.

    Values that come from the source are checked contact by contact.
    """
    for mapping in mappings:
        for target in mapping.targets:
            reference = REFERENCES.get(target.name)
            if reference is None or reference.within or target.name not in references.known:
                continue
            for value in list_fixed_values(target):
                for entity in legal_entities if reference.by_company else [""]:
                    if not references.has(target.name, value, legal_entity=entity):
                        yield MissingValue(
                            task=mapping.template.task,
                            column=target.name,
                            value=value,
                            legal_entity=entity,
                        )
