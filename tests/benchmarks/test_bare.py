"""The work that plans are measured against does what it says: the same rows, in source order."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.samples.generate import write_samples
from tests.benchmarks import bare


def test_the_bare_copy_keeps_source_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_samples(tmp_path / "source", rows=40_000, form="parquet")
    path = tmp_path / "source" / "contacts.parquet"
    pl.read_parquet(path).write_parquet(path, row_group_size=500)
    bare.main(tmp_path / "source", tmp_path / "out")
    assert "seconds" in capsys.readouterr().out
    contacts = pl.read_parquet(
        path, columns=["contactid", "msdynce_isactivecustomer"]
    ).with_row_index("place")
    first = contacts.unique("contactid", keep="none")
    for name, yes in (("customers", True), ("persons", False)):
        written = pl.read_parquet(tmp_path / "out" / f"{name}.parquet", columns=["contactid"])
        places = written.join(first, on="contactid", how="inner", maintain_order="left")
        assert places.height > 10_000
        assert places["place"].is_sorted()
        assert (places["msdynce_isactivecustomer"].fill_null(value=False) == yes).all()
