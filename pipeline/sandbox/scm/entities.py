"""The catalogue of the SCM twin: its entity sets, their properties and the enums.

The facts stand in ``entities.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

COMPANY: Final = "dataAreaId"
"""The key field that every entity of a legal entity has."""

SETUP: Final = "setup"
"""The home of codes that other fields refer to and that have no entity here, such as terms of
payment."""

DATA_ENTITIES: Final = "Microsoft.Dynamics.DataEntities"


class PropertyKind(StrEnum):
    """What a property holds."""

    STRING = "string"
    ENUM = "enum"
    INT = "int"
    INT64 = "int64"
    DECIMAL = "decimal"
    DATETIME = "datetime"


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """One property.

    ``length`` counts UTF-16 code units, null is unbounded; ``members`` are those of the enum, by
    value.
    """

    name: str
    kind: PropertyKind
    label: str
    length: int | None = None
    enum: str = ""
    members: tuple[str, ...] = ()
    key: bool = False
    mandatory: bool = False

    @property
    def staging_name(self) -> str:
        """Its name in a data file and a mapping."""
        return self.name.upper()

    @property
    def default(self) -> str | int | float:
        """What the field holds when it was not set: no field of F&O is null."""
        match self.kind:
            case PropertyKind.STRING:
                return ""
            case PropertyKind.ENUM:
                return self.members[0]
            case PropertyKind.INT | PropertyKind.INT64:
                return 0
            case PropertyKind.DECIMAL:
                return 0.0
            case PropertyKind.DATETIME:
                return "1900-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmReference:
    """What the value of a field must be found in.

    A field of an entity set, or a list of codes of the setup.
    """

    entity_set: str
    target: str

    @property
    def is_setup(self) -> bool:
        """Whether the codes have no entity set."""
        return self.entity_set == SETUP


@dataclass(frozen=True, kw_only=True)
class ScmEntity:
    """One entity set.

    ``table`` is how messages name the table behind it; ``aot_known`` says whether a source gives
    ``aot``.
    """

    name: str
    label: str
    other_labels: tuple[str, ...]
    labels_in: Mapping[str, str]
    """Language → the label; in all others it is the English one."""
    type: str
    aot: str
    aot_known: bool
    table: str
    shared: bool
    readonly: bool
    dmf: bool
    properties: tuple[Property, ...]
    references: Mapping[str, ScmReference] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Property]:
        """Properties by their names."""
        return {one.name: one for one in self.properties}

    @cached_property
    def by_staging_name(self) -> Mapping[str, Property]:
        """Properties by their names in a data file."""
        return {one.staging_name: one for one in self.properties}

    @cached_property
    def keys(self) -> tuple[Property, ...]:
        """The key, the legal entity first."""
        return tuple(one for one in self.properties if one.key)

    @cached_property
    def own_keys(self) -> tuple[Property, ...]:
        """The key without the legal entity."""
        return tuple(one for one in self.keys if one.name != COMPANY)

    @cached_property
    def required(self) -> tuple[Property, ...]:
        """What must be filled in."""
        return tuple(one for one in self.properties if one.mandatory)

    @cached_property
    def blank(self) -> Mapping[str, str | int | float]:
        """A row in which nothing was set."""
        return {one.name: one.default for one in self.properties}

    def find_labels(self, language: str) -> tuple[str, ...]:
        """The names under which Data management knows it in a language; the first is shown."""
        own = self.labels_in.get(language)
        return (self.label, *self.other_labels) if own is None else (own,)

    @property
    def table_name(self) -> str:
        """The name of the table in code."""
        return self.table.partition("(")[2].rstrip(")")


_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[0-9]+")


def _label(name: str) -> str:
    words = _WORDS.findall(name)
    if len(words) > 1 and words[-1] in ("Id", "Code"):
        words.pop()
    return (
        " ".join([words[0], *(word if word.isupper() else word.lower() for word in words[1:])])
        if words
        else name
    )


def _property(
    name: str, spec: str, entity: Mapping[str, Any], enums: Mapping[str, tuple[str, ...]]
) -> Property:
    kind, _, size = spec.partition(" ")
    is_enum = kind in enums
    return Property(
        name=name,
        kind=PropertyKind.ENUM if is_enum else PropertyKind(kind),
        label=entity.get("labels", {}).get(name) or _label(name),
        length=int(size) if size else None,
        enum=kind if is_enum else "",
        members=enums[kind] if is_enum else (),
        key=name in entity["key"],
        mandatory=name in entity.get("mandatory", entity["key"]),
    )


def _entity(name: str, spec: Mapping[str, Any], enums: Mapping[str, tuple[str, ...]]) -> ScmEntity:
    properties = [_property(one, text, spec, enums) for one, text in spec["properties"].items()]
    if not spec.get("shared", False):
        properties.insert(
            0,
            Property(
                name=COMPANY,
                kind=PropertyKind.STRING,
                label="Company",
                length=4,
                key=True,
                mandatory=True,
            ),
        )
    references = {one: _reference(text) for one, text in spec.get("references", {}).items()}
    if not spec.get("shared", False):
        references[COMPANY] = ScmReference(entity_set="LegalEntities", target="LegalEntityId")
    return ScmEntity(
        name=name,
        label=spec["label"],
        other_labels=tuple(spec.get("other_labels", ())),
        labels_in=MappingProxyType(spec.get("labels_in", {})),
        type=spec["type"],
        aot=spec["aot"],
        aot_known=spec.get("known", True),
        table=spec["table"],
        shared=spec.get("shared", False),
        readonly=spec.get("readonly", False),
        dmf=spec.get("dmf", True),
        properties=tuple(properties),
        references=MappingProxyType(references),
    )


def _reference(text: str) -> ScmReference:
    entity_set, target = text.split(".", 1)
    return ScmReference(entity_set=entity_set, target=target)


def _load() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, ScmEntity]]:
    text = resources.files(__package__).joinpath("entities.toml").read_text(encoding="utf-8")
    facts = tomllib.loads(text)
    enums = {name: tuple(members) for name, members in facts["enums"].items()}
    return enums, {name: _entity(name, spec, enums) for name, spec in facts["sets"].items()}


_FACTS: Final = _load()

ENUMS: Final = MappingProxyType(_FACTS[0])
"""The members of every enum, by value."""

ENTITIES: Final = MappingProxyType(_FACTS[1])
"""The entities, by their sets."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Catalogue:
    """The entities of one SCM, by their sets: the standard ones, or with columns of a site."""

    entities: Mapping[str, ScmEntity]


CATALOGUE: Final = Catalogue(entities=ENTITIES)
"""An SCM that nobody extended."""


def extend_catalogue(columns: Mapping[str, Mapping[str, str]]) -> Catalogue:
    """An SCM whose site added columns, or changed the length or the type of standard ones.

    ``columns``: entity set → property → what it holds, as ``entities.toml`` writes it.
    """
    if not columns:
        return CATALOGUE
    extended = {name: _extend(ENTITIES[name], more) for name, more in columns.items()}
    return Catalogue(entities=MappingProxyType({**ENTITIES, **extended}))


def _extend(entity: ScmEntity, columns: Mapping[str, str]) -> ScmEntity:
    facts = {
        "key": [one.name for one in entity.keys],
        "mandatory": [one.name for one in entity.required],
        "labels": {one.name: one.label for one in entity.properties},
    }
    made = {name: _property(name, spec, facts, ENUMS) for name, spec in columns.items()}
    kept = (made.pop(one.name, one) for one in entity.properties)
    return replace(entity, properties=(*kept, *made.values()))


def find_by_label(label: str, language: str) -> ScmEntity | None:
    """The entity that Data management knows by this label in a language, exactly as written."""
    return next(
        (one for one in ENTITIES.values() if one.dmf and label in one.find_labels(language)), None
    )
