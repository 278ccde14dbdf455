"""An SCM that throttles import calls, is busy or away: it is given time, and nothing is uploaded
twice."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from pipeline.errors import Stopped
from pipeline.load.packages.limits import ImportLimits
from pipeline.run.journal import read_journal
from tests.scenes.loading import Scene
from tests.scenes.loads import MakeScene

CALL = "ImportFromPackageAsync"
BUSY = "DMF2025: Execution 'x' is under way; concurrent ImportFromPackage calls are not supported."


def answering(
    name: str, times: int, answer: Callable[[], httpx.Response]
) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers so many requests of that name in SCM's place."""
    left = times

    def before(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        if not left or not request.url.path.endswith(name):
            return None
        left -= 1
        return answer()

    return before


def throttle(seconds: int = 45) -> httpx.Response:
    said = {"error": {"code": "", "message": "Too many requests. Try again later."}}
    return httpx.Response(429, json=said, headers={"Retry-After": str(seconds)})


def decline() -> httpx.Response:
    said = {"message": "An error has occurred.", "innererror": {"message": BUSY}}
    return httpx.Response(400, json={"error": said})


def away() -> httpx.Response:
    error = httpx.ConnectError("refused")
    error.__cause__ = ConnectionRefusedError()
    raise error


def waits(scene: Scene) -> list[float]:
    lines = read_journal(scene.run.journal).entries
    return [one.payload["seconds"] for one in lines if one.event == "throttled"]


def uploads(scene: Scene) -> int:
    assert scene.wire.count("GetAzureWriteUrl") == scene.wire.count("zip")
    return scene.wire.count("zip")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(throttle, 45.0), (lambda: throttle(3), 10.0), (decline, 10.0), (away, 10.0)],
    ids=["as long as asked", "at least the poll", "busy with another", "not reached"],
)
def test_a_package_is_uploaded_once_however_often_its_call_is_made(
    scenes: MakeScene, answer: Callable[[], httpx.Response], expected: float
) -> None:
    scene = scenes("few")
    scene.wire.before = answering(CALL, 5, answer)
    scene.load()
    assert (scene.wire.count(CALL), uploads(scene)) == (2 + 5, 2)
    assert waits(scene) == [expected] * 5
    assert len(scene.twin.importer.executions) == 2


def test_a_package_is_uploaded_again_when_its_url_has_ended(scenes: MakeScene) -> None:
    """SCM's links for writing live 35 minutes."""
    scene = scenes("few")
    scene.wire.before = answering(CALL, 50, throttle)
    scene.load()
    assert 35 * 60 < 50 * 45 < 70 * 60
    assert uploads(scene) == 3


def test_a_url_that_scm_no_longer_takes_is_replaced_and_its_package_not_refused(
    scenes: MakeScene,
) -> None:
    """Its blob has been cleaned away though the URL says that it lives."""
    scene, left = scenes("few"), [throttle, "gone"]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith(CALL) or not left:
            return None
        if left.pop(0) == "gone":
            scene.twin.blobs._blobs.clear()
            return None
        return throttle()

    scene.wire.before = before
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert uploads(scene) == 3
    assert len(scene.twin.importer.executions) == 2


STOPS = {
    "throttled": (throttle, r"usmf-1: SCM has throttled this import for 10 min\. "),
    "busy": (decline, r"usmf-1: SCM has been busy with other imports for 10 min: DMF2025: "),
    "away": (away, "nothing listens at this address"),
}


def test_an_scm_that_wants_more_time_than_p2c_waits_stops_the_command_with_its_wish(
    scenes: MakeScene,
) -> None:
    scene = scenes("few")
    long = httpx.Response(429, headers={"Retry-After": "7200"})
    scene.wire.before = answering(CALL, 1, lambda: long)
    words = "throttled this import for 0 min, and asks p2c to wait 7,200 s more. Run the same"
    with pytest.raises(Stopped, match=words):
        scene.load()


@pytest.mark.parametrize("how", STOPS)
def test_an_scm_that_does_not_take_an_import_in_time_stops_the_command(
    scenes: MakeScene, how: str
) -> None:
    scene, (answer, words) = scenes("few"), STOPS[how]
    scene.wire.before = answering(CALL, 10_000, answer)
    with pytest.raises(Stopped, match=words) as caught:
        scene.load(patience=ImportLimits(queue=600))
    assert caught.value.exit_code == 3
    assert str(caught.value).count("Run the same command again to continue") == 1
    assert uploads(scene) == 1
    scene.wire.before = lambda _request: None
    began = scene.clock.seconds
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert scene.clock.seconds - began < 60, "nothing that SCM refused is in doubt"
    assert len(scene.twin.importer.executions) == 2


def test_an_outage_while_an_import_runs_stops_the_command_and_nothing_is_sent_again(
    scenes: MakeScene,
) -> None:
    scene = scenes("few")
    scene.wire.before = answering("GetExecutionSummaryStatus", 10_000, away)
    with pytest.raises(Stopped, match="nothing listens at this address"):
        scene.load()
    scene.wire.before = lambda _request: None
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert scene.wire.count(CALL) == 2


def test_lines_say_that_scm_throttles(scenes: MakeScene) -> None:
    scene, notes = scenes("few"), list[str]()
    scene.listener = lambda step: notes.extend([step.note] if step.note else [])
    scene.wire.before = answering(CALL, 5, throttle)
    scene.load()
    name = f"import {scene.run.run}-Contacts-usmf-1-1"
    assert notes == [f"{name}: SCM throttles it since {minutes} min" for minutes in (1, 3)]


LARGE = {
    "blob storage": lambda: httpx.Response(
        413, content=b"<Error><Code>RequestBodyTooLarge</Code><Message>Too large.</Message></Error>"
    ),
    "a proxy": lambda: httpx.Response(413, html="<h1>Request Entity Too Large</h1>"),
    "nobody says who": lambda: httpx.Response(413),
}


@pytest.mark.parametrize("answer", LARGE.values(), ids=LARGE)
def test_a_package_that_is_too_large_stops_the_load_which_says_what_to_set(
    scenes: MakeScene, answer: Callable[[], httpx.Response]
) -> None:
    scene = scenes("few")
    whole = scenes("few")
    scene.wire.before = answering("zip", 1, answer)
    with pytest.raises(Stopped, match=r"HTTP 413\) of .*destination\.batch_rows lower"):
        scene.load()
    assert scene.wire.count(CALL) == 0
    scene.load()
    whole.load()
    assert scene.outcomes() == whole.outcomes()
