"""Which row of an id counts: every case of versions, deletions and their places in the source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.sales import CORRECTED_VERSION
from sql.query import query
from sql.session import Session, session

NO_DATE = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session() as opened:
        yield opened


def settle(duck: Session, rows: str) -> str:
    """The states of rows of one id, in their order, by first letter.

    A row is ``L`` (live), ``D`` (deletion) or ``F`` (former state), then ``v``, ``s``, ``m`` with
    a number: version, day of writing, day of change. ``=`` repeats the content of the first row.
    """
    frame = pl.DataFrame(
        [make_row(place, text) for place, text in enumerate(rows.split())],
        schema_overrides={
            "versionnumber": pl.Int64,
            "sinkmodifiedon": pl.Datetime("us", "UTC"),
            "modifiedon": pl.Datetime("us", "UTC"),
            "content": pl.UInt64,
        },
    )
    duck.register("repeated_rows", frame)
    duck.store("ranked_rows", query("plan/ranked"), corrected=CORRECTED_VERSION)
    found = duck.frame(query("plan/versions"), corrected=CORRECTED_VERSION).sort("source_row")
    assert found.height == frame.height
    return "".join(state[0] for state in found["state"])


def make_row(place: int, text: str) -> dict[str, object]:
    said = {one[0]: int(one[1:]) for one in text.rstrip("=").split(".")[1:]}
    days = {sign: NO_DATE + timedelta(days=said[sign]) for sign in said.keys() & {"s", "m"}}
    return {
        "id": "x",
        "source_row": place,
        "source_file": "a",
        "source_line": place + 1,
        "versionnumber": said.get("v"),
        "sinkmodifiedon": days.get("s"),
        "modifiedon": days.get("m"),
        "deleted": text[0] in "DF",
        "former": text[0] == "F",
        "content": 0 if text.endswith("=") else place,
    }


@pytest.mark.parametrize(
    ("rows", "states"),
    [
        # live rows
        ("L.v1 L.v2", "sc"),
        ("L.v2.m1 L.v1.m2", "cs"),
        ("L.m2 L.m1", "cs"),
        ("L.v9.m1 L.m2", "sc"),
        ("L.v1.m1 L.v2 L.m3", "rrr"),
        ("L.s1.m5 L.s2.m4", "sc"),
        ("L.s1.m5 L.m6", "sc"),
        ("L L", "rr"),
        ("L.v1 L.v1", "rr"),
        ("L.v1= L.v1=", "cs"),
        ("L.v1.m1 L.v1.m2", "sc"),
        # deletions
        ("L.v1 D.v2", "sd"),
        ("D.v1 L.v2", "sc"),
        ("L.v2 D.v1", "cs"),
        ("D.v2 L.v2", "ds"),
        ("L.v1 D", "sd"),
        ("D L.v1", "sc"),
        ("L.v1 D L.v3", "ssc"),
        ("L.v1 D L.v3 D", "sdss"),
        ("L.v1 D L.v3 L.v2", "sscs"),
        ("D L L", "srr"),
        ("L D L", "ssc"),
        ("L.s1 D.s3 L.s2", "sds"),
        ("L.s1 D.s2 L.s3", "ssc"),
        ("D.s2.v1 L.s1", "ds"),
        ("D.s2 L.s2", "sc"),
        ("L.m1 D.m1", "sd"),
        ("L.v5.m1 D.m2", "sd"),
        ("D D", "ds"),
        ("D.v1 D.v2", "sd"),
        # former states
        ("L.v1 F.v1", "cs"),
        ("L F", "cs"),
        ("F.v1 F.v2", "sd"),
        ("F D", "sd"),
        # corrected rows
        (f"L.m9 L.v{CORRECTED_VERSION}", "sc"),
        (f"L.v{CORRECTED_VERSION} L.v{CORRECTED_VERSION + 1} L.m9", "scs"),
        (f"L.v{CORRECTED_VERSION} D", "cs"),
    ],
)
def test_the_later_row_counts(duck: Session, rows: str, states: str) -> None:
    assert settle(duck, rows) == states


ROWS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from("LLDF"),
        *(st.sampled_from(["", f".{sign}1", f".{sign}2", f".{sign}3"]) for sign in "vsm"),
        st.sampled_from(["", "="]),
    ),
)


@given(rows=st.lists(ROWS, min_size=2, max_size=6))
def test_every_id_ends_as_one_contact_one_deletion_or_repeats(
    duck: Session, rows: list[str]
) -> None:
    states = settle(duck, " ".join(rows))
    alive = [states[place] for place, row in enumerate(rows) if row[0] == "L"]
    gone = [states[place] for place, row in enumerate(rows) if row[0] != "L"]
    assert set(alive) <= set("crs")
    assert set(gone) <= set("ds")
    ends = sorted(set(states) - {"s"})
    assert ends in (["c"], ["d"], ["r"])
    assert states.count("r") != 1
    assert max(states.count("c"), states.count("d")) <= 1


@given(rows=st.lists(ROWS, min_size=2, max_size=5), data=st.data())
def test_where_versions_order_all_rows_their_places_mean_nothing(
    duck: Session, rows: list[str], data: st.DataObject
) -> None:
    numbered = [f"{row[0]}.v{place}" for place, row in enumerate(rows)]
    order = data.draw(st.permutations(range(len(rows))))
    before = settle(duck, " ".join(numbered))
    after = settle(duck, " ".join(numbered[place] for place in order))
    assert after == "".join(before[place] for place in order)
