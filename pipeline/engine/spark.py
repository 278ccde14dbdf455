"""Parts on the workers of Spark: PySpark 3.5 and 4, a cluster's session or Spark Connect.

Spark sees numbers of parts and short texts, and no row of anybody's. It carries the names of our
classes, not what is in them: each worker has p2c installed.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pyarrow as pa

from pipeline.engine.carried import Carried, WorkerFailed, carry_parts
from pipeline.engine.protocol import Made, Work
from pipeline.errors import ConfigurationError, Stopped
from pipeline.lazy import show_module

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

SETTING: Final = "run.engine"

_AT_ONCE: Final = 512
"""Parts of one job of Spark: its answers are held at once."""

_SCHEMA: Final = "part long, answer string"
_ARROW: Final = pa.schema([("part", pa.int64()), ("answer", pa.string())])

_OURS: Final = {
    "spark.app.name": "p2c",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
    "spark.log.level": "ERROR",
    "spark.ui.showConsoleProgress": "false",
}
"""What a session is asked for that p2c starts itself."""

_AGAIN: Final = "Run the same command again: a plan starts from the beginning, packages go on."
_MISSING: Final = 'Spark needs packages that are not installed: pip install "p2c[spark]"'
_TOKEN: Final = re.compile(r"token=[^;\s'\"]*")
_PORT: Final = 15002
"""Of Spark Connect, where an address names none."""
_SECONDS: Final = 15.0
_LONGEST: Final = 300
"""Characters of a sentence of Spark."""


class Spark:
    """An engine made of a session of Spark."""

    threads: int | None = 1

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        """What ``work`` makes of each part, in the order of ``parts``.

        Raises:
            P2cError: what the work raised.
            Stopped: Spark, or a worker that it tried again and again, is lost.
        """
        for first in range(0, len(parts), _AT_ONCE):
            some = parts[first : first + _AT_ONCE]
            found = {
                row["part"]: Carried.model_validate_json(row["answer"])
                for row in self._collect(work, some)
            }
            errors = [one for one in found.values() if one.error]
            for one in [*errors, *(found[part] for part in some if not errors)]:
                yield work.read(one.take())

    def _collect(self, work: Work[Made], parts: Sequence[int]) -> list[Row]:
        kind, text, numbers = type(work), work.model_dump_json(), list(parts)

        def answer(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return _answer(kind.model_validate_json(text), numbers, batches)

        places = self._session.range(0, len(numbers), 1, len(numbers))
        try:
            rows: list[Row] = places.mapInArrow(answer, _SCHEMA).collect()
        except Exception as error:
            self._cancel()
            raise _explain_loss(error) from error
        except BaseException:
            self._cancel()
            raise
        return rows

    def _cancel(self) -> None:
        """Let no worker write any more, as far as Spark still answers."""
        with suppress(Exception):
            if _is_remote(self._session):
                self._session.interruptAll()
            else:
                self._session.sparkContext.cancelAllJobs()


def _answer(
    work: Work[Made], parts: Sequence[int], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The answers of those parts whose places come in; it runs in a worker."""
    places = [place for batch in batches for place in batch.column(0).to_pylist()]
    if not places:
        return
    for part, one in carry_parts(work, [parts[place] for place in places]):
        rows = {"part": [part], "answer": [one.model_dump_json()]}
        yield pa.RecordBatch.from_pydict(rows, schema=_ARROW)


@contextmanager
def open_spark(address: str | None) -> Iterator[Spark]:
    """An engine on the session that is there, or on one that ends with the block.

    ``address`` is that of a Spark Connect server, if there is one.

    Raises:
        ConfigurationError: PySpark or Java are missing.
        Stopped: Spark does not answer.
    """
    show_module("pandas")  # PySpark hands Arrow to functions only where pandas is.
    try:
        there = _find_running()
    except ModuleNotFoundError as error:
        raise ConfigurationError(_MISSING, where=SETTING) from error
    if there is not None and (address is None or _is_remote(there)):
        yield Spark(there)
        return
    session = _start(address)
    try:
        yield Spark(session)
    finally:
        with suppress(Exception):
            session.stop()


def _find_running() -> SparkSession | None:
    """The session of a notebook or a job, which goes on when p2c has ended."""
    import pyspark  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    found = SparkSession.getActiveSession()  # The session of this thread, on some clusters.
    context = getattr(pyspark, "SparkContext", None)
    if found is None and getattr(context, "_active_spark_context", None) is not None:
        found = SparkSession.builder.getOrCreate()
    return found


def _start(address: str | None) -> SparkSession:
    from pyspark.sql import SparkSession  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name in ("py4j", "pyspark"):  # What they log of a failure is in its error, too.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_no_interrupt)
    remote = address or os.environ.get("SPARK_REMOTE", "")
    _knock(remote)
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        builder = SparkSession.builder
        if address is not None:
            builder = builder.remote(address)
        for name, value in () if remote else _OURS.items():
            builder = builder.config(name, value)
        return builder.getOrCreate()
    except Exception as error:
        raise _explain_start(error) from error
    finally:
        with suppress(ValueError):  # Only the main thread hears signals, and ours stays in force.
            signal.signal(signal.SIGINT, interrupt)


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    """Ctrl-C is no failure, though a client of Java's logs it as one."""
    return record.exc_info is None or not isinstance(record.exc_info[1], KeyboardInterrupt)


def _knock(address: str) -> None:
    """See whether anybody listens: Spark Connect itself would try for many minutes.

    Raises:
        Stopped: nobody does.
    """
    parts = urlsplit(address)
    if parts.scheme != "sc" or not parts.hostname:
        return
    host, port = parts.hostname, parts.port or _PORT
    try:
        with socket.create_connection((host, port), timeout=_SECONDS):
            pass
    except OSError as error:
        place = f"sc://{host}:{port}"  # The rest of an address may hold a token.
        raise Stopped(f"nothing answers there: {error}. {_AGAIN}", where=place) from error


def _is_remote(session: SparkSession) -> bool:
    return type(session).__module__.startswith("pyspark.sql.connect")


def _explain_start(error: Exception) -> ConfigurationError | Stopped:
    if _lacks_packages(error):
        return ConfigurationError(_MISSING, where=SETTING)
    if "JAVA_GATEWAY_EXITED" in str(error):
        return ConfigurationError(
            "Spark did not start. It needs Java 17 or later: install it, or set JAVA_HOME, or name "
            "a Spark Connect server with run.spark.",
            where=SETTING,
        )
    return Stopped(f"Spark does not start: {_shorten(error)} {_AGAIN}")


def _explain_loss(error: Exception) -> ConfigurationError | Stopped:
    text = str(error)
    if _lacks_packages(error):
        return ConfigurationError(_MISSING, where=SETTING)
    if any(f"No module named '{name}'" in text for name in ("pipeline", "p2c")):
        return ConfigurationError(
            "the Python of Spark's workers has no p2c: install the same version there, and let "
            "PYSPARK_PYTHON name it.",
            where=SETTING,
        )
    return Stopped(f"Spark did not finish its parts: {_shorten(error)} {_AGAIN}")


def _lacks_packages(error: Exception) -> bool:
    return isinstance(error, ImportError) or "PACKAGE_NOT_INSTALLED" in str(error)


def _shorten(error: Exception) -> str:
    """The line of an error that says most; workers put no values of contacts into theirs."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    mark = f"{WorkerFailed.__name__}: "
    ours = [f"a worker failed with {line.partition(mark)[2]}" for line in lines if mark in line]
    aborted = [line for line in lines if "Job aborted" in line]
    line = next(iter(ours or aborted or lines), type(error).__name__)
    return _TOKEN.sub("token=...", line)[:_LONGEST].rstrip(".") + "."
