"""``p2c.toml``, environment and command line → frozen settings, each with its origin.

Order of rank: shipped default, project file, environment (``P2C_DESTINATION_CURRENCY``), ``--set``
and flags.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue, ValidationError

from pipeline.errors import (
    ConfigurationError,
    PlanRefused,
    SourceError,
    UsageError,
    list_problems,
    reading,
)
from pipeline.mapping import check
from pipeline.mapping.columns import Declarations
from pipeline.mapping.compile import CompiledTemplate, compile_template
from pipeline.mapping.template import Template, apply_overrides
from pipeline.project.layers import (
    ENVIRONMENT,
    FLAGS,
    SCM,
    Layers,
    find_source,
    read_assignments,
    read_environment,
    rebuild_tables,
)
from pipeline.project.mapfile import read_map_file
from pipeline.project.settings import (
    SECTIONS,
    Settings,
    has_scm,
    list_known_keys,
    read_declarations,
)
from pipeline.run.facts import RunFacts, Setting
from pipeline.suggest import SettingProblem, explain_validation_error, suggest_path
from pipeline.wire.login.settings import SystemSettings, hide_unusual
from schemas.text import fold_text

FILE: Final = Path("p2c.toml")
"""The project file where the user stands."""

SCHEMA: Final = "p2c.schema.json"
"""The JSON schema that ``init`` puts next to a project file, for editors."""


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
        """The folder of exports on this machine.

        Raises ``UsageError`` when Sales itself is the source, or an object store.
        """
        path = self.settings.source.path
        if path is None:
            raise UsageError(
                "works on a folder of exports; source.kind is 'dataverse' here.", where="source"
            )
        if self.settings.source.location is not None:
            raise UsageError(
                "works on a folder of this machine; source.path is in an object store here. Copy "
                "the exports into a folder and name it with --source.",
                where="source.path",
            )
        return self.folder / path

    def require_folder(self) -> Path:
        """The folder of exports on this machine, which is there. Raises ``SourceError``."""
        folder = self.source_folder
        with reading(str(folder)):
            if folder.exists():
                return folder
        raise SourceError(
            f"there is no such folder: '{folder}'.{suggest_path(folder)} It must hold the exports, "
            "one file or one folder per table.",
            where=self.locate("source.path"),
        )

    def locate(self, key: str) -> str:
        """A setting with the file, variable or flag that it comes from, as in ``p2c.toml, x.y``."""
        origin = self.origins.get(key, "default")
        return key if origin == "default" else f"{origin}, {key}"

    @property
    def sales(self) -> SystemSettings | None:
        """The Sales that is the source; none when files are."""
        return self.settings.source.system

    @property
    def scm(self) -> SystemSettings | None:
        """The SCM that is looked at and loaded into; none when only files are written."""
        return self.settings.destination.system

    @property
    def own_files(self) -> tuple[Path, ...]:
        """The project file and its schema, which may lie next to the exports."""
        return () if self.file is None else (self.file, self.file.with_name(SCHEMA))

    @property
    def known_customers(self) -> tuple[Path, ...]:
        """The Customers V2 exports that the project names: files, packages, folders."""
        return tuple(self.folder / one for one in self.settings.destination.known_customers or ())

    @property
    def defaults(self) -> dict[str, str | None]:
        """Values for ``default_setting``."""
        destination = self.settings.destination
        return {
            "destination.currency": destination.currency,
            "destination.country": destination.country,
        }

    @property
    def countries(self) -> dict[str, str]:
        """The project's own country spellings, folded."""
        return {fold_text(spelling): code for spelling, code in self.settings.countries.items()}

    def mappings(self) -> dict[str, CompiledTemplate]:
        """Task → its template, compiled for the way rows are loaded: nobody else compiles.

        OData carries line breaks in values, packages do not.
        """
        keep = self.settings.destination.load == "odata"
        entities = self.settings.entities
        self._refuse_unknown_columns()
        return {
            task: compile_template(
                template,
                self.defaults,
                countries=self.countries,
                labels=self.settings.labels,
                keep_breaks=keep,
                entity=entities[task],
            )
            for task, template in self.templates.items()
        }

    def _refuse_unknown_columns(self) -> None:
        """Refuse to work without SCM on columns that only SCM knows."""
        entities = self.settings.entities
        unknown = [
            f"columns.{task}.{row.destination}: declare this column. SCM is not asked here, and "
            "p2c does not know the column."
            for task, template in self.templates.items()
            for row in template.rows
            if entities[task].column(row.destination) is None
        ]
        if unknown:
            raise ConfigurationError(list_problems(unknown))

    def with_columns(self, found: Declarations) -> Project:
        """The project with columns as a live SCM describes them, whatever was declared."""
        known = self.settings.columns
        columns = {task: {**known.get(task, {}), **more} for task, more in found.items()}
        origins = {f"columns.{task}.{name}": SCM for task, more in found.items() for name in more}
        return dataclasses.replace(
            self,
            settings=self.settings.model_copy(update={"columns": {**known, **columns}}),
            origins=MappingProxyType({**self.origins, **origins}),
        )

    @property
    def legal_entities(self) -> tuple[str, ...]:
        """All legal entities that the project can fill, in order."""
        default = self.settings.destination.legal_entity
        return tuple(
            dict.fromkeys([*([default] if default else []), *self.settings.organizations.values()])
        )

    def effective(self) -> dict[str, Setting]:
        """Every setting with its origin, for ``run.json`` and ``check``.

        Value maps out of files are in it, pair by pair.
        """
        flat: dict[str, JsonValue] = {}
        for section in SECTIONS:
            if section == "notify":  # It may hold an address that is a secret.
                continue
            dumped = getattr(self.settings, section).model_dump()
            auth = dumped.pop("auth", None) or {}
            flat |= {f"{section}.{key}": value for key, value in dumped.items()}
            flat |= {
                f"{section}.auth.{key}": value for key, value in auth.items() if value is not None
            }
        flat |= self.settings.list_free_tables()
        flat |= {
            f"tasks.{task}.fields.{column}": self._list_row(task, column, keys)
            for task, section in self.settings.tasks.items()
            for column, keys in section.get("fields", {}).items()
        }
        return {
            key: Setting(value=value, origin=self.origins.get(key, "default"))
            for key, value in flat.items()
        }

    def show_settings(self) -> dict[str, Setting]:
        """``effective`` for people: what has not the form of a variable's name is not shown."""
        return {
            key: entry.replace(value=hide_unusual(str(entry.value)))
            if key.endswith("_env") and entry.value is not None
            else entry
            for key, entry in self.effective().items()
        }

    def _list_row(
        self, task: str, column: str, keys: Mapping[str, JsonValue]
    ) -> dict[str, JsonValue]:
        row = self.templates[task].row(column)
        pairs = row.row.value_map if row is not None and "value_map_file" in keys else None
        return dict(keys) if pairs is None else {**keys, "value_map": dict(pairs)}


def load_project(
    file: Path | None,
    *,
    source: str | Path | None = None,
    assignments: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Project:
    """Read a project: file, then environment, then ``--set`` and flags.

    Args:
        file: the project file; none: ``p2c.toml`` here if it exists, else nothing but flags.
        source: ``--source``, a folder of exports, relative to where the user stands, or an address
            in an object store.
        assignments: ``--set`` values, ``KEY=VALUE``.
        environment: variables; those named ``P2C_<SECTION>_<KEY>`` count.

    Raises:
        UsageError: neither a project file nor a source.
        ConfigurationError: anything wrong in the file, a setting or a template, all at once.
    """
    path = file if file is not None else FILE
    if file is not None and not path.is_file():
        raise UsageError(f"there is no project file {path}. `p2c init` writes one.")
    if not path.is_file() and source is None:
        raise UsageError(
            "there is no p2c.toml here. `p2c init` writes one, or name a folder of exports with "
            "--source."
        )
    layers = Layers(path if path.is_file() else None)
    layers.add(read_environment(environment), ENVIRONMENT)
    layers.add(read_assignments(assignments), "--set")
    if source is not None:
        layers.add({"source": {"path": find_source(source)}}, "--source")
    return _make(layers)


def make_bare_project(tables: Mapping[str, object], origin: str) -> Project:
    """A project without a file: what ``tables`` say, and shipped defaults.

    Raises ``ConfigurationError``.
    """
    layers = Layers(None)
    layers.add(tables, origin)
    return _make(layers)


def restore_project(effective: Mapping[str, Setting], file: Path | None) -> Project:
    """The project that a run recorded (``Project.effective``).

    The project file of today does not matter.
    """
    raw = rebuild_tables(
        {key: entry for key, entry in effective.items() if _is_known(*key.partition("."))}
    )

    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(
            list_problems(explain_validation_error(error, list_known_keys)), where="run.json"
        ) from error
    in_force, problems = apply_overrides(settings.tasks)
    if problems:
        raise ConfigurationError(list_problems(problems), where="run.json")
    return Project(
        settings=settings,
        origins=MappingProxyType({key: entry.origin for key, entry in effective.items()}),
        templates=MappingProxyType(in_force),
        file=file,
        folder=file.parent if file else Path(),
    )


def load_todays_project(
    effective: Mapping[str, Setting],
    recorded_file: Path | None,
    *,
    file: Path | None = None,
    assignments: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Project:
    """The project as the plan's command would read it today.

    The file is read again. Flags and variables that the plan was made with are taken from its
    record: you do not have to give them twice.

    Args:
        effective: what the run recorded (``Project.effective``).
        recorded_file: the project file of the plan, none if there was none.
        file: today's project file, if it is another one.
        assignments: ``--set`` of today.
        environment: variables of today.

    Raises:
        PlanRefused: the project file is gone.
        ConfigurationError: it is wrong today.
    """
    path = file or recorded_file
    if path is not None and not path.is_file():
        raise PlanRefused(
            (
                "the project file of the plan is gone, so p2c cannot tell whether it changed. Name "
                "it with --project, or plan again."
            ),
            where=str(path),
        )
    layers = Layers(path)
    layers.add(rebuild_tables(effective, {ENVIRONMENT}), ENVIRONMENT)
    layers.add(read_environment(environment), ENVIRONMENT)
    layers.add(rebuild_tables(effective, FLAGS), "--set")
    layers.add(read_assignments(assignments), "--set")
    return _make(layers)


def _make(layers: Layers) -> Project:
    """The project that the layers make, if nothing is wrong with it."""
    folder = layers.file.parent if layers.file else Path()
    settings, problems = _validate(layers.raw)
    tasks = layers.raw.get("tasks", {})
    in_force, more = apply_overrides(
        tasks if isinstance(tasks, dict) else {}, lambda name: read_map_file(folder / name)
    )
    problems += more
    problems += check.find_all_problems(
        in_force, read_declarations(layers.raw), scm_decides=has_scm(layers.raw)
    )
    if problems or settings is None:
        raise layers.refusal(problems)
    return Project(
        settings=settings,
        origins=MappingProxyType(layers.origins),
        templates=MappingProxyType(in_force),
        file=layers.file,
        folder=folder,
    )


def _validate(raw: Mapping[str, object]) -> tuple[Settings | None, list[SettingProblem]]:
    try:
        return Settings.model_validate(raw), []
    except ValidationError as error:
        return None, explain_validation_error(error, list_known_keys)


def _is_known(section: str, _dot: str, key: str) -> bool:
    """Whether this version has the setting; tables of the user's own keys have any."""
    model = SECTIONS.get(section)
    return model is None or key.partition(".")[0] in model.model_fields


def project_of_run(facts: RunFacts) -> Project:
    """The project as it was when the plan was made.

    Settings come from ``run.json``, not from today's file.
    """
    return restore_project(facts.settings, Path(facts.project) if facts.project else None)
