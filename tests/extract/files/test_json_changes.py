"""Deletions in saved pages of changes, in the words of OData 4.0 and 4.01."""

from __future__ import annotations

import pytest

from pipeline.extract.files.json_changes import read_deletions

ID = "c0000000-0000-4000-8000-000000000002"
GONE = {"contactid": ID, "isdelete": "true"}
CONTEXT = "https://org/api/data/v9.2/$metadata#contacts/$deletedEntity"


@pytest.mark.parametrize(
    "row",
    [
        {"@odata.context": CONTEXT, "id": ID, "reason": "deleted"},
        {"@odata.context": CONTEXT, "id": f"https://org/api/data/v9.2/contacts({ID})"},
        {"@context": CONTEXT, "id": ID, "reason": "changed"},
        {"@removed": {"reason": "deleted"}, "@id": f"contacts({ID})"},
        {"@removed": {"reason": "deleted"}, "@odata.id": f"contacts({ID})", "lastname": "Brown"},
        {"@odata.removed": {}, "contactid": ID},
    ],
)
def test_a_deletion_names_its_row(row: dict[str, object]) -> None:
    assert read_deletions([row], "contactid") == [GONE]


def test_a_deletion_without_an_id_stays_one() -> None:
    row: dict[str, object] = {"@removed": {"reason": "deleted"}}
    assert read_deletions([row], "contactid") == [{"contactid": None, "isdelete": "true"}]


@pytest.mark.parametrize(
    "row",
    [
        {"contactid": ID, "id": "7", "reason": "deleted"},
        {"@odata.context": "https://org/api/data/v9.2/$metadata#contacts/$entity", "id": ID},
        {"@odata.context": None, "contactid": ID},
    ],
)
def test_other_rows_stay_as_they_are(row: dict[str, object]) -> None:
    assert read_deletions([row], "contactid") == [row]
