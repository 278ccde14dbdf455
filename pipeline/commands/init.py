"""``p2c init`` as a typed call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.project.resolve import FILE, make_bare_project
from pipeline.project.starter import render_starter
from pipeline.run.files import replace_file
from pipeline.wire.store.location import is_store_url


def initialise(path: Path, source: str | Path, answers: Mapping[str, str | None]) -> Result:
    """``init``: write a commented ``p2c.toml``.

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
    make_bare_project(
        {
            "source": {"path": str(source)},
            "destination": {key: value for key, value in answers.items() if value},
        },
        "init",
    )
    text = render_starter(**answers, path=_find_folder(str(source), path.parent))
    replace_file(path, text.encode())
    named = "" if path == FILE else f" --project {path}"
    put = "" if is_store_url(str(source)) else f"put the exports into {source}, then "
    text = f"Wrote {path}. Next: {put}`p2c check{named}` and `p2c plan{named}`."
    return Result(command="init", items=[{"file": str(path)}], text=text)


def _find_folder(source: str, home: Path) -> str:
    """The folder as seen from the project file's; an address as it stands."""
    return source if is_store_url(source) else Path(os.path.relpath(source, home)).as_posix()
