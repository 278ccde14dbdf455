"""Morsels that are worked on at the same time come out in order, and stop at the first failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.flow.frames import map_in_order


def test_results_come_in_the_order_of_the_items_whichever_is_done_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    with ThreadPoolExecutor(3) as pool:
        assert list(map_in_order(work, range(20), pool, 3)) == [
            number * number for number in range(20)
        ]


def test_two_are_worked_on_at_once_and_no_more_are_taken_than_that() -> None:
    both = threading.Barrier(2, timeout=5)
    taken: list[int] = []

    def items() -> list[int]:
        return [*range(4)]

    def work(number: int) -> int:
        taken.append(number)
        both.wait()
        return number

    with ThreadPoolExecutor(2) as pool:
        results = map_in_order(work, items(), pool, 2)
        assert next(results) == 0
        assert sorted(taken) == [0, 1]
        assert list(results) == [1, 2, 3]


def test_a_failure_ends_it_where_it_stood() -> None:
    def work(number: int) -> int:
        if number == 1:
            raise ValueError(number)
        return number

    with ThreadPoolExecutor(2) as pool:
        results = map_in_order(work, range(5), pool, 2)
        assert next(results) == 0
        with pytest.raises(ValueError, match="1"):
            next(results)
