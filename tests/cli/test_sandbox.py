"""``p2c sandbox``, and what it says where the packages of its extra are not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.scenes.command_line import P2c, p2c
from tests.scenes.places import ROOT, SAMPLES
from tests.scenes.small import write_small

__all__ = ["p2c"]

HIDDEN: Final = ("cryptography", "jwt", "obstore", "starlette", "trustme", "uvicorn")
"""What the extras for the sandbox and for object stores bring, as imports name it."""

PROGRAM: Final = f"""
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HIDDEN!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
from pipeline.cli.app import main
"""
ONE: Final = f"{PROGRAM}\nsys.exit(main(sys.argv[1:]))"
SEVERAL: Final = f"""{PROGRAM}
import json

for words in json.loads(sys.argv[1]):
    code = main(words)
    print("code of", *words, code, file=sys.stderr)
"""


def without(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that cannot import the packages of the extra."""
    return start(folder, ONE, *map(str, words))


def start(folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


NEEDS_A_PERSON = {"plan", "apply"}
"""Commands that end with 1 on the small source: it has a contact for each way of staying behind."""


@pytest.mark.parametrize(
    "words", [("demo",), ("sandbox",), ("sandbox", "--rows", "5"), ("browse", "latest")]
)
def test_one_sentence_says_what_to_install(words: tuple[str, ...], tmp_path: Path) -> None:
    answer = without(tmp_path, *words)
    assert answer.returncode == 2, answer.stderr
    (sentence,) = answer.stderr.splitlines()
    assert sentence.startswith(f"p2c: p2c {words[0]} needs packages that are not installed")
    assert 'pip install "p2c[sandbox]"' in sentence
    assert answer.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_its_packages_is_one_sentence_too(tmp_path: Path) -> None:
    for command in ("check", "plan"):
        answer = without(tmp_path, command, "--source", "s3://exports/sales")
        assert answer.returncode == 2, answer.stderr
        (sentence,) = answer.stderr.splitlines()
        assert sentence.startswith("p2c: source.path: an object store needs packages that are not")
        assert 'pip install "p2c[stores]"' in sentence


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_with_json_the_sentence_is_an_object(command: str, tmp_path: Path) -> None:
    answer = without(tmp_path, command, "--json")
    told: dict[str, Any] = json.loads(answer.stdout)
    assert (answer.returncode, told["command"], told["error"]["code"]) == (2, command, "usage")
    assert 'pip install "p2c[sandbox]"' in told["error"]["message"]


def test_everything_else_works_without_them(tmp_path: Path) -> None:
    project = str(write_small(tmp_path).parent / "p2c.toml")
    commands = [
        ["demo", "--offline"],
        ["templates"],
        ["codes"],
        ["check", "--project", project],
        ["plan", "--project", project],
        ["apply", "latest", "--yes"],
        ["report", "latest"],
        ["verify", "latest"],
        ["findings", "latest"],
        ["runs"],
    ]
    answer = start(tmp_path, SEVERAL, json.dumps(commands))
    assert answer.returncode == 0, answer.stderr
    told = [line for line in answer.stderr.splitlines() if line.startswith("code of ")]
    assert told == [
        f"code of {' '.join(words)} {int(words[0] in NEEDS_A_PERSON)}" for words in commands
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--data", SAMPLES, "--rows", "5"), "--data and --rows are two ways"),
        (("--rows", "0"), "at least one row"),
        (("--rows", "5", "--faults", "fire"), "'fire' is not a fault"),
        (("--data", "nowhere"), "no such folder"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(
    p2c: P2c, words: tuple[str | Path, ...], sentence: str
) -> None:
    answer = p2c("sandbox", *words)
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err
