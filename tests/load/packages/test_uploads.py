from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.load.packages.uploads import read_end


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("?sv=1&se=2026-01-02T03%3A39%3A05Z&sp=rw", datetime(2026, 1, 2, 3, 39, 5, tzinfo=UTC)),
        ("?se=2026-01-02T03:39:05.1234567Z", datetime(2026, 1, 2, 3, 39, 5, 123456, tzinfo=UTC)),
        ("?se=2026-01-02", None),
        ("?se=soon", None),
        ("?se=", None),
        ("", None),
    ],
)
def test_a_signed_url_says_until_when_it_lives(query: str, end: datetime | None) -> None:
    assert read_end(f"https://blobs.example/dmf/x.zip{query}") == end
