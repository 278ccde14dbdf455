"""Words that databases write for null, such as ``NULL`` and ``nan``: where they mean blank.

A word is proved by a typed column that holds it: no id, number or date is called NULL. It is then
blank in all columns of its table. Where it stands in texts only, a person may be called so: several
cells are refused until ``source.null_words`` says what they mean, and one cell is left as it is.
An error of a spreadsheet, such as ``#REF!``, proves nothing, and one cell of texts is refused.
A number that a spreadsheet wrote short is told, and so is a text that a tool read wrongly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.errors import SourceError, count_of
from pipeline.extract.landing import LandedTable
from pipeline.extract.view import view_landed
from pipeline.plan.keys import report_keys
from pipeline.plan.masked import report_masked
from pipeline.run.findings import RunFinding
from schemas.catalogue import Type
from schemas.damage import DAMAGED, DAMAGED_TEXT
from schemas.sales import CONTACTS, TABLES
from schemas.values import (
    ERROR_WORDS,
    LONGEST_WORD,
    NULL_WORDS,
    SHORTENED,
    SHORTENED_NUMBER,
    TYPED_BY_NOBODY,
)
from sql.query import query
from sql.session import Session

Cells = Mapping[tuple[str, str], int]
"""Column and word → how many of the column's cells are nothing but that word."""

_TYPES_OF_LOOKUPS: Final = ("parentcustomeridtype", "customeridtype")
_CODES: Final = (
    "msdynce_contactnumber", "accountnumber", "isocurrencycode",
    "transactioncurrencyid.isocurrencycode",
)  # fmt: skip
"""Texts that are no names: one cell is enough to ask."""

_NUMBERS: Final = (Type.INTEGER, Type.DECIMAL, Type.TIMESTAMP)
_TYPED: Final = frozenset(
    field.name for table in TABLES.values() for field in table.fields if field.type is not Type.TEXT
)
"""Columns of which each cell is looked at by itself."""
_DATABASES: Final = TYPED_BY_NOBODY[0]
_FEW: Final = 3
_MANY: Final = 20
"""Cells in two columns, or in one, that nobody would have typed by hand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlankWords:
    """Table → the words that are blank in it, and what is to be said of them.

    ``asked``: whether words that stand in texts only still have to be looked for.
    """

    words: Mapping[str, tuple[str, ...]]
    findings: tuple[RunFinding, ...] = ()
    asked: bool = False


def view_tables(
    session: Session,
    landed: Mapping[str, LandedTable],
    chosen: Sequence[str] | None,
    *,
    used: Collection[str],
    is_live: bool = False,
    is_mapped: bool = True,
) -> BlankWords:
    """Name all landed tables ``<table>_landed``, words for null left blank.

    Args:
        session: gets the views.
        landed: the tables.
        chosen: ``source.null_words``.
        used: the columns of contacts that are mapped, or decide.
        is_live: Sales itself was read: it has nulls, and needs no word.
        is_mapped: contacts will be mapped, which counts the faults of those that are not landed.

    Raises:
        SourceError: a word stands in texts only, and in several cells.
    """
    for table in landed.values():
        view_landed(session, table)
    if chosen is not None or is_live:
        found = BlankWords(words=dict.fromkeys(landed, tuple(chosen or ())))
    else:
        found = _find_words(session, landed, used)
    for name, words in found.words.items():
        if words:
            view_landed(session, landed[name], words)
    told = [
        one
        for table in landed.values()
        for one in (
            *_report_fractions(table, used),
            *report_keys(session, table, signs=chosen is None and not is_live),
            *report_faults(
                session, table, _count_faults(session, table, is_mapped=is_mapped), used
            ),
        )
    ]
    if CONTACTS.name in landed:
        contacts = landed[CONTACTS.name]
        told += report_masked(session, contacts, used, signs=chosen is None and not is_live)
    return replace(found, findings=(*found.findings, *told))


def list_used(said: Iterable[str]) -> list[str]:
    """The columns of contacts that are mapped, or decide; ``said``: see ``Routing``."""
    return [name.partition(":")[2] for name in said]


def _find_words(
    session: Session, landed: Mapping[str, LandedTable], used: Collection[str]
) -> BlankWords:
    cells = {name: _count(session, table, whole=False) for name, table in landed.items()}
    proved = {name: _list_proved(name, some) for name, some in cells.items()}
    elsewhere = {word for words in proved.values() for word in words}
    words: dict[str, tuple[str, ...]] = {}
    for name, table in landed.items():
        if elsewhere - set(proved[name]) or proved[name]:
            cells[name] = _count(session, table, whole=True)
        doubtful = list_doubtful(cells[name], table.rows, used if name == CONTACTS.name else None)
        unproved = [word for word in doubtful if word not in proved[name]]
        refuse_words(name, cells[name], [word for word in unproved if word not in elsewhere])
        words[name] = (*proved[name], *unproved)
    findings = [_report(name, word, cells[name]) for name, some in words.items() for word in some]
    return BlankWords(words=words, findings=tuple(findings), asked=True)


def list_doubtful(cells: Cells, rows: int, used: Collection[str] | None = None) -> list[str]:
    """Words that stand in so many texts, or in such, that they may well mean blank.

    Args:
        cells: of one table.
        rows: how many it has.
        used: columns that count; a word in none of them does no harm. None: all.
    """
    by_word: dict[str, dict[str, int]] = {}
    for (column, word), count in cells.items():
        if word in TYPED_BY_NOBODY or (word in ERROR_WORDS and column not in _TYPED):
            by_word.setdefault(word, {})[column] = count
    return [
        word
        for word, columns in by_word.items()
        if (used is None or not columns.keys().isdisjoint(used))
        and (word in ERROR_WORDS or _is_doubtful(columns, rows))
    ]


def _is_doubtful(columns: Mapping[str, int], rows: int) -> bool:
    total = sum(columns.values())
    return (
        not columns.keys().isdisjoint(_CODES)
        or (len(columns) > 1 and total >= _FEW)
        or total >= _MANY
        or any(count > 1 and 2 * count >= rows for count in columns.values())
    )


def refuse_seen(landed: Mapping[str, LandedTable], cells: Cells) -> None:
    """Refuse words of contacts that were read where they lie, once all of their texts were seen.

    Raises:
        SourceError: a word stands in texts only, and in several cells.
    """
    refuse_words(CONTACTS.name, cells, list_doubtful(cells, landed[CONTACTS.name].rows))


def refuse_words(table: str, cells: Cells, words: Iterable[str]) -> None:
    """Refuse words of which nothing proves what they mean.

    Raises:
        SourceError: there are such ``words``.
    """
    words = list(words)
    if not words:
        return
    word, listed = words[0], ", ".join(f"'{one}'" for one in words)
    columns = sorted({column for column, one in cells if one == word})
    count = sum(count for (_, one), count in cells.items() if one == word)
    if word in ERROR_WORDS:
        holds = "1 cell holds" if count == 1 else f"{count:,} cells hold"
        kind = f"{word} for what is no text" if word[0] == "[" else f"the error {word}"
        raise SourceError(
            f"{holds} {kind}, as spreadsheets and scripts write it ({_list_some(columns)}): what "
            "stood there is lost. Correct it and export again, or set source.null_words = "
            f"[{listed}] to read such cells as blank.",
            where=table,
        )
    raise SourceError(
        f"the word {word} is all that {count:,} cells hold ({_list_some(columns)}). Databases "
        "write it for null, but no column of ids, numbers or dates shows that it is null here. Set "
        f"source.null_words = [{listed}] if it does, or source.null_words = [] if it is text.",
        where=table,
    )


def _list_some(columns: Sequence[str], most: int = 5) -> str:
    more = len(columns) - most
    return ", ".join(columns[:most]) + (f" and {more} more columns" if more > 0 else "")


def _report(table: str, word: str, cells: Cells) -> RunFinding:
    columns = sorted({column for column, one in cells if one == word})
    count = sum(count for (_, one), count in cells.items() if one == word)
    return RunFinding(
        code="null_word_read",
        detail=f"{word} in {count_of(count, 'cell')} of {table} ({_list_some(columns)})",
    )


def report_faults(
    session: Session, table: LandedTable, cells: Cells, used: Collection[str]
) -> list[RunFinding]:
    """Texts that a tool before us read wrongly or cut short: they go to SCM as they are.

    ``cells`` were counted while the table was landed or, where it lies, while contacts were mapped.
    """
    found = []
    for column, word in sorted(cells):
        if not (column in _CODES or _is_used(table, column, used)):
            continue
        if word == SHORTENED and column not in _TYPED:
            found.append(_report_shortened(table, column, cells[column, word]))
        if word == DAMAGED:
            found.append(_report_damaged(session, table, column))
    return found


def _count_faults(session: Session, table: LandedTable, *, is_mapped: bool) -> Cells:
    """The cells of a table, counted while it was landed; else those of its codes."""
    if table.words is not None:
        return table.words
    rows, found = f"{table.table}_landed", Counter[tuple[str, str]]()
    columns = {} if table.table == CONTACTS.name and is_mapped else session.columns(rows)
    for column in (name for name in _CODES if columns.get(name) == "VARCHAR"):
        text = query("plan/shortened", rows=rows, column=column)
        count = session.frame(text, pattern=SHORTENED_NUMBER).item()
        found[column, SHORTENED] += count
        text = query("plan/damaged_keys", rows=rows, column=column)
        found[column, DAMAGED] += session.frame(text, damaged=DAMAGED_TEXT).item()
    return +found


def _report_shortened(table: LandedTable, column: str, count: int) -> RunFinding:
    """Texts that lost digits, such as phones: nothing shows what they were."""
    return RunFinding(
        code="number_shortened",
        detail=count_of(count, "cell") + f" of {table.table}",
        column=column,
        rows=count,
    )


def _report_damaged(session: Session, table: LandedTable, column: str) -> RunFinding:
    text = query("plan/damaged_place", rows=f"{table.table}_landed", column=column)
    count, file, line = session.frame(text, damaged=DAMAGED_TEXT).row(0)
    cells = count_of(count, "cell") + (", the first" if count > 1 else "")
    return RunFinding(
        code="text_damaged",
        detail=f"{table.table}, {cells} in {file} row {line}",
        column=column,
        source_file=file,
        source_line=line,
        rows=count,
    )


def _is_used(table: LandedTable, column: str, used: Collection[str]) -> bool:
    return table.table == CONTACTS.name and column in used


def _report_fractions(table: LandedTable, used: Collection[str]) -> list[RunFinding]:
    """Columns that were read without the ``.0`` that a data frame wrote."""
    return [
        RunFinding(code="fraction_dropped", detail=table.table, column=column)
        for column in sorted(table.fractions)
        if column in used or column in _CODES
    ]


def _list_proved(table: str, cells: Cells) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for column, word in cells if _proves(table, column, word)))


def _proves(table: str, column: str, word: str) -> bool:
    """Whether a cell of a column that is nothing but a word shows that the word means blank.

    A choice may have a label ``None``, and an export may write the name of a company for its id: of
    such words only numbers and times are proof.
    """
    field = TABLES[table].field(column)
    if word in ERROR_WORDS or word in (SHORTENED, DAMAGED):
        return False
    if field is None or word not in TYPED_BY_NOBODY:
        return field is not None and field.type in _NUMBERS
    return field.type is not Type.TEXT or column in _TYPES_OF_LOOKUPS


def _count(session: Session, table: LandedTable, *, whole: bool) -> Cells:
    """The cells of a table, counted while it was landed, else now.

    A table that is read where it lies: of all its columns if ``whole``, else of those that may
    prove something.
    """
    if table.words is not None:
        return table.words
    view = f"{table.table}_landed"
    found = Counter[tuple[str, str]]()
    for column, physical in session.columns(view).items():
        proves = _proves(table.table, column, _DATABASES) or column in _CODES
        if physical == "VARCHAR" and column in table.columns and (whole or proves):
            counted = session.frame(
                query("plan/null_words", rows=view, column=column),
                words=NULL_WORDS,
                longest=LONGEST_WORD,
            )
            found.update({(column, word): cells for word, cells in counted.iter_rows()})
    return found
