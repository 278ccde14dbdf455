"""A backfill that stops anywhere and is called again.

The same end state, nobody numbered twice, nobody left out.
"""

from __future__ import annotations

from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.run.journal import Journal, read
from tests.backfill.conftest import MakeScene
from tests.scenes.writing import Halt, Scene

REQUESTS, LINES = 6, 6
"""Of a backfill of four contacts, two at a time: one reservation, two shares."""


def state(scene: Scene) -> dict[str, Any]:
    table = pl.read_parquet(scene.run.path / "backfill.parquet")
    return {
        "numbers": scene.numbers(),
        "counter": scene.counter()["msdynce_numbersequence"],
        "active": [scene.contacts()[one]["msdynce_isactivecustomer"] for one in scene.ids],
        "table": table.head(len(scene.ids)).drop("contactid", "etag").to_dicts(),
        "outcomes": pl.read_parquet(scene.run.outcomes)
        .drop("contactid", "destination_key")
        .to_dicts(),
        "batches": pl.read_parquet(scene.run.batches)
        .select("batch", "rows", "updated", "failed")
        .to_dicts(),
    }


_WHOLE: list[dict[str, Any]] = []


@pytest.fixture
def whole(scenes: MakeScene) -> dict[str, Any]:
    """The end state when nothing stops."""
    if not _WHOLE:
        scene = scenes(4)
        scene.write()
        assert len(read(scene.run.journal).entries) == LINES
        assert len(scene.wire.seen) == REQUESTS, scene.wire.seen
        _WHOLE.append(state(scene))
    return _WHOLE[0]


def halting(step: int) -> Any:
    left = step

    def halt(*_: object, **__: object) -> None:
        nonlocal left
        if not left:
            raise Halt
        left -= 1

    return halt


def goes_on(scene: Scene, whole: dict[str, Any]) -> None:
    scene.calm()
    scene.write()
    assert state(scene) == whole


@pytest.mark.parametrize("step", range(REQUESTS))
def test_stopped_before_any_request(scenes: MakeScene, whole: dict[str, Any], step: int) -> None:
    scene, halt = scenes(4), halting(step)
    scene.wire.before = lambda _request: halt()
    with pytest.raises(Halt):
        scene.write()
    goes_on(scene, whole)


@pytest.mark.parametrize("step", range(REQUESTS))
def test_stopped_after_any_request_before_its_answer(
    scenes: MakeScene, whole: dict[str, Any], step: int
) -> None:
    scene, halt = scenes(4), halting(step)

    def lose(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        halt()
        return response

    scene.wire.after = lose
    with pytest.raises(Halt):
        scene.write()
    goes_on(scene, whole)


@pytest.mark.parametrize("step", range(LINES))
def test_stopped_before_any_line_of_the_journal(
    scenes: MakeScene, whole: dict[str, Any], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, halt, append = scenes(4), halting(step), Journal.append

    def stopping(self: Journal, event: str, /, **payload: Any) -> str:
        halt()
        return append(self, event, **payload)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", stopping)
        with pytest.raises(Halt):
            scene.write()
    goes_on(scene, whole)


def test_done_to_the_end_nothing_is_sent_again(scene: Scene) -> None:
    scene.write()
    before = state(scene)
    scene.wire.seen.clear()
    scene.write()
    assert state(scene) == before
    assert not [one for one in scene.wire.seen if not one.startswith("GET")]
