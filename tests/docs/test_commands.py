"""Every command that a page shows is one that p2c understands, flags and values included."""

from __future__ import annotations

import pytest
import typer
from typer.exceptions import TyperException

from pipeline.cli.app import command_line
from tests.scenes.pages import PAGES, list_calls

COMMANDS = typer.main.get_group(command_line()).commands
STANDS_FOR = {"N": "1", "DAYS": "1", "COMMAND": "plan", "export|import": "export"}
"""What a page writes in place of a number, and what takes its place here."""


def find_fault(called: list[str]) -> str | None:
    """Why p2c would not understand the words; null if it does."""
    name, *others = (STANDS_FOR.get(word, word) for word in called)
    if name not in COMMANDS:
        return f"there is no command '{name}'"
    flags = COMMANDS[name].params
    needed = [one for one in flags if one.param_type_name == "argument" and one.required]
    if needed and not [one for one in others if not one.startswith("-")]:
        # A sentence names the command, and its flags, without saying of which run.
        takes_value = {word for one in flags if not getattr(one, "is_flag", 1) for word in one.opts}
        others = [word for one in others for word in ([one, "1"] if one in takes_value else [one])]
        words = [str(getattr(one, "metavar", "")) for one in needed]
        others += [word.split("|")[0] if "|" in word else "latest" for word in words]
    for one in flags:  # Nor does it say what every call must.
        if one.param_type_name == "option" and one.required and one.opts[0] not in others:
            others += [one.opts[0], "1"]
    try:
        COMMANDS[name].make_context(name, others)
    except TyperException as error:
        return error.format_message()
    except typer.Exit:  # of --help
        return None
    return None


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_a_page_shows_are_understood(name: str) -> None:
    faults = {
        " ".join(words): fault for words in list_calls(PAGES[name]) if (fault := find_fault(words))
    }
    assert faults == {}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("pln", "there is no command 'pln'"),
        ("plan --limt 3", "No such option: --limt"),
        ("plan --limit three", "Invalid value for '--limit'"),
        ("plan extra", "Got unexpected extra argument"),
        ("apply latest --limit 3", "No such option: --limit"),
    ],
)
def test_a_command_that_p2c_does_not_understand_is_found(words: str, fault: str) -> None:
    assert fault in (find_fault(words.split()) or "")


def test_commands_are_found_wherever_a_page_shows_them() -> None:
    text = (
        "Run `p2c plan --limit 3`, not `p2c --help`.\n\n"
        "```console\n$ p2c demo --offline  # y --z\nRun p2c x\n```\n"
        "```ini\nExecStart=/opt/p2c/.venv/bin/p2c run --yes\n```\n"
        '```yaml\ncommand: ["p2c", "run", "--backfill"]\n```\n'
        '```python\nBashOperator(bash_command="p2c check --json")\n```\n'
        "```text\np2c nothing\n```\n"
    )
    assert [" ".join(words) for words in list_calls(text)] == [
        "plan --limit 3",
        "demo --offline",
        "run --yes",
        "run --backfill",
        "check --json",
    ]
