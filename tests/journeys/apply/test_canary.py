"""A canary in every place that keeps personal data: after a purge it is nowhere."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.run.folder import EXTRACTING
from tests.journeys.apply.conftest import Begin, newest
from tests.journeys.apply.test_undo import FILES
from tests.scenes.command_line import P2c
from tests.scenes.small import CONTACTS, rows

CANARY = "Kanarienvogel"


def list_contacts() -> list[dict[str, str]]:
    """The small source, with the canary in names, mails, countries and much too long names."""
    found = []
    for place, row in enumerate(rows(), 1):
        name = f"{CANARY}{place}" if place != 11 else CANARY * 4
        found.append({**row, "firstname": CANARY, "lastname": name,
                      "emailaddress1": f"{CANARY}{place}@example.com"})  # fmt: skip
    found[3]["address1_country"] = CANARY
    return found


def read_all(path: Path) -> Iterator[str]:
    """All texts of a file, packed ones unpacked, Parquet as its cells."""
    content = path.read_bytes()
    yield content.decode("utf-8", "replace")
    yield content.decode("utf-16-le", "replace")
    if path.suffix == ".parquet":
        yield str(pl.read_parquet(path).to_dicts())
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                yield packed.read(name).decode("utf-8", "replace")
                yield packed.read(name).decode("utf-16-le", "replace")


def find_canary(folder: Path) -> set[str]:
    """Files in which it is, by their names below the folder, runs as RUN."""
    return {
        "/".join("RUN" if part[:1].isdigit() else part for part in path.relative_to(folder).parts)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(CANARY.casefold() in text.casefold() for text in read_all(path))
    }


@pytest.mark.parametrize("load", ["folder", "packages", "odata"])
def test_a_purge_leaves_the_canary_nowhere(begin: Begin, p2c: P2c, load: str) -> None:
    world = begin(contacts=list_contacts())
    project = world.project(load, source=FILES)
    assert p2c("run", "--project", project).code == 1
    first = newest(Path("runs")).run
    path = world.folder / CONTACTS
    path.write_text(path.read_text().replace("@example.com", "@other.example.com"))
    assert p2c("run", "--project", project).code == 1
    run = newest(Path("runs")).run
    for words in (
        ("report", run, "--with-values"),
        ("findings", run, "--repair", "repair.csv"),
        ("retry", run, "--project", project, "--corrected", "repair.csv"),
        ("retry", first, "--project", project),
    ):
        assert p2c(*words).code < 2, words
    assert p2c("reconcile", run).code < 2
    if load == "odata":
        assert p2c("undo", run).code < 2
    left = Path("runs", EXTRACTING, "contoso")
    left.mkdir(parents=True)
    (left / "page.json").write_text(CANARY)
    before = find_canary(Path("runs"))
    assert {"RUN/source/contacts.parquet", "RUN/summary.json", "RUN/report.html"} <= before
    assert p2c("purge", "--older-than", "0", "--yes").code == 0
    (leftover,) = [Path("runs", EXTRACTING)] if Path("runs", EXTRACTING).exists() else [None]
    assert leftover is None or not list(leftover.rglob("page.json"))
    assert find_canary(Path("runs")) == set()
    assert p2c("verify", run).code == 0
