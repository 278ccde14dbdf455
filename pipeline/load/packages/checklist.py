"""The checklist beside the packages of a folder load, for who imports them by hand."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from pipeline.errors import count_of

NAME: Final = "README.txt"
"""Beside the packages' folders."""

_WIDTH: Final = 100
_BEFORE: Final = (
    (
        "Before the first import: the accounts must be in SCM as customers, under the account "
        "numbers that they have in Sales."
    ),
    (
        "In SCM, switch to the legal entity of the package. In the workspace Data management, "
        "choose Import, take Package as the source data format, upload the file, and import it. "
        "Wait until the import has ended before you start the next one."
    ),
    (
        "Then record the import with the command below it. If SCM refused rows, download their "
        "file from the execution log, and add --errors FILE to the command."
    ),
    "A package may be imported again: rows that are in SCM are updated, not doubled.",
)


def render_checklist(run: str, packages: pl.DataFrame, labels: Mapping[str, str]) -> str:
    """The packages in the order in which to import them.

    Equal packages of a run give equal text; there are no values of contacts in it.

    Args:
        run: its id.
        packages: ``batches.parquet`` after they were written.
        labels: task → the entity's name in Data management, in the order of the tasks.
    """
    lines = [f"Packages of run {run}, to be imported into SCM by hand", ""]
    for text in _BEFORE:
        lines += [*textwrap.wrap(text, _WIDTH), ""]
    rows = int(packages["rows"].sum())
    lines += [
        f"{count_of(packages.height, 'package')} with {count_of(rows, 'row')}, in this order:",
        "",
    ]
    tasks = list(labels)
    ordered = sorted(
        packages.iter_rows(named=True),
        key=lambda one: (tasks.index(one["task"]), one["legal_entity"], one["batch"]),
    )
    for place, package in enumerate(ordered, start=1):
        lines += [*_list_package(place, package, labels[package["task"]], run), ""]
    lines.append(f"To record that all of them were imported and no row failed: p2c confirm {run}")
    return "\n".join(lines) + "\n"


def _list_package(place: int, package: Mapping[str, object], label: str, run: str) -> Iterator[str]:
    file = str(package["file"]).removeprefix("packages/")
    yield f"[ ] {place}. {file}"
    yield f"      legal entity  {package['legal_entity']}"
    yield f"      entity        {label}"
    yield f"      rows          {package['rows']:,}"
    yield f"      SHA-256       {package['sha256']}"
    yield f"      then          p2c confirm {run} --package {file.removesuffix('.zip')}"
