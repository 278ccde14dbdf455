"""Both systems on the loopback interface, one line of JSON when they are ready, until the end."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import trustme

from pipeline.errors import during
from pipeline.sandbox.login.grants import Application
from pipeline.sandbox.login.login import CLIENT, TENANT
from pipeline.sandbox.project import VARIABLE, Place, write_project
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.wire import faultspec
from pipeline.sandbox.wire.server import HOST, ByPort, Tls, bind_port, make_tls, run_server
from pipeline.sandbox.world import World, make_world


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxOptions:
    """What to serve, and where.

    Sales has ``port``, SCM the next one; 0: any two that are free. ``data``: a folder of CSV files
    that both systems are filled from. ``switches`` say how SCM behaves.
    """

    port: int = 0
    tls: bool = False
    data: Path | None = None
    faults: str = ""
    switches: Switches = STRICT


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """Where a running sandbox is and how to log in.

    Files are absolute paths, and are gone when it ends. The secret is the variable ``secret_env``'s
    value, if that is set when the sandbox starts; ``certificate`` is a PEM file with key, good as
    login in the secret's place.
    """

    sales_url: str
    scm_url: str
    token_url: str
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    secret_env: str
    certificate: str
    ca_file: str | None
    project: str

    def line(self) -> str:
        """One JSON object in one line."""
        return json.dumps(asdict(self))


def serve(options: SandboxOptions) -> None:
    """Print the line and serve until SIGINT or SIGTERM.

    Raises ``UsageError``, ``SourceError``, ``Stopped``.
    """
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with run_sandbox(options) as ready:
            sys.stdout.write(ready.line() + "\n")
            sys.stdout.flush()
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def run_sandbox(options: SandboxOptions) -> Iterator[Ready]:
    """A sandbox in this process, from when it is ready to the end of the block.

    Raises as :func:`serve` does.
    """
    faults = faultspec.parse_faults(options.faults)
    with contextlib.ExitStack() as stack, during("The sandbox"):
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="p2c-sandbox-", ignore_cleanup_errors=True)
            )
        )
        sales_port, sales_sockets = stack.enter_context(bind_port(options.port))
        scm_port, scm_sockets = stack.enter_context(bind_port(options.port and options.port + 1))
        application, certificate = _application(folder)
        world = make_world(folder, options.data, faults, application, options.switches)
        stack.callback(world.close)
        _tell(world)
        tls = make_tls(folder) if options.tls else None
        scheme = "https" if tls else "http"
        sales, scm = f"{scheme}://{HOST}:{sales_port}", f"{scheme}://{HOST}:{scm_port}"
        app = ByPort(apps={sales_port: world.sales_app(sales), scm_port: world.scm_app(scm)})
        stack.enter_context(run_server(app, [*sales_sockets, *scm_sockets], tls))
        place = Place(sales=sales, scm=scm, ca=tls.ca if tls else None, certificate=certificate)
        base = None if options.data is None else options.data / "p2c.toml"
        write_project(folder / "p2c.toml", place, base if base and base.is_file() else None)
        yield _make_ready(folder, place, application, tls)


def _application(folder: Path) -> tuple[Application, Path]:
    """The client: its secret, and a certificate for those who log in without one."""
    issued = trustme.CA(organization_name="p2c sandbox client").issue_cert(
        common_name="p2c", key_type=trustme.KeyType.RSA
    )
    path = folder / "client.pem"
    path.touch(mode=0o600)
    issued.private_key_and_cert_chain_pem.write_to_path(path)
    public = issued.cert_chain_pems[0].bytes().decode()
    return Application(
        id=CLIENT, secret=os.environ.get(VARIABLE) or secrets.token_urlsafe(24), certificate=public
    ), path


def _tell(world: World) -> None:
    """What of the files could not become rows, on stderr."""
    for table, loaded in world.sales.loaded.items():
        left = [f"{loaded.rows_left_out} rows"] * bool(loaded.rows_left_out)
        left += [f"{loaded.values_left_out} values"] * bool(loaded.values_left_out)
        if left:
            text = (
                f"sandbox: {table}: {loaded.rows} rows; {' and '.join(left)} that no database "
                "could hold were left out\n"
            )
            sys.stderr.write(text)


def _make_ready(folder: Path, place: Place, application: Application, tls: Tls | None) -> Ready:
    return Ready(
        sales_url=place.sales,
        scm_url=place.scm,
        token_url=f"{place.sales}/{TENANT}/oauth2/v2.0/token",
        tenant=TENANT,
        client_id=application.id,
        secret=application.secret,
        secret_env=VARIABLE,
        certificate=str(place.certificate),
        ca_file=str(tls.ca) if tls else None,
        project=str(folder / "p2c.toml"),
    )
