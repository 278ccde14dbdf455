"""Asking a person on the terminal. Without a terminal, nobody agrees."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from pipeline.cli.terminal import write_err
from pipeline.errors import UsageError
from pipeline.show.visible import make_lines_visible

if TYPE_CHECKING:
    from pipeline.apply.consent import Question


_QUESTIONS: Final = {
    "url": "Address of Sales, as in https://contoso.crm4.dynamics.com",
    "path": "Folder of the exports",
    "legal_entity": "Legal entity, as in usmf (blank: set it by business unit)",
    "currency": "Currency of contacts that have none, as in EUR (blank: assume none)",
    "country": "Country of contacts that have none, as in DE (blank: assume none)",
}
_KIND: Final = "Read contacts from files that you export, or live from Sales? (files, live)"


def ask_for_settings(
    given: Mapping[str, str | None], folder: str, find_problem: Callable[[str, str], str]
) -> dict[str, str | None]:
    """Ask for what the flags of ``init`` do not say; a wrong answer is asked for again.

    Args:
        given: what the flags say: path, legal_entity, currency, country.
        folder: the usual folder of exports.
        find_problem: what is wrong with the answer to a setting, blank if nothing is.

    Returns:
        The same keys; with url where contacts are read live.
    """
    answers = dict(given)
    if not answers["path"]:
        live = _ask(_KIND, "files", _check_kind) in _LIVE
        name, usual = ("url", "") if live else ("path", folder)
        answers[name] = _ask(_QUESTIONS[name], usual, partial(find_problem, name))
    for name in ("legal_entity", "currency", "country"):
        if not answers[name]:
            answers[name] = _ask(_QUESTIONS[name], "", partial(find_problem, name))
    return answers


_LIVE: Final = frozenset({"live", "l"})


def _check_kind(text: str) -> str:
    known = text.lower() in {"files", "f", *_LIVE}
    return "" if known else "must be files or live."


def _ask(question: str, usual: str, find_problem: Callable[[str], str]) -> str:
    while True:
        answer = str(typer.prompt(question, default=usual, err=True)).strip()
        problem = find_problem(answer)
        if not problem:
            return answer
        write_err(f"That {problem}")


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
