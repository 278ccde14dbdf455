"""A corrected file over parts in folders below one another.

Parts of one name in two folders both stay.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.extract.landing import ReadOptions
from pipeline.plan.corrected import lay_over
from tests.scenes.reading import HEADER, ID, ROW, contacts, landed, rows, write
from tests.scenes.workbooks import NAMES, write_view, write_workbook
from tests.scenes.workbooks import contact as of_view

ODD = ' <Gr\u00fcn> & "Co"_x000A_\ta\x01\U0001f600 '
COLUMNS = {name: name for name in (*NAMES, "modifiedon")}


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


def test_a_workbook_is_corrected_by_a_workbook(tmp_path: Path) -> None:
    write_view(tmp_path / "export/Active Contacts.xlsx", [of_view()])
    table = [[*NAMES, "modifiedon"], [ID, ODD, "CON-1", "true", "Fourth Coffee", "2026-03-02"]]
    corrected = write_workbook(tmp_path / "repaired.xlsx", {"Sheet1": table})
    for number in (1, 2):
        source = tmp_path / ("export" if number == 1 else "over1")
        lay_over(source, corrected, tmp_path / f"over{number}", COLUMNS, ReadOptions())
        frame, unreadable = contacts(tmp_path / f"over{number}", tmp_path / "in")
        assert not unreadable
        name, version = (
            frame.filter(source_file=f"contacts/corrected-{number}.xlsx")
            .select("lastname", "versionnumber")
            .row(0)
        )
        assert name == ODD.replace("_x000A_", "\n")
        assert int(version) == 9_000_000_000_000_000_000 + number
        assert frame.height == number + 1


def test_the_other_tables_of_a_corrected_workbook_stay(tmp_path: Path) -> None:
    table = [[*NAMES, "modifiedon"], [ID, "Brown", "CON-1", "true", "", "2026-03-02"]]
    accounts = [["accountid", "accountnumber"], [ID, "ACC-1"]]
    corrected = write_workbook(tmp_path / "repaired.xlsx", {"Sheet1": table})
    for name in ("contacts.xlsx", "crm.xlsx"):
        source = tmp_path / name
        write_workbook(source / name, {"contacts": table, "accounts": accounts})
        over = tmp_path / f"over {name}"
        lay_over(source, corrected, over, COLUMNS, ReadOptions())
        found = landed(over, tmp_path / "in", ("contacts", "accounts"))
        assert rows(found["accounts"])["accountnumber"].to_list() == ["ACC-1"]
        assert {one.name for one in found["contacts"].sources} == {
            f"contacts/{name}", "contacts/corrected-1.xlsx",
        }  # fmt: skip


def test_the_other_tables_of_a_lakehouse_stay_where_they_are(tmp_path: Path) -> None:
    text = f"{HEADER},versionnumber\n{ROW},1\n"
    files: dict[str, str | bytes] = {
        "Tables/dbo/contact/x/1.csv": text,
        "Tables/dbo/account/1.csv": f"accountid,accountnumber\n{ID},ACC-1\n",
        "Tables/quote.csv": f"quoteid,customerid\n{ID},{ID}\n",
    }
    write(tmp_path / "export", {**files, "../repaired.csv": text.replace("Brown", "Green")})
    columns = {name: name for name in (*HEADER.split(","), "versionnumber")}
    lay_over(
        tmp_path / "export", tmp_path / "repaired.csv", tmp_path / "over", columns, ReadOptions()
    )
    found = landed(tmp_path / "over", tmp_path / "in", ("contacts", "accounts"))
    assert rows(found["contacts"])["lastname"].sort().to_list() == ["Brown", "Green"]
    assert [one.name for one in found["accounts"].sources] == ["Tables/dbo/account/1.csv"]
    assert (tmp_path / "over/Tables/quote.csv").is_file()
