"""The words of the commands that prove, explain and mend."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.errors import UsageError
from pipeline.flags import ALL, Flags, RunArgument
from pipeline.lazy import lazily

if TYPE_CHECKING:
    from pipeline import audit_commands as audit
    from pipeline import commands
else:
    audit = lazily("pipeline.audit_commands")
    commands = lazily("pipeline.commands")

Work = Callable[[Any], Any]
Register = Callable[..., Callable[[Callable[..., Work]], Callable[..., Work]]]
"""What ``cli`` puts a command on the command line with."""

Common = Callable[[Flags], Any]
"""Flags → what the commands know."""

_RUN_ONLY: Final = ("runs", "as_object")
_TODAY: Final = ("project", "runs", "source", "assignments", "as_object")

ToOption = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to write.")]
ValuesFlag = Annotated[bool, typer.Option("--with-values", help="Add source values: the file then holds personal data.")]
CodeOption = Annotated[list[str] | None, typer.Option("--code", metavar="CODE", help="Only this code; may be said again.")]


def register(command: Register, common: Common) -> None:
    """Put the commands on the command line.

    Args:
        command: makes a registering decorator from the common flags that a command takes.
        common: flags → what the commands know.
    """
    for part in (_shown, _mended, _looked_back):
        part(command, common)


def _shown(command: Register, common: Common) -> None:
    @command(takes=_RUN_ONLY, hides=ALL)
    def report(flags: Flags, run: RunArgument, to: ToOption = None, with_values: ValuesFlag = False) -> Work:
        """Write a run as one HTML page that opens anywhere."""
        return lambda listener: audit.reported(common(flags), run, to=to, values=with_values, listener=listener)

    @command(takes=_RUN_ONLY, hides=ALL)
    def findings(
        flags: Flags,
        run: RunArgument,
        to: ToOption = None,
        code: CodeOption = None,
        with_values: ValuesFlag = False,
        worklist: Annotated[
            Path | None, typer.Option("--worklist", metavar="FILE", help="Write what to repair in Sales, by owner, as CSV.")
        ] = None,
        sales_url: Annotated[
            str | None, typer.Option("--sales-url", metavar="URL", help="Where Sales is, for links in the worklist.")
        ] = None,
        repair: Annotated[
            Path | None, typer.Option("--repair", metavar="FILE", help="Write the source rows to correct, with values, as CSV.")
        ] = None,
    ) -> Work:
        """Count findings by cause, or export them as CSV or Parquet."""
        if sum(one is not None for one in (to, worklist, repair)) > 1:
            raise UsageError("--to, --worklist and --repair write different files: say one of them.")
        if worklist is not None:
            return lambda _: audit.listed_work(common(flags), run, to=worklist, sales_url=sales_url)
        if repair is not None:
            return lambda _: audit.repaired(common(flags), run, to=repair)
        return lambda _: audit.exported(common(flags), run, to=to, codes=code or (), values=with_values)

    @command(takes=_RUN_ONLY, hides=ALL)
    def verify(flags: Flags, run: RunArgument) -> Work:
        """Check a run folder: journal, hashes, equations."""
        return lambda _: audit.verified(common(flags), run)


def _mended(command: Register, common: Common) -> None:
    @command(takes=_RUN_ONLY, hides=ALL)
    def confirm(
        flags: Flags,
        run: RunArgument,
        errors: Annotated[
            Path | None, typer.Option("--errors", metavar="FILE", help="The rows that SCM refused, by key; CSV.")
        ] = None,
        package: Annotated[
            list[str] | None,
            typer.Option("--package", metavar="NAME", help="Only this package, as in Contacts/usmf-1; may be said again."),
        ] = None,
    ) -> Work:
        """Record that a folder load was imported by hand."""
        return lambda _: audit.confirmed(common(flags), run, errors=errors, packages=package or ())

    @command(takes=_TODAY)
    def retry(
        flags: Flags,
        run: RunArgument,
        corrected: Annotated[
            Path | None, typer.Option("--corrected", metavar="FILE", help="Corrected rows, as findings --repair writes them.")
        ] = None,
        code: CodeOption = None,
    ) -> Work:
        """Plan again what was held, rejected or failed."""
        return lambda listener: audit.retried(common(flags), run, correction=corrected, codes=code or (), listener=listener)

    @command(takes=("project", "source", "assignments", "as_object"), hides=("runs",))
    def test(
        flags: Flags,
        files: Annotated[
            list[Path] | None, typer.Argument(metavar="[FILE]...", help="Examples in TOML; examples.toml beside p2c.toml.")
        ] = None,
    ) -> Work:
        """Try example rows against the project's templates."""
        return lambda listener: audit.tested(common(flags), files or (), listener)


def _looked_back(command: Register, common: Common) -> None:
    @command(takes=_RUN_ONLY, hides=ALL)
    def reconcile(
        flags: Flags,
        run: RunArgument,
        scm: Annotated[
            list[Path] | None, typer.Option("--scm", metavar="FILE", help="An export of SCM's rows; may be said again.")
        ] = None,
    ) -> Work:
        """Compare what SCM has with what was planned: SCM itself is asked, unless exports are named."""
        return lambda listener: audit.reconciled(common(flags), run, scm=scm or (), listener=listener)

    @command(takes=(*_RUN_ONLY, "source"), hides=ALL)
    def undo(flags: Flags, run: RunArgument) -> Work:
        """Plan to take a load or a backfill back; says what cannot be undone."""
        return lambda listener: audit.undone(common(flags), run, listener)

    @command(takes=_RUN_ONLY, hides=ALL)
    def purge(
        flags: Flags,
        run: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="These runs; else all old ones.")] = None,
        older_than: Annotated[float, typer.Option("--older-than", min=0, metavar="DAYS", help="How old a run must be.")] = 30,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> Work:
        """Remove personal data of old runs; keys and counts stay."""

        def work(_: Any) -> Any:
            found = audit.purge_listed(common(flags), run or (), older_than)
            if found and not yes and sys.stdin.isatty() and sys.stderr.isatty():
                sys.stderr.write(f"{audit.purge_told(found)}\n")
                return audit.purged(found, agreed=typer.confirm("Remove their personal data?", err=True))
            return audit.purged(found, agreed=yes)

        return work
