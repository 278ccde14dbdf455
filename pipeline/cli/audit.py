"""The commands that prove: report, findings, verify, reconcile, test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli import browse
from pipeline.cli.flags import (
    ALL,
    RUN_ONLY,
    CodeOption,
    Command,
    RunArgument,
    SalesOption,
    ToOption,
    ValuesFlag,
    Work,
    command,
)
from pipeline.commands.options import Flags
from pipeline.errors import UsageError
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.commands import examples as trying
    from pipeline.commands import findings as exporting
    from pipeline.commands import reconcile as comparing
    from pipeline.commands import replay as replaying
    from pipeline.commands import report as reporting
    from pipeline.commands import targets
    from pipeline.commands import verify as verifying
else:
    trying = import_lazily("pipeline.commands.examples")
    exporting = import_lazily("pipeline.commands.findings")
    comparing = import_lazily("pipeline.commands.reconcile")
    replaying = import_lazily("pipeline.commands.replay")
    reporting = import_lazily("pipeline.commands.report")
    targets = import_lazily("pipeline.commands.targets")
    verifying = import_lazily("pipeline.commands.verify")


@command(takes=RUN_ONLY, hides=ALL)
def report(
    flags: Flags, run: RunArgument, to: ToOption = None, with_values: ValuesFlag = False
) -> Work:
    """Write a run as one HTML page that opens anywhere."""
    to = None if to is None else targets.choose_target(to, "--to", "report.html")
    return lambda listener: reporting.report_run(
        flags, run, to=to, values=with_values, listener=listener
    )


@command(takes=RUN_ONLY, hides=ALL)
def findings(
    flags: Flags,
    run: RunArgument,
    to: ToOption = None,
    code: CodeOption = None,
    with_values: ValuesFlag = False,
    worklist: Annotated[
        Path | None,
        typer.Option(
            "--worklist",
            metavar="FILE",
            help="Write a CSV file of what to repair in Sales, by owner.",
        ),
    ] = None,
    sales_url: SalesOption = None,
    repair: Annotated[
        Path | None,
        typer.Option(
            "--repair",
            metavar="FILE",
            help="Write a CSV file of the source rows to correct, with values.",
        ),
    ] = None,
) -> Work:
    """Count findings by cause, or export them as CSV or Parquet."""
    if sum(one is not None for one in (to, worklist, repair)) > 1:
        raise UsageError(
            "--to, --worklist and --repair write different files; name only one of them."
        )
    if worklist is not None:
        path = targets.choose_target(worklist, "--worklist", "worklist.csv")
        return lambda _: exporting.write_worklist(flags, run, to=path, sales_url=sales_url)
    if repair is not None:
        path = targets.choose_target(repair, "--repair", "repair.csv")
        return lambda _: exporting.write_repair_file(flags, run, to=path)
    to = None if to is None else targets.choose_target(to, "--to", "findings.csv")
    return lambda _: exporting.export_findings(
        flags, run, to=to, codes=code or (), values=with_values
    )


@command(takes=RUN_ONLY, hides=ALL)
def verify(flags: Flags, run: RunArgument) -> Work:
    """Check that a run folder is as it was written."""
    return lambda _: verifying.verify_run(flags, run)


@command(takes=RUN_ONLY, hides=ALL)
def replay(flags: Flags, run: RunArgument) -> Work:
    """Make a plan again from its run folder and compare the two.

    Decisions, planned rows and packages are compared. No system is asked, nothing is sent, and the
    run folder stays as it is.
    """
    return lambda listener: replaying.replay_run(flags, run, listener)


@command(name="test", takes=("project", "source", "assignments", "as_object"), hides=("runs",))
def try_(
    flags: Flags,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Files of examples; default: examples.toml next to p2c.toml."
        ),
    ] = None,
) -> Work:
    """Try example rows on the templates of the project."""
    return lambda listener: trying.try_examples(flags, files or (), listener)


@command(takes=RUN_ONLY, hides=ALL)
def reconcile(
    flags: Flags,
    run: RunArgument,
    scm: Annotated[
        list[Path] | None,
        typer.Option(
            "--scm",
            metavar="FILE",
            help=(
                "An export of SCM's rows: a file, a package (.zip) or a folder of them. Can be "
                "given several times."
            ),
        ),
    ] = None,
) -> Work:
    """Compare SCM with what was planned.

    SCM itself is asked, unless you name exports.
    """
    return lambda listener: comparing.reconcile_run(flags, run, scm=scm or (), listener=listener)


COMMANDS: Final[tuple[Command, ...]] = (
    report,
    *browse.COMMANDS,
    findings,
    verify,
    replay,
    reconcile,
    try_,
)
