"""What a command answers: one object with always the same keys as JSON, or text for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

_VERDICTS: Final = {0: "clean", 3: "stopped", 4: "broken"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A command's answer and exit code.

    ``facts`` is the run's ``summary.json``, ``items`` what the command lists, ``text`` what people
    read: as it stands, or for a width in characters.
    """

    command: str
    exit_code: int = 0
    run: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    folder: str | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    text: str | Callable[[int], str] = ""

    def lines(self, width: int) -> str:
        """The text for people."""
        return self.text if isinstance(self.text, str) else self.text(width)


def as_json(result: Result) -> str:
    """The answer as one JSON object on one line, in ASCII: it survives every terminal and pipe."""
    facts = result.facts
    return json.dumps(
        {
            "command": result.command,
            "run": result.run or facts.get("run"),
            "folder": result.folder,
            "verdict": facts.get("verdict", _VERDICTS.get(result.exit_code, "attention")),
            "balanced": facts.get("balanced", True),
            "counts": facts.get("counts", {}),
            "reasons": facts.get("reasons", {}),
            "findings": facts.get("findings", {}),
            "outcomes": facts.get("outcomes", {}),
            "forecast": facts.get("forecast", {}),
            "items": result.items,
        },
        default=str,
    )
