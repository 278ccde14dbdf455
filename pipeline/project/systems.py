"""A project's Sales and SCM as clients: the one place where settings become connections."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipeline.errors import ConfigurationError, UsageError
from pipeline.events import Listener, Step, report_nothing
from pipeline.lazy import import_lazily
from pipeline.project.resolve import Project
from pipeline.project.settings import refuse_same_system
from pipeline.wire.login.settings import SystemSettings

if TYPE_CHECKING:
    import httpx

    from pipeline.wire import client, dataverse, scm, system
    from pipeline.wire.dataverse import Sales
    from pipeline.wire.login.auth import Credential
    from pipeline.wire.scm import Scm
    from pipeline.wire.store import opening
    from pipeline.wire.system import System
else:
    client = import_lazily("pipeline.wire.client")
    dataverse = import_lazily("pipeline.wire.dataverse")
    scm = import_lazily("pipeline.wire.scm")
    system = import_lazily("pipeline.wire.system")
    opening = import_lazily("pipeline.wire.store.opening")

SALES, SCM, BLOBS = "Sales", "SCM", "Blob storage"
"""What messages call the systems."""


@contextmanager
def connect_sales(
    project: Project,
    *,
    environment: Mapping[str, str] = os.environ,
    credential: Credential | None = None,
    listener: Listener = report_nothing,
) -> Iterator[Sales]:
    """The Sales that a project reads. Nothing is sent yet.

    Args:
        project: its ``[source]`` says where and who.
        environment: holds the secrets, under the names in the settings.
        credential: any ``TokenCredential``, instead of ``[source.auth]``.
        listener: hears how long Sales asks p2c to wait.

    Raises:
        ConfigurationError: the project reads files, its two systems are one, or a variable or file
            that it names is not there.
    """
    place = _require_system(
        project, project.sales, "source.kind", 'the source is files; this needs kind = "dataverse".'
    )
    with _connect(project, place, "source", environment, credential) as http:
        reached = _make_system(SALES, http, project, place.parallel, listener)
        yield dataverse.Sales(system=reached)


@contextmanager
def connect_scm(
    project: Project,
    *,
    environment: Mapping[str, str] = os.environ,
    credential: Credential | None = None,
    listener: Listener = report_nothing,
) -> Iterator[Scm]:
    """The SCM that a project looks at and loads into. Nothing is sent yet.

    Arguments and errors as for ``connect_sales``.
    """
    place = _require_system(
        project, project.scm, "destination.url", "is not set, so there is no SCM to ask."
    )
    with (
        _connect(project, place, "destination", environment, credential) as http,
        client.make_client(
            place.url,
            verify=client.load_trust(place.ca_path(project.folder)),
            connections=place.parallel,
        ) as unsigned,
    ):
        reached, blobs = (
            _make_system(name, one, project, place.parallel, listener)
            for name, one in ((SCM, http), (BLOBS, unsigned))
        )
        hosts = project.settings.destination.blob_hosts
        yield scm.Scm(system=reached, blobs=blobs, blob_hosts=hosts)


def open_source(project: Project, *, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of exports: one of this machine, or one of an object store.

    That is no ``Path``, but has as much of one as readers of a folder use.

    Raises:
        UsageError: Sales itself is the source, or the packages that read stores are missing.
        SourceError: the folder is not there.
        ConfigurationError: the login or the account is missing.
    """
    source = project.settings.source
    if source.location is None:
        return project.require_folder()
    try:
        found = opening.open_location(
            source.location, source.auth, environment=environment, folder=project.folder
        )
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipeline"):
            raise
        raise UsageError(
            'an object store needs packages that are not installed: pip install "p2c[stores]"',
            where="source.path",
        ) from error
    except ConfigurationError as error:
        if not error.where.startswith("auth."):
            raise
        raise ConfigurationError(error.message, where=f"source.{error.where}") from error
    return cast("Path", found)


def _require_system(
    project: Project, place: SystemSettings | None, where: str, otherwise: str
) -> SystemSettings:
    if place is None:
        raise ConfigurationError(otherwise, where=where)
    if project.sales is not None and project.scm is not None:
        refuse_same_system(project.sales.url, project.scm.url)
    return place


@contextmanager
def _connect(
    project: Project,
    place: SystemSettings,
    section: str,
    environment: Mapping[str, str],
    credential: Credential | None,
) -> Iterator[httpx.Client]:
    try:
        http = client.connect(
            place, environment=environment, folder=project.folder, credential=credential
        )
    except ConfigurationError as error:
        raise ConfigurationError(error.message, where=f"{section}.{error.where}") from error
    with http:
        yield http


def _make_system(
    name: str, http: httpx.Client, project: Project, parallel: int, listener: Listener
) -> System:
    return system.make_system(
        name,
        http,
        parallel=parallel,
        longest_wait=project.settings.run.system_wait,
        tell=lambda note: listener(Step(name="", done=0, note=note)),
    )
