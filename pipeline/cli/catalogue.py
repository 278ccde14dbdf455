"""All commands but ``sandbox``, in the order in which ``p2c --help`` shows them."""

from __future__ import annotations

from typing import Final

from pipeline.cli import audit, listing, main_job, repair, upkeep
from pipeline.cli.flags import Command

COMMANDS: Final[tuple[Command, ...]] = (
    *main_job.COMMANDS,
    *listing.COMMANDS,
    *audit.COMMANDS,
    *repair.COMMANDS,
    *upkeep.COMMANDS,
)
