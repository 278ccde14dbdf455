"""What a command answers: one object with always the same keys as JSON, or text for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.run.summary import Summary

_VERDICTS: Final = {0: "clean", 3: "stopped", 4: "broken"}

Item = Mapping[str, object]
"""One thing that a command lists, as a JSON object."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A command's answer and exit code.

    ``facts`` is the run's ``summary.json``, null where the answer is not about a run or it cannot
    be read; ``items`` is what the command lists, ``text`` what people read: as it stands, or for a
    width in characters.
    """

    command: str
    exit_code: int = 0
    run: str | None = None
    facts: Summary | None = None
    folder: str | None = None
    items: Sequence[Item] = ()
    text: str | Callable[[int], str] = ""

    @property
    def summary(self) -> Summary:
        """The facts of the run. Raises ``ValueError`` where there are none."""
        if self.facts is None:
            raise ValueError(f"{self.command} is not about a run")
        return self.facts

    def lines(self, width: int) -> str:
        """The text for people."""
        return self.text if isinstance(self.text, str) else self.text(width)


def name_verdict(exit_code: int) -> str:
    """The verdict of a command that is not about a run."""
    return _VERDICTS.get(exit_code, "attention")


def render_json(result: Result) -> str:
    """The answer as one JSON object on one line, in ASCII: it survives every terminal and pipe."""
    return json.dumps(
        {
            "command": result.command,
            "run": result.run,
            "folder": result.folder,
            "verdict": name_verdict(result.exit_code),
            "balanced": True,
            "counts": {},
            "reasons": {},
            "findings": {},
            "outcomes": {},
            "forecast": {},
            **_select_facts(result),
            "items": list(result.items),
        },
        default=str,
    )


def _select_facts(result: Result) -> dict[str, object]:
    facts = result.facts
    if facts is None:
        return {}
    return {
        "run": result.run or facts.run,
        "verdict": facts.verdict,
        "balanced": facts.balanced,
        "counts": facts.counts,
        "reasons": facts.reasons,
        "findings": facts.findings,
        "outcomes": facts.outcomes,
        "forecast": facts.forecast.as_json(),
    }
