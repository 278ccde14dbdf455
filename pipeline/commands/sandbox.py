"""``p2c sandbox``: serve local twins of Sales and SCM, whose packages an extra brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.lazy import lazily

if TYPE_CHECKING:
    from pipeline.sandbox import serve as serving
else:
    serving = lazily("pipeline.sandbox.serve")


def serve_sandbox(
    *, port: int, tls: bool, data: Path | None, rows: int | None, seed: int, faults: str
) -> None:
    """Serve both systems until SIGINT or SIGTERM.

    Raises ``UsageError``, ``SourceError``, ``Stopped``.
    """
    require_sandbox("p2c sandbox")
    serving.serve(
        serving.Options(port=port, tls=tls, data=data, rows=rows, seed=seed, faults=faults)
    )


@contextmanager
def running_sandbox(data: Path) -> Iterator[Path]:
    """Both systems over TLS, filled from a folder of CSV files; the project that points at them."""
    with serving.running(serving.Options(data=data, tls=True)) as ready:
        yield Path(ready.project)


def require_sandbox(command: str, otherwise: str = "") -> None:
    """Import the sandbox for a command.

    ``otherwise`` ends the message: what works without it.

    Raises:
        UsageError: a package of the extra is not installed.
    """
    try:
        _ = serving.Options
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipeline"):
            raise
        raise UsageError(
            f'{command} needs packages that are not installed: pip install "p2c[sandbox]"'
            f"{otherwise}."
        ) from error
