"""All runs at a glance: each run once, with its report; what was altered or is gone is marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.commands.index import write_index
from pipeline.commands.options import Flags
from pipeline.errors import UsageError
from pipeline.report.index import IndexedRun, index_runs, render_index
from pipeline.report.trend import StoppedCount, draw_trend
from pipeline.run.files import write_json
from pipeline.run.folder import RunFolder, find_runs
from tests.report.test_page import TAGS, Reader
from tests.scenes.command_line import P2c
from tests.scenes.json_files import read_json

Small = Callable[[int], RunFolder]
EARLIER = Path(__file__).parents[1] / "run" / "data" / "earlier"


def index_of(run: RunFolder) -> dict[str, IndexedRun]:
    runs = run.path.parent
    return {one.run: one for one in index_runs(find_runs(runs), runs / "index.html")}


def test_each_run_has_its_line_newest_first(small: Small) -> None:
    applied, planned = small(0), RunFolder(find_runs(small(0).path.parent)[1].path)
    (applied.path / "report.html").write_text("page")
    found = index_of(applied)
    assert list(found) == [planned.run, applied.run]
    one = found[applied.run]
    assert (one.kind, one.state, one.verdict, one.mark) == ("load", "applied", "attention", "")
    assert one.href == f"{applied.run}/report.html"
    assert [tile.rows for tile in one.tiles] == [8, 2, 1]
    assert (found[planned.run].state, found[planned.run].href) == ("planned", "")
    page = render_index(list(found.values()))
    text = Reader(page).text
    assert f"p2c report {planned.run}" in text
    assert "8 in packages to import 2 needs you 1 skipped by rule" in text
    assert Reader(page).tags <= TAGS
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("name", "spoil", "mark"),
    [
        ("run.json", "garbage", "altered"),
        ("run.json", "missing", "damaged"),
        ("summary.json", "garbage", "damaged"),
        ("summary.json", "altered", "altered"),
        ("summary.json", "missing", "damaged"),
        ("journal.jsonl", "altered", "altered"),
        ("journal.jsonl", "missing", "damaged"),
        ("decisions.parquet", "missing", "damaged"),
        ("decisions.parquet", "garbage", "altered"),
        ("outcomes.parquet", "garbage", "altered"),
    ],
)
def test_a_run_that_is_not_as_it_was_is_marked(
    small: Small, name: str, spoil: str, mark: str
) -> None:
    run = small(0)
    path = run.path / name
    match spoil:
        case "missing":
            path.unlink()
        case "altered":
            old, new = (b"attention", b"clean") if name == "summary.json" else (b"8", b"9")
            path.write_bytes(path.read_bytes().replace(old, new))
        case _:
            path.write_bytes(b"\x00garbage\xff" * 40)
    one = index_of(run)[run.run]
    assert one.mark == mark
    assert one.verdict == "unknown"
    assert name.partition(".")[0] in one.trouble or "Line" in one.trouble
    text = Reader(render_index(list(index_of(run).values()))).text
    assert f"p2c verify {run.run}" in text


def test_a_run_that_others_name_and_that_is_gone_is_marked() -> None:
    main, retry, *rest = find_runs(EARLIER)
    found = {one.run: one for one in index_runs([retry, *rest], Path("index.html"))}
    assert found[main.run].mark == "deleted"
    assert retry.run in found[main.run].trouble or rest[0].run in found[main.run].trouble
    assert "The run folder is gone" in render_index(list(found.values()))


def test_runs_of_every_kind_are_listed(tmp_path: Path) -> None:
    found = index_runs(find_runs(EARLIER), tmp_path / "index.html")
    kinds = [one.kind for one in reversed(found)]
    assert kinds == ["load", "retry", "undo", "backfill", "undo"]
    assert not any(one.mark for one in found)


def test_links_start_from_where_the_page_is(small: Small, tmp_path: Path) -> None:
    run = small(0)
    (run.path / "report.html").write_text("page")
    (tmp_path / "pages").mkdir()
    found = index_runs([run], tmp_path / "pages" / "all.html")
    assert found[0].href == f"../runs/{run.run}/report.html"


def test_the_command_writes_the_page_and_names_what_is_marked(small: Small, p2c: P2c) -> None:
    run = small(0)
    runs = run.path.parent
    result = write_index(Flags(runs=runs), None)
    assert result.items == [
        {"file": str(runs / "index.html"), "bytes": (runs / "index.html").stat().st_size, "runs": 2}
    ]
    facts = read_json(run.summary)
    write_json(run.summary, facts | {"verdict": "clean"})
    other = runs.parent / "all.html"
    answer = p2c("runs", "--runs", runs, "--html", "--to", other)
    assert answer.code == 0
    assert f"{run.run}: altered" in answer.out
    assert "altered" in other.read_text(encoding="utf-8")
    assert p2c("runs", "--runs", runs, "--to", other).code == 2


def test_without_runs_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no runs"):
        write_index(Flags(runs=tmp_path), None)
    assert list(tmp_path.iterdir()) == []


def stopped(place: int, held: int) -> StoppedCount:
    return StoppedCount(day=f"{place + 1} Jan 2026, 03:04", held=held, rejected=1, failed=0)


def test_a_trend_has_a_bar_for_each_load_as_high_as_what_needed_people() -> None:
    drawing = str(draw_trend([stopped(place, held) for place, held in enumerate((9, 4, 0))]))
    assert drawing.count('<rect class="held"') == 2
    assert drawing.count('<rect class="wrong"') == 3
    assert "3 loads. First, on 1 Jan 2026, 03:04: 9 held, 1 rejected, 0 failed." in drawing
    assert ">10</text>" in drawing
    assert draw_trend([stopped(0, 9)]) is None
    many = str(draw_trend([stopped(place, 1) for place in range(200)]))
    assert many.count('<rect class="held"') == 60
