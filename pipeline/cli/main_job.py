"""The commands of the main job: demo, init, check, plan, backfill, apply, run."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.flags import (
    AgainstFlag,
    BackfillFlag,
    ChangesFlag,
    Command,
    FullFlag,
    LimitFlag,
    OnlyFlag,
    RunArgument,
    ShowValuesFlag,
    TakeOverFlag,
    Work,
    YesFlag,
    command,
)
from pipeline.cli.prompt import ask_for_settings, make_asker
from pipeline.commands.options import Flags
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import apply as applying
    from pipeline.commands import check as checking
    from pipeline.commands import demo as demos
    from pipeline.commands import init as starting
    from pipeline.commands import plan as planning
    from pipeline.plan import request as requests
else:
    applying = import_lazily("pipeline.commands.apply")
    checking = import_lazily("pipeline.commands.check")
    demos = import_lazily("pipeline.commands.demo")
    starting = import_lazily("pipeline.commands.init")
    planning = import_lazily("pipeline.commands.plan")
    requests = import_lazily("pipeline.plan.request")


@command(takes=("runs", "as_object"))
def demo(
    flags: Flags,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Read exported files and write packages; no systems are needed."
        ),
    ] = False,
) -> Work:
    """Do the whole job on sample contacts, with local systems."""
    return lambda listener: (demos.demonstrate_offline if offline else demos.demonstrate)(
        flags.runs, listener
    )


@command(takes=("project", "source", "as_object"))
def init(
    flags: Flags,
    legal_entity: Annotated[
        str | None,
        typer.Option("--legal-entity", metavar="ID", help="The legal entity, as in usmf."),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency", metavar="CODE", help="The currency of contacts that have none, as in EUR."
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            "--country", metavar="CODE", help="The country of contacts that have none, as in DE."
        ),
    ] = None,
) -> Work:
    """Write a p2c.toml that explains every setting.

    On a terminal it asks for what the flags do not say.
    """
    path = flags.project or Path("p2c.toml")
    given = {
        "path": None if flags.source is None else str(flags.source),
        "legal_entity": legal_entity,
        "currency": currency,
        "country": country,
    }
    usual = str(path.parent / "export")
    starting.refuse_place(path)
    if sys.stdin.isatty() and sys.stderr.isatty():
        given = ask_for_settings(given, usual, starting.find_answer_problem)
    answers = {key: value or None for key, value in given.items()}
    source = answers.pop("path") or usual
    return lambda _: starting.initialise(path, source, answers)


@command()
def check(flags: Flags) -> Work:
    """Check settings, templates, exports and live systems."""
    return lambda listener: checking.check_project(flags, listener)


@command()
def plan(
    flags: Flags,
    limit: LimitFlag = None,
    only: OnlyFlag = None,
    full: FullFlag = False,
    take_over: TakeOverFlag = False,
    changes: ChangesFlag = False,
    against: AgainstFlag = None,
    with_values: ShowValuesFlag = False,
) -> Work:
    """Decide for every contact where it goes; send nothing."""
    request = requests.PlanRequest(
        limit=limit, only=only, full=full, take_over=take_over, changes=changes, command="plan"
    )
    flags = replace(flags, values=with_values)
    return lambda listener: planning.plan_contacts(flags, request, listener, against)


@command()
def backfill(flags: Flags, limit: LimitFlag = None, only: OnlyFlag = None) -> Work:
    """Plan missing Contact Numbers and Is Active Customer flags.

    Nothing is written to Sales before you apply the plan.
    """
    request = requests.PlanRequest(limit=limit, only=only, command="backfill")
    return lambda listener: planning.backfill_contacts(flags, request, listener)


@command(takes=("project", "runs", "assignments", "as_object"), hides=("source",))
def apply(
    flags: Flags, run: RunArgument, yes: YesFlag = False, with_values: ShowValuesFlag = False
) -> Work:
    """Carry out a plan, or continue one that was stopped."""
    flags = replace(flags, values=with_values)
    return lambda listener: applying.apply_run(
        flags, run, listener, make_asker(flags.runs, yes=yes)
    )


@command(name="run")
def run_(
    flags: Flags,
    limit: LimitFlag = None,
    only: OnlyFlag = None,
    full: FullFlag = False,
    take_over: TakeOverFlag = False,
    changes: ChangesFlag = False,
    against: AgainstFlag = "previous",
    backfill: BackfillFlag = False,
    yes: YesFlag = False,
    with_values: ShowValuesFlag = False,
) -> Work:
    """Plan and apply in one go."""
    flags = replace(flags, values=with_values)
    request = requests.PlanRequest(
        limit=limit, only=only, full=full, take_over=take_over, changes=changes, command="run"
    )
    ask = make_asker(flags.runs, yes=yes)
    work = applying.backfill_plan_and_apply if backfill else applying.plan_and_apply
    return lambda listener: work(flags, request, listener, ask, against)


COMMANDS: Final[tuple[Command, ...]] = (demo, init, check, plan, backfill, apply, run_)
