"""What one package says about itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.mapping.compile import CompiledTemplate
from pipeline.project.resolve import Project

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEGAL_ENTITY: Final = re.compile(r"[\w-]+")
_LABEL: Final = re.compile(r"[^\x00-\x1f\x7f]+")
_NO_FILE: Final = re.compile(r"[/\\:*?\"<>|]")
"""What no file name has. In some languages labels have it."""


def make_spec(
    project: Project,
    mapping: CompiledTemplate,
    seen: Mapping[str, str | None],
    legal_entity: str,
    batch: int,
) -> PackageSpec:
    """What a package of a task says about itself.

    Args:
        project: may name the entity, in the language of its SCM.
        mapping: the template.
        seen: entity → its name in Data management, where SCM was read.
        legal_entity: whose package it is.
        batch: its number.
    """
    entity = mapping.entity
    given = project.settings.destination.entity_labels.get(entity.name)
    label = given or seen.get(entity.name) or entity.labels[0]
    return PackageSpec(
        task=mapping.template.task,
        entity_label=label,
        aot_name=entity.aot_name,
        legal_entity=legal_entity,
        batch=batch,
        columns=mapping.columns,
        qualifies_all=project.settings.destination.text_qualifier == "always",
        kept=mapping.kept,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageSpec:
    """What one package says about itself: its task, legal entity, batch and destination entity.

    ``entity_label`` is the entity's name in Data management, ``aot_name`` its name in code where
    that is known; ``columns`` are destination columns in their OData spelling, in template order.
    Raises ``ValueError`` for names that could not stand in a manifest or a file name.
    """

    task: str
    entity_label: str
    aot_name: str | None
    legal_entity: str
    batch: int
    columns: tuple[str, ...]
    qualifies_all: bool = True
    """Whether every text stands between quotes; else only columns that need them have them."""
    kept: tuple[str, ...] = ()
    """Columns that are left out of a package in which no row has a value for them: an import then
    leaves what SCM has."""

    def __post_init__(self) -> None:
        if not _LEGAL_ENTITY.fullmatch(self.legal_entity):
            raise ValueError(
                f"legal entity {self.legal_entity!r} cannot name a package: letters, digits, '_', "
                "'-' only"
            )
        if not _LABEL.fullmatch(self.entity_label):
            raise ValueError(f"entity label {self.entity_label!r} is no name")
        names = [self.task, *self.columns] + ([self.aot_name] if self.aot_name is not None else [])
        wrong = [name for name in names if not _NAME.fullmatch(name)]
        if wrong:
            raise ValueError(
                f"names have letters, digits and '_' only: {', '.join(map(repr, wrong))}"
            )
        if not self.columns or len({name.upper() for name in self.columns}) < len(self.columns):
            raise ValueError(
                "a package needs columns, each of them once (upper and lower case count as equal)"
            )

    @property
    def data_file(self) -> str:
        """The name of the data file inside the package."""
        return f"{_NO_FILE.sub('_', self.entity_label)}.csv"

    @property
    def package_file(self) -> str:
        """The name of the package itself."""
        return f"{self.legal_entity}-{self.batch}.zip"
