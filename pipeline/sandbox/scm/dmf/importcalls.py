"""The actions that bring packages in: where to upload, and the import."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus

from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.dmf.importing import ImportOrder
from pipeline.sandbox.scm.dmf.management import DataManagement, Parameters
from pipeline.sandbox.scm.dmf.package import PackageError


def get_write_url(dm: DataManagement, parameters: Parameters, root: str) -> str:
    """GetAzureWriteUrl: JSON in a string."""
    name = parameters["uniqueFileName"]
    if not name:
        raise PackageError("The file name is empty.")
    url = dm.blobs.url(root, name, rights="rcw", seconds=dm.switches.write_seconds)
    return json.dumps(
        {"BlobId": f"{{{str(uuid.uuid4()).upper()}}}", "BlobUrl": url}, separators=(",", ":")
    )


def import_package(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """ImportFromPackage: answers when the package is unpacked into staging."""
    return _start(dm, parameters, waits=True)


def import_package_async(dm: DataManagement, parameters: Parameters, _root: str) -> str:
    """ImportFromPackageAsync: answers at once."""
    return _start(dm, parameters, waits=False)


def _start(dm: DataManagement, parameters: Parameters, *, waits: bool) -> str:
    if dm.switches.import_fault:
        raise failures.action_failed(
            dm.switches.import_fault, status=HTTPStatus.INTERNAL_SERVER_ERROR
        )
    order = ImportOrder(
        group=parameters["definitionGroupId"],
        execution=parameters["executionId"],
        execute=parameters["execute"],
        overwrite=parameters["overwrite"],
        company=dm.company(parameters),
        waits=waits,
    )
    return dm.importer.start(order, dm.blobs.fetch(parameters["packageUrl"]))
