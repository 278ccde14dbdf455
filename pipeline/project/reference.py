"""``python -m pipeline.project.reference``: write the reference page of settings and the schema.

Both are made from the descriptions in the models.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

from pipeline.mapping.template import MappingRow
from pipeline.project.fields import DescribedSetting, describe, explain_table, to_toml
from pipeline.project.schema import FILE, render_schema
from pipeline.project.settings import SECTIONS, Settings
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

`p2c init` writes a project file that explains every setting. Editors that know JSON Schema can
check and complete it: the schema is `pipeline/project/p2c.schema.json` in the package.
"""
_HEADINGS: Final = ("Setting", "Takes", "Default", "What it does")


def render_page() -> str:
    """The reference page of all settings, as Markdown."""
    return "\n".join(
        [
            _HEAD,
            *_sections(),
            *_logins(),
            *(_free_table(name) for name in ("organizations", "countries")),
            *_rows(),
        ]
    )


def write_all(checkout: Path) -> list[Path]:
    """Write both files; where they are."""
    written = {checkout / PAGE: render_page(), checkout / SCHEMA: render_schema()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(written)


def _sections() -> Iterator[str]:
    for name, model in SECTIONS.items():
        yield f"## [{name}]\n\n{explain_table(model)}\n"
        yield _table(_HEADINGS, (_line(name, one) for one in describe(model)))


def _logins() -> Iterator[str]:
    yield f"## [source.auth] and [destination.auth]\n\n{explain_table(AuthSettings)}\n"
    yield _table(_HEADINGS, (_line("auth", one) for one in describe(AuthSettings)))
    yield "Each kind of login has its own keys:\n"
    kinds: Sequence[Kind] = get_args(Kind)
    yield _table(
        ("`auth.kind`", "needs", "may have"),
        ((_code(to_toml(kind)), _codes(NEEDS[kind]), _codes(_allowed(kind))) for kind in kinds),
    )


def _allowed(kind: Kind) -> list[str]:
    return [*TAKES[kind], *(name for name in EVERY if name != "kind")]


def _free_table(name: str) -> str:
    field = Settings.model_fields[name]
    [(key, value)] = next(iter(field.examples or ())).items()
    example = f"[{name}]\n{to_toml(key)} = {to_toml(value)}"
    return f"## [{name}]\n\n{field.description}\n\n```toml\n{example}\n```\n"


def _rows() -> Iterator[str]:
    yield f"## [tasks.TASK.fields.COLUMN]\n\n{Settings.model_fields['tasks'].description}\n"
    yield f"{explain_table(MappingRow)} [Templates](../templates.md) has examples.\n"
    yield _table(_HEADINGS, (_line("", one) for one in describe(MappingRow)))


def _line(table: str, setting: DescribedSetting) -> tuple[str, ...]:
    name = f"{table}.{setting.name}" if table else setting.name
    shown = "" if setting.default is None else _code(to_toml(setting.default))
    example = (
        f" Example: {_code(to_toml(setting.example))}."
        if setting.default is None and setting.example is not None
        else ""
    )
    return _code(name), setting.takes, shown, setting.text + example


def _code(text: str) -> str:
    return f"`{text}`"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(_code, names))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    cells = ((cell.replace("|", r"\|") for cell in line) for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    for one in write_all(Path(__file__).parents[2]):
        sys.stdout.write(f"Wrote {one}.\n")
