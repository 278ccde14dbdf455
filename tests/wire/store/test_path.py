"""A place in a store, as readers of a folder use it."""

from __future__ import annotations

import errno
import hashlib
import stat
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore

from pipeline.errors import SourceError, Stopped
from pipeline.wire.store import path as paths
from pipeline.wire.store.path import Store, StorePath
from pipeline.wire.store.remote import RemoteFile
from tests.scenes.stores import hold_in_memory, locate, store_folder

if TYPE_CHECKING:
    from obstore import ObjectMeta

FILES = {
    "sales/contacts.csv": "a,b\n1,2\n",
    "sales/accounts/part 1.csv": "x",
    "sales/accounts/2024/part ü%#.csv": "yy",
    "sales/empty.csv": "",
    "sales2/other.csv": "z",
}


@pytest.fixture
def sales() -> StorePath:
    return hold_in_memory(FILES, "s3://exports/sales")


def test_a_folder_has_files_and_folders_like_one_of_this_machine(
    sales: StorePath, tmp_path: Path
) -> None:
    for key, content in FILES.items():
        place = tmp_path / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    here = tmp_path / "sales"
    for pattern in ("*", "*.csv", "*/*.csv", "**/*.csv", "acc*/2024/*"):
        assert [one.relative_to(sales).as_posix() for one in sorted(sales.glob(pattern))] == [
            one.relative_to(here).as_posix() for one in sorted(here.glob(pattern))
        ], pattern
    assert len(list(sales.rglob("*.csv"))) == len(list(here.rglob("*.csv")))
    for there, local in zip(sorted(sales.iterdir()), sorted(here.iterdir()), strict=True):
        assert (there.name, there.stem, there.suffix, there.suffixes) == (
            (local.name, local.stem, local.suffix, local.suffixes)
        )
        assert (there.is_dir(), there.is_file()) == (local.is_dir(), local.is_file())
        if there.is_file():
            assert there.stat().st_size == local.stat().st_size
            assert there.read_bytes() == local.read_bytes()


def test_a_place_is_named_by_its_address(sales: StorePath) -> None:
    one = sales / "accounts" / "part 1.csv"
    assert str(one) == "s3://exports/sales/accounts/part 1.csv"
    assert one.as_posix() == str(one.resolve(strict=True)) == str(one)
    assert repr(one) == f"StorePath('{one}')"
    assert one.relative_to(sales) == PurePosixPath("accounts/part 1.csv")
    assert one.is_relative_to(sales)
    assert not sales.is_relative_to(one)
    assert one.parent == sales.joinpath("accounts")
    assert one.parents[1] == sales
    assert one.parts == ("sales", "accounts", "part 1.csv")
    assert one.with_name("x.csv").name == "x.csv"
    assert one.with_suffix(".gz").name == "part 1.gz"
    assert len({one, sales / "accounts/part 1.csv", sales}) == 2
    assert not one.is_symlink()
    assert isinstance(one, RemoteFile)


def test_a_whole_container_is_a_folder() -> None:
    root = hold_in_memory(FILES)
    assert (str(root), root.name, root.is_dir()) == ("s3://exports", "exports", True)
    assert sorted(one.name for one in root.iterdir()) == ["sales", "sales2"]
    assert hold_in_memory({}).is_dir()


def test_what_is_not_there_is_missing_like_a_file_of_this_machine(sales: StorePath) -> None:
    gone = sales / "gone" / "x.csv"
    assert [gone.exists(), gone.is_file(), gone.is_dir()] == [False] * 3
    assert not hold_in_memory(FILES, "s3://exports/gone").is_dir()
    with pytest.raises(FileNotFoundError, match=r"s3://exports/sales/gone/x\.csv") as missing:
        gone.stat()
    assert missing.value.errno == errno.ENOENT
    with pytest.raises(IsADirectoryError, match="accounts"):
        (sales / "accounts").open("rb")
    with pytest.raises(ValueError, match="not opened as w"):
        (sales / "contacts.csv").open("w")  # type: ignore[call-overload]


def test_an_address_that_is_a_file_is_no_folder() -> None:
    one = hold_in_memory(FILES, "s3://exports/sales/contacts.csv")
    assert one.is_file()
    assert not one.is_dir()
    assert stat.S_ISREG(one.stat().st_mode)


def test_a_file_that_stands_for_a_folder_is_none() -> None:
    memory = MemoryStore()
    obstore.put(memory, "marked", b"", attributes={"hdi_isfolder": "true"})
    obstore.put(memory, "marked/contacts.csv", b"x")
    obstore.put(memory, "alone", b"", attributes={"hdi_isfolder": "true"})
    root = StorePath(Store(memory, locate("az://exports")), "")
    assert (root / "marked").is_dir()
    assert [one.name for one in (root / "marked").iterdir()] == ["contacts.csv"]
    alone = StorePath(Store(memory, locate("az://exports/alone")), "alone")
    assert alone.is_dir()
    assert not alone.is_file()


def test_a_name_that_is_a_file_and_a_folder_is_refused() -> None:
    both = hold_in_memory({"contacts": "x", "contacts/part.csv": "y"})
    with pytest.raises(SourceError, match=r"^s3://exports/contacts: is a file and a folder"):
        list(both.iterdir())


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.csv").touch()
    assert len(Store(LocalStore(tmp_path), locate("s3://exports"), most=3).list_folder("")) == 3
    with pytest.raises(SourceError, match=r"^s3://exports: holds more than 2 files"):
        Store(LocalStore(tmp_path), locate("s3://exports"), most=2).list_folder("")


def test_a_folder_is_listed_once(sales: StorePath, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    listing = obstore.list_with_delimiter_async

    def count(store: Any, prefix: str | None = None) -> Any:
        asked.append(prefix)
        return listing(store, prefix=prefix)

    monkeypatch.setattr(obstore, "list_with_delimiter_async", count)
    for _ in range(3):
        assert (sales / "contacts.csv").is_file()
        assert not (sales / "model.json").is_file()
        assert len(list(sales.iterdir())) == 3
    assert asked == ["sales"]


def test_a_file_that_was_read_whole_has_its_hash(sales: StorePath) -> None:
    one = sales / "contacts.csv"
    assert one.sha256 == ""
    assert one.read_text() == FILES["sales/contacts.csv"]
    assert one.sha256 == hashlib.sha256(one.read_bytes()).hexdigest()
    with (sales / "accounts" / "part 1.csv").open_pieces() as file:
        assert file.read() == b"x"
    assert (sales / "accounts" / "part 1.csv").sha256 == ""


def test_a_file_that_changes_after_it_was_listed_stops_its_reader() -> None:
    memory = MemoryStore()
    obstore.put(memory, "contacts.csv", b"old")
    root = StorePath(Store(memory, locate("s3://exports")), "")
    assert (root / "contacts.csv").is_file()
    obstore.put(memory, "contacts.csv", b"new")
    with pytest.raises(
        Stopped, match=r"^s3://exports/contacts\.csv: changed while p2c was reading it"
    ):
        (root / "contacts.csv").read_bytes()


@pytest.mark.parametrize(
    ("written", "etag"),
    [("0x8D", '"0x8D"'), ('"0x8D"', '"0x8D"'), ('W/"0x8D"', 'W/"0x8D"'), (None, "")],
)
def test_an_etag_is_written_as_headers_write_it(written: str | None, etag: str) -> None:
    found: ObjectMeta = {
        "path": "contacts.csv",
        "last_modified": datetime(2026, 1, 1, tzinfo=UTC),
        "size": 3,
        "e_tag": written,
        "version": None,
    }
    assert paths._describe(found).etag == etag


def test_a_file_that_goes_after_it_was_listed_is_missed(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("x")
    root = store_folder(tmp_path)
    assert (root / "contacts.csv").is_file()
    (tmp_path / "contacts.csv").unlink()
    with pytest.raises(SourceError, match=r"contacts\.csv: cannot be read: there is no such file"):
        (root / "contacts.csv").read_bytes()
