"""Folders among the temporary files of the system: closed to others, and gone after a kill."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.run.room import open_room


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system keeps temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_command_left_goes_and_what_is_held_or_of_others_stays(
    temporary: Path,
) -> None:
    left, other, linked = (temporary / name for name in ("p2c-replay-1", "p2c-other", "p2c-link"))
    run = temporary / "p2c-evidence"
    for folder in (left / "replay", other, run):
        folder.mkdir(parents=True)
        (folder / "rows.parquet").touch()
    (run / ".lock").touch()
    (left / ".temporary.lock").touch()
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / ".temporary.lock").touch()
    linked.symlink_to("elsewhere")
    with open_room("search") as held:
        assert not left.exists()
        with open_room("search") as second:
            assert {held, second} == {*temporary.glob("p2c-search-*/search")}
            assert stat.S_IMODE(second.parent.stat().st_mode) == 0o700
            assert list(second.iterdir()) == []
        assert held.is_dir()
    assert sorted(path.name for path in temporary.iterdir()) == [
        "elsewhere",
        "p2c-evidence",
        "p2c-link",
        "p2c-other",
    ]
