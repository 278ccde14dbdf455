"""A reader at a terminal, who types what a page shows and compares the answers."""

from __future__ import annotations

import difflib
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.command_line import P2c
from tests.scenes.pages import Block, Shown
from tests.scenes.places import SAMPLES

FILES: Final = ("cp ", "mv ", "mkdir ", "printf ")
"""Commands of a shell that are carried out."""
AROUND: Final = ("git clone ", "cd ", "source ", "export ", "python3 ", "pip ")
"""Commands that prepare a machine: the tests' own is prepared."""
RUN: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")


def lay_out(folder: Path, *, project: bool = False) -> Path:
    """The folder of a reader: a checkout's samples, and the same files as an export.

    Args:
        folder: is made.
        project: whether the samples and their project lie in the folder itself.
    """
    shutil.copytree(SAMPLES, folder / "data" / "samples")
    shutil.copytree(SAMPLES, folder if project else folder / "export", dirs_exist_ok=True)
    if not project:
        for name in ("p2c.toml", "examples.toml", "known_customers.csv"):
            (folder / "export" / name).unlink()
    return folder


@pytest.fixture(scope="session")
def applied_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the samples' project, whose packages were written once, into ``runs``."""
    folder = lay_out(tmp_path_factory.mktemp("samples"), project=True)
    flags = Flags(project=folder / "p2c.toml", runs=folder / "runs")
    plan_and_apply(flags, PlanRequest(command="run"), report_nothing)
    return folder


def merge_toml(text: str, block: str) -> str:
    """A project file with what a page adds: below the header of its table, or at the end."""
    for part in re.split(r"(?m)^(?=\[)", block.removeprefix("# p2c.toml\n")):
        header, _, lines = part.rstrip().partition("\n")
        before, found, behind = f"\n{text}".partition(f"\n{header}\n")
        if found:
            text = f"{before}\n{header}\n{lines}\n{behind}".removeprefix("\n")
        elif lines:
            text = f"{text.rstrip()}\n\n{part}"
    return text


def find_difference(shown: tuple[str, ...], answer: str) -> str | None:
    """Where an answer is not as a page shows it; null where it is.

    A line ``…`` stands for any lines, ``…`` in a line for any text. Ids of runs are all alike.
    """
    lines = [RUN.sub("RUN", line.rstrip()) for line in answer.splitlines()]
    wanted = [RUN.sub("RUN", line.rstrip()) for line in shown]
    patterns = [
        r"(?:.*\n)*" if one.strip() == "…" else ".*".join(map(re.escape, one.split("…"))) + r"\n"
        for one in wanted
    ]
    if not shown or re.fullmatch("".join(patterns), "".join(f"{line}\n" for line in lines)):
        return None
    found = difflib.unified_diff(wanted, lines, "page", "p2c", lineterm="")
    return "\n".join(list(found)[:30])


@dataclass(kw_only=True, slots=True)
class Reader:
    """Types commands in a folder.

    Attributes:
        folder: where; a ``p2c.toml`` there takes the changes that a page shows.
        p2c: runs a command of p2c there.
        instead: pieces of commands, as patterns, that are other ones here: paths, ports.
        started: commands that run already.
    """

    folder: Path
    p2c: P2c
    instead: dict[str, str] = field(default_factory=dict)
    started: tuple[str, ...] = ()
    ran: int = 0
    code: int = 0

    def follow(self, step: Shown | Block) -> str | None:
        """Do a step; what went otherwise than the page says."""
        match step:
            case Block():
                self._change(step.text)
                return None
            case Shown(command=command, answer=answer):
                said = self._type(command)
                return None if said is None else find_difference(answer, said)

    def _change(self, block: str) -> None:
        path = self.folder / "p2c.toml"
        if path.is_file():
            path.write_text(merge_toml(path.read_text("utf-8"), block), encoding="utf-8")

    def _type(self, command: str) -> str | None:
        for pattern, other in self.instead.items():
            command = re.sub(pattern, other, command)
        if command.startswith((*AROUND, *self.started)):
            return None
        if command.startswith(FILES):
            subprocess.run(["sh", "-c", command], cwd=self.folder, check=True)
            return ""
        if command == "echo $?":
            return str(self.code)
        words = shlex.split("p2c demo" if command == "make demo" else command)
        assert words[0] == "p2c", f"nobody knows how to run: {command}"
        answer = self.p2c(*words[1:])
        self.ran, self.code = self.ran + 1, answer.code
        return answer.out + "".join(
            f"{line}\n" for line in answer.err.splitlines() if line.startswith("p2c: ")
        )
