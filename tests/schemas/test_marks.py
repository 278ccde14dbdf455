"""Marks of replicas: their words mean one thing each, and only names that look like marks warn."""

from __future__ import annotations

import pytest

from schemas.marks import DELETED_WORDS, FORMER_WORDS, LIVE_WORDS, MARKS, looks_like_mark


def test_a_word_of_a_change_means_one_thing() -> None:
    words = [*DELETED_WORDS, *FORMER_WORDS, *LIVE_WORDS]
    assert len(words) == len(set(words))
    assert words == [word.strip().lower() for word in words]


def test_a_spelling_belongs_to_one_mark() -> None:
    spellings = [name for one in MARKS for name in (*one.better, one.name, *one.names)]
    assert len(spellings) == len(set(spellings))
    assert spellings == [name.lower() for name in spellings]


@pytest.mark.parametrize(
    "name",
    [
        "new_deleted", "deleted_at", "is_row_deleted", "new_isdelete", "delete_flag", "delflag",
        "new_deletedate", "tombstone", "softdeleted", "crm_gelöscht", "geloescht", "supprime",
        "eliminado", "del_mark",
    ],
)  # fmt: skip
def test_names_that_may_mark_deletions_are_noticed(name: str) -> None:
    assert looks_like_mark(name)


@pytest.mark.parametrize(
    "name",
    ["delivery", "new_model", "deliverydate", "modeldate", "new_deletionrequested", "undelete",
     "delegatedon", "address1_line1", "donotdelete"],
)  # fmt: skip
def test_other_names_are_not(name: str) -> None:
    assert not looks_like_mark(name)
