"""``p2c findings`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.audit import findings, worklist
from pipeline.audit.refusals import group_refusals
from pipeline.commands.answers import answer_about, require_load
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import UsageError, count_of
from pipeline.run import folder
from pipeline.run.evidence import gather_evidence
from pipeline.run.room import open_room
from pipeline.suggest import check_codes

_WHY: Final = "Only runs of `p2c plan`, `p2c run` and `p2c retry` have contacts to repair."


def export_findings(
    common: Flags, run: str, *, to: Path | None, codes: Sequence[str], values: bool
) -> Result:
    """``findings``: what was refused and what was found, by cause, or all of it as a file."""
    found = folder.find_run(common.runs, run)
    if to is not None:
        with open_room("findings") as scratch:
            rows = findings.export_rows(found, to, codes, scratch, values=values)
        text = f"Wrote {count_of(rows, 'finding')} into {to}."
        return answer_about(found, "findings", items=[{"file": str(to), "rows": rows}], text=text)
    evidence = gather_evidence(found)
    wanted = check_codes(codes)
    refused = group_refusals(evidence, wanted, values=values)
    others = findings.group_findings(evidence, wanted)
    if refused is None or others is None:
        raise UsageError(" ".join(one.sentence for one in evidence.troubles), where=str(found.run))
    groups = [*refused, *others]
    return answer_about(found, "findings", items=groups, text=findings.render_groups(groups))


def write_worklist(common: Flags, run: str, *, to: Path, sales_url: str | None) -> Result:
    """``findings --worklist``: what people must repair in Sales, by owner."""
    found = folder.find_run(common.runs, run)
    evidence = gather_evidence(found)
    require_load(found, evidence.kind, _WHY)
    written = worklist.write_worklist_file(evidence, to, sales_url)
    owners = [
        f"{one['contacts']:>9,}  {one['owner'] or 'owner not known'}" for one in written.owners
    ]
    text = "\n".join(
        [f"Wrote {count_of(written.rows, 'contact')} into {to}.", *owners[:20], *written.notes]
    )
    return answer_about(found, "findings", items=written.owners, text=text)


def write_repair_file(common: Flags, run: str, *, to: Path) -> Result:
    """``findings --repair``: the source rows that need work, to be corrected and fed back."""
    found = folder.find_run(common.runs, run)
    evidence = gather_evidence(found)
    require_load(found, evidence.kind, _WHY)
    rows = worklist.write_repair_rows(evidence, to)
    text = (
        f"Wrote {count_of(rows, 'contact')} into {to}, with their values. Correct them there, "
        f"then: p2c retry {found.run} --corrected {to}"
    )
    return answer_about(found, "findings", items=[{"file": str(to), "rows": rows}], text=text)
