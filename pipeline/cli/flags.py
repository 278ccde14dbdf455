"""Flags of the command line: those of a few commands, and the common ones.

A command gets the common ones as one value.
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
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands.result import Result
    from pipeline.events import Listener
    from pipeline.mapping import template
else:
    template = import_lazily("pipeline.mapping.template")

Work = Callable[["Listener"], "Result"]
"""What a command does once its words are understood."""


def _complete_runs(context: typer.Context, incomplete: str) -> list[str]:
    folder = Path(context.params.get("runs") or "runs")
    names = (
        [path.name for path in folder.iterdir() if path.is_dir() and path.name[:1].isdigit()]
        if folder.is_dir()
        else []
    )
    return [
        name for name in ["latest", *sorted(names, reverse=True)] if name.startswith(incomplete)
    ]


def _complete_tasks(incomplete: str) -> list[str]:
    names = [template.load_shipped(name).task for name in template.SHIPPED]
    return [name for name in names if name.casefold().startswith(incomplete.casefold())]


LimitFlag = Annotated[
    int | None, typer.Option("--limit", min=0, metavar="N", help="Take only the first N contacts.")
]
OnlyFlag = Annotated[
    Path | None,
    typer.Option(
        "--only", metavar="FILE", help="Take only the contacts whose ids are in FILE, one per line."
    ),
]
FullFlag = Annotated[
    bool, typer.Option("--full", help="Also send rows that did not change since the last load.")
]
BackfillFlag = Annotated[
    bool,
    typer.Option(
        "--backfill",
        help="First fill in Contact Number and Is Active Customer in Sales (live systems only).",
    ),
]
ChangesFlag = Annotated[
    bool,
    typer.Option(
        "--changes",
        help=(
            "Read only what changed in Sales since the newest run that read it. The plan still "
            "covers all contacts."
        ),
    ),
]
TakeOverFlag = Annotated[
    bool,
    typer.Option(
        "--take-over", help="Overwrite records that are in SCM although p2c never loaded them."
    ),
]
YesFlag = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="Do not ask before sending. Folder loads and systems on this machine never ask.",
    ),
]
ToOption = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="The file to write.")]
ValuesFlag = Annotated[
    bool,
    typer.Option(
        "--with-values", help="Include values of the source: the file then holds personal data."
    ),
]
ShowValuesFlag = Annotated[
    bool,
    typer.Option(
        "--with-values",
        help="Show values of contacts that a closed list does not know, not only how many.",
    ),
]
CodeOption = Annotated[
    list[str] | None,
    typer.Option("--code", metavar="CODE", help="Take only this code. Can be given several times."),
]
_RUN_HELP: Final = "The id of a run, the unique beginning of one, or latest."
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help=_RUN_HELP, autocompletion=_complete_runs)
]
RunFlag = Annotated[
    str, typer.Option("--run", metavar="RUN", help=_RUN_HELP, autocompletion=_complete_runs)
]
SalesOption = Annotated[
    str | None,
    typer.Option("--sales-url", metavar="URL", help="The address of Sales, for links to contacts."),
]
TaskArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[TASK]", help="The task whose mapping to show.", autocompletion=_complete_tasks
    ),
]
AgainstFlag = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="RUN",
        help="Show what changed since this run.",
        autocompletion=_complete_runs,
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Common:
    """One of the common flags: its type, default and word, and what the help says."""

    kind: object
    default: object
    word: str
    help: str
    metavar: str | None = None


_COMMON: Final[dict[str, _Common]] = {
    "project": _Common(
        kind=Path | None,
        default=None,
        word="--project",
        metavar="FILE",
        help="The project file; default: p2c.toml in this folder.",
    ),
    "runs": _Common(
        kind=Path, default=Path("runs"), word="--runs", metavar="DIR", help="The folder of runs."
    ),
    "source": _Common(
        kind=str | None,
        default=None,
        word="--source",
        metavar="DIR",
        help="The folder of exports to read, or its address in an object store.",
    ),
    "assignments": _Common(
        kind=list[str] | None,
        default=None,
        word="--set",
        metavar="KEY=VALUE",
        help=("Any setting, as in destination.legal_entity=usmf. Can be given several times."),
    ),
    "as_object": _Common(kind=bool, default=False, word="--json", help="Print one JSON object."),
}

ALL: Final = tuple(_COMMON)
RUN_ONLY: Final = ("runs", "as_object")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command of the command line before it is put there.

    Attributes:
        call: takes the flags, then its own arguments; returns the work to do.
        name: how the command line spells it; null as the function is called.
        takes: the common flags that it knows.
        hides: those that it accepts but does not use: a script can pass the same ones to all.
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


def add_common_flags(one: Command, answer: Callable[[Flags, Work], None]) -> Callable[..., None]:
    """A command as typer sees it: its own flags, then the common ones.

    The command gets the common ones as its first argument.

    Args:
        one: the command.
        answer: what is done with its work.
    """
    own = list(inspect.signature(one.call, eval_str=True).parameters.values())[1:]
    common = [
        _make_parameter(name, hidden=name not in one.takes)
        for name in ALL
        if name in one.takes or name in one.hides
    ]
    signature = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in [*own, *common]]
    )

    def call(**given: Any) -> None:
        values = {name: given.pop(name) for name in ALL if name in given}
        values["assignments"] = tuple(values.get("assignments") or ())
        flags = Flags(**values, environment=tuple(os.environ.items()))
        answer(flags, one.call(flags, **given))

    call.__doc__ = one.call.__doc__
    call.__name__ = one.call.__name__
    call.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    vars(call)["__signature__"] = signature
    return call


def _make_parameter(name: str, *, hidden: bool) -> inspect.Parameter:
    flag = _COMMON[name]
    option = typer.Option(flag.word, hidden=hidden, help=flag.help, metavar=flag.metavar)
    annotated: Any = Annotated
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=flag.default,
        annotation=annotated[flag.kind, option],
    )
