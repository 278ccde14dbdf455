"""``$metadata`` of a live SCM: its entity sets with their properties, and its enums.

Pure: the document comes in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from pipeline.errors import AnswerUnreadable


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Entity set → property → type without its namespace.

    Enum → members in the order of their values.
    """

    sets: Mapping[str, Mapping[str, str]]
    enums: Mapping[str, tuple[str, ...]]

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
    types: dict[str, dict[str, str]] = {}
    enums: dict[str, tuple[str, ...]] = {}
    sets: dict[str, str] = {}
    try:
        for element in _walk_elements(document):
            match _strip_namespace(element.tag):
                case "EntityType":
                    types[element.get("Name", "")] = _read_properties(element)
                case "EnumType":
                    enums[element.get("Name", "")] = _read_members(element)
                case "EntitySet":
                    sets[element.get("Name", "")] = _shorten_type(element.get("EntityType", ""))
                case _:
                    continue
            element.clear()
    except ET.ParseError as error:
        message = (
            "answered $metadata with something that is not XML, or with half of it. Check url, "
            "proxy and network."
        )
        raise AnswerUnreadable(message, where=system, again=True) from error
    return Model(sets={name: types.get(kind, {}) for name, kind in sets.items()}, enums=enums)


def _walk_elements(document: bytes) -> Iterator[ET.Element]:
    """Elements as they end: SCM's metadata is tens of megabytes long, a tree of it hundreds."""
    if b"<!DOCTYPE" in document[:4096] or b"<!ENTITY" in document:
        raise ET.ParseError("metadata needs no entities of its own, which could fill the memory")
    for _, element in ET.iterparse(io.BytesIO(document)):  # noqa: S314 - see above
        yield element


def _read_properties(element: ET.Element) -> dict[str, str]:
    return {
        one.get("Name", ""): _shorten_type(one.get("Type", ""))
        for one in element
        if _strip_namespace(one.tag) == "Property"
    }


def _read_members(element: ET.Element) -> tuple[str, ...]:
    members = [one for one in element if _strip_namespace(one.tag) == "Member"]
    numbered = [
        (int(one.get("Value", place)), one.get("Name", "")) for place, one in enumerate(members)
    ]
    return tuple(name for _, name in sorted(numbered))


def _strip_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def _shorten_type(name: str) -> str:
    """A type without its namespace; those of Edm keep theirs."""
    return name if name.startswith("Edm.") else name.rpartition(".")[2]
