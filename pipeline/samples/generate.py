"""Sample tables of any size, from a seed: for the demonstration, the tests and the benchmarks.

Rows come in blocks of 1,000 contacts and 150 accounts, all of the same shape; ``block.py`` says
which rows a block has, the SQL files fill them. The first block of seed 1 is ``data/samples``.
"""

from __future__ import annotations

import contextlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError, during
from pipeline.samples import block
from pipeline.samples.cases import read_data
from pipeline.samples.tables import COLUMNS, CUSTOMERS
from pipeline.samples.writing import CsvSink, ParquetSink, Sink
from sql.query import SelectColumn, query
from sql.session import Session, session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


Form = Literal["csv", "parquet"]

_CHUNK: Final = 123
"""Blocks made at a time: a little more than a row group of contacts, so memory does not grow with
the size."""
_STREETS: Final = [
    "Main Street",
    "Coffee Lane",
    "Station Road",
    "Market Square",
    "Harbour View",
    "Mill Lane",
    "Park Avenue",
]
_ACTIVITIES: Final = {
    "quotes": ("quote", "QUO-"),
    "salesorders": ("salesorder", "ORD-"),
    "invoices": ("invoice", "INV-"),
}
_MACROS: Final = {
    "BOOLEAN": "flag_of",
    "INTEGER": "choice_of",
    "BIGINT": "whole_of",
    "DECIMAL(19, 4)": "money_of",
    "TIMESTAMPTZ": "time_of",
}
"""Type of a column in Parquet → the macro of ``macros.sql`` that reads text as it."""

_HERE: Final = "pipeline.samples"
_ARROW: Final = {
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DECIMAL(19, 4)": pa.decimal128(19, 4),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}


def write_samples(folder: Path, *, rows: int = 1000, seed: int = 1, form: Form = "csv") -> None:
    """Write the sample tables, SCM's known customers and the project file into ``folder``.

    Args:
        folder: made if it is not there; files of these names are replaced.
        rows: contact rows; a last block that is not full has its first rows only.
        seed: decides ids, numbers and ordinary values; the troubles are the same for every seed.
        form: of the source tables. What only text can hold is null in Parquet. Known customers are
            CSV, as Data management writes them.

    Raises:
        UsageError: ``rows`` is below 1.
    """
    if rows < 1:
        raise UsageError("Samples need at least one row.")
    with during("writing samples"), contextlib.ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "p2c.toml").write_bytes(files(_HERE).joinpath("p2c.toml").read_bytes())
        sinks: dict[str, Sink] = {
            table: stack.enter_context(_open_sink(folder, table, form)) for table in COLUMNS
        }
        sinks["known_customers"] = stack.enter_context(
            CsvSink(folder / "known_customers.csv", CUSTOMERS)
        )
        source = stack.enter_context(prepare_session(seed))
        writer = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        blocks = -(-rows // block.CONTACTS)
        writing = writer.submit(_write, sinks, _make_once(source, seed, blocks, form))
        for first in range(0, blocks, _CHUNK):
            made = _make_chunk(
                source,
                seed=seed,
                first=first,
                last=min(first + _CHUNK, blocks),
                rows=rows,
                form=form,
            )
            writing.result()
            writing = writer.submit(_write, sinks, made)
        writing.result()


@contextlib.contextmanager
def write_temporary_samples(*, rows: int = 1000, seed: int = 1) -> Iterator[Path]:
    """Samples as CSV, with their project file, in a folder that is gone afterwards.

    Raises as :func:`write_samples` does.
    """
    with tempfile.TemporaryDirectory(prefix="p2c-samples-") as temporary:
        folder = Path(temporary)
        write_samples(folder, rows=rows, seed=seed)
        yield folder


def _write(sinks: Mapping[str, Sink], tables: Mapping[str, pa.Table]) -> None:
    for name, table in tables.items():
        sinks[name].write(table)


def _make_chunk(
    source: Session, *, seed: int, first: int, last: int, rows: int, form: Form
) -> dict[str, pa.Table]:
    """All tables of some blocks. While they are written, the next are made."""
    made = {
        "contacts": make_contact_rows(
            source, seed=seed, first=first, last=last, rows=rows, form=form
        ),
        "accounts": _make_account_rows(source, seed=seed, first=first, last=last, form=form),
    }
    source.register("contact_rows", made["contacts"])
    source.register("account_rows", made["accounts"])
    for table in _ACTIVITIES:
        made[table] = _make_activity_rows(
            source, table, seed=seed, first=first, last=last, form=form
        )
    tables = {name: table.select(list(COLUMNS[name])) for name, table in made.items()}
    return {**tables, "known_customers": source.arrow(query("customers", _HERE))}


@contextlib.contextmanager
def prepare_session(seed: int) -> Iterator[Session]:
    """A session that knows the shape of a block, and what does not grow with the blocks."""
    with session() as source:
        source.run(query("macros", _HERE))
        source.register("contact_slots", block.make_contact_slots())
        source.register("account_slots", block.make_account_slots())
        source.register("cultures", block.list_cultures())
        for name, table in (("units", block.list_units()), ("currencies", block.list_currencies())):
            source.register(f"given_{name}", table)
            source.store(name, query(name, _HERE), seed=seed)
        yield source


def make_contact_rows(
    source: Session, *, seed: int, first: int, last: int, rows: int, form: Form
) -> pa.Table:
    """The contact rows of some blocks: the table's columns, and what other tables need of them."""
    words = read_data("people")
    table = source.arrow(
        query("contacts", _HERE, columns=_list_columns("contacts", form)),
        seed=seed,
        first=first,
        last=last,
        until=rows,
        size=block.CONTACTS,
        account_size=block.ACCOUNTS,
        ordinary=block.count_ordinary_accounts(),
        cultures=len(words["culture"]),
        streets=words["streets"],
        jobs=words["jobs"],
        departments=words["departments"],
    )
    return _sort(table)


def _make_account_rows(
    source: Session, *, seed: int, first: int, last: int, form: Form
) -> pa.Table:
    words = read_data("people")
    table = source.arrow(
        query("accounts", _HERE, columns=_list_columns("accounts", form)),
        seed=seed,
        first=first,
        last=last,
        size=block.ACCOUNTS,
        cultures=len(words["culture"]),
        streets=words["streets"],
    )
    return _sort(table)


def _make_activity_rows(
    source: Session, table: str, *, seed: int, first: int, last: int, form: Form
) -> pa.Table:
    kind, prefix = _ACTIVITIES[table]
    text = query("activity", _HERE, columns=_list_columns(table, form, of=("id", "number")))
    return _sort(source.arrow(text, seed=seed, kind=kind, prefix=prefix, first=first, last=last))


def _sort(table: pa.Table) -> pa.Table:
    """The table by ``row``.

    DuckDB gives contacts in order already, and looking is cheaper than sorting.
    """
    numbers = table["row"]
    climbing = pc.all(pc.less(numbers.slice(0, max(len(numbers) - 1, 0)), numbers.slice(1))).as_py()
    return table if climbing else table.sort_by("row")


def _make_once(source: Session, seed: int, blocks: int, form: Form) -> dict[str, pa.Table]:
    """The tables that do not grow with the blocks."""
    source.store(
        "counters",
        query("counters", _HERE),
        seed=seed,
        accounts=block.FIRST_NUMBER + blocks * block.ACCOUNTS,
        contacts=block.FIRST_NUMBER + blocks * block.CONTACTS,
    )
    tables = ("transactioncurrencies", "businessunits", "msdynce_p2cautonumbers")
    return {
        table: source.arrow(query(table, _HERE, columns=_list_columns(table, form)))
        for table in tables
    }


def _list_columns(table: str, form: Form, *, of: Sequence[str] = ()) -> list[SelectColumn]:
    """The columns of a table: text as it is, or read as the column's type.

    ``of``: what the first ones are called before.
    """
    columns = COLUMNS[table]
    given = [*of, *list(columns)[len(of) :]]
    return [
        SelectColumn(name=name, of=column, macro="" if form == "csv" else _MACROS.get(kind, ""))
        for (name, kind), column in zip(columns.items(), given, strict=True)
    ]


def _open_sink(folder: Path, table: str, form: Form) -> Sink:
    columns = COLUMNS[table]
    if form == "csv":
        return CsvSink(folder / f"{table}.csv", list(columns))
    return ParquetSink(
        folder / f"{table}.parquet",
        pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()]),
    )
