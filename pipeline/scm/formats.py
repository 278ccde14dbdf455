"""The source data format of packages, where SCM publishes it.

A package's numbers and times are read by the language and the time zone of the format CSV-Unicode.
No entity set for these formats is documented, so one is known by its columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.errors import AccessDenied
from pipeline.lazy import import_lazily
from pipeline.scm.literals import quote_text

if TYPE_CHECKING:
    from pipeline.scm.metadata import Model
    from pipeline.wire import once
    from pipeline.wire.scm import Scm
else:
    once = import_lazily("pipeline.wire.once")

SOURCE_FORMAT: Final = "CSV-Unicode"
"""The source data format of packages, by its name in SCM: UTF-16LE, comma, CRLF, first row
header."""

_NAMES: Final = ("SourceName", "SourceDataFormat", "SourceDataFormatName", "DataSourceName", "Name")
_LANGUAGES: Final = ("LanguageId", "Language", "LanguageLocale", "Locale")
_ZONES: Final = ("TimeZone", "Timezone", "TimeZonePreference", "TimeZoneId")
_OF_DATA_MANAGEMENT: Final = ("datamanagement", "dmf")
_ENGLISH: Final = "en-us"
_UTC: Final = ("utc", "coordinateduniversaltime")


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFormat:
    """Language and time zone of the format."""

    language: str
    time_zone: str

    @property
    def problem(self) -> str | None:
        """What is wrong with it, as a sentence; null if packages are read as they are meant."""
        zone = self.time_zone.casefold().replace("_", "").replace(" ", "")
        if self.language.casefold() == _ENGLISH and any(one in zone for one in _UTC):
            return None
        return (
            f"the source data format {SOURCE_FORMAT} has the language '{self.language}' and the "
            f"time zone '{self.time_zone}': SCM would read other amounts and times than were sent. "
            "Set en-US and UTC in Data management, Configure data sources, Regional settings."
        )


def read_source_format(scm: Scm, model: Model) -> SourceFormat | None:
    """The format of packages; null where SCM does not publish it.

    Raises:
        Stopped: SCM cannot be reached.
    """
    for entity_set, properties in model.sets.items():
        if not entity_set.casefold().startswith(_OF_DATA_MANAGEMENT):
            continue
        columns = [
            next((one for one in names if one in properties), None)
            for names in (_NAMES, _LANGUAGES, _ZONES)
        ]
        found = [one for one in columns if one is not None]
        if len(found) == len(columns) and (row := _read_row(scm, entity_set, found)) is not None:
            return row
    return None


def _read_row(scm: Scm, entity_set: str, columns: list[str]) -> SourceFormat | None:
    name, language, zone = columns
    try:
        pages = list(
            scm.pages(
                entity_set,
                select=",".join(columns),
                filter=f"{name} eq {quote_text(SOURCE_FORMAT)}",
            )
        )
    except (once.Declined, AccessDenied):
        return None
    rows = [row for page in pages for row in page]
    if not rows:
        return None
    return SourceFormat(language=str(rows[0].get(language)), time_zone=str(rows[0].get(zone)))
