"""What the pages show as typed and answered is typed here, and the answers are compared."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.scenes.command_line import P2c, p2c
from tests.scenes.pages import PAGES, Shown, list_transcript
from tests.scenes.sampled import running_samples
from tests.scenes.sessions import Reader, applied_samples, find_difference, lay_out, merge_toml

__all__ = ["applied_samples", "p2c"]

ON_EXPORTS: Final = ("README.md", "docs/tutorial/files.md")
AFTER_A_RUN: Final = (
    "docs/how-to/auditor.md",
    "docs/how-to/backfill.md",
    "docs/how-to/import-by-hand.md",
    "docs/how-to/repair.md",
    "docs/how-to/report.md",
    "docs/how-to/templates.md",
    "docs/how-to/undo.md",
)
ON_SYSTEMS: Final = ("docs/tutorial/live.md",)


def follow(name: str, reader: Reader) -> None:
    for step in list_transcript(PAGES[name]):
        difference = reader.follow(step)
        assert difference is None, f"{step}\n{difference}"
    assert reader.ran


def test_every_page_that_shows_answers_is_followed() -> None:
    showing = {
        name
        for name, text in PAGES.items()
        if any(isinstance(one, Shown) and one.answer for one in list_transcript(text))
    }
    assert showing - {*ON_EXPORTS, *AFTER_A_RUN, *ON_SYSTEMS} == set()


@pytest.mark.parametrize("name", ON_EXPORTS)
def test_exports_are_planned_as_the_page_shows(name: str, tmp_path: Path, p2c: P2c) -> None:
    follow(name, Reader(folder=lay_out(tmp_path), p2c=p2c))


@pytest.mark.parametrize("name", AFTER_A_RUN)
def test_a_run_is_worked_on_as_the_page_shows(
    name: str, tmp_path: Path, p2c: P2c, applied_samples: Path
) -> None:
    shutil.copytree(applied_samples, tmp_path, dirs_exist_ok=True)
    follow(name, Reader(folder=tmp_path, p2c=p2c))


@pytest.mark.parametrize("name", ON_SYSTEMS)
def test_systems_are_read_and_loaded_as_the_page_shows(name: str, tmp_path: Path, p2c: P2c) -> None:
    with sandbox() as project:
        reader = Reader(
            folder=tmp_path,
            p2c=p2c,
            instead={r"\S*p2c-sandbox-\w+/p2c.toml": project},
            started=("p2c sandbox",),
        )
        follow(name, reader)


@contextmanager
def sandbox() -> Iterator[str]:
    with running_samples(300, tls=True) as ready:
        yield ready.project


def test_answers_are_compared_line_by_line() -> None:
    shown = ("one …", "…", "run 20261130T085432Z-2265", "  end")
    right = "one two\nmore\nmore\nrun 20251130T085432Z-abcd\n  end\n"
    assert find_difference(shown, right) is None
    assert "+more" in (find_difference(("one …", "  end"), "one two\nmore\n  end\n") or "")
    assert "-  end" in (find_difference(shown, right.replace("  end", "")) or "")
    assert find_difference((), "anything\n") is None


def test_what_a_page_adds_goes_below_the_header_of_its_table() -> None:
    old = "[source]\nkind = 1\n\n[destination]\n# text\n"
    new = merge_toml(old, '[destination]\nurl = "x"\n\n[organizations]\na = "b"\n')
    assert re.sub(r"\n+", "\n", new) == (
        '[source]\nkind = 1\n[destination]\nurl = "x"\n# text\n[organizations]\na = "b"\n'
    )
