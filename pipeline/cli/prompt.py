"""Asking a person on the terminal. Without a terminal, nobody agrees."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.errors import UsageError
from pipeline.show.visible import make_lines_visible

if TYPE_CHECKING:
    from pipeline.apply.consent import Question


def make_asker(runs: Path, *, yes: bool) -> Callable[[Question], None]:
    """Something that asks before rows are sent.

    Args:
        runs: the folder of runs, for the command that it names.
        yes: a script has agreed already.
    """

    def ask(question: Question) -> None:
        if yes:
            return
        command = f"p2c apply {question.run}" + ("" if runs == Path("runs") else f" --runs {runs}")
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(
                f"nothing was sent, because there is no terminal to ask on; `{command} --yes` "
                f"sends it.\n{question.text}"
            )
        if not typer.confirm(
            make_lines_visible(f"\n{question.text}\nSend them?"), default=False, err=True
        ):
            raise UsageError(f"nothing was sent; `{command}` asks again.")

    return ask
