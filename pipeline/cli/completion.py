"""What the shell offers when somebody presses Tab: runs, tasks, codes, settings, packages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.mapping import template
    from pipeline.project import settings
    from pipeline.wire.login import settings as login
    from schemas import codes
else:
    codes = import_lazily("schemas.codes")
    settings = import_lazily("pipeline.project.settings")
    login = import_lazily("pipeline.wire.login.settings")
    template = import_lazily("pipeline.mapping.template")


def complete_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Ids of runs, newest first; folders of runs where a path is begun."""
    if "/" in incomplete:
        above = Path(incomplete.rpartition("/")[0] or "/")
        return _choose((f"{one}" for one in _list_folders(above)), incomplete)
    folder = _find_runs(context)
    names = [one.name for one in _list_folders(folder) if one.name[:1].isdigit()]
    return _choose(["latest", *sorted(names, reverse=True)], incomplete)


def complete_tasks(incomplete: str) -> list[str]:
    """Names of tasks."""
    names = [template.load_shipped(name).task for name in template.SHIPPED]
    return [name for name in names if name.casefold().startswith(incomplete.casefold())]


def complete_codes(incomplete: str) -> list[tuple[str, str]]:
    """Codes with their sentences."""
    found = codes.load_codes()
    return [(name, found[name].sentence) for name in _choose(sorted(found), incomplete)]


def complete_settings(incomplete: str) -> list[str]:
    """Keys of settings, with the equals sign that ``--set`` needs."""
    names = [
        f"{section}.{key}="
        for section, model in settings.SECTIONS.items()
        for key in model.model_fields
        if f"{section}.{key}" not in settings.AUTHS
    ]
    names += [
        f"{auth}.{key}=" for auth in settings.AUTHS for key in login.AuthSettings.model_fields
    ]
    return _choose(names, incomplete)


def complete_packages(context: typer.Context, incomplete: str) -> list[str]:
    """Packages of the run on the command line, or of the newest one: ``Contacts/usmf-1``."""
    run = str(context.params.get("run") or "latest")
    runs = sorted(one for one in _list_folders(_find_runs(context)) if one.name[:1].isdigit())
    if "/" in run:
        wanted = [Path(run)]
    else:
        wanted = [one for one in runs if run == "latest" or one.name.startswith(run)]
    if not wanted:
        return []
    folder = wanted[-1] / "packages"
    names = [one.relative_to(folder).with_suffix("").as_posix() for one in folder.rglob("*.zip")]
    return _choose(sorted(names), incomplete)


def _find_runs(context: typer.Context) -> Path:
    return Path(context.params.get("runs") or "runs")


def _list_folders(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if one.is_dir()] if folder.is_dir() else []


def _choose(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
