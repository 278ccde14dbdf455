"""Flags of the command line: those that a few commands know, and the common ones, which a command gets as one value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.lazy import lazily

if TYPE_CHECKING:
    from pipeline.mapping import template
else:
    template = lazily("pipeline.mapping.template")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """The common flags as they were given."""

    project: Path | None = None
    runs: Path = Path("runs")
    source: Path | None = None
    assignments: tuple[str, ...] = ()
    as_object: bool = False


def _runs_there(context: typer.Context, incomplete: str) -> list[str]:
    folder = Path(context.params.get("runs") or "runs")
    names = [path.name for path in folder.iterdir() if path.is_dir() and path.name[:1].isdigit()] if folder.is_dir() else []
    return [name for name in ["latest", *sorted(names, reverse=True)] if name.startswith(incomplete)]


def _tasks(incomplete: str) -> list[str]:
    names = [template.shipped(name).task for name in template.SHIPPED]
    return [name for name in names if name.casefold().startswith(incomplete.casefold())]


LimitFlag = Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="Take only the first N contacts.")]
OnlyFlag = Annotated[Path | None, typer.Option("--only", metavar="FILE", help="Take only the contactids in FILE, one a line.")]
FullFlag = Annotated[bool, typer.Option("--full", help="Send rows that did not change since the last load, too.")]
BackfillFlag = Annotated[
    bool, typer.Option("--backfill", help="Fill in Contact Number and Is Active Customer in Sales first (live only).")
]
ChangesFlag = Annotated[
    bool, typer.Option("--changes", help="Ask Sales only for what changed since the newest run that read it; the plan is of all.")
]
TakeOverFlag = Annotated[bool, typer.Option("--take-over", help="Overwrite keys that are in SCM though p2c never loaded them.")]
YesFlag = Annotated[bool, typer.Option("--yes", help="Do not ask. Folder loads and systems on this machine never ask.")]
_RUN_HELP: Final = "A run's id, a unique prefix of one, or latest."
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=_RUN_HELP, autocompletion=_runs_there)]
RunFlag = Annotated[str, typer.Option("--run", metavar="RUN", help=_RUN_HELP, autocompletion=_runs_there)]
TaskArgument = Annotated[
    str | None, typer.Argument(metavar="[TASK]", help="Show this task's mapping as a table.", autocompletion=_tasks)
]
AgainstFlag = Annotated[
    str | None,
    typer.Option("--against", metavar="RUN", help="Show what changed since another run.", autocompletion=_runs_there),
]

_COMMON: Final[dict[str, tuple[Any, Any, str, dict[str, Any]]]] = {
    "project": (Path | None, None, "--project", {"metavar": "FILE", "help": "Project file; p2c.toml here if not said."}),
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


def with_flags(
    command: Callable[..., Any], answer: Callable[[Flags, Any], None], takes: Collection[str] = ALL, hides: Collection[str] = ()
) -> Callable[..., None]:
    """A command as typer sees it: the common flags behind its own, which it gets as its first argument.

    Args:
        command: ``(flags, own …)`` → whatever ``answer`` answers with.
        answer: what is done with it.
        takes: the common flags that it knows.
        hides: those that it accepts beside them without a use, so that a script can pass the same ones to all.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = [_parameter(name, hidden=name not in takes) for name in ALL if name in takes or name in hides]
    signature = inspect.Signature([one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in [*own, *common]])

    def call(**given: Any) -> None:
        said = {name: given.pop(name) for name in ALL if name in given}
        said["assignments"] = tuple(said.get("assignments") or ())
        flags = Flags(**said)
        answer(flags, command(flags, **given))

    call.__doc__ = command.__doc__
    call.__name__ = command.__name__
    call.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    vars(call)["__signature__"] = signature
    return call


def _parameter(name: str, *, hidden: bool) -> inspect.Parameter:
    kind, default, word, told = _COMMON[name]
    annotated: Any = Annotated
    annotation = annotated[kind, typer.Option(word, hidden=hidden, **told)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
