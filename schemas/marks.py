"""How replicas of Sales say that a row is deleted, is an old state, or when it was written.

Replication tools keep rows that are gone and mark them, each in a column of its own. The columns
of one kind are spellings of one field, so every form of source reads them alike. Dataverse itself
has no column of these names: custom columns begin with a publisher's prefix.
"""

from __future__ import annotations

import re
from typing import Final

from schemas.catalogue import Field, Type

_TRUE: Final = ("true", "1", "yes", "t", "y", "-1", "1.0", "x")
_FALSE: Final = ("false", "0", "no", "f", "n", "0.0")

DELETED_WORDS: Final = (
    "d", "delete", "deleted", "remove", "removed", "1", "removeordeleted", "removedordeleted",
)  # fmt: skip
"""Kinds of a change after which the row is gone; SQL Server's change tables count from 1, and
Dataverse's change tracking says ``RemoveOrDeleted``."""

FORMER_WORDS: Final = ("b", "before", "update_preimage", "update-delete", "3")
"""Kinds of a change whose row is the state before it."""

LIVE_WORDS: Final = (
    "c", "create", "created", "r", "read", "s", "snapshot", "i", "insert", "inserted", "u",
    "update", "updated", "upsert", "update_postimage", "update-insert", "2", "4", "5",
    "neworupdated",
)  # fmt: skip
"""Kinds of a change whose row is the state after it."""

WRITTEN: Final = "sinkmodifiedon"
"""When the row was written; the others of ``MARKS`` say whether it is gone."""

MARKS: Final = (
    Field(
        name="isdelete",
        type=Type.TWO_OPTIONS,
        names=(
            "is_delete",  # Synapse Link, Fabric Link: IsDelete
            "isdeleted",
            "is_deleted",  # Fivetran and Airbyte, where the source has such a flag
            "_fivetran_deleted",
            "__deleted",  # Debezium, flattened events
            "_cdatasync_deleted",
            "_cdata_deleted",
            "__hevo__marked_deleted",
            "_metadata_deleted",  # Google Datastream, its template for BigQuery
            "datastream_metadata.is_deleted",
            "datastream_metadata_is_deleted",
            "hdr__deleted",  # Qlik, live views
            "dbt_is_deleted",  # dbt snapshots
            "_peerdb_is_deleted",
            "__artie_delete",
            "hvr_is_deleted",
            "_hoodie_is_deleted",
        ),
        decisive=_TRUE,
    ),
    Field(
        name="deletedon",
        type=Type.TIMESTAMP,
        better=(
            "_ab_cdc_deleted_at",  # Airbyte
            "_sdc_deleted_at",  # Stitch, Singer, Meltano
            "_airbyte_deleted_at",
        ),
    ),
    Field(
        name="changetype",
        better=(
            "__op",  # Debezium, flattened events
            "_change_type",  # Delta's change data feed
            "header__change_oper",  # Qlik Replicate
            "__$operation",  # SQL Server's change tables
            "sys_change_operation",  # SQL Server's change tracking, as Data Factory copies it
            "metadata$action",  # Snowflake's streams
            "_metadata_change_type",  # Google Datastream
            "_meta/op",  # Estuary
            "op",  # AWS DMS
            "op_type",  # Oracle GoldenGate
            "dtl__capxaction",  # Informatica PowerExchange
        ),
        decisive=DELETED_WORDS,
    ),
    Field(
        name="isupdate",
        type=Type.TWO_OPTIONS,
        names=("metadata$isupdate",),  # Snowflake's streams
    ),
    Field(
        name="iscurrent",
        type=Type.TWO_OPTIONS,
        names=("_fivetran_active",),  # Fivetran's history mode
        decisive=_FALSE,
    ),
    Field(
        name="endedon",
        type=Type.TIMESTAMP,
        better=(
            "__end_at",  # Databricks, slowly changing dimensions of type 2
            "dbt_valid_to",  # dbt snapshots
            "_dlt_valid_to",
            "_fivetran_end",  # Fivetran's history mode
        ),
    ),
    Field(
        name=WRITTEN,
        type=Type.TIMESTAMP,
        better=(
            "_fivetran_synced",
            "_ab_cdc_updated_at",
            "_airbyte_extracted_at",
            "_airbyte_emitted_at",
            "_sdc_batched_at",
            "_commit_timestamp",  # Delta's change data feed
            "header__timestamp",  # Qlik Replicate
        ),
        names=("sinkcreatedon",),  # Synapse Link has both
    ),
)
"""``isdelete``: true where the row is deleted. ``deletedon``: filled where it is. ``changetype``:
one of the words above; where ``isupdate`` is true, a deletion is the state before an update.
``iscurrent``: false where the row is an old state; ``endedon``: filled
where it is, but for a date at the end of time. ``sinkmodifiedon``: when the row was written to the
replica that it was exported from."""

_CURRENT: Final = (
    r"^_*(dwh?|etl|row|rec|record|scd)?_*(is_?(current|latest)|current_?(flag|ind|row))$"
)

_LOOKS_LIKE_A_MARK: Final = re.compile(
    r"deleted|tombstone|soft_?delet|gel(ö|oe)scht|supprim|eliminad|(^|_)is_?delet"
    r"|(^|_)del(ete)?_?(flag|mark|date|time|at|on|ts)($|_)"
    r"|(^|_)is_?removed$|(^|_)removed_?(at|on|date|flag)$|^_*(row|rec|record)_?status$"
    r"|^_*(valid_?(to|until)|(dwh?|etl|row|rec|record|scd|eff|effective)_?"
    r"(valid_?(to|until)|end(_?date)?|to|until))$"
    rf"|{_CURRENT}"
    r"|^_*((cdc|dml|dm|hvr|sdc|row|rec|record|change|db|sys|etl|meta|metadata)[_.$]*)?"
    r"(dml|(op|oper|operation)([_.]?(type|code|name|ind|flag))?)([_.]type)?$"
)


def looks_like_mark(header: str) -> bool:
    """Whether a column's name, in small letters, could say that rows are deleted, or old states."""
    return _LOOKS_LIKE_A_MARK.search(header) is not None


def says_current(header: str) -> bool:
    """Whether such a column says Yes of the rows that count, and No of old states."""
    return re.search(_CURRENT, header) is not None
