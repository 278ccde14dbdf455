"""README and docs: all that p2c has is documented, and all that they name exists."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache

import pytest
import typer

from pipeline.cli.app import command_line
from pipeline.cli.flags import ALL
from pipeline.errors import P2cError
from pipeline.mapping.template import MappingRow
from pipeline.project.settings import SECTIONS, Settings
from pipeline.wire.login.settings import AuthSettings
from tests.scenes.places import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
README, WORDS, SETTINGS = (
    PAGES[name] for name in ("README.md", "docs/commands.md", "docs/reference/settings.md")
)
LARGEST_README = 10_000
COMMANDS = typer.main.get_group(command_line()).commands


@cache
def flags(command: str) -> frozenset[str]:
    """The flags of a command, hidden ones and --help included."""
    return frozenset(
        {
            "--help",
            *(word for one in COMMANDS[command].params for word in one.opts if word[0] == "-"),
        }
    )


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= LARGEST_README


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_its_flags_are_documented(name: str) -> None:
    assert f"`p2c {name}" in README
    [line] = [one for one in WORDS.splitlines() if re.match(rf"\| `p2c {name}\b", one)]
    own = {
        one.opts[0]
        for one in COMMANDS[name].params
        if one.name not in {*ALL, "help"} and one.opts[0].startswith("-")
    }
    if name == "run":
        own &= {"--backfill", "--yes"}  # The others are those of plan, and the line says so.
    assert {flag for flag in own if f"`{flag}" not in line} <= {"--json"}


def _codes(kind: type[P2cError]) -> set[int]:
    return {kind.exit_code, *(code for below in kind.__subclasses__() for code in _codes(below))}


@pytest.mark.parametrize("code", sorted({0, 1, *_codes(P2cError)}))
def test_every_exit_code_is_documented(code: int) -> None:
    assert f"\n| {code} | " in README


@pytest.mark.parametrize(
    "setting",
    [
        *(
            f"`{section}.{name}`"
            for section, kind in SECTIONS.items()
            for name in kind.model_fields
            if name != "auth"
        ),
        *(f"`auth.{name}`" for name in AuthSettings.model_fields),
        *(f"`{name}`" for name in MappingRow.model_fields),
    ],
)
def test_every_setting_is_documented(setting: str) -> None:
    assert f"\n| {setting} | " in SETTINGS


def test_every_table_of_settings_is_documented() -> None:
    for name in Settings.model_fields:
        assert re.search(rf"^## \[{name}\b", SETTINGS, re.MULTILINE), name


def test_the_index_lists_every_page() -> None:
    names = {name.removeprefix("docs/") for name in PAGES} - {"README.md", "index.md"}
    assert {name for name in names if f"]({name})" not in PAGES["docs/index.md"]} == set()


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"(?s)```.*?```", "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def links(name: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)]+)\)", re.sub(r"(?s)```.*?```", "", PAGES[name]))


@pytest.mark.parametrize("name", PAGES)
def test_links_between_pages_lead_somewhere(name: str) -> None:
    for link in links(name):
        file, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / file).resolve() if file else ROOT / name
        assert target.is_file(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def calls(text: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of p2c that a page shows, with the words behind each."""
    shown = re.findall(r"^(?:\$ |> \S*Scripts\\)p2c (.+)$", text, re.MULTILINE)
    inline = re.findall(r"`p2c ([^`\n]+)`", re.sub(r"(?s)```.*?```", "", text))
    for call in (*shown, *inline):
        words = re.sub(r"\s#\s.*", "", call).split()
        if not words[0].startswith("-") and words[0] != "COMMAND":
            yield words[0], words[1:]


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_a_page_shows_exist(name: str) -> None:
    for command, words in calls(PAGES[name]):
        assert command in COMMANDS, command
        assert {word for word in words if word.startswith("--")} <= flags(command), (command, words)


@pytest.mark.parametrize("name", PAGES)
def test_modules_targets_and_files_that_a_page_names_exist(name: str) -> None:
    text = PAGES[name]
    for module in re.findall(r"python -m ((?:tests|pipeline)\.[\w.]+)", text):
        assert importlib.util.find_spec(module) is not None, module
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|\$ )make (\w+)", text):
        assert f"\n{target}:" in targets, target
    for file in re.findall(r"`((?:tests|pipeline)/[\w./]+)`", text):
        assert (ROOT / file).exists(), file


def test_the_reader_of_pages_sees_commands() -> None:
    text = "`p2c plan --limit 3` and `p2c --help`\n```console\n$ p2c demo --x  # y --z\n```\n"
    assert list(calls(text)) == [("demo", ["--x"]), ("plan", ["--limit", "3"])]
