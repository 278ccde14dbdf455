from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from pipeline.load.packages.uploads import read_end
from tests.scenes.loading import RIVAL
from tests.scenes.loads import MakeScene


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("?sv=1&se=2026-01-02T03%3A39%3A05Z&sp=rw", datetime(2026, 1, 2, 3, 39, 5, tzinfo=UTC)),
        ("?se=2026-01-02T03:39:05.1234567Z", datetime(2026, 1, 2, 3, 39, 5, 123456, tzinfo=UTC)),
        ("?se=2026-01-02", None),
        ("?se=soon", None),
        ("?se=", None),
        ("", None),
    ],
)
def test_a_signed_url_says_until_when_it_lives(query: str, end: datetime | None) -> None:
    assert read_end(f"https://blobs.example/dmf/x.zip{query}") == end


BLOCKED = httpx.Response(200, html="<!doctype html><title>Blocked</title>")
EMPTY = httpx.Response(200)


@pytest.mark.parametrize("answer", [BLOCKED, EMPTY], ids=["a proxy's page", "nothing"])
def test_a_package_lies_there_when_blob_storage_says_so_and_not_when_a_proxy_does(
    scenes: MakeScene, answer: httpx.Response
) -> None:
    scene, left = scenes(), [answer]

    def before(request: httpx.Request) -> httpx.Response | None:
        return left.pop() if request.method == "PUT" and left else None

    scene.wire.before = before
    undisturbed = scenes()
    assert scene.load().outcomes == undisturbed.load().outcomes
    assert not left


@pytest.mark.parametrize("answer", [BLOCKED, EMPTY], ids=["a proxy's page", "nothing"])
def test_a_file_of_errors_is_not_a_page_in_its_place(
    scenes: MakeScene, answer: httpx.Response
) -> None:
    scene, left = scenes(there=[RIVAL]), [answer]

    def before(request: httpx.Request) -> httpx.Response | None:
        is_file = request.method == "GET" and not request.url.path.startswith("/data/")
        return left.pop() if is_file and left else None

    scene.wire.before = before
    undisturbed = scenes(there=[RIVAL])
    assert scene.load().outcomes == undisturbed.load().outcomes
    assert scene.outcomes() == undisturbed.outcomes()
    assert not left
