"""The page of commands, made from what the command line itself knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer

from pipeline.cli.app import command_line
from pipeline.cli.flags import ALL
from pipeline.show.markdown import mark_code, render_markdown_table

_HEAD: Final = """\
# Commands

<!-- Written by `python -m pipeline.manual`. Change the commands in pipeline/cli. -->

`p2c COMMAND --help` shows the flags of a command. `p2c --install-completion` teaches your shell
commands, flags, runs, tasks, codes, the settings behind `--set` and the packages of `confirm`.

RUN is the id of a run, the unique beginning of one, `latest`, or the folder of a run, as in
`p2c verify /evidence/20261130T084603Z-b742`. `retry` and `undo` of such a folder write their new
run next to it.
"""

_COMMON: Final = """\
## Flags that most commands know

The sections below name them without a description.
"""

_TAIL: Final = """\
## Output

Results go to stdout, progress goes to stderr. [Exit codes](exit-codes.md) are the same for all
commands. Where the output is not a terminal, lines are not wrapped; the variable `COLUMNS` sets a
width.

On a terminal, progress marks finished steps with a ✓. A running step shows its count and rate, and
the time left where the total is known. (Sales counts its own tables only once a day.) Elsewhere one
line says the same, at most every ten seconds.

`--to`, `--worklist` and `--repair` take the name of a file, no folder and no `-`. If it is a link,
the file behind it is written. Files of a run folder and project files are not written over. On a
disk that cannot be written to, `p2c report RUN` writes `RUN.html` into the current folder, and
`p2c reconcile RUN` shows its result without keeping it.

`--json` prints one object that always has the keys `command`, `run`, `folder`, `verdict`,
`balanced`, `counts`, `reasons`, `findings`, `outcomes`, `forecast` and `items`. On an error it has
`command` and `error` (`code`, `message`, `where`).

## Environment variables

- `P2C_<SECTION>_<KEY>` sets a setting, as in `P2C_DESTINATION_CURRENCY=EUR`.
- The variables that `secret_env`, `password_env` and `token_env` name hold secrets; see
  [live systems](../operate/live.md#log-in).
- `P2C_TRACEBACK=1` prints the traceback of an error. Look through it before you pass it on: it may
  hold personal data.
"""

_Parameter = Any
"""A parameter as click sees it; typer brings its own copy of click, without public types."""


def render_commands_page() -> str:
    """The page, as Markdown."""
    commands: Mapping[str, Any] = typer.main.get_group(command_line()).commands
    overview = render_markdown_table(
        ("Command", "Does"),
        (
            (f"[{mark_code(f'p2c {name}')}](#p2c-{name})", _first_line(one.help))
            for name, one in commands.items()
        ),
    )
    shared = {one.name: one for each in commands.values() for one in each.params}
    common = _render_flags([shared[name] for name in ALL])
    sections = [text for name, one in commands.items() for text in _render_command(name, one)]
    return "\n".join([_HEAD, overview, _COMMON, common, *sections, _TAIL])


def _render_command(name: str, command: Any) -> Iterator[str]:
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    own = [one for one in shown if one not in arguments and one.name not in {*ALL, "help"}]
    common = [mark_code(_name_flag(one)) for one in shown if one.name in ALL]
    words = " ".join([f"p2c {name}", *(_name_argument(one) for one in arguments)])
    yield f"## p2c {name}\n\n```text\n{words}\n```\n\n{_join_lines(command.help)}\n"
    if own:
        yield _render_flags(own)
    yield f"Also: {', '.join(common)}.\n"


def _render_flags(flags: list[_Parameter]) -> str:
    return render_markdown_table(
        ("Flag", "Does", "Default"),
        ((mark_code(_name_flag(one)), one.help or "", _say_default(one)) for one in flags),
    )


def _name_flag(one: _Parameter) -> str:
    return one.opts[0] if one.is_flag else f"{one.opts[0]} {one.metavar}"


def _name_argument(one: _Parameter) -> str:
    name = one.metavar or one.name.upper()
    return name if one.required else f"[{name.strip('[]')}]{'...' if one.nargs == -1 else ''}"


def _say_default(one: _Parameter) -> str:
    if one.is_flag or one.default is None or callable(one.default):
        return ""
    return mark_code(str(one.default))


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def _join_lines(text: str | None) -> str:
    """The help with its paragraphs, each in one line."""
    parts = (text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)
