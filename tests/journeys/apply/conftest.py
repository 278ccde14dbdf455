"""A sandbox on the loopback interface, and a project whose contacts are generated there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.run.folder import RunFolder
from pipeline.sandbox.serve import Ready, SandboxOptions, run_sandbox
from tests.scenes.command_line import p2c
from tests.scenes.small import write_small

__all__ = ["p2c"]

SPEED = '[run]\npoll = "0.02s"\n'
STATELESS = (
    "[tasks.ContactToCustomer.fields.AddressState]\nunmapped = true\n"
    "[tasks.Contacts.fields.PrimaryAddressStateId]\nunmapped = true\n"
)
"""Twenty thousand states need not be read for each test."""

ACCOUNTS = (
    "dataAreaId,CustomerAccount,PartyNumber,PartyType,OrganizationName,CustomerGroupId,"
    "SalesCurrencyCode\n"
    "usmf,ACC-01000-ABCDEF,ACC-01000-ABCDEF,Organization,Fourth Coffee,10,EUR\n"
)
LOGIN = (
    'kind = "client_secret"\ntenant = "{tenant}"\nclient_id = "{client}"\nauthority = '
    '"{sales}"\nsecret_env = "{secret}"\n'
)


def project_text(ready: Ready, load: str, *, source: str = 'kind = "dataverse"') -> str:
    """A project of generated rows, loading into a sandbox."""
    login = LOGIN.format(
        tenant=ready.tenant, client=ready.client_id, sales=ready.sales_url, secret=ready.secret_env
    )
    live = f'url = "{ready.sales_url}"\n[source.auth]\n{login}' if "dataverse" in source else ""
    return (
        f'[source]\n{source}\n{live}[destination]\nload = "{load}"\nurl = '
        f'"{ready.scm_url}"\nlegal_entity = "usmf"\n'
        'currency = "EUR"\ncountry = "DE"\nbatch_rows = 2\nodata_rows = '
        f"2\n[destination.auth]\n{login}{SPEED}{STATELESS}"
    )


class World:
    """A running sandbox and a project file that points at it."""

    def __init__(self, ready: Ready, folder: Path) -> None:
        self.ready, self.folder = ready, folder

    def project(self, load: str = "packages", **more: str) -> Path:
        path = self.folder / f"{load}.toml"
        path.write_text(project_text(self.ready, load, **more))
        return path


Begin = Callable[..., World]


@pytest.fixture
def begin(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Begin]:
    """Starts sandboxes; the small source is in them, and as CSV in the project's folder."""
    with contextlib.ExitStack() as stack:

        def start(
            faults: str = "", contacts: list[dict[str, str]] | None = None, columns: str = ""
        ) -> World:
            folder = tmp_path_factory.mktemp("world")
            write_small(folder, contacts=contacts)
            (folder / "scm_columns.toml").write_text(columns)
            (folder / "known_customers.csv").write_text(ACCOUNTS)
            ready = stack.enter_context(run_sandbox(SandboxOptions(data=folder, faults=faults)))
            monkeypatch.setenv(ready.secret_env, ready.secret)
            return World(ready, folder)

        yield start


def newest(runs: Path) -> RunFolder:
    """The last run."""
    return RunFolder(max(path for path in runs.iterdir() if path.name[:1].isdigit()))


def facts(run: RunFolder) -> dict[str, Any]:
    """Its summary."""
    loaded = json.loads(run.summary.read_text())
    assert isinstance(loaded, dict)
    return loaded


def outcomes(run: RunFolder) -> pl.DataFrame:
    """Its outcomes."""
    return pl.read_parquet(run.outcomes)
