"""``python -m pipeline.project.reference``: write the reference page of settings and the schema.

Both are made from the descriptions in the models.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

from pipeline.mapping.columns import ColumnDeclaration
from pipeline.mapping.template import MappingRow
from pipeline.project.fields import DescribedSetting, describe, explain_table, to_toml
from pipeline.project.schema import FILE, render_schema
from pipeline.project.settings import SECTIONS, Settings
from pipeline.show.markdown import mark_code, mark_codes, render_markdown_table
from pipeline.wire.login.settings import EVERY, NEEDS, TAKES, AuthSettings, Kind

PAGE: Final = Path("docs") / "reference" / "settings.md"
SCHEMA: Final = Path("pipeline") / "project" / FILE
"""Where the two files lie in the checkout."""

_HEAD: Final = """\
# Settings

<!-- Written by `python -m pipeline.project.reference`. Change the descriptions in the models. -->

Settings come from four places. The last one that names a setting wins:

1. the defaults on this page,
2. the project file, `p2c.toml` in the current folder or `--project FILE`,
3. environment variables named after the setting, as in `P2C_DESTINATION_CURRENCY=EUR`,
4. `--set`, as in `--set destination.currency=EUR`, and `--source`.

`p2c check` shows every setting that somebody made, and where it comes from. An unknown key is an
error that names the nearest known one. A blank text (`""`) means "not set".

`p2c init` writes a project file that explains every setting, and `p2c.schema.json` next to it. The
first line of the project file names that schema. Editors with Taplo or *Even Better TOML* then
check and complete what you write. After an update of p2c, write the schema again:

```sh
python -c "from pipeline.project.schema import read_schema as read; print(read(), end='')" \\
    > p2c.schema.json
```
"""
_HEADINGS: Final = ("Setting", "Takes", "Default", "What it does")


def render_page() -> str:
    """The reference page of all settings, as Markdown."""
    return "\n".join(
        [
            _HEAD,
            *_render_sections(),
            *_render_logins(),
            *(_render_free_table(name) for name in ("organizations", "countries", "labels")),
            *_render_columns(),
            *_render_rows(),
        ]
    )


def write_all(checkout: Path) -> list[Path]:
    """Write both files; where they are."""
    written = {checkout / PAGE: render_page(), checkout / SCHEMA: render_schema()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(written)


def _render_sections() -> Iterator[str]:
    for name, model in SECTIONS.items():
        yield f"## [{name}]\n\n{explain_table(model)}\n"
        yield _render_settings(_render_line(name, one) for one in describe(model))


def _render_logins() -> Iterator[str]:
    yield f"## [source.auth] and [destination.auth]\n\n{explain_table(AuthSettings)}\n"
    yield render_markdown_table(
        _HEADINGS, (_render_line("auth", one) for one in describe(AuthSettings))
    )
    yield "Each kind of login has its own keys:\n"
    kinds: Sequence[Kind] = get_args(Kind)
    yield render_markdown_table(
        ("`auth.kind`", "needs", "may have"),
        (
            (mark_code(to_toml(kind)), mark_codes(NEEDS[kind]), mark_codes(_list_allowed(kind)))
            for kind in kinds
        ),
    )


def _list_allowed(kind: Kind) -> list[str]:
    return [*TAKES[kind], *(name for name in EVERY if name != "kind")]


def _render_free_table(name: str) -> str:
    field = Settings.model_fields[name]
    [(key, value)] = next(iter(field.examples or ())).items()
    example = f"[{name}]\n{to_toml(key)} = {to_toml(value)}"
    return f"## [{name}]\n\n{field.description}\n\n```toml\n{example}\n```\n"


def _render_columns() -> Iterator[str]:
    field = Settings.model_fields["columns"]
    [(column, declared)] = next(iter(field.examples or ())).items()
    yield f"## [columns.TASK.COLUMN]\n\n{field.description}\n"
    lines = [f"{key} = {to_toml(value)}" for key, value in declared.items()]
    example = "\n".join([f"[columns.ContactToCustomer.{column}]", *lines])
    yield f"```toml\n{example}\n```\n"
    yield render_markdown_table(
        _HEADINGS, (_render_line("", one) for one in describe(ColumnDeclaration))
    )


def _render_rows() -> Iterator[str]:
    yield f"## [tasks.TASK.fields.COLUMN]\n\n{Settings.model_fields['tasks'].description}\n"
    yield f"{explain_table(MappingRow)} [Templates](../how-to/templates.md) has examples.\n"
    yield _render_settings(_render_line("", one) for one in describe(MappingRow))


def _render_settings(lines: Iterable[Sequence[str]]) -> str:
    return render_markdown_table(_HEADINGS, lines)


def _render_line(table: str, setting: DescribedSetting) -> tuple[str, ...]:
    name = f"{table}.{setting.name}" if table else setting.name
    shown = "" if setting.default is None else mark_code(to_toml(setting.default))
    example = (
        f" Example: {mark_code(to_toml(setting.example))}."
        if setting.default is None and setting.example is not None
        else ""
    )
    return mark_code(name), setting.takes, shown, setting.text + example


if __name__ == "__main__":
    for one in write_all(Path(__file__).parents[2]):
        sys.stdout.write(f"Wrote {one}.\n")
