"""``p2c browse`` as a typed call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.commands.runs import find_load
from pipeline.commands.sandbox import require_sandbox
from pipeline.lazy import import_lazily
from pipeline.run import folder

if TYPE_CHECKING:
    from pipeline.browse import guard, opening
    from pipeline.sandbox.wire import server
else:
    guard = import_lazily("pipeline.browse.guard")
    opening = import_lazily("pipeline.browse.opening")
    server = import_lazily("pipeline.sandbox.wire.server")

_PATIENCE: Final = 1.0
"""Seconds that an answer in the making has left when the command ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrowseOptions:
    """What to serve, and where; port 0 is any that is free."""

    run: str
    port: int = 0
    sales_url: str | None = None


@contextmanager
def serve_run(common: Flags, options: BrowseOptions) -> Iterator[Result]:
    """Serve the pages of a run on the loopback interface until the block ends.

    The result says where. Raises ``UsageError``, ``Stopped``.
    """
    require_sandbox("p2c browse")
    found = find_load(common.runs, options.run)
    earlier = folder.find_runs_before(common.runs, found)
    with ExitStack() as stack:
        served = stack.enter_context(opening.open_pages(found, earlier, options.sales_url))
        port, sockets = stack.enter_context(server.bind_port(options.port, "p2c browse"))
        token = guard.make_token()
        guarded = guard.AddressGuard(app=served.make_app(), token=token, port=port)
        stack.enter_context(server.run_server(guarded, sockets, None, patience=_PATIENCE))
        stack.callback(served.search.interrupt)
        address = f"http://{server.HOST}:{port}/{token}/"
        yield Result(
            command="browse",
            run=str(found.run),
            folder=str(found.path),
            items=[{"address": address}],
            text=(
                f"Open {address}\nThe page shows personal data. Whoever has the address can read "
                "it on this machine. Ctrl-C ends it."
            ),
        )
