"""Which runs stand in the way of another: those that were begun and have not ended."""

from __future__ import annotations

import pytest

from pipeline.commands.options import Flags, read_clock
from pipeline.errors import PlanRefused
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.run.unfinished import STARTED, find_unfinished_loads, refuse_unfinished_load

LIVE = {"load": "odata", "name": "contoso"}


def test_a_load_is_unfinished_from_its_start_to_its_end(common: Flags, run: RunFolder) -> None:
    facts = run.facts()
    run.write_facts(facts.replace(destination=facts.destination.replace(**LIVE)))
    planned = run.read_summary().replace(applied=False)
    run.write_summary(planned)
    run.journal.write_bytes(b"")
    assert find_unfinished_loads(common.runs, "contoso") == [], "it was only planned"
    with Journal.open(run.journal, read_clock) as journal:
        journal.append(STARTED, run=run.run)
    assert find_unfinished_loads(common.runs, "contoso") == [run]
    assert find_unfinished_loads(common.runs, "another") == []
    with pytest.raises(PlanRefused, match=f"the load {run.run} was begun and has not ended"):
        refuse_unfinished_load(common.runs, "contoso")
    refuse_unfinished_load(common.runs, "contoso", but=run.run)
    run.write_summary(planned.replace(applied=True))
    assert find_unfinished_loads(common.runs, "contoso") == []


def test_a_load_into_a_folder_stands_in_nobodys_way(common: Flags, run: RunFolder) -> None:
    with Journal.open(run.journal, read_clock) as journal:
        journal.append(STARTED, run=run.run)
    assert find_unfinished_loads(common.runs, run.facts().destination.name) == []
