"""A workbook as a file: what it really is, how much it unpacks to, and which parts it has.

Nothing of it is handed to a reader before its size is known: a reader holds a sheet as a whole.
"""

from __future__ import annotations

import codecs
import contextlib
import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import python_calamine

from pipeline.errors import SourceError, reading
from pipeline.extract.files.remote import fetch_local
from schemas.text import WHITE_SPACE

BLOCK: Final = 1024 * 1024
MOST_UNPACKED: Final = 2 * 1024 * BLOCK
"""Bytes that a workbook may unpack to: a reader holds much of it in memory."""
_SMALL: Final = 4 * BLOCK
"""More than any list of sheets has."""
_HEAD: Final = 1024
_OLE: Final = b"\xd0\xcf\x11\xe0"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS: Final = frozenset(range(0x20)) - frozenset(b"\t\r\n\f")
"""Bytes that no text has."""
_PROTECTED: Final = tuple(
    word.encode("utf-16-le") for word in ("EncryptedPackage", "EncryptionInfo", "DataSpaces")
)
_SAVE_AGAIN: Final = "open it in Excel and save it as 'Excel Workbook (.xlsx)'"
_ODS: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_TAG: Final = re.compile(rb"<(?:[\w.-]+:)?(sheet|Relationship)\s([^>]*)>")
_ATTRIBUTE: Final = re.compile(r"""([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class WorkbookKind(StrEnum):
    """What a workbook is inside, whatever its name ends in."""

    EXCEL = "Excel"
    OPEN_DOCUMENT = "OpenDocument"


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkbookFile:
    """A workbook that may be read: its kind, and the part that holds each sheet, by its name."""

    path: Path
    name: str
    kind: WorkbookKind
    sheets: dict[str, str]

    def read_part(self, part: str) -> Iterator[bytes]:
        """The unpacked bytes of a part, in blocks; its length and checksum are looked at."""
        with (
            refusing_broken(self.name),
            zipfile.ZipFile(self.path) as packed,
            packed.open(part) as file,
        ):
            while block := file.read(BLOCK):
                yield block

    def open(self) -> python_calamine.CalamineWorkbook:
        """The workbook, open to be read."""
        is_named_right = (self.kind is WorkbookKind.OPEN_DOCUMENT) == (
            self.path.suffix.lower() == ".ods"
        )
        with refusing_broken(self.name):
            if is_named_right:
                return python_calamine.load_workbook(str(self.path))
            return python_calamine.load_workbook(io.BytesIO(self.path.read_bytes()))


@contextlib.contextmanager
def refusing_broken(name: str) -> Iterator[None]:
    """Say of a workbook that it is broken.

    What the readers say is not shown: it may have a value in it.

    Raises:
        SourceError: the workbook is protected or broken.
    """
    try:
        with reading(name):
            yield
    except python_calamine.PasswordError as error:
        raise _make_protected_error(name) from error
    except (
        python_calamine.CalamineError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise _make_broken_error(name) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # The reader's own, which has no base.
            raise
        raise _make_broken_error(name) from error


def look_into(path: Path, name: str, limit: int = MOST_UNPACKED) -> WorkbookFile:
    """What a workbook is.

    Args:
        path: the file.
        name: what messages call it.
        limit: bytes that it may unpack to, at most ``MOST_UNPACKED``.

    Raises:
        SourceError: it is something else, protected or broken, or larger than the limit.
    """
    with reading(name):
        path = fetch_local(path)
    with reading(name), path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.startswith(b"PK"):
        raise _make_other_error(path, name, head)
    with refusing_broken(name), zipfile.ZipFile(path) as packed:
        parts = {one.filename: one for one in packed.infolist()}
        size = sum(one.file_size for one in parts.values())
        if size > min(limit, MOST_UNPACKED):
            raise SourceError(
                f"unpacks to {size:,} bytes; of a workbook at most {min(limit, MOST_UNPACKED):,} "
                "are read. Export fewer rows or columns at once.",
                where=name,
            )
        if "xl/workbook.xml" in parts:
            kind, sheets = WorkbookKind.EXCEL, _list_sheets(packed)
        elif "mimetype" in parts and packed.read("mimetype").startswith(_ODS):
            kind, sheets = WorkbookKind.OPEN_DOCUMENT, {}
        elif "xl/workbook.bin" in parts:
            raise SourceError(f"is a binary workbook: {_SAVE_AGAIN}.", where=name)
        else:
            raise SourceError(
                "is a zip file, but not an Excel workbook: unpack it, and put its files here.",
                where=name,
            )
    return WorkbookFile(path=path, name=name, kind=kind, sheets=sheets)


def _list_sheets(packed: zipfile.ZipFile) -> dict[str, str]:
    """Sheet → the part that holds it."""
    targets = {
        one.get("Id"): posixpath.normpath(posixpath.join("/xl", one.get("Target", "")))[1:]
        for one in _read_tags(packed, "xl/_rels/workbook.xml.rels")
    }
    sheets = [(one.get("name", ""), targets.get(one.get("id"), "")) for one in _read_tags(packed)]
    return {name: target for name, target in sheets if target in packed.NameToInfo}


def _read_tags(packed: zipfile.ZipFile, part: str = "xl/workbook.xml") -> list[dict[str, str]]:
    """The attributes of all sheets or relations that a part lists, without their namespaces."""
    with packed.open(part) as file:
        text = file.read(_SMALL)
    return [
        {
            name: html.unescape(double or single)
            for name, double, single in _ATTRIBUTE.findall(attributes.decode("utf-8", "replace"))
        }
        for _, attributes in _TAG.findall(text)
    ]


def _make_other_error(path: Path, name: str, head: bytes) -> SourceError:
    """The error for a file that is not a zip."""
    text = head.decode("utf-8-sig", "replace").lstrip(WHITE_SPACE).lower()
    if head.startswith(_OLE):
        if _is_protected(path, name):
            return _make_protected_error(name)
        sentence = f"is an old Excel workbook: {_SAVE_AGAIN}."
    elif text.startswith(("<?xml", "<html", "<!doctype", "<table", "<meta", "<head")):
        sentence = (
            f"is a web page or XML that is named like a workbook: {_SAVE_AGAIN}, or export again."
        )
    elif head.startswith(_UTF_16) or (head and not _CONTROLS.intersection(head)):
        sentence = "is text, not a workbook: let its name end in .csv."
    else:
        sentence = "is not a whole Excel workbook: export or copy it again."
    return SourceError(sentence, where=name)


def _is_protected(path: Path, name: str) -> bool:
    """Whether an OLE file holds an encrypted workbook, by the names of its streams."""
    with reading(name), path.open("rb") as file:
        before = b""
        while block := file.read(BLOCK):
            if any(word in before + block for word in _PROTECTED):
                return True
            before = block[-_HEAD:]
    return False


def _make_protected_error(name: str) -> SourceError:
    return SourceError(
        "is protected with a password or a sensitivity label: open it in Excel, remove the "
        "protection, and save it again.",
        where=name,
    )


def _make_broken_error(name: str) -> SourceError:
    return SourceError(
        f"is not a whole Excel workbook, or is damaged: export or copy it again, or {_SAVE_AGAIN}.",
        where=name,
    )
