"""Fault schedules without a network and without waiting: a load into a twin by a virtual clock."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from pipeline.errors import Stopped
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from pipeline.sandbox.faults import Schedule, make_refusal
from pipeline.sandbox.wire.faultspec import FaultKind, parse_faults
from tests.scenes.loading import Scene, as_it_is, number, pass_on, planned
from tests.torture.state import list_differences

WAYS: Final = ("odata", "packages")
_CALLS: Final = 4
_BETWEEN: Final = 600.0
_RATES: Final = (0.05, 0.15, 0.3)
_ITEMS: Final = (
    "throttle={rate}:20", "busy={rate}:20", "error={rate}:500", "error={rate}:502",
    "error={rate}:503", "error={rate}:504", "html={rate}", "reset={rate}", "lost={rate}",
    "cut={rate}", "away@{at}:600", "quota@{at}:600", "closed@{at}:600",
)  # fmt: skip
_PASSING: Final = ("_recid", "_recversion")


def make_faults(seed: int) -> str:
    """What befalls the requests under a seed."""
    chance = random.Random(f"virtual {seed}")  # noqa: S311 - a seed, not a secret
    items = chance.sample(_ITEMS, chance.randint(1, 3))
    chosen = [one.format(rate=chance.choice(_RATES), at=chance.randint(1, 12)) for one in items]
    return ",".join([*chosen, f"seed={seed}"])


def disturb(scene: Scene, spec: str) -> None:
    """Let a specification of faults befall a scene."""
    schedule = Schedule(faults=parse_faults(spec), clock=lambda: scene.clock.seconds)
    lock, late = threading.Lock(), set[int]()

    def before(request: httpx.Request) -> httpx.Response | None:
        with lock:
            mishap = schedule.next("scm")
        match mishap and mishap.kind:
            case None:
                return None
            case FaultKind.LOST | FaultKind.CUT:
                late.add(id(request))
                return None
            case FaultKind.RESET:
                raise httpx.ReadError("reset", request=request)
            case FaultKind.AWAY:
                raise httpx.ConnectError("refused", request=request)
            case _:
                assert mishap is not None
                made = make_refusal(mishap, "scm")
                return httpx.Response(
                    made.status_code, headers=dict(made.headers), content=bytes(made.body)
                )

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if id(request) in late:
            late.discard(id(request))
            raise httpx.RemoteProtocolError("cut", request=request)
        return response

    scene.wire.before, scene.wire.after = before, after


def read_state(scene: Scene) -> dict[str, Any]:
    """What a load left, without what counts writes."""
    state = scene.state()
    for name in ("customers", "persons"):
        state[name] = [
            {column: value for column, value in row.items() if column not in _PASSING}
            for row in state[name]
        ]
    return state


@contextmanager
def loading(runs: Path, project: Path) -> Iterator[Scene]:
    """A scene on a copy of a plan."""
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(runs, Path(home) / "runs")
        run = next(path for path in (Path(home) / "runs").iterdir() if path.name[:1].isdigit())
        scene = Scene(run=RunFolder(run), project=load_project(project))
        try:
            yield scene
        finally:
            scene.close()


def find_problems(
    runs: Path, project: Path, how: str, spec: str, calm: dict[str, Any]
) -> list[str]:
    """What a load under faults leaves otherwise than a calm one; it may be called again."""
    with loading(runs, project) as scene:
        disturb(scene, spec)
        for _ in range(_CALLS):
            try:
                scene.load(how)
                break
            except Stopped:
                scene.clock.sleep(_BETWEEN)
        else:
            scene.wire.before, scene.wire.after = pass_on, as_it_is
            scene.load(how)
        return list_differences(read_state(scene), calm)


@dataclass(frozen=True, kw_only=True)
class VirtualLoads:
    """A plan to load under faults, and what calm loads of it leave, by their way."""

    runs: Path
    project: Path
    calm: Mapping[str, dict[str, Any]]

    def try_seed(self, seed: int) -> list[str]:
        """What a load under the faults of a seed leaves otherwise than a calm one."""
        how = WAYS[seed % len(WAYS)]
        try:
            return find_problems(self.runs, self.project, how, make_faults(seed), self.calm[how])
        except Exception as error:  # noqa: BLE001 - a load that dies is what is looked for
            return [f"ended as {error!r}"]


def plan_loads(home: Path) -> VirtualLoads:
    """Plan in a folder, and load it undisturbed in each way."""
    runs, project = planned(home, known=[number(2)]), home / "source" / "p2c.toml"
    calm = {}
    for how in WAYS:
        with loading(runs, project) as scene:
            scene.load(how)
            calm[how] = read_state(scene)
    return VirtualLoads(runs=runs, project=project, calm=calm)
