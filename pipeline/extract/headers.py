"""Spellings of columns: which column of a file means which column of the catalogue."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.errors import SourceError, list_problems
from pipeline.extract.spellings import Cells, merge_spellings
from pipeline.suggest import suggest_nearest
from schemas.catalogue import Field, Table
from schemas.marks import looks_like_mark
from schemas.text import GUID, WHITE_SPACE

PLACE = ("source_file", "source_line")
"""What landing adds to every row."""
_WRAPPER: Final = "_airbyte_data"
"""In which Airbyte keeps a whole row in its raw tables."""
_LIKENESS = 0.8
"""Of a header that may be meant for a column."""

_VALUE: Final = re.compile(
    rf"[{{(]?{GUID}[)}}]?"
    r"|[^@\s]+@[^@\s]+\.[^@\s]+"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?",
    re.IGNORECASE,
)
"""What is never the name of a column."""
_ANNOTATION: Final = re.compile(r"@(odata|microsoft)\.", re.IGNORECASE)


def _fold(header: str) -> str:
    return header.strip(WHITE_SPACE).casefold()


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnSelection:
    """The columns that are taken from a table: those of the catalogue, and some beyond it.

    Names of the Web API and of exports outrank display labels; a label next to a name is an extra
    column and ignored. ``extra`` columns must be there; ``wished`` ones are taken if they are
    there.
    """

    table: Table
    extra: Collection[str] = ()
    wished: Collection[str] = ()

    @property
    def names(self) -> list[str]:
        """All columns that there can be, in order, no two of them equal but for case."""
        names = {_fold(name): name for name in PLACE}
        for name in (*(field.name for field in self.table.fields), *self.extra, *self.wished):
            names.setdefault(_fold(name), name)
        return list(names.values())[len(PLACE) :]

    def pick(self, headers: Collection[str], file: str) -> dict[str, tuple[str, ...]]:
        """Catalogue column → headers as written, for the columns that are there.

        A column may be there under several spellings, the best one first; ``merge_spellings`` makes
        one of them.

        Args:
            headers: the file's columns.
            file: its name, for messages.

        Raises:
            SourceError: a header twice, or a needed column missing; all missing ones at once.
        """
        found = self.match(headers, file)
        used = {header for spellings in found.values() for header in spellings}
        self.check(found, [header for header in headers if header not in used], file)
        return found

    def match(self, headers: Collection[str], file: str) -> dict[str, tuple[str, ...]]:
        """Like ``pick``, but needed columns may be missing.

        Columns that look like marks of deletion and are none that p2c knows come along under their
        own names, to be counted.
        """
        _refuse_doubles(headers, file, self._find_needless_labels)
        written = {_fold(header): header for header in headers}
        found = {name: _find_spellings(self.field(name), written) for name in self.names}
        used = {header for spellings in found.values() for header in spellings}
        marks = [one for one in headers if one not in used and looks_like_mark(_fold(one))]
        return {
            **{name: spellings for name, spellings in found.items() if spellings},
            **{header: (header,) for header in marks},
        }

    def _find_needless_labels(self, headers: Collection[str]) -> frozenset[str]:
        """Labels of columns that are there by name, in their simplest form: nothing reads them."""
        there = {_fold(header) for header in headers}
        names = {
            name: {_fold(one) for one in (*self.field(name).better, name, *self.field(name).names)}
            for name in self.names
        }
        labels = {
            _fold(self.field(name).label) for name in names if not there.isdisjoint(names[name])
        }
        return frozenset(labels.difference(*names.values()))

    def keep_wanted(self, found: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """What was found, without columns that only look like marks of deletion."""
        wanted = set(self.names)
        return {name: spellings for name, spellings in found.items() if name in wanted}

    def merge(self, name: str, spellings: Sequence[Cells]) -> Cells:
        """One column out of its spellings, the best one first."""
        is_key = name == self.table.key
        return merge_spellings(spellings, self.field(name), is_key=is_key)

    def count_known(self, headers: Iterable[str]) -> int:
        """How many of the headers mean a column."""
        return len({_fold(header) for header in headers} & self._spellings)

    @property
    def _spellings(self) -> set[str]:
        fields = [self.field(name) for name in self.names]
        return {
            _fold(name)
            for field in fields
            for name in (field.name, field.label, *field.names, *field.better)
            if name
        }

    def can_contradict(self, name: str) -> bool:
        """Whether spellings of a column that say different things leave it open which counts."""
        field = self.field(name)
        return not (name == self.table.key or field.better or field.decisive)

    def fills_gaps(self, name: str) -> bool:
        """Whether further spellings of a column count only where the better ones are blank."""
        return not self.field(name).decisive and not self.can_contradict(name)

    def field(self, name: str) -> Field:
        """The column of that name; one beyond the catalogue is text."""
        return self.table.field(name) or Field(name=name)

    def explain_wrapper(self, headers: Collection[str]) -> str | None:
        """Why rows cannot be read, if each is in one cell of its own; none if it is not."""
        is_wrapped = any(_fold(header) == _WRAPPER for header in headers)
        if not is_wrapped or self.table.key in self.match(headers, ""):
            return None
        return (
            f"its rows are JSON in the column {_WRAPPER}: export the raw table as JSON lines "
            "(.jsonl), or the final table, which has a column for each field."
        )

    def check(self, found: Collection[str], headers: Iterable[str], file: str) -> None:
        """Refuse ``found`` columns that lack a needed one.

        Raises:
            SourceError: all that is missing, with the nearest of the ``headers`` that could be
                meant.
        """
        headers = list(headers)
        wrapper = self.explain_wrapper(headers)
        if wrapper is not None and self.table.key not in found:
            raise SourceError(wrapper, where=file)
        there = {_fold(name) for name in found}
        problems = [
            *_list_missing(self.table, found, headers),
            *(
                (
                    f"there is no column '{name}', which the project's mapping "
                    f"uses.{suggest_nearest(name, [*headers, *found], _LIKENESS)}"
                )
                for name in sorted(self.extra)
                if _fold(name) not in there
            ),
        ]
        if problems:
            raise SourceError(list_problems(problems), where=file)


def looks_like_data(cells: Iterable[str]) -> bool:
    """Whether cells that should be headers are values.

    One of them is an id, a mail address or a date.
    """
    return any(
        _VALUE.fullmatch(cell.strip(WHITE_SPACE)) and _ANNOTATION.search(cell) is None
        for cell in cells
    )


def _refuse_doubles(
    headers: Collection[str],
    file: str,
    find_needless: Callable[[Collection[str]], Collection[str]],
) -> None:
    counts = Counter(_fold(header) for header in headers if _fold(header))
    for name, count in counts.items():
        if count > 1 and name not in find_needless(headers):
            places = [
                str(place) for place, header in enumerate(headers, start=1) if _fold(header) == name
            ]
            raise SourceError(
                f"the column '{name}' is there {count} times, in columns {', '.join(places)}.",
                where=file,
            )


def _find_spellings(field: Field, written: Mapping[str, str]) -> tuple[str, ...]:
    """The headers that mean a column, the best one first; its label only if there is no name."""
    names = dict.fromkeys(_fold(name) for name in (*field.better, field.name, *field.names))
    found = tuple(written[name] for name in names if name in written)
    if not found and field.label and _fold(field.label) in written:
        return (written[_fold(field.label)],)
    return found


def _list_missing(table: Table, found: Collection[str], headers: Collection[str]) -> list[str]:
    problems = []
    for group in table.required:
        if any(name in found for name in group):
            continue
        hint = next(
            (
                text
                for text in (
                    suggest_nearest(one, headers, _LIKENESS)
                    for one in _list_spellings(table, group)
                )
                if text
            ),
            "",
        )
        if len(group) > 1:
            problems.append(
                f"there is none of the columns {', '.join(group)}; at least one is needed.{hint}"
            )
            continue
        field = table.field(group[0])
        label = f" ({field.label})" if field is not None and field.label else ""
        cure = hint or " Export this column as well."
        problems.append(f"there is no column {group[0]}{label}.{cure}")
    return problems


def _list_spellings(table: Table, names: Iterable[str]) -> Iterable[str]:
    """All ways to write some columns, the column names first."""
    fields = [table.field(name) or Field(name=name) for name in names]
    return [
        *(field.name for field in fields),
        *(name for field in fields for name in field.names),
        *(field.label for field in fields if field.label),
    ]
