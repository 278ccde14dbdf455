"""Findings that a load adds: once, whole or not at all, and the journal knows both files."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.run import findings
from pipeline.run.files import hash_file
from pipeline.run.journal import Journal, read_journal
from schemas.contracts import make_findings_contract
from schemas.run import FINDINGS
from tests.scenes.loading import Halt, Scene
from tests.scenes.loads import MakeScene

FOUND = [
    ("counts_disagree", "Contacts usmf-1: created 2, SCM 1"),
    ("message_unplaced", "Contacts usmf-1, 3 messages"),
]


def add(scene: Scene, kind: type[Journal] = Journal) -> dict[str, int]:
    with kind.open(scene.run.journal, scene.clock) as journal:
        return dict(findings.add_findings(scene.run, journal, FOUND))


def test_findings_stand_behind_those_of_the_plan_however_often_they_are_added(
    scenes: MakeScene,
) -> None:
    scene = scenes("few")
    before = pl.read_parquet(scene.run.findings)
    assert add(scene) == add(scene) == {"counts_disagree": 1, "message_unplaced": 1}
    after = pl.read_parquet(scene.run.findings)
    assert after.head(before.height).equals(before)
    make_findings_contract().validate(after)
    assert after.tail(2).select("severity", "code", "contactid").rows() == [
        ("error", "counts_disagree", None),
        ("warning", "message_unplaced", None),
    ]
    assert after.schema == FINDINGS
    assert after["message"][-1] == (
        "SCM gave a message about an import that names none of its rows: Contacts usmf-1, "
        "3 messages."
    )


def test_nothing_to_add_leaves_the_file_alone(scenes: MakeScene) -> None:
    scene = scenes("few")
    before = scene.run.findings.read_bytes()
    with Journal.open(scene.run.journal, scene.clock) as journal:
        assert findings.add_findings(scene.run, journal, []) == {}
    assert scene.run.findings.read_bytes() == before
    assert len(read_journal(scene.run.journal).entries) == 1


class Stopping(Journal):
    """A journal whose line is on the disk when the process ends."""

    def append(self, event: str, /, **payload: object) -> str:
        super().append(event, **payload)
        raise Halt


def test_stopped_between_journal_and_file_either_file_is_accepted(scenes: MakeScene) -> None:
    scene = scenes("few")
    planned = hash_file(scene.run.findings)
    with pytest.raises(Halt):
        add(scene, Stopping)
    assert hash_file(scene.run.findings) == planned
    add(scene)
    assert hash_file(scene.run.findings) in findings.list_accepted_hashes(
        read_journal(scene.run.journal).entries
    )
    assert hash_file(scene.run.findings) != planned
