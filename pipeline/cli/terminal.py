"""All that p2c prints for people goes through here: nothing reaches a terminal raw.

Names and messages of systems, values of contacts and the words of the command line itself may hold
characters that steer a terminal or turn text around.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Final

from pipeline.lazy import import_lazily
from pipeline.show.visible import make_lines_visible

if TYPE_CHECKING:
    from rich import console
    from rich import text as styled
else:
    console = import_lazily("rich.console")
    styled = import_lazily("rich.text")

_NARROWEST: Final = 30
"""Characters: below it, lines are not broken further."""


def write_out(text: str) -> None:
    """Write a result, which may have several lines, to stdout."""
    sys.stdout.write(f"{make_lines_visible(text)}\n")


def write_result(text: str, *, bold: bool) -> None:
    """Write a result to a terminal, its first line ``bold`` or not."""
    first, _, rest = wrap_lines(make_lines_visible(text), _find_width()).partition("\n")
    line = styled.Text(first, style="bold" if bold else "")
    console.Console().print(line, soft_wrap=True)
    sys.stdout.write(f"{rest}\n" if rest else "")


def write_err(text: str) -> None:
    """Write an error, a question or progress to stderr.

    Nothing stops because nobody can read it.
    """
    shown = make_lines_visible(text)
    with contextlib.suppress(OSError):
        if sys.stderr.isatty():
            shown = wrap_lines(shown, _find_width())
        sys.stderr.write(f"{shown}\n")


def wrap_lines(text: str, width: int) -> str:
    """Lines that are too long for a terminal, broken between words; names and paths stay whole.

    A part of a line that goes on begins below the first word of the line.
    """
    return "\n".join(part for line in text.split("\n") for part in _wrap_line(line, width))


def _wrap_line(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    margin = " " * (len(line) - len(line.lstrip(" ")))
    parts = textwrap.wrap(
        line,
        width,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )
    return parts or [line]


def _find_width() -> int:
    return max(_NARROWEST, shutil.get_terminal_size().columns)
