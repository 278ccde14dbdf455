"""``p2c init`` as a typed call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.commands.result import Result
from pipeline.errors import ConfigurationError, P2cError, UsageError
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
        answers: legal_entity, currency, country and, for a live Sales, its url; null or left out
            where the user gave none.

    Raises:
        Refused: the file is there already, its folder is not, or an answer cannot be.
    """
    refuse_place(path)
    wanted = dict(answers)
    url = wanted.pop("url", None)
    project = make_bare_project(
        {
            "source": {"path": str(source)},
            "destination": {key: value for key, value in wanted.items() if value},
        },
        "init",
    )
    if url is not None:
        _refuse_url(url)
    units, doubt = ({}, "") if url is not None else _find_units(project)
    text = render_starter(wanted, path=_find_folder(str(source), path.parent), url=url, units=units)
    schema = path.with_name(SCHEMA)
    replace_file(path, text.encode())
    replace_file(schema, read_schema().encode())
    named = "" if path == FILE else f" --project {path}"
    put = "" if units or is_store_url(str(source)) else f"put the exports into {source}, then "
    if url is not None:
        put = "fill in [source.auth], put the secret into its variable, then "
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


def refuse_place(path: Path) -> None:
    """Refuse to write a project file. Raises ``UsageError`` where it is, or has no folder."""
    if path.exists():
        raise UsageError(f"{path} exists already; p2c does not overwrite it.")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}.")


def find_answer_problem(setting: str, answer: str) -> str:
    """What is wrong with an answer to a question of ``init``; blank if nothing is."""
    try:
        if setting == "url":
            _refuse_url(answer)
        else:
            section = "source" if setting == "path" else "destination"
            make_bare_project({section: {setting: answer} if answer else {}}, "init")
    except ConfigurationError as error:
        return error.message
    return ""


def _refuse_url(url: str) -> None:
    """Raise ``ConfigurationError`` for what cannot be the address of Sales."""
    auth = {"kind": "azure_cli"}
    make_bare_project({"source": {"kind": "dataverse", "url": url or "-", "auth": auth}}, "init")


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
