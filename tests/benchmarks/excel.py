"""``python -m tests.benchmarks.excel INTO``: a view of 100,000 contacts in a workbook, landed.

It makes the workbook (11 to 14 MB, 23 columns) in the folder, once, and prints processor seconds
and peak memory of the whole process, and of one that imports the same and reads two rows.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import uuid
from pathlib import Path
from typing import Final

from tests.benchmarks.measuring import Taken, step
from tests.scenes.workbooks import Cell, write_view

ROWS: Final = 100_000
LABELS: Final = {
    "contactid": "(Do Not Modify) Contact",
    "checksumLogicalName": "(Do Not Modify) Row Checksum",
    "modifiedon": "(Do Not Modify) Modified On",
    "fullname": "Full Name",
    "firstname": "First Name",
    "lastname": "Last Name",
    "emailaddress1": "Email",
    "parentcustomerid": "Company Name",
    "telephone1": "Business Phone",
    "mobilephone": "Mobile Phone",
    "statecode": "Status",
    "msdynce_contactnumber": "Contact Number",
    "msdynce_isactivecustomer": "Is Active Customer",
    "creditlimit": "Credit Limit",
    "address1_line1": "Address 1: Street 1",
    "address1_city": "Address 1: City",
    "address1_postalcode": "Address 1: ZIP/Postal Code",
    "address1_country": "Address 1: Country/Region",
    "donotemail": "Do not allow Emails",
    "gendercode": "Gender",
    "jobtitle": "Job Title",
    "transactioncurrencyid": "Currency",
    "description": "Description",
}
"""The columns of the view."""
_FIRST_NAMES: Final = ("Ann", "Bo", "Cem", "Dana", "Eva")


def _make_contact(number: int, chance: random.Random) -> dict[str, Cell]:
    first, last = chance.choice(_FIRST_NAMES), f"Brown{number % 5_000}"
    return {
        "contactid": str(uuid.UUID(int=chance.getrandbits(128))),
        "checksumLogicalName": f"{chance.getrandbits(120):020x}",
        "modifiedon": dt.datetime(2026, 1, 1) + dt.timedelta(minutes=number),  # noqa: DTZ001
        "fullname": f"{first} {last}",
        "firstname": first,
        "lastname": last,
        "emailaddress1": f"{first}.{last}{number}@example.com",
        "parentcustomerid": f"Company {number % 700}",
        "telephone1": f"+49 30 {number}",
        "statecode": "Active",
        "msdynce_contactnumber": f"CON-{number:06d}-ABCDEF",
        "msdynce_isactivecustomer": "Yes" if number % 2 else "No",
        "creditlimit": number * 1.5,
        "address1_line1": f"Street {number % 900}",
        "address1_city": "Berlin",
        "address1_postalcode": number % 90_000 + 10_000,
        "address1_country": "Germany",
        "donotemail": "Allow",
        "gendercode": "Female",
        "jobtitle": "Buyer",
        "transactioncurrencyid": "Euro",
        "description": "" if number % 3 else "Met at the fair",
    }


def make_source(folder: Path, rows: int) -> Path:
    """A folder with the view, made once."""
    if not (folder / "contacts.xlsx").exists():
        chance = random.Random(1)  # noqa: S311 - the same each time
        write_view(
            folder / "contacts.xlsx", [_make_contact(one, chance) for one in range(rows)], LABELS
        )
    return folder


def _render(name: str, taken: Taken) -> str:
    return f"{name}: {taken.processor:.2f} s of processor, {taken.peak_mib:.0f} MiB\n"


def main(into: Path) -> None:
    """Land the view, and a small one beside it."""
    for name, rows in (("two rows", 2), (f"{ROWS:,} rows", ROWS)):
        source = make_source(into / f"view-{rows}", rows)
        (into / "landed").mkdir(exist_ok=True)
        taken = step("tests.benchmarks.landing", source, into / "landed")
        sys.stdout.write(_render(name, taken))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
