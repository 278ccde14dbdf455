"""``make sbom``: what p2c is made of, as CycloneDX 1.6, from the metadata of installed packages."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, version
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tests.supply.packages import Packages, find_packages

FILE: Final = "p2c.cdx.json"


def describe(found: Packages, own_version: str) -> dict[str, Any]:
    """The bill of materials: the same packages make the same text, so there is no time in it."""
    parts = [_describe(name, one) for name, one in sorted(found.installed.items())]
    own = {"type": "application", "name": "p2c", "version": own_version, "bom-ref": "p2c"}
    refs = {"p2c": "p2c", **{one["name"]: one["bom-ref"] for one in parts}}
    links = [
        {"ref": refs[name], "dependsOn": sorted(refs[one] for one in needs if one in refs)}
        for name, needs in sorted(found.needs.items())
    ]
    digest = hashlib.sha256(json.dumps([parts, links]).encode()).digest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {"component": own},
        "components": parts,
        "dependencies": links,
    }


def _describe(name: str, one: Distribution) -> dict[str, Any]:
    url = f"pkg:pypi/{name}@{one.version}"
    part = {"type": "library", "name": name, "version": one.version, "bom-ref": url, "purl": url}
    terms = one.metadata["License-Expression"]
    if terms:
        return {**part, "licenses": [{"expression": terms}]}
    words = [
        text.rpartition(" :: ")[2]
        for text in one.metadata.get_all("Classifier") or ()
        if text.startswith("License :: ")
    ]
    return {**part, "licenses": [{"license": {"name": text}} for text in words]} if words else part


def main(arguments: Sequence[str]) -> None:
    """Write the file that is named, or ``p2c.cdx.json``."""
    path = Path(arguments[0] if arguments else FILE)
    bill = describe(find_packages(), version("p2c"))
    path.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"Wrote {path}: {len(bill['components'])} packages.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
