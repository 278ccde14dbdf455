"""The entry point: words become typed calls, errors become exit codes."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Final

import typer

from pipeline import __version__
from pipeline.cli import catalogue, sandbox
from pipeline.cli.exits import answer_errors, drop_stream, leave, prepare_process
from pipeline.cli.flags import Work, add_common_flags
from pipeline.cli.progress import show_progress
from pipeline.cli.signals import hear_signals
from pipeline.cli.terminal import write_err, write_out, write_result
from pipeline.cli.watching import watch_command
from pipeline.commands.options import Flags
from pipeline.commands.result import Result, render_json
from pipeline.errors import Stopped, UsageError

_INTERRUPTED: Final = 130
"""What typer makes of Ctrl-C."""

_UNBOUNDED: Final = 10_000
"""Characters of a line where no terminal says how wide it is: one fact, one line."""

_HELP: Final = (
    "Moves contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management, and proves "
    "for every contact where it went and why. Exit codes: 0 all is well, 1 something needs a "
    "person, 2 wrong usage, input, login or rights (nothing was sent), 3 stopped from outside (run "
    "the same command again to continue), 4 an invariant is broken."
)


def command_line(asked: str = "") -> typer.Typer:
    """All commands, in the order in which ``p2c --help`` shows them.

    Where a command is ``asked`` for by its name, it alone: describing them all takes longer than
    some of them work.
    """
    app = typer.Typer(name="p2c", rich_markup_mode=None, pretty_exceptions_enable=False, help=_HELP)
    wanted = [one for one in catalogue.COMMANDS if one.name == asked] or catalogue.COMMANDS
    for one in wanted:
        app.command(one.name)(add_common_flags(one, _do))
    if len(wanted) > 1:
        app.command()(sandbox.sandbox)
    app.callback()(_take_top_flags)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        prepare_process()
    command = next((word for word in words if not word.startswith("-")), "")
    code = answer_errors(partial(_run, words), command, as_object="--json" in words)
    if arguments is None:
        leave(code)
    return code


def _run(words: Sequence[str]) -> int:
    asked = words[0] if words else ""
    code = command_line(asked)(words or ["--help"], standalone_mode=False, prog_name="p2c")
    with _writing():
        pass  # Help and version may not be written yet.
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    if not words:
        return UsageError.exit_code
    return code if isinstance(code, int) else 0


def _do(command: str, flags: Flags, prepare: Callable[[], Work]) -> None:
    """Do the work of a command and print the result, which has the exit code."""
    with watch_command(command, flags, write_err) as watch:
        work = prepare()
        hear_signals(command, as_object=flags.as_object)
        with show_progress() as listener:
            result = work(watch.join(listener))
        _print(result, as_object=flags.as_object)
        watch.end(result)
    raise typer.Exit(result.exit_code)


def _print(result: Result, *, as_object: bool) -> None:
    with _writing():
        if as_object:
            sys.stdout.write(f"{render_json(result)}\n")
        elif sys.stdout.isatty():
            width = shutil.get_terminal_size().columns
            write_result(result.lines(width), bold=result.facts is not None)
        else:
            write_out(result.lines(int(os.environ.get("COLUMNS", _UNBOUNDED))))


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Write results to the end. Raises ``Stopped`` if stdout takes nothing more."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # Whoever reads has read enough.
        drop_stream(sys.stdout)
    except OSError as error:
        drop_stream(sys.stdout)
        raise Stopped(
            f"the result could not be written: {error.strerror}. What the command did is done; "
            "`p2c runs` lists the runs.",
            where="stdout",
        ) from error


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"p2c {__version__}\n")
        raise typer.Exit


def _take_top_flags(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    _ = version
