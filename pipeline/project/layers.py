"""Settings as text from outside.

A file, variables and flags laid over one another, each value with its origin.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.errors import ConfigurationError, UsageError, during, listed
from pipeline.project.settings import SECTIONS, Settings
from pipeline.run.facts import Setting
from pipeline.suggest import near

ENVIRONMENT: Final = "environment"
FLAGS: Final = frozenset({"--set", "--source"})

AUTHS: Final = frozenset({"source.auth", "destination.auth"})
"""Tables within a section."""

_TASK_DEPTH: Final = 3
"""Dots in ``tasks.<task>.fields.<column>``, whose keys are one setting."""


class Layers:
    """Settings laid over one another, not yet validated.

    ``raw`` are the tables, as ``p2c.toml`` writes them; ``origins`` says for every key in them
    where it comes from.
    """

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.raw: dict[str, Any] = {} if file is None else _parsed(file)
        self._name = "settings" if file is None else file.name
        self.origins = dict.fromkeys(_flat(self.raw), self._name)

    def add(self, more: Mapping[str, Any], origin: str) -> None:
        """Lay ``more`` over what is there, key by key."""
        self.origins |= dict.fromkeys(_flat(more), origin)
        _overlay(self.raw, more)

    def refusal(self, problems: Sequence[str]) -> ConfigurationError:
        """All problems (``key: sentence``) as one error, each behind the file, variable or flag that it comes from."""
        where, _, text = self._placed(problems[0]).partition(": ")
        return ConfigurationError(listed([text, *map(self._placed, problems[1:])]), where=where)

    def _placed(self, problem: str) -> str:
        key = problem.partition(": ")[0]
        while key and key not in self.origins:
            key = key.rpartition(".")[0]
        origin = self.origins.get(key, self._name)
        return f"{_variable(key) if origin == ENVIRONMENT else origin}, {problem}"


def _parsed(path: Path) -> dict[str, Any]:
    with during("reading the project file"):
        content = path.read_bytes()
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8 text; save it as UTF-8.", where=path.name) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"is not valid TOML: {error}.", where=path.name) from error


def _flat(raw: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in raw.items():
        name = f"{prefix}{key}"
        deep = isinstance(value, dict) and (not prefix or _is_table(name))
        found += _flat(value, f"{name}.") if deep else [name]
    return found


def _is_table(name: str) -> bool:
    """Whether a key of a section is a table of settings, and no setting."""
    return name in AUTHS or (name.startswith("tasks.") and name.count(".") < _TASK_DEPTH)


def _overlay(base: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _overlay(base[key], value)
        else:
            base[key] = value


def recorded(
    effective: Mapping[str, Setting], origins: Collection[str] | None = None
) -> dict[str, Any]:
    """What a run recorded, as the tables of ``p2c.toml``.

    All of it, or what came from ``origins``.
    """
    raw: dict[str, Any] = {}
    for key, entry in effective.items():
        if origins is not None and entry.origin not in origins:
            continue
        section, _, rest = key.partition(".")
        if section == "tasks":
            task, _, column = rest.partition(".fields.")
            raw.setdefault("tasks", {}).setdefault(task, {}).setdefault("fields", {})[column] = (
                entry.value
            )
        else:
            _put(raw.setdefault(section, {}), section, rest, entry.value, between=".")
    return raw


def _put(table: dict[str, Any], section: str, key: str, value: Any, *, between: str) -> None:
    """Put a value into a section, or into its table of logging in."""
    inner, _, rest = key.partition(between)
    if rest and f"{section}.{inner}" in AUTHS:
        table.setdefault(inner, {})[rest] = value
    else:
        table[key] = value


def _variable(key: str) -> str:
    return f"P2C_{key.replace('.', '_')}".upper()


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Variables named ``P2C_<SECTION>_<KEY>``, as tables.

    A name that no key has is refused later, like any other.
    """
    found: dict[str, Any] = {}
    for name, value in environment.items():
        for section in SECTIONS:
            prefix = _variable(f"{section}.")
            if name.upper().startswith(prefix):
                _put(
                    found.setdefault(section, {}),
                    section,
                    name[len(prefix) :].lower(),
                    value,
                    between="_",
                )
    return found


def from_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` of ``--set``, as tables. Raises ``UsageError`` for what is none."""
    found: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f"--set takes KEY=VALUE, as in destination.legal_entity=usmf; got '{assignment}'."
            )
        path = _path(key.strip())
        if path[0] not in Settings.model_fields:
            raise UsageError(
                f"--set {key.strip()}: there is no section "
                f"'{path[0]}'.{near(path[0], Settings.model_fields)}"
            )
        made: Any = _value(assignment, value.strip())
        for step in reversed(path):
            made = {step: made}
        _overlay(found, made)
    return found


def _path(key: str) -> list[str]:
    """The steps of a key as TOML reads them.

    A free name such as a business unit's need not be quoted.
    """
    try:
        steps, table = [], tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        section, _, rest = key.partition(".")
        return [section, rest]
    while isinstance(table, dict):
        [(step, table)] = table.items()
        steps.append(step)
    return steps


def _value(assignment: str, value: str) -> Any:
    """A value of ``--set``: tables, lists and quoted text as TOML writes them, everything else as it stands."""
    if value[:1] in {"{", "["}:
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"--set {assignment}: is not valid TOML: {error}.") from error
    if value[:1] in {'"', "'"}:
        with contextlib.suppress(tomllib.TOMLDecodeError):
            return tomllib.loads(f"value = {value}")["value"]
    return value
