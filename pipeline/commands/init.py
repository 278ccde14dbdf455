"""``p2c init`` as a typed call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.commands.result import Result
from pipeline.errors import P2cError, UsageError
from pipeline.plan.units import count_units
from pipeline.project.resolve import FILE, SCHEMA, Project, make_bare_project
from pipeline.project.schema import read_schema
from pipeline.project.starter import render_starter
from pipeline.run.files import replace_file
from pipeline.wire.store.location import is_store_url


def initialise(path: Path, source: str | Path, answers: Mapping[str, str | None]) -> Result:
    """``init``: write a commented ``p2c.toml``, and its JSON schema next to it.

    Args:
        path: the project file.
        source: the folder of exports, as the user named it, or its address in an object store.
        answers: legal_entity, currency and country, null where the user gave none.

    Raises:
        Refused: the file is there already, its folder is not, or an answer cannot be.
    """
    if path.exists():
        raise UsageError(f"{path} exists already; p2c does not overwrite it.")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}.")
    project = make_bare_project(
        {
            "source": {"path": str(source)},
            "destination": {key: value for key, value in answers.items() if value},
        },
        "init",
    )
    units, doubt = _find_units(project)
    text = render_starter(answers, path=_find_folder(str(source), path.parent), units=units)
    schema = path.with_name(SCHEMA)
    replace_file(path, text.encode())
    replace_file(schema, read_schema().encode())
    named = "" if path == FILE else f" --project {path}"
    put = "" if units or is_store_url(str(source)) else f"put the exports into {source}, then "
    lines = [
        (
            f"Wrote {path}, and {schema.name} for editors. Next: {put}`p2c check{named}` and "
            f"`p2c plan{named}`."
        ),
        *([f"{path} lists the {len(units):,} business units of the export."] if units else []),
        *([f"The export could not be read yet: {doubt}"] if doubt else []),
    ]
    items = [{"file": str(path)}, {"file": str(schema)}]
    return Result(command="init", items=items, text="\n".join(lines))


def _find_units(project: Project) -> tuple[Mapping[str, int], str]:
    """The business units of an export on this machine, or why it cannot be read."""
    if project.settings.source.location is not None or not project.source_folder.is_dir():
        return {}, ""
    try:
        return count_units(project), ""
    except P2cError as error:
        return {}, str(error)


def _find_folder(source: str, home: Path) -> str:
    """The folder as seen from the project file's; an address as it stands."""
    return source if is_store_url(source) else Path(os.path.relpath(source, home)).as_posix()
