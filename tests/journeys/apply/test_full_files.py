"""Files that may not grow any more, in live loads and around them: a stop, and the same result."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.journeys.apply.conftest import Begin, facts, newest, outcomes
from tests.scenes.command_line import Answer, P2c

RUNS: Final = Path("runs")
STOPPED: Final = 3
MOST: Final = 40_000


@contextmanager
def limited(size: int) -> Iterator[None]:
    """No file grows over so many bytes; the system says so to whoever writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    compiles = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # Python would keep a file of it that is cut off.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = compiles


def repeat(p2c: P2c, *words: str) -> tuple[Answer, int]:
    """Repeat a command with larger and larger files until it is done; how often it stopped."""
    stops, size = 0, 600
    while size < MOST:
        with limited(size):
            found = p2c(*words)
        if found.code != STOPPED:
            return found, stops
        assert "the file grew over the size limit" in found.err
        stops, size = stops + 1, size * 3 // 2
    return p2c(*words), stops


@pytest.mark.parametrize(("load", "undone"), [("odata", 0), ("packages", 1)])
def test_a_full_file_stops_each_command_and_the_same_one_goes_on(
    begin: Begin, p2c: P2c, load: str, undone: int
) -> None:
    project = str(begin().project(load, source='kind = "files"\npath = "."'))
    assert p2c("plan", "--project", project).code == 1
    run = newest(RUNS)
    planned = facts(run)["outcomes"]["pending"]
    loaded, stops = repeat(p2c, "apply", run.run)
    assert (loaded.code, stops > 2) == (1, True)
    assert outcomes(run).height == planned
    assert facts(run)["outcomes"]["created"] == planned
    compared, stops = repeat(p2c, "reconcile", run.run)
    assert (compared.code, stops > 0) == (0, True)
    for word, code in (("retry", 1), ("undo", undone)):
        made, stops = repeat(p2c, word, run.run)
        assert (made.code, stops > 0) == (code, True)
        assert p2c("verify", newest(RUNS).run).code == 0
    assert [path.name for path in RUNS.rglob("*") if "partial" in path.name] == []
