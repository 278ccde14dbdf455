"""Those who watch a command besides the terminal: a log file, telemetry, whoever is notified."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.cli.exits import translate_error
from pipeline.cli.signals import was_asked_to_end
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import P2cError
from pipeline.events import Listener, Step
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.cli import logfile
    from pipeline.commands import notify
else:
    logfile = import_lazily("pipeline.cli.logfile")
    notify = import_lazily("pipeline.commands.notify")

_TELEMETRY: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
"""Variables that say where telemetry goes; without one of them there is none."""

_PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class Watcher(Protocol):
    """Hears of a command: that it begins, its steps, and how it ends."""

    def start(self) -> None:
        """The command begins."""

    def listen(self, step: Step) -> None:
        """A step begins or goes on."""

    def end(self, result: Result) -> None:
        """The command has its result."""

    def fail(self, error: P2cError) -> None:
        """The command was ended by an error."""


@dataclass(frozen=True, slots=True)
class Watch:
    """All watchers of one command."""

    watchers: tuple[Watcher, ...]

    def join(self, first: Listener) -> Listener:
        """A listener that tells all of them."""
        if not self.watchers:
            return first

        def listen(step: Step) -> None:
            first(step)
            for one in self.watchers:
                one.listen(step)

        return listen

    def end(self, result: Result) -> None:
        """The command has its result, which the user has seen."""
        for one in self.watchers:
            one.end(result)


@contextmanager
def watch_command(command: str, flags: Flags, say: Callable[[str], None]) -> Iterator[Watch]:
    """Watch a command while the block does its work; an error of it is told to the watchers.

    Args:
        command: its name.
        flags: say who watches.
        say: tells the user what a watcher could not do.

    Raises:
        UsageError: a watcher cannot be there.
    """
    watchers: list[Watcher] = []
    if flags.log_file is not None:
        watchers.append(logfile.LogFile(flags.log_file, command))
    watchers += _make_telemetry(command, dict(flags.environment))
    if command in ("run", "apply"):
        watchers.append(notify.Notifier(command, flags, say, was_asked_to_end))
    with ExitStack() as stack:
        stack.push(lambda _kind, error, _trace: _tell_failure(watchers, error))
        for one in watchers:
            one.start()
        yield Watch(tuple(watchers))


def _make_telemetry(command: str, environment: Mapping[str, str]) -> Iterator[Watcher]:
    """OpenTelemetry, where its packages are there and its variables ask for it."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if not disabled and any(environment.get(one) for one in _TELEMETRY) and _has_packages():
        from pipeline.cli import telemetry  # noqa: PLC0415 - it cannot be imported without them

        yield telemetry.Telemetry.for_collector(command, environment)


def _has_packages() -> bool:
    """Whether ``p2c[telemetry]`` is installed."""
    try:
        return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)
    except ModuleNotFoundError:
        return False


def _tell_failure(watchers: list[Watcher], error: BaseException | None) -> bool:
    if error is not None and not isinstance(error, SystemExit | GeneratorExit):
        for one in watchers:
            one.fail(translate_error(error))
    return False
