"""What is tortured: a command, and the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Words = tuple[str, ...]

RUN: Final = "{run}"
"""In words: the id of the newest run once the way to the command is done."""
CHANGE: Final[Words] = ("change",)
"""On the way: mails change in the export."""

FILES: Final = 'kind = "files"\npath = "src"'
LIVE: Final = 'kind = "dataverse"'


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A command, what comes before it, and the project that both read.

    ``without``: places of contacts that lack a number. ``more`` stands at the project's end.
    ``repeats``: once it is done, the same command does the next job, which finds nothing to do.
    """

    name: str
    command: Words
    load: str = "odata"
    source: str = FILES
    before: Sequence[Words] = ()
    without: Sequence[int] = (10,)
    more: str = ""
    repeats: bool = False


_RUN: Final[Words] = ("run", "--project", "p.toml")
_PLAN: Final[Words] = ("plan", "--project", "p.toml")
_FILL: Final[Words] = ("backfill", "--project", "p.toml")
_APPLY: Final[Words] = ("apply", RUN)
_ACCEPT: Final[Words] = (
    *("accept", RUN, "--project", "p.toml", "--code", "contact_number_missing"),
    *("--until", "2999-12-31", "--why", "known"),
)
_GAPS: Final = (2, 4, 7, 9, 10)

SCENARIOS: Final = {
    one.name: one
    for one in (
        Scenario(name="plan", command=_PLAN),
        Scenario(name="extraction", command=_PLAN, source=LIVE),
        Scenario(name="changes", command=(*_PLAN, "--changes"), source=LIVE, before=[_PLAN]),
        Scenario(name="apply-folder", command=_APPLY, load="folder", before=[_PLAN]),
        Scenario(name="apply-packages", command=_APPLY, load="packages", before=[_PLAN]),
        Scenario(name="apply-odata", command=_APPLY, before=[_PLAN]),
        Scenario(name="apply-again", command=_APPLY, before=[_RUN, CHANGE, _PLAN]),
        Scenario(name="run-odata", command=_RUN, repeats=True),
        Scenario(name="run-packages", command=_RUN, load="packages", repeats=True),
        Scenario(name="backfill", command=_FILL, source=LIVE, without=_GAPS),
        Scenario(name="apply-backfill", command=_APPLY, source=LIVE, without=_GAPS, before=[_FILL]),
        Scenario(
            name="apply-backfill-bulk",
            command=_APPLY,
            source=LIVE,
            without=_GAPS,
            before=[_FILL],
            more='[backfill]\nbulk = "UpdateMultiple"\n',
        ),
        Scenario(name="apply-backfill-files", command=_APPLY, without=_GAPS, before=[_FILL]),
        Scenario(name="undo", command=("undo", RUN), before=[_RUN]),
        Scenario(name="apply-undo", command=_APPLY, before=[_RUN, CHANGE, _RUN, ("undo", RUN)]),
        Scenario(
            name="apply-undo-backfill",
            command=_APPLY,
            source=LIVE,
            without=_GAPS,
            before=[_FILL, _APPLY, ("undo", RUN)],
        ),
        Scenario(
            name="undo-backfill-files",
            command=("undo", RUN),
            without=_GAPS,
            before=[_FILL, ("apply", RUN)],
        ),
        Scenario(name="retry", command=("retry", RUN), before=[_RUN]),
        Scenario(
            name="retry-corrected",
            command=("retry", RUN, "--corrected", "fixed.csv"),
            before=[_RUN, ("findings", RUN, "--repair", "fixed.csv")],
        ),
        Scenario(name="confirm", command=("confirm", RUN), load="folder", before=[_PLAN, _APPLY]),
        Scenario(name="purge", command=("purge", RUN, "--yes"), before=[_RUN]),
        Scenario(name="reconcile", command=("reconcile", RUN), before=[_RUN]),
        Scenario(name="accept", command=_ACCEPT, before=[_RUN]),
        Scenario(
            name="memory-import",
            command=("memory", "import", "m.zip", "--replace"),
            before=[_RUN, ("memory", "export", "m.zip"), CHANGE, _RUN],
        ),
        Scenario(
            name="memory-export", command=("memory", "export", "m.zip"), before=[_RUN, CHANGE, _RUN]
        ),
        Scenario(name="report", command=("report", RUN), before=[_RUN]),
        Scenario(name="replay", command=("replay", RUN), before=[_RUN]),
    )
}
"""By name."""
