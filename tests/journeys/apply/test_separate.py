"""``p2c run`` against a sandbox that was started as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_sales, connect_scm
from pipeline.run.journal import read_journal
from tests.journeys.apply.conftest import STATELESS, newest, outcomes
from tests.scenes.command_line import P2c

ROWS = 60
QUICK = (
    "--set",
    "run.poll=0.02s",
    "--set",
    "run.wait_known=1s",
    "--set",
    "destination.batch_rows=20",
    "--set",
    "destination.odata_rows=5",
)


@contextlib.contextmanager
def sandbox(faults: str = "") -> Iterator[dict[str, Any]]:
    """A sandbox of its own; its secret is in the environment."""
    words = [
        sys.executable,
        "-m",
        "pipeline.cli",
        "sandbox",
        "--rows",
        str(ROWS),
        "--faults",
        faults,
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(ready["secret_env"], ready["secret"])
                yield ready
        finally:
            process.terminate()


def project_of(ready: dict[str, Any], folder: Path, load: str) -> Path:
    path = folder / f"{load}-{ready['scm_url'].rpartition(':')[2]}.toml"
    text = Path(ready["project"]).read_text().replace('load = "packages"', f'load = "{load}"')
    path.write_text(text + STATELESS)
    return path


def keys_in_scm(project: Path) -> list[tuple[str, ...]]:
    """Keys of persons that SCM has, as often as it has them."""
    with connect_scm(load_project(project)) as scm:
        customers = [
            (str(row["dataAreaId"]), str(row["CustomerAccount"]))
            for page in scm.pages("CustomersV2")
            for row in page
            if row["PartyType"] == "Person"
        ]
        persons = [
            tuple(
                str(row[name])
                for name in ("dataAreaId", "ContactPersonPartyNumber", "AssociatedPartyNumber")
            )
            for page in scm.pages("CDSContactPersons")
            for row in page
        ]
    return [*customers, *persons]


def change(project: Path, contacts: list[str]) -> None:
    with connect_sales(load_project(project)) as sales:
        for one in contacts:
            assert sales.system.client.patch(
                f"api/data/v9.2/contacts({one})", json={"jobtitle": "Changed"}
            ).is_success


@pytest.mark.parametrize("load", ["packages", "odata"])
def test_only_what_changed_is_sent_and_all_of_it_to_another_scm(
    p2c: P2c, tmp_path: Path, load: str
) -> None:
    with sandbox() as ready:
        project = project_of(ready, tmp_path, load)
        first = p2c("run", "--project", project, "--json", *QUICK).object
        sent = first["outcomes"]["created"]
        assert sent == first["counts"]["customer"] + first["counts"]["contact"] > ROWS // 2
        again = p2c("run", "--project", project, "--json", *QUICK).object["outcomes"]
        assert {name: rows for name, rows in again.items() if rows} == {"unchanged": sent}
        persons = (
            outcomes(newest(Path("runs")))
            .filter(pl.col("task") == "Contacts")["contactid"]
            .to_list()
        )
        change(project, persons[:10])
        third = p2c("run", "--project", project, "--json", *QUICK).object["outcomes"]
        assert {name: rows for name, rows in third.items() if rows} == {
            "updated": 10,
            "unchanged": sent - 10,
        }
        assert p2c("verify", "latest").code == 0
    with sandbox() as ready:
        other = p2c("run", "--project", project_of(ready, tmp_path, load), "--json", *QUICK).object[
            "outcomes"
        ]
        assert other["created"] == sent


@pytest.mark.parametrize(
    ("load", "faults"),
    [
        ("packages", "scm.throttle=0.1:0.02,scm.error=0.1:503,scm.lost=0.08,seed=4"),
        ("odata", "scm.throttle=0.1:0.02,scm.error=0.1:503,scm.lost=0.1,scm.reset=0.05,seed=3"),
    ],
)
def test_whatever_goes_wrong_no_row_is_there_twice_and_none_is_lost(
    p2c: P2c, tmp_path: Path, load: str, faults: str
) -> None:
    with sandbox(faults) as ready:
        project = project_of(ready, tmp_path, load)
        answer = p2c("run", "--project", project, "--json", *QUICK)
        for _ in range(20):
            if answer.code != 3:
                break
            answer = p2c("apply", "latest", "--json", *QUICK[:4])
        assert answer.code == 0, answer.err
        written = outcomes(newest(Path("runs")))
        keys = keys_in_scm(project)
        assert len(keys) == len(set(keys))
        assert {"/".join(key) for key in keys} == set(written["destination_key"])
        assert set(written["outcome"]) <= {"created", "updated"}


@pytest.mark.parametrize("load", ["packages", "odata"])
def test_a_load_that_was_killed_continues(p2c: P2c, tmp_path: Path, load: str) -> None:
    with sandbox() as ready:
        project = project_of(ready, tmp_path, load)
        assert p2c("plan", "--project", project, *QUICK).code == 0
        run = newest(Path("runs"))
        kills = 0
        for _ in range(3):
            kills += _kill_in_the_middle(run.path / "journal.jsonl")
        assert kills
        assert p2c("apply", "latest", *QUICK[:4]).code == 0
        written = outcomes(run)
        keys = keys_in_scm(project)
        assert len(keys) == len(set(keys))
        assert {"/".join(key) for key in keys} == set(written["destination_key"])
        assert p2c("verify", "latest").code == 0


def _kill_in_the_middle(journal: Path) -> bool:
    """Start applying, and kill it once it has sent a little more; whether there was time to."""
    before = len(read_journal(journal).entries)
    words = [sys.executable, "-m", "pipeline.cli", "apply", "latest", *QUICK[:4]]
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    ) as process:
        while process.poll() is None:
            if journal.read_bytes().count(b"\n") >= before + 4:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
        return process.wait() == -signal.SIGKILL


def test_without_a_terminal_nothing_goes_beyond_this_machine(
    p2c: P2c, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.apply.consent.is_loopback", lambda _url: False)
    with sandbox() as ready:
        project = project_of(ready, tmp_path, "odata")
        refused = p2c("run", "--project", project, *QUICK)
        assert refused.code == 2
        assert "nothing was sent" in refused.err
        assert ready["scm_url"] in refused.err
        assert keys_in_scm(project) == []
        assert p2c("apply", "latest", "--yes", *QUICK[:4]).code == 0
