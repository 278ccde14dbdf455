"""Several marks become one: deleted, alive, unreadable; and old states of a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
import pytest

from pipeline.plan.reading import PLACE, build_select_list
from schemas.sales import ACCOUNTS
from sql.session import Session, session

Said = tuple[bool | None, str | None, bool]
"""``isdelete``, ``raw:isdelete``, ``isformer``."""


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session() as opened:
        yield opened


def read(duck: Session, **marks: object) -> Said:
    frame = pl.DataFrame(
        {"source_row": [0], "source_file": ["a"], "source_line": [1]}
        | {name: [value] for name, value in marks.items()}
    )
    duck.register("landed", frame.with_columns(pl.col(pl.Null).cast(pl.String)))
    columns = {name: kind for name, kind in duck.columns("landed").items() if name not in PLACE}
    found = duck.frame(f"{build_select_list(ACCOUNTS, columns)} FROM landed")
    row = found.select("isdelete", "raw:isdelete", "isformer").row(0)
    return row[0], row[1], row[2]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, (None, None, False)),
        ({"isdelete": "True"}, (True, "True", False)),
        ({"isdelete": None}, (None, None, False)),
        ({"isdelete": "perhaps"}, (None, "perhaps", False)),
        ({"deletedon": "2024-03-05T09:00:00Z"}, (True, "true", False)),
        ({"deletedon": "1709629200000"}, (True, "true", False)),
        ({"deletedon": "9999-12-31 23:59:59"}, (False, None, False)),
        ({"deletedon": "0"}, (False, None, False)),
        ({"deletedon": " "}, (None, None, False)),
        ({"deletedon": "last week"}, (None, "last week", False)),
        ({"deletedon": datetime(2024, 3, 5, tzinfo=UTC)}, (True, "true", False)),
        ({"changetype": "D"}, (True, "true", False)),
        ({"changetype": " delete "}, (True, "true", False)),
        ({"changetype": "update_preimage"}, (True, "true", True)),
        ({"changetype": 1}, (True, "true", False)),
        ({"changetype": 3}, (True, "true", True)),
        ({"changetype": "u"}, (False, None, False)),
        ({"changetype": "DELETE", "isupdate": "TRUE"}, (True, "true", True)),
        ({"changetype": "DELETE", "isupdate": "FALSE"}, (True, "true", False)),
        ({"changetype": "INSERT", "isupdate": True}, (False, None, False)),
        ({"isupdate": "TRUE"}, (None, None, False)),
        ({"changetype": "truncate"}, (None, "truncate", False)),
        ({"iscurrent": False}, (True, "true", True)),
        ({"iscurrent": "true"}, (False, None, False)),
        ({"iscurrent": "sometimes"}, (None, "sometimes", False)),
        ({"endedon": "2024-03-05"}, (True, "true", True)),
        ({"endedon": "9999-12-31"}, (False, None, False)),
        ({"isdelete": "false", "deletedon": "2024-03-05"}, (True, "true", False)),
        ({"isdelete": "perhaps", "changetype": "d"}, (True, "true", False)),
        ({"isdelete": "perhaps", "changetype": "c"}, (None, "perhaps", False)),
        ({"isdelete": "true", "iscurrent": "false"}, (True, "true", False)),
        ({"isdelete": None, "deletedon": None, "endedon": None}, (None, None, False)),
    ],
)
def test_one_mark_is_enough_and_one_that_cannot_be_read_is_kept(
    duck: Session, marks: dict[str, object], expected: Said
) -> None:
    assert read(duck, **marks) == expected
