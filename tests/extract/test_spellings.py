"""One column out of several spellings, row by row."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.extract.spellings import merge_spellings
from schemas.catalogue import Field, Type

TYPE = Field(name="parentcustomeridtype")
DATE = Field(name="modifiedon", type=Type.TIMESTAMP, better=("modifiedonutc",))


def test_the_first_filled_value_of_each_row_counts() -> None:
    best = pa.array(["account", None, " ", None])
    other = pa.array([None, "contact", "account", ""])
    assert merge_spellings([best, other], TYPE).to_pylist() == ["account", "contact", "account", ""]


def test_spellings_that_differ_are_both_kept_so_that_no_reader_takes_them() -> None:
    best = pa.array(["account", "Account ", "{1B67}"])
    other = pa.array(["contact", "account", "1b67"])
    assert merge_spellings([best, other], TYPE).to_pylist() == [
        "account / contact",
        "Account ",
        "{1B67}",
    ]


@pytest.mark.parametrize("is_key", [True, False])
def test_a_key_and_a_better_spelling_are_no_contradiction(is_key: bool) -> None:
    field = Field(name="contactid", type=Type.GUID) if is_key else DATE
    merged = merge_spellings([pa.array(["a", None]), pa.array(["b", "c"])], field, is_key=is_key)
    assert merged.to_pylist() == ["a", "c"]


def test_words_of_one_meaning_do_not_differ() -> None:
    field = Field(name="customeridtype", alike={"1": "account", "2": "contact"})
    merged = merge_spellings([pa.array([1, 2, 2]), pa.array(["Account", "2.0", "account"])], field)
    assert merged.to_pylist() == ["1", "2 / 2.0", "2 / account"]


def test_an_id_of_zeros_is_blank() -> None:
    zeros = "00000000-0000-0000-0000-000000000000"
    field = Field(name="contactid", type=Type.GUID)
    best, other = pa.array([zeros, "{" + zeros + "}", "a"]), pa.array(["b", None, zeros])
    assert merge_spellings([best, other], field, is_key=True).to_pylist() == ["b", None, "a"]


def test_types_meet_as_text_if_they_differ() -> None:
    merged = merge_spellings([pa.array([1, None]), pa.array([None, "2"])], TYPE)
    assert merged.to_pylist() == ["1", "2"]
    numbers = merge_spellings([pa.array([1, None]), pa.array([3, 2])], TYPE)
    assert numbers.to_pylist() == [1, 2]


def test_one_mark_of_deletion_is_enough() -> None:
    field = Field(name="isdelete", type=Type.TWO_OPTIONS, decisive=("true", "1"))
    link = pa.array(["False", "False", None, "True", "no idea", None])
    replica = pa.array([True, False, None, False, True, False])
    assert merge_spellings([link, replica], field).to_pylist() == [
        "true", "False", None, "True", "true", "false",
    ]  # fmt: skip
