"""The commands that look after a project between its runs: accept, memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from pipeline.cli.flags import ALL, RUN_ONLY, Command, RunArgument, Work, command
from pipeline.commands.options import Flags
from pipeline.errors import UsageError
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import accept as accepting
    from pipeline.commands import memory as remembering
    from pipeline.commands import targets
else:
    accepting = import_lazily("pipeline.commands.accept")
    remembering = import_lazily("pipeline.commands.memory")
    targets = import_lazily("pipeline.commands.targets")


@command(takes=("project", *RUN_ONLY), hides=ALL)
def accept(
    flags: Flags,
    run: RunArgument,
    code: Annotated[
        list[str],
        typer.Option(
            "--code", metavar="CODE", help="The code to accept. Can be given several times."
        ),
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The last day, as in 2026-12-31.")
    ],
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="Why, in one line. Do not name contacts.")
    ],
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
    return lambda _: accepting.accept_contacts(
        flags, run, codes=code, column=column, until=until, why=why
    )


@command(takes=RUN_ONLY, hides=ALL)
def memory(
    flags: Flags,
    action: Annotated[
        Literal["export", "import"],
        typer.Argument(metavar="export|import", help="Write the file, or take what it has."),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file, as in memory.zip.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Import also where this folder of runs knows newer loads."),
    ] = False,
) -> Work:
    """Back up what p2c remembers of loads, or take it to another machine.

    p2c remembers in runs/loaded which rows it loaded into each SCM, and with what content. So a
    plan sends only what changed, and can tell its own records from those of others. Without this
    memory, records that p2c itself loaded are held as takeover. Export it after each load, and
    import it where the folder of runs is new. Import refuses to overwrite newer knowledge.
    """
    if action == "export":
        if replace:
            raise UsageError("--replace belongs to `p2c memory import`.")
        to = targets.choose_target(file, "memory export", "memory.zip")
        return lambda _: remembering.save_memory(flags, to)
    return lambda _: remembering.take_memory(flags, file, replace=replace)


COMMANDS: Final[tuple[Command, ...]] = (accept, memory)
"""In the order in which ``p2c --help`` shows them."""
