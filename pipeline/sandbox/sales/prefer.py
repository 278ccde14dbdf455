"""What ``Prefer`` and ``Accept`` ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

PAGE: Final = 5000
"""The largest page of a standard table, and the usual one."""

FORMATTED: Final = "OData.Community.Display.V1.FormattedValue"
LOOKUP_TYPE: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION: Final = "Microsoft.Dynamics.CRM.associatednavigationproperty"

_PREFERENCE: Final = re.compile(r'\s*([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;]*)))?\s*[,;]?')


@dataclass(frozen=True, kw_only=True, slots=True)
class Prefer:
    """The preferences of one request. ``annotations``: patterns, null if none were asked for."""

    annotations: tuple[str, ...] | None = None
    page: int | None = None
    representation: bool = False
    tracking: bool = False
    continue_on_error: bool = False
    metadata: Literal["none", "minimal", "full"] = "minimal"

    @property
    def all_annotations(self) -> bool:
        """Whether every annotation was asked for."""
        return self.annotations is not None and "*" in self.annotations

    def notes(self, term: str) -> bool:
        """Whether answers hold this annotation.

        Patterns end in ``*``; a ``-`` before one takes it out again.
        """
        if self.annotations is None or self.metadata == "none":
            return False
        taken = any(
            fnmatchcase(term, pattern)
            for pattern in self.annotations
            if not pattern.startswith("-")
        )
        return taken and not any(
            fnmatchcase(term, pattern[1:])
            for pattern in self.annotations
            if pattern.startswith("-")
        )

    @property
    def applied(self) -> str:
        """The value of ``Preference-Applied``, empty if nothing was preferred."""
        found = (
            [f'odata.include-annotations="{",".join(self.annotations)}"']
            if self.annotations
            else []
        )
        found += [f"odata.maxpagesize={self.page}"] if self.page else []
        found += ["return=representation"] if self.representation else []
        found += ["odata.track-changes"] if self.tracking else []
        return ",".join(found)


def read_preferences(headers: Mapping[str, str], wanted_format: str | None = None) -> Prefer:
    """What the headers (names in lower case) and ``$format`` ask for.

    Unknown preferences are ignored.
    """
    given = {
        match[1].lower(): match[2] or match[3] or ""
        for match in _PREFERENCE.finditer(headers.get("prefer", ""))
    }
    annotations = given.get("odata.include-annotations")
    page = given.get("odata.maxpagesize", "").strip()
    return Prefer(
        annotations=None
        if annotations is None
        else tuple(one.strip() for one in annotations.split(",") if one.strip()),
        page=min(int(page), PAGE) if page.isdigit() and int(page) > 0 else None,
        representation=given.get("return", "").strip() == "representation",
        tracking="odata.track-changes" in given,
        continue_on_error="odata.continue-on-error" in given,
        metadata=_metadata(wanted_format or headers.get("accept", "")),
    )


def _metadata(text: str) -> Literal["none", "minimal", "full"]:
    flat = text.replace(" ", "").lower()
    if "odata.metadata=none" in flat:
        return "none"
    return "full" if "odata.metadata=full" in flat else "minimal"
