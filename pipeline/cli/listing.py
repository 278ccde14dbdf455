"""The commands that list and show: runs, explain, templates, codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.flags import ALL, Command, RunFlag, TaskArgument, ToOption, Work, command
from pipeline.commands.options import Flags
from pipeline.errors import UsageError
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import explain as explaining
    from pipeline.commands import index as indexing
    from pipeline.commands import runs as listing
    from pipeline.commands import targets
    from pipeline.commands import templates as showing
else:
    explaining = import_lazily("pipeline.commands.explain")
    indexing = import_lazily("pipeline.commands.index")
    listing = import_lazily("pipeline.commands.runs")
    targets = import_lazily("pipeline.commands.targets")
    showing = import_lazily("pipeline.commands.templates")


@command(takes=("runs", "as_object"), hides=ALL)
def runs(
    flags: Flags,
    to: ToOption = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write one page about all runs, to open in a browser.")
    ] = False,
) -> Work:
    """List the runs, or write one page about all of them."""
    if to is not None and not html:
        raise UsageError("--to names the page that --html writes; say --html as well.")
    to = None if to is None else targets.choose_target(to, "--to", "index.html")
    return lambda _: indexing.write_index(flags, to) if html else listing.list_runs(flags)


@command(takes=("runs", "as_object"), hides=("project", "source", "assignments"))
def explain(
    flags: Flags,
    contact: Annotated[
        str | None, typer.Argument(metavar="CONTACT", help="A contactid or a Contact Number.")
    ] = None,
    run: RunFlag = "latest",
    find: Annotated[
        str | None,
        typer.Option(
            "--find", metavar="TEXT", help="List the contacts with this text in name or mail."
        ),
    ] = None,
) -> Work:
    """Show what happened to one contact and why, with its values."""
    if (contact is None) == (find is None):
        raise UsageError(
            "name one contact by its contactid or Contact Number, or search with --find TEXT."
        )
    if contact is not None:
        return lambda _: explaining.explain_contact(flags, contact, run)
    return lambda _: explaining.find_contacts(flags, find or "", run)


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
