"""Plans of a live Sales for a live SCM.

What they read, what they decide with it, what stops them and how they continue.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import Step
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder
from pipeline.sandbox.login.login import STRANGER, WITHOUT_ROLE
from pipeline.wire.retry import RetryPolicy
from tests.journeys.plan.conftest import Sandbox, World
from tests.scenes.command_line import P2c
from tests.scenes.planned import take_plan
from tests.scenes.sampled import running_samples
from tests.scenes.small import CUSTOMERS, PERSONS, contactid, number, rows, write_small

ACCOUNT = "ACC-01000-ABCDEF"
CUSTOMER = {
    "dataAreaId": "usmf",
    "PartyType": "Person",
    "CustomerGroupId": "10",
    "SalesCurrencyCode": "EUR",
    "PersonFirstName": "Ada",
}
CONTACTS = len(rows())
PERSON = {"dataAreaId": "usmf", "FirstName": "Ada", "LastName": "Lovelace"}


def with_account(world: World) -> World:
    """The Accounts task has run."""
    account = CUSTOMER | {"PartyType": "Organization", "OrganizationName": "Fourth Coffee"}
    account.pop("PersonFirstName")
    world.add("CustomersV2", CustomerAccount=ACCOUNT, PartyNumber=ACCOUNT, **account)
    return world


def planned(p2c: P2c, world: World, *words: str | Path) -> dict[str, Any]:
    answer = p2c("plan", "--project", world.project, "--json", *words)
    assert answer.code == 1, answer.err
    return answer.object


def latest() -> Path:
    return max(path for path in Path("runs").iterdir() if path.name[:1].isdigit())


def decisions() -> dict[str, str]:
    table = pl.read_parquet(latest() / "decisions.parquet")
    return {
        one: f"{decision}/{reason}"
        for one, decision, reason in table.select("contactid", "decision", "reason").iter_rows()
    }


def actions(task: str) -> dict[str, str]:
    table = pl.read_parquet(latest() / "rows" / task / "*.parquet")
    return dict(table.select("contactid", "action").iter_rows())


def test_a_live_plan_decides_as_one_of_files_does_and_knows_what_is_in_scm(
    p2c: P2c, sandbox: Sandbox
) -> None:
    world = with_account(sandbox())
    answer = planned(p2c, world)
    assert answer["counts"] == {
        "customer": CUSTOMERS,
        "contact": PERSONS,
        "skipped": 1,
        "held": 1,
        "rejected": 1,
    }
    assert (
        set(actions("ContactToCustomer").values())
        == set(actions("Contacts").values())
        == {"create"}
    )
    facts = json.loads((latest() / "run.json").read_text())
    assert facts["live_source"]
    assert facts["sales"]["organization"]["name"]
    assert facts["sales"]["traffic"]["contacts"]["requests_per_1000"] > 0
    assert facts["sales"]["traffic"]["contacts"]["bytes_per_1000"] > 0
    assert facts["scm"]["customers"] == 1
    assert facts["destination"]["url"] == world.ready.scm_url
    assert world.ready.secret not in (latest() / "run.json").read_text()
    assert p2c("verify", "latest", "--project", world.project).code == 0


def test_both_organisations_are_shown_and_an_account_that_scm_does_not_have_holds_its_persons(
    p2c: P2c, logged: World
) -> None:
    said = p2c("plan", "--project", logged.project).out
    assert "From Sales (localhost:" in said
    assert "organization " in said
    assert "rows read in " in said
    assert "Into SCM (localhost:" in said
    assert "legal entities usmf (Contoso Entertainment System USA)" in said
    assert list(decisions().values()).count("held/account_not_in_scm") == PERSONS


def test_keys_that_we_never_loaded_are_held_customers_and_persons_alike(
    p2c: P2c, sandbox: Sandbox
) -> None:
    world = with_account(sandbox())
    world.add("CustomersV2", CustomerAccount=number(2), PartyNumber=number(2), **CUSTOMER)
    world.add(
        "CDSContactPersons",
        ContactPersonPartyNumber=number(7),
        AssociatedPartyNumber=ACCOUNT,
        **PERSON,
    )
    planned(p2c, world)
    held = {one for one, reason in decisions().items() if reason == "held/takeover"}
    assert held == {contactid(2), contactid(7)}
    planned(p2c, world, "--take-over")
    assert [one for one, action in actions("ContactToCustomer").items() if action == "update"] == [
        contactid(2)
    ]
    assert [one for one, action in actions("Contacts").items() if action == "update"] == [
        contactid(7)
    ]


def test_what_the_memory_has_and_scm_lost_is_created_again(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox())
    planned(p2c, world)
    name = world.ready.scm_url.partition("://")[2].replace(":", "-")
    for task, there in (("ContactToCustomer", contactid(1)), ("Contacts", contactid(6))):
        rows = pl.read_parquet(latest() / "rows" / task / "*.parquet")
        memory = rows.select(
            "legal_entity",
            "destination_key",
            "row_hash",
            run=pl.lit(latest().name),
            batch=pl.col("batch"),
        )
        path = Path("runs") / "loaded" / name / f"{task}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        memory.write_parquet(path)
        assert there in set(rows["contactid"])
    world.add("CustomersV2", CustomerAccount=number(1), PartyNumber=number(1), **CUSTOMER)
    world.add(
        "CDSContactPersons",
        ContactPersonPartyNumber=number(6),
        AssociatedPartyNumber=ACCOUNT,
        **PERSON,
    )
    planned(p2c, world)
    customers, persons = actions("ContactToCustomer"), actions("Contacts")
    assert (customers.pop(contactid(1)), persons.pop(contactid(6))) == ("unchanged", "unchanged")
    assert set(customers.values()) == set(persons.values()) == {"create"}


def test_reference_data_that_scm_lacks_hold_the_rows_that_need_them(
    p2c: P2c, sandbox: Sandbox
) -> None:
    world = with_account(sandbox())
    group = (
        'tasks.ContactToCustomer.fields.CustomerGroupId={ source = "lastname", value_map = { '
        'Number1 = "NOPE" }, '
    )
    answer = planned(p2c, world, "--set", f'{group}default = "10", on_unknown = "default" }}')
    assert decisions()[contactid(1)] == "held/reference_not_in_scm"
    assert answer["reasons"]["held/reference_not_in_scm"] == 1
    found = pl.read_parquet(latest() / "findings.parquet").filter(
        pl.col("code") == "reference_not_in_scm"
    )
    assert found.select("destination", "value", "severity").row(0) == (
        "CustomerGroupId",
        "NOPE",
        "hold",
    )


def test_line_breaks_stay_when_rows_go_over_odata(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox())
    world.patch(1, firstname="Ada\nAugusta")
    assert planned(p2c, world)["findings"]["line_break_replaced"]
    answer = planned(p2c, world, "--set", "destination.load=odata")
    assert "line_break_replaced" not in answer["findings"]
    assert answer["forecast"]["requests"] == 2
    rows = pl.read_parquet(latest() / "rows" / "ContactToCustomer" / "*.parquet")
    assert (
        rows.filter(pl.col("contactid") == contactid(1))["PersonFirstName"].item() == "Ada\nAugusta"
    )


def test_the_filter_stays_here(p2c: P2c, logged: World) -> None:
    answer = planned(p2c, logged, "--set", "source.filter=lastname <> 'Number3'")
    assert answer["reasons"]["skipped/filtered_out"] == 1


def test_changes_refresh_the_tables_and_mark_what_was_deleted(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox())
    planned(p2c, world)
    first = latest().name
    world.patch(1, lastname="Changed")
    world.delete(2)
    in_parts = ("--set", "run.part_rows=4")  # Of changes and of what SCM has they know all.
    said = p2c("plan", "--project", world.project, "--changes", *in_parts).out
    assert "since the last read, contacts: 1 changed, 1 deleted" in said
    assert "1 deleted + 0 unreadable" in said
    facts = json.loads((latest() / "run.json").read_text())
    assert facts["sales"]["refreshed_from"] == first
    assert facts["sales"]["changes"]["contacts"] == {"added": 0, "changed": 1, "deleted": 1}
    refreshed = decisions()
    assert contactid(2) not in refreshed
    rows = pl.read_parquet(latest() / "rows" / "ContactToCustomer" / "*.parquet")
    assert rows.filter(pl.col("contactid") == contactid(1))["PersonLastName"].item() == "Changed"
    planned(p2c, world)
    assert decisions() == refreshed


def test_changes_that_cannot_be_had_are_read_in_full_and_that_is_said(
    p2c: P2c, sandbox: Sandbox
) -> None:
    world = with_account(sandbox())
    for reason in ("there is no earlier run", None, "contacts: the change token has expired"):
        answer = planned(p2c, world, "--changes")
        assert answer["counts"]["customer"] == CUSTOMERS
        messages = pl.read_parquet(latest() / "findings.parquet").filter(
            pl.col("code") == "changes_read_in_full"
        )["message"]
        assert bool(messages.len()) is bool(reason)
        assert (reason or "") in str(messages.to_list())
        path = latest() / "source" / "changes.json"
        if reason is None:
            path.write_text(
                re.sub('(%21|!)([^"]*?)20[0-9]{2}', r"\g<1>\g<2>2015", path.read_text())
            )


def test_changes_of_files_are_refused(p2c: P2c, tmp_path: Path) -> None:
    answer = p2c("plan", "--project", write_small(tmp_path / "source"), "--changes")
    assert answer.code == 2
    assert "--changes asks Sales what changed; this project reads files" in answer.err


def test_an_interrupted_extraction_continues_where_it_stopped(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox())

    def stop(step: object) -> None:
        if isinstance(step, Step) and (step.name, step.done) == ("reading contacts", CONTACTS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_contacts(Flags(project=world.project), PlanRequest(), stop)
    assert list(Path("runs").glob("extracting/*/contacts/*/000001.arrow"))
    planned(p2c, world)
    traffic = json.loads((latest() / "run.json").read_text())["sales"]["traffic"]
    assert "contacts" not in traffic
    assert not list(Path("runs").glob("extracting/*/contacts"))


def test_throttling_is_waited_out_and_counted(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox("sales.throttle@4:0.1"))
    said = p2c("plan", "--project", world.project).out
    assert "asked to wait 1 time, " in said


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("source.auth.tenant=11111111-2222-3333-4444-555555555555", "Login (localhost:"),
        ("destination.auth.client_id=11111111-2222-3333-4444-555555555555", "Login (localhost:"),
        (
            "source.url=http://127.0.0.1:9",
            "Sales (127.0.0.1:9): is not there: nothing listens at this address. Check its url",
        ),
        (
            "destination.url=http://127.0.0.1:9",
            "SCM (127.0.0.1:9): is not there: nothing listens at this address. Check its url",
        ),
    ],
)
def test_a_login_or_address_that_is_wrong_is_said_with_its_system(
    p2c: P2c, logged: World, word: str, message: str
) -> None:
    for command in ("check", "plan"):
        answer = p2c(command, "--project", logged.project, "--set", word)
        assert answer.code == (3 if "nothing listens" in message else 2), answer.err
        assert message in answer.err
        assert logged.ready.secret not in answer.err
        if command == "plan":
            assert not [path for path in Path("runs").glob("*") if path.name[:1].isdigit()]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (f"source.auth.client_id={WITHOUT_ROLE}", "Sales (localhost:"),
        (f"source.auth.client_id={STRANGER}", "Sales (localhost:"),
        (f"destination.auth.client_id={STRANGER}", "SCM (localhost:"),
    ],
    ids=["no role in Sales", "unknown in Sales", "unknown in SCM"],
)
def test_a_missing_role_or_user_is_said_with_its_system_and_what_to_do(
    p2c: P2c, logged: World, word: str, message: str
) -> None:
    for command in ("check", "plan"):
        answer = p2c(command, "--project", logged.project, "--set", word)
        assert answer.code == 2, answer.err
        assert message in answer.err
        assert re.search("role|application user|security|administrator", answer.err), answer.err
        assert "Traceback" not in answer.err
        assert not [path for path in Path("runs").glob("*") if path.name[:1].isdigit()]


def test_a_wrong_secret_is_said_and_never_shown(
    p2c: P2c, logged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(logged.ready.secret_env, "completely-wrong")
    answer = p2c("check", "--project", logged.project)
    assert answer.code == 2
    assert "secret" in answer.err
    assert "completely-wrong" not in answer.err
    monkeypatch.delenv(logged.ready.secret_env)
    answer = p2c("check", "--project", logged.project)
    assert answer.code == 2
    assert logged.ready.secret_env in answer.err


def test_what_is_wrong_in_both_systems_comes_at_once(p2c: P2c, logged: World) -> None:
    missing = 'tasks.Contacts.fields.Notes={ source = "emailadress1" }'
    answer = p2c(
        "check", "--project", logged.project, "--set", missing, "--set",
        "destination.legal_entity=usmx",
    )  # fmt: skip
    assert answer.code == 2
    assert (
        "table contacts has no column 'emailadress1'. Did you mean 'emailaddress1'?" in answer.err
    )
    assert "there is no legal entity 'usmx'. Did you mean 'usmf'?" in answer.err


def test_one_system_for_both_is_refused(p2c: P2c, logged: World) -> None:
    for command in ("check", "plan"):
        answer = p2c(
            command,
            "--project",
            logged.project,
            "--set",
            f"destination.url={logged.ready.sales_url}",
        )
        assert answer.code == 2
        assert "source and destination are the same system" in answer.err


def test_a_check_names_both_systems(p2c: P2c, logged: World) -> None:
    answer = p2c("check", "--project", logged.project)
    assert answer.code == 0, answer.out
    assert "ok       Sales: Sales (localhost:" in answer.out
    assert "ok       SCM: SCM (localhost:" in answer.out
    assert "ok       table contacts: " in answer.out


@pytest.mark.parametrize("fault", ["sales.cut", "scm.html"])
def test_a_web_page_or_a_cut_answer_stops_and_the_same_command_continues(
    p2c: P2c, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    world = sandbox(f"{fault}@5")
    with monkeypatch.context() as impatient:
        impatient.setattr(RetryPolicy, "wait", lambda *_, **__: None)
        stopped = p2c("plan", "--project", world.project)
    assert stopped.code == 3
    assert ("Sales (localhost:" if fault.startswith("sales") else "SCM (localhost:") in stopped.err
    assert planned(p2c, world)["counts"]["customer"] == CUSTOMERS


def test_a_certificate_that_does_not_verify_is_never_passed_over(p2c: P2c, tmp_path: Path) -> None:
    with running_samples(10, tls=True) as ready:
        path = tmp_path / "strange.toml"
        text = Path(ready.project).read_text()
        path.write_text(
            "\n".join(line for line in text.splitlines() if not line.startswith("ca_file"))
        )
        answer = p2c("check", "--project", path)
        assert answer.code == 3
        assert "certificate that does not verify" in answer.err
        assert p2c("check", "--project", ready.project).code == 0


def test_a_live_plan_in_parts_decides_as_one_in_a_stream_does(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox())
    world.add("CustomersV2", CustomerAccount=number(2), PartyNumber=number(2), **CUSTOMER)
    said = []
    for words in ((), ("--set", "run.part_rows=4")):
        planned(p2c, world, *words)
        said.append(take_plan(RunFolder(latest())))
    streamed, parted = said
    assert {one for one in streamed if streamed[one] != parted[one]} <= {"summary"}
    assert "held/takeover" in decisions().values()
