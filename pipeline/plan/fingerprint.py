"""What decides the output: templates, destination, SQL, schemas, code.

Pinned in a plan, compared before it is applied. Code that only carries out what was planned is left
out: a mended loader may apply a plan that was made before.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from pipeline import __version__
from pipeline.mapping.template import FieldRow, Template
from pipeline.project.resolve import Project, recorded_project

_LIBRARIES: Final = ("polars", "duckdb", "pyarrow", "pandera", "isal", "pycountry", "babel")

_PACKAGES: Final = {
    "sql": ("sql", (".sql", ".py")),
    "schemas": ("schemas", (".py", ".toml")),
    "mapping": ("pipeline.mapping", (".py",)),
    "lists": ("pipeline.templates", (".toml",)),
    "transform": ("pipeline.transform", (".py",)),
    "prepare": ("pipeline.plan", ("prepare.py", "reading.py")),
}
"""Fingerprint → package and the endings of the files that count."""

_WORDS: Final = {
    "sql": "the SQL of p2c",
    "schemas": "the schemas of p2c",
    "mapping": "the mapping code of p2c",
    "lists": "the shipped templates and country lists of p2c",
    "transform": "the transform code of p2c",
    "prepare": "the preparation code of p2c",
}

_PINNED: Final = ("destination.", "organizations.", "countries.")
"""Settings that a plan holds on to. Those of templates are in the templates' fingerprints; ``run``
may change."""

_FREE: Final = ("destination.auth.", "destination.parallel")
"""Among them, what says only how SCM is reached: the address is pinned, and a new login shall not
cost a plan."""


def versions() -> dict[str, str]:
    """p2c, Python and the libraries that decide the output."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"p2c": __version__, "python": platform.python_version(), **libraries}


def fingerprints(templates: Mapping[str, Template]) -> dict[str, str]:
    """SHA-256 of each template in force, of all SQL, of all schemas, of the mapping code and its lists."""
    found = {f"template {task}": _of_template(template) for task, template in templates.items()}
    return found | {
        name: _of_package(package, endings) for name, (package, endings) in _PACKAGES.items()
    }


def changes(facts: Mapping[str, Any], today: Project) -> list[str]:
    """What changed since a plan was made, a phrase each.

    Empty when the plan still says what p2c would plan today.

    Args:
        facts: ``run.json`` of the plan.
        today: the project as it is now.
    """
    now = fingerprints(today.templates)
    before = recorded_project(facts["settings"], None)
    found = list(_settings(facts["settings"], today))
    for name, value in facts["fingerprints"].items():
        if now.get(name) != value:
            task = name.removeprefix("template ")
            found.append(_template(task, before, today) if task != name else _WORDS.get(name, name))
    return found


def _settings(recorded: Mapping[str, Mapping[str, Any]], today: Project) -> Iterator[str]:
    effective = today.effective()
    for key in dict.fromkeys([*recorded, *effective]):
        now, was = effective.get(key), recorded.get(key)
        if (
            not key.startswith(_PINNED)
            or key.startswith(_FREE)
            or (was is None and now is not None and now["origin"] == "default")
        ):
            continue
        old, new = (None if one is None else one["value"] for one in (was, now))
        if old != new:
            yield f"{key} (was {_shown(old)}, is {_shown(new)})"


def _shown(value: object) -> str:
    return "not set" if value is None else f"'{value}'"


def _template(task: str, before: Project, today: Project) -> str:
    """A changed template, with the columns whose rows changed if the project changed them."""
    old, new = before.templates.get(task), today.templates.get(task)
    if old is None or new is None:
        return f"template {task}"
    columns = dict.fromkeys(row.destination for row in (*old.rows, *new.rows))
    rows = [name for name in columns if _content(old.row(name)) != _content(new.row(name))]
    return f"template {task}" + (f" ({', '.join(rows)})" if rows else "")


def _of_template(template: Template) -> str:
    rows = [[row.destination, _content(row)] for row in template.rows]
    content = {"name": template.name, "entity": template.entity, "rows": rows}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _content(row: FieldRow | None) -> dict[str, Any] | None:
    """What a row does. Where its value map was read from does not count, only what is in it."""
    return None if row is None else row.row.model_dump(mode="json", exclude={"value_map_file"})


def _of_package(package: str, endings: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name, entry in sorted(_below(files(package), "")):
        if name.endswith(endings):
            digest.update(name.encode() + b"\0" + entry.read_bytes() + b"\0")
    return digest.hexdigest()


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    """All files of a package's folder, folders in it included, by their path from there."""
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _below(entry, f"{name}/")
        else:
            yield name, entry
