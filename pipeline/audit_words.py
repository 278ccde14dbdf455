"""The words of the commands that prove, explain and mend."""

from __future__ import annotations

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

_RUN_ONLY: Final = ("runs", "as_object")
_TODAY: Final = ("project", "runs", "source", "assignments", "as_object")

ToOption = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to write.")]
ValuesFlag = Annotated[bool, typer.Option("--with-values", help="Add source values: the file then holds personal data.")]
CodeOption = Annotated[list[str] | None, typer.Option("--code", metavar="CODE", help="Only this code; may be said again.")]


def register(command: Register, common: Callable[[Flags], Any]) -> None:
    """Put the commands on the command line.

    Args:
        command: makes a registering decorator from the common flags that a command takes.
        common: flags → what the commands know.
    """

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
