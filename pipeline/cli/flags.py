"""Flags of the command line.

Those that a few commands know, and the common ones, which a command gets as one value.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.commands.options import Flags
from pipeline.lazy import lazily

if TYPE_CHECKING:
    from pipeline.commands.result import Result
    from pipeline.events import Listener
    from pipeline.mapping import template
else:
    template = lazily("pipeline.mapping.template")

Work = Callable[["Listener"], "Result"]
"""What a command does once its words are understood."""


def _runs_there(context: typer.Context, incomplete: str) -> list[str]:
    folder = Path(context.params.get("runs") or "runs")
    names = (
        [path.name for path in folder.iterdir() if path.is_dir() and path.name[:1].isdigit()]
        if folder.is_dir()
        else []
    )
    return [
        name for name in ["latest", *sorted(names, reverse=True)] if name.startswith(incomplete)
    ]


def _tasks(incomplete: str) -> list[str]:
    names = [template.shipped(name).task for name in template.SHIPPED]
    return [name for name in names if name.casefold().startswith(incomplete.casefold())]


LimitFlag = Annotated[
    int | None, typer.Option("--limit", min=0, metavar="N", help="Take only the first N contacts.")
]
OnlyFlag = Annotated[
    Path | None,
    typer.Option("--only", metavar="FILE", help="Take only the contactids in FILE, one a line."),
]
FullFlag = Annotated[
    bool, typer.Option("--full", help="Send rows that did not change since the last load, too.")
]
BackfillFlag = Annotated[
    bool,
    typer.Option(
        "--backfill",
        help="Fill in Contact Number and Is Active Customer in Sales first (live only).",
    ),
]
ChangesFlag = Annotated[
    bool,
    typer.Option(
        "--changes",
        help=(
            "Ask Sales only for what changed since the newest run that read it; the plan is of all."
        ),
    ),
]
TakeOverFlag = Annotated[
    bool,
    typer.Option(
        "--take-over", help="Overwrite keys that are in SCM though p2c never loaded them."
    ),
]
YesFlag = Annotated[
    bool,
    typer.Option("--yes", help="Do not ask. Folder loads and systems on this machine never ask."),
]
ToOption = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to write.")]
ValuesFlag = Annotated[
    bool,
    typer.Option("--with-values", help="Add source values: the file then holds personal data."),
]
CodeOption = Annotated[
    list[str] | None,
    typer.Option("--code", metavar="CODE", help="Only this code; may be said again."),
]
_RUN_HELP: Final = "A run's id, a unique prefix of one, or latest."
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help=_RUN_HELP, autocompletion=_runs_there)
]
RunFlag = Annotated[
    str, typer.Option("--run", metavar="RUN", help=_RUN_HELP, autocompletion=_runs_there)
]
TaskArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[TASK]", help="Show this task's mapping as a table.", autocompletion=_tasks
    ),
]
AgainstFlag = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="RUN",
        help="Show what changed since another run.",
        autocompletion=_runs_there,
    ),
]

_COMMON: Final[dict[str, tuple[Any, Any, str, dict[str, Any]]]] = {
    "project": (
        Path | None,
        None,
        "--project",
        {"metavar": "FILE", "help": "Project file; p2c.toml here if not said."},
    ),
    "runs": (Path, Path("runs"), "--runs", {"metavar": "DIR", "help": "Where run folders are."}),
    "source": (Path | None, None, "--source", {"metavar": "DIR", "help": "A folder of exports."}),
    "assignments": (
        list[str] | None,
        None,
        "--set",
        {"metavar": "KEY=VALUE", "help": "Any setting, as in destination.legal_entity=usmf."},
    ),
    "as_object": (bool, False, "--json", {"help": "Print one JSON object."}),
}
"""Flag → type, default, word, and what the help says."""

ALL: Final = tuple(_COMMON)
RUN_ONLY: Final = ("runs", "as_object")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command of the command line before it is put there.

    Attributes:
        call: ``(flags, own …)`` → the work to do.
        name: how the command line spells it; null as the function is called.
        takes: the common flags that it knows.
        hides: those that it accepts without a use, so that a script can pass the same ones to all.
    """

    call: Callable[..., Work]
    name: str | None
    takes: Collection[str]
    hides: Collection[str]


def command(
    name: str | None = None, takes: Collection[str] = ALL, hides: Collection[str] = ()
) -> Callable[[Callable[..., Work]], Command]:
    """Make a function a command, with the common flags that it takes."""
    return lambda call: Command(call=call, name=name, takes=takes, hides=hides)


def with_flags(one: Command, answer: Callable[[Flags, Work], None]) -> Callable[..., None]:
    """A command as typer sees it: the common flags behind its own, which it gets as its first argument.

    Args:
        one: the command.
        answer: what is done with its work.
    """
    own = list(inspect.signature(one.call, eval_str=True).parameters.values())[1:]
    common = [
        _parameter(name, hidden=name not in one.takes)
        for name in ALL
        if name in one.takes or name in one.hides
    ]
    signature = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in [*own, *common]]
    )

    def call(**given: Any) -> None:
        said = {name: given.pop(name) for name in ALL if name in given}
        said["assignments"] = tuple(said.get("assignments") or ())
        flags = Flags(**said, environment=tuple(os.environ.items()))
        answer(flags, one.call(flags, **given))

    call.__doc__ = one.call.__doc__
    call.__name__ = one.call.__name__
    call.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    vars(call)["__signature__"] = signature
    return call


def _parameter(name: str, *, hidden: bool) -> inspect.Parameter:
    kind, default, word, words = _COMMON[name]
    annotated: Any = Annotated
    annotation = annotated[kind, typer.Option(word, hidden=hidden, **words)]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
