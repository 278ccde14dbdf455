"""The commands that follow a run: confirm, retry, undo, purge."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.completion import complete_packages
from pipeline.cli.flags import (
    ALL,
    RUN_ONLY,
    CodeOption,
    Command,
    RunArgument,
    ShowValuesFlag,
    Work,
    command,
)
from pipeline.cli.terminal import write_err
from pipeline.commands.options import Flags
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import confirm as confirming
    from pipeline.commands import purge as purging
    from pipeline.commands import retry as retrying
    from pipeline.commands import undo as undoing
    from pipeline.commands.result import Result
    from pipeline.events import Listener
else:
    confirming = import_lazily("pipeline.commands.confirm")
    purging = import_lazily("pipeline.commands.purge")
    retrying = import_lazily("pipeline.commands.retry")
    undoing = import_lazily("pipeline.commands.undo")


@command(takes=RUN_ONLY, hides=ALL)
def confirm(
    flags: Flags,
    run: RunArgument,
    errors: Annotated[
        list[Path] | None,
        typer.Option(
            "--errors",
            metavar="FILE",
            help=(
                "A file of the rows that SCM refused: its error keys, a log, or your own list. Can "
                "be given several times."
            ),
        ),
    ] = None,
    package: Annotated[
        list[str] | None,
        typer.Option(
            "--package",
            metavar="NAME",
            help="Only this package, as in Contacts/usmf-1. Can be given several times.",
            autocompletion=complete_packages,
        ),
    ] = None,
) -> Work:
    """Record that packages were imported by hand."""
    return lambda _: confirming.confirm_import(
        flags, run, errors=errors or (), packages=package or ()
    )


@command()
def retry(
    flags: Flags,
    run: RunArgument,
    corrected: Annotated[
        Path | None,
        typer.Option(
            "--corrected",
            metavar="FILE",
            help="A file of corrected rows, as `p2c findings --repair` writes it.",
        ),
    ] = None,
    code: CodeOption = None,
    with_values: ShowValuesFlag = False,
) -> Work:
    """Plan again what was held, rejected or failed."""
    shown = replace(flags, values=with_values)
    return lambda listener: retrying.retry_run(
        shown, run, correction=corrected, codes=code or (), listener=listener
    )


@command(takes=(*RUN_ONLY, "source"), hides=ALL)
def undo(flags: Flags, run: RunArgument) -> Work:
    """Plan how to take back a load or a backfill.

    The plan also says what cannot be taken back.
    """
    return lambda listener: undoing.undo_run(flags, run, listener)


@command(takes=RUN_ONLY, hides=ALL)
def purge(
    flags: Flags,
    run: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="The runs; default: all old ones."),
    ] = None,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Take only runs that are at least this old, as in 30d or 12 weeks.",
        ),
    ] = "30d",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before removing.")] = False,
    scm: Annotated[
        bool,
        typer.Option(
            "--scm",
            help=(
                "Remove from SCM the data projects that p2c made there and whose imports have "
                "ended; the runs stay as they are."
            ),
        ),
    ] = False,
) -> Work:
    """Remove personal data from old runs; keys and counts stay."""

    def ask(text: str) -> bool:
        if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return yes
        write_err(text)
        return typer.confirm("Remove these data projects from SCM?", err=True)

    if scm:
        return lambda _: purging.purge_projects(flags, run or (), older_than, ask)

    def work(_: Listener) -> Result:
        found = purging.list_purgeable(flags, run or (), older_than)
        if found and not yes and sys.stdin.isatty() and sys.stderr.isatty():
            write_err(purging.describe_purge(found))
            return purging.purge_runs(
                found, agreed=typer.confirm("Remove their personal data?", err=True)
            )
        return purging.purge_runs(found, agreed=yes)

    return work


COMMANDS: Final[tuple[Command, ...]] = (confirm, retry, undo, purge)
