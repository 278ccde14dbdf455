from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pathlib import Path

SLOW = """
import time
print("loaded")
time.sleep(0.2)
ANSWER = 42
"""


def test_a_module_is_loaded_once_and_whole_for_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow_to_load.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    module = import_lazily("slow_to_load")
    assert capsys.readouterr().out == ""
    start = threading.Barrier(4)

    def ask(_: int) -> object:
        start.wait()
        return module.ANSWER

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [42] * 4
    assert capsys.readouterr().out == "loaded\n"


def test_a_module_that_is_not_there_is_missed_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        import_lazily("no_such_module")
