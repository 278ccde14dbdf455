"""A load by packages that stops anywhere and is called again.

The same end state, and nothing reaches SCM twice. OData: ``test_delivery.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from pipeline.run.journal import read_journal
from tests.scenes.loading import OURS, RIVAL, Halt, Scene, halting, number
from tests.scenes.loads import MakeScene

THERE = [OURS | {"CUSTOMERACCOUNT": number(2), "PARTYNUMBER": number(2)}, RIVAL]
"""The second contact is a customer already, the fourth cannot become one."""

REQUESTS, LINES = 19, 9
_WHOLE: list[dict[str, Any]] = []


@pytest.fixture
def whole(scenes: MakeScene) -> dict[str, Any]:
    """The end state of a load that nothing stopped."""
    if not _WHOLE:
        scene = scenes("few", there=THERE)
        scene.load()
        assert len(scene.wire.seen) == REQUESTS
        assert len(read_journal(scene.run.journal).entries) == LINES + 2
        assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "refused_party")
        assert scene.outcomes()[f"usmf/{number(2)}"] == ("updated", None)
        _WHOLE.append(scene.state())
    return _WHOLE[0]


def continues(scene: Scene, whole: dict[str, Any]) -> None:
    """The same command again, with nothing in its way."""
    scene.wire.before, scene.wire.after = (
        (lambda _request: None),
        (lambda _request, response: response),
    )
    scene.load()
    assert scene.state() == whole
    executions = list(scene.twin.importer.executions)
    assert len({one.rpartition("-")[0] for one in executions}) == len(executions), (
        "no package was imported twice"
    )


@pytest.mark.parametrize("step", range(REQUESTS))
def test_stopped_before_any_request(scenes: MakeScene, whole: dict[str, Any], step: int) -> None:
    scene, halt = scenes("few", there=THERE), halting(step)
    scene.wire.before = lambda _request: halt()
    with pytest.raises(Halt):
        scene.load()
    continues(scene, whole)


@pytest.mark.parametrize("step", range(REQUESTS))
def test_stopped_after_any_request_before_its_answer(
    scenes: MakeScene, whole: dict[str, Any], step: int
) -> None:
    scene, halt = scenes("few", there=THERE), halting(step)

    def lose(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        halt()
        return response

    scene.wire.after = lose
    with pytest.raises(Halt):
        scene.load()
    continues(scene, whole)


@pytest.mark.parametrize("step", range(1, LINES + 1))
def test_stopped_before_any_line_of_the_journal(
    scenes: MakeScene, whole: dict[str, Any], step: int
) -> None:
    scene, halt = scenes("few", there=THERE), halting(step)

    def stopping() -> datetime:
        """The journal asks for the time before it writes a line."""
        halt()
        return scene.clock()

    with pytest.raises(Halt):
        scene.load(at=stopping)
    continues(scene, whole)
