"""A template becomes a function of frames: source text in, destination columns and problems out.

Everything that needs no list runs as Polars expressions over the whole morsel; what needs a list
(country, state, value map) is looked up once for every distinct value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from pipeline.mapping.casting import cast_text, is_flag, name_flag, needs_cast
from pipeline.mapping.cleaning import clean_texts
from pipeline.mapping.closed import Usage, ValueLookup
from pipeline.mapping.lookup import Lookup
from pipeline.mapping.paths import name_text_column
from pipeline.mapping.problem import Problem, RowFinder, find_row_numbers, tabulate_problems
from pipeline.mapping.template import FieldRow, Template
from schemas.catalogue import Column, Entity, OnTooLong
from schemas.labels import Labels, name_members
from schemas.sales import TABLES
from schemas.scm import ENTITIES
from schemas.text import truncate, utf16_length


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedMorsel:
    """A mapped morsel: destination columns, problems, use of closed lists and of defaults."""

    frame: pl.DataFrame
    problems: pl.DataFrame
    usage: tuple[Usage, ...]
    defaulted: Mapping[str, pl.Series]
    """Destination column → which rows took a default that is a setting."""


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
    def direct_source(self) -> str | None:
        """The source column whose value is taken as it is read, without a list of values."""
        return self.row.row.source if self.lookup is None else None

    @property
    def limit(self) -> int | None:
        """The longest text that is let through, in UTF-16 code units."""
        return self.row.row.max_length or self.column.length

    @property
    def on_too_long(self) -> OnTooLong:
        """The row's policy, else the catalogue's."""
        return self.row.row.on_too_long or self.column.on_too_long


@dataclass(frozen=True, kw_only=True)
class CompiledTemplate:
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
    def kept(self) -> tuple[str, ...]:
        """Destination columns in which an update without a value leaves what SCM has."""
        return self.template.kept

    @property
    def sources(self) -> tuple[str, ...]:
        """Source columns and paths, each once, in order."""
        return tuple(
            dict.fromkeys(
                one.row.row.source for one in self.targets if one.row.row.source is not None
            )
        )

    def apply(self, morsel: pl.DataFrame) -> MappedMorsel:
        """Map a morsel that has a ``text:`` column for each source.

        Text, or whole numbers and booleans as they were read.
        """
        problems: list[Problem] = []
        texts = self._clean(morsel, problems)
        raw, usage = self._look_up(texts, problems)
        defaulted = self._mark_defaults(texts, raw)
        filled = raw.with_columns_seq(self._fills)
        fitted = self._fit(filled, problems)
        return MappedMorsel(
            frame=self._cast_types(fitted, problems),
            problems=tabulate_problems(problems),
            usage=usage,
            defaulted=defaulted,
        )

    @cached_property
    def _typed_sources(self) -> frozenset[str]:
        """Sources that only value maps look at: they need not be text. A state's country does."""
        read = {
            name
            for one in self.targets
            if one.lookup is None or one.row.row.state
            for name in _list_sources(one, self)
        }
        return frozenset(self.sources) - read

    @cached_property
    def _given(self) -> list[pl.Expr]:
        """Every source column, as text where it has to be."""
        columns = {name: pl.col(name_text_column(name)).alias(name) for name in self.sources}
        return [
            column if name in self._typed_sources else column.cast(pl.String)
            for name, column in columns.items()
        ]

    def _clean(self, morsel: pl.DataFrame, problems: list[Problem]) -> pl.DataFrame:
        """Every source column, trimmed and on one line."""
        clean = clean_texts(morsel.select_seq(self._given), keep_breaks=self.keep_breaks)
        for target in self.targets:
            broken = clean.broken.get(target.row.row.source or "")
            if broken is not None:
                problems.append(
                    Problem(
                        rows=broken.rows,
                        values=broken.before,
                        code="line_break_replaced",
                        destination=target.name,
                    )
                )
        return clean.texts

    def _look_up(
        self, texts: pl.DataFrame, problems: list[Problem]
    ) -> tuple[pl.DataFrame, tuple[Usage, ...]]:
        """Every target's value before its default and length; a constant is null here."""
        values = ValueLookup(texts=texts, countries=self.countries)
        columns: list[pl.Expr] = []
        usage: list[Usage] = []
        wrong: dict[tuple[str, str, str], pl.Expr] = {}
        for target in self.targets:
            source = target.row.row.source
            if source is None:
                columns.append(pl.lit(None, pl.String).alias(target.name))
            elif target.lookup is None:
                columns.append(pl.col(source).alias(target.name))
            else:
                found = values.look_up(target.lookup, source, self.country_of(target))
                usage.append(Usage(destination=target.name, values=found.used))
                columns.append(found.replace().alias(target.name))
                wrong |= {(target.name, source, code): found.have(code) for code in found.problems}
        for (name, source, code), rows in find_row_numbers(texts, wrong).items():
            problems.append(
                Problem(rows=rows, values=texts[source][rows], code=code, destination=name)
            )
        return texts.select_seq(columns) if columns else texts, tuple(usage)

    def country_of(self, target: Target) -> str | None:
        """The source column of the country that a state belongs to."""
        if not target.row.row.state:
            return None
        named = [
            one.row.row.source for one in self.targets if one.row.row.country and one.row.row.source
        ]
        return named[0] if named else None

    @cached_property
    def _fills(self) -> list[pl.Expr]:
        """The defaults, which serve blanks.

        Lookups have applied theirs, because an unknown value must not look like a blank one.
        """
        return [
            pl.col(one.name).fill_null(one.default)
            for one in self.targets
            if one.default is not None and one.lookup is None
        ]

    def _mark_defaults(self, texts: pl.DataFrame, raw: pl.DataFrame) -> dict[str, pl.Series]:
        """Which rows took the default that is a setting."""
        return {
            one.name: texts[one.row.row.source].is_null()
            if one.lookup is not None and one.row.row.source and "" not in one.lookup.map_keys
            else raw[one.name].is_null()
            for one in self.targets
            if one.row.row.default_setting and one.default
        }

    @cached_property
    def _bounded(self) -> dict[str, Target]:
        """Targets whose texts are cut or blanked if they are too long.

        What is to be rejected is left to the contract.
        """
        return {
            one.name: one
            for one in self.targets
            if one.limit and one.on_too_long is not OnTooLong.REJECT
        }

    @cached_property
    def _perhaps_too_long(self) -> RowFinder[str]:
        return RowFinder(
            {name: pl.col(name).str.len_bytes() > one.limit for name, one in self._bounded.items()}
        )

    def _fit(self, filled: pl.DataFrame, problems: list[Problem]) -> pl.DataFrame:
        """Cut or blank what is too long, as the row says."""
        bounded = self._bounded
        doubtful = self._perhaps_too_long.find(filled)
        if not doubtful:
            return filled
        changes: list[pl.Series] = []
        for (name,), over in (
            _shorten(filled, doubtful, bounded).partition_by("name", as_dict=True).items()
        ):
            target = bounded[str(name)]
            changes.append(filled[target.name].clone().scatter(over["row"], over["short"]))
            problems.append(
                Problem(
                    rows=over["row"],
                    values=over["text"],
                    code="truncated" if _is_cut(target) else "blanked",
                    destination=target.name,
                    limit=str(target.limit),
                )
            )
        return filled.with_columns_seq(changes) if changes else filled

    @cached_property
    def _casts(self) -> list[pl.Expr]:
        """What makes destination types of texts."""
        known = ENTITIES[self.template.entity]
        flags = [
            one.name
            for one in self.targets
            if one.direct_source and is_flag(one.column) and known.column(one.name) is None
        ]
        return [
            *(cast_text(pl.col(one.name), one.column) for one in self._list_cast()),
            *(name_flag(pl.col(name)) for name in flags),
        ]

    def _list_cast(self) -> list[Target]:
        return [one for one in self.targets if needs_cast(one.column)]

    def _cast_types(self, fitted: pl.DataFrame, problems: list[Problem]) -> pl.DataFrame:
        """Destination types. Text that is not of its type becomes null and a problem."""
        typed = fitted.with_columns_seq(self._casts)
        lost = {
            one.name: str(one.column.kind)
            for one in self._list_cast()
            if typed[one.name].null_count() > fitted[one.name].null_count()
        }
        found = find_row_numbers(
            fitted, {name: typed[name].is_null() & pl.col(name).is_not_null() for name in lost}
        )
        for name, rows in found.items():
            problems.append(
                Problem(
                    rows=rows,
                    values=fitted[name][rows],
                    code="value_invalid",
                    destination=name,
                    limit=lost[name],
                )
            )
        return typed


def compile_template(
    template: Template,
    settings: Mapping[str, str | None],
    *,
    countries: Mapping[str, str] | None = None,
    labels: Labels | None = None,
    keep_breaks: bool = False,
    entity: Entity | None = None,
) -> CompiledTemplate:
    """Compile a template that ``check.problems`` found nothing wrong with.

    Args:
        template: rows in force.
        settings: values for ``default_setting``.
        countries: the project's own country spellings, folded → ISO-2.
        labels: the project's words for members of choices and two options.
        keep_breaks: leave line breaks and tabs in values (OData loads).
        entity: what the template fills, with the columns of the project; none: as catalogued.
    """
    entity = entity or ENTITIES[template.entity]
    table = name_members(TABLES[template.source], labels or {})
    own = dict(countries or {})
    targets = []
    for row in template.rows:
        column = entity.column(row.destination)
        if column is None:
            raise KeyError(row.destination)
        rule = row.row
        default = (
            rule.default if rule.default_setting is None else settings.get(rule.default_setting)
        )
        default = default or None
        listed = rule.source is not None and (
            rule.value_map is not None or rule.country or rule.state
        )
        source = table.field(rule.source) if rule.source else None
        lookup = Lookup(row=rule, field=source, default=default, countries=own) if listed else None
        kept = dataclasses.replace(column, keeps=row.destination in template.kept)
        targets.append(Target(row=row, column=kept, default=default, lookup=lookup))
    return CompiledTemplate(
        template=template,
        entity=entity,
        targets=tuple(targets),
        keep_breaks=keep_breaks,
        countries=own,
    )


def _is_cut(target: Target) -> bool:
    return target.on_too_long is OnTooLong.TRUNCATE


def _shorten(
    filled: pl.DataFrame, doubtful: Mapping[str, pl.Series], bounded: Mapping[str, Target]
) -> pl.DataFrame:
    """Those of the doubtful rows that are too long: name, row, text, limit, length, short.

    ``length`` is what is left of them.
    """
    parts = []
    for name, rows in doubtful.items():
        limit = bounded[name].limit or 0
        same = pl.DataFrame(
            {"name": [name], "limit": [limit], "length": [limit if _is_cut(bounded[name]) else 0]}
        )
        parts.append(
            pl.DataFrame(
                [
                    rows.alias("row"),
                    filled[name][rows].alias("text"),
                    *(one.new_from_index(0, rows.len()) for one in same.get_columns()),
                ]
            )
        )
    over = pl.concat(parts).filter(utf16_length(pl.col("text")) > pl.col("limit"))
    return over.with_columns_seq(truncate(over["text"], over["length"]).alias("short"))


def _list_sources(target: Target, mapping: CompiledTemplate) -> set[str]:
    """The sources that a target's value is made of."""
    return {
        name for name in (target.row.row.source, mapping.country_of(target)) if name is not None
    }
