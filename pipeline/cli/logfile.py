"""``--log-file``: what a command does as JSON lines, for those who collect logs.

One line is one JSON object: ``time`` (UTC), ``level``, ``event``, ``command``, ``run`` (null until
it is known) and what the event carries. It holds counts, codes and ids, no values of contacts.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Final

from pipeline import __version__
from pipeline.cli.terminal import write_err
from pipeline.commands.result import Result, name_verdict
from pipeline.errors import P2cError, UsageError
from pipeline.events import Step
from pipeline.run.opened import get_opened_run

_FACTS: Final = "facts"
_BEGINNING: Final = b'{"time": "2'
"""Of every line."""
_LEVELS: Final = {0: logging.INFO, 1: logging.WARNING}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """A record as one line of JSON."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "level": record.levelname.lower(), "event": record.msg}
        return json.dumps(line | getattr(record, _FACTS), default=str)


class _File(WatchedFileHandler):
    """The file; it is opened again where a scheduler has moved it away."""

    said = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - a name of logging
        """Say once that a line could not be written; the work goes on."""
        _ = record
        if not self.said:
            self.said = True
            error = sys.exc_info()[1]
            reason = getattr(error, "strerror", None) or type(error).__name__
            write_err(f"p2c: the log file cannot be written: {reason}. The command continues.")


def _refuse_strange(path: Path) -> None:
    """Refuse a file that has something else than such lines: it may be an export.

    Raises ``UsageError``, or ``OSError`` where the file cannot be read.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        head = file.read(len(_BEGINNING))
    if head and head != _BEGINNING:
        raise UsageError(
            "--log-file names a file that is no log of p2c. Name another file, or remove it.",
            where=str(path),
        )


class LogFile:
    """The log of one command."""

    def __init__(self, path: Path, command: str) -> None:
        try:
            _refuse_strange(path)
            self._handler = _File(path, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(
                f"--log-file cannot be written: {reason}. Name a file in a folder that exists.",
                where=str(path),
            ) from error
        self._handler.setFormatter(_Lines())
        self._command = command
        self._run: str | None = None
        self._step: Step | None = None
        self._began = self._since = time.monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        """The command begins."""
        self._write(logging.INFO, "command_started", {"version": __version__})

    def listen(self, step: Step) -> None:
        """A step begins or goes on; the last count of each is written when it is over."""
        with self._lock:
            if step.note:
                self._write(logging.WARNING, "note", {"step": step.name or None, "text": step.note})
            if not step.name:
                return
            if self._step is None or step.name != self._step.name:
                self._end_step()
                self._since = time.monotonic()
                self._write(logging.INFO, "step_started", {"step": step.name, "total": step.total})
            self._step = step

    def end(self, result: Result) -> None:
        """The command has its result."""
        self._run = result.run or (result.facts.run if result.facts else None) or self._run
        found: dict[str, object] = {
            "exit_code": result.exit_code,
            "verdict": result.facts.verdict if result.facts else name_verdict(result.exit_code),
        }
        if result.facts is not None:
            found |= {
                "counts": result.facts.counts,
                "reasons": result.facts.reasons,
                "findings": result.facts.findings,
                "outcomes": result.facts.outcomes,
                "accepted": result.facts.accepted.contacts,
            }
        self._finish(_LEVELS.get(result.exit_code, logging.ERROR), "command_ended", found)

    def fail(self, error: P2cError) -> None:
        """The command was ended by an error."""
        found = {
            "exit_code": error.exit_code,
            "code": error.code,
            "message": error.message,
            "where": error.where or None,
        }
        self._finish(logging.ERROR, "command_failed", found)

    def _finish(self, level: int, event: str, facts: Mapping[str, object]) -> None:
        with self._lock:
            self._end_step()
            seconds = round(time.monotonic() - self._began, 3)
            self._write(level, event, {**facts, "seconds": seconds})
            self._handler.close()

    def _end_step(self) -> None:
        if self._step is not None:
            seconds = round(time.monotonic() - self._since, 3)
            facts = {"step": self._step.name, "done": self._step.done, "total": self._step.total}
            self._write(logging.INFO, "step_ended", {**facts, "seconds": seconds})
        self._step = None

    def _write(self, level: int, event: str, facts: Mapping[str, object]) -> None:
        opened = get_opened_run()
        self._run = self._run if opened is None else opened.name
        whole = {"command": self._command, "run": self._run, **facts}
        name = logging.getLevelName(level)
        made = {"msg": event, "levelno": level, "levelname": name, _FACTS: whole}
        self._handler.handle(logging.makeLogRecord(made))
