"""The two XML files of a Data management package.

Written as SCM itself writes them (reference C.5): UTF-16LE with byte order mark, no XML declaration, children in the
alphabetical order in which .NET's DataContract serialiser expects them. An import without ``EntityMapList`` succeeds
with 0 rows, so every column has its map.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE_FORMAT: Final = "CSV-Unicode"
"""The source data format, by its name in SCM: UTF-16LE, comma, CRLF, first row header."""

USE_TEXT_QUALIFIER: Final = True
"""Text cells stand between quotes."""

MANIFEST_FILE: Final = "Manifest.xml"
HEADER_FILE: Final = "PackageHeader.xml"

_NAMESPACE: Final = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_MANIFEST_TYPE: Final = "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest"

_Value: TypeAlias = "str | int | bool | list[tuple[str, _Value]] | None"
_Children: TypeAlias = list[tuple[str, _Value]]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEGAL_ENTITY: Final = re.compile(r"[\w-]+")
_LABEL: Final = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageSpec:
    """What one package says about itself: one task, one legal entity, one batch, one destination entity.

    ``entity_label`` is the entity's name in Data management, ``aot_name`` its name in code where that is known;
    ``columns`` are destination columns in their OData spelling, in template order. Raises ``ValueError`` for names
    that could not stand in a manifest or a file name.
    """

    task: str
    entity_label: str
    aot_name: str | None
    legal_entity: str
    batch: int
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _LEGAL_ENTITY.fullmatch(self.legal_entity):
            raise ValueError(f"legal entity {self.legal_entity!r} cannot name a package: letters, digits, '_', '-' only")
        if not _LABEL.fullmatch(self.entity_label):
            raise ValueError(f"entity label {self.entity_label!r} cannot name a file inside a package")
        names = [self.task, *self.columns] + ([self.aot_name] if self.aot_name is not None else [])
        wrong = [name for name in names if not _NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"no names, letters, digits and '_' only: {', '.join(map(repr, wrong))}")
        if not self.columns or len({name.upper() for name in self.columns}) < len(self.columns):
            raise ValueError("a package needs columns, each of them once (upper and lower case count as equal)")

    @property
    def data_file(self) -> str:
        """The name of the data file inside the package."""
        return f"{self.entity_label}.csv"

    @property
    def package_file(self) -> str:
        """The name of the package itself."""
        return f"{self.legal_entity}-{self.batch}.zip"


def manifest(spec: PackageSpec, definition_group: str) -> bytes:
    """``Manifest.xml``: which file holds which entity, and which of its columns is which field."""
    into = f"task {spec.task} into {spec.entity_label}, legal entity {spec.legal_entity}, batch {spec.batch}"
    return _document(
        "DataManagementPackageManifest",
        [
            ("DefinitionGroupName", definition_group),
            ("Description", f"p2c: {into}"),
            ("PackageEntityList", [("DataManagementPackageEntityData", _entity(spec))]),
            ("ProjectCategory", 0),
            ("RulesData", None),
        ],
    )


def header(definition_group: str) -> bytes:
    """``PackageHeader.xml``: that this zip is a package for Data management."""
    return _document(
        "DataManagementPackageHeader",
        [
            ("Description", definition_group),
            ("ManifestType", _MANIFEST_TYPE),
            ("PackageType", "DefinitionGroup"),
            ("PackageVersion", 2),
        ],
    )


def field_name(column: str) -> str:
    """The staging field of a column: its header in the data file and both its names in the map."""
    return column.upper()


def _entity(spec: PackageSpec) -> _Children:
    target: _Children = [("TargetEntity", spec.aot_name)] if spec.aot_name else []
    return [
        ("DefaultRefreshType", "FullPush"),
        ("Disable", False),
        ("EntityMapList", [("EntityMap", _map(field_name(column))) for column in spec.columns]),
        ("EntityName", spec.entity_label),
        ("EntityTransformList", None),
        ("ExcelSheetName", ""),
        ("ExecutionUnit", 1),
        ("FailExecutionUnitOnError", False),
        ("FailLevelOnError", False),
        ("InputFilePath", spec.data_file),
        ("LevelInExecutionUnit", 1),
        ("QueryFilter", None),
        ("RunBusinessLogic", True),
        ("RunBusinessValidation", True),
        ("SampleFilePath", ""),
        ("SequenceInLevel", 1),
        ("SkipStaging", False),
        ("SourceFormat", SOURCE_FORMAT),
        *target,
        ("ValidationStatus", "Yes"),
    ]


def _map(field: str) -> _Children:
    return [
        ("ArrayIndex", 0),
        ("EntityField", field),
        ("EntityFieldConversionList", None),
        ("IsAutoDefault", False),
        ("IsAutoGenerated", False),
        ("IsDefaultValueEqualNull", False),
        ("UseTextQualifier", USE_TEXT_QUALIFIER),
        ("XMLField", field),
    ]


def _document(root: str, children: _Children) -> bytes:
    lines = [
        f'<{root} xmlns="{_NAMESPACE}" xmlns:i="{_INSTANCE}">',
        *(line for name, value in children for line in _element(name, value, "  ")),
        f"</{root}>",
    ]
    return codecs.BOM_UTF16_LE + "\r\n".join(lines).encode("utf-16-le")


def _element(name: str, value: _Value, indent: str) -> Iterator[str]:
    match value:
        case None:
            yield f'{indent}<{name} i:nil="true" />'
        case "":
            yield f"{indent}<{name} />"
        case list():
            yield f"{indent}<{name}>"
            for child, inner in value:
                yield from _element(child, inner, indent + "  ")
            yield f"{indent}</{name}>"
        case bool():
            yield f"{indent}<{name}>{str(value).lower()}</{name}>"
        case _:
            yield f"{indent}<{name}>{escape(str(value))}</{name}>"
