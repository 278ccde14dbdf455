"""Accepted contacts are marked wherever people look contacts up."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.audit.search import Wanted
from pipeline.browse.form import SearchForm
from pipeline.browse.opening import open_pages
from pipeline.browse.pages import Page, render_list
from pipeline.run.folder import find_run
from tests.scenes.command_line import P2c, p2c
from tests.scenes.small import contactid, number, write_small

__all__ = ["p2c"]

HELD, LATER = contactid(10), "2999-12-31"


def test_accepted_contacts_are_marked_where_people_look_them_up(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path / "project")
    assert p2c("plan", "--project", project).code == 1
    words = ("--code", "too_long", "--until", LATER, "--why", "Sales repairs it")
    assert p2c("accept", "latest", *words).code == 0
    assert p2c("plan", "--project", project).code == 1
    wrote = p2c("findings", "latest", "--worklist", "work.csv")
    assert "1 of them is accepted for now: see accepted_until." in wrote.out
    marks = pl.read_csv("work.csv").select("contactid", "accepted_until", "accepted_why").rows()
    assert marks == [(HELD, "", ""), (contactid(11), LATER, "Sales repairs it")]
    (story,) = p2c("explain", number(11), "--json").object["items"]
    assert story["accepted"]["accepted_why"] == "Sales repairs it"
    assert f"accepted      until {LATER} by " in p2c("explain", number(11)).out
    assert "accepted  " not in p2c("explain", HELD).out
    assert f"accepted until {LATER}" in p2c("explain", "--find", "ada").out
    with open_pages(find_run(Path("runs"), "latest"), []) as pages:
        found, _ = pages.search.find(Wanted(), 0, 50)
        listed = render_list(pages.frame, SearchForm(), Page(contacts=found, rows=11, ids=()))
    assert listed.count(f"accepted until {LATER}") == 1
