"""A process that has loaded p2c and runs each command in a copy of itself.

A copy takes milliseconds where a new process takes seconds. It is a real process: it has p2c's own
signal handlers, and it can be killed.

One line of JSON in is a :class:`Command`, one out says how it ended. Time passes ``speed`` times as
fast for it.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tests.torture.child import Child
from tests.torture.effects import Disk, Effects, End

PATIENCE: Final = 120.0
"""Seconds after which a command hangs."""
HANGS: Final = -1
_STEP: Final = 0.005
_SILENCE: Final = 3.0
"""Seconds that a silent system gets, in place of minutes."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Words of the command line, and what befalls the process that does them.

    ``stop``: before which effect it ends, from 0, and ``end`` how; ``after``: seconds after which
    it is killed; ``ahead``: seconds that its clock is; ``out``: where what it says is kept.
    """

    words: Sequence[str]
    home: str
    out: str
    stop: int | None = None
    end: End = "kill"
    after: float | None = None
    ahead: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended. Minus a signal's number if it was killed, ``HANGS`` if it hangs."""

    code: int
    out: str
    err: str
    effects: tuple[str, ...]
    seconds: float
    """How long it took, by its own clock."""

    @property
    def was_killed(self) -> bool:
        """Whether it was."""
        return self.code == -signal.SIGKILL


class Zygote(Child):
    """The process, from outside."""

    def __init__(self, speed: float = 1.0) -> None:
        threads = {"POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        super().__init__("tests.torture.zygote", "--speed", str(speed), environment=threads)

    def run(self, command: Command) -> Ended:
        """Run a command to its end."""
        found = json.loads(self.ask(asdict(command)))
        return Ended(**{**found, "effects": tuple(found["effects"])})


def _hurry(speed: float) -> None:
    """Let time pass faster, for all that is imported from now on."""
    sleep, monotonic, wait = time.sleep, time.monotonic, threading.Condition.wait
    begun = monotonic()

    def fast_wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        return wait(condition, None if timeout is None else timeout / speed)

    time.sleep = lambda seconds: sleep(float(seconds) / speed)
    time.monotonic = lambda: begun + (monotonic() - begun) * speed
    threading.Condition.wait = fast_wait  # type: ignore[method-assign,assignment]


def _load() -> None:
    """Load p2c whole, so that the copies need not."""
    package = importlib.import_module("pipeline")
    for one in pkgutil.walk_packages(package.__path__, "pipeline."):
        if ".sandbox" not in one.name and not one.name.endswith("__main__"):
            with suppress(ImportError):
                importlib.import_module(one.name)
    importlib.import_module("pipeline.mapping.countries").load_country_codes()
    client = importlib.import_module("pipeline.wire.client")
    client.TIMEOUT.read = client.TIMEOUT.connect = client.TIMEOUT.write = _SILENCE
    gc.collect()
    gc.freeze()


def _set_clock(ahead: float) -> None:
    """Let the clock of runs and journals be so many seconds ahead, and as fast as all others."""
    options = importlib.import_module("pipeline.commands.options")
    now: Callable[[], datetime] = options.read_clock
    begun, start = now() + timedelta(seconds=ahead), time.monotonic()

    def shifted() -> datetime:
        return begun + timedelta(seconds=time.monotonic() - start)

    for module in list(sys.modules.values()):
        if getattr(module, "read_clock", None) is now:
            module.__dict__["read_clock"] = shifted


def _become(command: Command, out: Path) -> None:
    """Be the process of a command, to its end."""
    code = 70
    try:
        os.chdir(command.home)
        os.environ.update(command.environment)
        for name, number in (("stdout", 1), ("stderr", 2)):
            handle = os.open(out / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, number)
            os.close(handle)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _set_clock(command.ahead)
        log = os.open(out / "effects", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        disk = Disk(spare=out / "spare")
        home = Path(command.home)
        effects = Effects(home=home, log=log, stop=command.stop, end=command.end, disk=disk)
        effects.install()
        sys.argv = ["p2c", *command.words]
        code = importlib.import_module("pipeline.cli.app").main()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - the copy must not go on as the original
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _await(pid: int, after: float | None) -> int:
    begun = time.perf_counter()
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        spent = time.perf_counter() - begun
        if after is not None and spent >= after:
            os.kill(pid, signal.SIGKILL)
            after = None
        elif spent > PATIENCE:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return HANGS
        _REAL_SLEEP(_STEP)


_REAL_SLEEP: Final = time.sleep


def _answer(line: str) -> str:
    command = Command(**json.loads(line))
    out = Path(command.out)
    if out.exists():
        importlib.import_module("shutil").rmtree(out)
    out.mkdir()
    begun = time.monotonic()
    pid = os.fork()
    if not pid:
        _become(command, out)
    code = _await(pid, command.after)
    texts = {
        name: (out / name).read_text(encoding="utf-8", errors="replace")
        for name in ("stdout", "stderr", "effects")
        if (out / name).exists()
    }
    effects = tuple(texts.get("effects", "").splitlines())
    ended = Ended(
        code=code,
        out=texts.get("stdout", ""),
        err=texts.get("stderr", ""),
        effects=effects,
        seconds=time.monotonic() - begun,
    )
    return json.dumps(asdict(ended))


def main() -> None:
    """Answer until the other side is gone."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.zygote")
    parser.add_argument("--speed", type=float, default=1.0)
    speed = parser.parse_args().speed
    if speed != 1.0:
        _hurry(speed)
    _load()
    print("ready", flush=True)  # noqa: T201 - the other side waits for it
    for line in sys.stdin:
        print(_answer(line), flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    main()
