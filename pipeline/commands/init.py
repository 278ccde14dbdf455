"""``p2c init`` as a typed call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.commands.result import Result
from pipeline.errors import ConfigurationError, UsageError
from pipeline.project.resolve import FILE, make_bare_project
from pipeline.project.starter import render_starter
from pipeline.run.files import replace_file
from pipeline.wire.store.location import is_store_url


def initialise(path: Path, source: str | Path, answers: Mapping[str, str | None]) -> Result:
    """``init``: write a commented ``p2c.toml``.

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
    make_bare_project(
        {
            "source": {"path": str(source)},
            "destination": {key: value for key, value in wanted.items() if value},
        },
        "init",
    )
    if url is not None:
        _refuse_url(url)
    text = render_starter(
        legal_entity=wanted.get("legal_entity"),
        currency=wanted.get("currency"),
        country=wanted.get("country"),
        path=_find_folder(str(source), path.parent),
        url=url,
    )
    replace_file(path, text.encode())
    named = "" if path == FILE else f" --project {path}"
    put = "" if is_store_url(str(source)) else f"put the exports into {source}, then "
    if url is not None:
        put = "fill in [source.auth], put the secret into its variable, then "
    text = f"Wrote {path}. Next: {put}`p2c check{named}` and `p2c plan{named}`."
    return Result(command="init", items=[{"file": str(path)}], text=text)


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


def _find_folder(source: str, home: Path) -> str:
    """The folder as seen from the project file's; an address as it stands."""
    return source if is_store_url(source) else Path(os.path.relpath(source, home)).as_posix()
