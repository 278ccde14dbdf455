"""Packages made by an engine: a batch is a part, and its package a file that one attempt wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import polars as pl
from pydantic import Field

from pipeline.engine.protocol import Work
from pipeline.errors import InvariantBroken
from pipeline.load.packages.package import Package, build_package
from pipeline.load.packages.spans import BatchSpan, RowsFile, read_span
from pipeline.load.packages.spec import make_spec
from pipeline.mapping.compile import CompiledTemplate
from pipeline.project.resolve import Project, restore_project
from pipeline.run.facts import Setting
from pipeline.run.files import replace_file
from pipeline.run.handed import (
    PartModel,
    name_attempt,
    read_text,
    refuse_other_versions,
    take_versions,
)


class PackageKit(PartModel):
    """Everything that packages are built with.

    ``settings`` are the project's, ``labels`` what SCM calls the entities; ``files`` are those of
    the planned rows, by task.
    """

    settings: dict[str, Setting]
    labels: dict[str, str | None]
    files: dict[str, tuple[RowsFile, ...]]
    batches: tuple[BatchSpan, ...]
    versions: dict[str, str] = Field(default_factory=take_versions)


class BuiltPackage(PartModel):
    """A package: its file beside the kit, and what the journal says of it."""

    file: str
    definition_group: str
    sha256: str
    rows: int
    bytes: int


class PackageWork(Work[BuiltPackage]):
    """Batch, by its place in the kit → its package."""

    kit: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], BuiltPackage]]:
        """What builds the package of a batch."""
        kit, project, mappings = _load(self.kit)

        def build(part: int) -> BuiltPackage:
            span = kit.batches[part]
            package = _build(kit, project, mappings[span.task], span)
            path = name_attempt(self.kit.parent, "package", part, "zip")
            replace_file(path, package.content)
            return BuiltPackage(
                file=path.name,
                definition_group=package.definition_group,
                sha256=package.sha256,
                rows=package.rows,
                bytes=len(package.content),
            )

        yield build

    def read(self, answer: str) -> BuiltPackage:
        """An answer out of its JSON."""
        return BuiltPackage.model_validate_json(answer)


@lru_cache(maxsize=2)
def _load(path: Path) -> tuple[PackageKit, Project, dict[str, CompiledTemplate]]:
    kit = PackageKit.model_validate_json(read_text(path))
    refuse_other_versions(kit.versions)
    project = restore_project(kit.settings, None)
    return kit, project, project.mappings()


def _build(
    kit: PackageKit, project: Project, mapping: CompiledTemplate, span: BatchSpan
) -> Package:
    spec = make_spec(project, mapping, kit.labels, span.legal_entity, span.batch)
    found = read_span(kit.files[span.task], span)
    rows = pl.concat([one.select(spec.columns) for one in found])
    if rows.height != span.rows:
        raise InvariantBroken(
            f"batch {span.batch} of {span.legal_entity} has {rows.height:,} rows instead of the "
            f"{span.rows:,} that were counted; the run folder was altered."
        )
    return build_package(spec, rows)
