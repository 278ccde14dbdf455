"""Packages in the run folder: written once, recorded in the journal."""

from __future__ import annotations

import datetime as dt
import zlib
from pathlib import Path

import polars as pl
import pytest
from isal import isal_zlib

from pipeline.events import Step
from pipeline.load.packages.folder import list_packages, read_written, write_packages
from pipeline.load.packages.package import Package, build_package
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal, read_journal
from schemas.run import BATCHES, OUTCOMES
from tests.scenes.specs import with_columns

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def built(batch: int = 1, entity: str = "us-1", rows: int = 2) -> tuple[str, Package]:
    frame = pl.DataFrame({"FirstName": [f"Ada{place}" for place in range(rows)]})
    return "Contacts", build_package(
        with_columns("FirstName", legal_entity=entity, batch=batch), frame
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def write(run: RunFolder, *packages: tuple[str, Package]) -> list[Step]:
    steps: list[Step] = []
    with Journal.open(run.journal, lambda: NOW) as journal:
        write_packages(run, packages, journal, len(packages), steps.append)
    return steps


def test_a_package_is_written_and_then_recorded(run: RunFolder) -> None:
    _, package = built()
    steps = write(run, ("Contacts", package))
    assert (run.path / "packages" / "Contacts" / "us-1-1.zip").read_bytes() == package.content
    (row,) = list_packages(read_journal(run.journal).entries).to_dicts()
    assert row == dict.fromkeys(BATCHES.names()) | {
        "task": "Contacts",
        "legal_entity": "us-1",
        "batch": 1,
        "rows": 2,
        "file": "packages/Contacts/us-1-1.zip",
        "bytes": len(package.content),
        "sha256": package.sha256,
        "definition_group": package.definition_group,
        "attempt": 1,
        "finished_at": NOW,
        "status": "written",
    }
    assert steps == [Step(name="writing packages", done=1, total=1)]


def test_what_is_there_and_known_is_not_written_again(run: RunFolder) -> None:
    write(run, built(), built(batch=2))
    write(run, built(), built(batch=2))
    assert [entry.event for entry in read_journal(run.journal).entries] == ["package_written"] * 2


@pytest.mark.parametrize("content", [b"", b"half"])
def test_what_is_there_but_altered_is_written_again_and_the_last_time_counts(
    run: RunFolder, content: bytes
) -> None:
    write(run, built())
    path = run.packages / "Contacts" / "us-1-1.zip"
    path.write_bytes(content)
    write(run, built())
    assert path.read_bytes() == built()[1].content
    assert len(read_journal(run.journal).entries) == 2
    assert list_packages(read_journal(run.journal).entries).height == 1


def test_batches_come_by_task_legal_entity_and_number_with_their_types(run: RunFolder) -> None:
    write(run, built(batch=10), built(batch=2), built(entity="de"))
    frame = list_packages(read_journal(run.journal).entries)
    assert frame.schema == BATCHES
    assert frame.select("legal_entity", "batch").rows() == [("de", 1), ("us-1", 2), ("us-1", 10)]
    assert list_packages([]).schema == BATCHES


def test_every_planned_row_has_an_outcome(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"contactid": ["a", "b"], "destination_key": ["usmf/A", "usmf/B"], "batch": [1, None]},
        schema_overrides={"batch": pl.Int32},
    )
    rows.write_parquet(tmp_path / "part.parquet")
    (frame,) = read_written([tmp_path / "part.parquet"], "Contacts")
    assert frame.schema == OUTCOMES
    assert frame["outcome"].to_list() == ["written", "unchanged"]
    assert frame["task"].to_list() == ["Contacts", "Contacts"]


def test_a_package_that_is_compressed_otherwise_the_next_time_is_not_written_again(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal content is promised, equal bytes are not: what was written and recorded is kept."""
    write(run, built())
    path = run.path / "packages" / "Contacts" / "us-1-1.zip"
    kept, lines = path.read_bytes(), len(read_journal(run.journal).entries)
    with monkeypatch.context() as patch:
        patch.setattr(isal_zlib, "compressobj", zlib.compressobj)
        other = built()
    assert other[1].content != kept
    assert other[1].definition_group == built()[1].definition_group
    write(run, other)
    assert path.read_bytes() == kept
    assert len(read_journal(run.journal).entries) == lines
