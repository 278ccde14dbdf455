"""The words of ``p2c sandbox``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.lazy import lazily

if TYPE_CHECKING:
    from pipeline.commands import sandbox as sandboxes
else:
    sandboxes = lazily("pipeline.commands.sandbox")

PortOption = Annotated[
    int,
    typer.Option(
        "--port", metavar="N", min=0, max=65534, help="Sales' port, SCM has the next; 0: any."
    ),
]
TlsFlag = Annotated[
    bool,
    typer.Option(
        "--tls", help="Serve https, with a CA of its own; Microsoft's clients insist on it."
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Fill both systems from a folder of CSV files."),
]
RowsOption = Annotated[
    int | None,
    typer.Option("--rows", metavar="N", help="Fill them with N sample contacts (1000)."),
]
SeedOption = Annotated[
    int, typer.Option("--seed", metavar="S", help="The same seed makes the same samples.")
]
FaultsOption = Annotated[
    str,
    typer.Option(
        "--faults", metavar="SPEC", help="What goes wrong, as in throttle=0.02,lost@7,seed=1."
    ),
]
JsonFlag = Annotated[
    bool, typer.Option("--json", help="Errors as JSON, too, as the line that says ready always is.")
]


def sandbox(
    port: PortOption = 0,
    tls: TlsFlag = False,
    data: DataOption = None,
    rows: RowsOption = None,
    seed: SeedOption = 1,
    faults: FaultsOption = "",
    json: JsonFlag = False,
) -> None:
    """Serve local twins of Sales and SCM until Ctrl-C.

    One line of JSON says that they are ready, and where they are.
    """
    _ = json
    sandboxes.serve_sandbox(port=port, tls=tls, data=data, rows=rows, seed=seed, faults=faults)
