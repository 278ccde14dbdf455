"""A sandbox on the loopback interface, projects that point at it, and the command line on them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_sales, connect_scm
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.serve import Ready, SandboxOptions, run_sandbox
from tests.scenes.command_line import p2c
from tests.scenes.small import contactid, write_small

__all__ = ["p2c"]

Sandbox = Callable[..., "World"]
FLOW = (
    'kind = "client_secret"\ntenant = "{tenant}"\nclient_id = "{client}"\nauthority = '
    '"{sales}"\nsecret_env = "{secret}"\n'
)
STATELESS = (
    "[tasks.ContactToCustomer.fields.AddressState]\nunmapped = true\n"
    "[tasks.Contacts.fields.PrimaryAddressStateId]\nunmapped = true\n"
)
"""Twenty thousand states need not be read for each test."""

ROUTES = 'legal_entity = "usmf"\ncurrency = "EUR"\ncountry = "DE"\nbatch_rows = 2\n'


class World:
    """A running sandbox and ways to change what is in it."""

    def __init__(self, ready: Ready, project: Path) -> None:
        self.ready, self.project = ready, project

    def patch(self, number: int, **cells: Any) -> None:
        """Change a contact in Sales."""
        with connect_sales(load_project(self.project)) as sales:
            answer = sales.system.client.patch(
                f"api/data/v9.2/contacts({contactid(number)})", json=cells
            )
            assert answer.is_success, answer.text

    def delete(self, number: int) -> None:
        """Delete a contact in Sales."""
        with connect_sales(load_project(self.project)) as sales:
            assert sales.system.client.delete(
                f"api/data/v9.2/contacts({contactid(number)})"
            ).is_success

    def add(self, entity_set: str, **cells: Any) -> None:
        """Add a row in SCM."""
        with connect_scm(load_project(self.project)) as scm:
            answer = scm.system.client.post(f"data/{entity_set}", json=cells)
            assert answer.is_success, answer.text


def project_text(ready: Ready, load: str = "packages") -> str:
    """A project of the small source, live on both sides."""
    login = FLOW.format(
        tenant=ready.tenant, client=ready.client_id, sales=ready.sales_url, secret=ready.secret_env
    )
    return (
        f'[source]\nkind = "dataverse"\nurl = "{ready.sales_url}"\n[source.auth]\n{login}'
        f'[destination]\nload = "{load}"\nurl = '
        f'"{ready.scm_url}"\n{ROUTES}[destination.auth]\n{login}{STATELESS}'
    )


def begun(
    stack: contextlib.ExitStack,
    folder: Path,
    faults: str = "",
    contacts: list[dict[str, str]] | None = None,
    switches: Switches = STRICT,
) -> World:
    """A sandbox with the small source in it, until the stack ends."""
    write_small(folder, contacts=contacts)
    options = SandboxOptions(data=folder, faults=faults, switches=switches)
    ready = stack.enter_context(run_sandbox(options))
    path = folder / "live.toml"
    path.write_text(project_text(ready))
    return World(ready, path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One sandbox for tests that only look."""
    with contextlib.ExitStack() as stack:
        yield begun(stack, tmp_path_factory.mktemp("shared"))


@pytest.fixture
def logged(shared: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The shared sandbox."""
    monkeypatch.setenv(shared.ready.secret_env, shared.ready.secret)
    return shared


@pytest.fixture
def sandbox(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandbox]:
    """Starts sandboxes with the small source in them."""
    with contextlib.ExitStack() as stack:

        def start(
            faults: str = "",
            contacts: list[dict[str, str]] | None = None,
            switches: Switches = STRICT,
        ) -> World:
            folder = tmp_path_factory.mktemp("sandbox")
            world = begun(stack, folder, faults, contacts, switches)
            monkeypatch.setenv(world.ready.secret_env, world.ready.secret)
            return world

        yield start
