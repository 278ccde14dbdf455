"""What the files of a folder say about SCM: its legal entities, its own columns, its customers."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import SourceError
from pipeline.sandbox.scm.entities import extend_catalogue
from pipeline.sandbox.scm.seed import COMPANIES, Company, add_customers
from pipeline.sandbox.scm.writing import Desk


def read_companies(folder: Path | None) -> list[Company]:
    """The usual legal entities, and those that a project file in the folder names."""
    known = {company.id: company for company in COMPANIES}
    path = None if folder is None else folder / "p2c.toml"
    if path is not None and path.is_file():
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        names = [
            *given.get("organizations", {}).values(),
            given.get("destination", {}).get("legal_entity"),
        ]
        for name in [str(name).lower() for name in names if name]:
            known.setdefault(name, Company(id=name, name=f"Contoso {name.upper()}", country="US"))
    return list(known.values())


def read_columns(folder: Path | None) -> dict[str, dict[str, str]]:
    """The columns that a site added to its SCM, if the folder has a ``scm_columns.toml``.

    A table is an entity set; a key is a column, its value what the column holds, as in
    ``LoyaltyTier = "string 10"``. Raises ``SourceError``.
    """
    path = None if folder is None else folder / "scm_columns.toml"
    if path is None or not path.is_file():
        return {}
    try:
        found: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
        extend_catalogue(found)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"is not valid TOML: {error}.", where=str(path)) from error
    except (KeyError, ValueError, AttributeError) as error:
        raise SourceError(
            "must have tables named after entity sets, with lines such as LoyaltyTier = "
            "'string 10'.",
            where=str(path),
        ) from error
    return found


def load_known_customers(desk: Desk, folder: Path | None) -> int:
    """Load the customers of the folder's export; how many there were. Raises ``SourceError``."""
    return add_customers(desk, read_known_customers(folder))


def read_known_customers(folder: Path | None) -> Iterator[dict[str, str]]:
    """The rows of a *Customers V2* export, if the folder has one.

    Raises ``SourceError``.
    """
    path = None if folder is None else folder / "known_customers.csv"
    if path is None or not path.is_file():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if None in row:
                raise SourceError("a row has more cells than the header.", where=str(path))
            yield row
