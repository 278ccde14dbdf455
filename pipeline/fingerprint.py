"""What decides the output: templates, SQL, schemas, version. Pinned in a plan, compared before it is applied."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from typing import Final

from pipeline import __version__
from pipeline.mapping.template import Template

_LIBRARIES: Final = ("polars", "duckdb", "pyarrow", "pandera", "isal", "pycountry", "babel")


def versions() -> dict[str, str]:
    """p2c, Python and the libraries that decide the output."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"p2c": __version__, "python": platform.python_version(), **libraries}


def fingerprints(templates: Mapping[str, Template]) -> dict[str, str]:
    """SHA-256 of each template in force, of all SQL, of all schemas, of the mapping code and its lists."""
    found = {f"template {task}": _of_template(template) for task, template in templates.items()}
    return {
        **found,
        "sql": _of_package("sql", (".sql", ".py")),
        "schemas": _of_package("schemas", (".py", ".toml")),
        "mapping": _of_package("pipeline.mapping", (".py",)),
        "lists": _of_package("pipeline.templates", (".toml",)),
        "transform": _of_package("pipeline.transform", (".py",)),
    }


def _of_template(template: Template) -> str:
    rows = [{**asdict(row), "row": row.row.model_dump(mode="json"), "changed": None} for row in template.rows]
    content = {"name": template.name, "entity": template.entity, "rows": rows}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _of_package(package: str, endings: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for entry in sorted(files(package).iterdir(), key=lambda one: one.name):
        if entry.name.endswith(endings):
            digest.update(entry.name.encode() + b"\0" + entry.read_bytes() + b"\0")
    return digest.hexdigest()
