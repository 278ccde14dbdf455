"""Files of a store: blocks in order, and pieces."""

from __future__ import annotations

import hashlib
import io

import pytest

from pipeline.wire.store.reader import GAP, BlockReader, PieceReader, join_spans

CONTENT = bytes(range(256)) * 40
BLOCK = 1000


class Counted:
    """Content, and what was fetched of it."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return self.content[start:end]


def test_a_file_is_read_once_from_front_to_end_and_hashed_on_the_way() -> None:
    fetch, sums = Counted(), list[str]()
    with io.BufferedReader(BlockReader(fetch, len(CONTENT), sums.append, BLOCK), 300) as file:
        assert file.read(64) == CONTENT[:64]
        file.seek(0)
        assert b"".join(iter(lambda: file.read(777), b"")) == CONTENT
    assert sorted(fetch.asked) == [
        (start, min(start + 1000, len(CONTENT))) for start in range(0, len(CONTENT), 1000)
    ]
    assert sums == [hashlib.sha256(CONTENT).hexdigest()]


def test_a_file_that_is_read_in_part_has_no_hash() -> None:
    fetch, sums = Counted(), list[str]()
    with BlockReader(fetch, len(CONTENT), sums.append, BLOCK) as file:
        file.seek(-10, io.SEEK_END)
        assert file.read() == CONTENT[-10:]
        file.seek(4000)
        file.seek(500, io.SEEK_CUR)
        assert file.read(10) == CONTENT[4500:4510]
        assert file.tell() == 4510
    assert not sums
    assert fetch.asked == [(10000, len(CONTENT)), (4000, 5000)]


def test_an_empty_file_is_read_without_asking() -> None:
    fetch, sums = Counted(b""), list[str]()
    with BlockReader(fetch, 0, sums.append) as file:
        assert file.read() == b""
    assert (fetch.asked, sums) == ([], [hashlib.sha256(b"").hexdigest()])


def test_a_failure_of_the_block_that_comes_next_is_raised_where_it_is_read() -> None:
    def fetch(start: int, end: int) -> bytes:
        if start:
            raise ValueError("gone")
        return CONTENT[start:end]

    with BlockReader(fetch, len(CONTENT), lambda _: None, BLOCK) as file:
        assert file.read(1000) == CONTENT[:1000]
        with pytest.raises(ValueError, match="gone"):
            file.read(1)


def test_pieces_are_what_is_asked_for() -> None:
    fetch = Counted()
    with PieceReader(fetch, len(CONTENT)) as file:
        file.seek(100)
        assert file.read(20) == CONTENT[100:120]
    assert fetch.asked == [(100, 120)]


def test_what_was_fetched_ahead_is_not_fetched_again_and_neighbours_come_together() -> None:
    far = GAP + 2000
    fetch = Counted(bytes(far * 2))
    with PieceReader(fetch, far * 2) as file:
        file.fetch_ahead([(500, 600), (100, 200), (far, far + 50)])
        for start, size in ((100, 100), (550, 50), (far, 50)):
            file.seek(start)
            assert len(file.read(size)) == size
        assert sorted(fetch.asked) == [(100, 600), (far, far + 50)]
        file.forget_before(700)
        file.seek(100)
        file.read(5)
    assert sorted(fetch.asked) == [(100, 105), (100, 600), (far, far + 50)]


def test_what_is_fetched_together_stays_small() -> None:
    assert join_spans([(60, 90), (0, 60), (90, 150)], largest=100) == [(0, 90), (90, 150)]
    assert join_spans([(0, 10), (30, 40)], gap=10) == [(0, 10), (30, 40)]
