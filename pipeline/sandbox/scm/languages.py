"""Messages of an SCM whose user has another language than English.

The texts stand in ``languages.toml``; what it does not have stays English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pipeline.sandbox.scm.infolog import Info


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenLanguage:
    """Severities by their English words, and the texts of messages by English patterns."""

    severities: Mapping[str, str]
    texts: Sequence[tuple[re.Pattern[str], str]]


def translate_text(text: str, language: str) -> str:
    """A message in a language."""
    spoken = _load_languages().get(language)
    return text if spoken is None else _translate_text(text, spoken)


def translate_infos(infos: Sequence[Info], language: str) -> tuple[Info, ...]:
    """The lines of an Infolog in a language."""
    spoken = _load_languages().get(language)
    if spoken is None:
        return tuple(infos)
    return tuple(
        Info(
            severity=spoken.severities[info.severity],
            text=_translate_text(info.text, spoken),
            field=info.field,
        )
        for info in infos
    )


def _translate_text(text: str, spoken: SpokenLanguage) -> str:
    for pattern, translated in spoken.texts:
        match = pattern.fullmatch(text)
        if match is not None:
            return match.expand(translated)
    return text


@cache
def _load_languages() -> Mapping[str, SpokenLanguage]:
    text = resources.files(__package__).joinpath("languages.toml").read_text(encoding="utf-8")
    return {
        name: SpokenLanguage(
            severities=spoken["severities"],
            texts=[
                (re.compile(one["pattern"], re.DOTALL), one["text"]) for one in spoken["message"]
            ],
        )
        for name, spoken in tomllib.loads(text).items()
    }
