"""How templates become pages: escaped throughout, with breaks only where words may be broken."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2
from markupsafe import Markup, escape

from pipeline.report.blocks import PageTable, Paragraph, Picture
from pipeline.show.visible import make_visible

_OWN: Final = "pipeline.report"

_WORD: Final = 22
"""Letters of a word that is not broken."""

_STEP: Final = 16
_PIECES: Final = re.compile(r".+?(?:[./_:@=&?-]|(?<=[a-z])(?=[A-Z])|$)", re.DOTALL)
"""Up to a sign, or to the end of a hump, as in ``PrimaryAddressCity``."""


def read_style() -> Markup:
    """The style sheet of all pages."""
    style = files(_OWN).joinpath("page.css").read_text(encoding="utf-8")
    return Markup(style)  # noqa: S704 - our own file


@cache
def build_environment(longest: int, package: str = _OWN) -> jinja2.Environment:
    """An environment that escapes, shows control and direction characters, and cuts long text.

    Templates of another ``package`` may take parts of the report's.
    """

    def safe(value: object) -> object:
        if value is None:
            return ""
        return value if isinstance(value, Markup) or not isinstance(value, str) else cut(value)

    def cut(value: str) -> str:
        text = make_visible(value[: longest + 1])
        return text if len(text) <= longest else f"{text[:longest]}…"

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(one, "") for one in dict.fromkeys((package, _OWN))]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _format_figure
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["soft"] = lambda text: soften(cut(text or ""))
    environment.tests["paragraph"] = lambda one: isinstance(one, Paragraph)
    environment.tests["table"] = lambda one: isinstance(one, PageTable)
    environment.tests["picture"] = lambda one: isinstance(one, Picture)
    return environment


def soften(text: str) -> Markup:
    """Escape a text, with places to break in words that are too long for a narrow column.

    So a browser never breaks a word of usual length.
    """
    words = [_add_breaks(word) if len(word) > _WORD else escape(word) for word in text.split(" ")]
    return Markup(" ").join(words)


def _add_breaks(word: str) -> Markup:
    """Breaks behind signs and humps, and every few characters in what is still long."""
    pieces = []
    for part in _PIECES.findall(word):
        if len(part) <= _WORD:
            pieces.append(part)
        else:
            pieces += [part[place : place + _STEP] for place in range(0, len(part), _STEP)]
    return Markup("<wbr>").join(pieces)


def _format_figure(value: float | None) -> str:
    """A number with thousands separators; blank for null."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
