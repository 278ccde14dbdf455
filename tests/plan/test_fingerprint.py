"""What decides a plan is pinned in it: who changes that has to plan again. All else may change."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.apply.confirm import record_import
from pipeline.apply.execute import apply_plan
from pipeline.backfill.planning import make_backfill
from pipeline.commands.options import Flags
from pipeline.errors import PlanRefused
from pipeline.events import Step, report_nothing
from pipeline.plan import fingerprint, known
from pipeline.plan.fingerprint import PinnedCode, hash_code, list_changed_settings
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.files import hash_file, read_json, write_json
from pipeline.run.folder import RunFolder, find_runs
from pipeline.run.journal import Journal, read_journal
from pipeline.run.memory import LOADED, find_memory
from tests.scenes.small import PROJECT, contactid, number, write_small
from tests.test_imports import FILES, read_module

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMED = PROJECT + 'name = "test"\nknown_customers = "known.csv"\n'
KNOWN = "CustomerAccount,PartyNumber,dataAreaId\nACC-01000-ABCDEF,ACC-01000-ABCDEF,usmf\n"
MADE = {"main": make_plan, "backfill": make_backfill}
Change = Callable[[Path], None]


class Halt(BaseException):
    """What a test stops an apply with; no code catches it."""


def clock() -> datetime:
    return NOW


def loaded(home: Path, **contents: str) -> None:
    """Say that some run loaded these keys with these contents; they replace what was there."""
    path = find_memory(home / "runs", "test", "ContactToCustomer")
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = [f"usmf/{one.replace('_', '-')}" for one in contents]
    frame = pl.DataFrame(
        {"destination_key": keys, "row_hash": list(contents.values())},
        schema={"destination_key": pl.String, "row_hash": pl.String},
    )
    whole = frame.with_columns(legal_entity=pl.lit("usmf"), run=pl.lit("r"), batch=pl.lit(1))
    whole.select(LOADED.names()).cast(pl.Schema(LOADED)).write_parquet(path)


BEFORE = {"CON_00002_ABCDEF": "0" * 64, "CON_77777_ABCDEF": "7" * 64}
"""One key of a contact of the plan, one of nobody."""


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By kind: a home with source, project file, memory and one plan."""
    found = {}
    for kind, make in MADE.items():
        home = found[kind] = tmp_path_factory.mktemp(kind)
        project = write_small(home / "source", NAMED)
        (project.parent / "known.csv").write_text(KNOWN)
        loaded(home, **BEFORE)
        make(load_project(project), PlanRequest(), home / "runs", clock, report_nothing)
    return found


@pytest.fixture
def home_of(plans: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one of them. The plan's project file is that of the copy."""

    def copied(kind: str) -> Path:
        home = Path(shutil.copytree(plans[kind], tmp_path / kind))
        signed(run_of(home), project=str(home / "source" / "p2c.toml"))
        return home

    return copied


def run_of(home: Path) -> RunFolder:
    (run,) = find_runs(home / "runs")
    return run


def signed(run: RunFolder, **changes: Any) -> None:
    """Change what ``run.json`` says, as if the plan had been made so."""
    planned = read_journal(run.journal).entries[0].payload["files"]
    write_json(run.run_json, {**read_json(run.run_json), **changes})
    run.journal.unlink()
    with Journal.open(run.journal, clock) as journal:
        files = planned | {"run.json": hash_file(run.run_json)}
        line = journal.append("planned", run=str(run.run), files=files, balanced=True)
    write_json(run.summary, {**read_json(run.summary), "journal": line})


def applied(run: RunFolder, listener: Callable[[Step], None] = report_nothing) -> None:
    flags = Flags(runs=run.path.parent)
    apply_plan(run, lambda: flags.today(run.facts()), clock, listener)


def project(text: str) -> Change:
    """Write another project file."""

    def change(home: Path) -> None:
        (home / "source" / "p2c.toml").write_text(text)

    return change


def setting(section: str, line: str) -> Change:
    return project(NAMED.replace(f"[{section}]", f"[{section}]\n{line}"))


def memory(**contents: str) -> Change:
    return lambda home: loaded(home, **contents)


def export(text: str | None) -> Change:
    def change(home: Path) -> None:
        path = home / "source" / "known.csv"
        path.unlink()
        if text is not None:
            path.write_text(text)

    return change


def moved(home: Path) -> None:
    (home / "source" / "known.csv").rename(home / "source" / "other.csv")
    project(NAMED.replace("known.csv", "other.csv"))(home)


def forgotten(home: Path) -> None:
    shutil.rmtree(home / "runs" / "loaded")


def recorded(name: str) -> Change:
    """A plan that was made by other code of this name."""

    def change(home: Path) -> None:
        run = run_of(home)
        assert name in run.facts().fingerprints
        signed(run, fingerprints={**run.facts().fingerprints, name: "0" * 64})

    return change


OLDER = "made by another version of p2c"


def unrecorded(name: str) -> Change:
    """A plan that was made by a version that did not pin this."""

    def change(home: Path) -> None:
        run = run_of(home)
        before = run.facts().fingerprints
        signed(run, fingerprints={key: one for key, one in before.items() if key != name})

    return change


def known_to_a_newer_version(home: Path) -> None:
    run = run_of(home)
    signed(run, fingerprints={**run.facts().fingerprints, "weather": "0" * 64})


SITE = "[tasks.ContactToCustomer.fields.SiteId]\ndefault = 1\n"
SAME = memory(**dict(reversed(BEFORE.items())))
CHANGES: list[tuple[str, Change, str | None, str | None]] = [
    ("nothing", project(NAMED), None, None),
    ("a comment", project("# more\n" + NAMED), None, None),
    ("[run]", project(NAMED + "[run]\nmorsel_rows = 77\nmax_plan_age = 1\n"), None, None),
    ("where exports lie", project(NAMED.replace('path = "."', 'path = "gone"')), None, None),
    ("filter", setting("source", 'filter = "statecode = 0"'), r"source\.filter", r"source\.filter"),
    ("flags", setting("source", 'flag_blank = "hold"'), r"source\.flag_blank", None),
    (
        "usual numbers",
        setting("source", 'contact_number_pattern = "X.*"'),
        r"source\.contact_number_pattern \(was 'CON",
        r"source\.contact_number_pattern",
    ),
    (
        "row limit",
        setting("source", "row_limit = 2000"),
        r"source\.row_limit",
        r"source\.row_limit",
    ),
    ("parallel reading", setting("source", "parallel = 7"), None, None),
    ("parallel loading", setting("destination", "parallel = 7"), None, None),
    ("currency", project(NAMED.replace("EUR", "DKK")), r"currency \(was 'EUR', is 'DKK'\)", None),
    ("batches", project(NAMED.replace("batch_rows = 2", "batch_rows = 3")), "batch_rows", None),
    ("units", project(NAMED + '[organizations]\nGermany = "demf"'), r"organizations\.G", None),
    ("countries", project(NAMED + '[countries]\nDeutschlnd = "DE"'), r"countries\.D", None),
    ("columns", project(NAMED + "[columns.Contacts]\nTier = {}"), r"columns\.Contacts\.Ti", None),
    ("template", project(NAMED + SITE), r"template ContactToCustomer \(SiteId\)", None),
    ("seed", project(NAMED + '[backfill]\nseed = "x"\n'), None, r"backfill\.seed"),
    ("statuses", project(NAMED + '[backfill]\nstatuses = "0"\n'), None, r"backfill\.statuses"),
    ("requests", project(NAMED + "[backfill]\nrequest_rows = 9\n"), None, r"backfill\.request_r"),
    ("the same export", export(KNOWN), None, None),
    ("the same export elsewhere", moved, None, None),
    ("another export", export(KNOWN + "X,X,usmf\n"), "known_customers", None),
    ("no export", export(None), "known_customers", None),
    (
        "an export left out",
        project(NAMED.replace('known_customers = "known.csv"\n', "")),
        "known_customers",
        None,
    ),
    ("the same memory in another order", SAME, None, None),
    ("a load of others", memory(**BEFORE, CON_88888_ABCDEF="8" * 64), None, None),
    ("a load of new values", memory(**BEFORE | {"CON_00002_ABCDEF": "1" * 64}), "loaded", None),
    ("a load of new rows", memory(**BEFORE, CON_00001_ABCDEF="1" * 64), "is loaded", None),
    ("a load of a skipped one", memory(**BEFORE, CON_00009_ABCDEF="1" * 64), "is loaded", None),
    ("an undo", memory(CON_77777_ABCDEF="7" * 64), "is loaded", None),
    ("an undo that gave values back", memory(**BEFORE | {"CON_00002_ABCDEF": ""}), "loaded", None),
    ("the memory lost", forgotten, "is loaded", None),
    ("a newer version", known_to_a_newer_version, OLDER, OLDER),
]
"""What changes, and what the refusal of a main plan and of a backfill says; null: it is applied."""

PLANS_ONLY = {
    "mapping": "the mapping code of p2c",
    "lists": "the shipped templates and country lists of p2c",
    "scm": "the code of p2c that looks at SCM",
    "template Contacts": "template Contacts",
    known.KNOWN_CUSTOMERS: r"destination\.known_customers",
    known.LOADED_MEMORY: "what is loaded",
}
BOTH = {
    "sql": "the SQL of p2c",
    "schemas": "the schemas of p2c",
    "transform": "the transform code of p2c",
    "extract": "the reading code of p2c",
    "project": "the settings code of p2c",
    "plan": "the planning code of p2c",
}
BACKFILLS_ONLY = {"backfill": "the planning code of backfills"}
NAMES = {"main": BOTH | PLANS_ONLY, "backfill": BOTH | BACKFILLS_ONLY}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize(
    ("change", "main", "backfill"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES]
)
def test_a_plan_is_refused_when_and_only_when_what_decided_it_changed(
    home_of: Callable[[str], Path],
    kind: str,
    change: Change,
    main: str | None,
    backfill: str | None,
) -> None:
    home = home_of(kind)
    change(home)
    reason = {"main": main, "backfill": backfill}[kind]
    if reason is None:
        applied(run_of(home))
        assert read_json(run_of(home).summary)["applied"]
        return
    with pytest.raises(PlanRefused, match=rf"{reason}.*Plan again\."):
        applied(run_of(home))
    assert not any(
        entry.event == "apply_started" for entry in read_journal(run_of(home).journal).entries
    )


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [(kind, name, reason) for kind, names in NAMES.items() for name, reason in names.items()],
)
def test_other_code_and_another_version_are_refused_by_name(
    home_of: Callable[[str], Path], kind: str, name: str, reason: str
) -> None:
    home = home_of(kind)
    recorded(name)(home)
    with pytest.raises(PlanRefused, match=f"changed since the plan was made: {reason}"):
        applied(run_of(home))
    unrecorded(name)(home)
    with pytest.raises(PlanRefused, match=f"{OLDER}, which wrote down other things"):
        applied(run_of(home))


@pytest.mark.parametrize("kind", MADE)
def test_the_table_names_all_that_is_pinned(plans: dict[str, Path], kind: str) -> None:
    pinned = set(run_of(plans[kind]).facts().fingerprints)
    more = {"template ContactToCustomer"} if kind == "main" else set()
    assert pinned == set(NAMES[kind]) | more


def test_a_started_apply_is_finished_whatever_changed(home_of: Callable[[str], Path]) -> None:
    def stopping(_: Step) -> None:
        raise Halt

    home = home_of("main")
    with pytest.raises(Halt):
        applied(run_of(home), stopping)
    loaded(home, **BEFORE | {"CON_00002_ABCDEF": "1" * 64})
    export(None)(home)
    setting("source", 'filter = "statecode = 0"')(home)
    recorded_before = run_of(home).facts().fingerprints
    applied(run_of(home))
    assert read_json(run_of(home).summary)["applied"]
    assert run_of(home).facts().fingerprints == recorded_before


def test_of_two_plans_of_one_contact_only_the_first_can_be_applied(tmp_path: Path) -> None:
    """The second says "create" of rows that the first created; a plan of other contacts holds."""
    file, runs = write_small(tmp_path / "source"), tmp_path / "runs"
    only = tmp_path / "only.csv"
    only.write_text(contactid(1) + "\n")
    first = make_plan(load_project(file), PlanRequest(only=only), runs, clock, report_nothing)
    second = make_plan(load_project(file), PlanRequest(), runs, clock, report_nothing)
    only.write_text(contactid(2) + "\n")
    other = make_plan(load_project(file), PlanRequest(only=only), runs, clock, report_nothing)
    applied(first)
    record_import(first, clock)
    with pytest.raises(PlanRefused, match="what is loaded"):
        applied(second)
    applied(other)
    again = make_plan(load_project(file), PlanRequest(), runs, clock, report_nothing)
    keys = pl.read_parquet(again.rows_files("ContactToCustomer"))
    unchanged = keys.filter(pl.col("action") == "unchanged")
    assert unchanged["destination_key"].to_list() == [f"usmf/{number(1)}"]
    applied(again)


SALES, SCM = "https://contoso.crm4.dynamics.com", "https://contoso.operations.dynamics.com"
LOGIN = """kind = "client_secret"\ntenant = "t"\nclient_id = "me"\nsecret_env = "SECRET"\n"""
LIVE = f"""
[source]
kind = "dataverse"
url = "{SALES}"
[source.auth]
{LOGIN}
[destination]
load = "odata"
url = "{SCM}"
legal_entity = "usmf"
[destination.auth]
{LOGIN}
"""


@pytest.mark.parametrize(
    ("before", "after", "load", "backfill"),
    [
        ('client_id = "me"', 'client_id = "you"', [], []),
        ("[source.auth]", "parallel = 3\n[source.auth]", [], []),
        ("[destination.auth]", "parallel = 3\n[destination.auth]", [], []),
        (SALES, "https://test.crm4.dynamics.com", ["source.url"], ["source.url"]),
        (SCM, "https://test.operations.dynamics.com", ["destination.url", "destination.name"], []),
        ('"odata"', '"packages"', ["destination.load"], []),
        ('kind = "client_secret"', 'kind = "managed_identity"', [], []),
    ],
)
def test_of_live_systems_the_address_is_pinned_and_the_way_there_is_not(
    tmp_path: Path, before: str, after: str, load: list[str], backfill: list[str]
) -> None:
    file = tmp_path / "p2c.toml"
    file.write_text(LIVE)
    then = load_project(file).effective()
    text = LIVE.replace(before, after)
    if "managed" in after:
        text = "\n".join(
            one for one in text.splitlines() if not one.startswith(("ten", "cl", "sec"))
        )
    file.write_text(text)
    today = load_project(file)
    for is_backfill, expected in ((False, load), (True, backfill)):
        found = list_changed_settings(then, today, is_backfill=is_backfill)
        assert [one.partition(" ")[0] for one in found] == expected


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable package with a module, a module below, a free one, and data."""
    folder = tmp_path / "decides_nothing_else"
    for name in ("core.py", "below/deep.py", "audit/deep.py", "free.py", "q.sql"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield folder
    sys.modules.pop(folder.name, None)


@pytest.mark.parametrize(
    ("name", "is_pinned"),
    [
        ("core.py", True),
        ("below/deep.py", True),
        ("q.sql", True),
        ("new.py", True),
        ("below/new.toml", True),
        ("free.py", False),
        ("audit/q.sql", False),
        ("below/audit.py", True),
        ("notes.txt", False),
        ("below/cache.pyc", False),
    ],
)
def test_the_fingerprint_of_code_is_of_every_file_that_is_not_free(
    package: Path, name: str, *, is_pinned: bool
) -> None:
    code = PinnedCode(package=package.name, words="code", free=frozenset({"free.py", "audit/"}))
    before = hash_code(code)
    (package / name).write_text("# something else\n")
    assert (hash_code(code) != before) is is_pinned


def test_the_fingerprint_of_lists_is_of_the_libraries_that_they_come_from(package: Path) -> None:
    plain = PinnedCode(package=package.name, words="lists")
    listed = PinnedCode(package=package.name, words="lists", lists=("pycountry",))
    assert hash_code(plain) != hash_code(listed)


FREE = {
    "errors", "events", "lazy", "suggest", "wire", "run", "flow", "engine", "load", "show",
}  # fmt: skip
"""Rooms that planning imports and that decide nothing: errors, bytes, files, threads, where parts
run, how rows are sent, words."""

FREE_OF_A_BACKFILL = FREE | {"mapping", "scm", "templates"}
"""It maps nothing and does not look at SCM."""


def closure(*modules: str) -> set[str]:
    """All modules of ours that these import, and those that they import."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += read_module(one).ours
    return seen


@pytest.mark.parametrize(
    ("kind", "roots", "free"),
    [
        ("main", ("pipeline.plan.make", "pipeline.plan.retry", "pipeline.plan.corrected"), FREE),
        ("backfill", ("pipeline.backfill.planning",), FREE_OF_A_BACKFILL),
    ],
)
def test_every_module_that_plans_is_pinned_or_free_on_purpose(
    plans: dict[str, Path], kind: str, roots: tuple[str, ...], free: set[str]
) -> None:
    names = set(run_of(plans[kind]).facts().fingerprints)
    packages = [one.package for name, one in fingerprint.PINNED_CODE.items() if name in names]
    left = {
        module
        for module in closure(*roots)
        if not any(f"{module}.".startswith(f"{package}.") for package in packages)
    }
    assert {
        module.removeprefix("pipeline").split(".")[1] for module in left if "." in module
    } <= free


def test_what_is_free_within_a_package_is_there() -> None:
    for code in fingerprint.PINNED_CODE.values():
        folder = FILES[code.package].parent
        assert [name for name in sorted(code.free) if not (folder / name).exists()] == []
