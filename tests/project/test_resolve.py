"""Project files, variables and flags.

What wins, where it comes from, and every mistake as a sentence, all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel, JsonValue

from pipeline.apply.orders import make_load_options
from pipeline.errors import ConfigurationError, UsageError
from pipeline.load.order import LoadOptions
from pipeline.plan.fingerprint import list_changed_settings
from pipeline.project.resolve import Project, load_project, load_todays_project, restore_project
from pipeline.project.settings import Settings
from pipeline.project.systems import connect_sales, connect_scm
from pipeline.run.facts import Setting

LoadText = Callable[..., Project]
SALES, SCM = "https://contoso.crm4.dynamics.com", "https://contoso.operations.eu.dynamics.com"
LIVE = (
    f'[source]\nkind = "dataverse"\nurl = "{SALES}"\n[source.auth]\nkind = "azure_cli"\n'
    f'[destination]\nload = "packages"\nurl = "{SCM}"\n[destination.auth]\nkind = "azure_cli"\n'
)


@pytest.fixture
def load(tmp_path: Path) -> LoadText:
    def loaded(text: str, **more: Any) -> Project:
        path = tmp_path / "p2c.toml"
        path.write_text(text, encoding="utf-8")
        return load_project(path, **more)

    return loaded


@pytest.fixture
def complaint(load: LoadText) -> Callable[..., str]:
    def complained(text: str, **more: Any) -> str:
        with pytest.raises((ConfigurationError, UsageError)) as refused:
            load(text, **more)
        assert refused.value.exit_code == 2
        return str(refused.value)

    return complained


def test_flags_outrank_the_environment_which_outranks_the_file(load: LoadText) -> None:
    text = '[destination]\nlegal_entity = "usmf"\ncurrency = "EUR"\ncountry = "DE"\n'
    project = load(
        text,
        environment={
            "P2C_DESTINATION_CURRENCY": "DKK",
            "P2C_DESTINATION_COUNTRY": "DK",
            "PATH": "/bin",
            "P2C_TRACEBACK": "1",
        },
        assignments=["destination.country=SE"],
    )
    effective = project.effective()
    assert [
        effective[f"destination.{key}"].as_json()
        for key in ("legal_entity", "currency", "country", "batch_rows")
    ] == [
        {"value": "usmf", "origin": "p2c.toml"},
        {"value": "DKK", "origin": "environment"},
        {"value": "SE", "origin": "--set"},
        {"value": 20_000, "origin": "default"},
    ]


def test_source_is_where_the_user_stands_and_path_is_where_the_file_lies(
    load: LoadText, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load('[source]\npath = "export"').source_folder == tmp_path / "export"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    project = load('[source]\npath = "export"', source=Path("here"))
    assert project.source_folder == elsewhere / "here"
    assert project.effective()["source.path"].origin == "--source"


ONELAKE = "abfss://work@onelake.dfs.fabric.microsoft.com/lake.Lakehouse/Tables"


def test_a_source_may_be_an_address_and_stays_as_it_stands(load: LoadText) -> None:
    text = f'[source]\npath = "{ONELAKE}"\n[source.auth]\nkind = "azure_cli"\n'
    project = load(text)
    assert project.settings.source.location is not None
    assert project.settings.source.location.container == "work"
    assert project.sales is None
    assert project.effective()["source.path"].value == ONELAKE
    again = restore_project(project.effective(), project.file)
    assert again.settings == project.settings
    assert load("", source="s3://exports/a b").settings.source.path == "s3://exports/a b"
    with pytest.raises(UsageError, match=r"^source\.path: works on a folder of this machine"):
        _ = project.source_folder


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'path = "az://exports?sig=c2VjcmV0"',
            r"p2c\.toml, source\.path: must not contain \? or #",
        ),
        ('path = "ftp://exports"', r"source\.path: must be a folder of this machine, or abfss://"),
        (
            'path = "gs://exports"\nauth = { kind = "azure_cli" }',
            r"\[source\.auth\] does not log in to Google Cloud Storage: leave it out",
        ),
        (
            'path = "export"\nauth = { kind = "azure_cli" }',
            "kind 'files' does not use url and auth",
        ),
        (
            'path = "az://exports"\nurl = "https://contoso.crm4.dynamics.com"',
            "kind 'files' does not use url and auth",
        ),
        (
            'kind = "dataverse"\npath = "az://e"\nurl = "https://a.b"\nauth.kind = "azure_cli"',
            "kind 'dataverse' reads no files",
        ),
    ],
)
def test_an_address_that_cannot_be_a_source_is_refused(
    load: LoadText, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        load(f"[source]\n{text}\n")
    assert "c2VjcmV0" not in str(refused.value)


def test_without_a_project_file_a_source_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = load_project(None, source=tmp_path, assignments=["destination.legal_entity=usmf"])
    assert project.file is None
    assert project.legal_entities == ("usmf",)
    with pytest.raises(UsageError, match=r"there is no p2c\.toml here"):
        load_project(None)
    with pytest.raises(UsageError, match=r"no project file nowhere\.toml"):
        load_project(Path("nowhere.toml"))


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("destination.batch_rows=500", "destination.batch_rows", 500),
        ("source.filter=statecode = 0", "source.filter", "statecode = 0"),
        ('source.filter="statecode" = 0', "source.filter", '"statecode" = 0'),
        ("source.filter='a text'", "source.filter", "a text"),
        ("organizations.Contoso Germany=demf", "organizations.Contoso Germany", "demf"),
        ("organizations.Contoso Ltd. (North)=demf", "organizations.Contoso Ltd. (North)", "demf"),
        ('organizations."Contoso"=demf', "organizations.Contoso", "demf"),
        ("countries.Deutschlnd=DE", "countries.Deutschlnd", "DE"),
        ("destination.legal_entity=", "destination.legal_entity", None),
        ("run.max_plan_age=90m", "run.max_plan_age", "90m"),
        (
            (
                'tasks.ContactToCustomer.fields.SiteId={ source = "address1_city", value_map = { '
                "A = "
                '"1" } }'
            ),
            "tasks.ContactToCustomer.fields.SiteId",
            {"source": "address1_city", "value_map": {"A": "1"}},
        ),
        (
            "tasks.ContactToCustomer.fields.SiteId.default=7",
            "tasks.ContactToCustomer.fields.SiteId",
            {"default": "7"},
        ),
    ],
)
def test_set_takes_any_setting(load: LoadText, assignment: str, key: str, value: object) -> None:
    assert load("", assignments=[assignment]).effective()[key] == Setting(
        value=cast("JsonValue", value), origin="--set"
    )


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("destination.legal_entity", "--set takes KEY=VALUE"),
        ("=usmf", "--set takes KEY=VALUE"),
        (
            "destnation.legal_entity=usmf",
            "there is no section 'destnation'. Did you mean 'destination'?",
        ),
        (
            "destination.legal_entty=usmf",
            (
                "--set, destination.legal_entty: unknown key 'legal_entty'. Did you mean "
                "'legal_entity'?"
            ),
        ),
        ("tasks.Contacts.fields.Notes={ source = ", "is not valid TOML"),
        ("destination.batch_rows=many", "--set, destination.batch_rows: must be a whole number."),
        ("destination.batch_rows=10.000", "--set, destination.batch_rows: must be a whole number."),
        ("destination.batch_rows=1e3", "--set, destination.batch_rows: must be a whole number."),
        ("destination.batch_rows=-5", "--set, destination.batch_rows: must be at least 1."),
        ("backfill.prefix=", "--set, backfill.prefix: unknown key 'prefix'. Known are"),
        ("source.auth.prefix=", "--set, source.auth.prefix: unknown key 'prefix'. Known are"),
        (
            "tasks.Contacts.fields.Notes={source='description', max_length=9.0}",
            "--set, tasks.Contacts.fields.Notes.max_length: must be a whole number.",
        ),
        (
            "columns.Contacts.Own={type='string', length='9.0'}",
            "--set, columns.Contacts.Own.length: must be a whole number.",
        ),
        (
            "tasks.Contacts.fields.Notes.sorce=x",
            "--set, tasks.Contacts.fields.Notes.sorce: unknown key 'sorce'. Did you mean 'source'?",
        ),
    ],
)
def test_set_refuses_what_is_no_setting(
    complaint: Callable[..., str], assignment: str, sentence: str
) -> None:
    assert sentence in complaint("", assignments=[assignment])


@pytest.mark.parametrize("section", ["source", "destination", "run", "backfill"])
def test_no_number_of_a_setting_has_a_point(complaint: Callable[..., str], section: str) -> None:
    fields = Settings.model_fields[section].annotation
    assert isinstance(fields, type)
    assert issubclass(fields, BaseModel)
    numbers = [name for name, one in fields.model_fields.items() if one.annotation is int]
    assert numbers
    for name in numbers:
        told = complaint("", assignments=[f"{section}.{name}=2.000"])
        assert f"{section}.{name}: must be a whole number." in told


def test_a_variable_that_is_no_setting_is_a_near_miss(complaint: Callable[..., str]) -> None:
    complained = complaint("", environment={"P2C_DESTINATION_LEGALENTITY": "usmf"})
    assert complained == (
        "P2C_DESTINATION_LEGALENTITY, destination.legalentity: unknown key 'legalentity'. Did you "
        "mean 'legal_entity'?"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[source\nkind = "files"',
            ("p2c.toml: is not valid TOML at line 1, column 8. A section ends with ]"),
        ),
        (
            '[source]\npath = "a"\npath = "b"\n',
            "at line 3, column 11. A key stands there twice; keep one of the two lines.",
        ),
        (
            '[destinaton]\nload = "folder"',
            "p2c.toml, destinaton: unknown key 'destinaton'. Did you mean 'destination'?",
        ),
        ('[source]\npth = "."', "p2c.toml, source.pth: unknown key 'pth'. Did you mean 'path'?"),
        (
            '[source]\nkind = "file"',
            "source.kind: must be 'files' or 'dataverse'. Did you mean 'files'?",
        ),
        (
            '[source]\nkind = "dataverse"',
            "p2c.toml, source: kind 'dataverse' needs url and [source.auth].",
        ),
        (
            f'[source]\nurl = "{SALES}"',
            "source: kind 'files' does not use url and auth; set kind = \"dataverse\" to read",
        ),
        (
            LIVE.replace("[source.auth]", 'path = "export"\n[source.auth]'),
            "source: kind 'dataverse' reads no files: leave out",
        ),
        (
            LIVE.replace("https", "http"),
            "source.url: must begin with https://; plain http would send the login in the clear.",
        ),
        (LIVE.replace('kind = "azure_cli"', 'tenant = "x"', 1), "source.auth.kind: is missing."),
        (LIVE.replace("azure_cli", "azure"), "or 'token'. Did you mean 'azure_cli'?"),
        (
            LIVE.replace("azure_cli", "client_secret", 1),
            "source.auth: kind 'client_secret' needs tenant, client_id, secret_env.",
        ),
        (
            LIVE.replace("[destination]", 'secret = "hush"\n[destination]'),
            "source.auth.secret: unknown key 'secret'. Did you mean 'secret_env'?",
        ),
        (
            '[destination]\nload = "odata"',
            "p2c.toml, destination: load 'odata' needs url and [destination.auth].",
        ),
        (
            f'[destination]\nurl = "{SCM}"',
            "destination: url and [destination.auth] belong together; one of them is missing.",
        ),
        (
            LIVE.replace("load =", 'known_customers = "a.csv"\nload ='),
            "destination: known_customers is for plans without a live SCM",
        ),
        (
            '[run]\npoll = "often"',
            "run.poll: must be seconds, minutes, hours or days, as in 10s, 2m or 12h.",
        ),
        ("[run]\nparallel_imports = 0", "run.parallel_imports: must be at least 1."),
        (
            '[destination]\nname = ".."',
            "destination.name: must be letters, digits, dots, dashes or underscores.",
        ),
        (
            '[source]\nflag_blank = "hald"',
            "source.flag_blank: must be 'no' or 'hold'. Did you mean 'hold'?",
        ),
        ('[source]\nrow_limit = "much"', "source.row_limit: must be a whole number."),
        ("[source]\nrow_limit = 2048.0", "source.row_limit: must be a whole number."),
        ("[source]\nrow_limit = true", "source.row_limit: must be a whole number."),
        ("[source]\nrow_limit = 1", "source.row_limit: must be at least 1024."),
        ("[source]\npath = true", "source.path: must be text."),
        (
            '[source]\ncontact_number_pattern = "["',
            "source.contact_number_pattern: is not a regular expression",
        ),
        ('source = "export"', "p2c.toml, source: must be a table."),
        ("[destination]\nbatch_rows = 0", "destination.batch_rows: must be at least 1."),
        ("[destination]\nbatch_rows = 9999999", "destination.batch_rows: must be at most 1000000."),
        (
            '[destination]\nlegal_entity = "contoso"',
            "destination.legal_entity: must be one to four letters or digits, as in usmf.",
        ),
        (
            '[destination]\ncurrency = "euro"',
            "destination.currency: must be three capital letters, as in EUR.",
        ),
        (
            '[destination]\ncountry = "Narnia"',
            "destination.country: 'Narnia' is not a country that p2c knows. Write",
        ),
        (
            '[destination]\nname = "a/b"',
            "destination.name: must be letters, digits, dots, dashes or underscores.",
        ),
        ('[run]\nmemory = "lots"', "run.memory: must be a size, as in 512MB or 2GB."),
        (
            '[run]\nmax_plan_age = "soon"',
            "run.max_plan_age: must be minutes, hours or days, as in 90m, 24h or 2 days.",
        ),
        (
            '[organizations]\n"Contoso" = "toolong"',
            "organizations.Contoso: must be one to four letters or digits",
        ),
        (
            '[countries]\n"Somewhere" = "Germany"',
            "countries.Somewhere: must be an ISO 3166-1 code of two letters, as in DE.",
        ),
        (
            '[countries]\n"UK " = "GB"\n"uk" = "IE"',
            "countries: 'uk' is there twice, as GB and as IE.",
        ),
        ("tasks = 1", "p2c.toml, tasks: must be a table."),
        ("[tasks]\nContacts = 1", "p2c.toml, tasks.Contacts: must be a table."),
        ("[tasks.Contacts]\nfields = 1", "p2c.toml, tasks.Contacts.fields: must be a table."),
        (
            "[tasks.Contcts.fields.Notes]\ndefault = 1",
            "tasks.Contcts: unknown task 'Contcts'. Did you mean 'Contacts'?",
        ),
        (
            "[tasks.Contacts.feilds.Notes]\ndefault = 1",
            "tasks.Contacts.feilds: unknown key 'feilds'. Did you mean 'fields'?",
        ),
    ],
)
def test_a_mistake_in_the_file_is_a_sentence(
    complaint: Callable[..., str], text: str, sentence: str
) -> None:
    assert sentence in complaint(text)


def test_a_key_with_a_colon_is_named_whole(load: LoadText, complaint: Callable[..., str]) -> None:
    text = '[organizations]\n"Contoso: West" = []\n"Contoso: East" = []\n'
    assert complaint(text) == (
        "p2c.toml, organizations.Contoso: West: must be text.\n"
        "1 further problem:\n  p2c.toml, organizations.Contoso: East: must be text."
    )
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    assert caught.value.where == "p2c.toml, organizations.Contoso: West"


ROW = "[tasks.Contacts.fields.{column}]\n{keys}"


@pytest.mark.parametrize(
    ("column", "keys", "sentence"),
    [
        (
            "Notes",
            'sorce = "description"',
            "Notes.sorce: unknown key 'sorce'. Did you mean 'source'?",
        ),
        ("Notes", 'source = "description"\nupper = true', "Notes.upper: unknown key 'upper'."),
        ("Notes", "source = 1", "Notes.source: must be text."),
        ("Notes", "max_length = 0", "Notes.max_length: must be at least 1."),
        (
            "Notes",
            'on_too_long = "trunkate"',
            "must be 'reject', 'truncate' or 'blank'. Did you mean 'truncate'?",
        ),
        (
            "Notes",
            'on_unknown = "ignore"',
            "Notes.on_unknown: must be 'reject', 'pass' or 'default'.",
        ),
        ("Notes", 'on_unknown = "pass"', "Notes: on_unknown needs a value_map, country or state"),
        (
            "Noets",
            'source = "description"',
            (
                "Noets: p2c knows no column 'Noets' of CDS Contacts. Did you mean 'Notes'? If your "
                "SCM has it, declare it in [columns.Contacts]"
            ),
        ),
        ("SpouseName", "unmapped = true", "SpouseName.unmapped: the template has no such row."),
        ("SpouseName", "max_length = 9", "SpouseName: needs a source or a default."),
        (
            "SpouseName",
            'source = "a.b"',
            "SpouseName: unknown path 'a.b'. Paths that can be followed: parentcustomerid.Account",
        ),
        (
            "SpouseName",
            'default = "x"\ncountry = true',
            "SpouseName: a value map, country or state needs a source.",
        ),
        ("Notes", "country = true\nstate = true", "Notes: country and state exclude each other."),
        (
            "Notes",
            'default = "x"\ndefault_setting = "destination.country"',
            "default and default_setting exclude each other.",
        ),
        (
            "Notes",
            'default_setting = "destination.contry"',
            "is not one of destination.currency, destination.country. Did you mean",
        ),
        ("Gender", 'on_unknown = "default"', 'Gender: on_unknown = "default" needs a default.'),
        (
            "Gender",
            'value_map = { 1 = "Mann" }',
            "Gender: 'Mann' is not one of Unknown, Male, Female, NonSpecific.",
        ),
        (
            "Gender",
            'default = "male"',
            "Gender: 'male' is not one of Unknown, Male, Female, NonSpecific. Did you mean 'Male'?",
        ),
        (
            "Gender",
            'value_map = { 1 = "Male", male = "Male" }',
            "has the keys '1' and 'male', which mean the same.",
        ),
        (
            "Gender",
            'value_map = { "" = "Unknown", " " = "Unknown" }',
            "has the keys '' and ' ', which mean the same.",
        ),
        (
            "Notes",
            'value_map = { Berlin = "1", " BERLIN" = "2" }',
            "has the keys 'Berlin' and ' BERLIN', which mean the same.",
        ),
        ("Notes", 'value_map = "cities"', "Notes.value_map: must be a table."),
        ("BirthYear", 'default = "19x"', "BirthYear: '19x' is not of the type integer."),
        ("LastName", f'default = "{"x" * 26}"', "is longer than 25 characters."),
        ("ContactPersonPartyNumber", "unmapped = true", "CDS Contacts needs this column; map it."),
        (
            "PrimaryAddressCountryRegionISOCode",
            'value_map = { Germany = "DE" }',
            (
                "the key 'Germany', but after country = true its keys are ISO 3166-1 codes of two "
                "letters. Did you mean 'DE'?"
            ),
        ),
        (
            "PrimaryAddressCity",
            'value_map_file = "nowhere.csv"',
            "value_map_file: nowhere.csv: there is no such file.",
        ),
    ],
)
def test_a_mistake_in_a_mapping_row_is_a_sentence(
    complaint: Callable[..., str], column: str, keys: str, sentence: str
) -> None:
    complained = complaint(ROW.format(column=column, keys=keys))
    assert complained.startswith("p2c.toml, tasks.Contacts.fields.")
    assert sentence in complained


def test_a_name_must_stay_mapped(complaint: Callable[..., str]) -> None:
    rows = "".join(
        f"[tasks.Contacts.fields.{name}]\nunmapped = true\n"
        for name in ("FirstName", "MiddleName", "LastName")
    )
    assert (
        "tasks.Contacts: CDS Contacts needs one of FirstName, MiddleName, LastName; map one."
        in complaint(rows)
    )


WRONG = """
[source]
kind = "file"
pth = "."
row_limit = "much"

[destinaton]
currency = "EUR"

[destination]
batch_rows = 0
legal_entity = "contoso"

[tasks.Contcts.fields.Notes]
source = "description"

[tasks.Contacts.fields]
Gendr = { source = "gendercode" }
Gender = { value_map = { 1 = "Mann", male = "Male" } }
LastName = { source = "lastname", upper = true }
PrimaryAddressCity = { value_map_file = "cities.csv" }

[tasks.ContactToCustomer.fields.CreditLimit]
default = "much"
"""


def test_all_mistakes_come_at_once(
    complaint: Callable[..., str], tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    (tmp_path / "cities.csv").write_text("city;code\nBerlin;1\nBerlin;2\nAachen\n")
    complained = complaint(
        WRONG, environment={"P2C_DESTINATION_CURRENCY": "euro"}, assignments=["run.memory=lots"]
    )
    golden("project-mistakes.txt", f"p2c: {complained}\n")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe[\x00s\x00", b"[source]\npath = '\xe9'"], ids=["UTF-16", "Latin 1"]
)
def test_a_file_that_is_not_utf8_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p2c.toml"
    path.write_bytes(content)
    with pytest.raises(
        ConfigurationError, match=r"p2c\.toml: is not UTF-8 text; save it as UTF-8\."
    ):
        load_project(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "p2c.toml"
    path.write_bytes(b'\xef\xbb\xbf[destination]\ncurrency = "EUR"\n')
    assert load_project(path).settings.destination.currency == "EUR"


@pytest.mark.parametrize(
    ("text", "hours"), [('"90m"', 1.5), ('"24h"', 24), ('"2 d"', 48), ("36", 36), ("0.5", 0.5)]
)
def test_a_plan_age_is_minutes_hours_or_days(load: LoadText, text: str, hours: float) -> None:
    assert load(f"[run]\nmax_plan_age = {text}").settings.run.plan_age == timedelta(hours=hours)


def test_what_a_run_records_makes_the_same_project_again(load: LoadText, tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("country,site\nDE,2\n")
    project = load(
        '[destination]\nlegal_entity = "usmf"\n[organizations]\n"Contoso Ltd. (North)" = '
        '"demf"\n[countries]\nDtl = "DE"\n'
        '[tasks.ContactToCustomer.fields.SiteId]\nsource = "address1_country"\nvalue_map_file = '
        '"sites.csv"\n'
        "[tasks.Contacts.fields.Notes]\nunmapped = true\n",
        assignments=["destination.currency=EUR"],
        environment={"P2C_RUN_MEMORY": "512MB"},
    )
    (tmp_path / "sites.csv").unlink()
    again = restore_project(project.effective(), project.file)
    assert again.settings.model_dump(exclude={"tasks"}) == project.settings.model_dump(
        exclude={"tasks"}
    )
    assert again.effective() == project.effective()
    row = again.templates["ContactToCustomer"].row("SiteId")
    assert row is not None
    assert row.row.value_map == {"DE": "2"}
    assert again.templates["Contacts"].row("Notes") is None


def test_a_setting_of_another_version_does_not_hide_an_old_run(load: LoadText) -> None:
    effective = load("").effective() | {"run.of_old": Setting(value=1, origin="default")}
    assert restore_project(effective, None).settings.run.memory == "1500MB"


def test_today_takes_what_the_plan_was_given_and_reads_the_file_again(
    load: LoadText, tmp_path: Path
) -> None:
    then = load(
        '[destination]\nlegal_entity = "usmf"\ncurrency = "EUR"\n',
        assignments=["destination.country=DE"],
        environment={"P2C_DESTINATION_CURRENCY": "DKK"},
    )
    path = tmp_path / "p2c.toml"
    path.write_text('[destination]\nlegal_entity = "demf"\ncurrency = "SEK"\ncountry = "SE"\n')
    now = load_todays_project(then.effective(), path)
    destination = now.settings.destination
    assert (destination.legal_entity, destination.currency, destination.country) == (
        "demf",
        "DKK",
        "DE",
    )
    complained = load_todays_project(
        then.effective(),
        path,
        environment={"P2C_DESTINATION_CURRENCY": "NOK"},
        assignments=["destination.country="],
    )
    assert (complained.settings.destination.currency, complained.settings.destination.country) == (
        "NOK",
        None,
    )


def test_a_live_project_knows_its_systems_and_names_the_destination_after_the_host(
    load: LoadText,
) -> None:
    project = load(LIVE)
    assert (project.sales, project.scm) != (None, None)
    assert project.settings.destination.name == "contoso.operations.eu.dynamics.com"
    assert project.settings.source.path is None
    assert (
        load(LIVE.replace(SCM, "https://127.0.0.1:8443")).settings.destination.name
        == "127.0.0.1-8443"
    )
    assert (
        load(LIVE.replace(SCM, f"{SCM}:443")).settings.destination.name
        == "contoso.operations.eu.dynamics.com"
    )
    assert load(LIVE.replace(SCM, "http://[::1]:8080")).settings.destination.name == "--1-8080"
    with pytest.raises(UsageError, match="source: works on a folder of exports"):
        _ = project.source_folder


def test_a_run_records_who_logs_in_and_no_secret(load: LoadText) -> None:
    auth = 'kind = "client_secret"\ntenant = "t"\nsecret_env = "SALES_SECRET"'
    project = load(
        LIVE.replace('kind = "azure_cli"', auth, 1),
        environment={"P2C_SOURCE_AUTH_CLIENT_ID": "me", "SALES_SECRET": "hush"},
        assignments=["destination.auth.tenant=contoso"],
    )
    effective = project.effective()
    assert {key: one.as_json() for key, one in effective.items() if ".auth." in key} == {
        "source.auth.kind": {"value": "client_secret", "origin": "p2c.toml"},
        "source.auth.tenant": {"value": "t", "origin": "p2c.toml"},
        "source.auth.client_id": {"value": "me", "origin": "environment"},
        "source.auth.secret_env": {"value": "SALES_SECRET", "origin": "p2c.toml"},
        "destination.auth.kind": {"value": "azure_cli", "origin": "p2c.toml"},
        "destination.auth.tenant": {"value": "contoso", "origin": "--set"},
    }
    assert "hush" not in str(effective)
    assert restore_project(effective, project.file).settings == project.settings
    today = load_todays_project(effective, project.file)
    assert (today.settings.source, today.settings.destination) == (
        project.settings.source,
        project.settings.destination,
    )


def test_a_plan_holds_on_to_its_destination_but_not_to_the_login(load: LoadText) -> None:
    then = load(LIVE)
    recorded = then.effective()
    assert (
        list_changed_settings(
            recorded,
            load(LIVE.replace("azure_cli", "managed_identity") + "[run]\nodata_requests = 9"),
        )
        == []
    )
    assert (
        list_changed_settings(
            recorded, load(LIVE.replace("[destination.auth]", "parallel = 2\n[destination.auth]"))
        )
        == []
    )
    other = LIVE.replace(SCM, "https://other.operations.dynamics.com")
    assert list_changed_settings(recorded, load(other)) == [
        f"destination.url (was '{SCM}', is 'https://other.operations.dynamics.com')",
        (
            "destination.name (was 'contoso.operations.eu.dynamics.com', is "
            "'other.operations.dynamics.com')"
        ),
    ]


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("sales", r"source\.auth\.secret_env: "),
        ("scm", r"destination\.auth\.ca_file: there is no file"),
    ],
)
def test_what_a_login_needs_and_is_not_there_is_said_with_its_section(
    load: LoadText, where: str, sentence: str
) -> None:
    auth = 'kind = "client_secret"\ntenant = "t"\nclient_id = "c"\nsecret_env = "SALES_SECRET"'
    project = load(LIVE.replace('kind = "azure_cli"', auth, 1) + 'ca_file = "nowhere.pem"\n')
    with (
        pytest.raises(ConfigurationError, match=sentence),
        {"sales": connect_sales, "scm": connect_scm}[where](project, environment={}),
    ):
        raise AssertionError("connected")


def test_a_project_that_names_one_system_twice_is_refused(load: LoadText) -> None:
    one = "https://one.example"
    project = load(LIVE.replace(SCM, f"{one}:443").replace(SALES, one))
    with (
        pytest.raises(ConfigurationError, match="source and destination are the same system"),
        connect_sales(project),
    ):
        raise AssertionError("connected")


def test_how_to_load_is_made_of_destination_and_run(load: LoadText) -> None:
    text = LIVE.replace("[destination.auth]", "auto_rows = 7\nodata_rows = 8\n[destination.auth]")
    project = load(
        f'{text}[run]\nodata_requests = 2\nparallel_imports = 3\npoll = "5s"\nwait_import = '
        '"1.5h"\n'
    )
    options = make_load_options(project, project.settings.run)
    assert (options.load, options.auto_rows, options.odata_rows) == ("packages", 7, 8)
    assert (options.odata_requests, options.parallel_imports) == (2, 3)
    assert (options.patience.poll, options.patience.whole, options.patience.record) == (
        5,
        5400,
        1800,
    )
    assert make_load_options(load(LIVE), load(LIVE).settings.run) == LoadOptions(load="packages")


def test_legal_entities_of_different_case_are_one_in_its_first_spelling(tmp_path: Path) -> None:
    file = tmp_path / "p2c.toml"
    file.write_text(
        '[source]\npath = "."\n[destination]\nlegal_entity = "USMF"\n'
        '[organizations]\nNorth = "usmf"\nSouth = "DEmf"\nEast = "demf"\n'
    )
    project = load_project(file)
    assert project.legal_entities == ("USMF", "DEmf")
    assert project.settings.organizations == {"North": "USMF", "South": "DEmf", "East": "DEmf"}
