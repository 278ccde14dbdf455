"""A data package as Data management opens it.

The zip, its header, its manifest, one data file for each entity.

Strict as the .NET serialiser that reads it: the exact namespace, and children in alphabetical
order, since what comes out of order is skipped and so missing.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from pipeline.sandbox.wire import xmltree
from pipeline.sandbox.wire.xmltree import XmlError

MANIFEST_NAMESPACE: Final = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
MANIFEST_TYPE: Final = (
    "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization."
    "DataManagementPackageManifest"
)

_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_VERSIONS: Final = ("1", "2")


class PackageError(Exception):
    """The package as a whole cannot be imported; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldMap:
    """One column of a data file and the staging field that it fills."""

    entity_field: str
    source_field: str
    text_qualifier: bool
    auto_generated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityFile:
    """One entity of the manifest and its data file."""

    label: str
    target: str
    file: str
    source_format: str
    maps: tuple[FieldMap, ...]
    disabled: bool
    unit: int
    level: int
    sequence: int
    fail_unit: bool
    fail_level: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenPackage:
    """A package that could be opened. ``files`` are its members by lower-case name."""

    group: str
    description: str
    entities: tuple[EntityFile, ...]
    files: Mapping[str, bytes]

    def content(self, entity: EntityFile) -> bytes:
        """The data file of an entity. Raises ``PackageError``."""
        found = self.files.get(entity.file.lower())
        if found is None:
            raise PackageError(
                f"File '{entity.file}' of entity '{entity.label}' was not found in the package."
            )
        return found


def read_package(content: bytes) -> GivenPackage:
    """The package in these bytes. Raises ``PackageError``."""
    files = _members(content)
    _check_header(_root(files, "PackageHeader.xml", "DataManagementPackageHeader"))
    manifest = _Node(_root(files, "Manifest.xml", "DataManagementPackageManifest"))
    entities = tuple(
        _entity(_Node(one))
        for one in manifest.children("PackageEntityList", "DataManagementPackageEntityData")
    )
    return GivenPackage(
        group=manifest.text("DefinitionGroupName"),
        description=manifest.text("Description"),
        entities=entities,
        files=files,
    )


def _members(content: bytes) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {one.filename.lower(): file.read(one) for one in file.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise PackageError("The package is not a zip file that can be opened.") from error


def _root(files: Mapping[str, bytes], name: str, tag: str) -> Element:
    content = files.get(name.lower())
    if content is None:
        raise PackageError(f"{name} was not found in the package.")
    try:
        root = xmltree.parse_xml(content)
    except XmlError as error:
        raise PackageError(
            f"There was an error deserializing {name}: it is not well-formed XML."
        ) from error
    if root.tag != f"{{{MANIFEST_NAMESPACE}}}{tag}":
        raise PackageError(
            f"Error in line 1. Expecting element '{tag}' from namespace "
            f"'{MANIFEST_NAMESPACE}'. Encountered "
            f"'{root.tag}'."
        )
    return root


def _check_header(root: Element) -> None:
    header = _Node(root)
    for name, wanted in (
        ("ManifestType", (MANIFEST_TYPE,)),
        ("PackageType", ("DefinitionGroup",)),
        ("PackageVersion", _VERSIONS),
    ):
        found = header.text(name)
        if found not in wanted:
            raise PackageError(f"PackageHeader.xml: {name} is '{found}', not '{wanted[-1]}'.")


def _entity(node: _Node) -> EntityFile:
    return EntityFile(
        label=node.text("EntityName"),
        target=node.text("TargetEntity"),
        file=node.text("InputFilePath"),
        source_format=node.text("SourceFormat"),
        maps=tuple(_map(_Node(one)) for one in node.children("EntityMapList", "EntityMap")),
        disabled=node.flag("Disable"),
        unit=node.number("ExecutionUnit"),
        level=node.number("LevelInExecutionUnit"),
        sequence=node.number("SequenceInLevel"),
        fail_unit=node.flag("FailExecutionUnitOnError"),
        fail_level=node.flag("FailLevelOnError"),
    )


def _map(node: _Node) -> FieldMap:
    return FieldMap(
        entity_field=node.text("EntityField"),
        source_field=node.text("XMLField"),
        text_qualifier=node.flag("UseTextQualifier"),
        auto_generated=node.flag("IsAutoGenerated"),
    )


class _Node:
    """An element whose children are read as the serialiser does.

    In ordinal order of their names.
    """

    def __init__(self, element: Element) -> None:
        self._element = element
        self._children = {
            child.tag.removeprefix(f"{{{MANIFEST_NAMESPACE}}}"): child
            for child in _in_order(element)
        }

    def text(self, name: str) -> str:
        child = self._children.get(name)
        return "" if child is None or child.get(_NIL) == "true" else (child.text or "").strip()

    def flag(self, name: str) -> bool:
        return self.text(name) in ("true", "1")

    def number(self, name: str) -> int:
        text = self.text(name) or "0"
        if not text.lstrip("-").isdigit():
            raise PackageError(f"Manifest.xml: {name} is '{text}', not a number.")
        return int(text)

    def children(self, name: str, tag: str) -> list[Element]:
        parent = self._children.get(name)
        return [] if parent is None else parent.findall(f"{{{MANIFEST_NAMESPACE}}}{tag}")


def _in_order(element: Element) -> Iterator[Element]:
    last = ""
    for child in element:
        if child.tag.startswith(f"{{{MANIFEST_NAMESPACE}}}") and child.tag > last:
            last = child.tag
            yield child
