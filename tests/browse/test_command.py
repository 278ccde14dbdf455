"""``p2c browse``: where the pages are, and what cannot be looked through."""

from __future__ import annotations

import socket
from collections.abc import Callable

import httpx
import pytest

from pipeline.commands.browse import BrowseOptions, serve_run
from pipeline.commands.explain import find_contacts
from pipeline.commands.options import Flags
from pipeline.errors import Stopped, UsageError
from pipeline.run.folder import RunFolder
from tests.report.test_page import backfill_of


def browse(common: Flags, **options: object) -> None:
    with serve_run(common, BrowseOptions(run="latest", **options)):  # type: ignore[arg-type]
        pass


def test_the_address_serves_until_the_command_ends_and_is_new_each_time(common: Flags) -> None:
    addresses = []
    for _ in range(2):
        with serve_run(common, BrowseOptions(run="latest")) as served:
            addresses.append(str(served.items[0]["address"]))
            assert httpx.get(addresses[-1]).status_code == 200
            assert httpx.get(addresses[-1].rsplit("/", 2)[0]).status_code == 404
            assert f"Open {addresses[-1]}\n" in str(served.text)
        with pytest.raises(httpx.ConnectError):
            httpx.get(addresses[-1])
    assert addresses[0].split("/")[3] != addresses[1].split("/")[3]


def test_a_port_that_is_taken_is_named(common: Flags) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Stopped, match=f"p2c browse: port {port} .* with --port"):
            browse(common, port=port)


@pytest.mark.parametrize("url", ["http://sales.example", "javascript:1", "", "sales.example"])
def test_links_lead_to_https_only(common: Flags, url: str) -> None:
    with pytest.raises(UsageError, match="does not begin with https://"):
        browse(common, sales_url=url)


@pytest.mark.parametrize(
    "look", [browse, lambda common: find_contacts(common, "Ada", "2")], ids=["browse", "find"]
)
def test_a_backfill_is_no_run_to_search_in(
    common: Flags, run: RunFolder, look: Callable[[Flags], object]
) -> None:
    backfill_of(run)
    with pytest.raises(UsageError, match="this is the run of a backfill"):
        look(common)


def test_a_run_without_decisions_is_said(common: Flags, run: RunFolder) -> None:
    run.decisions.unlink()
    with pytest.raises(UsageError, match="p2c verify"):
        browse(common)
