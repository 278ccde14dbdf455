"""The command line, and a folder of runs that holds one plan."""

from __future__ import annotations

from tests.scenes.command_line import p2c, plan_once, runs, source

__all__ = ["p2c", "plan_once", "runs", "source"]
