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
    assert scene.load().outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "import_stopped")
    assert scene.outcomes()[f"usmf/{number(5)}"] == ("created", None)


def test_of_an_import_that_succeeded_with_a_message_about_no_row_the_rows_are_looked_up(
    scenes: MakeScene,
) -> None:
    scene = scenes()
    said = {"GetExecutionErrors": "Something went wrong.", "CDSContactPersons": []}
    scene.wire.after = saying(SILENT | said)
    loaded = scene.load()
    assert loaded.outcomes == {"created": 4, "updated": 1, "failed": 3}
    assert loaded.findings == {"message_unplaced": 2}


def test_an_import_that_succeeded_without_details_has_succeeded_if_its_first_rows_are_there(
    scenes: MakeScene,
) -> None:
    scene = scenes()
    scene.wire.after = saying(SILENT | {"DataManagementExecutionJobDetails": None})
    assert scene.load().outcomes == {"created": 7, "updated": 1}
    assert scene.wire.count("CustomersV2") == 2


def test_an_import_that_succeeded_without_details_and_brought_nothing_in_is_not_believed(
    scenes: MakeScene,
) -> None:
    """SCM takes a package whose columns it cannot map as one without rows, and says nothing."""
    scene = scenes()
    gone: dict[str, Any] = {
        "DataManagementExecutionJobDetails": None,
        "CustomersV2": [],
        "CDSContactPersons": [],
    }
    scene.wire.after = saying(SILENT | gone)
    assert scene.load().outcomes == {"failed": 8}
    assert set(scene.outcomes().values()) == {("failed", "import_stopped")}


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("look", ["rows differ", "rows are gone", "no look"])
def test_messages_about_no_row_are_no_warning_alone_unless_scm_has_what_was_sent(
    scenes: MakeScene, look: str, *, counted: bool
) -> None:
    """The counts agree; but of what the messages mean, only the rows tell."""
    scene = scenes(there=THERE[:1])
    words: dict[str, Any] = {"GetExecutionErrors": "Something went wrong."}
    words |= {} if counted else {"DataManagementExecutionJobDetails": None}

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name not in {"CustomersV2", "CDSContactPersons"}:
            return saying(words)(request, response)
        if look == "no look":
            return httpx.Response(404, json={"error": {"message": "Resource not found."}})
        rows = [] if look == "rows are gone" else response.json()["value"]
        changed = [one | {"CustomerGroupId": "99", "Gender": "Female"} for one in rows]
        return httpx.Response(200, json={"value": changed})

    scene.wire.after = change
    outcome = "failed" if look == "rows are gone" else "unknown"
    assert scene.load().outcomes == {outcome: 8}
    code = "import_doubted" if counted else "import_stopped"
    assert set(scene.outcomes().values()) == {(outcome, code)}


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_rows_of_an_import_that_broke_off_without_a_count_are_looked_up(
    scenes: MakeScene, state: str
) -> None:
    scene = scenes(there=THERE)
    scene.wire.after = saying(SILENT | {"GetExecutionSummaryStatus": state})
    assert scene.load().outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "import_stopped")
