"""What the scripts share: where they read and write, and the mapping as data (``rules.py``)."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

CUSTOMERS, PERSONS = "ContactToCustomer", "Contacts"
FILES = {CUSTOMERS: "customers", PERSONS: "persons"}
FLAGS = {"true": True, "false": False}
OPTIONS = {
    "gendercode": "Gender",
    "familystatuscode": "MaritalStatus",
    "statecode": "IsInactive",
}
"""Source columns with a number of a choice → the destination column whose map it is."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The mapping, as a script has it."""

    source: Path
    out: Path
    columns: dict[str, dict[str, tuple[str, int | None]]]
    constants: dict[str, dict[str, str]]
    maps: dict[str, dict[str, str]]
    spellings: dict[str, str]
    organizations: dict[str, str]
    currency: str

    @property
    def texts(self) -> list[str]:
        """Source columns that are taken as they are, and the country."""
        taken = {source for one in self.columns.values() for source, _ in one.values()}
        return sorted(taken | {"address1_country"})

    def codes(self, name: str) -> dict[int, str]:
        """The map of a choice by its number."""
        return {int(key): value for key, value in self.maps[name].items() if key}

    @property
    def mail(self) -> dict[bool, str]:
        """``donotemail`` → IsReceivingDirectMail."""
        told = self.maps["IsReceivingDirectMail"]
        return {flag: told[word] for word, flag in FLAGS.items()}


def read_job() -> Job:
    """The job that the command line names: rules, source folder, folder to write to."""
    rules, source, out = map(Path, sys.argv[1:4])
    told = json.loads(rules.read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    return Job(
        source=source,
        out=out,
        columns={task: told[task]["columns"] for task in FILES},
        constants={task: told[task]["constants"] for task in FILES},
        maps={name: one for task in FILES for name, one in told[task]["maps"].items()},
        spellings=told["spellings"],
        organizations=told["organizations"],
        currency=told["currency"],
    )
