"""The page in a real browser.

An accessibility checker finds nothing serious, every width fits, nothing is fetched.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.report.facts import collect_page_facts
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
    """Pages of an applied run, a plan, a damaged run, a run with many refusals, and a backfill."""
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


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_no_width_makes_the_page_scroll_sideways(
    browser: Browser, pages: Pages, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for name, path in pages.items():
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()


def test_the_page_fetches_nothing_and_needs_no_script(browser: Browser, pages: Pages) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages["applied"].as_uri())
    assert asked == [pages["applied"].as_uri()]
    assert page.locator("h2").count() >= 6
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


def test_it_prints_without_losing_a_column(browser: Browser, pages: Pages) -> None:
    page = browser.new_page(viewport={"width": 700, "height": 1000})
    page.goto(pages["applied"].as_uri())
    page.emulate_media(media="print")
    too_wide = (
        "[...document.querySelectorAll('table, svg')].filter(one => "
        "one.getBoundingClientRect().right > 701).length"
    )
    assert page.evaluate(too_wide) == 0
    assert page.locator("nav").is_hidden()
    page.close()
