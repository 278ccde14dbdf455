"""What may stop a load that metadata cannot show: rights, number sequences, prospects."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import httpx
import pytest

from pipeline.sandbox.scm.switches import Switches
from pipeline.scm.look import ScmNeeds, list_items, look_at_scm
from pipeline.scm.preflight import Preflight
from pipeline.scm.sequences import NumberSequence, find_objections
from schemas.sales import EXAMPLE_NUMBER
from tests.scenes.loading import ROOT, Scene
from tests.scenes.loads import MakeScene
from tests.scm.test_look import compile_mappings, hide_sets

SEQUENCE = NumberSequence(
    name="Cust_1",
    what="customer accounts",
    legal_entity="usmf",
    is_manual=True,
    is_stopped=False,
    form="CON-#####-&&&&&&",
    smallest=1,
    largest=99_999,
)


def look(scene: Scene, folder: Path, *, packages: bool = True) -> tuple[Preflight, dict[str, str]]:
    """What was found, and the lines of ``p2c check`` that are no good news."""
    needs = ScmNeeds(
        mappings=compile_mappings(),
        legal_entities=["USMF"],
        labels={},
        packages=packages,
        example=EXAMPLE_NUMBER,
    )
    seen = look_at_scm(scene.scm, needs, folder, lambda _what, _rows: None)
    return seen.preflight, {
        what: text for what, status, text in list_items(seen) if status == "warning"
    }


def test_an_scm_that_is_set_up_raises_no_doubt(scenes: MakeScene, tmp_path: Path) -> None:
    found, lines = look(scenes(), tmp_path)
    assert found.doubts == []
    assert lines == {}
    assert found.prospects is not None
    assert found.prospects.columns == ["dataAreaId", "ProspectId", "PartyNumber"]


def test_sequences_that_take_no_numbers_from_outside_are_named(
    scenes: MakeScene, tmp_path: Path
) -> None:
    found, lines = look(scenes(switches=Switches(manual_numbers=False)), tmp_path)
    assert {one.code for one in found.doubts} == {"number_sequence_differs"}
    assert len(found.doubts) == 4, "customers of usmf, and parties, whom all share"
    assert lines.keys() == {"sequence Cust_usmf", "sequence Party"}


@pytest.mark.parametrize("status", [403, 400])
def test_missing_rights_for_execution_details_are_said(
    scenes: MakeScene, tmp_path: Path, status: int
) -> None:
    scene = scenes()
    scene.wire.before = lambda request: (
        httpx.Response(status, json={"error": {"code": "", "message": "Access denied."}})
        if request.url.path.endswith("DataManagementExecutionJobDetails")
        else None
    )
    found, lines = look(scene, tmp_path)
    assert [one.code for one in found.doubts] == ["import_unwatched"]
    assert lines == {"execution details": "DataManagementExecutionJobDetails cannot be read"}
    assert look(scene, tmp_path, packages=False)[0].doubts == []


@pytest.mark.parametrize("hidden", ["SequenceV2Tables", "NumberSequencesV2References", "Prospects"])
def test_what_scm_does_not_publish_is_done_without(
    scenes: MakeScene, tmp_path: Path, hidden: str
) -> None:
    scene = scenes(switches=Switches(manual_numbers=hidden == "Prospects"))
    scene.wire.after = hide_sets(hidden)
    found, _ = look(scene, tmp_path)
    assert found.doubts == []
    assert (found.prospects is None) == (hidden == "Prospects")


def test_prospects_of_our_legal_entities_are_read(scenes: MakeScene, tmp_path: Path) -> None:
    scene = scenes()
    for entity in ("usmf", "demf"):
        answer = scene.scm.system.client.post(
            f"{ROOT}/data/Prospects",
            json={"dataAreaId": entity, "ProspectId": "P-1", "PartyNumber": "N-1"},
        )
        assert answer.status_code == 201
    found, _ = look(scene, tmp_path)
    assert found.prospects is not None
    assert found.prospects.rows() == [("usmf", "P-1", "N-1")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"form": ""}, []),
        ({"is_manual": False}, ["does not allow manual numbers"]),
        ({"is_stopped": True}, ["is stopped"]),
        ({"form": "CUST-######"}, ["has the form CUST-######"]),
        ({"smallest": 5_000}, ["begins at 5000"]),
        ({"largest": 999}, ["ends at 999"]),
        ({"largest": 999, "is_strict": False}, []),
        ({"legal_entity": "", "is_stopped": True}, ["for customer accounts is stopped"]),
    ],
    ids=str,
)
def test_a_sequence_objects_by_what_it_allows_its_form_and_its_bounds(
    changes: dict[str, object], words: list[str]
) -> None:
    sequence = dataclasses.replace(SEQUENCE, **changes)  # type: ignore[arg-type]
    found = list(find_objections(sequence, EXAMPLE_NUMBER))
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))
    assert all(text.startswith("number sequence 'Cust_1' for customer accounts") for text in found)
