"""The whole scene of the benchmark, small.

Real processes, SIGKILL, another client that keeps making contacts.
"""

from __future__ import annotations

from tests.benchmarks.backfill_live import main


def test_killed_on_the_way_while_others_make_contacts_nobody_is_numbered_twice_or_left_out() -> (
    None
):
    assert main(2000, size=5, singles=10) > 0
