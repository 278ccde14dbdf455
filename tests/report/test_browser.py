"""The page in a real browser.

An accessibility checker finds nothing serious, every width fits, nothing is fetched.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.report.facts import collect_page_facts
from pipeline.report.index import index_runs, render_index
from pipeline.report.page import render_report
from pipeline.run.folder import RunFolder
from tests.report.test_page import backfill_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
MISSING: Final = [
    *([] if importlib.util.find_spec("playwright") else ["playwright"]),
    *([] if importlib.util.find_spec("axe_playwright_python") else ["axe-playwright-python"]),
    *([] if CHROMIUM else ["chromium"]),
]
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"the browser test needs {', '.join(MISSING)}"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Pages = dict[str, Path]
RULES: Final[dict[str, dict[str, Any]]] = {
    "all": {"resultTypes": ["violations"]},
    "colours": {
        "resultTypes": ["violations"],
        "runOnly": {"type": "rule", "values": ["color-contrast"]},
    },
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with importlib.import_module("playwright.sync_api").sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def pages(small: Callable[[int], RunFolder], refused: RunFolder, tmp_path: Path) -> Pages:
    """Pages of a load, a plan, a damaged run, one with many refusals, a backfill, and of all."""
    plan = render_report(collect_page_facts(small(1)))
    damaged = small(0)
    applied = render_report(collect_page_facts(damaged, values=True))
    damaged.outcomes.write_bytes(b"x")
    texts = {
        "applied": applied,
        "plan": plan,
        "refused": render_report(collect_page_facts(refused, values=True)),
        "damaged": render_report(collect_page_facts(damaged)),
        "backfill": render_report(collect_page_facts(backfill_of(damaged))),
        "index": render_index(index_runs([damaged, small(1), refused], tmp_path / "index.html")),
    }
    found = {}
    for name, text in texts.items():
        found[name] = tmp_path / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found


def serious(page: Any, rules: str) -> list[str]:
    checker = importlib.import_module("axe_playwright_python.sync_playwright").Axe()
    violations = checker.run(page, options=RULES[rules]).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("scheme", "rules"), [("light", "all"), ("dark", "colours")])
def test_the_accessibility_checker_finds_nothing_serious(
    browser: Browser, pages: Pages, scheme: Any, rules: str
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    for name, path in pages.items() if rules == "all" else [("damaged", pages["damaged"])]:
        page = context.new_page()
        page.goto(path.as_uri())
        assert serious(page, rules) == [], name
        page.close()
    context.close()


def test_the_checker_would_find_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(
        "<html><body><img src='x'><p style='color:#eee;background:#fff'>pale</p></body></html>"
    )
    page = browser.new_page()
    page.goto((tmp_path / "bad.html").as_uri())
    assert len(serious(page, "all")) >= 2
    assert serious(page, "colours")
    page.close()


OPEN: Final = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
CUT: Final = """
[...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    const hides = one.closest('.skip, thead, caption, figure.drawing > svg *, .meter *');
    return !hides && box.width > 0 && box.right > document.documentElement.clientWidth + 1;
}).map(one => one.outerHTML.slice(0, 160))
"""
"""What ends behind the right edge, and would have to be scrolled to."""

BROKEN: Final = """
[...document.querySelectorAll('h1, h2, h3, p, li, th, td, small, summary')].flatMap(one => {
    const found = [];
    const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        for (const word of walk.currentNode.data.matchAll(/[A-Za-z]{2,22}/g)) {
            const range = document.createRange();
            range.setStart(walk.currentNode, word.index);
            range.setEnd(walk.currentNode, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
            if (lines.size > 1) found.push(word[0]);
        }
    }
    return found;
})
"""
"""Words that stand on two lines."""


@pytest.mark.parametrize("width", [380, 900, 1400])
def test_nothing_is_cut_and_no_word_is_broken_at_any_width(
    browser: Browser, pages: Pages, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for name, path in pages.items():
        page.goto(path.as_uri())
        page.evaluate(OPEN)
        assert page.evaluate(CUT) == [], name
        assert page.evaluate(BROKEN) == [], name
    page.close()


def test_what_is_too_wide_and_what_is_broken_would_be_found(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "bad.html").write_text(
        "<p style='width: 3ch; overflow-wrap: anywhere'>Succeeded</p>"
        "<div style='overflow-x: auto'><table><tr><td style='width: 999px'>x</table></div>"
    )
    page = browser.new_page(viewport={"width": 380, "height": 800})
    page.goto((tmp_path / "bad.html").as_uri())
    assert page.evaluate(BROKEN) == ["Succeeded"]
    assert page.evaluate("document.querySelector('td').style.minWidth = '999px'")
    assert len(page.evaluate(CUT)) >= 1
    page.close()


def test_the_first_screen_has_the_verdict_the_tiles_and_what_to_fix(
    browser: Browser, pages: Pages
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(pages["refused"].as_uri())
    for sign in (".verdict", ".tiles", "#findings", ".fixes > li:nth-child(2)"):
        box = page.locator(sign).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900, sign
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height < 4 * 900
    page.close()


def test_the_page_fetches_nothing_and_needs_no_script(browser: Browser, pages: Pages) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages["applied"].as_uri())
    assert asked == [pages["applied"].as_uri()]
    assert page.locator("h2").count() >= 4
    assert page.locator("details.section").count() >= 8
    context.close()


def test_the_keyboard_reaches_the_report_and_every_table(browser: Browser, pages: Pages) -> None:
    page = browser.new_page()
    page.goto(pages["applied"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    regions = page.locator('[role="region"]')
    assert regions.count() == page.locator('[role="region"][tabindex="0"][aria-label]').count() > 8
    assert page.locator("table").count() == page.locator("table > caption").count()
    page.close()


A4: Final[Any] = {"width": 703, "height": 1032}
"""Pixels inside the margins."""


def test_it_prints_without_losing_a_column(browser: Browser, pages: Pages) -> None:
    page = browser.new_page(viewport=A4)
    for name, path in pages.items():
        page.goto(path.as_uri())
        page.emulate_media(media="print")
        assert page.evaluate(CUT) == [], name
        assert page.evaluate(BROKEN) == [], name
    page.close()


def test_what_is_folded_is_printed_but_for_what_nobody_chose(
    browser: Browser, pages: Pages
) -> None:
    page = browser.new_page(viewport=A4)
    page.goto(pages["refused"].as_uri())
    folded = page.locator("details.section > :not(summary)")
    inner = page.locator("details.screen")
    assert not any(one.is_visible() for one in folded.all())
    page.emulate_media(media="print")
    shown = [one for one in folded.all() if one.is_visible()]
    assert len(shown) == folded.count() - inner.count()
    assert page.locator("details:not([class]) .fixes > li").last.is_visible()
    assert not any(one.is_visible() for one in inner.all())
    page.close()


def test_the_samples_print_on_six_pages(
    browser: Browser, sample_run: RunFolder, tmp_path: Path
) -> None:
    path = tmp_path / "samples.html"
    path.write_text(render_report(collect_page_facts(sample_run)), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    page.close()
