"""The command line, one made run, and one sandbox for all mistakes with live systems."""

from __future__ import annotations

from tests.journeys.plan.conftest import logged, shared
from tests.scenes.command_line import p2c, plan_once, source

__all__ = ["logged", "p2c", "plan_once", "shared", "source"]
