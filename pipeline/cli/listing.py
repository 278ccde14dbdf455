"""The commands that list and show: runs, explain, templates, codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.flags import ALL, Command, RunFlag, TaskArgument, Work, command
from pipeline.commands.options import Flags
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import explain as explaining
    from pipeline.commands import runs as listing
    from pipeline.commands import templates as showing
else:
    explaining = import_lazily("pipeline.commands.explain")
    listing = import_lazily("pipeline.commands.runs")
    showing = import_lazily("pipeline.commands.templates")


@command(takes=("runs", "as_object"), hides=ALL)
def runs(flags: Flags) -> Work:
    """List the runs."""
    return lambda _: listing.list_runs(flags)


@command(takes=("runs", "as_object"), hides=("project", "source", "assignments"))
def explain(
    flags: Flags,
    contact: Annotated[
        str, typer.Argument(metavar="CONTACT", help="A contactid or a Contact Number.")
    ],
    run: RunFlag = "latest",
) -> Work:
    """Show what happened to one contact and why, with its values."""
    return lambda _: explaining.explain_contact(flags, contact, run)


@command(takes=("project", "source", "assignments", "as_object"), hides=("runs",))
def templates(flags: Flags, task: TaskArgument = None) -> Work:
    """List the mapping templates, or show one as a table."""
    return lambda _: showing.show_templates(flags, task)


@command(takes=("as_object",), hides=ALL)
def codes(flags: Flags) -> Work:
    """List all codes of reasons and findings, with what to do."""
    _ = flags
    return lambda _: showing.show_codes()


COMMANDS: Final[tuple[Command, ...]] = (runs, explain, templates, codes)
