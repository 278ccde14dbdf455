"""``p2c sandbox``: serve local twins of Sales and SCM, whose packages an extra brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import UsageError
from pipeline.lazy import import_lazily
from pipeline.samples.generate import write_temporary_samples

if TYPE_CHECKING:
    from pipeline.sandbox import serve as serving
else:
    serving = import_lazily("pipeline.sandbox.serve")

ROWS: Final = 1000
"""Sample contacts when ``--rows`` is not given."""


def serve_sandbox(
    *, port: int, tls: bool, data: Path | None, rows: int | None, seed: int, faults: str
) -> None:
    """Serve both systems until SIGINT or SIGTERM.

    They are filled from a folder of CSV files, or with a number of sample contacts and what
    belongs to them. Raises ``UsageError``, ``SourceError``, ``Stopped``.
    """
    require_sandbox("p2c sandbox")
    if data is not None and rows is not None:
        raise UsageError("--data and --rows are two ways to fill the sandbox; name one of them.")
    with ExitStack() as stack:
        if data is None:
            samples = write_temporary_samples(rows=ROWS if rows is None else rows, seed=seed)
            data = stack.enter_context(samples)
        serving.serve(serving.SandboxOptions(port=port, tls=tls, data=data, faults=faults))


@contextmanager
def fill_sandbox(data: Path) -> Iterator[Path]:
    """Both systems over TLS, filled from a folder of CSV files; the project that points at them."""
    with serving.run_sandbox(serving.SandboxOptions(data=data, tls=True)) as ready:
        yield Path(ready.project)


def require_sandbox(command: str, otherwise: str = "") -> None:
    """Import the sandbox for a command.

    ``otherwise`` ends the message: what works without it.

    Raises:
        UsageError: a package of the extra is not installed.
    """
    try:
        _ = serving.SandboxOptions
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipeline"):
            raise
        raise UsageError(
            f'{command} needs packages that are not installed: pip install "p2c[sandbox]"'
            f"{otherwise}."
        ) from error
