"""What an import means for its rows where SCM says less than it should."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.scenes.loading import OURS, RIVAL, number
from tests.scenes.loads import MakeScene

THERE = [OURS | {"CUSTOMERACCOUNT": number(2), "PARTYNUMBER": number(2)}, RIVAL]
SILENT: dict[str, Any] = {
    "DataManagementExecutionJobDetails": [],
    "GetExecutionErrors": "",
    "GenerateImportTargetErrorKeysFile": False,
    "GetImportStagingErrorFileUrl": "",
}
"""SCM keeps the record of an import, and nothing else about it."""


def saying(
    said: Mapping[str, Any],
) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Changes the ``value`` of answers, by the end of their address; null: SCM has none."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        for name, value in said.items():
            if request.url.path.endswith(name):
                if value is None:
                    return httpx.Response(404, json={"error": {"message": "Resource not found."}})
                return httpx.Response(200, json={"value": value})
        return response

    return after


@pytest.mark.parametrize("kind", [SILENT, dict.fromkeys(SILENT)], ids=["empty", "missing"])
def test_of_an_import_that_succeeded_in_part_without_a_word_the_rows_are_looked_up(
    scenes: MakeScene, kind: Mapping[str, Any]
) -> None:
    scene = scenes(there=THERE)
    scene.wire.after = saying(kind)
    assert scene.load().outcomes == {"created": 6, "updated": 1, "unknown": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("unknown", "import_stopped")
    assert scene.outcomes()[f"usmf/{number(5)}"] == ("created", None)


def test_of_an_import_that_succeeded_with_a_message_about_no_row_the_rows_are_looked_up(
    scenes: MakeScene,
) -> None:
    scene = scenes()
    said = {"GetExecutionErrors": "Something went wrong.", "CDSContactPersons": []}
    scene.wire.after = saying(SILENT | said)
    loaded = scene.load()
    assert loaded.outcomes == {"created": 4, "updated": 1, "unknown": 3}
    assert loaded.findings == {"message_unplaced": 3}


def test_an_import_that_succeeded_without_details_has_succeeded(scenes: MakeScene) -> None:
    scene = scenes()
    scene.wire.after = saying(SILENT | {"DataManagementExecutionJobDetails": None})
    assert scene.load().outcomes == {"created": 7, "updated": 1}
    assert not scene.wire.count("CustomersV2")


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_rows_of_an_import_that_broke_off_without_a_count_are_looked_up(
    scenes: MakeScene, state: str
) -> None:
    scene = scenes(there=THERE)
    scene.wire.after = saying(SILENT | {"GetExecutionSummaryStatus": state})
    assert scene.load().outcomes == {"created": 6, "updated": 1, "unknown": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("unknown", "import_stopped")
