"""``$metadata`` of a live SCM: its entity sets with their properties, and its enums.

Pure: the document comes in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from pipeline.errors import AnswerUnreadable


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Entity set → property → type without its namespace.

    Enum → members in the order of their values.
    """

    sets: Mapping[str, Mapping[str, str]]
    enums: Mapping[str, tuple[str, ...]]
    lengths: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Entity set → property → its longest text, in characters, where the document says so."""
    computed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entity set → properties that SCM fills itself."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entity set → the properties of its key, where the document says so."""
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entity set → texts that a new record must have, without those of its key, those that SCM
    fills itself and those with a default. Numbers and times are never null; that says nothing."""

    def length(self, entity_set: str, name: str) -> int | None:
        """The longest text of a property; null where SCM does not say."""
        return self.lengths.get(entity_set, {}).get(name)

    def has(self, entity_set: str, *properties: str) -> bool:
        """Whether a set is there with these properties."""
        return entity_set in self.sets and all(name in self.sets[entity_set] for name in properties)


def read_model(document: bytes, system: str) -> Model:
    """Read ``$metadata``.

    Args:
        document: CSDL 4.0 as XML.
        system: the name for messages.

    Raises:
        AnswerUnreadable: it is not such a document.
    """
    types: dict[str, _EntityType] = {}
    enums: dict[str, tuple[str, ...]] = {}
    sets: dict[str, str] = {}
    try:
        for element in _walk_elements(document):
            match _strip_namespace(element.tag):
                case "EntityType":
                    types[element.get("Name", "")] = _read_type(element)
                case "EnumType":
                    enums[element.get("Name", "")] = _read_members(element)
                case "EntitySet":
                    sets[element.get("Name", "")] = _shorten_type(element.get("EntityType", ""))
                case _:
                    continue
            element.clear()
    except (ET.ParseError, LookupError, ValueError) as error:
        raise _refuse_document(system) from error
    if not sets:
        raise _refuse_document(system)
    whole = {name: _inherit(kind, types) for name, kind in sets.items()}
    return Model(
        sets={name: one.properties for name, one in whole.items()},
        enums=enums,
        lengths={name: one.lengths for name, one in whole.items() if one.lengths},
        computed={name: frozenset(one.computed) for name, one in whole.items() if one.computed},
        keys={name: tuple(one.key) for name, one in whole.items() if one.key},
        required={name: found for name, one in whole.items() if (found := one.list_required())},
    )


def _refuse_document(system: str) -> AnswerUnreadable:
    message = (
        "answered $metadata with something that is not XML, with another page, or with half of it. "
        "Check url, proxy and network."
    )
    return AnswerUnreadable(message, where=system, again=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class _EntityType:
    """The properties of an entity type, in order, and the type that it has more of them from."""

    base: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    """Texts that are never null and have no default."""

    def list_required(self) -> tuple[str, ...]:
        """Texts that whoever makes a record must give it."""
        return tuple(
            name for name in self.filled if name not in self.key and name not in self.computed
        )


def _inherit(name: str, types: Mapping[str, _EntityType]) -> _EntityType:
    """A type with all that it has from its base types."""
    line: list[str] = []
    while name in types and name not in line:
        line.append(name)
        name = types[name].base
    whole = _EntityType()
    for one in reversed(line):
        whole.properties.update(types[one].properties)
        whole.lengths.update(types[one].lengths)
        whole.computed.extend(types[one].computed)
        whole.key.extend(types[one].key)
        whole.filled.extend(types[one].filled)
    return whole


def _walk_elements(document: bytes) -> Iterator[ET.Element]:
    """Elements as they end: SCM's metadata is tens of megabytes long, a tree of it hundreds."""
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise ET.ParseError("metadata needs no entities of its own, which could fill the memory")
    if b"\x00" in document:
        raise ET.ParseError("metadata is UTF-8; entities could hide in another encoding")
    for _, element in ET.iterparse(io.BytesIO(document)):  # noqa: S314 - see above
        yield element


def _read_type(element: ET.Element) -> _EntityType:
    made = _EntityType(base=_shorten_type(element.get("BaseType", "")))
    for one in element:
        if _strip_namespace(one.tag) == "Key":
            made.key.extend(name for part in one if (name := part.get("Name")))
        if _strip_namespace(one.tag) != "Property":
            continue
        name, length = one.get("Name", ""), one.get("MaxLength", "")
        made.properties[name] = _shorten_type(one.get("Type", ""))
        if length.isascii() and length.isdigit() and int(length):
            made.lengths[name] = int(length)
        if any(map(_says_computed, one)):
            made.computed.append(name)
        if _is_filled(one):
            made.filled.append(name)
    return made


def _is_filled(one: ET.Element) -> bool:
    is_never_null = one.get("Nullable", "true").strip().lower() == "false"
    return is_never_null and one.get("Type") == "Edm.String" and one.get("DefaultValue") is None


def _says_computed(annotation: ET.Element) -> bool:
    term = annotation.get("Term", "").rpartition(".")[2]
    return term == "Computed" and annotation.get("Bool", "true") == "true"


def _read_members(element: ET.Element) -> tuple[str, ...]:
    members = [one for one in element if _strip_namespace(one.tag) == "Member"]
    numbered = [
        (_read_number(one.get("Value", ""), place), one.get("Name", ""))
        for place, one in enumerate(members)
    ]
    return tuple(name for _, name in sorted(numbered))


def _read_number(text: str, place: int) -> int:
    """The value of a member; its place where it has none."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else place


def _strip_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def _shorten_type(name: str) -> str:
    """A type without its namespace; those of Edm, and collections, keep theirs."""
    return name if name.startswith(("Edm.", "Collection(")) else name.rpartition(".")[2]
