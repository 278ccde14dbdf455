"""Words that databases write for null: which are proved, which are asked about, which are names."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from pipeline.extract.landing import LandedFolder, ReadOptions, land_folder
from pipeline.extract.texts import TextColumns
from pipeline.plan.null_words import list_doubtful, refuse_seen, refuse_words, view_tables
from schemas.damage import DAMAGED
from schemas.values import LONGEST_WORD, NULL_WORDS
from sql.query import query
from sql.session import session

HEADER = (
    "contactid,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,"
    "lastname,description,creditlimit,gendercode"
)
USED = ("lastname", "description", "creditlimit")


def landed(folder: Path, *rows: str) -> LandedFolder:
    (folder / "contacts.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return land(folder)


def land(folder: Path) -> LandedFolder:
    return land_folder(
        folder,
        folder,
        tables=("contacts",),
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    )


def blank_words(found: LandedFolder, chosen: list[str] | None = None) -> tuple[str, ...]:
    with session() as here:
        return view_tables(here, found.tables, chosen, used=USED).words["contacts"]


@pytest.mark.parametrize(
    "word", ["#VÄRDEFEL!", "#¿NOMBRE?", "#SPILL!", "########", "[object Object]", "[Table]"]
)
def test_one_cell_that_lost_its_value_is_asked_about(tmp_path: Path, word: str) -> None:
    with pytest.raises(SourceError, match="what stood there is lost") as caught:
        blank_words(landed(tmp_path, f"1,CON,1,,Brown,{word},7,2", "2,CON,1,,Grey,,7,2"))
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "rows", "doubtful"),
    [
        ({("lastname", "NULL"): 1}, 1000, []),
        ({("lastname", "NULL"): 19}, 1000, []),
        ({("lastname", "NULL"): 20}, 1000, ["NULL"]),
        ({("lastname", "NULL"): 2}, 4, ["NULL"]),
        ({("lastname", "NULL"): 1, ("description", "NULL"): 1}, 1000, []),
        ({("lastname", "NULL"): 1, ("description", "NULL"): 2}, 1000, ["NULL"]),
        ({("lastname", "NULL"): 1, ("description", "null"): 2}, 1000, []),
        ({("lastname", "Null"): 500, ("description", "None"): 500}, 1000, []),
        ({("msdynce_contactnumber", "NULL"): 1}, 1000, []),
        ({("nickname", "NULL"): 900}, 1000, []),
        ({("lastname", "#REF!"): 1}, 1000, ["#REF!"]),
        ({("lastname", "#ARVO!"): 1}, 1000, ["#ARVO!"]),
        ({("lastname", "#ССЫЛКА!"): 1}, 1000, ["#ССЫЛКА!"]),
        ({("lastname", "#¡DESBORDAMIENTO!"): 1}, 1000, ["#¡DESBORDAMIENTO!"]),
        ({("creditlimit", "#REF!"): 1}, 1000, []),
        ({("nickname", "#REF!"): 900}, 1000, []),
    ],
)
def test_a_word_is_doubted_by_how_often_it_stands_where(
    cells: dict[tuple[str, str], int], rows: int, doubtful: list[str]
) -> None:
    assert list_doubtful(cells, rows, USED) == doubtful


def test_one_cell_is_enough_where_a_number_stands() -> None:
    assert list_doubtful({("accountnumber", "NULL"): 1}, 1000) == ["NULL"]


def test_a_refusal_names_the_word_its_columns_and_the_setting() -> None:
    cells = {("lastname", "NULL"): 2, ("description", "NULL"): 1_500}
    with pytest.raises(SourceError, match=r"1,502 cells hold \(description, lastname\)") as caught:
        refuse_words("contacts", cells, ["NULL"])
    assert "source.null_words = ['NULL']" in str(caught.value)


@pytest.mark.parametrize(
    ("company", "limit", "gender", "words"),
    [
        ("NULL", "", "", ("NULL",)),
        ("", "\\N", "", ("\\N",)),
        ("", "", "(null)", ("(null)",)),
        ("", "None", "", ("None",)),
        ("", "NONE", "", ("NONE",)),
        ("{null}", "", "", ("{null}",)),
        ("None", "", "", ()),
        ("", "", "N/A", ()),
    ],
)
def test_a_typed_cell_proves_a_word(
    tmp_path: Path, company: str, limit: str, gender: str, words: tuple[str, ...]
) -> None:
    found = landed(tmp_path, f"1,2,1,{company},Brown,,{limit},{gender}")
    assert blank_words(found) == words


def test_a_setting_says_it_all(tmp_path: Path) -> None:
    found = landed(tmp_path, "1,2,1,NULL,NULL,NULL,,", "1,2,1,,NULL,NULL,,")
    assert blank_words(found, []) == ()
    assert blank_words(found, ["-", "NULL"]) == ("-", "NULL")


def test_a_view_leaves_words_blank_and_other_text_as_it_is(tmp_path: Path) -> None:
    found = landed(tmp_path, "1,2,1,NULL,Null, NULL ,,", "3,4,0,,Brown,NULL x,5,")
    with session() as here:
        view_tables(here, found.tables, None, used=USED)
        rows = here.frame("FROM contacts_landed ORDER BY source_row")
    assert rows["lastname"].to_list() == ["Null", "Brown"]
    assert rows["description"].to_list() == [None, "NULL x"]
    assert rows["parentcustomerid"].to_list() == [None, None]
    assert rows["source_line"].to_list() == [2, 3]


def test_texts_that_are_read_where_they_lie_are_counted_on_the_way(tmp_path: Path) -> None:
    columns = {name: ["x", "y"] for name in HEADER.split(",")} | {
        "parentcustomerid": ["", ""],
        "creditlimit": ["1", "2"],
        "lastname": ["NULL", "Brown"],
        "description": ["NULL", "NULL"],
    }
    pq.write_table(pa.table(columns), tmp_path / "contacts.parquet")
    found = land(tmp_path)
    assert blank_words(found) == ()
    texts = TextColumns(
        found.tables["contacts"], {"text:lastname": "lastname", "text:description": "description"}
    )
    texts.rows(0, 2)
    assert dict(texts.words) == {("lastname", "NULL"): 1, ("description", "NULL"): 2}
    with pytest.raises(SourceError, match="the word NULL is all that 3 cells hold"):
        refuse_seen(found.tables, texts.words)


def test_padded_texts_that_are_read_where_they_lie_are_counted_trimmed(tmp_path: Path) -> None:
    columns = {name: ["x ", "y "] for name in HEADER.split(",")} | {
        "parentcustomerid": ["NULL".ljust(36), " " * 36],
        "creditlimit": ["1", "2"],
        "lastname": ["NULL".ljust(50), "Brown".ljust(50)],
    }
    pq.write_table(pa.table(columns), tmp_path / "contacts.parquet")
    found = land(tmp_path)
    assert found.tables["contacts"].in_place
    assert blank_words(found) == ("NULL",)
    texts = TextColumns(found.tables["contacts"], {"text:lastname": "lastname"})
    texts.rows(0, 2)
    assert dict(texts.words) == {("lastname", "NULL"): 1}


def test_damaged_texts_are_told_with_their_first_row_where_they_are_used(tmp_path: Path) -> None:
    found = landed(tmp_path, "1,2,1,,Brown,,,MÃ¼", "3,4,1,,MÃ¼ller,,,2", "5,6,1,,Gar\ufffdon,,,2")
    with session() as here:
        told = view_tables(here, found.tables, None, used=USED).findings
    assert [(one.code, one.column, one.detail, one.rows) for one in told] == [
        ("text_damaged", "lastname", "contacts, 2 cells, the first in contacts.csv row 3", 2)
    ]


def test_damaged_texts_that_are_read_where_they_lie_are_counted(tmp_path: Path) -> None:
    columns = {name: ["x", "y"] for name in HEADER.split(",")} | {"lastname": ["MÃ¼ller", "SÃO"]}
    pq.write_table(pa.table(columns), tmp_path / "contacts.parquet")
    for blank in ([], ["x"]):
        table = land(tmp_path).tables["contacts"]
        texts = TextColumns(table, {"text:lastname": "lastname"}, blank)
        texts.rows(0, 2)
        assert dict(texts.words) == {("lastname", DAMAGED): 1}


def test_texts_lose_the_words_that_are_blank(tmp_path: Path) -> None:
    found = landed(tmp_path, "1,2,1,,NULL,text,,", "3,4,0,,Brown, NULL,5,")
    columns = {"text:lastname": "lastname", "text:description": "description"}
    rows = TextColumns(found.tables["contacts"], columns, ["NULL"]).rows(0, 2)
    assert rows["text:lastname"].to_list() == [None, "Brown"]
    assert rows["text:description"].to_list() == ["text", None]
    assert rows["source_file"].to_list() == ["contacts.csv"] * 2


def test_every_word_is_counted_as_it_stands_and_between_blanks() -> None:
    cells = [*NULL_WORDS, *(f" {word} " for word in NULL_WORDS), "account", "message", None]
    text = query("plan/null_words", rows="given", column="written")
    with session() as here:
        here.register("given", pl.DataFrame({"written": cells}))
        found = here.frame(text, words=NULL_WORDS, longest=LONGEST_WORD)
    assert dict(found.iter_rows()) == dict.fromkeys(NULL_WORDS, 2)
