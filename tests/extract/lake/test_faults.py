"""Delta tables that cannot be read: a sentence names the file, and nothing is landed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from tests.scenes.delta import Column, DeltaFolder
from tests.scenes.lakes import KINDS, cut, list_contacts, make_table, without
from tests.scenes.reading import landed, rows, write


def refusal(tmp_path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        landed(tmp_path / "export", tmp_path / "in")
    assert not list((tmp_path / "in").glob("**/*"))
    return str(caught.value)


def three_commits(path: Path) -> DeltaFolder:
    table = make_table(path)
    for place in range(3):
        table.add(f"part-{place}.parquet", list_contacts(place * 10, 2))
    return table


def with_vector(path: Path) -> DeltaFolder:
    table = make_table(path, vectors=True)
    table.add("part-0.parquet", list_contacts(1, 3), vector=table.stored({1}))
    return table


def _lose_commits(table: DeltaFolder) -> None:
    for version in (1, 2):
        without(table.place(version))


def _lose_checkpoint(table: DeltaFolder) -> None:
    table.checkpoint()
    [path] = table.log.glob("*.checkpoint.parquet")
    without(path)


def _lose_part_of_checkpoint(table: DeltaFolder) -> None:
    table.checkpoint("parts")
    without(next(table.log.glob("*.0000000001.0000000002.parquet")))


def _cut_checkpoint(table: DeltaFolder) -> None:
    table.checkpoint()
    [path] = table.log.glob("*.checkpoint.parquet")
    cut(path, 100)


def _lose_commit_after_checkpoint(table: DeltaFolder) -> None:
    table.checkpoint()
    for place in (7, 8):
        table.add(f"part-{place}.parquet", list_contacts(place * 10, 2))
    without(table.place(4))


def _lose_newest(table: DeltaFolder) -> None:
    (table.log / f"{4:020d}.crc").write_text(json.dumps({"numFiles": 4}))


def _lose_everything(table: DeltaFolder) -> None:
    for path in list(table.log.iterdir()):
        without(path)


def _count_otherwise(table: DeltaFolder) -> None:
    (table.log / f"{3:020d}.crc").write_text(json.dumps({"numFiles": 4}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda table: without(table.path / "part-1.parquet"),
            "contacts/part-1.parquet: is missing, and the log of the table names it",
        ),
        (
            lambda table: cut(table.path / "part-1.parquet", 300),
            "contacts/part-1.parquet: is not a whole Parquet file",
        ),
        (
            lambda table: pq.write_table(list_contacts(1, 1), table.path / "part-1.parquet"),
            "contacts/part-1.parquet: has 1 rows, and the log of the table says 2",
        ),
        (
            lambda table: cut(table.place(2), 200),
            f"contacts/_delta_log: is not whole: line 2 of {2:020d}.json is not whole JSON.",
        ),
        (
            lambda table: cut(table.place(3), 0),
            f"contacts/_delta_log/{3:020d}.json: is empty, so it is not whole",
        ),
        (lambda table: table.place(3).write_text("[1]\n"), f"line 1 of {3:020d}.json"),
        (lambda table: table.place(3).write_bytes(b"\xff\xfe\x00"), f"line 1 of {3:020d}.json"),
        (lambda table: table.place(3).write_text("[" * 200_000), f"line 1 of {3:020d}.json"),
        (
            _lose_commits,
            f"is not whole: {1:020d}.json, {2:020d}.json are missing.",
        ),
        (lambda table: without(table.place(0)), f"is not whole: {0:020d}.json is missing."),
        (_lose_checkpoint, "_last_checkpoint names the checkpoint of version 3, which is missing"),
        (_lose_part_of_checkpoint, "names the checkpoint of version 3, which is missing"),
        (_cut_checkpoint, f"{3:020d}.checkpoint.parquet is not a whole Parquet file"),
        (_lose_commit_after_checkpoint, f"is not whole: {4:020d}.json is missing."),
        (_lose_newest, "there is a checksum of version 4, but no commit after version 3"),
        (_count_otherwise, "says that version 3 has 4 files, and the log names 3"),
        (
            _lose_everything,
            "contacts/_delta_log: has no commits",
        ),
    ],
)
def test_a_copy_that_is_not_whole_is_refused_with_the_file(
    tmp_path: Path, damage: Callable[[DeltaFolder], object], words: str
) -> None:
    damage(three_commits(tmp_path / "export" / "contacts"))
    assert words in refusal(tmp_path)


def test_a_log_without_metadata_is_refused(tmp_path: Path) -> None:
    table = three_commits(tmp_path / "export" / "contacts")
    table.place(0).write_text(json.dumps(table.protocol()) + "\n")
    assert "does not say what the table is" in refusal(tmp_path)


def _spoil(name: Callable[[bytes], bytes]) -> Callable[[DeltaFolder], None]:
    def spoil(table: DeltaFolder) -> None:
        [path] = table.path.glob("*.bin")
        path.write_bytes(name(path.read_bytes()))

    return spoil


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda table: without(next(table.path.glob("*.bin"))),
            "contacts/_delta_log: names the deletion vector deletion_vector_",
        ),
        (_spoil(lambda content: content[:-9]), "names a deletion vector that is damaged"),
        (_spoil(lambda content: content[:-2] + b"zz"), "names a deletion vector that is damaged"),
        (
            lambda table: table.commit(
                table.write("x.parquet", list_contacts(1, 2), vector=table.inline({1, 9}))
            ),
            "deletion vector that is damaged, or that does not fit its file",
        ),
        (
            lambda table: table.commit(
                table.make_add("part-0.parquet", 3, vector=table.inline({0, 1}))
            ),
            "names the file part-0.parquet 2 times, with different deletion vectors",
        ),
    ],
)
def test_a_vector_that_cannot_be_true_is_refused(
    tmp_path: Path, damage: Callable[[DeltaFolder], object], words: str
) -> None:
    damage(with_vector(tmp_path / "export" / "contacts"))
    assert words in refusal(tmp_path)


@pytest.mark.parametrize("has_checkpoint", [False, True])
@pytest.mark.parametrize("feature", ["typeWidening", "typeWidening-preview", "frobnicate"])
def test_a_feature_that_is_not_known_is_refused_by_its_name(
    tmp_path: Path, feature: str, has_checkpoint: bool
) -> None:
    table = make_table(tmp_path / "export" / "contacts", features=[feature])
    table.add("part-0.parquet", list_contacts(1, 2))
    if has_checkpoint:
        table.checkpoint()
    assert f"the table needs the Delta reader feature {feature}, which" in refusal(tmp_path)


def test_vectors_beside_a_feature_that_hides_them_are_refused_by_its_name(tmp_path: Path) -> None:
    features = ["vacuumProtocolCheck"]
    table = make_table(tmp_path / "export" / "contacts", features=features, vectors=True)
    table.add("part-0.parquet", list_contacts(1, 3), vector=table.inline({1}))
    assert "the Delta reader feature vacuumProtocolCheck beside deletion vectors" in refusal(
        tmp_path
    )


def test_a_protocol_of_tomorrow_is_refused(tmp_path: Path) -> None:
    table = three_commits(tmp_path / "export" / "contacts")
    table.commit({"protocol": {"minReaderVersion": 4, "minWriterVersion": 8}})
    assert "'version 4 of the protocol'" in refusal(tmp_path)


@pytest.mark.parametrize("feature", ["vacuumProtocolCheck", "variantType", "v2Checkpoint"])
def test_features_that_change_no_wanted_value_are_read(tmp_path: Path, feature: str) -> None:
    more = [Column(name="other", type="variant")] if feature == "variantType" else []
    table = make_table(tmp_path / "export" / "contacts", features=[feature], more=more)
    table.add("part-0.parquet", list_contacts(1, 2))
    found = landed(tmp_path / "export", tmp_path / "in")["contacts"]
    assert rows(found)["versionnumber"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("variant", "the column 'description' is of the Delta type variant"),
        (
            {"type": "struct", "fields": []},
            "the column 'description' (description) holds lists or records",
        ),
    ],
)
def test_a_wanted_column_that_is_no_value_is_refused(
    tmp_path: Path, kind: str | dict[str, object], words: str
) -> None:
    more = [Column(name="description", type=kind)]
    table = make_table(tmp_path / "export" / "contacts", features=["variantType"], more=more)
    table.add("part-0.parquet", list_contacts(1, 2))
    assert words in refusal(tmp_path)


def test_a_file_of_another_table_is_refused(tmp_path: Path) -> None:
    table = make_table(tmp_path / "export" / "contacts", mapping="name")
    # The names are those of the table, and the mapping says that files have others.
    pq.write_table(list_contacts(1, 2), table.path / "part-0.parquet")
    table.commit(table.make_add("part-0.parquet", 2))
    assert "contacts/part-0.parquet: has none of the columns that its Delta table" in refusal(
        tmp_path
    )


def test_a_file_without_numbers_of_columns_is_refused_where_they_tell_columns_apart(
    tmp_path: Path,
) -> None:
    table = make_table(tmp_path / "export" / "contacts", mapping="id")
    pq.write_table(list_contacts(1, 2), table.path / "part-0.parquet")
    table.commit(table.make_add("part-0.parquet", 2))
    assert "contacts/part-0.parquet: has no ids of columns" in refusal(tmp_path)


def test_a_column_of_a_type_that_the_table_has_not_is_refused(tmp_path: Path) -> None:
    table = make_table(tmp_path / "export" / "contacts")
    content = list_contacts(1, 2)
    place = content.column_names.index("createdon")
    table.add("part-0.parquet", content.set_column(place, "createdon", pa.array([True, False])))
    assert "contacts/part-0.parquet: the column createdon is bool here and timestamp" in refusal(
        tmp_path
    )


@pytest.mark.parametrize(
    "named",
    [
        "../../elsewhere/part-0.parquet",
        "%2E%2E/%2E%2E/elsewhere/part-0.parquet",
        "{home}/elsewhere/part-0.parquet",
        "file://{home}/elsewhere/part-0.parquet",
        "abfss://c@a.dfs.core.windows.net/contacts/part-0.parquet",
        "linked.parquet",
        "part%00.parquet",
    ],
)
def test_a_file_outside_the_source_is_refused(tmp_path: Path, named: str) -> None:
    table = make_table(tmp_path / "export" / "contacts")
    write(tmp_path / "elsewhere", {})
    (tmp_path / "elsewhere").mkdir()
    outside = tmp_path / "elsewhere" / "part-0.parquet"
    pq.write_table(list_contacts(1, 3), outside)
    (table.path / "linked.parquet").symlink_to(outside)
    table.commit(table.make_add(str(outside), 3, path=named.format(home=tmp_path)))
    assert "which is outside the folder of the source" in refusal(tmp_path)


def test_a_table_behind_a_link_is_read(tmp_path: Path) -> None:
    KINDS["vectors"](tmp_path / "lake" / "contacts")
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "contacts").symlink_to(tmp_path / "lake" / "contacts")
    assert landed(tmp_path / "export", tmp_path / "in")["contacts"].rows == 15


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"contacts/metadata/v1.metadata.json": "{}"}, "contacts: is an Iceberg table"),
        ({"contacts/.hoodie/hoodie.properties": ""}, "contacts: is a Hudi table"),
    ],
)
def test_tables_of_other_lakes_are_refused_by_their_name(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    write(tmp_path / "export", {**files, "contacts/data/a.parquet": b"PAR1"})
    assert words in refusal(tmp_path)


def test_a_source_that_is_a_table_itself_is_refused(tmp_path: Path) -> None:
    three_commits(tmp_path / "export")
    assert "is a Delta table itself: name the folder that holds it" in refusal(tmp_path)
