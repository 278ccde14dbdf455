"""The actions that make packages of what SCM has."""

from __future__ import annotations

import uuid

from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.dmf import exporting
from pipeline.sandbox.scm.dmf.execution import Execution
from pipeline.sandbox.scm.dmf.management import DataManagement, Parameters
from pipeline.sandbox.scm.dmf.package import PackageError, read_package


def export_to_package(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """ExportToPackage and its kin: all rows, or the first ``count``."""
    name, groups = parameters["definitionGroupId"], dm.importer.groups
    if groups.find(name) is None:
        raise PackageError(f"Definition group '{name}' does not exist.")
    return _export(dm, parameters, name, int(parameters.get("count", 0)))


def export_from_package(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """ExportFromPackage: the entities of a package that is used as a pattern."""
    name = parameters["definitionGroupId"]
    package = read_package(dm.blobs.fetch(parameters["packageUrl"]))
    dm.importer.groups.prepare(name, package, overwrite=parameters["overwrite"])
    return _export(dm, parameters, name, 0)


def _export(dm: DataManagement, parameters: Parameters, name: str, most: int) -> str:
    importer, company = dm.importer, dm.company(parameters)
    details = importer.groups.details(name)
    content = exporting.write_package(
        importer.desk.store, dm.switches, name, details, company, most
    )
    now, identity = dm.now(), parameters["executionId"] or f"{{{str(uuid.uuid4()).upper()}}}"
    blob = f"{parameters.get('packageName') or name}-{uuid.uuid4()}.zip"
    dm.blobs.put(blob, content, "application/zip")
    ready = now + dm.switches.import_seconds
    importer.executions[identity] = Execution(
        id=identity,
        group=name,
        company=company,
        started=now,
        visible_at=now,
        ready_at=ready,
        operation="Export",
        done=True,
        package=blob,
    )
    return identity


def get_package_url(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetExportedPackageUrl."""
    execution = dm.execution(parameters)
    if not execution.package or not execution.over(dm.now()):
        raise failures.action_failed(f"Execution '{execution.id}' has no exported package.")
    return dm.blobs.url(root, execution.package, rights="r", seconds=dm.switches.link_seconds)
