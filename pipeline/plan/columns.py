"""The columns of a project as SCM has them: its metadata decide, before anything is mapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.mapping import check
from pipeline.project.resolve import Project
from pipeline.scm.columns import learn_columns
from pipeline.scm.look import Item
from pipeline.scm.metadata import Model, read_model
from pipeline.wire.scm import Scm
from schemas.catalogue import Column, ColumnKind


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveColumns:
    """A project with the columns that SCM has, and SCM's metadata.

    ``wrong``: a sentence for each row of a template that SCM would not take; with any, the project
    must not be used.
    """

    project: Project
    model: Model
    wrong: Sequence[str]

    def list_items(self) -> Iterator[Item]:
        """The columns that SCM describes otherwise than p2c, for ``p2c check``."""
        for task, columns in self.project.settings.columns.items():
            entity = self.project.settings.entities[task]
            for name in columns:
                column = entity.column(name)
                if column is not None and self.model.has(entity.odata_set, name):
                    where = f"column {name} of {entity.name}"
                    yield where, *_describe_column(column, f"columns.{task}.{name}.length")


def _describe_column(column: Column, setting: str) -> tuple[str, str]:
    """A status and a sentence."""
    kind = f"is there: {column.kind.value}"
    if column.kind is not ColumnKind.TEXT or column.members:
        return "ok", kind
    if column.length is not None:
        return "ok", f"{kind}, at most {column.length} characters"
    text = f"{kind}; SCM does not say how long, so any length passes: set {setting} if you know it"
    return "note", text


def ask_columns(project: Project, scm: Scm) -> LiveColumns:
    """Read SCM's metadata, and take the columns that the templates fill from there.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    model = read_model(scm.metadata(), scm.label)
    entities = project.settings.entities
    learned = {
        task: learn_columns(template, entities[task], model)
        for task, template in project.templates.items()
    }
    settled = project.with_columns({task: one.found for task, one in learned.items()})
    problems = check.find_template_problems(settled.templates, settled.settings.entities)
    wrong = [text for one in learned.values() for text in one.wrong]
    return LiveColumns(project=settled, model=model, wrong=[*wrong, *map(str, problems)])
