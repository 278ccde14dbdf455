"""The command ``sandbox``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import sandbox as sandboxes
else:
    sandboxes = import_lazily("pipeline.commands.sandbox")

PortOption = Annotated[
    int,
    typer.Option(
        "--port",
        metavar="N",
        min=0,
        max=65534,
        help="The port of Sales; SCM gets the next one. 0: any free ports.",
    ),
]
TlsFlag = Annotated[
    bool,
    typer.Option(
        "--tls", help="Serve https with a certificate of its own. Microsoft's clients need it."
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Fill both systems from this folder of CSV files."),
]
RowsOption = Annotated[
    int | None,
    typer.Option(
        "--rows", metavar="N", help="Fill both systems with N generated contacts; default: 1000."
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", metavar="S", help="The same seed generates the same contacts.")
]
FaultsOption = Annotated[
    str,
    typer.Option(
        "--faults", metavar="SPEC", help="The faults to inject, as in throttle=0.02,lost@7,seed=1."
    ),
]
JsonFlag = Annotated[
    bool,
    typer.Option(
        "--json", help="Print errors as JSON, too. The line that says ready is always JSON."
    ),
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
    """Serve a local Sales and a local SCM, to rehearse on.

    Prints one line of JSON when they are ready. Ctrl-C ends it.
    """
    _ = json
    sandboxes.serve_sandbox(port=port, tls=tls, data=data, rows=rows, seed=seed, faults=faults)
