"""``[notify]``: the summary of a run as JSON to a webhook, however the run ended.

It holds counts, codes and ids, no values of contacts.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from pipeline.commands.options import Flags
from pipeline.commands.result import Result, name_verdict
from pipeline.errors import P2cError
from pipeline.events import Step
from pipeline.project.notify import find_webhook
from pipeline.project.resolve import FILE
from pipeline.run.folder import find_run
from pipeline.run.opened import get_opened_run
from pipeline.run.summary import Summary
from pipeline.show.run_text import render_verdict
from pipeline.wire.webhook import post_message

_PAGE: Final = "report.html"


class Notifier:
    """Sends the summary when the command ends. What goes wrong is said and changes nothing.

    It takes no time for it if the command ``hurries``.
    """

    def __init__(
        self, command: str, flags: Flags, say: Callable[[str], None], hurries: Callable[[], bool]
    ) -> None:
        self._hurries = hurries
        self._command = command
        self._flags = flags
        self._say = say

    def start(self) -> None:
        """Nothing is sent before the end."""

    def listen(self, step: Step) -> None:
        """Steps are not sent."""

    def end(self, result: Result) -> None:
        """Send the summary of a run that came to its end."""
        facts = result.facts
        verdict = facts.verdict if facts else name_verdict(result.exit_code)
        text = f"p2c {self._command} {facts.run if facts else ''}".rstrip()
        text += f": {render_verdict(facts)}" if facts else f": exit {result.exit_code}"
        message = self._begin_message(text, verdict, result.exit_code, result.folder)
        self._send(message | ({} if facts is None else _list_counts(facts)))

    def fail(self, error: P2cError) -> None:
        """Send that a run was refused, stopped or broken."""
        verdict = {2: "refused", 3: "stopped"}.get(error.exit_code, "broken")
        text = f"p2c {self._command}: {verdict.upper()}: {error}"
        opened = get_opened_run()
        place = None if opened is None else str(opened)
        message = self._begin_message(text, verdict, error.exit_code, place)
        shown: JsonValue = {"code": error.code, "message": error.message, "where": error.where}
        self._send(message | {"error": shown})

    def _begin_message(
        self, text: str, verdict: str, exit_code: int, folder: str | None
    ) -> dict[str, JsonValue]:
        path = None if folder is None else Path(folder).resolve()
        page = None if path is None or not (path / _PAGE).is_file() else path / _PAGE
        return {
            "text": text,
            "command": self._command,
            "run": None if path is None else path.name,
            "verdict": verdict,
            "exit_code": exit_code,
            "host": socket.gethostname(),
            "folder": None if path is None else str(path),
            "report": None if page is None else str(page),
            "sent_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "counts": {},
            "reasons": {},
            "findings": {},
            "outcomes": {},
            "accepted": {},
            "since": {},
            "error": None,
        }

    def _send(self, message: dict[str, JsonValue]) -> None:
        try:
            webhook = find_webhook(
                self._find_project(), self._flags.assignments, dict(self._flags.environment)
            )
            failure = ""
            if webhook is not None:
                quick = self._hurries()
                failure = post_message(webhook, message, time.sleep, quick=quick)
        except P2cError as error:
            failure = f"{error.where}: {error.message}" if error.where else error.message
        if failure:
            self._say(
                f"p2c: the webhook of [notify] did not get the summary: {failure}. "
                "The exit code stays as it is."
            )

    def _find_project(self) -> Path | None:
        """The project file: the one that was named, that of the run, else the one here."""
        opened = get_opened_run()
        if self._flags.project is None and self._command == "apply" and opened is not None:
            try:
                recorded = find_run(opened.parent, opened.name).facts().project
            except P2cError:
                recorded = None
            return Path(recorded) if recorded else None
        return self._flags.project or FILE


def _list_counts(facts: Summary) -> dict[str, JsonValue]:
    said = facts.as_json()
    return {
        name: said[name]
        for name in ("counts", "reasons", "findings", "outcomes", "accepted", "since")
    }
