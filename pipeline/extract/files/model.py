"""``model.json``: what it says of a table, and how it says that the files are written.

Synapse Link writes one for a whole folder, one for each folder of an interval, and one for each
table; Power Query's dataflows write the same format with ``fileFormatSettings``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from pipeline.errors import SourceError, reading
from pipeline.extract.files.entries import measure_file
from pipeline.extract.files.tablenames import names_table
from schemas.catalogue import Table

MODEL: Final = "model.json"
_LARGEST: Final = 64 * 1024 * 1024
"""Bytes that a model may have: that of all tables of Dataverse has some 20 MB."""
_UTF8: Final = {"", "utf-8", "utf8", "65001", "us-ascii", "ascii"}
_INVARIANT: Final = {"", "en-us", "invariant", "iv"}
_PARQUET: Final = "parquetformatsettings"


class _Settings(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, defer_build=True)

    kind: str = Field("CsvFormatSettings", alias="$type")
    column_headers: bool | None = False
    delimiter: str | None = ","
    quote_style: str | None = None
    quote_character: str | None = None
    escape_character: str | None = None
    encoding: str | None = None
    culture: str | None = None


class _Partition(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, defer_build=True)

    location: str | None = None
    file_format_settings: _Settings | None = None


class _Attribute(BaseModel):
    name: str


class _Entity(BaseModel):
    name: str
    attributes: list[_Attribute]
    partitions: list[_Partition] | None = None


class _Root(BaseModel):
    entities: list[dict[str, JsonValue]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How the files of a partition are written: as Parquet, or as CSV with or without header."""

    is_parquet: bool = False
    has_header: bool = False
    delimiter: str = ","


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One file of a table: the steps of its path as the model lists it, and how it is written."""

    steps: tuple[str, ...]
    layout: Layout


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelTable:
    """A table as a model describes it.

    ``entity`` is its name there, ``header`` its columns in order. ``partitions`` is empty where the
    model leaves it to the entity's folder.
    """

    entity: str
    header: tuple[str, ...]
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CdmModel:
    """One model: what messages call it, and its entities by name as they were read."""

    name: str
    entities: Sequence[Mapping[str, JsonValue]] = field(repr=False)

    def find(self, table: Table) -> ModelTable | None:
        """What the model says of a table; none if it does not know it.

        Raises:
            SourceError: it describes the table twice, not at all, or its files in a way that is
                not read.
        """
        found = [one for one in self.entities if names_table(str(one["name"]), table)]
        if not found:
            return None
        if len(found) > 1:
            raise SourceError(f"describes {table.name} {len(found)} times.", where=self.name)
        if "attributes" not in found[0] and "modelId" in found[0]:
            raise SourceError(
                f"only refers to {table.name} in another model; name the folder of that model.",
                where=self.name,
            )
        try:
            entity = _Entity.model_validate(found[0])
        except ValidationError as error:
            raise _make_error(self.name, error) from error
        listed = [one for one in entity.partitions or [] if one.location]
        return ModelTable(
            entity=entity.name,
            header=tuple(one.name for one in entity.attributes),
            partitions=tuple(self._read_partition(one) for one in listed),
        )

    @property
    def entity_names(self) -> set[str]:
        """The names of all its entities, in lower case."""
        return {str(one["name"]).casefold() for one in self.entities}

    def _read_partition(self, one: _Partition) -> Partition:
        settings = one.file_format_settings or _Settings.model_validate({})
        try:
            parts = urlsplit(one.location or "")
        except ValueError as error:
            raise SourceError(
                "lists a partition whose location is no address.", where=self.name
            ) from error
        path = unquote(parts.path if parts.scheme and parts.netloc else one.location or "")
        steps = [step for step in re.split(r"[/\\]", path) if step not in {"", "."}]
        if ".." in steps or not steps:
            raise SourceError(
                "lists a file outside its folder ('..'), which is not read.", where=self.name
            )
        return Partition(steps=tuple(steps), layout=_read_layout(settings, self.name))


def read_cdm_model(path: Path, name: str) -> CdmModel | None:
    """Read a model; none if there is no such file.

    Raises:
        SourceError: it cannot be read, or is not a model.
    """
    with reading(name):
        if not path.is_file():
            return None
        if measure_file(path, name) > _LARGEST:
            raise SourceError("is too large for a model.", where=name)
        content = path.read_bytes()
    try:
        root = _Root.model_validate_json(content.decode("utf-8-sig"))
    except ValueError as error:
        raise _make_error(name, error) from error
    return CdmModel(name=name, entities=[one for one in root.entities if "name" in one])


def _make_error(name: str, error: Exception) -> SourceError:
    return SourceError(f"is not a Synapse Link model ({type(error).__name__}).", where=name)


def _read_layout(settings: _Settings, name: str) -> Layout:
    """What ``fileFormatSettings`` say.

    Raises:
        SourceError: one of them asks for something that is not done; it is named.
    """
    if settings.kind.casefold() == _PARQUET:
        return Layout(is_parquet=True)
    delimiter = settings.delimiter or ","
    refused = {
        "$type": settings.kind.casefold() != "csvformatsettings" and settings.kind,
        "delimiter": len(delimiter.encode()) != 1 and delimiter,
        "quoteStyle": (settings.quote_style or "").casefold().endswith("none")
        and settings.quote_style,
        "quoteCharacter": settings.quote_character not in {None, "", '"'}
        and settings.quote_character,
        "escapeCharacter": settings.escape_character not in {None, "", '"'}
        and settings.escape_character,
        "encoding": (settings.encoding or "").casefold() not in _UTF8 and settings.encoding,
        "culture": (settings.culture or "").casefold() not in _INVARIANT and settings.culture,
    }
    wrong = [f"{key} = {value}" for key, value in refused.items() if value]
    if wrong:
        raise SourceError(
            f"fileFormatSettings: {', '.join(wrong)} is not read. Write the files as UTF-8 CSV "
            "with double quotes and the culture en-US, and say so there.",
            where=name,
        )
    return Layout(has_header=bool(settings.column_headers), delimiter=delimiter)
