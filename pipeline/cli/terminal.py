"""All that p2c prints for people goes through here: nothing reaches a terminal raw.

Names and messages of systems, values of contacts and the words of the command line itself may hold
characters that steer a terminal or turn text around.
"""

from __future__ import annotations

import contextlib
import sys

from rich.console import Console
from rich.text import Text

from pipeline.show.visible import make_lines_visible


def write_out(text: str) -> None:
    """Write a result, which may have several lines, to stdout."""
    sys.stdout.write(f"{make_lines_visible(text)}\n")


def write_result(text: str, *, bold: bool) -> None:
    """Write a result to a terminal, its first line ``bold`` or not."""
    first, _, rest = make_lines_visible(text).partition("\n")
    Console().print(Text(first, style="bold" if bold else ""), soft_wrap=True)
    sys.stdout.write(f"{rest}\n" if rest else "")


def write_err(text: str) -> None:
    """Write an error, a question or progress to stderr.

    Nothing stops because nobody can read it.
    """
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{make_lines_visible(text)}\n")
