"""The catalogue of codes speaks of one as of one."""

from __future__ import annotations

import re

from schemas.codes import load_codes

ALWAYS_MORE = {
    "memory_missing", "account_number_repeated", "packages_split", "counter_repeated",
    "export_limit",
}  # fmt: skip
"""What is only said of two or more."""
COUNTED = re.compile(r"\{detail\} (\w+s)\b(?<!has)")


def test_what_is_counted_has_a_sentence_for_one() -> None:
    counted = {name for name, one in load_codes().items() if COUNTED.search(one.sentence)}
    singular = {name: one for name, one in load_codes().items() if one.one}
    assert counted - ALWAYS_MORE == singular.keys()
    for one in singular.values():
        said = one.message(detail=1, column="City")
        assert "{" not in said
        assert "1 " in said
        assert not re.search(r"\b1 \w+s\b", said), said
    default_used = load_codes()["default_used"]
    assert default_used.message(detail=1, column="City").startswith("1 row has no value for City")
    assert default_used.message(detail=2, column="City").startswith("2 rows have no value")
