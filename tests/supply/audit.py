"""``make audit``: are the packages that p2c runs with the pinned ones, whole, and without holes?

Pins and files are looked at without a network. Known vulnerabilities need ``pip-audit`` and its
database; where either is out of reach, that part is skipped and says so.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.supply.packages import Packages, find_packages, normalize_name

PINS: Final = Path(__file__).parents[2] / "constraints.txt"
_PIN: Final = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;#]+)")
_OUT_OF_REACH: Final = ("ConnectionError", "Max retries", "resolve", "timed out", "Temporary fail")
_SECONDS: Final = 120


def read_pins(text: str) -> dict[str, str]:
    """Name → pinned version."""
    return {normalize_name(name): pinned for name, pinned in _PIN.findall(text)}


def find_problems(found: Packages, pins: Mapping[str, str]) -> Iterator[str]:
    """What is missing, not pinned, another version, or has altered files."""
    yield from (f"{name} is required and not installed." for name in sorted(found.missing))
    for name, one in sorted(found.installed.items()):
        if name not in pins:
            yield f"{name} is not pinned in constraints.txt."
        elif pins[name] != one.version:
            yield f"{name} is {one.version}, and constraints.txt pins {pins[name]}."
        yield from (f"{name}: {path} is not as it was installed." for path in find_altered(one))


def find_altered(one: Distribution) -> Iterator[str]:
    """Files of a package whose SHA-256 is not that of its record; scripts are written by pip."""
    for path in one.files or ():
        if path.hash is None or path.hash.mode != "sha256" or ".." in path.parts:
            continue
        place = Path(str(one.locate_file(path)))
        content = place.read_bytes() if place.is_file() else b""
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        if digest != path.hash.value:
            yield path.as_posix()


def ask_for_vulnerabilities() -> tuple[int, str]:
    """The exit code of pip-audit and what it says; 0 and a sentence where it cannot be asked."""
    if find_spec("pip_audit") is None:
        return 0, "Known vulnerabilities were not looked up: pip-audit is not installed."
    words = ["-m", "pip_audit", "--no-deps", "--disable-pip", "-r", str(PINS)]
    try:
        asked = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return 0, "Known vulnerabilities were not looked up: their database does not answer."
    said = asked.stdout + asked.stderr
    if asked.returncode and any(word in said for word in _OUT_OF_REACH):
        return 0, "Known vulnerabilities were not looked up: their database cannot be reached."
    return asked.returncode, said.strip()


def main() -> int:
    """Print what was found; 1 if something is wrong."""
    found = find_packages()
    problems = list(find_problems(found, read_pins(PINS.read_text(encoding="utf-8"))))
    code, said = ask_for_vulnerabilities()
    summary = f"{len(found.installed)} packages looked at, {len(problems)} problems."
    sys.stdout.write("\n".join([*problems, summary, said]) + "\n")
    return 1 if problems or code else 0


if __name__ == "__main__":
    sys.exit(main())
