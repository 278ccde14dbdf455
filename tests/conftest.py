"""What all tests share: goldens, the files that people read and that tests compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

# A property says what holds, not how fast; busy machines are no finding.
settings.register_profile("p2c", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("p2c")

GOLDENS = Path(__file__).parent / "goldens"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write the goldens instead of comparing them",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with ``tests/goldens/<name>``; line ends count as ``\\n``."""

    def compare(name: str, text: str) -> None:
        path = GOLDENS / name
        lines = text.replace("\r\n", "\n")
        if request.config.getoption("--update-goldens"):
            path.write_text(lines, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing; --update-goldens writes it"
        assert lines == path.read_text(encoding="utf-8")

    return compare
