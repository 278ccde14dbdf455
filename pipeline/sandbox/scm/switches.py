"""What the sources leave open about SCM, answered the strict way.

Each answer can be switched the other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

CODE_PAGES: Final = MappingProxyType({"CSV-Unicode": 1200, "CSV": 1252})
"""The delimited source data formats that are there from the start, with their code pages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switches:
    """One SCM's answers to the open questions. Times are seconds of the twin's clock."""

    page_size: int = 10_000
    """Rows that one answer holds at the most."""

    too_long: Literal["reject", "truncate"] = "reject"
    """A text longer than its field."""

    rewrites: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Column → the value that is written in place of any that comes."""

    patch_missing: Literal["refuse", "insert"] = "refuse"
    """PATCH of a key that is not there: 400, or an insert."""

    language: Literal["en-us", "de", "pt-br"] = "en-us"
    """Of entity labels and of messages."""

    nested_cause: bool = False
    """Whether the cause of a failure is one level deeper, in ``internalexception``."""

    manual_numbers: bool = True
    """Whether the number sequences of customers and parties take numbers from outside."""

    batch_goes_on: bool = False
    """Whether a batch continues after a failure without being asked to."""

    country_from_iso: bool = True
    """Whether an ISO code alone finds the country/region of an address (the templates depend on
    it)."""

    address_checks: frozenset[str] = frozenset({"State"})
    """Which of State, County, City and ZipCode must be set up for the country/region of an address.
    """

    empty_cells: Literal["blank", "keep"] = "blank"
    """What an empty cell of a mapped column does to a row that is there."""

    enum_cells: Literal["symbol", "any"] = "symbol"
    """Enums in data files: by symbol only, or in any case and by number too."""

    duplicates_in_file: Literal["file", "row"] = "file"
    """Equal keys in one data file: the whole file fails in staging, or each row after the first."""

    code_pages: Mapping[str, int] = field(default_factory=lambda: CODE_PAGES)
    """Delimited source data formats and their code pages; 65001 is UTF-8, 1200 UTF-16LE."""

    parallel_imports: bool = False
    """The framework parameter *Enhanced parallel package import*."""

    unique_execution_id: bool = True
    """The framework parameter *Ensure unique execution id*."""

    valid_error_json: bool = False
    """Whether quotes and line breaks in the messages of GetExecutionErrors are escaped."""

    record_after: float = 0.0
    """Until then after an import's call, its execution is not found."""

    begin_after: float = 0.0
    """How long the batch server leaves an import lying after its call. Until it takes the import
    up, no row is read and its execution is not found."""

    clean_up: Literal["record", "details"] = "record"
    """What a clean-up of executions deletes: their records only, or the job details as well."""

    clean_up_after: float = 0.0
    """How long after an import's call the clean-up comes, whether the import has ended or not; 0 is
    never."""

    import_fault: str = ""
    """With what reason ImportFromPackage breaks off (500) before anything is started; blank is
    not at all."""

    staging_fault: str = ""
    """With what message the first imports end in staging, no row read; blank is not at all."""

    staging_faults: int = 1
    """How many imports end like that."""

    import_seconds: float = 0.0
    """What an import takes at the least."""

    rows_per_second: float = 0.0
    """How fast an import is at the most; 0 is as fast as it can."""

    keys_file_polls: int = 1
    """How often the URL of a target error keys file is empty before the file is there."""

    link_seconds: float = 600.0
    """How long a download link lives."""

    write_seconds: float = 2100.0
    """How long a link for writing lives."""

    blob_seconds: float = 7 * 86400.0
    """How long a blob lives."""


STRICT: Final = Switches()
"""Every open question answered the strict way."""
