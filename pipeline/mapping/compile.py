"""A template becomes a function of frames: source text in, destination columns and problems out.

Everything that needs no list runs as Polars expressions over the whole morsel; what needs a list (country, state, value
map) is looked up once for every distinct value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from pipeline.mapping.cleaning import cleaned
from pipeline.mapping.closed import Usage, outcomes
from pipeline.mapping.lookup import Lookup
from pipeline.mapping.paths import column_of
from pipeline.mapping.template import FieldRow, Template
from schemas.catalogue import Column, Entity, Kind, OnTooLong
from schemas.sales import TABLES
from schemas.scm import ENTITIES
from schemas.text import truncated, utf16_length

PROBLEMS: Final = pl.Schema(
    {"row": pl.UInt32, "code": pl.String, "destination": pl.String, "limit": pl.String, "value": pl.String}
)
"""One row per problem of one value: row number in the morsel, code, destination column, limit for the message, value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """A mapped morsel: destination columns row by row, problems, usage of closed lists and of setting defaults."""

    frame: pl.DataFrame
    problems: pl.DataFrame
    usage: tuple[Usage, ...]
    defaulted: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One destination column of a compiled mapping."""

    row: FieldRow
    column: Column
    default: str | None
    lookup: Lookup | None

    @property
    def name(self) -> str:
        """The destination column."""
        return self.column.name

    @property
    def limit(self) -> int | None:
        """The longest text that is let through, in UTF-16 code units."""
        return self.row.row.max_length or self.column.length

    @property
    def on_too_long(self) -> OnTooLong:
        """The row's policy, else the catalogue's."""
        return self.row.row.on_too_long or self.column.on_too_long


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A compiled template. ``countries`` are the project's own spellings, folded → ISO-2."""

    template: Template
    entity: Entity
    targets: tuple[Target, ...]
    keep_breaks: bool
    countries: Mapping[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Destination columns in the order of the mapping page."""
        return tuple(one.name for one in self.targets)

    @property
    def sources(self) -> tuple[str, ...]:
        """Source columns and paths, each once, in order."""
        return tuple(dict.fromkeys(one.row.row.source for one in self.targets if one.row.row.source is not None))

    def apply(self, morsel: pl.DataFrame) -> Mapped:
        """Map a morsel that has a ``text:`` column for each source: text, or whole numbers and booleans as they were read."""
        problems: list[pl.DataFrame] = []
        texts = self._cleaned(morsel, problems)
        raw, usage = self._looked_up(texts, problems)
        defaulted = self._defaulted(raw, usage)
        filled = raw.select(_filled(target) for target in self.targets)
        fitted = self._fitted(filled, problems)
        return Mapped(
            frame=self._typed(fitted, problems),
            problems=pl.concat([PROBLEMS.to_frame(), *problems]),
            usage=usage,
            defaulted=defaulted,
        )

    @cached_property
    def _typed_sources(self) -> frozenset[str]:
        """Sources that only value maps look at: they need not be text. A state's country does."""
        read = {name for one in self.targets if one.lookup is None or one.row.row.state for name in _read_by(one, self)}
        return frozenset(self.sources) - read

    def _cleaned(self, morsel: pl.DataFrame, problems: list[pl.DataFrame]) -> pl.DataFrame:
        """Every source column, trimmed and on one line."""
        columns = {name: pl.col(column_of(name)).alias(name) for name in self.sources}
        given = morsel.select(
            column if name in self._typed_sources else column.cast(pl.String) for name, column in columns.items()
        )
        clean = cleaned(given, keep_breaks=self.keep_breaks)
        for target in self.targets:
            broken = clean.broken.get(target.row.row.source or "")
            if broken is not None:
                problems.append(
                    pl.DataFrame({"row": broken.rows}).select(
                        pl.col("row").cast(pl.UInt32),
                        code=pl.lit("line_break_replaced"),
                        destination=pl.lit(target.name),
                        limit=pl.lit(""),
                        value=broken.before,
                    )
                )
        return clean.texts

    def _looked_up(self, texts: pl.DataFrame, problems: list[pl.DataFrame]) -> tuple[pl.DataFrame, tuple[Usage, ...]]:
        """Every target's value before its default and length; a constant is null here."""
        columns: list[pl.Expr] = []
        usage: list[Usage] = []
        for target in self.targets:
            source = target.row.row.source
            if source is None:
                columns.append(pl.lit(None, pl.String).alias(target.name))
            elif target.lookup is None:
                columns.append(pl.col(source).alias(target.name))
            else:
                found = outcomes(target.lookup, texts, source, self.country_of(target), self.countries)
                usage.append(found.usage(target.name))
                columns.append(found.results().alias(target.name))
                for code in found.values["problem"].drop_nulls().unique(maintain_order=True):
                    wrong = texts.select(found.have(code)).to_series()
                    problems.append(_problem(texts, wrong, code, target.name, "", source))
        return texts.select(columns) if columns else texts, tuple(usage)

    def country_of(self, target: Target) -> str | None:
        """The source column of the country that a state belongs to."""
        if not target.row.row.state:
            return None
        named = [one.row.row.source for one in self.targets if one.row.row.country and one.row.row.source]
        return named[0] if named else None

    def _defaulted(self, raw: pl.DataFrame, usage: tuple[Usage, ...]) -> dict[str, int]:
        """How many rows took the default that is a setting."""
        blank = pl.col("value").is_null() & pl.col("key").is_null()
        counts = {one.destination: int(one.values.filter(blank)["rows"].sum()) for one in usage}
        by_setting = [one for one in self.targets if one.row.row.default_setting and one.default]
        return {one.name: counts.get(one.name, raw[one.name].null_count()) for one in by_setting}

    def _fitted(self, filled: pl.DataFrame, problems: list[pl.DataFrame]) -> pl.DataFrame:
        """Lengths: what shall be cut is cut, what shall be blank is blanked; what shall be rejected the contract finds."""
        bounded = [one for one in self.targets if one.limit and one.on_too_long is not OnTooLong.REJECT]
        if not bounded or filled.is_empty():
            return filled
        bytes_ = filled.select(pl.col(one.name).str.len_bytes().max() for one in bounded).row(0, named=True)
        changes: list[pl.Series] = []
        for target in bounded:
            limit = target.limit or 0
            if (bytes_[target.name] or 0) <= limit:
                continue
            over = _over(filled[target.name], limit)
            if not over.any():
                continue
            cut = target.on_too_long is OnTooLong.TRUNCATE
            code = "truncated" if cut else "blanked"
            problems.append(_problem(filled, over, code, target.name, str(limit), target.name))
            changes.append(_shortened(filled[target.name], over.arg_true(), limit if cut else 0))
        return filled.with_columns(changes)

    def _typed(self, fitted: pl.DataFrame, problems: list[pl.DataFrame]) -> pl.DataFrame:
        """Destination types. Text that is not of its type becomes null and a problem."""
        casts = [one for one in self.targets if one.column.kind not in (Kind.TEXT, Kind.ENUM)]
        typed = fitted.with_columns(_cast(one) for one in casts)
        for target in casts:
            lost = typed[target.name].is_null() & fitted[target.name].is_not_null()
            if lost.any():
                problems.append(_problem(fitted, lost, "value_invalid", target.name, target.column.kind, target.name))
        return typed


def compiled(
    template: Template,
    settings: Mapping[str, str | None],
    *,
    countries: Mapping[str, str] | None = None,
    keep_breaks: bool = False,
) -> Compiled:
    """Compile a template that ``check.problems`` found nothing wrong with.

    Args:
        template: rows in force.
        settings: values for ``default_setting``.
        countries: the project's own country spellings, folded → ISO-2.
        keep_breaks: leave line breaks and tabs in values (OData loads).
    """
    entity, table = ENTITIES[template.entity], TABLES[template.source]
    own = dict(countries or {})
    targets = []
    for row in template.rows:
        column = entity.column(row.destination)
        if column is None:
            raise KeyError(row.destination)
        rule = row.row
        default = rule.default if rule.default_setting is None else settings.get(rule.default_setting)
        default = default or None
        listed = rule.source is not None and (rule.value_map is not None or rule.country or rule.state)
        source = table.field(rule.source) if rule.source else None
        lookup = Lookup(row=rule, field=source, default=default, countries=own) if listed else None
        targets.append(Target(row=row, column=column, default=default, lookup=lookup))
    return Compiled(template=template, entity=entity, targets=tuple(targets), keep_breaks=keep_breaks, countries=own)


def _filled(target: Target) -> pl.Expr:
    """The default serves blanks. Lookups have applied theirs, because an unknown value must not look like a blank one."""
    value = pl.col(target.name)
    return value.fill_null(target.default) if target.default is not None and target.lookup is None else value


def _cast(target: Target) -> pl.Expr:
    value = pl.col(target.name)
    match target.column.kind:
        case Kind.TIMESTAMP:
            return value.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
        case Kind.DECIMAL:
            plain = pl.when(value.str.contains(r"^[+-]?[0-9]{1,26}(\.[0-9]*)?$")).then(value)
            return plain.cast(target.column.dtype, strict=False)
        case _:
            return value.cast(target.column.dtype, strict=False)


def _shortened(texts: pl.Series, rows: pl.Series, limit: int) -> pl.Series:
    """The texts with those of ``rows`` cut to ``limit`` code units; to nothing, which is blank, for 0."""
    some = texts.gather(rows).to_frame()
    return texts.clone().scatter(rows, some.select(truncated(pl.col(texts.name), limit)).to_series())


def _over(texts: pl.Series, limit: int) -> pl.Series:
    """Which texts have more UTF-16 code units than ``limit``; only those with more bytes need counting."""
    doubtful = (texts.str.len_bytes() > limit).arg_true()
    over = texts.gather(doubtful).to_frame("text").select(utf16_length(pl.col("text")) > limit).to_series()
    return pl.repeat(value=False, n=texts.len(), eager=True).scatter(doubtful, over)


def _problem(frame: pl.DataFrame, where: pl.Series, code: str, destination: str, limit: str, value: str) -> pl.DataFrame:
    """The rows where a mask is true, as problems."""
    return frame.select(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        code=pl.lit(code),
        destination=pl.lit(destination),
        limit=pl.lit(limit),
        value=pl.col(value).cast(pl.String),
    ).filter(where)


def _read_by(target: Target, mapping: Compiled) -> set[str]:
    """The sources that a target's value is made of."""
    return {name for name in (target.row.row.source, mapping.country_of(target)) if name is not None}
