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


def initialise(path: Path, source: Path, answers: Mapping[str, str | None]) -> Result:
    """``init``: write a commented ``p2c.toml``.

    Args:
        path: the project file.
        source: the folder of exports, as the user named it.
        answers: legal_entity, currency and country, null where the user gave none.

    Raises:
        Refused: the file is there already, its folder is not, or an answer cannot be.
    """
    if path.exists():
        raise UsageError(f"{path} exists already; p2c does not overwrite it.")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}.")
    make_bare_project(
        {"destination": {key: value for key, value in answers.items() if value}}, "init"
    )
    relative = Path(os.path.relpath(source, path.parent)).as_posix()
    text = render_starter(**answers, path=relative)
    replace_file(path, text.encode())
    named = "" if path == FILE else f" --project {path}"
    text = (
        f"Wrote {path}. Next: put the exports into {source}, then `p2c check{named}` and `p2c "
        f"plan{named}`."
    )
    return Result(command="init", items=[{"file": str(path)}], text=text)
