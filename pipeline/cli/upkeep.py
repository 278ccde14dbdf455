"""The commands that look after a project between its runs: accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.flags import ALL, RUN_ONLY, CodeOption, Command, RunArgument, Work, command
from pipeline.commands.options import Flags
from pipeline.errors import UsageError
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import accept as accepting
else:
    accepting = import_lazily("pipeline.commands.accept")


@command(takes=("project", *RUN_ONLY), hides=ALL)
def accept(
    flags: Flags,
    run: RunArgument,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The last day, as in 2026-12-31.")
    ],
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="Why, in one line. Do not name contacts.")
    ],
    code: CodeOption = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--column",
            metavar="NAME",
            help="Only findings in this column of Sales or SCM; others still need a person.",
        ),
    ] = None,
) -> Work:
    """Accept contacts that a run holds or rejects, for a while.

    Later runs that hold or reject only accepted contacts end as CLEAN (exit 0). The list stands in
    p2c.accepted.toml, next to the project file. It has contactids and contact numbers; another
    contact, or another code of the same contact, still needs a person.
    """
    if not code:
        raise UsageError("name the code to accept with --code; `p2c findings RUN` counts them.")
    return lambda _: accepting.accept_contacts(
        flags, run, codes=code, column=column, until=until, why=why
    )


COMMANDS: Final[tuple[Command, ...]] = (accept,)
"""In the order in which ``p2c --help`` shows them."""
