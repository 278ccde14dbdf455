"""Reference data of SCM as they are compared."""

from __future__ import annotations

from pipeline.mapping.references import join_key


def test_values_are_compared_trimmed_and_in_upper_case_and_apart() -> None:
    assert join_key(" usmf ", "net30", "") == "USMF\x1fNET30\x1f"
    assert join_key("ab", "c") != join_key("a", "bc")
