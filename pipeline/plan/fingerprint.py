"""What decides what a plan says: code, rules, and what is known of the destination.

Pinned in a plan, and compared before it is first applied: a plan is refused when p2c would decide
otherwise today. An apply that has started may always be finished.

Pinned are

* the code and SQL that read, prepare, decide, map and count, and the lists of countries and states
  with the libraries that they come from (``PINNED_CODE``);
* the templates in force, row by row, and value maps by what is in them;
* the settings that decide (``_SETTINGS``);
* the export of known customers, by its content, and what earlier loads left of the plan's own
  contacts (``pipeline/plan/known.py``).

Free on purpose are

* code that only carries out (loading, writing back), carries bytes or parts of the work (``wire``,
  ``run``, ``flow``, ``engine``) or reports (``report``, ``show``, ``audit``): a mended loader may
  apply a plan that was made before;
* how a system is reached: logins, parallelism and hosts of blobs; and all of ``[run]``;
* where exports lie and what is in them by now: the plan has a copy of its own, and what was read
  from a live Sales ages (``run.max_plan_age``);
* ``--limit``, ``--only`` and the like: that is what was asked, not what decides;
* the versions of Python and of the engines: they are recorded, and ``row_hash`` does not depend on
  them.

The plan that undoes a run depends on that run alone: nothing here applies to it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from pydantic import JsonValue

from pipeline import __version__
from pipeline.mapping.template import FieldRow, Template
from pipeline.plan import known
from pipeline.project.layers import SCM
from pipeline.project.resolve import Project, restore_project
from pipeline.run.facts import Kind, RunFacts, Setting
from pipeline.run.folder import RunFolder

_LIBRARIES: Final = ("polars", "duckdb", "pyarrow", "pandera", "isal", "pycountry")
_LISTS: Final = ("pycountry",)
"""Libraries that are lists: of states."""

_ENDINGS: Final = (".py", ".sql", ".toml", ".tsv")


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedCode:
    """A package that decides, and how people call it.

    ``free`` are files and folders (``audit/``) in it that decide nothing of what a plan says. A new
    file is pinned unless it is put there.
    """

    package: str
    words: str
    free: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()


PINNED_CODE: Final = {
    "sql": PinnedCode(
        package="sql",
        words="the SQL of p2c",
        free=frozenset({"apply/", "audit/", "report/", "run/"}),
    ),
    "schemas": PinnedCode(package="schemas", words="the schemas of p2c"),
    "mapping": PinnedCode(package="pipeline.mapping", words="the mapping code of p2c"),
    "lists": PinnedCode(
        package="pipeline.templates",
        words="the shipped templates and country lists of p2c",
        lists=_LISTS,
    ),
    "transform": PinnedCode(package="pipeline.transform", words="the transform code of p2c"),
    "extract": PinnedCode(package="pipeline.extract", words="the reading code of p2c"),
    "project": PinnedCode(
        package="pipeline.project",
        words="the settings code of p2c",
        free=frozenset({"fields.py", "reference.py", "schema.py", "starter.py", "systems.py"}),
    ),
    "scm": PinnedCode(
        package="pipeline.scm",
        words="the code of p2c that looks at SCM",
        free=frozenset({"lookup.py", "messages.py", "messages.toml", "normal.py", "rows.py"}),
    ),
    "plan": PinnedCode(
        package="pipeline.plan",
        words="the planning code of p2c",
        free=frozenset(
            {
                "again.py",
                "compare.py",
                "fingerprint.py",
                "forecast.py",
                "record.py",
                "restore.py",
                "sales_read.py",
                "sessions.py",
                "undo.py",
            }
        ),
    ),
    Kind.BACKFILL: PinnedCode(
        package="pipeline.backfill",
        words="the planning code of backfills",
        free=frozenset(
            {
                "applying.py",
                "counter.py",
                "explain.py",
                "importfiles.py",
                "order.py",
                "recount.py",
                "reserve.py",
                "results.py",
                "sending.py",
                "shares.py",
                "undo_on_files.py",
                "undoing.py",
                "write_back.py",
                "writing.py",
            }
        ),
    ),
}
"""Fingerprint → the code that it is of."""

_OF_A_BACKFILL: Final = ("sql", "schemas", "transform", "extract", "project", "plan", Kind.BACKFILL)
_OF_A_LOAD: Final = tuple(name for name in PINNED_CODE if name != Kind.BACKFILL)

_SETTINGS: Final = {
    True: ("source.", "backfill.", "labels."),
    False: ("source.", "destination.", "organizations.", "countries.", "labels.", "columns."),
}
"""Whether it is a backfill → settings that decide. Those of templates are in the templates."""

_REACH: Final = (
    "source.auth.", "source.parallel", "source.path",
    "destination.auth.", "destination.parallel", "destination.blob_hosts",
    "destination.known_customers",
)  # fmt: skip
_FREE: Final = {True: (*_REACH, "source.flag_blank"), False: _REACH}
"""Among them, what says only how a system is reached or where a file lies, and what a backfill does
not ask. Addresses are pinned: a plan made of one system is not for another."""

_LEGAL_ENTITIES: Final = ("destination.legal_entity", "organizations.")

_DATA: Final = {
    known.KNOWN_CUSTOMERS: "destination.known_customers (the export has other content, or is gone)",
    known.LOADED_MEMORY: "what is loaded (another run loaded or took back contacts of this plan)",
}
"""Fingerprint → what it is of."""


def list_versions() -> dict[str, str]:
    """p2c, Python and the libraries that decide the output."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"p2c": __version__, "python": platform.python_version(), **libraries}


def take_fingerprints(project: Project, kind: Kind) -> dict[str, str]:
    """The SHA-256 of all code that decides a plan of this kind, and of each template in force.

    What is known of the destination is pinned by ``known.pinned``.
    """
    if kind is Kind.BACKFILL:
        return {name: hash_code(PINNED_CODE[name]) for name in _OF_A_BACKFILL}
    found = {f"template {task}": _hash_template(one) for task, one in project.templates.items()}
    return found | {name: hash_code(PINNED_CODE[name]) for name in _OF_A_LOAD}


def is_of_another_version(facts: RunFacts, today: Project) -> bool:
    """Whether a plan was made by a p2c that pinned other things than this one does."""
    names = set(take_fingerprints(today, facts.kind))
    data = set() if facts.kind is Kind.BACKFILL else set(_DATA)
    return set(facts.fingerprints) != names | data


def list_changes(folder: RunFolder, facts: RunFacts, today: Project) -> list[str]:
    """What changed since a plan was made, a phrase each.

    Empty when the plan still says what p2c would plan today of the same rows.

    Args:
        folder: the run.
        facts: ``run.json`` of the plan.
        today: the project as it is now.
    """
    is_backfill = facts.kind is Kind.BACKFILL
    now = take_fingerprints(today, facts.kind)
    if not is_backfill:
        now |= known.pin_destination(folder, today)
    found = list_changed_settings(facts.settings, today, is_backfill=is_backfill)
    before = restore_project(facts.settings, None)
    for name, value in facts.fingerprints.items():
        if now.get(name) != value:
            found.append(_describe_change(name, before, today))
    return found


def list_changed_code(facts: RunFacts, project: Project) -> list[str]:
    """What of p2c is not what a plan was made with, a phrase each.

    ``project`` is as the run recorded it.
    """
    versions = list_versions()
    found = [
        f"{name} (was {was}, is {versions[name]})"
        for name, was in facts.versions.items()
        if name in versions and versions[name] != was
    ]
    now = take_fingerprints(project, facts.kind)
    changed = [name for name, value in now.items() if facts.fingerprints.get(name) != value]
    return [*found, *(_describe_change(name, project, project) for name in changed)]


def list_changed_settings(
    recorded: Mapping[str, Setting], today: Project, *, is_backfill: bool = False
) -> list[str]:
    """Settings that decide and have another value today, a phrase each.

    What SCM said of its columns when it was asked is not asked again.
    """
    effective = today.effective()
    pinned = [
        key
        for key in dict.fromkeys([*recorded, *effective])
        if key.startswith(_SETTINGS[is_backfill]) and not key.startswith(_FREE[is_backfill])
    ]
    found = []
    for key in pinned:
        now, was = effective.get(key), recorded.get(key)
        is_new = was is None and now is not None and now.origin == "default"
        if is_new or (was is not None and was.origin == SCM):
            continue
        old, new = (None if one is None else one.value for one in (was, now))
        if _compare_form(key, old) != _compare_form(key, new):
            found.append(f"{key} (was {_show_value(old)}, is {_show_value(new)})")
    return found


def _compare_form(key: str, value: object) -> object:
    """A setting's value as it is compared: SCM takes legal entities in any case."""
    is_entity = key.startswith(_LEGAL_ENTITIES) and isinstance(value, str)
    return str(value).lower() if is_entity else value


def _describe_change(name: str, before: Project, today: Project) -> str:
    if name in PINNED_CODE:
        return PINNED_CODE[name].words
    if name in _DATA:
        return _DATA[name]
    return _describe_template(name.removeprefix("template "), before, today)


def _show_value(value: object) -> str:
    return "not set" if value is None else f"'{value}'"


def _describe_template(task: str, before: Project, today: Project) -> str:
    """A changed template, with the columns whose rows changed if the project changed them."""
    old, new = before.templates.get(task), today.templates.get(task)
    if old is None or new is None:
        return f"template {task}"
    columns = dict.fromkeys(row.destination for row in (*old.rows, *new.rows))
    rows = [name for name in columns if _dump_row(old.row(name)) != _dump_row(new.row(name))]
    return f"template {task}" + (f" ({', '.join(rows)})" if rows else "")


def _hash_template(template: Template) -> str:
    rows = [[row.destination, _dump_row(row)] for row in template.rows]
    content = {"name": template.name, "entity": template.entity, "rows": rows}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _dump_row(row: FieldRow | None) -> dict[str, JsonValue] | None:
    """What a row does. Where its value map was read from does not count, only what is in it."""
    return None if row is None else row.row.model_dump(mode="json", exclude={"value_map_file"})


def hash_code(code: PinnedCode) -> str:
    """The SHA-256 of all files of a package that are not free, and of the versions of its lists."""
    digest = hashlib.sha256()
    for name, entry in sorted(_list_files_below(files(code.package), "")):
        folder = f"{name.partition('/')[0]}/"
        if name.endswith(_ENDINGS) and not {name, folder} & code.free:
            digest.update(name.encode() + b"\0" + entry.read_bytes() + b"\0")
    for name in code.lists:
        digest.update(f"{name} {version(name)}".encode())
    return digest.hexdigest()


def _list_files_below(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    """All files of a package's folder, folders in it included, by their path from there."""
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _list_files_below(entry, f"{name}/")
        else:
            yield name, entry
