"""Fault schedules by their seeds: what befalls a command's requests, on the way or in a system."""

from __future__ import annotations

import random
from typing import Final

from tests.torture.proxy import HIDDEN, HONEST
from tests.torture.sandboxes import Order

DISTURBED: Final = (
    "extraction", "apply-packages", "apply-odata", "apply-again", "apply-backfill",
    "apply-backfill-bulk", "apply-undo", "apply-undo-backfill", "reconcile", "run-odata",
)  # fmt: skip
"""Scenarios that talk to a system."""

_RATES: Final = (0.03, 0.1, 0.25)
_ITEMS: Final = (
    "throttle={rate}:0.5", "busy={rate}:0.5", "error={rate}:500", "error={rate}:502",
    "error={rate}:503", "error={rate}:504", "html={rate}", "reset={rate}", "slow={rate}:0.05",
    "cut={rate}", "lost={rate}", "login.error={rate}:503", "login.reset={rate}", "token=1",
    "away@{at}:0.5", "quota@{at}:0.5", "closed@{at}:0.5",
)  # fmt: skip
_HIDDEN_SHARE: Final = 0.2


def choose_scenario(seed: int) -> str:
    """What a seed disturbs."""
    return DISTURBED[seed % len(DISTURBED)]


def make_order(seed: int) -> Order:
    """What befalls the requests under a seed, which replays it."""
    chance = random.Random(f"schedule {seed}")  # noqa: S311 - a seed, not a secret
    rate = chance.choice(_RATES)
    match chance.choice(("systems", "way")):
        case "systems":
            items = chance.sample(_ITEMS, chance.randint(1, 3))
            text = ",".join(
                one.format(rate=chance.choice(_RATES), at=chance.randint(1, 9)) for one in items
            )
            return Order(do="fork", faults=f"{text},seed={seed}", seed=seed)
        case _:
            known = HIDDEN if chance.random() < _HIDDEN_SHARE else HONEST
            ways = tuple(chance.sample(known, chance.randint(1, len(known) // 2 + 1)))
            return Order(do="fork", ways=ways, seed=seed, rate=rate)
