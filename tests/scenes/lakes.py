"""Delta tables of contacts, in every way that a lake writes them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa

from tests.scenes.delta import Column, DeltaFolder
from tests.scenes.small import contactid, number

Mapped = Literal["", "name", "id"]

COLUMNS: Final = (
    Column(name="contactid"),
    Column(name="lastname"),
    Column(name="msdynce_contactnumber"),
    Column(name="msdynce_isactivecustomer", type="boolean"),
    Column(name="parentcustomerid"),
    Column(name="versionnumber", type="long"),
    Column(name="createdon", type="timestamp"),
    Column(name="creditlimit", type="decimal(19,4)"),
)
_START: Final = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def list_contacts(first: int, count: int) -> pa.Table:
    """Contacts with numbers from ``first``."""
    places = range(first, first + count)
    return pa.table({
        "contactid": [contactid(place) for place in places],
        "lastname": [f"Number{place}" if place % 5 else None for place in places],
        "msdynce_contactnumber": [number(place) for place in places],
        "msdynce_isactivecustomer": [place % 2 == 0 for place in places],
        "parentcustomerid": pa.nulls(count, pa.string()),
        "versionnumber": pa.array(places, pa.int64()),
        "createdon": pa.array(
            [_START + timedelta(hours=place) for place in places], pa.timestamp("us", "UTC")
        ),
        "creditlimit": pa.array(
            [Decimal(place).scaleb(-2) for place in places], pa.decimal128(19, 4)
        ),
    })  # fmt: skip


def make_table(
    path: Path, *, mapping: Mapped = "", more: Sequence[Column] = (), **options: object
) -> DeltaFolder:
    """An empty table of contacts; under mapping its files call the columns by other names."""
    columns = [*COLUMNS, *more]
    if mapping:
        columns = [
            dataclasses.replace(column, physical=f"col-{place}", id=place)
            for place, column in enumerate(columns, start=1)
        ]
    given: dict[str, Any] = {"columns": columns, "mapping": mapping, **options}
    return DeltaFolder(path=path, **given).create()


def _plain(path: Path) -> None:
    table = make_table(path)
    table.add("part-1.parquet", list_contacts(1, 4))
    table.add("part-0.parquet", list_contacts(5, 3))
    table.commit(
        {"remove": {"path": "part-1.parquet", "deletionTimestamp": 1, "dataChange": True}},
        table.write("part-2.parquet", list_contacts(20, 2)),
    )


def _partitioned(path: Path) -> None:
    more = [
        Column(name="address1_country"),
        Column(name="gendercode", type="integer"),
        Column(name="modifiedon", type="timestamp"),
    ]
    names = [one.name for one in more]
    table = make_table(path, more=more, partitions=names)
    table.commit(
        table.write(
            "address1_country=a%20b%2Fc/part-0.parquet",
            list_contacts(1, 2),
            values={
                "address1_country": "a b/c",
                "gendercode": "2",
                "modifiedon": "2024-02-29 10:11:12.123456",
            },
        ),
        table.write(
            "address1_country=__HIVE_DEFAULT_PARTITION__/part-0.parquet",
            list_contacts(3, 2),
            values=dict.fromkeys(names),
        ),
        table.write(
            "plain/part-0.parquet",
            list_contacts(5, 1),
            values={
                "address1_country": "",
                "gendercode": "1",
                "modifiedon": "2024-02-29T10:11:12.000000Z",
            },
        ),
    )


def _vectors(path: Path) -> None:
    table = make_table(path, vectors=True)
    table.commit(
        table.write("a b%.parquet", list_contacts(1, 5), vector=table.inline({1, 4})),
        table.write("b.parquet", list_contacts(10, 5), vector=table.stored({0, 2})),
        table.write("c.parquet", list_contacts(20, 5), vector=table.stored({3}, prefix="ab")),
        table.write("d.parquet", list_contacts(30, 5), vector=table.stored({4}, absolute=True)),
        table.write("e.parquet", list_contacts(40, 2), vector=table.inline(())),
        table.write("f.parquet", list_contacts(50, 2), vector=table.inline({0, 1})),
    )
    before = table.files["a%20b%25.parquet"]["add"]["deletionVector"]
    remove = {"path": "a%20b%25.parquet", "deletionTimestamp": 1, "dataChange": True}
    table.commit(
        {"remove": {**remove, "deletionVector": before}},
        table.make_add("a b%.parquet", 5, vector=table.inline({1, 3, 4})),
    )


def _mapped(path: Path) -> None:
    table = make_table(path, mapping="name")
    table.add("part-0.parquet", list_contacts(1, 5))
    # Renamed: the files keep the old name, and a new column takes the old name of the other.
    renamed = [
        dataclasses.replace(one, name="name") if one.name == "lastname" else one
        for one in table.columns
    ]
    table.columns = [*renamed, Column(name="lastname", physical="col-90", id=90)]
    rows = list_contacts(6, 2)
    table.commit(table.metadata(), table.write("part-1.parquet", rows))


def _everything(path: Path) -> None:
    more = [Column(name="modifiedon", type="timestamp_ntz"), Column(name="address1_country")]
    table = make_table(
        path,
        mapping="name",
        vectors=True,
        more=more,
        partitions=["address1_country"],
        features=["timestampNtz"],
    )
    stamps = [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), None]  # noqa: DTZ001
    rows = list_contacts(1, 3).append_column("modifiedon", pa.array(stamps, pa.timestamp("us")))
    table.commit(
        table.write(
            "xY/part-0.parquet",
            rows,
            values={"address1_country": "DE"},
            vector=table.stored({0}),
        )
    )


def _evolved(path: Path) -> None:
    table = make_table(path)
    table.add("part-0.parquet", list_contacts(1, 3))
    table.columns = [*table.columns, Column(name="description")]
    rows = list_contacts(4, 2).append_column("description", pa.array(["a", None]))
    table.commit(table.metadata(), table.write("part-1.parquet", rows))


def _with_checkpoint(form: Literal["classic", "parts", "v2"]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        features = ["v2Checkpoint"] if form == "v2" else []
        table = make_table(path, vectors=True, features=features)
        table.add("part-0.parquet", list_contacts(1, 3), vector=table.inline({1}))
        table.add("part-1.parquet", list_contacts(4, 2))
        table.checkpoint(form)
        table.add("part-2.parquet", list_contacts(6, 1))

    return make


def _absolute(path: Path) -> None:
    table = make_table(path)
    add = table.write(
        "part 0.parquet", list_contacts(1, 3), path=(path / "part 0.parquet").as_uri()
    )
    table.commit(add)


def _cloned(path: Path) -> None:
    """A shallow clone of a table that lies beside it."""
    base = make_table(path.parent / "base of contacts")
    base.add("part-0.parquet", list_contacts(1, 3))
    clone = make_table(path)
    file = base.path / "part-0.parquet"
    clone.commit(clone.make_add(str(file), 3, path=file.as_uri()))


def _empty(path: Path) -> None:
    table = make_table(path)
    table.add("part-0.parquet", list_contacts(1, 3))
    table.commit({"remove": {"path": "part-0.parquet", "deletionTimestamp": 1, "dataChange": True}})


def _in_spark_form(path: Path) -> None:
    """Dates as Spark writes them by default, in years that nanoseconds do not hold."""
    table = make_table(path, mapping="name")
    rows = list_contacts(1, 3)
    stamps = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), None]
    place = rows.column_names.index("createdon")
    rows = rows.set_column(place, "createdon", pa.array(stamps, pa.timestamp("us", "UTC")))
    table.add("part-0.parquet", rows, use_deprecated_int96_timestamps=True)


KINDS: Final[dict[str, Callable[[Path], None]]] = {
    "plain": _plain,
    "partitioned": _partitioned,
    "vectors": _vectors,
    "mapped by name, renamed": _mapped,
    "everything": _everything,
    "evolved": _evolved,
    "classic checkpoint": _with_checkpoint("classic"),
    "checkpoint in parts": _with_checkpoint("parts"),
    "new checkpoint": _with_checkpoint("v2"),
    "absolute paths": _absolute,
    "shallow clone": _cloned,
    "empty": _empty,
    "dates of Spark": _in_spark_form,
}
"""Kind → what makes such a table in a folder."""


def cut(path: Path, left: int) -> None:
    """Keep the first bytes of a file."""
    path.write_bytes(path.read_bytes()[:left])


def without(path: Path) -> None:
    """Take a file or folder away."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
