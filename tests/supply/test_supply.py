"""What p2c is made of is known, pinned and whole."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import Distribution, PathDistribution, distribution
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.scenes.json_files import read_json
from tests.supply import audit, sbom
from tests.supply.audit import PINS, find_altered, find_problems, read_pins
from tests.supply.packages import Packages, find_packages, normalize_name


@pytest.fixture(scope="module")
def found() -> Packages:
    return find_packages()


def test_every_package_that_p2c_requires_is_in_the_bill(tmp_path: Path) -> None:
    path = tmp_path / "bill.json"
    sbom.main([str(path)])
    bill = read_json(path)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    names = [one["name"] for one in bill["components"]]
    assert names == sorted(set(names))
    required = {
        normalize_name(re.split(r"[^A-Za-z0-9._-]", text)[0])
        for text in distribution("p2c").requires or ()
        if "extra == 'dev'" not in text and 'extra == "dev"' not in text
    }
    if find_spec("pyspark") is None:  # It needs Java; not every developer has it.
        required.discard("pyspark")
    assert required <= {*names, "p2c"}
    assert {"pydantic-core", "cffi"} <= set(names)
    assert not {"pytest", "mypy", "ruff", "p2c"} & set(names)


def test_each_part_has_a_version_an_address_and_what_it_needs(found: Packages) -> None:
    bill = sbom.describe(found, "1.2.3")
    refs = {one["bom-ref"] for one in bill["components"]}
    for one in bill["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" == one["bom-ref"]
    for link in bill["dependencies"]:
        assert {link["ref"], *link["dependsOn"]} <= {*refs, "p2c"}
    known = {one["name"] for one in bill["components"] if "licenses" in one}
    assert len(known) > 50
    assert bill == sbom.describe(found, "1.2.3")


def test_all_packages_are_the_pinned_ones(found: Packages) -> None:
    pins = read_pins(PINS.read_text(encoding="utf-8"))
    assert [one for one in find_problems(found, pins) if "as it was installed" not in one] == []


def make_package(folder: Path, content: str) -> Distribution:
    """A package with one module, whose record is of ``x = 1``."""
    home = folder / "one-1.0.dist-info"
    home.mkdir()
    (folder / "one.py").write_text(content)
    (home / "METADATA").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
    digest = "j_Q23vFFEoVZmhsa1wgASTuNyv3ikS4aODRWMwVOTCY"
    (home / "RECORD").write_text(f"one.py,sha256={digest},5\none-1.0.dist-info/RECORD,,\n")
    return PathDistribution(home)


@pytest.mark.parametrize("content", ["x = 2", ""])
def test_an_altered_file_of_a_package_is_found(tmp_path: Path, content: str) -> None:
    one = make_package(tmp_path, content)
    assert list(find_altered(one)) == ["one.py"]
    found = Packages(installed={"one": one}, missing={"two"})
    assert list(find_problems(found, {"one": "1.1"})) == [
        "two is required and not installed.",
        "one is 1.0, and constraints.txt pins 1.1.",
        "one: one.py is not as it was installed.",
    ]
    assert "one is not pinned in constraints.txt." in find_problems(found, {})


def test_pins_are_read_with_extras_and_markers() -> None:
    text = "# a\nMoto[server]==5.2.1\nzope.interface==6 ; python_version > '3'\nb>=2\n"
    assert read_pins(text) == {"moto": "5.2.1", "zope-interface": "6"}


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (0, "No known vulnerabilities found", (0, "No known vulnerabilities found")),
        (1, "Found 1 known vulnerability", (1, "Found 1 known vulnerability")),
        (
            1,
            "requests.exceptions.ConnectionError: Max retries exceeded",
            (
                0,
                "Known vulnerabilities were not looked up: their database cannot be reached.",
            ),
        ),
    ],
)
def test_a_database_out_of_reach_is_no_hole_and_a_hole_is_one(
    monkeypatch: pytest.MonkeyPatch, code: int, said: str, expected: tuple[int, str]
) -> None:
    monkeypatch.setattr(audit, "find_spec", lambda _: True)
    answer = subprocess.CompletedProcess([], code, stdout=said, stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert audit.ask_for_vulnerabilities() == expected


def test_without_pip_audit_the_audit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "find_spec", lambda _: None)
    assert audit.ask_for_vulnerabilities() == (
        0,
        "Known vulnerabilities were not looked up: pip-audit is not installed.",
    )
