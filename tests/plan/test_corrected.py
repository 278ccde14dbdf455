"""A corrected file over parts in folders below one another.

Parts of one name in two folders both stay.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.extract.landing import ReadOptions
from pipeline.plan.corrected import lay_over
from tests.scenes.reading import HEADER, ID, ROW, contacts, write


def test_parts_of_one_name_in_two_folders_both_stay(tmp_path: Path) -> None:
    other = "2b67c282-793b-fdce-58be-d7f70c5fb4b9"
    text = f"{HEADER},versionnumber\n{ROW},1\n"
    write(
        tmp_path / "export",
        {
            "contacts/a/1.csv": text,
            "contacts/b/1.csv": text.replace(ID, other),
            "accounts.csv": "accountid,accountnumber\n",
        },
    )
    write(tmp_path, {"repaired.csv": text.replace("Brown", "Green")})
    columns = {name: name for name in (*HEADER.split(","), "versionnumber")}
    lay_over(
        tmp_path / "export", tmp_path / "repaired.csv", tmp_path / "over", columns, ReadOptions()
    )
    frame, _ = contacts(tmp_path / "over", tmp_path / "in")
    assert sorted(frame["contactid"].to_list()) == [ID, ID, other]
    assert (tmp_path / "over" / "accounts.csv").is_file()
