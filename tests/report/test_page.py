"""The page of a run: what it says, and that it adds up, does no harm and stays small."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from pipeline.audit.purge import find_personal_data, purge_run
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.report import report_run
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.report.causes import Cause, NamedContact, Place
from pipeline.report.facts import collect_page_facts
from pipeline.report.flow import FlowColumn, FlowLink, Node, draw_flow
from pipeline.report.page import LIMIT, render_report
from pipeline.report.throughput import Span, bin_spans, describe_throughput
from pipeline.run.files import write_json
from pipeline.run.folder import RunFolder, find_run
from tests.audit.test_findings import HARM, hostile
from tests.report.conftest import START, clock
from tests.scenes.json_files import read_json
from tests.scenes.small import write_small

Golden = Callable[[str, str], None]
Small = Callable[[int], RunFolder]


class Reader(HTMLParser):
    """The words of a page, its tags and its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self._silent = False
        self._joins = False
        """Whether text goes on behind a place where a word may be broken."""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._joins = tag == "wbr"
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self._silent = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._silent = False

    def handle_data(self, data: str) -> None:
        if self._joins:
            self.words[-1] += data
        elif not self._silent:
            self.words.append(data)
        self._joins = False

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "p", "strong", "small",
    "bdi", "ul", "ol", "li", "details", "summary", "wbr",
     "main", "section", "h2", "h3", "span", "figure", "figcaption", "div", "svg", "desc",
    "text", "tspan", "path", "rect",
    "line",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "br", "code", "footer",
}  # fmt: skip
"""All that a page is made of: nothing that runs, loads or submits."""


def test_the_page_of_a_run_reads_as_it_did(fixed: RunFolder, golden: Golden) -> None:
    golden("report.html", render_report(collect_page_facts(fixed)))


def test_a_run_of_which_scm_refused_a_third_says_what_to_fix_most_rows_first(
    refused: RunFolder,
) -> None:
    facts = collect_page_facts(refused)
    outcomes = read_json(refused.summary)["outcomes"]
    assert outcomes["failed"] / (outcomes["failed"] + outcomes["created"]) == pytest.approx(
        0.3, abs=0.01
    )
    refused_causes = [one for one in facts.causes if one.word == "refused"]
    rows = {one.code: one.rows for one in refused_causes}
    assert sum(rows.values()) == outcomes["failed"]
    assert rows.keys() == {
        "refused_reference",
        "refused_mandatory",
        "refused_exists",
        "refused_rule",
        "import_failed",
    }
    counts = [one.rows for one in refused_causes]
    assert counts == sorted(counts, reverse=True)
    page = render_report(facts)
    assert "Attention" in page
    assert page.index("import_failed") < page.index("refused_reference"), (
        "three sevenths are of one kind"
    )
    assert "nobody has seen before" not in page, "SCM's own words can hold values"
    assert f"{outcomes['failed']:,} failed" in page
    named = {example.contact for one in refused_causes for example in one.examples}
    known = pl.read_parquet(refused.decisions)["contact_number"]
    assert named <= set(known)


def test_equal_folders_give_equal_pages(fixed: RunFolder) -> None:
    assert render_report(collect_page_facts(fixed)) == render_report(collect_page_facts(fixed))


def test_the_page_loads_and_runs_nothing(sample_run: RunFolder) -> None:
    reader = Reader(render_report(collect_page_facts(sample_run, values=True)))
    assert reader.tags <= TAGS
    assert not {name for name in reader.attributes if name.startswith("on")} | (
        reader.attributes & {"src", "action", "srcset"}
    )
    assert {link[:1] for link in reader.links} == {"#"}
    page = render_report(collect_page_facts(sample_run))
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_every_equation_adds_up_on_the_page(sample_run: RunFolder) -> None:
    page = render_report(collect_page_facts(sample_run))
    equations = [
        Reader(one).text for one in re.findall(r'<p class="equation">.*?</p>', page, re.DOTALL)
    ]
    assert len(equations) == len(read_json(sample_run.summary)["equations"])
    for equation in equations:
        left, right = equation.split(" = ")
        numbers = [int(one.replace(",", "")) for one in re.findall(r"(\d[\d,]*) ", right + " ")]
        assert int(left.split(" ")[0].replace(",", "")) == sum(numbers), equation


def test_an_equation_that_does_not_hold_is_shown_as_one(small: Small) -> None:
    run = small(0)
    facts = read_json(run.summary)
    facts["equations"][1]["left"] += 1
    write_json(run.summary, facts)
    assert (
        "12 contacts ≠ 5 customer + 3 contact"
        in Reader(render_report(collect_page_facts(run))).text
    )


def test_the_page_shows_the_facts_of_the_summary(sample_run: RunFolder) -> None:
    text = Reader(render_report(collect_page_facts(sample_run))).text
    facts = read_json(sample_run.summary)
    for name, rows in facts["reasons"].items():
        assert re.search(rf"{rows:,} {name.split('/')[0]} .*?{name.split('/')[1]}", text), name
    found = collect_page_facts(sample_run)
    assert {one.code for one in found.causes} == facts["findings"].keys()
    assert all(one.advice for one in found.causes)
    fixes = {one.code: one.rows for one in found.causes if one.place == "fix"}
    stopped = {
        name.partition("/")[2]: rows
        for name, rows in facts["reasons"].items()
        if name.startswith(("held/", "rejected/"))
    }
    assert fixes == stopped, "a contact is counted once, whatever is wrong with it"
    of_run = {one["code"]: int(one["detail"]) for one in facts["counted"] if one["code"]}
    counted = {one.code: one.rows for one in found.causes if one.code in of_run}
    assert counted == of_run, "a warning of the run counts the rows it is about"
    assert f"p2c retry {sample_run.run}" in text


def test_no_personal_data_is_on_the_page_unless_asked_for(sample_run: RunFolder) -> None:
    contacts = pl.read_parquet(sample_run.source / "contacts.parquet")
    values = {
        value.strip()
        for name in (
            "emailaddress1",
            "telephone1",
            "fullname",
            "address1_line1",
            "description",
            "governmentid",
        )
        for value in contacts[name].drop_nulls()
        if len(value.strip()) > 5
    }
    page = Reader(render_report(collect_page_facts(sample_run))).text
    assert len(values) > 2000
    assert not [value for value in values if value in page]
    assert "divers" not in page
    shown = Reader(render_report(collect_page_facts(sample_run, values=True))).text
    assert "This page holds personal data" in shown
    assert "divers" in shown


@pytest.mark.parametrize("values", [False, True])
def test_names_full_of_html_and_control_characters_do_no_harm(tmp_path: Path, values: bool) -> None:
    project = write_small(tmp_path / "source")
    rows = [row | {"lastname": row["firstname"] * 4} for row in hostile()]
    names = list(rows[0])
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    text = "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n" for line in lines
    )
    (tmp_path / "source" / "contacts.csv").write_text(text, encoding="utf-8")
    common = Flags(
        project=project,
        runs=tmp_path / "runs",
        assignments=(f"source.filter=lastname <> '{HARM[8]}'",),
    )
    run = find_run(
        tmp_path / "runs", plan_contacts(common, PlanRequest(), report_nothing).summary.run
    )
    page = render_report(collect_page_facts(run, values=values))
    reader = Reader(page)
    assert reader.tags <= TAGS
    assert "onerror" not in reader.attributes
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert "&lt;script&gt;" in page  # the filter is a setting, and settings are shown
    assert ("img src=x" in reader.text) is values


def test_a_plan_that_was_not_applied_says_so_and_shows_what_is_planned(small: Small) -> None:
    text = Reader(render_report(collect_page_facts(small(1)))).text
    assert "planned, not applied" in text
    assert "No batch has finished yet." in text
    assert "customer upsert 5" in text


def backfill_of(run: RunFolder) -> RunFolder:
    """A backfill's folder: the plan's run with the tables and facts that a backfill has."""
    rows = 30
    pl.DataFrame(
        {
            "contactid": [f"00000000-0000-0000-0000-{place:012d}" for place in range(rows)],
            "action": ["number"] * 20 + ["activate"] * 10,
            "company_flag_before": [False] * rows,
            "company_flag_after": [True] * 3 + [False] * 27,
            "rank": [*range(20), *[None] * 10],
            "quotes": [1] * rows, "orders": [0] * rows, "invoices": [2] * rows,
            "outcome": ["updated"] * rows,
        }
    ).write_parquet(run.path / "backfill.parquet")  # fmt: skip
    counts = {"number": 20, "activate": 10}
    equation = {
        "equation": "contacts = number + activate",
        "left": 30,
        "right": 30,
        "terms": counts,
        "balanced": True,
    }
    summary = {
        "run": str(run.run),
        "kind": "backfill",
        "applied": True,
        "verdict": "clean",
        "balanced": True,
    }
    facts = {
        "equations": [equation],
        "counts": counts,
        "outcomes": {"updated": rows},
        "journal": "0",
    }
    write_json(run.summary, {**summary, **facts})
    for path in (run.decisions, run.findings, run.outcomes, run.batches):
        path.unlink()
    return run


def test_a_backfill_has_its_page_too(small: Small) -> None:
    page = render_report(collect_page_facts(backfill_of(small(0))))
    text = Reader(page).text
    assert "p2c backfill" in text
    assert "30 contacts = 20 number + 10 activate" in text
    assert "number updated 20 0 to 19 3 20 0 40" in text
    assert "What cannot be shown in full" not in text


@pytest.mark.parametrize("spoil", ["missing", "cut", "garbage"])
@pytest.mark.parametrize(
    "name",
    [
        "run.json", "summary.json", "journal.jsonl", "decisions.parquet", "findings.parquet",
        "outcomes.parquet",
        "batches.parquet",
    ],
)  # fmt: skip
def test_a_damaged_run_shows_what_it_can_and_says_what_it_cannot(
    small: Small, name: str, spoil: str
) -> None:
    run = small(0)
    path = run.path / name
    match spoil:
        case "missing":
            path.unlink()
        case "cut":
            path.write_bytes(path.read_bytes()[:-40])
        case _:
            path.write_bytes(b"\x00garbage\xff" * 40)
    text = Reader(render_report(collect_page_facts(run))).text
    assert "What cannot be shown in full" in text
    assert re.search(
        rf"{re.escape(name)}[^.]* (is missing|cannot be read|is not valid|torn|chain)", text
    )
    assert "Proof" in text
    if name != "summary.json":
        assert "5 customer + 3 contact" in text


def test_a_run_that_is_still_going_says_so(small: Small) -> None:
    run = small(0)
    kept = [
        line
        for line in run.journal.read_bytes().splitlines(keepends=True)
        if b'"event":"applied"' not in line
    ]
    run.journal.write_bytes(b"".join(kept))
    assert (
        "This run is still going, or was stopped"
        in Reader(render_report(collect_page_facts(run))).text
    )


def test_a_run_of_an_older_version_is_shown_with_what_it_has(small: Small) -> None:
    run = small(0)
    facts = read_json(run.summary)
    for name in ("counts", "kind"):
        del facts[name]
    facts["findings"] = {"code_of_old": 3}
    write_json(run.summary, facts)
    findings = pl.read_parquet(run.findings).with_columns(code=pl.lit("code_of_old"))
    findings.write_parquet(run.findings)
    text = Reader(render_report(collect_page_facts(run))).text
    assert "summary.json does not say kind, counts: another version of p2c wrote it" in text
    assert "Another version of p2c wrote this code" in text


def test_a_purged_run_has_no_values_to_show(small: Small) -> None:
    run = small(0)
    before, found = collect_page_facts(run, values=True), find_personal_data(run)
    assert any(one.values for one in before.causes)
    assert found is not None
    purge_run(found, clock)
    facts = collect_page_facts(run, values=True)
    assert facts.causes
    assert not any(one.values for one in facts.causes)


def test_the_page_stays_under_its_limit_at_any_size(sample_run: RunFolder) -> None:
    facts = collect_page_facts(sample_run, values=True)
    wide = "<&'\u202e" * 200
    cause = Cause(
        code=wide,
        place="fix",
        word="rejected",
        rows=1,
        sentence=wide,
        advice=wide,
        columns=((wide, 1),) * 5,
        examples=(NamedContact(contact=wide, href=wide),) * 3,
        values=(wide,) * 5,
    )
    causes = [dataclasses.replace(cause, place=place) for place in get_args(Place)]
    grown = dataclasses.replace(
        facts,
        causes=tuple(causes) * 2_000,
        batches=facts.batches * 2_000, batch_totals=facts.batch_totals * 2_000,
        legal_entities=facts.legal_entities * 2_000,
        settings=((wide, wide, wide),) * 2_000, sources=facts.sources * 2_000,
        value_maps=facts.value_maps * 200,
        spans=tuple(
            Span(start=None, end=START + timedelta(seconds=place), rows=1)
            for place in range(2_000)
        ),
    )  # fmt: skip
    page = render_report(grown)
    assert len(page.encode()) <= LIMIT
    assert "are shown; batches.parquet has them all" in page


def test_a_long_list_is_cut_and_said(sample_run: RunFolder) -> None:
    facts = collect_page_facts(sample_run)
    page = render_report(dataclasses.replace(facts, batches=facts.batches * 100))
    assert "The first 500 of 800 are shown; batches.parquet has them all." in page


def test_the_command_writes_the_page_into_the_run_or_to_a_named_file(
    small: Small, tmp_path: Path
) -> None:
    run = small(0)
    common = Flags(runs=run.path.parent)
    result = report_run(common, str(run.run), to=None, values=False, listener=report_nothing)
    assert (run.path / "report.html").stat().st_size == result.items[0]["bytes"]
    report_run(common, str(run.run), to=tmp_path / "x.html", values=True, listener=report_nothing)
    assert (tmp_path / "x.html").is_file()


def test_bands_of_the_flow_have_the_height_of_their_rows() -> None:
    columns = [
        FlowColumn(heading="a", nodes=(Node(name="all", rows=100, tone="source"),)),
        FlowColumn(
            heading="b",
            nodes=(
                Node(name="<most>", rows=90, tone="done"),
                Node(name="few", rows=10, tone="wrong"),
            ),
        ),
    ]
    links = [
        FlowLink(column=0, source="all", target="<most>", rows=90),
        FlowLink(column=0, source="all", target="few", rows=10),
    ]
    picture = str(draw_flow(columns, links, title="t", description="d"))
    heights = [float(one) for one in re.findall(r'<rect[^>]* height="([\d.]+)"', picture)]
    assert heights[0] == pytest.approx(heights[1] + heights[2], abs=0.2)
    assert "&lt;most&gt;" in picture
    assert "<most>" not in picture


def test_throughput_spreads_every_row_over_the_time_it_took() -> None:
    spans = [
        Span(start=START, end=START + timedelta(seconds=60), rows=600),
        Span(start=START + timedelta(seconds=60), end=START + timedelta(seconds=120), rows=60),
    ]
    found = bin_spans(spans)
    assert found is not None
    assert sum(found.rows) == pytest.approx(660)
    assert found.rates[0] == pytest.approx(10)
    assert found.rates[-1] == pytest.approx(1)
    assert (
        describe_throughput(found)
        == "660 rows in 2 minutes, 5.5 rows/s on average, 10.0 rows/s at the fastest."
    )
    assert bin_spans([]) is None
    assert bin_spans([Span(start=None, end=START, rows=5)]) is None


def test_a_page_needs_no_more_than_the_run_folder(small: Small, tmp_path: Path) -> None:
    run = small(0)
    before = render_report(collect_page_facts(run))
    alone = tmp_path / "elsewhere" / run.path.name
    alone.parent.mkdir()
    run.path.rename(alone)
    assert render_report(collect_page_facts(RunFolder(alone))) == before


def facts_by_name(found: Any) -> dict[str, Any]:
    return {one.name: getattr(found, one.name) for one in dataclasses.fields(found)}


def test_facts_do_not_depend_on_whether_values_are_shown_but_for_the_values(
    sample_run: RunFolder,
) -> None:
    plain, shown = (
        facts_by_name(collect_page_facts(sample_run)),
        facts_by_name(collect_page_facts(sample_run, values=True)),
    )
    for name in ("equations", "links", "reasons", "legal_entities", "batches", "settings"):
        assert plain[name] == shown[name]
    assert plain["causes"] != shown["causes"]
