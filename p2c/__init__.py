"""p2c in ten names, for notebooks and other programs.

A project is read, a plan is made, looked at as Polars frames, and applied::

    import p2c

    project = p2c.load_project("p2c.toml")
    run = p2c.plan(project)
    run.summary.counts
    run.findings.group_by("code").len()
    p2c.apply(run)

Everything that the command line writes is written here as well: the same run folders, under the
same rules. What goes wrong raises ``P2cError``, whose text is a sentence.
"""

from __future__ import annotations

from typing import Final

from p2c.effects import apply, reconcile
from p2c.plans import backfill, load_project, plan, retry, undo
from p2c.run import Run
from pipeline import __version__
from pipeline.errors import P2cError
from pipeline.project.resolve import Project

VERSION: Final = __version__

__all__ = [
    "P2cError",
    "Project",
    "Run",
    "apply",
    "backfill",
    "load_project",
    "plan",
    "reconcile",
    "retry",
    "undo",
]
