"""The command ``browse``."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.flags import ALL, RUN_ONLY, Command, RunArgument, SalesOption, Work, command
from pipeline.cli.signals import wait_for_end
from pipeline.cli.terminal import write_out
from pipeline.commands.options import Flags
from pipeline.commands.result import render_json
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import browse as browsing
    from pipeline.commands.result import Result
    from pipeline.events import Listener
else:
    browsing = import_lazily("pipeline.commands.browse")


@command(takes=RUN_ONLY, hides=ALL)
def browse(
    flags: Flags,
    run: RunArgument,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", min=0, max=65535, help="The port to serve on; 0: any free port."
        ),
    ] = 0,
    sales_url: SalesOption = None,
) -> Work:
    """Look through a run's contacts in a browser on this machine."""

    def work(_: Listener) -> Result:
        options = browsing.BrowseOptions(run=run, port=port, sales_url=sales_url)
        with suppress(KeyboardInterrupt), browsing.serve_run(flags, options) as served:
            write_out(render_json(served) if flags.as_object else served.lines(0))
            sys.stdout.flush()
            wait_for_end()
        raise typer.Exit

    return work


COMMANDS: Final[tuple[Command, ...]] = (browse,)
