"""Both systems in a process, with a state that each trial has again.

The process fills the systems, serves while the way to a trial is prepared, and then serves each
trial from a copy of itself. One line of JSON in is an order, one out its answer.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from pipeline.sandbox.login.login import TENANT, LoginTwin
from pipeline.sandbox.project import VARIABLE
from pipeline.sandbox.scm.entities import ENTITIES
from pipeline.sandbox.scm.twin import THREADS
from pipeline.sandbox.serve import Ready, _application
from pipeline.sandbox.wire.faultspec import parse_faults
from pipeline.sandbox.wire.server import HOST, ByPort, bind_port, run_server
from pipeline.sandbox.world import World, make_world
from tests.torture.child import Child
from tests.torture.proxy import Proxy

SECRET: Final = "torture"  # noqa: S105 - of a system on this machine
Table = list[dict[str, object]]
State = dict[str, Table]

_PASSING: Final = ("_recid", "_recversion", "versionnumber", "modifiedon", "etag")
_OWN: Final = ("DataManagement", "DMF")
_LINE: Final = 1 << 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """What to do, and what befalls the requests of a trial: see :class:`Proxy` for ``ways``."""

    do: str
    faults: str = ""
    ways: tuple[str, ...] = ()
    seed: int = 0
    rate: float = 0.0


class Sandboxes(Child):
    """The process, from outside."""

    def __init__(self, data: Path) -> None:
        super().__init__("tests.torture.sandboxes", str(data), environment={VARIABLE: SECRET})
        self.ready = Ready(**json.loads(self.first))

    def _ask(self, order: Order) -> str:
        return self.ask(dataclasses.asdict(order))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve, and keep what becomes of the systems."""
        self._ask(Order(do="serve"))
        try:
            yield
        finally:
            self._ask(Order(do="stop"))

    @contextmanager
    def trying(self, order: Order | None = None) -> Iterator[None]:
        """Serve from a copy, which is gone afterwards."""
        self._ask(order or Order(do="fork"))
        try:
            yield
        finally:
            self._ask(Order(do="end"))

    def calm(self) -> None:
        """Nothing befalls requests from now on."""
        self._ask(Order(do="calm"))

    def read_state(self) -> State:
        """All rows of both systems, by system and table, in no order that matters."""
        found: State = json.loads(self._ask(Order(do="state")))
        return found


@dataclasses.dataclass(kw_only=True)
class Host:
    """The systems, where they are served, and who serves them now."""

    folder: Path
    world: World
    public: dict[int, list[socket.socket]]
    private: dict[int, list[socket.socket]]
    serving: ExitStack = dataclasses.field(default_factory=ExitStack)
    proxy: Proxy | None = None

    @property
    def origins(self) -> list[str]:
        """Of Sales and of SCM, as callers see them."""
        return [f"http://{HOST}:{port}" for port in self.public]

    def serve(self, order: Order) -> None:
        """Serve, through a proxy if there are ways in which it may fail."""
        world = self.world
        faults = parse_faults(order.faults)
        if order.faults:
            applications = world.login.applications
            login = LoginTwin(applications=applications, lifetime=faults.token)
            world = dataclasses.replace(world, faults=faults, login=login)
        sales, scm = self.origins
        apps: tuple[ASGIApp, ASGIApp] = (world.sales_app(sales), world.scm_app(scm))
        through = order.ways != ()
        ports = self.private if through else self.public
        served = dict(zip(ports, apps, strict=True))
        sockets = [one.dup() for port in ports.values() for one in port]
        self.serving.enter_context(run_server(ByPort(apps=served), sockets, None))
        if through:
            listening = {
                inner: [one.dup() for one in found]
                for inner, found in zip(self.private, self.public.values(), strict=True)
            }
            self.proxy = Proxy(
                listening=listening, ways=order.ways, seed=order.seed, rate=order.rate
            )
            self.serving.enter_context(self.proxy.running())

    def stop(self) -> None:
        """Stop to serve."""
        self.serving.close()
        self.serving, self.proxy = ExitStack(), None

    def calm(self) -> None:
        """Nothing befalls requests from now on."""
        if self.proxy is not None:
            self.proxy.calm()
            return
        self.stop()
        self.world = dataclasses.replace(self.world, faults=parse_faults(""))
        self.serve(Order(do="serve"))

    def part(self) -> None:
        """Be a copy that shares nothing with the original."""
        store = self.world.sales.service.store
        path = self.folder / f"sales-{os.getpid()}.db"
        with closing(sqlite3.connect(store._path)) as old, closing(sqlite3.connect(path)) as new:
            old.backup(new)
        store._path, store._local, store._open = path, threading.local(), []
        store._writer = store._connect()
        self.world.scm._pool = ThreadPoolExecutor(THREADS)

    def read_state(self) -> State:
        """All rows of both systems."""
        scm, sales = self.world.scm.store, self.world.sales.service.store
        state: State = {}
        for name in ENTITIES:
            if not name.startswith(_OWN):
                state[f"scm {name}"] = _strip(scm.select(f'SELECT * FROM "{name}"', []))
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (name,) in sales.rows(names):
            cursor = sales.connection.execute(f"SELECT * FROM {name}")
            columns = [one[0] for one in cursor.description]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor]
            state[f"sales {name}"] = _strip(rows) if name != "_version" else []
        return {name: rows for name, rows in state.items() if rows}


def _strip(rows: Table) -> Table:
    kept = [
        {
            name: value
            for name, value in row.items()
            if name not in _PASSING and "DateTime" not in name
        }
        for row in rows
    ]
    return sorted(kept, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def _answer(host: Host, order: Order) -> str:
    match order.do:
        case "serve":
            host.serve(order)
        case "stop":
            host.stop()
        case "calm":
            host.calm()
        case "state":
            return json.dumps(host.read_state(), default=str)
        case _:
            raise ValueError(order.do)
    return "done"


def _read_orders() -> Iterator[Order]:
    """Orders, one by one: a copy goes on where the original stopped reading."""
    while line := os.read(0, _LINE):
        given = json.loads(line)
        yield Order(**{**given, "ways": tuple(given["ways"])})


def _work(host: Host) -> None:
    for order in _read_orders():
        if order.do == "fork":
            pid = os.fork()
            if not pid:
                _try(host, order)
            os.waitpid(pid, 0)
            _say("ended")
        else:
            _say(_answer(host, order))


def _try(host: Host, order: Order) -> None:
    """Be the copy, to its end."""
    try:
        host.part()
        host.serve(order)
        _say("ready")
        for one in _read_orders():
            if one.do == "end":
                break
            _say(_answer(host, one))
    finally:
        Path(host.world.sales.service.store._path).unlink(missing_ok=True)
        os._exit(0)


def _say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def _bind(stack: ExitStack) -> dict[int, list[socket.socket]]:
    return dict(stack.enter_context(bind_port(0)) for _ in range(2))


def main() -> None:
    """Fill the systems from a folder and obey until the other side is gone."""
    data = Path(sys.argv[1])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="p2c-torture-")))
        application, certificate = _application(folder)
        world = make_world(folder, data, parse_faults(""), application)
        public, private = _bind(stack), _bind(stack)
        host = Host(folder=folder, world=world, public=public, private=private)
        sales, scm = host.origins

        ready = Ready(
            sales_url=sales,
            scm_url=scm,
            token_url="",
            tenant=TENANT,
            client_id=application.id,
            secret=application.secret,
            secret_env=VARIABLE,
            certificate=str(certificate),
            ca_file=None,
            project="",
        )
        _say(ready.line())
        _work(host)
        host.stop()


if __name__ == "__main__":
    main()
