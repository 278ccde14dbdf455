"""Words → typed calls; errors → exit codes; nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from typer.exceptions import TyperException

from pipeline import __version__, commands
from pipeline.commands import Common
from pipeline.errors import P2cError, Stopped, UsageError, during
from pipeline.events import Listener, on_stderr
from pipeline.plan import Request
from pipeline.project import environment
from pipeline.result import Result, as_json, show

app = typer.Typer(
    name="p2c",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Moves contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management, and proves for every contact "
    "where it went and why. Exit codes: 0 clean, 1 something needs a person, 2 wrong use or input (nothing was sent), "
    "3 stopped by the world (the same command goes on), 4 an invariant is broken.",
)

ProjectFlag = Annotated[Path | None, typer.Option("--project", metavar="FILE", help="Project file; p2c.toml here if not said.")]
RunsFlag = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where run folders are.")]
SourceFlag = Annotated[Path | None, typer.Option("--source", metavar="DIR", help="A folder of exports.")]
SetFlag = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting, as in destination.legal_entity=usmf."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
LimitFlag = Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="Take only the first N contacts.")]
OnlyFlag = Annotated[Path | None, typer.Option("--only", metavar="FILE", help="Take only the contactids in FILE, one a line.")]
FullFlag = Annotated[bool, typer.Option("--full", help="Send rows that did not change since the last load, too.")]
TakeOverFlag = Annotated[bool, typer.Option("--take-over", help="Overwrite keys that are in SCM though p2c never loaded them.")]
YesFlag = Annotated[bool, typer.Option("--yes", help="Do not ask. A folder load never asks.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, a unique prefix of one, or latest.")]

_RUNS: Final = Path("runs")


def _common(project: Path | None, runs: Path, source: Path | None, assignments: list[str] | None) -> Common:
    return Common(
        project=project,
        runs=runs,
        source=source,
        assignments=tuple(assignments or ()),
        environment=tuple(environment().items()),
    )


def _answer(call: Callable[[Listener], Result], *, as_object: bool) -> None:
    """Run a command and print its answer; the exit code is the answer's."""
    with on_stderr() as listener:
        result = call(listener)
    if as_object:
        sys.stdout.write(as_json(result) + "\n")
    else:
        show(result, Console(file=sys.stdout))
    raise typer.Exit(result.exit_code)


@app.command()
def demo(
    runs: RunsFlag = _RUNS,
    json_: JsonFlag = False,
) -> None:
    """Do the whole job on the samples, everything embedded."""
    _answer(lambda listener: commands.demonstrated(runs, listener), as_object=json_)


@app.command()
def init(
    project: ProjectFlag = None,
    source: Annotated[
        str, typer.Option("--source", metavar="DIR", help="The folder of exports, relative to the project file.")
    ] = "export",
    legal_entity: Annotated[str | None, typer.Option("--legal-entity", help="Legal entity, as in usmf.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Currency of contacts without one, as in EUR.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Country of contacts without one, as in DE.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Write a commented p2c.toml; asks for what it is not told."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        legal_entity = legal_entity or typer.prompt("Legal entity (blank: by business unit)", default="", err=True) or None
        currency = currency or typer.prompt("Currency of contacts without one (blank: none)", default="", err=True) or None
        country = country or typer.prompt("Country of contacts without one (blank: none)", default="", err=True) or None
    path = project or Path("p2c.toml")
    _answer(
        lambda _: commands.initialised(path, legal_entity=legal_entity, currency=currency, country=country, source=source),
        as_object=json_,
    )


@app.command()
def check(
    project: ProjectFlag = None,
    runs: RunsFlag = _RUNS,
    source: SourceFlag = None,
    set_: SetFlag = None,
    json_: JsonFlag = False,
) -> None:
    """Check settings, templates and sources without making a plan."""
    common = _common(project, runs, source, set_)
    _answer(lambda _: commands.checked(common), as_object=json_)


@app.command()
def plan(
    project: ProjectFlag = None,
    runs: RunsFlag = _RUNS,
    source: SourceFlag = None,
    set_: SetFlag = None,
    limit: LimitFlag = None,
    only: OnlyFlag = None,
    full: FullFlag = False,
    take_over: TakeOverFlag = False,
    against: Annotated[str | None, typer.Option("--against", metavar="RUN", help="Show what changed since another run.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Decide for every contact where it goes; write nothing but a run folder."""
    common = _common(project, runs, source, set_)
    request = Request(limit=limit, only=only, full=full, take_over=take_over, command="plan")
    _answer(lambda listener: commands.planned(common, request, listener, against), as_object=json_)


@app.command()
def apply(
    run: RunArgument,
    runs: RunsFlag = _RUNS,
    yes: YesFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Execute a plan; goes on where it was stopped."""
    _ = yes
    _answer(lambda listener: commands.applied(Common(runs=runs), run, listener), as_object=json_)


@app.command(name="run")
def run_(
    project: ProjectFlag = None,
    runs: RunsFlag = _RUNS,
    source: SourceFlag = None,
    set_: SetFlag = None,
    limit: LimitFlag = None,
    only: OnlyFlag = None,
    full: FullFlag = False,
    take_over: TakeOverFlag = False,
    yes: YesFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Plan and apply in one go."""
    _ = yes
    common = _common(project, runs, source, set_)
    request = Request(limit=limit, only=only, full=full, take_over=take_over, command="run")
    _answer(lambda listener: commands.ran(common, request, listener), as_object=json_)


@app.command()
def runs(runs: RunsFlag = _RUNS, json_: JsonFlag = False) -> None:
    """List runs."""
    _answer(lambda _: commands.listed_runs(Common(runs=runs)), as_object=json_)


@app.command()
def explain(
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="A contactid or contact number.")],
    run: Annotated[str, typer.Option("--run", metavar="RUN", help="A run's id, a unique prefix of one, or latest.")] = "latest",
    runs: RunsFlag = _RUNS,
    json_: JsonFlag = False,
) -> None:
    """Tell one contact's story, with its values; nothing is stored."""
    _answer(lambda _: commands.explained(Common(runs=runs), contact, run), as_object=json_)


@app.command()
def templates(
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="Show this task's mapping as a table.")] = None,
    project: ProjectFlag = None,
    runs: RunsFlag = _RUNS,
    source: SourceFlag = None,
    set_: SetFlag = None,
    json_: JsonFlag = False,
) -> None:
    """List the templates, or show one as a table; what the project changed is marked."""
    common = _common(project, runs, source, set_)
    _answer(lambda _: commands.shown_templates(common, task), as_object=json_)


@app.command()
def codes(json_: JsonFlag = False) -> None:
    """List all reason and finding codes, in the order in which they are tried."""
    _answer(lambda _: commands.shown_codes(), as_object=json_)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"p2c {__version__}\n")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    _ = version


def main() -> None:
    """The console script."""
    arguments = sys.argv[1:]
    words = [word for word in arguments if not word.startswith("-")]
    command = words[0] if words else ""
    try:
        with during(command or "p2c"):
            code = app(arguments, standalone_mode=False, prog_name="p2c")
    except P2cError as error:
        code = _failed(command, error, arguments)
    except TyperException as error:
        code = _failed(command, UsageError(error.format_message()), arguments)
    except (KeyboardInterrupt, typer.Abort):
        code = _failed(command, Stopped("stopped by the user; the same command goes on."), arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _failed(command: str, error: P2cError, arguments: list[str]) -> int:
    if "--json" in arguments:
        told = {"code": error.code, "message": error.message, "where": error.where}
        sys.stdout.write(json.dumps({"command": command, "error": told}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"p2c: {error}\n")
    return error.exit_code


if __name__ == "__main__":
    main()
