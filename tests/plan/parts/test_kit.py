"""What a worker needs of the driver, and what it says where it has something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import Stopped, UsageError
from pipeline.plan.parts.kit import LandedContacts, PartSource, read_source
from pipeline.run.handed import name_attempt


def write_source(path: Path, **versions: str) -> Path:
    contacts = LandedContacts(
        in_place=True, files=(), columns={}, names=(), heights=(), are_words_counted=False
    )
    source = PartSource(
        contacts=contacts,
        blank=(),
        text="",
        part_rows=1,
        folder=path.parent,
        memory="1GB",
        threads=None,
        versions=versions,
        has_filter=False,
    )
    return source.write(path)


def test_a_folder_that_a_worker_does_not_see_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="share under one path"):
        read_source(tmp_path / "elsewhere" / "source.json")


def test_a_worker_with_another_engine_inside_is_refused(tmp_path: Path) -> None:
    path = write_source(tmp_path / "source.json", duckdb="0.1")
    with pytest.raises(UsageError, match=r"a worker has duckdb .*, the driver 0\.1\."):
        read_source(path)


def test_two_attempts_at_a_part_write_two_files_and_none_once_the_plan_has_ended(
    tmp_path: Path,
) -> None:
    assert name_attempt(tmp_path, "keys", 7) != name_attempt(tmp_path, "keys", 7)
    with pytest.raises(Stopped, match="has ended"):
        name_attempt(tmp_path / "gone", "keys", 7)
