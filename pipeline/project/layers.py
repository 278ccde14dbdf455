"""Settings as text from outside: file, variables and flags, laid over one another.

Each value keeps its origin.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigurationError, UsageError, during, list_problems
from pipeline.project.mistakes import explain_toml_error
from pipeline.project.settings import AUTHS, SECTIONS, Settings, TomlTable
from pipeline.run.facts import Setting
from pipeline.suggest import SettingProblem, suggest_nearest
from pipeline.wire.store.location import is_store_url

ENVIRONMENT: Final = "environment"
SCM: Final = "SCM"
"""The origin of columns that a live SCM described."""

FLAGS: Final = frozenset({"--set", "--source"})

_TASK_DEPTH: Final = 3
"""Dots in ``tasks.<task>.fields.<column>``, whose keys are one setting."""


class Layers:
    """Settings laid over one another, not yet validated.

    ``raw`` are the tables, as ``p2c.toml`` writes them; ``origins`` says for every key in them
    where it comes from.
    """

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.raw: TomlTable = {} if file is None else _parse(file)
        self._name = "settings" if file is None else file.name
        self.origins = dict.fromkeys(_list_keys(self.raw), self._name)

    def add(self, more: Mapping[str, object], origin: str) -> None:
        """Lay ``more`` over what is there, key by key."""
        self.origins |= dict.fromkeys(_list_keys(more), origin)
        _overlay(self.raw, more)

    def refusal(self, problems: Sequence[SettingProblem]) -> ConfigurationError:
        """All problems as one error, each with the file, variable or flag that it comes from."""
        first, *others = problems
        more = [f"{self._locate(one.key)}: {one.sentence}" for one in others]
        return ConfigurationError(
            list_problems([first.sentence, *more]), where=self._locate(first.key)
        )

    def _locate(self, setting: str) -> str:
        key = setting
        while key and key not in self.origins:
            key = key.rpartition(".")[0]
        origin = self.origins.get(key, self._name)
        return f"{_name_variable(key) if origin == ENVIRONMENT else origin}, {setting}"


def _parse(path: Path) -> TomlTable:
    with during("reading the project file"):
        content = path.read_bytes()
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8 text; save it as UTF-8.", where=path.name) from error
    except tomllib.TOMLDecodeError as error:
        text = content.decode("utf-8-sig")
        raise ConfigurationError(explain_toml_error(error, text), where=path.name) from error


def _list_keys(raw: Mapping[str, object], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in raw.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and (not prefix or _is_table(name)):
            found += _list_keys(value, f"{name}.")
        else:
            found.append(name)
    return found


def _is_table(name: str) -> bool:
    """Whether a key of a section is a table of settings, not a setting."""
    section, _, rest = name.partition(".")
    if section == "columns":
        return "." not in rest
    return name in AUTHS or (section == "tasks" and name.count(".") < _TASK_DEPTH)


def _overlay(base: TomlTable, more: Mapping[str, object]) -> None:
    for key, value in more.items():
        below = base.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            _overlay(below, value)
        else:
            base[key] = value


def rebuild_tables(
    effective: Mapping[str, Setting], origins: Collection[str] | None = None
) -> TomlTable:
    """What a run recorded, as the tables of ``p2c.toml``.

    All of it, or what came from ``origins``.
    """
    raw: TomlTable = {}
    for key, entry in effective.items():
        if origins is not None and entry.origin not in origins:
            continue
        section, _, rest = key.partition(".")
        if section == "tasks":
            task, _, column = rest.partition(".fields.")
            _overlay(raw, {section: {task: {"fields": {column: entry.value}}}})
        elif section == "columns":
            task, _, column = rest.partition(".")
            _overlay(raw, {section: {task: {column: entry.value}}})
        else:
            _overlay(raw, {section: _nest(section, rest, entry.value, between=".")})
    return raw


def _nest(section: str, key: str, value: object, *, between: str) -> TomlTable:
    """A key of a section with its value, within its table of logging in if it belongs there."""
    inner, _, rest = key.partition(between)
    if rest and f"{section}.{inner}" in AUTHS:
        return {inner: {rest: value}}
    return {key: value}


def _name_variable(key: str) -> str:
    return f"P2C_{key.replace('.', '_')}".upper()


def read_environment(environment: Mapping[str, str]) -> TomlTable:
    """Variables named ``P2C_<SECTION>_<KEY>``, as tables. Unknown names are refused later."""
    found: TomlTable = {}
    for name, value in environment.items():
        for section in SECTIONS:
            prefix = _name_variable(f"{section}.")
            if name.upper().startswith(prefix):
                key = name[len(prefix) :].lower()
                _overlay(found, {section: _nest(section, key, value, between="_")})
    return found


def read_assignments(assignments: Sequence[str]) -> TomlTable:
    """``KEY=VALUE`` of ``--set``, as tables. Raises ``UsageError`` for anything else."""
    found: TomlTable = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                "--set takes KEY=VALUE, as in destination.legal_entity=usmf; one has no =."
            )
        path = _split_key(key.strip())
        if path[0] not in Settings.model_fields:
            hint = suggest_nearest(path[0], Settings.model_fields)
            if not hint:  # It may be a secret with an = in it; it is not repeated.
                sections = ", ".join(Settings.model_fields)
                raise UsageError(
                    "--set takes KEY=VALUE, and a key begins with the name of a section; one does "
                    f"not. Sections are {sections}."
                )
            raise UsageError(f"--set {key.strip()}: there is no section '{path[0]}'.{hint}")
        made = _read_value(key.strip(), value.strip())
        for step in reversed(path[1:]):
            made = {step: made}
        _overlay(found, {path[0]: made})
    return found


def _split_key(key: str) -> list[str]:
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


def _read_value(key: str, value: str) -> object:
    """A value of ``--set``.

    Tables, lists and quoted text are as TOML writes them, everything else as it stands.
    """
    if value[:1] in {"{", "["}:
        try:
            table: TomlTable = tomllib.loads(f"value = {value}")
            return table["value"]
        except tomllib.TOMLDecodeError as error:
            raise UsageError(
                f"--set {key}: {explain_toml_error(error, f'value = {value}')} Put single quotes "
                "around the whole assignment, so that the shell leaves it alone."
            ) from error
    if value[:1] in {'"', "'"}:
        with contextlib.suppress(tomllib.TOMLDecodeError):
            text: TomlTable = tomllib.loads(f"value = {value}")
            return text["value"]
    return value


def find_source(source: str | Path) -> str:
    """What ``--source`` names: an address as it stands, a folder from the root on."""
    return str(source) if is_store_url(str(source)) else str(Path(source).resolve())
