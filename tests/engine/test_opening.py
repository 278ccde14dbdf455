"""An engine that cannot be had is refused in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest

from pipeline.engine.here import Here
from pipeline.engine.opening import start_engine
from pipeline.errors import Stopped

OPEN = """
from pipeline.engine.spark import open_spark
from pipeline.errors import P2cError
from pipeline.lazy import hide_module

{before}
try:
    with open_spark(None):
        print("open")
except P2cError as error:
    print(type(error).__name__, error)
"""
needs_pyspark = pytest.mark.skipif(
    find_spec("pyspark") is None, reason="PySpark is not installed: p2c[spark]"
)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a project may say of its engine."""

    engine: Literal["here", "spark"] = "here"
    spark: str | None = None
    part_rows: int | None = None


def ask(before: str, **variables: str) -> str:
    """What a process of its own says that opens Spark."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN.format(before=before)],
        env={**os.environ, **variables}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def test_contacts_stream_by_unless_parts_are_asked_for() -> None:
    with start_engine(Chosen()) as engine:
        assert engine is None
    with start_engine(Chosen(part_rows=10)) as engine:
        assert isinstance(engine, Here)


def test_the_extra_is_named_where_it_is_missing() -> None:
    said = ask("hide_module('pyspark')")
    assert said.startswith("ConfigurationError run.engine: Spark needs packages")
    assert 'pip install "p2c[spark]"' in said


@needs_pyspark
def test_java_is_named_where_it_is_missing(tmp_path: Path) -> None:
    said = ask("hide_module('pandas')", PATH=str(tmp_path), JAVA_HOME=str(tmp_path))
    assert said.startswith("ConfigurationError run.engine: Spark did not start. It needs Java 17")


@needs_pyspark
def test_the_token_of_an_address_is_not_told() -> None:
    said = ask("", SPARK_REMOTE="sc://127.0.0.1:9/;token=quiet")
    assert said.startswith("Stopped sc://127.0.0.1:9: nothing answers there")
    assert "quiet" not in said


@needs_pyspark
def test_a_server_that_does_not_listen_stops_at_once() -> None:
    with (
        pytest.raises(Stopped, match=r"^sc://127\.0\.0\.1:9: nothing answers there"),
        start_engine(Chosen(engine="spark", spark="sc://127.0.0.1:9")),
    ):
        pass
