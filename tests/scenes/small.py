"""A source that fits on a screen.

Five customers, three contact persons, one contact for each way of staying behind.
"""

from __future__ import annotations

import csv
from pathlib import Path

CONTACTS = Path("contacts.csv")
ACCOUNT = "00000000-0000-0000-0001-000000000001"
COLUMNS = (
    "contactid",
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "parentcustomerid",
    "parentcustomeridtype",
    "firstname",
    "lastname",
    "address1_country",
    "emailaddress1",
)
PROJECT = """
[source]
path = "."

[destination]
legal_entity = "usmf"
currency = "EUR"
country = "DE"
batch_rows = 2
"""
CUSTOMERS, PERSONS = 5, 3


def contactid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def number(place: int) -> str:
    return f"CON-{place:05d}-ABCDEF"


def rows() -> list[dict[str, str]]:
    """Contacts 1 to 5 are customers, 6 to 8 contact persons, 9 is skipped, 10 held, 11 rejected."""
    found = []
    for place in range(1, 12):
        customer = place <= CUSTOMERS or place == 11
        company = (
            {"parentcustomerid": ACCOUNT, "parentcustomeridtype": "account"}
            if 6 <= place <= 8
            else {}
        )
        found.append(
            {
                "contactid": contactid(place),
                "msdynce_contactnumber": "" if place == 10 else number(place),
                "msdynce_isactivecustomer": "Yes" if customer or place == 10 else "No",
                **dict.fromkeys(("parentcustomerid", "parentcustomeridtype"), ""),
                **company,
                "firstname": "Ada",
                "lastname": "L" * 26 if place == 11 else f"Number{place}",
                "address1_country": "DE",
                "emailaddress1": f"contact{place}@example.com",
            }
        )
    return found


def write_small(
    folder: Path, project: str = PROJECT, contacts: list[dict[str, str]] | None = None
) -> Path:
    """Write source and project file; the project file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / CONTACTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows() if contacts is None else contacts)
    (folder / "accounts.csv").write_text(
        f"accountid,accountnumber,name\n{ACCOUNT},ACC-01000-ABCDEF,Fourth Coffee\n"
    )
    path = folder / "p2c.toml"
    path.write_text(project, encoding="utf-8")
    return path
