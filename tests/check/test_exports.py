"""What a check says of a folder of exports can be read, however much there is to say."""

from __future__ import annotations

from pathlib import Path

from pipeline.commands.check import check_project
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from tests.scenes.small import write_small


def test_findings_that_say_the_same_are_told_once(tmp_path: Path) -> None:
    project = write_small(tmp_path)
    accounts = [
        f"00000000-0000-0000-0009-{place:012},ACC-{number},Fourth Coffee"
        for number in range(30)
        for place in (2 * number, 2 * number + 1)
    ]
    with (tmp_path / "accounts.csv").open("a", encoding="utf-8") as file:
        file.write("\n".join(accounts))
    lines = [
        str(item["message"])
        for item in check_project(Flags(project=project), report_nothing).items
        if item["what"] == "account_number_repeated"
    ]
    assert len(lines) == 1
    assert lines[0].endswith("(30 times)")
