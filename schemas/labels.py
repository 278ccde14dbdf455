"""Words of a project for choices and two options: ``[labels]``.

A word stands for a member in all columns (``Ja = "yes"``), in one column of contacts
(``[labels.gendercode]``), or in one column of another table (``[labels.quotes.statecode]``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias

from schemas.catalogue import Field, Table, Type
from schemas.sales import CONTACTS, TABLES
from schemas.text import WHITE_SPACE
from schemas.values import FLAGS

Words: TypeAlias = Mapping[str, str]
Labels: TypeAlias = Mapping[str, str | Mapping[str, str | Words]]
"""Word, column or table → the value, or the words there."""

_KINDS: Final = {
    Type.TWO_OPTIONS: "yes or no",
    Type.CHOICE: "a whole number, which is the value of the choice",
}


def name_members(table: Table, labels: Labels) -> Table:
    """The table, with a project's words for the members of its columns."""
    if not labels:
        return table
    return replace(table, fields=tuple(_name(table, field, labels) for field in table.fields))


def _name(table: Table, field: Field, labels: Labels) -> Field:
    words = {
        fold_word(word): member
        for given in _list_words(table, field, labels)
        for word, value in given.items()
        if (member := _read_member(field.type, value)) is not None
    }
    return replace(field, words=MappingProxyType({**field.words, **words})) if words else field


def fold_word(word: str) -> str:
    """The form in which words are compared: trimmed, in lower case."""
    return word.strip(WHITE_SPACE).lower()


def _list_words(table: Table, field: Field, labels: Labels) -> Iterator[Words]:
    """The words that hold for a column, the nearest last."""
    yield {word: value for word, value in labels.items() if isinstance(value, str)}
    own = labels if table.name == CONTACTS.name else labels.get(table.name)
    given = own.get(field.name) if isinstance(own, Mapping) else None
    if isinstance(given, Mapping):
        yield {word: value for word, value in given.items() if isinstance(value, str)}


def _read_member(kind: Type, value: str) -> int | None:
    """The member that a value of ``[labels]`` names; null if it is none of this type."""
    folded = fold_word(value)
    if kind is Type.TWO_OPTIONS and folded in FLAGS:
        return int(FLAGS[folded])
    if kind is Type.CHOICE and folded.lstrip("+-").isdecimal():
        return int(folded)
    return None


def find_label_problems(labels: Labels) -> Iterator[str]:
    """What is wrong with ``[labels]``, a sentence each."""
    for name, given in labels.items():
        if isinstance(given, str):
            if all(_read_member(kind, given) is None for kind in _KINDS):
                yield f"'{name}' must stand for yes, no or a whole number, not for '{given}'"
        elif name in TABLES:
            for column, words in given.items():
                yield from _check_column(TABLES[name], column, words)
        else:
            yield from _check_column(CONTACTS, name, given)


def _check_column(table: Table, column: str, words: object) -> Iterator[str]:
    field = table.field(column)
    if field is None or field.type not in _KINDS:
        yield f"{table.name} has no choice and no two options called '{column}'"
    elif isinstance(words, Mapping):
        for word, value in words.items():
            if not isinstance(value, str) or _read_member(field.type, value) is None:
                yield f"{column}, '{word}' must stand for {_KINDS[field.type]}"
    else:
        yield f"{column} must be a table of words"
