"""``p2c run`` after it was stopped while it loaded: the same command finishes what it began."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.run.folder import find_runs
from tests.journeys.apply.conftest import Begin, begin, facts, newest
from tests.scenes.command_line import P2c, p2c
from tests.scenes.small import CUSTOMERS, PERSONS

__all__ = ["begin", "p2c"]

FILES = 'kind = "files"\npath = "."'


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Stops the command when a request has arrived in SCM and its answer has not come yet."""
    send = httpx.Client.send

    def stop(at: int) -> None:
        left = at

        def send_and_stop(client: httpx.Client, request: httpx.Request, **more: Any) -> Any:
            nonlocal left
            answer = send(client, request, **more)
            left -= request.url.path.endswith("$batch")
            if not left:
                left -= 1
                answer.close()
                raise KeyboardInterrupt
            return answer

        monkeypatch.setattr(httpx.Client, "send", send_and_stop)

    return stop


@pytest.fixture
def stopped(begin: Begin, p2c: P2c, stop_after: Callable[[int], None]) -> Path:
    """The project of a run that was stopped after its second request had arrived."""
    project = begin().project("odata", source=FILES)
    stop_after(2)
    assert p2c("run", "--project", project, "--set", "run.odata_requests=1").code == 3
    return project


def test_the_same_command_finishes_the_load_and_names_it(stopped: Path, p2c: P2c) -> None:
    first = newest(Path("runs"))
    assert not facts(first)["applied"]
    again = p2c("run", "--project", stopped, "--json")
    assert again.code == 1, again.err
    assert again.object["outcomes"]["unchanged"] == CUSTOMERS + PERSONS
    assert again.object["reasons"].get("held/takeover", 0) == 0
    [finished] = again.object["items"]
    assert finished["finished"] == first.run
    assert finished["outcomes"]["created"] == CUSTOMERS + PERSONS
    assert facts(first)["applied"]
    assert p2c("verify", first.run).code == 0


def test_people_read_which_run_was_finished(stopped: Path, p2c: P2c) -> None:
    first = newest(Path("runs"))
    text = p2c("run", "--project", stopped).out
    assert f"the run {first.run}, which had been stopped, was finished: 8 created." in text


@pytest.mark.parametrize("command", [("plan",), ("retry", "latest")])
def test_a_plan_beside_it_is_refused_and_names_it(
    stopped: Path, p2c: P2c, command: tuple[str, ...]
) -> None:
    first = newest(Path("runs"))
    answer = p2c(*command, "--project", stopped)
    assert answer.code == 2
    assert f"`p2c apply {first.run}` finishes it; then run the same command again" in answer.err
    assert [one.run for one in find_runs(Path("runs"))] == [first.run]
    assert p2c("apply", first.run).code == 1
    assert p2c(*command, "--project", stopped).code == 1


def test_an_older_plan_does_not_start_beside_it(
    begin: Begin, p2c: P2c, stop_after: Callable[[int], None]
) -> None:
    project = begin().project("odata", source=FILES)
    assert p2c("plan", "--project", project, "--limit", "4").code == 0
    older = newest(Path("runs")).run
    stop_after(2)
    assert p2c("run", "--project", project, "--set", "run.odata_requests=1").code == 3
    first = next(one.run for one in find_runs(Path("runs")) if one.run != older)
    answer = p2c("apply", older)
    assert answer.code == 2
    assert f"`p2c apply {first}` finishes it" in answer.err


def test_another_destination_is_planned(stopped: Path, p2c: P2c) -> None:
    other = ("--set", "destination.name=other")
    assert p2c("plan", "--project", stopped, *other).code == 1


def test_the_twin_is_asked_for_what_was_sent(stopped: Path, p2c: P2c) -> None:
    """The finished run ends as if it had never been stopped: nothing failed, nothing unknown."""
    first = newest(Path("runs"))
    p2c("run", "--project", stopped)
    outcomes = facts(first)["outcomes"]
    assert (outcomes["failed"], outcomes["unknown"]) == (0, 0)


def test_a_backfill_beside_an_unfinished_one_is_refused_and_names_it(
    begin: Begin, p2c: P2c, stop_after: Callable[[int], None]
) -> None:
    project = begin().project("folder")
    assert p2c("backfill", "--project", project).code < 2
    first = newest(Path("runs"))
    stop_after(1)
    assert p2c("apply", first.run).code == 3
    answer = p2c("backfill", "--project", project)
    assert answer.code == 2
    assert f"`p2c apply {first.run}` finishes it; then run the same command again" in answer.err
    assert [one.run for one in find_runs(Path("runs"))] == [first.run]
    assert p2c("apply", first.run).code < 2
    assert p2c("backfill", "--project", project, "--json").object["outcomes"]["pending"] == 0


def test_its_report_does_not_say_that_all_is_where_it_belongs(stopped: Path, p2c: P2c) -> None:
    said = p2c("report", "latest").out
    assert said.startswith("Stopped: the run was begun and has not ended")
    assert "belong" not in said
    p2c("run", "--project", stopped)
    assert p2c("report", newest(Path("runs")).run).out.startswith("Attention: ")


def test_once_it_is_purged_nothing_can_finish_it_and_every_command_says_so(
    stopped: Path, p2c: P2c
) -> None:
    first = newest(Path("runs"))
    assert p2c("purge", first.run, "--yes").code == 0
    again = p2c("apply", first.run, "--yes")
    assert again.code == 2
    assert "was purged before its load ended, so nothing can continue it. Move" in again.err
    assert p2c("run", "--project", stopped, "--yes").code == 2
    other = p2c("plan", "--project", stopped)
    assert other.code == 2
    assert f"the load {first.run} was purged before it ended" in other.err
    assert "nothing can continue it" in p2c("report", first.run).out
    first.path.rename("elsewhere")
    assert p2c("run", "--project", stopped, "--yes", "--take-over").code == 1


def test_a_plan_that_was_purged_is_refused_and_a_load_that_ended_is_not(
    begin: Begin, p2c: P2c
) -> None:
    project = begin().project("odata", source=FILES)
    p2c("plan", "--project", project)
    plan = newest(Path("runs")).run
    assert p2c("purge", plan, "--yes").code == 0
    refused = p2c("apply", plan, "--yes")
    assert (refused.code, "was purged, and nothing is left to send" in refused.err) == (2, True)
    assert p2c("run", "--project", project, "--yes").code == 1
    load = newest(Path("runs")).run
    assert p2c("purge", load, "--yes").code == 0
    assert p2c("apply", load, "--yes").code == 1
