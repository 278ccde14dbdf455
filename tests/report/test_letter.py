"""The letter: what a project lead reads first, in which order, and what the page keeps folded."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline.audit.record_links import RECORD, make_link_base
from pipeline.report.blocks import Picture
from pipeline.report.environment import soften
from pipeline.report.facts import collect_page_facts
from pipeline.report.letter import make_tiles
from pipeline.report.moments import format_duration, format_moment, format_size
from pipeline.report.page import render_report
from pipeline.report.proof import show_batches, show_settings
from pipeline.report.throughput import Span, bin_spans, draw_throughput
from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import Kind
from pipeline.run.files import write_json
from pipeline.run.folder import RunFolder
from pipeline.run.summary import Summary
from pipeline.show.run_text import explain_verdict
from tests.report.conftest import START
from tests.report.test_page import Reader, backfill_of
from tests.scenes.json_files import read_json

Small = Callable[[int], RunFolder]
SALES = "https://contoso.crm4.dynamics.com"


def settle(run: RunFolder, **settings: object) -> None:
    """Change settings that a run was made with; ``__`` stands for the dot in a name."""
    facts = read_json(run.run_json)
    for name, value in settings.items():
        facts["settings"][name.replace("__", ".")] = {"value": value, "origin": "p2c.toml"}
    write_json(run.run_json, facts)


def test_the_page_answers_a_lead_s_questions_in_their_order(sample_run: RunFolder) -> None:
    page = render_report(collect_page_facts(sample_run))
    order = [
        page.index(sign)
        for sign in (
            "<h1>", 'class="verdict', 'class="tiles"', 'id="findings"', 'id="flow"',
            'id="entities"', 'id="annex"',
        )
    ]  # fmt: skip
    assert order == sorted(order)
    letter, _, annex = page.partition('id="annex"')
    assert letter.count("<details") == 1, "causes behind the first ones"
    assert annex.count("<h3") == annex.count('<details class="section">') >= 8


def test_three_tiles_have_every_contact_once(sample_run: RunFolder) -> None:
    evidence = gather_evidence(sample_run)
    tiles = make_tiles(evidence)
    assert [one.tone for one in tiles] == ["done", "care", "quiet"]
    counts, findings = evidence.summary.counts, evidence.summary.findings
    unreadable = findings.get("row_unreadable", 0)
    assert sum(one.rows for one in tiles) == sum(counts.values()) + unreadable
    assert tiles[0].label == "in packages to import"
    assert f"{counts['held']:,} held" in tiles[1].details
    text = Reader(render_report(collect_page_facts(sample_run))).text
    assert f"{tiles[1].rows:,} needs you {counts['held']:,} held" in text


@pytest.mark.parametrize(
    ("outcomes", "applied", "rows", "label", "details"),
    [
        ({"pending": 5}, False, 5, "planned for SCM", ("2 customers", "3 contact persons")),
        ({"created": 3, "updated": 2}, True, 5, "in SCM", ("3 created", "2 updated")),
        ({"created": 1, "pending": 4}, True, 1, "in SCM", ("1 created", "4 more to load")),
        (
            {"unchanged": 4, "pending": 1}, False, 4, "in SCM",
            ("4 unchanged", "1 more to load"),
        ),
        (
            {"created": 2, "written": 3}, True, 5, "in SCM or in packages",
            ("2 created", "3 in packages to import"),
        ),
    ],
)  # fmt: skip
def test_the_first_tile_says_where_planned_rows_are(
    small: Small,
    outcomes: dict[str, int],
    applied: bool,
    rows: int,
    label: str,
    details: tuple[str, ...],
) -> None:
    run = small(1)
    counts = {"customer": 2, "contact": 3}
    changed = {"applied": applied, "outcomes": outcomes, "counts": counts}
    write_json(run.summary, read_json(run.summary) | changed)
    first, *_ = make_tiles(gather_evidence(run))
    assert (first.rows, first.label, first.details) == (rows, label, details)


def test_a_cause_is_told_once_with_numbers_that_lead_to_sales(sample_run: RunFolder) -> None:
    facts = collect_page_facts(sample_run)
    fixes = [one for one in facts.causes if one.place == "fix"]
    assert len({one.code for one in fixes}) == len(fixes)
    too_long = next(one for one in fixes if one.code == "too_long")
    assert len(too_long.columns) > 3
    assert len(too_long.examples) == 3
    assert not any(each.href for one in fixes for each in one.examples), "the source is files"


def test_a_live_source_makes_links(small: Small) -> None:
    run = small(0)
    settle(run, source__url=f"{SALES}/")
    facts = collect_page_facts(run)
    (long,) = [one for one in facts.causes if one.code == "too_long"]
    known = pl.read_parquet(run.decisions).filter(reason="too_long")
    (example,) = long.examples
    assert example.contact == known["contact_number"][0]
    assert example.href == f"{SALES}{RECORD}{known['contactid'][0]}"
    page = render_report(facts)
    links = {link for link in Reader(page).links if not link.startswith("#")}
    assert links == {each.href for one in facts.causes for each in one.examples}
    assert page.count('rel="noreferrer"') >= len(links)


@pytest.mark.parametrize("number", ["Miller, Anna", "Anna", "anna@x.dk", "", "CON-1 <b>"])
def test_what_is_no_number_is_not_shown_as_one(small: Small, number: str) -> None:
    run = small(0)
    pl.read_parquet(run.decisions).with_columns(contact_number=pl.lit(number)).write_parquet(
        run.decisions
    )
    facts = collect_page_facts(run)
    shown = [each.contact for one in facts.causes for each in one.examples]
    assert shown
    assert number not in shown
    assert all(re.fullmatch("[0-9a-f-]{36}", one) for one in shown)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (SALES, SALES + RECORD),
        (f"{SALES}/", SALES + RECORD),
        ("https://localhost:4711", f"https://localhost:4711{RECORD}"),
        ("javascript:alert(1)//", None),
        ("http://contoso.example", None),
        (None, None),
    ],
)
def test_only_an_address_of_sales_makes_links(url: str | None, base: str | None) -> None:
    assert make_link_base(url) == base


def test_the_heading_names_project_and_organization(small: Small) -> None:
    run = small(0)
    settle(run, run__title="Roll-out <wave 2>")
    facts = read_json(run.run_json)
    facts["sales"]["organization"] = {"id": "1", "name": "Contoso"}
    write_json(run.run_json, facts)
    page = render_report(collect_page_facts(run))
    assert "<h1>Roll-out &lt;wave 2&gt;: contacts from Sales" in page
    assert "<bdi>Contoso</bdi>" in page
    settle(run, run__title=None)
    assert "<h1>Contoso: contacts from Sales" in render_report(collect_page_facts(run))


def test_links_to_codes_lead_to_where_they_are_explained(sample_run: RunFolder) -> None:
    page = render_report(collect_page_facts(sample_run))
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in Reader(page).links if link.startswith("#")} <= set(anchors)
    facts = collect_page_facts(sample_run)
    codes = {one.code for one in facts.causes} | {one["reason"] for one in facts.reasons}
    assert {f"code-{code}" for code in codes} <= set(anchors)


def test_a_backfill_s_plan_says_that_changes_wait(small: Small) -> None:
    run = backfill_of(small(0))
    planned = {"applied": False, "outcomes": {"pending": 30}, "findings": {}}
    write_json(run.summary, read_json(run.summary) | planned)
    text = Reader(render_report(collect_page_facts(run))).text
    assert "Clean: nothing needs a person; 30 contacts wait to be changed in Sales." in text
    assert "30 wait to be changed 20 get a number, 10 become active" in text
    assert "where it belongs" not in text


@pytest.mark.parametrize(
    ("kind", "pending", "reason"),
    [
        (Kind.BACKFILL, 1, "nothing needs a person; 1 contact waits to be changed in Sales."),
        (
            Kind.MAIN, 2_000,
            (
                "every contact is where it belongs, and nothing needs a person; "
                "2,000 rows wait to be loaded."
            ),
        ),
        (Kind.MAIN, 0, "every contact is where it belongs, and nothing needs a person."),
    ],
)  # fmt: skip
def test_a_clean_plan_says_what_waits(kind: Kind, pending: int, reason: str) -> None:
    plan = Summary(
        run="r", kind=kind, applied=False, verdict="clean", balanced=True, equations=(),
        counts={}, outcomes={"pending": pending},
    )  # fmt: skip
    assert explain_verdict(plan) == ("clean", reason)


def test_files_have_no_picture_of_speed_and_a_network_has_one_with_units(
    fixed: RunFolder,
) -> None:
    written = show_batches(collect_page_facts(fixed))
    assert written is not None
    assert not any(isinstance(one, Picture) for one in written.blocks)
    facts = read_json(fixed.run_json)
    facts["destination"]["load"] = "packages"
    write_json(fixed.run_json, facts)
    sent = show_batches(collect_page_facts(fixed))
    assert sent is not None
    (picture,) = [one for one in sent.blocks if isinstance(one, Picture)]
    assert "rows per second" in picture.drawing
    assert "seconds since the first batch was sent" in picture.drawing
    hours = bin_spans(
        [Span(start=None, end=START + timedelta(hours=place), rows=9) for place in (0, 1)]
    )
    assert hours is not None
    assert "time of day, UTC" in draw_throughput(hours, title="t")


def test_settings_that_nobody_chose_are_folded_and_not_printed(sample_run: RunFolder) -> None:
    facts = collect_page_facts(sample_run)
    page = render_report(facts)
    section = page.partition('id="settings"')[2]
    chosen, _, others = section.partition('<details class="screen">')
    assert "destination.currency" in Reader(chosen).text
    assert "run.memory" not in Reader(chosen).text
    assert "run.memory" in Reader(others).text
    defaults = sum(origin == "default" for _, _, origin in facts.settings)
    assert f"{defaults} at the default" in show_settings(facts).hint


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "less than a second"), (1, "1 second"), (59.4, "59 seconds"), (60, "1 minute"),
        (125, "2 minutes 5 seconds"), (3_600, "1 hour"), (3_720, "1 hour 2 minutes"),
        (90_000, "1 day 1 hour"),
    ],
)  # fmt: skip
def test_a_length_of_time_is_in_words(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_moments_and_sizes_are_as_people_read_them() -> None:
    moment = datetime(2026, 11, 29, 10, 39, 38, 704857, tzinfo=UTC)
    assert format_moment(moment) == "29 Nov 2026, 10:39:38 UTC"
    assert [format_size(one) for one in (None, 1, 999, 14_713, 2_500_000_000)] == [
        "", "1 byte", "999 bytes", "14.7 kB", "2.5 GB",
    ]  # fmt: skip


def test_the_run_s_moments_have_no_fractions(fixed: RunFolder) -> None:
    text = Reader(render_report(collect_page_facts(fixed))).text
    assert "2 Jan 2026, 03:04:05 UTC" in text
    assert not re.search(r"\d\d:\d\d:\d\d\.\d", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Succeeded", "Succeeded"),
        ("contact_number_missing", "contact_number_missing"),
        (
            "PrimaryAddressCountryRegionISOCode",
            "Primary<wbr>Address<wbr>Country<wbr>Region<wbr>ISOCode",
        ),
        (
            "tasks.ContactToCustomer.fields.SiteId",
            "tasks.<wbr>Contact<wbr>To<wbr>Customer.<wbr>fields.<wbr>Site<wbr>Id",
        ),
        ("f" * 40, "f" * 16 + "<wbr>" + "f" * 16 + "<wbr>" + "f" * 8),
        ("<b> & more", "&lt;b&gt; &amp; more"),
        ("<i>" + "x" * 20, "&lt;i&gt;" + "x" * 13 + "<wbr>" + "x" * 7),
    ],
)
def test_words_break_where_a_reader_would(text: str, shown: str) -> None:
    assert str(soften(text)) == shown


def test_a_damaged_summary_has_no_tiles(small: Small, tmp_path: Path) -> None:
    _ = tmp_path
    run = small(0)
    run.summary.unlink()
    assert make_tiles(gather_evidence(run)) == ()
