"""Words → typed calls; errors → exit codes; nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from pipeline import __version__, audit_words, sandbox_words
from pipeline.asking import asker
from pipeline.errors import UsageError, during
from pipeline.events import on_stderr
from pipeline.exits import Caught, prepare_process
from pipeline.flags import (
    ALL,
    AgainstFlag,
    BackfillFlag,
    ChangesFlag,
    Flags,
    FullFlag,
    LimitFlag,
    OnlyFlag,
    RunArgument,
    RunFlag,
    TakeOverFlag,
    TaskArgument,
    YesFlag,
    with_flags,
)
from pipeline.lazy import lazily
from pipeline.result import Result, as_json

if TYPE_CHECKING:
    from pipeline import commands
    from pipeline import demo as demos
    from pipeline import plan as planning
    from pipeline.events import Listener
else:
    commands = lazily("pipeline.commands")
    demos = lazily("pipeline.demo")
    planning = lazily("pipeline.plan")

Work = Callable[["Listener"], "Result"]
"""What a command does once its words are understood."""

_INTERRUPTED: Final = 130
"""What typer makes of Ctrl-C."""

_UNBOUNDED: Final = 10_000
"""Characters of a line where no terminal says how wide it is: one fact, one line."""

app = typer.Typer(
    name="p2c",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Moves contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management, and proves for every contact "
    "where it went and why. Exit codes: 0 clean, 1 something needs a person, 2 wrong use or input (nothing was sent), "
    "3 stopped by the world (the same command goes on), 4 an invariant is broken.",
)


def _command(
    name: str | None = None, takes: Collection[str] = ALL, hides: Collection[str] = ()
) -> Callable[[Callable[..., Work]], Callable[..., Work]]:
    """Put a command on the command line, with the common flags that it takes."""

    def register(command: Callable[..., Work]) -> Callable[..., Work]:
        app.command(name)(with_flags(command, _answer, takes, hides))
        return command

    return register


def _answer(flags: Flags, work: Work) -> None:
    """Do the work and print the answer; the exit code is the answer's."""
    with on_stderr() as listener:
        result = work(listener)
    _print(result, as_object=flags.as_object)
    raise typer.Exit(result.exit_code)


def _print(result: Result, *, as_object: bool) -> None:
    try:
        if as_object:
            sys.stdout.write(f"{as_json(result)}\n")
        elif sys.stdout.isatty():
            first, _, rest = result.lines(shutil.get_terminal_size().columns).partition("\n")
            Console().print(Text(first, style="bold" if result.facts else ""), soft_wrap=True)
            sys.stdout.write(f"{rest}\n" if rest else "")
        else:
            sys.stdout.write(f"{result.lines(int(os.environ.get('COLUMNS', _UNBOUNDED)))}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _common(flags: Flags) -> commands.Common:
    return commands.Common(
        project=flags.project,
        runs=flags.runs,
        source=flags.source,
        assignments=flags.assignments,
        environment=tuple(os.environ.items()),
    )


@_command(takes=("runs", "as_object"))
def demo(
    flags: Flags,
    offline: Annotated[bool, typer.Option("--offline", help="From exported files into packages; no system is needed.")] = False,
) -> Work:
    """Do the whole job on the samples, between a Sales and an SCM that are served meanwhile."""
    return lambda listener: (demos.demonstrated_offline if offline else demos.demonstrated)(flags.runs, listener)


@_command(takes=("project", "source", "as_object"))
def init(
    flags: Flags,
    legal_entity: Annotated[str | None, typer.Option("--legal-entity", metavar="ID", help="Legal entity, as in usmf.")] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Currency of contacts without one, as in EUR.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", metavar="CODE", help="Country of contacts without one, as in DE.")
    ] = None,
) -> Work:
    """Write a commented p2c.toml; asks for what it is not told."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        legal_entity = legal_entity or typer.prompt("Legal entity (blank: by business unit)", default="", err=True)
        currency = currency or typer.prompt("Currency of contacts without one (blank: none)", default="", err=True)
        country = country or typer.prompt("Country of contacts without one (blank: none)", default="", err=True)
    answers = {"legal_entity": legal_entity or None, "currency": currency or None, "country": country or None}
    path = flags.project or Path("p2c.toml")
    return lambda _: commands.initialised(path, flags.source or path.parent / "export", answers)


@_command()
def check(flags: Flags) -> Work:
    """Check settings, templates and sources without making a plan."""
    return lambda _: commands.checked(_common(flags))


@_command()
def plan(
    flags: Flags,
    limit: LimitFlag = None,
    only: OnlyFlag = None,
    full: FullFlag = False,
    take_over: TakeOverFlag = False,
    changes: ChangesFlag = False,
    against: AgainstFlag = None,
) -> Work:
    """Decide for every contact where it goes; send nothing."""
    request = planning.Request(limit=limit, only=only, full=full, take_over=take_over, changes=changes, command="plan")
    return lambda listener: commands.planned(_common(flags), request, listener, against)


@_command()
def backfill(flags: Flags, limit: LimitFlag = None, only: OnlyFlag = None) -> Work:
    """Plan Contact Number and Is Active Customer for contacts that lack them; write nothing into Sales."""
    request = planning.Request(limit=limit, only=only, command="backfill")
    return lambda listener: commands.backfilled(_common(flags), request, listener)


@_command(takes=("project", "runs", "assignments", "as_object"), hides=("source",))
def apply(flags: Flags, run: RunArgument, yes: YesFlag = False) -> Work:
    """Execute a plan; goes on where it was stopped."""
    return lambda listener: commands.applied(_common(flags), run, listener, asker(flags.runs, yes=yes))


@_command(name="run")
def run_(
    flags: Flags,
    limit: LimitFlag = None,
    only: OnlyFlag = None,
    full: FullFlag = False,
    take_over: TakeOverFlag = False,
    changes: ChangesFlag = False,
    backfill: BackfillFlag = False,
    yes: YesFlag = False,
) -> Work:
    """Plan and apply in one go."""
    request = planning.Request(limit=limit, only=only, full=full, take_over=take_over, changes=changes, command="run")
    ask = asker(flags.runs, yes=yes)
    if backfill:
        return lambda listener: commands.ran_with_backfill(_common(flags), request, listener, ask)
    return lambda listener: commands.ran(_common(flags), request, listener, ask)


@_command(takes=("runs", "as_object"), hides=ALL)
def runs(flags: Flags) -> Work:
    """List runs."""
    return lambda _: commands.listed_runs(_common(flags))


@_command(takes=("runs", "as_object"), hides=("project", "source", "assignments"))
def explain(
    flags: Flags,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="A contactid or contact number.")],
    run: RunFlag = "latest",
) -> Work:
    """Tell one contact's story, with its values."""
    return lambda _: commands.explained(_common(flags), contact, run)


@_command(takes=("project", "source", "assignments", "as_object"), hides=("runs",))
def templates(flags: Flags, task: TaskArgument = None) -> Work:
    """List the templates, or show one as a mapping table."""
    return lambda _: commands.shown_templates(_common(flags), task)


@_command(takes=("as_object",), hides=ALL)
def codes(flags: Flags) -> Work:
    """List all reason and finding codes, in order of rank."""
    _ = flags
    return lambda _: commands.shown_codes()


audit_words.register(_command, _common)
sandbox_words.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"p2c {__version__}\n")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    _ = version


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; its answer is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        prepare_process()
    command = next((word for word in words if not word.startswith("-")), "")
    caught = Caught()
    with caught, during(command or "p2c"):
        code = app(words or ["--help"], standalone_mode=False, prog_name="p2c")
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        if not words:
            return UsageError.exit_code
        return code if isinstance(code, int) else 0
    return caught.told(command, as_object="--json" in words)


if __name__ == "__main__":
    sys.exit(main())
