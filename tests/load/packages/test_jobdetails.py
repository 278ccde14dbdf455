from __future__ import annotations

import pytest

from pipeline.load.packages.jobdetails import (
    ImportCounts,
    add_up_counts,
    read_state,
    read_word,
    sum_up_state,
)

COUNTS = {
    "StagingRecordsToBeProcessedCount": 3,
    "StagingRecordsCreatedCount": 3,
    "TargetRecordsCreatedCount": 0,
    "TargetRecordsUpdatedCount": 0,
}


def detail(staging: object, target: object, **counts: object) -> dict[str, object]:
    return {**COUNTS, "StagingStatus": staging, "TargetStatus": target, **counts}


def arrived(created: int, updated: int = 0) -> dict[str, object]:
    return {"TargetRecordsCreatedCount": created, "TargetRecordsUpdatedCount": updated}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("Executing", "Executing"),
        ("Microsoft.Dynamics.DataEntities.DMFBatchJobStatus'Finished'", "Finished"),
        ("", None),
        ("two words", None),
        ("x" * 41, None),
        (3, None),
        (None, None),
        (["Executing"], None),
    ],
)
def test_a_state_is_a_word_with_or_without_its_type(value: object, word: str | None) -> None:
    assert read_word(value) == word


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("partiallysucceeded", "PartiallySucceeded"),
        ("X.DMFExecutionSummaryStatus'FAILED'", "Failed"),
        ("Completed", "Unknown"),
        ("Ejecutando", "Unknown"),
        (3, None),
    ],
)
def test_a_summary_status_is_known_in_any_letters_and_a_foreign_word_says_nothing(
    value: object, state: str | None
) -> None:
    assert read_state(value) == state


STATES = {
    "not begun": (detail("NotStarted", "NotStarted"), "Executing"),
    "waiting": (detail("Finished", "Waiting"), "Executing"),
    "in staging": (detail("Executing", "NotStarted"), "Executing"),
    "in the target": (detail("Finished", "Executing", **arrived(2)), "Executing"),
    "being cancelled": (detail("Finished", "Cancelling"), "Executing"),
    "held": (detail("Finished", "Hold"), "Executing"),
    "without states": (detail(None, None), "Executing"),
    "all there": (detail("Finished", "Finished", **arrived(2, 1)), "Succeeded"),
    "all there, its states stand still": (
        detail("Finished", "Executing", **arrived(3)),
        "Succeeded",
    ),
    "some there": (detail("Finished", "Error", **arrived(1, 1)), "PartiallySucceeded"),
    "finished with some": (detail("Finished", "Finished", **arrived(2)), "PartiallySucceeded"),
    "none there": (detail("Finished", "Error"), "Failed"),
    "staging failed": (detail("Error", "NotStarted"), "Failed"),
    "target not run": (detail("Error", "NotRun"), "Failed"),
    "cancelled": (detail("Finished", "Canceled", **arrived(1)), "Canceled"),
    "in other letters": (detail("FINISHED", "ERROR"), "Failed"),
    "of no rows": (
        detail("Finished", "Finished", StagingRecordsToBeProcessedCount=0),
        "Succeeded",
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_details_say_how_an_import_stands(name: str) -> None:
    row, state = STATES[name]
    assert sum_up_state([row]) == state


def test_a_job_is_over_when_all_of_its_entities_are() -> None:
    done, open_ = detail("Finished", "Finished", **arrived(3)), detail("Finished", "Executing")
    assert sum_up_state([done, open_]) == "Executing"
    assert sum_up_state([done, done]) == "Succeeded"
    assert sum_up_state([done, detail("Finished", "Error")]) == "PartiallySucceeded"


def test_counts_of_entities_add_up_and_blanks_are_none() -> None:
    rows = [detail("", "", **arrived(1, 2)), detail("", "", TargetRecordsCreatedCount=None)]
    counts = add_up_counts(rows)
    assert counts == ImportCounts(read=6, staged=6, created=1, updated=2)
    assert counts.arrived == 3


def test_without_details_nothing_is_said() -> None:
    assert add_up_counts([]) is None
    assert sum_up_state([]) is None


def test_a_count_that_is_no_number_is_not_read() -> None:
    with pytest.raises(ValueError, match="many"):
        sum_up_state([detail("Finished", "Finished", TargetRecordsCreatedCount="many")])
