from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msal
import pytest
from azure.identity import CertificateCredential, ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.filters import FilterExpression, col
from PowerPlatform.Dataverse.models.record import QueryResult
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from pipeline.errors import SourceError, Stopped, UsageError
from pipeline.sandbox.serve import Ready, SandboxOptions, run_sandbox
from tests.scenes.places import SAMPLES
from tests.scenes.sampled import running_samples


@pytest.fixture(scope="module")
def plain() -> Iterator[Ready]:
    with run_sandbox(SandboxOptions(data=SAMPLES)) as ready:
        yield ready


@pytest.fixture(scope="module")
def secure() -> Iterator[Ready]:
    with running_samples(120, tls=True) as ready:
        yield ready


@pytest.fixture
def trusted(secure: Ready, monkeypatch: pytest.MonkeyPatch) -> Ready:
    """Microsoft's clients use requests, which finds certificates by this variable."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", secure.ca_file or "")
    return secure


def token(ready: Ready, url: str, client: httpx.Client) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": ready.client_id,
        "client_secret": ready.secret,
    }
    answer = client.post(ready.token_url, data={**form, "scope": f"{url}/.default"}).json()
    return {"Authorization": f"Bearer {answer['access_token']}"}


def test_one_process_serves_both_systems_and_their_login(plain: Ready) -> None:
    with httpx.Client(trust_env=False) as client:
        sales = token(plain, plain.sales_url, client)
        assert client.get(f"{plain.sales_url}/api/data/v9.2/WhoAmI", headers=sales).json()["UserId"]
        scm = token(plain, plain.scm_url, client)
        customers = client.get(
            f"{plain.scm_url}/data/CustomersV2/$count?cross-company=true", headers=scm
        )
        assert customers.content.decode("utf-8-sig") == "144"
        assert client.get(f"{plain.scm_url}/data/CustomersV2", headers=sales).status_code == 401
        assert client.get(f"{plain.sales_url}/api/data/v9.2/WhoAmI", headers=scm).status_code == 401
        assert client.get(f"{plain.sales_url}/data/CustomersV2", headers=sales).status_code == 404
        assert (
            client.get(
                f"{plain.scm_url}/{plain.tenant}/v2.0/.well-known/openid-configuration"
            ).status_code
            == 200
        )


def test_all_loopback_addresses_lead_to_it(plain: Ready) -> None:
    with httpx.Client(trust_env=False) as client:
        headers = token(plain, plain.sales_url, client)
        numbered = plain.sales_url.replace("localhost", "127.0.0.1")
        page = client.get(
            f"{numbered}/api/data/v9.2/contacts?$top=1&$select=lastname", headers=headers
        ).json()
        assert page["@odata.context"].startswith(numbered)


def test_the_project_points_at_it_and_keeps_what_the_data_s_project_says(plain: Ready) -> None:
    text = Path(plain.project).read_text(encoding="utf-8")
    project, base = (
        tomllib.loads(text),
        tomllib.loads((SAMPLES / "p2c.toml").read_text(encoding="utf-8")),
    )
    assert (project["source"]["kind"], project["source"]["url"]) == ("dataverse", plain.sales_url)
    assert (project["destination"]["load"], project["destination"]["url"]) == (
        "packages",
        plain.scm_url,
    )
    assert project["destination"]["currency"] == base["destination"]["currency"]
    assert "known_customers" not in project["destination"]
    assert (project["tasks"], project["organizations"]) == (base["tasks"], base["organizations"])
    for system in ("source", "destination"):
        auth = project[system]["auth"]
        assert (auth["kind"], auth["secret_env"], auth["authority"]) == (
            "client_secret",
            plain.secret_env,
            plain.sales_url,
        )
    assert plain.secret not in text


def test_with_tls_the_project_logs_in_by_certificate(secure: Ready) -> None:
    project = tomllib.loads(Path(secure.project).read_text(encoding="utf-8"))
    auth = project["source"]["auth"]
    assert (auth["kind"], auth["certificate"], auth["ca_file"]) == (
        "certificate",
        secure.certificate,
        secure.ca_file,
    )
    assert project["organizations"]["Contoso Germany"] == "demf"


def test_tls_has_a_ca_of_its_own(secure: Ready) -> None:
    trusting = ssl.create_default_context(cafile=secure.ca_file)
    url = f"{secure.sales_url}/{secure.tenant}/v2.0/.well-known/openid-configuration"
    with httpx.Client(trust_env=False, verify=trusting) as client:
        for address in (url, url.replace("localhost", "127.0.0.1")):
            assert client.get(address).json()["token_endpoint"].startswith("https://")
    with (
        pytest.raises(httpx.ConnectError, match="certificate"),
        httpx.Client(trust_env=False) as client,
    ):
        client.get(url)


def test_msal_finds_its_way_by_both_kinds_of_discovery(trusted: Ready) -> None:
    instance = f"{trusted.sales_url}/common/discovery/instance"
    for discovery in (False, instance):
        app = msal.ConfidentialClientApplication(
            trusted.client_id,
            authority=f"{trusted.sales_url}/{trusted.tenant}",
            client_credential=trusted.secret,
            instance_discovery=discovery,
            verify=trusted.ca_file,
        )
        assert "access_token" in app.acquire_token_for_client([f"{trusted.sales_url}/.default"])
    wrong = msal.ConfidentialClientApplication(
        trusted.client_id,
        authority=f"{trusted.sales_url}/{trusted.tenant}",
        client_credential="wrong",
        instance_discovery=False,
        verify=trusted.ca_file,
    )
    assert wrong.acquire_token_for_client([f"{trusted.sales_url}/.default"])["error_codes"] == [
        7000215
    ]


def credential(ready: Ready) -> ClientSecretCredential:
    return ClientSecretCredential(
        ready.tenant,
        ready.client_id,
        ready.secret,
        authority=ready.sales_url,
        disable_instance_discovery=True,
    )


def test_azure_identity_logs_in_by_certificate(trusted: Ready) -> None:
    by_certificate = CertificateCredential(
        trusted.tenant,
        trusted.client_id,
        trusted.certificate,
        authority=trusted.sales_url,
        disable_instance_discovery=True,
    )
    assert by_certificate.get_token(f"{trusted.sales_url}/.default").token


def test_microsofts_sdk_reads_and_writes_it_unchanged(trusted: Ready) -> None:
    with DataverseClient(trusted.sales_url, credential(trusted)) as client:
        row_id = client.records.create(
            "contact", {"firstname": "Ann", "lastname": "Sdk", "gendercode": "Female"}
        )
        row = client.records.retrieve(
            "contact", row_id, select=["fullname", "gendercode", "msdynce_contactnumber"]
        )
        assert row is not None
        assert (row["fullname"], row["gendercode"]) == ("Ann Sdk", 2)
        assert row["msdynce_contactnumber"].startswith("CON-0")
        many = client.records.create("contact", [{"lastname": "Sdk"}, {"lastname": "Sdk"}])
        client.records.update("contact", many, {"jobtitle": "Both"})
        client.records.update("contact", row_id, {"jobtitle": "One"})
        assert found(client, col("lastname") == "Sdk", "jobtitle") == ["Both", "Both", "One"]
        assert (
            sum(
                len(page)
                for page in client.records.list_pages("contact", select=["lastname"], page_size=50)
            )
            == 123
        )
        for numbers in (("SDK-1", "SDK-2"), ("SDK-1",)):
            client.records.upsert(
                "contact",
                [
                    UpsertItem(
                        alternate_key={"msdynce_contactnumber": one}, record={"lastname": "Up"}
                    )
                    for one in numbers
                ],
            )
        assert found(client, col("lastname").in_(["Up"]), "msdynce_contactnumber") == [
            "SDK-1",
            "SDK-2",
        ]
        fetch = (
            "<fetch count='50'><entity name='contact'><attribute name='lastname'/></entity></fetch>"
        )
        assert len(client.query.fetchxml(fetch).execute().records) == 125
        assert (
            len(client.query.sql("SELECT TOP 3 lastname FROM contact WHERE lastname = 'Sdk'")) == 3
        )
        client.records.delete("contact", row_id)
        with pytest.raises(HttpError, match="Does Not Exist"):
            client.records.update("contact", row_id, {"jobtitle": "x"})


def found(client: DataverseClient, where: FilterExpression, column: str) -> list[Any]:
    """A column of the contacts that a condition finds, in order."""
    result = client.query.builder("contact").select(column).where(where).order_by(column).execute()
    assert isinstance(result, QueryResult)
    return [one[column] for one in result.records]


def test_microsofts_sdk_sends_batches_and_reads_metadata(trusted: Ready) -> None:
    with DataverseClient(trusted.sales_url, credential(trusted)) as client:
        batch = client.batch.new()
        with batch.changeset() as changes:
            account = changes.records.create("account", {"name": "Batch"})
            changes.records.create(
                "contact", {"lastname": "Batch", "parentcustomerid_account@odata.bind": account}
            )
        batch.query.sql("SELECT TOP 1 name FROM account")
        answers = batch.execute().responses
        assert [answer.status_code for answer in answers] == [204, 204, 200]
        columns = {
            column["LogicalName"] for column in client.tables.list_columns("contact", typed=True)
        }
        assert {"contactid", "msdynce_contactnumber"} <= columns
        assert [key.key_attributes for key in client.tables.get_alternate_keys("contact")] == [
            ["msdynce_contactnumber"]
        ]
        assert {row["target_table"] for row in client.query.odata_expands("contact")} >= {
            "account",
            "contact",
            "transactioncurrency",
        }


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (SandboxOptions(faults="fire"), UsageError),
        (SandboxOptions(data=Path("nowhere")), SourceError),
    ],
)
def test_what_cannot_be_served_is_said_at_once(
    options: SandboxOptions, kind: type[Exception]
) -> None:
    with pytest.raises(kind), run_sandbox(options):
        pass


def test_a_port_that_somebody_has_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with (
            pytest.raises(Stopped, match=f"port {port} .* --port"),
            run_sandbox(SandboxOptions(port=port)),
        ):
            pass


def test_two_sandboxes_stand_side_by_side_and_leave_nothing_behind(plain: Ready) -> None:
    with run_sandbox(SandboxOptions(faults="token=60")) as second:
        assert second.sales_url != plain.sales_url
        folder = Path(second.project).parent
        with httpx.Client(trust_env=False) as client:
            form = {
                "grant_type": "client_credentials",
                "client_id": second.client_id,
                "client_secret": second.secret,
            }
            assert (
                client.post(second.token_url, data={**form, "scope": "http://x/.default"}).json()[
                    "expires_in"
                ]
                == 60
            )
            assert (
                client.post(
                    plain.token_url, data={**form, "scope": "http://x/.default"}
                ).status_code
                == 401
            )
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_one_line_and_ends_in_peace(number: signal.Signals) -> None:
    environment = {**os.environ, "P2C_SANDBOX_SECRET": "given"}
    command = [sys.executable, "-m", "pipeline.cli", "sandbox", "--rows", "3"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert set(ready) == {field.name for field in dataclasses.fields(Ready)}
    assert (ready["secret"], ready["ca_file"]) == ("given", None)
    assert not Path(ready["project"]).exists()


def test_many_callers_at_once_get_numbers_of_their_own(plain: Ready) -> None:
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(8) as pool:
        headers = {**token(plain, plain.sales_url, client), "Prefer": "return=representation"}
        url = f"{plain.sales_url}/api/data/v9.2/contacts?$select=msdynce_contactnumber"

        def create(number: int) -> str:
            answer = client.post(url, headers=headers, json={"lastname": f"Parallel {number}"})
            assert answer.status_code == 201, answer.text
            made: str = answer.json()["msdynce_contactnumber"]
            return made

        def read(_: int) -> int:
            return len(
                client.get(
                    f"{url}&$filter=startswith(lastname,'Parallel')", headers=headers
                ).json()["value"]
            )

        seen = pool.map(read, range(20))
        numbers = list(pool.map(create, range(60)))
        assert max(seen) <= 60
    ranks = sorted(int(number.split("-")[1]) for number in numbers)
    assert ranks == list(range(ranks[0], ranks[0] + 60))
