"""``p2c.toml``, environment and command line → frozen settings, each with its origin.

Order of rank: shipped default, project file, environment (``P2C_DESTINATION_CURRENCY``), ``--set`` and flags.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.errors import ConfigurationError, UsageError, during, listed
from pipeline.mapping.countries import country_code
from pipeline.mapping.template import Template, templates
from pipeline.suggest import near, sentences
from schemas.text import fold

_STRICT: Final = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
LegalEntity = Annotated[str, Field(min_length=1, max_length=4, pattern=r"^[A-Za-z0-9_-]+$")]


class SourceSettings(BaseModel):
    """``[source]``: where contacts come from and which of them are taken."""

    model_config = _STRICT

    kind: Literal["files"] = "files"
    path: str = "."
    filter: str | None = None
    flag_blank: Literal["no", "hold"] = "no"
    contact_number_pattern: str = "CON-[0-9]{5,9}-[A-Z0-9]{4,6}"
    row_limit: Annotated[int, Field(ge=1024)] = 1_048_576

    @field_validator("contact_number_pattern")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        return value


class DestinationSettings(BaseModel):
    """``[destination]``: what SCM shall get, and how."""

    model_config = _STRICT

    load: Literal["folder"] = "folder"
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "folder"
    legal_entity: LegalEntity | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    country: str | None = None
    known_customers: str | None = None
    batch_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    contacts_label: Literal["CDS Contacts", "Dataverse Contacts"] = "CDS Contacts"

    @field_validator("country")
    @classmethod
    def _is_country(cls, value: str | None) -> str | None:
        if not value:
            return None
        found = country_code(value)
        if found is None:
            raise ValueError(f"'{value}' is no country")
        return found


class RunSettings(BaseModel):
    """``[run]``: how p2c works on this machine; nothing here changes what comes out."""

    model_config = _STRICT

    morsel_rows: Annotated[int, Field(ge=1)] = 131_072
    memory: Annotated[str, Field(pattern=r"^[0-9.]+ ?[KMG]i?B$")] = "1GB"
    max_plan_age_hours: Annotated[float, Field(gt=0)] = 24


class Settings(BaseModel):
    """All settings."""

    model_config = _STRICT

    source: SourceSettings = SourceSettings()
    destination: DestinationSettings = DestinationSettings()
    run: RunSettings = RunSettings()
    organizations: dict[str, LegalEntity] = Field(default_factory=dict)
    countries: dict[str, str] = Field(default_factory=dict)
    tasks: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _countries_are_codes(self) -> Settings:
        for spelling, code in self.countries.items():
            if country_code(code) != code:
                raise ValueError(f"countries.{spelling}: '{code}' is no ISO 3166-1 code of two letters")
        return self


_SECTIONS: Final[dict[str, type[BaseModel]]] = {"source": SourceSettings, "destination": DestinationSettings, "run": RunSettings}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """Settings in force, where each comes from, and the templates they make."""

    settings: Settings
    origins: Mapping[str, str]
    templates: Mapping[str, Template]
    file: Path | None
    folder: Path

    @property
    def source_folder(self) -> Path:
        """The folder of exports."""
        return self.folder / self.settings.source.path

    @property
    def known_customers(self) -> Path | None:
        """The Customers V2 export, if the project names one."""
        name = self.settings.destination.known_customers
        return None if name is None else self.folder / name

    @property
    def defaults(self) -> dict[str, str | None]:
        """Values for ``default_setting``."""
        destination = self.settings.destination
        return {"destination.currency": destination.currency, "destination.country": destination.country}

    @property
    def countries(self) -> dict[str, str]:
        """The project's own country spellings, folded."""
        return {fold(spelling): code for spelling, code in self.settings.countries.items()}

    @property
    def legal_entities(self) -> tuple[str, ...]:
        """All legal entities that the project can fill, in order."""
        default = self.settings.destination.legal_entity
        return tuple(dict.fromkeys([*([default] if default else []), *self.settings.organizations.values()]))

    def effective(self) -> dict[str, dict[str, Any]]:
        """Every setting with its origin, for ``run.json`` and ``check``."""
        flat: dict[str, Any] = {}
        for section in _SECTIONS:
            flat |= {f"{section}.{key}": value for key, value in getattr(self.settings, section).model_dump().items()}
        flat |= {f"organizations.{key}": value for key, value in self.settings.organizations.items()}
        flat |= {f"countries.{key}": value for key, value in self.settings.countries.items()}
        flat |= {
            f"tasks.{task}.fields.{column}": keys
            for task, section in self.settings.tasks.items()
            for column, keys in section.get("fields", {}).items()
        }
        return {key: {"value": value, "origin": self.origins.get(key, "default")} for key, value in flat.items()}


def load_project(
    file: Path | None,
    *,
    source: Path | None = None,
    assignments: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Project:
    """Read a project: file, then environment, then ``--set`` and flags.

    Args:
        file: the project file; none: ``p2c.toml`` here if it exists, else nothing but flags.
        source: ``--source``, a folder of exports; relative to where the user stands.
        assignments: ``--set`` values, ``KEY=VALUE``.
        environment: variables; those named ``P2C_<SECTION>_<KEY>`` count.

    Raises:
        UsageError: neither a project file nor a source.
        ConfigurationError: anything wrong in the file or a setting, all at once.
    """
    path = file if file is not None else Path("p2c.toml")
    if file is not None and not path.is_file():
        raise UsageError(f"there is no project file {path}. `p2c init` writes one.")
    if not path.is_file() and source is None:
        raise UsageError("there is no p2c.toml here. `p2c init` writes one, or name a folder of exports with --source.")
    raw, where = (_parsed(path), path.name) if path.is_file() else ({}, "settings")
    origins = dict.fromkeys(_flat(raw), where)
    _merge(raw, origins, _from_environment(environment), "environment")
    _merge(raw, origins, _from_assignments(assignments), "--set")
    if source is not None:
        _merge(raw, origins, {"source": {"path": str(source.resolve())}}, "--source")
    settings = _validated(raw, where)
    folder = path.parent if path.is_file() else Path()
    return Project(
        settings=settings,
        origins=MappingProxyType(origins),
        templates=MappingProxyType(templates(settings.tasks, where, folder)),
        file=path if path.is_file() else None,
        folder=folder,
    )


def recorded_project(effective: Mapping[str, Mapping[str, Any]], file: Path | None) -> Project:
    """The project that a run recorded (``Project.effective``), whatever the project file says today."""
    raw: dict[str, Any] = {}
    for key, entry in effective.items():
        section, _, rest = key.partition(".")
        if section == "tasks":
            task, _, column = rest.partition(".fields.")
            raw.setdefault("tasks", {}).setdefault(task, {}).setdefault("fields", {})[column] = entry["value"]
        else:
            raw.setdefault(section, {})[rest] = entry["value"]
    settings = _validated(raw, "run.json")
    folder = file.parent if file else Path()
    return Project(
        settings=settings,
        origins=MappingProxyType({key: entry["origin"] for key, entry in effective.items()}),
        templates=MappingProxyType(templates(settings.tasks, "run.json", folder)),
        file=file,
        folder=folder,
    )


def _parsed(path: Path) -> dict[str, Any]:
    with during("reading the project file"):
        content = path.read_bytes()
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8 text.", where=path.name) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"is not valid TOML: {error}.", where=path.name) from error


def _validated(raw: Mapping[str, Any], where: str) -> Settings:
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(listed(sentences(error, _keys_at)), where=where) from error
    wrong = [task for task, section in settings.tasks.items() if not isinstance(section, dict)]
    if wrong:
        raise ConfigurationError(f"tasks.{wrong[0]}: must be a table.", where=where)
    return settings


def _keys_at(path: tuple[str | int, ...]) -> Iterable[str]:
    if not path:
        return Settings.model_fields
    section = _SECTIONS.get(str(path[0]))
    return section.model_fields if section else ()


_TASK_DEPTH: Final = 3
"""Steps of ``tasks.<task>.fields.<column>`` before the row itself."""


def _flat(raw: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in raw.items():
        name = f"{prefix}{key}"
        deep = isinstance(value, dict) and (
            prefix.count(".") < 1 or (name.startswith("tasks.") and name.count(".") < _TASK_DEPTH)
        )
        found += _flat(value, f"{name}.") if deep else [name]
    return found


def _merge(raw: dict[str, Any], origins: dict[str, str], more: Mapping[str, Any], origin: str) -> None:
    """Lay ``more`` over ``raw``, key by key."""
    for name in _flat(more):
        origins[name] = origin
    _overlay(raw, more)


def _overlay(base: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _overlay(base[key], value)
        else:
            base[key] = value


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for section, model in _SECTIONS.items():
        for key in model.model_fields:
            name = f"P2C_{section}_{key}".upper()
            if name in environment:
                found.setdefault(section, {})[key] = environment[name]
    return found


def _from_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set takes KEY=VALUE, as in destination.legal_entity=usmf; got '{assignment}'.")
        section = key.split(".")[0].strip()
        if section not in Settings.model_fields:
            raise UsageError(f"--set {key}: there is no section '{section}'.{near(section, Settings.model_fields)}")
        structured = value.strip()[:1] in {"{", "[", '"', "'"}
        text = f"{key} = {value if structured else json.dumps(value, ensure_ascii=False)}"
        try:
            _overlay(found, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"--set {assignment}: {error}.") from error
    return found


def environment() -> Mapping[str, str]:
    """The variables that count as settings."""
    return {name: value for name, value in os.environ.items() if name.startswith("P2C_")}
