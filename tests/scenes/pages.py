"""The README and the pages of docs as texts: their blocks, links, anchors and commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.scenes.places import ROOT

INBOX: Final = "docs/inbox/"
"""Texts that wait for their page; no pages themselves."""

PAGES: Final = {
    name: path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if not (name := path.relative_to(ROOT).as_posix()).startswith(INBOX)
}
README: Final = PAGES["README.md"]

FENCE: Final = re.compile(r"(?ms)^( *)```(\w*)[^\n]*\n(.*?)^\1```$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block: its language, and its lines without the indentation of the fence."""

    language: str
    text: str


def list_blocks(text: str) -> list[Block]:
    return [
        Block(language=language, text=re.sub(f"(?m)^{indent}", "", body))
        for indent, language, body in FENCE.findall(text)
    ]


def strip_blocks(text: str) -> str:
    return re.sub(r"<!--.*?-->", "", FENCE.sub("", text), flags=re.DOTALL)


def list_anchors(text: str) -> list[str]:
    """The anchors of a page's headings, as GitHub and the site make them; repeated ones twice."""
    headings = re.findall(r"^#+ (.+)$", strip_blocks(text), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", one) for one in headings]
    return [re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in plain]


def list_links(text: str) -> list[str]:
    """Where links and pictures of a page lead to."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", strip_blocks(text)))


CALL: Final = re.compile(
    r"(?<![\w./\\-])(?:[^\s\[]*[/\\])?p2c(?:\.exe)? (?=[a-z])([^`|&;#<>()\n]*)"
)
LISTED: Final = '["p2c", '
"""How a list of words begins, as containers take it."""
SPOKEN: Final = {"", "text", "toml", "python", "sql", "json"}
"""Blocks whose lines are no commands of a shell."""


def list_calls(text: str) -> Iterator[list[str]]:
    """The words behind ``p2c`` of each command that a page shows, in line or in a block."""
    inline = re.findall(r"`(p2c [^`\n]+)`", strip_blocks(text))
    lines = [
        re.sub(r"\s#.*", "", line)
        for block in list_blocks(text)
        if block.language not in SPOKEN
        for line in block.text.replace("\\\n", " ").splitlines()
        if block.language != "console" or line.startswith(("$ ", "> "))
    ]
    quoted = [
        call
        for block in list_blocks(text)
        if block.language == "python"
        for call in re.findall(r'"(p2c [^"]+)"', block.text)
    ]
    for line in (*inline, *lines, *quoted):
        plain = re.sub(r'[",]', "", line) if LISTED in line else line
        for words in CALL.findall(plain):
            yield shlex.split(re.sub(r"[…'\]]", "", words))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A command of a transcript, and the lines that the page shows as its answer."""

    command: str
    answer: tuple[str, ...]


def list_transcript(text: str) -> list[Shown | Block]:
    """What a reader does on a page, in order: commands of consoles, and changes of ``p2c.toml``.

    A block of TOML is such a change if its first line is the comment ``# p2c.toml``.
    """
    steps: list[Shown | Block] = []
    for block in list_blocks(text):
        if block.language == "toml" and block.text.startswith("# p2c.toml\n"):
            steps.append(block)
        elif block.language == "console":
            for part in re.split(r"(?m)^\$ ", block.text)[1:]:
                command, *answer = part.rstrip().splitlines()
                plain = re.sub(r"\s+#\s.*", "", command)
                steps.append(Shown(command=plain, answer=tuple(answer)))
    return steps
