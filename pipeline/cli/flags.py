"""Flags of the command line: those of a few commands, and the common ones.

A command gets the common ones as one value.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.completion import (
    complete_codes,
    complete_runs,
    complete_settings,
    complete_tasks,
)
from pipeline.commands.options import Flags

if TYPE_CHECKING:
    from pipeline.commands.result import Result
    from pipeline.events import Listener

Work = Callable[["Listener"], "Result"]
"""What a command does once its words are understood."""


LimitFlag = Annotated[
    int | None, typer.Option("--limit", min=0, metavar="N", help="Take only the first N contacts.")
]
OnlyFlag = Annotated[
    Path | None,
    typer.Option(
        "--only",
        metavar="FILE",
        help="Take only the contacts whose ids or Contact Numbers are in FILE, one per line.",
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
    typer.Option(
        "--code",
        metavar="CODE",
        help="Take only this code. Can be given several times.",
        autocompletion=complete_codes,
    ),
]
_RUN_HELP: Final = "The id of a run, the unique beginning of one, latest, or the run's folder."
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help=_RUN_HELP, autocompletion=complete_runs)
]
RunFlag = Annotated[
    str, typer.Option("--run", metavar="RUN", help=_RUN_HELP, autocompletion=complete_runs)
]
SalesOption = Annotated[
    str | None,
    typer.Option("--sales-url", metavar="URL", help="The address of Sales, for links to contacts."),
]
TaskArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[TASK]", help="The task whose mapping to show.", autocompletion=complete_tasks
    ),
]
AgainstFlag = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="RUN",
        help=(
            "Show all that changed since this run. previous: only who is newly held or rejected "
            "since the last run of this project, and who no longer; `p2c run` does so by itself. "
            "none: nothing."
        ),
        autocompletion=complete_runs,
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
    completion: Callable[[str], list[str]] | None = None


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
        completion=complete_settings,
        help=("Any setting, as in destination.legal_entity=usmf. Can be given several times."),
    ),
    "as_object": _Common(kind=bool, default=False, word="--json", help="Print one JSON object."),
    "log_file": _Common(
        kind=Path | None,
        default=None,
        word="--log-file",
        metavar="FILE",
        help="Also append what happens to FILE, as JSON lines without personal data.",
    ),
}

_ALWAYS: Final = ("log_file",)
"""Common flags that every command takes."""

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


Answer = Callable[[str, Flags, Callable[[], Work]], None]
"""What is done with a command: its name, its common flags, and what makes its work of the words."""


def add_common_flags(one: Command, answer: Answer) -> Callable[..., None]:
    """A command as typer sees it: its own flags, then the common ones.

    The command gets the common ones as its first argument.

    Args:
        one: the command.
        answer: what is done with its work.
    """
    own = list(inspect.signature(one.call, eval_str=True).parameters.values())[1:]
    common = [
        _make_parameter(name, hidden=name not in (*one.takes, *_ALWAYS))
        for name in ALL
        if name in (*one.takes, *one.hides, *_ALWAYS)
    ]
    signature = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in [*own, *common]]
    )

    def call(**given: Any) -> None:
        values = {name: given.pop(name) for name in ALL if name in given}
        values["assignments"] = tuple(values.get("assignments") or ())
        flags = Flags(**values, environment=tuple(os.environ.items()))
        answer(one.name or one.call.__name__, flags, partial(one.call, flags, **given))

    call.__doc__ = one.call.__doc__
    call.__name__ = one.call.__name__
    call.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    vars(call)["__signature__"] = signature
    return call


def _make_parameter(name: str, *, hidden: bool) -> inspect.Parameter:
    flag = _COMMON[name]
    option = typer.Option(
        flag.word,
        hidden=hidden,
        help=flag.help,
        metavar=flag.metavar,
        autocompletion=flag.completion,
    )
    annotated: Any = Annotated
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=flag.default,
        annotation=annotated[flag.kind, option],
    )
