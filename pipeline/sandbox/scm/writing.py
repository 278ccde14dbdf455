"""Inserts, updates and deletes of rows, with the rules that OData and Data management share.

Values come typed: texts, members of enums, numbers, timestamps as ``2154-12-31T23:59:59Z``. A row
that breaks a rule is refused whole, with every rule that it breaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.sandbox.scm import addresses, infolog, parties
from pipeline.sandbox.scm.entities import COMPANY, ENTITIES, ScmEntity, ScmReference
from pipeline.sandbox.scm.infolog import Info, RowRefused
from pipeline.sandbox.scm.roles import ROLES
from pipeline.sandbox.scm.store import DuplicateKeyError, ScmRow, ScmStore, pick_key
from pipeline.sandbox.scm.switches import Switches

_TITLES: Final = (
    "Description",
    "Name",
    "OrganizationName",
    "PersonLastName",
    "LastName",
    "SiteName",
    "WarehouseName",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where rows are written: the database and this SCM's answers to the open questions."""

    store: ScmStore
    switches: Switches

    def insert(self, entity: ScmEntity, values: Mapping[str, Any]) -> ScmRow:
        """A new row; what is not given gets its default. Raises ``RowRefused``."""
        row = {**entity.blank, **values}
        with self.store.together():
            self._accept(entity, row, None, frozenset(values))
            try:
                made = self.store.insert(entity, row)
            except DuplicateKeyError as error:
                raise RowRefused(
                    [infolog.record_exists(entity, _render_title(entity, row))]
                ) from error
            self._keep_party(entity, made)
        return made

    def update(self, entity: ScmEntity, before: ScmRow, values: Mapping[str, Any]) -> ScmRow:
        """Change a row. Key fields stay as they are. Raises ``RowRefused``."""
        row = before | dict(values)
        with self.store.together():
            self._accept(entity, row, before, frozenset(values))
            changes = {
                one.name: row[one.name]
                for one in entity.properties
                if row[one.name] != before[one.name]
            }
            made = self.store.update(entity, before, changes)
            self._keep_party(entity, made)
        return made

    def upsert(self, entity: ScmEntity, values: Mapping[str, Any]) -> tuple[ScmRow, bool]:
        """The row with the key of ``values``, changed or new, and whether it is new.

        Raises ``RowRefused``.
        """
        before = self.store.find(entity, pick_key(entity, values))
        if before is None:
            return self.insert(entity, values), True
        return self.update(entity, before, values), False

    def delete(self, entity: ScmEntity, row: ScmRow) -> None:
        """Delete a row that nothing refers to. Raises ``RowRefused``."""
        for dependent in ENTITIES.values():
            for name, reference in dependent.references.items():
                if reference.entity_set == entity.name and self._refers(
                    dependent, name, reference, row
                ):
                    raise RowRefused([infolog.in_use(entity, dependent)])
        self.store.delete(entity, row)

    def _refers(
        self, dependent: ScmEntity, name: str, reference: ScmReference, row: ScmRow
    ) -> bool:
        scoped = COMPANY in row and COMPANY in dependent.by_name
        where = f'"{name}" = ?' + (f' AND "{COMPANY}" = ?' if scoped else "")
        parameters = [row[reference.target], *([row[COMPANY]] if scoped else [])]
        others = f'SELECT COUNT(*) FROM "{dependent.name}" WHERE {where}'
        own = (
            1
            if reference.entity_set == dependent.name and row[name] == row[reference.target]
            else 0
        )
        return int(self.store.value(others, parameters)) > own

    def _accept(
        self, entity: ScmEntity, row: ScmRow, before: ScmRow | None, changed: frozenset[str]
    ) -> None:
        infos = [
            *self._fields(entity, row, before, changed),
            *self._rules(entity, row, before, changed),
        ]
        infos += self._references(entity, row, before, changed)
        if infos:
            infos = _drop_repeats(infos)
            raise RowRefused([*infos, *infolog.validation_failed(entity, infos)])

    def _fields(
        self, entity: ScmEntity, row: ScmRow, before: ScmRow | None, changed: frozenset[str]
    ) -> Iterator[Info]:
        """Lengths, mandatory fields, and key fields, which stay as they are."""
        row.update(
            {name: self.switches.rewrites[name] for name in changed & self.switches.rewrites.keys()}
        )
        for name in changed:
            field, value = entity.by_name[name], row[name]
            if field.key and before is not None:
                if str(value).lower() != str(before[name]).lower():
                    yield infolog.error(f"Field '{field.label}' cannot be changed.", name)
                row[name] = before[name]
            if field.length and len(value) * 2 > field.length and _units(value) > field.length:
                if self.switches.too_long == "reject":
                    yield infolog.text_too_long(field)
                row[name] = _cut(value, field.length)
        yield from (
            infolog.must_be_filled(field) for field in entity.required if row[field.name] == ""
        )

    def _rules(
        self, entity: ScmEntity, row: ScmRow, before: ScmRow | None, changed: frozenset[str]
    ) -> Iterator[Info]:
        yield from addresses.complete_address(self.store, self.switches, entity, row, changed)
        if entity.name in ROLES:
            yield from ROLES[entity.name].complete(self.store, row, before)

    def _references(
        self, entity: ScmEntity, row: ScmRow, before: ScmRow | None, changed: frozenset[str]
    ) -> Iterator[Info]:
        """Values that must be there in another table; on an update, those that were set."""
        company = row.get(COMPANY, "")
        for name, reference in entity.references.items():
            value = row[name]
            if not value or (before is not None and name not in changed):
                continue
            itself = (
                reference.entity_set == entity.name
                and value.lower() == str(row[reference.target]).lower()
            )
            if not itself and not self.store.found(reference, value, company):
                related = reference.target if reference.is_setup else _name_related(reference)
                yield infolog.no_reference(entity.by_name[name], value, related)

    def _keep_party(self, entity: ScmEntity, row: ScmRow) -> None:
        if entity.name in ROLES:
            parties.keep_party(self.store, ROLES[entity.name].party(row))


def _name_related(reference: ScmReference) -> str:
    return ENTITIES[reference.entity_set].table.partition(" (")[0]


def _drop_repeats(infos: Iterable[Info]) -> list[Info]:
    return list(dict.fromkeys(infos))


def _render_title(entity: ScmEntity, row: ScmRow) -> str:
    """Key and title of a record, as the message about a duplicate has them."""
    keys = ", ".join(f"{one.label}: {row[one.name]}" for one in entity.own_keys)
    title = next((row[name] for name in _TITLES if row.get(name)), "")
    return f"{keys}, {title}" if title else keys


def _units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _cut(text: str, length: int) -> str:
    """The longest start of a text that fits and does not end inside a character."""
    return text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore")
