"""Taking back over OData what a load wrote: rows that it created are deleted, those that it updated get back what SCM had.

A row is touched only while SCM still has just what the load wrote, and its version guards that
until the request arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import polars as pl

from pipeline.load.odata.sender import BEFORE, Sender, Share, State
from pipeline.run.folder import RunFolder
from pipeline.run.ledger import ODATA
from pipeline.scm import lookup
from pipeline.scm.literals import address, blank
from pipeline.scm.messages import Explained
from pipeline.wire.multipart import Operation
from schemas.catalogue import Column, Kind
from schemas.codes import code

_KEY: Final = lookup.KEY
_BEFORE: Final = "before:"
"""In front of the columns that hold what SCM had."""


def with_images(folder: RunFolder, task: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Planned rows of an undo, and beside each that is restored what SCM had before.

    Null for those that are deleted.
    """
    path = folder.path / BEFORE / f"{task}.parquet"
    if not path.is_file():
        return rows
    images = (
        pl.scan_parquet(path, glob=False).filter(pl.col(_KEY).is_in(rows[_KEY].to_list())).collect()
    )
    named = images.rename({name: f"{_BEFORE}{name}" for name in images.columns if name != _KEY})
    return rows.join(named, on=_KEY, how="left", maintain_order="left")


@dataclass(frozen=True, kw_only=True, slots=True)
class Undoer(Sender):
    """Sends shares of an undo.

    A row whose answer was lost is looked up, like any row before it is sent.
    """

    versions: dict[str, str | None] = field(default_factory=dict)
    """Key → the version that was looked at."""

    def _planned(self, share: Share, begun: list[dict[str, Any]]) -> pl.DataFrame:
        """The rows as they are; what SCM has decides of each."""
        del begun
        return share.rows

    def _settle_known(self, share: Share, state: State) -> None:
        """Before the first request: what is gone, given back, or changed already."""
        self._look_up(share, state)

    def _look_up(self, share: Share, state: State) -> None:
        """What SCM has now under the rows that wait.

        Those that it has as the load wrote them go on waiting.
        """
        rows = state.waiting
        there = lookup.found(self.scm, share.entity, list(share.columns), rows, lookup.ETAG)
        self.versions.update(there.select(_KEY, lookup.ETAG).iter_rows())
        missing = set(rows[_KEY]) - set(there[_KEY])
        written = lookup.same(rows, there, share.columns)
        old = _given_back(rows, there, share.columns)
        for key, action in rows.select(_KEY, "action").iter_rows():
            done = key in missing if action == "delete" else key in old
            if done and key not in state.sent:
                state.refuse(key, "unchanged", None, None)
            elif not done and key in missing:
                _leave(state, key, "gone_since_load")
            elif not done and key not in written:
                _leave(state, key, "changed_since_load")
            elif not done and key in state.declined:
                meant = state.declined[key]
                state.refuse(key, "failed", meant.code, meant.text)
        state.settle(
            {
                key
                for key in rows[_KEY]
                if key in missing or key in old or key not in written or key in state.declined
            }
        )
        state.declined.clear()
        state.lost = None

    def _operation(self, share: Share, row: Mapping[str, Any]) -> Operation:
        path = address(share.entity, share.unit.legal_entity, row)
        url = f"{self.scm.root}/data/{path}?cross-company=true"
        headers = {"If-Match": self.versions.get(row[_KEY]) or "*"}
        if row["action"] == "delete":
            return Operation(method="DELETE", url=url, body=b"", headers=headers)
        return Operation(method="PATCH", url=url, body=_image(share.columns, row), headers=headers)

    def _refused(self, state: State, key: str, meant: Explained) -> bool:
        """SCM does not take a row: a look tells whether it was changed or went away meanwhile."""
        state.declined[key] = meant
        return False

    def _end(
        self, share: Share, state: State, planned: pl.DataFrame, ids: Mapping[str, Any]
    ) -> None:
        """Write down what became of the share, even if nothing of it was sent."""
        begun = ids or self.ledger.intend(
            ODATA, share.unit, attempt=1, first=share.first, operations=0, request=None, creates=[]
        )
        super(Undoer, self)._end(share, state, planned, begun)


def _leave(state: State, key: str, name: str) -> None:
    state.refuse(key, "failed", name, code(name).message())


def _given_back(rows: pl.DataFrame, there: pl.DataFrame, columns: Mapping[str, Column]) -> set[str]:
    """The keys under which SCM has what it had before the load."""
    restored = rows.filter(pl.col("action") == "restore")
    if restored.is_empty():
        return set()
    images = restored.select(_KEY, *(pl.col(f"{_BEFORE}{name}").alias(name) for name in columns))
    return lookup.same(images, there, columns)


def _image(columns: Mapping[str, Column], row: Mapping[str, Any]) -> bytes:
    """What SCM had before, as an update of all columns but the key."""
    texts = {name: row[f"{_BEFORE}{name}"] for name, column in columns.items() if not column.key}
    return orjson.dumps({name: _json(columns[name], text) for name, text in texts.items()})


def _json(column: Column, text: str | None) -> str | int | float:
    """A value as SCM told it, as JSON again."""
    if text is None:
        return blank(column)
    match column.kind:
        case Kind.INTEGER:
            return int(text)
        case Kind.DECIMAL:
            return float(text)
        case _:
            return text
