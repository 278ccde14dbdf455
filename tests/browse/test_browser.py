"""The pages in a real browser: found, read, copied; every width fits, nothing else is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.commands.browse import BrowseOptions, serve_run
from pipeline.commands.options import Flags
from tests.report.test_browser import MISSING, browser, serious
from tests.scenes.small import contactid, number

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"the browser test needs {', '.join(MISSING)}"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_a_contact_is_found_and_read(browser: Browser, common: Flags) -> None:
    context = browser.new_context(viewport={"width": 380, "height": 800})
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    with serve_run(common, BrowseOptions(run="latest")) as served:
        address = str(served.items[0]["address"])
        page.goto(address)
        assert page.inner_text("#found") == "2 contacts"
        assert serious(page, "all") == []
        page.fill("#text", "NUMBER3")
        page.click("button")
        page.click("text=Search in all contacts")
        assert page.inner_text("#found") == "1 contact"
        page.click("summary")
        assert page.input_value("#ids") == contactid(3)
        assert page.evaluate("document.documentElement.scrollWidth") == 380
        page.click(f"text={number(3)}")
        assert "customer/active_customer" in page.inner_text("main")
        assert serious(page, "all") == []
        assert page.evaluate("document.documentElement.scrollWidth") == 380
        assert said == []
        assert all(one.startswith(address) for one in asked)
        assert context.cookies() == []
    context.close()
