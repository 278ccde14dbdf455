"""Run folders that somebody altered: every command gives a sentence, and ``verify`` says so."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.cli.app import main
from tests.fuzz.answers import spoil
from tests.fuzz.readers import Answer
from tests.scenes.small import contactid, number, write_small

ALTERED: Final = 4
COMMANDS: Final[tuple[tuple[str, ...], ...]] = (
    ("verify", "RUN"),
    ("report", "RUN"),
    ("report", "RUN", "--to", "page.html", "--with-values"),
    ("explain", contactid(3), "--run", "RUN"),
    ("explain", contactid(10)),
    ("findings", "RUN"),
    ("findings", "RUN", "--repair", "repair.csv"),
    ("findings", "RUN", "--worklist", "work"),
    ("runs",),
    ("apply", "RUN", "--yes"),
    ("retry", "RUN"),
    ("undo", "RUN"),
    ("confirm", "RUN"),
    ("reconcile", "RUN", "--scm", "scm.csv"),
    ("purge", "RUN"),
    ("replay", "RUN"),
    ("accept", "RUN", "--code", "contact_number_missing", "--until", "2999-12-31", "--why", "x"),
    ("plan", "--source", ".", "--against", "RUN"),
)
"""What is asked of an altered run; ``RUN`` stands for its id."""

SCM: Final = (
    "dataAreaId,CustomerAccount,PartyNumber,PartyType,PersonFirstName\n"
    f"usmf,{number(1)},{number(1)},Person,Other\n"
)
"""What SCM has, as an export: a row of the plan with another name."""

UNSURE: Final = ("batches.parquet", "outcomes.parquet", "report.html", ".lock")
"""Files that a later command may have changed, or that are checked by what they say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a command said."""

    code: int
    text: str


def ask(words: Sequence[str], home: Path, run: str) -> Said:
    """Run a command in a folder."""
    out = io.StringIO()
    spelled = [run if word == "RUN" else word for word in words]
    with contextlib.chdir(home), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(spelled)
    return Said(code=code, text=out.getvalue())


def make_home(folder: Path, *, applied: bool) -> str:
    """A folder with a source, its project and one run; the run's id."""
    folder.mkdir(exist_ok=True)
    write_small(folder)
    (folder / "scm.csv").write_text(SCM, encoding="utf-8")
    settings = ["destination.legal_entity=usmf", "destination.currency=EUR"]
    sets = [part for one in settings for part in ("--set", one)]
    ask(["plan", *sets], folder, "")
    (run,) = [path.name for path in (folder / "runs").iterdir() if path.name[0].isdigit()]
    if applied:
        ask(["apply", run, "--yes"], folder, run)
        ask(["report", run], folder, run)
    return run


def list_files(folder: Path) -> list[Path]:
    """The files of a run that can be altered."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def alter(folder: Path, chance: random.Random) -> Path:
    """Alter one file of a run; which."""
    path = chance.choice(list_files(folder))
    before = path.read_bytes()
    while path.is_file() and path.read_bytes() == before:
        chance.choice(_WAYS[path.suffix if path.suffix in _WAYS else ""])(path, chance)
    return path


def _spoil_text(path: Path, chance: random.Random) -> None:
    path.write_bytes(spoil(Answer(body=path.read_bytes()), chance).body)


def _drop_line(path: Path, chance: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    path.write_bytes(b"".join(lines))


def _remove(path: Path, _chance: random.Random) -> None:
    path.unlink()


def _put_folder(path: Path, _chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _replace(path: Path, chance: random.Random) -> None:
    """Another file of the run, or one that is whole but has nothing of it."""
    others = [one for one in path.parent.rglob("*.parquet") if one != path]
    if others and chance.random() < 0.5:
        shutil.copyfile(chance.choice(others), path)
    else:
        pl.DataFrame({"x": [1]}).write_parquet(path)


def _alter_table(path: Path, chance: random.Random) -> None:
    """Fewer columns, other types, other rows or other values."""
    try:
        rows = pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError:
        return
    name = chance.choice(rows.columns) if rows.columns else ""
    ways: list[Callable[[], pl.DataFrame]] = [
        lambda: rows.drop(name),
        lambda: rows.with_columns(pl.lit(None, pl.Int8).alias(name)),
        lambda: rows.with_columns(pl.lit("x").alias(name)),
        lambda: rows.with_columns(pl.lit([1]).alias(name)),
        lambda: rows.head(rows.height // 2),
        lambda: pl.concat([rows, rows]),
        lambda: rows.rename({name: "filename"}),
    ]
    chance.choice(ways)().write_parquet(path)


_WAYS: Final[dict[str, tuple[Callable[[Path, random.Random], None], ...]]] = {
    ".json": (_spoil_text, _spoil_text, _remove, _put_folder),
    ".jsonl": (_spoil_text, _drop_line, _remove, _put_folder),
    ".parquet": (_spoil_text, _alter_table, _alter_table, _replace, _remove, _put_folder),
    "": (_spoil_text, _remove, _put_folder),
}


def try_altered(home: Path, run: str, work: Path, chance: random.Random) -> str | None:
    """What is wrong with what p2c said of an altered run; null if nothing is."""
    shutil.copytree(home, work)
    folder = work / "runs" / run
    path = alter(folder, chance)
    what = path.relative_to(folder).as_posix()
    seen = ask(("verify", "RUN"), work, run)
    is_seen = seen.code == ALTERED or "report.html has no hash" in seen.text
    if not is_seen and path.name not in UNSURE:
        return f"verify said {seen.code} of {what}: {seen.text}"
    words = chance.choice(COMMANDS)
    said = ask(words, work, run)
    for one in (seen, said):
        if "defect of p2c" in one.text or "Traceback" in one.text:
            return f"{' '.join(words)} died of {what}: {one.text}"
    return None
