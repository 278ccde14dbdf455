"""Why a Delta table cannot be read, by what stands in its log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import SourceError, list_problems
from pipeline.extract.lake.log import Action, DeltaLog, list_needed, read_actions, read_commit

FEATURES: Final = frozenset(
    {
        "columnMapping",
        "deletionVectors",
        "timestampNtz",
        "v2Checkpoint",
        "vacuumProtocolCheck",
        "variantShredding",
        "variantShredding-preview",
        "variantType",
        "variantType-preview",
    }
)
"""What a table may ask of its readers. Columns of the type variant are refused where they are
wanted."""
_READER: Final = 3
"""The highest version of the protocol for readers."""
_NAMED: Final = 3
"""So many missing files are named."""
_HINT: Final = "_last_checkpoint"
_AGAIN: Final = "Copy the table's folder again."
_PLAIN: Final = "write the table's current rows as plain Parquet"
_DIGITS: Final = (
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)
"""The digits to the base of 85 that names of vectors are written in."""


def list_unknown_features(features: Sequence[str] | None) -> list[str]:
    """Those features of a table that p2c does not know."""
    return sorted(set(features or ()) - FEATURES)


def make_feature_error(features: Sequence[str], where: str) -> SourceError:
    """The error for a table that asks for more than p2c knows."""
    several = "s" * (len(features) > 1)
    return SourceError(
        f"the table needs the Delta reader feature{several} {', '.join(features)}, which p2c does "
        f"not read: drop it from the table, or {_PLAIN}.",
        where=where,
    )


def explain_log(log: DeltaLog) -> SourceError:
    """Why a log cannot be read: all that is wrong with its files, else what they ask for."""
    if log.newest < 0:
        return SourceError(
            f"has no commits: the folder is not whole, or is no Delta table. {_AGAIN}",
            where=log.name,
        )
    broken = [text for path in list_needed(log) if (text := _find_damage(log, path))]
    problems = [*_list_gaps(log), *broken]
    if problems:
        return SourceError(f"is not whole: {list_problems(problems)} {_AGAIN}", where=log.name)
    try:
        return _explain_actions(log)
    except (OSError, ValueError, LookupError, RecursionError, pa.ArrowException):
        return SourceError(f"is not whole: its checkpoint is damaged. {_AGAIN}", where=log.name)


def _list_gaps(log: DeltaLog) -> Iterator[str]:
    """Versions that are missing between the newest checkpoint, or the first commit, and the end."""
    missing = [
        version for version in range(log.whole + 1, log.newest) if version not in log.commits
    ]
    if missing:
        named = ", ".join(f"{version:020d}.json" for version in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        yield f"{named}{more} {'is' if len(missing) == 1 else 'are'} missing."
    try:
        hinted = json.loads((log.folder / _HINT).read_bytes())["version"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return
    if hinted not in log.checkpoints:
        yield f"{_HINT} names the checkpoint of version {hinted}, which is missing."


def _find_damage(log: DeltaLog, path: Path) -> str | None:
    """What is wrong with one file of a log, as far as its form tells."""
    name = path.relative_to(log.folder).as_posix()
    if path.suffix == ".parquet":
        try:
            pq.read_schema(path)
        except (OSError, pa.ArrowException):
            return f"{name} is not a whole Parquet file."
        return None
    line = 0
    try:
        for _ in read_commit(path):
            line += 1
    except (OSError, ValueError, RecursionError):
        return f"line {line + 1} of {name} is not whole JSON."
    return None


def _explain_actions(log: DeltaLog) -> SourceError:
    """What the newest protocol asks for; the files of the log can be read."""
    protocols = list(read_actions(log, "protocol"))
    asked = protocols[-1] if protocols else {}
    features, version = asked.get("readerFeatures"), asked.get("minReaderVersion")
    unknown = list_unknown_features(features if isinstance(features, list) else None)
    if isinstance(version, int) and version > _READER:
        unknown.append(f"'version {version} of the protocol'")
    if unknown:
        return make_feature_error(unknown, log.name)
    if not protocols or not any(read_actions(log, "metaData")):
        return SourceError(
            f"does not say what the table is, for its first commits are missing. {_AGAIN}",
            where=log.name,
        )
    return SourceError(
        f"has entries that cannot be read: {_PLAIN}. If the path of the folder has unusual signs, "
        "rename it first.",
        where=log.name,
    )


def explain_vectors(log: DeltaLog, table: Path) -> SourceError:
    """Why the deletion vectors of a table cannot be read."""
    try:
        vectors = [one.get("deletionVector") for one in read_actions(log, "add")]
    except (OSError, ValueError, LookupError, RecursionError, pa.ArrowException):
        return explain_log(log)
    for vector in vectors:
        path = find_vector(vector, table) if isinstance(vector, dict) else None
        if path is not None and not path.is_file():
            return SourceError(
                f"names the deletion vector {path.name}, which is missing. {_AGAIN}",
                where=log.name,
            )
    return SourceError(
        "names a deletion vector that is damaged, or that does not fit its file: copy the table's "
        f"folder again, or {_PLAIN}.",
        where=log.name,
    )


def find_vector(vector: Action, table: Path) -> Path | None:
    """The file of a deletion vector of the table in a folder; null if it stands in the log."""
    name = str(vector.get("pathOrInlineDv"))
    match vector.get("storageType"):
        case "p":
            return Path(unquote(urlsplit(name).path))
        case "u":
            prefix, digits = name[:-20], name[-20:]
            return table / prefix / f"deletion_vector_{_decode_name(digits)}.bin"
        case _:
            return None


def _decode_name(digits: str) -> uuid.UUID:
    """A UUID from its digits to the base of 85, five for four bytes."""
    content = b""
    for start in range(0, len(digits), 5):
        number = 0
        for digit in digits[start : start + 5]:
            number = number * len(_DIGITS) + max(_DIGITS.find(digit), 0)
        content += (number % 2**32).to_bytes(4, "big")
    return uuid.UUID(bytes=content)
