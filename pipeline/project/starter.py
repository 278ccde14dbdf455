"""The ``p2c.toml`` that ``p2c init`` writes: every setting with what it does.

What a new project needs is in force; the rest is commented out and shows its default.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel

from pipeline.mapping.columns import ColumnDeclaration
from pipeline.mapping.template import MappingRow
from pipeline.project.fields import DescribedSetting, describe, explain_table, to_toml
from pipeline.project.resolve import SCHEMA
from pipeline.project.settings import SECTIONS, Settings
from pipeline.wire.login.settings import NEEDS, AuthSettings

_WIDTH: Final = 96
_LOGIN: Final = ("kind", *NEEDS["client_secret"])
_HEAD: Final = f"""\
#:schema ./{SCHEMA}
# p2c: contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management (SCM).
#
# A line that begins with # and a space explains. A line that begins with # alone is a setting that
# is not in force: it shows the default or, where it says so, an example. Remove the # to set it.
# docs/reference/settings.md has all settings and the values that they take. The first line is for
# editors: with its file they complete and check what you write.
"""


def render_starter(
    given: Mapping[str, str | None],
    *,
    path: str,
    url: str | None = None,
    units: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """The text of a new project file.

    Args:
        given: legal_entity, currency and country of contacts that have none; null: none.
        path: the folder of exports, as seen from the file.
        url: the address of a live Sales, which is read instead of exports; null: none.
        units: the business units of the export, with their contacts.
    """
    answers: dict[str, dict[str, str | None]] = {
        "source": {"kind": "files", "path": path}
        if url is None
        else {"kind": "dataverse", "url": url},
        "destination": {"load": "folder", **given},
    }
    blocks = [_HEAD]
    for name, model in SECTIONS.items():
        blocks += _render_section(name, model, answers.get(name, {}))
        if "auth" in model.model_fields:
            blocks += _render_login(name, on=name == "source" and url is not None)
    organizations = _render_free_table("organizations")
    if units:
        organizations = _render_units(units, given.get("legal_entity"))
    blocks += [organizations, _render_free_table("countries")]
    return "\n".join([*blocks, *_render_column(), *_render_row()])


def _render_section(
    name: str, model: type[BaseModel], answers: Mapping[str, str | None]
) -> Iterator[str]:
    """A section: first what is in force or was asked for, then the others."""
    yield _render_comment(explain_table(model)) + f"[{name}]\n"
    settings = describe(model)
    asked = [one for one in settings if one.name in answers]
    for one in (*asked, *(one for one in settings if one.name not in answers)):
        value = answers.get(one.name)
        yield _render_comment(one.text) + (
            _render_value(one.name, value) if value else _render_off(one)
        )


def _render_login(section: str, *, on: bool) -> Iterator[str]:
    """How to log in with a client secret; ``on``: in force, with examples to replace."""
    about = f"{explain_table(AuthSettings)} The keys here are those for a client secret."
    off = "" if on else "#"
    yield f"{_render_comment(about)}{off}[{section}.auth]\n"
    yield from _render_lines(AuthSettings, _LOGIN, off)


def _render_free_table(name: str) -> str:
    """A table whose keys are the user's own."""
    field = Settings.model_fields[name]
    [pair] = next(iter(field.examples or ())).items()
    key, value = (json.dumps(one, ensure_ascii=False) for one in pair)
    return f"{_render_comment(field.description or '')}[{name}]\n#{key} = {value}  # an example\n"


def _render_units(units: Mapping[str, int], legal_entity: str | None) -> str:
    """``[organizations]`` with the business units of the export, none of them in force."""
    about = (
        f"{Settings.model_fields['organizations'].description} These are the business units of the "
        "export: remove the # and write the legal entity of each."
    )
    entity = to_toml(legal_entity or "usmf")
    lines = [
        f"#{to_toml(unit)} = {entity}  # {contacts:,} contact{'' if contacts == 1 else 's'}\n"
        for unit, contacts in units.items()
    ]
    return f"{_render_comment(about)}[organizations]\n{''.join(lines)}"


def _render_column() -> Iterator[str]:
    """A declared column, as an example."""
    field = Settings.model_fields["columns"]
    [(column, declared)] = next(iter(field.examples or ())).items()
    about = f"{field.description} An example:"
    yield f"{_render_comment(about)}#[columns.ContactToCustomer.{column}]\n"
    yield from _render_lines(ColumnDeclaration, list(declared))


def _render_row() -> Iterator[str]:
    """A row of a mapping, as an example."""
    about = f"{Settings.model_fields['tasks'].description} `p2c templates` shows the mappings."
    yield _render_comment(f"{about} An example:") + "#[tasks.ContactToCustomer.fields.SiteId]\n"
    yield from _render_lines(
        MappingRow, [one.name for one in describe(MappingRow) if one.example is not None]
    )


def _render_lines(model: type[BaseModel], names: Sequence[str], off: str = "#") -> Iterator[str]:
    """Some settings of a table, commented out or not, with their examples."""
    settings = {one.name: one for one in describe(model)}
    for name in names:
        one = settings[name]
        yield f"{_render_comment(one.text)}{off}{_render_value(name, one.example)}"


def _render_value(name: str, value: object) -> str:
    return f"{name} = {to_toml(value)}\n"


def _render_off(setting: DescribedSetting) -> str:
    """A setting that is not in force."""
    if setting.default is not None:
        return f"#{_render_value(setting.name, setting.default)}"
    return f"#{_render_value(setting.name, setting.example).rstrip()}  # an example\n"


def _render_comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False))
