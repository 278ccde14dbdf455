"""One stage for each conversation: a twin, a run whose rows wait, and a command that delivers them.

A test disturbs any of them in the same way: it speaks of rows by their place in one unit, from 1.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
import polars as pl

from pipeline.backfill.results import PLAN, RESULT
from pipeline.events import Listener
from pipeline.plan.undo import make_undo
from pipeline.run.files import read_json, write_json
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Entry, Journal, read_journal
from pipeline.sandbox.scm import seed
from pipeline.sandbox.wire.batch import ODataOperation
from tests.scenes import loading, writing
from tests.scenes.loading import OURS, RIVAL, Clock, number
from tests.scenes.loads import MakeScene

Said = tuple[str, str | None]
"""Outcome and code of a row."""

THERE = [OURS | {"CUSTOMERACCOUNT": number(2), "PARTYNUMBER": number(2)}]
"""The second contact is a customer already."""

_CHANGES = ("$batch", "UpdateMultiple")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a conversation calls that which happened to a row."""

    done: str
    """The outcome that the action of the first row foresees."""
    changed: Said
    """Somebody changed the row before it was sent."""
    changed_then: Said
    """It was written, the answer was lost, and then somebody changed the row."""
    refused: str
    """The code of a row that the system refuses without a known reason."""
    refused_whole: str
    """The code of the rows of a request that the system does not take."""
    too_large: str
    """The code of a row whose request is too large even alone."""
    busy: str
    """The code of a row that the system stays too busy for."""


class Stage(ABC):
    """Rows that wait to be delivered. ``few``: so few that every step can be stopped at."""

    words: ClassVar[Words]
    tries: ClassVar[int]
    units: ClassVar[int] = 3
    in_bulk: ClassVar[bool] = False

    run: RunFolder
    wire: Any
    """Its twin's: ``before``, ``after`` and ``seen``."""
    clock: Clock

    @abstractmethod
    def deliver(self) -> Mapping[str, int]:
        """The command: deliver, or continue. Rows by outcome."""

    @abstractmethod
    def listen(self, listener: Listener) -> None:
        """Let somebody hear of the next command's progress."""

    @abstractmethod
    def answer(self, request: httpx.Request) -> httpx.Response:
        """The twin's answer to a request."""

    @abstractmethod
    def mark(self, place: int) -> bytes:
        """What stands in every operation on a row."""

    @abstractmethod
    def change(self, place: int) -> None:
        """Somebody else changes a row."""

    @abstractmethod
    def said(self) -> list[Said]:
        """Outcome and code of the rows of the unit, in order."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What is left in the end, here and in the twin, without times and attempts."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back."""

    def calm(self) -> None:
        """Nothing is disturbed any more."""
        self.wire.before = lambda _request: None
        self.wire.after = lambda _request, response: response

    def changes(self) -> int:
        """How many requests that change something were sent."""
        return sum(one.endswith(_CHANGES) for one in self.wire.seen)

    def is_ours(self, request: httpx.Request) -> bool:
        """Whether a request changes the row in the first place."""
        return request.url.path.endswith(_CHANGES) and self.mark(1) in request.read()

    def journal(self) -> tuple[Entry, ...]:
        """The lines of the run's journal."""
        return read_journal(self.run.journal).entries if self.run.journal.is_file() else ()

    def results(self) -> list[str]:
        """The results of all attempts, in order."""
        lines = [one.payload for one in self.journal() if one.event == "done"]
        return [one["result"] for one in lines if one["effect"] == "odata"]

    def disturb(self, times: int, answer: Callable[[httpx.Request], httpx.Response | None]) -> None:
        """The next requests for the unit are answered like this; all others as usual."""
        left = times

        def before(request: httpx.Request) -> httpx.Response | None:
            nonlocal left
            if not left or not self.is_ours(request):
                return None
            left -= 1
            return answer(request)

        self.wire.before = before


class Loading(Stage):
    """Upserts into SCM: a create, an update and a create in one unit."""

    words = Words(
        done="created",
        changed=("failed", "refused_exists"),
        changed_then=("unknown", "answer_lost"),
        refused="import_failed",
        refused_whole="package_refused",
        too_large="refused_too_large",
        busy="refused_conflict",
    )
    tries = 6

    def __init__(self, scene: loading.Scene, *, few: bool) -> None:
        self.scene, self.size = scene, 2 if few else 100
        self.run, self.wire, self.clock = scene.run, scene.wire, scene.clock

    def deliver(self) -> Mapping[str, int]:
        return self.scene.load("odata", odata_rows=self.size).outcomes

    def listen(self, listener: Listener) -> None:
        self.scene.listener = listener

    def answer(self, request: httpx.Request) -> httpx.Response:
        return self.scene.wire.answer(request)

    def mark(self, place: int) -> bytes:
        return number(place).encode()

    def change(self, place: int) -> None:
        address = f"/data/CustomersV2(dataAreaId='usmf',CustomerAccount='{number(place)}')"
        if not self._ask("PATCH", address, b'{"PersonLastName":"Else"}'):
            seed.add_customers(
                self.scene.twin.desk,
                [OURS | {"CUSTOMERACCOUNT": number(place), "PARTYNUMBER": number(place)}],
            )

    def _ask(self, method: str, address: str, body: bytes) -> bool:
        url = f"{loading.ROOT}{address}?cross-company=true"
        headers = {"content-type": "application/json"}
        asked = ODataOperation(method=method, url=url, headers=headers, body=body)
        return self.scene.twin.service.handle(asked, loading.ROOT).ok

    def said(self) -> list[Said]:
        found = self.scene.outcomes()
        return [found[f"usmf/{number(place)}"] for place in (1, 2, 3)]

    def state(self) -> dict[str, Any]:
        whole = self.scene.state()
        for row in (row for table in whole["memory"] for row in table):
            del row["run"]
        for row in [*whole["customers"], *whole["persons"]]:
            del row["_recid"]
        return whole

    def close(self) -> None:
        """Whoever made the scene closes it."""


class Undoing(Loading):
    """The undo of such a load: a delete, an update that restores, and a delete in one unit."""

    words = Words(
        done="updated",
        changed=("failed", "changed_since_load"),
        changed_then=("failed", "changed_since_load"),
        refused="undo_refused",
        refused_whole="undo_refused",
        too_large="undo_refused",
        busy="undo_refused",
    )

    def __init__(self, scene: loading.Scene, *, few: bool) -> None:
        loaded = scene.load("odata", odata_rows=100)
        with Journal.open(scene.run.journal, scene.clock) as journal:
            journal.append("applied", files=dict(loaded.files))
        write_json(scene.run.summary, read_json(scene.run.summary) | {"applied": True})
        scene.clock.sleep(60)
        scene.run = make_undo(scene.run, {}, scene.clock).folder
        scene.wire.seen.clear()
        super().__init__(scene, few=few)

    def state(self) -> dict[str, Any]:
        return super().state() | {"rows": dict(self.scene.customers())}


class Writing(Stage):
    """Numbers and flags into Sales, row by row."""

    words = Words(
        done="updated",
        changed=("failed", "changed_since_plan"),
        changed_then=("updated", None),
        refused="sales_refused",
        refused_whole="sales_refused",
        too_large="sales_refused",
        busy="sales_busy",
    )
    tries = 8

    def __init__(self, home: Path, *, few: bool) -> None:
        self.scene = writing.Scene(home, 4 if few else 7)
        self.size = 2 if few else 3
        self.run, self.wire, self.clock = self.scene.run, self.scene.wire, self.scene.clock

    def deliver(self) -> Mapping[str, int]:
        return self.scene.write(size=self.size, in_bulk=self.in_bulk).outcomes

    def listen(self, listener: Listener) -> None:
        self.scene.listener = listener

    def answer(self, request: httpx.Request) -> httpx.Response:
        return self.scene.wire.answer(request)

    def mark(self, place: int) -> bytes:
        return self.scene.ids[place - 1].encode()

    def change(self, place: int) -> None:
        self.scene.change(self.scene.ids[place - 1], jobtitle="Else")

    def said(self) -> list[Said]:
        return self.scene.outcomes()[:3]

    def state(self) -> dict[str, Any]:
        table = pl.read_parquet(self.run.path / RESULT)
        outcomes = pl.read_parquet(self.run.outcomes)
        batches = pl.read_parquet(self.run.batches)
        there = self.scene.contacts()
        return {
            "numbers": self.scene.numbers(),
            "counter": self.scene.counter()["msdynce_numbersequence"],
            "active": [there[one]["msdynce_isactivecustomer"] for one in self.scene.ids],
            "table": table.head(len(self.scene.ids)).drop("contactid", "etag").to_dicts(),
            "outcomes": outcomes.drop("contactid", "destination_key").to_dicts(),
            "batches": batches.select("batch", "rows", "updated", "failed").to_dicts(),
        }

    def close(self) -> None:
        self.scene.close()


class WritingInBulk(Writing):
    """The same by ``UpdateMultiple``."""

    in_bulk = True


class Unwriting(Writing):
    """The undo of such a write-back."""

    words = Words(
        done="updated",
        changed=("failed", "changed_since_plan"),
        changed_then=("unknown", "sales_answer_lost"),
        refused="sales_refused",
        refused_whole="sales_refused",
        too_large="sales_refused",
        busy="sales_busy",
    )

    def __init__(self, home: Path, *, few: bool) -> None:
        super().__init__(home, few=few)
        self.scene.write(size=7)
        self.run = self.scene.run = self.scene.planned("20260101T000000Z-0002", self._turn_around())
        self.wire.seen.clear()

    def _turn_around(self) -> pl.DataFrame:
        """The rows that were written, the other way round."""
        written = pl.read_parquet(self.scene.run.path / RESULT)
        etags = {key: row["@odata.etag"] for key, row in self.scene.contacts().items()}
        turned = written.with_columns(
            pl.lit(None, pl.Int64).alias("rank"),
            *(pl.col(f"{one}_after").alias(f"{one}_before") for one in ("number", "active")),
            *(pl.col(f"{one}_before").alias(f"{one}_after") for one in ("number", "active")),
            pl.col("company_flag_after").alias("company_flag_before"),
            pl.col("company_flag_before").alias("company_flag_after"),
            pl.col("contactid").replace_strict(etags).alias("etag"),
            pl.lit(None, pl.String).alias("outcome"),
        )
        return turned.cast(pl.Schema(pl.read_parquet_schema(self.scene.run.path / PLAN)))


_SCM = {"upserts": Loading, "undo": Undoing}
_SALES = {"updates": Writing, "updates undone": Unwriting, "updates in bulk": WritingInBulk}
ROW_BY_ROW = [*_SCM, "updates", "updates undone"]
"""Conversations that hear an answer for each row."""
STAGES = [*_SCM, *_SALES]


def make_stage(name: str, scenes: MakeScene, home: Path, *, few: bool, rival: bool) -> Stage:
    """The stage of a conversation.

    ``rival``: SCM refuses the fourth contact, for it has an organization under that number.
    """
    if name in _SALES:
        return _SALES[name](home, few=few)
    there = [*THERE, RIVAL] if rival else THERE
    return _SCM[name](scenes("few" if few else "whole", there=there), few=few)


def answer_rows(
    stage: Stage, request: httpx.Request, said: Mapping[int, bytes], reached: int = 1000
) -> httpx.Response:
    """A batch of which only some rows reach the twin.

    Args:
        stage: whose rows.
        request: the batch.
        said: place of a row → the answer that it gets without having reached the twin.
        reached: so many operations are answered at all, as by a server that stops.
    """
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = request.read().split(b"--" + boundary + b"\r\n")[1:][:reached]
    parts[-1] = parts[-1].removesuffix(b"--" + boundary + b"--\r\n")
    own = [next((said[at] for at in said if stage.mark(at) in part), None) for part in parts]
    sent = [part for part, answer in zip(parts, own, strict=True) if answer is None]
    theirs = iter(_list_answers(stage, request, boundary, sent) if sent else [])
    lines = [
        b"--b\r\n" + (next(theirs) if answer is None else _HEAD + answer + b"\r\n")
        for answer in own
    ]
    return httpx.Response(
        200,
        content=b"".join(lines) + b"--b--\r\n",
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )


_HEAD = b"Content-Type: application/http\r\n\r\n"


def _list_answers(
    stage: Stage, request: httpx.Request, boundary: bytes, parts: list[bytes]
) -> list[bytes]:
    """The twin's answers to some operations of a batch."""
    mark = b"--" + boundary
    body = b"".join(mark + b"\r\n" + part for part in parts) + mark + b"--\r\n"
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    passed = httpx.Request(request.method, request.url, headers=headers, content=body)
    content = stage.answer(passed).content
    found = re.findall(rb"HTTP/1\.1 \d+ .*?(?=\r\n--)", content, flags=re.DOTALL)
    assert len(found) == len(parts)
    return [_HEAD + one + b"\r\n" for one in found]
