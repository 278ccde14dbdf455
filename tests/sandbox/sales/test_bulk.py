from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.scenes.sales_caller import ROOT, TYPE, Caller

NOBODY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def sales() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def target(**body: Any) -> dict[str, Any]:
    return {"@odata.type": f"{TYPE}.contact", **body}


def act(sales: Caller, message: str, *targets: dict[str, Any]) -> httpx.Response:
    return sales.ask("POST", f"contacts/{TYPE}.{message}", json={"Targets": list(targets)})


def count(sales: Caller) -> int:
    return int(sales.ask("GET", "contacts/$count").text)


def test_many_rows_are_made_in_order(sales: Caller) -> None:
    response = act(
        sales, "CreateMultiple", target(lastname="A", contactid=NOBODY), target(lastname="B")
    )
    body = response.json()
    assert body["@odata.context"] == f"{ROOT}/$metadata#{TYPE}.CreateMultipleResponse"
    assert body["Ids"][0] == NOBODY
    assert [sales.contact(one, "lastname")["lastname"] for one in body["Ids"]] == ["A", "B"]
    assert sales.contact(body["Ids"][1], "msdynce_contactnumber")[
        "msdynce_contactnumber"
    ].startswith("CON-01001-")


@pytest.mark.parametrize("message", ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"])
def test_one_error_undoes_all(sales: Caller, message: str) -> None:
    first, second = (sales.create("contacts", lastname=name) for name in "AB")
    rows = (
        [{"contactid": first}, {"contactid": second}] if message != "CreateMultiple" else [{}, {}]
    )
    response = act(
        sales, message, target(lastname="Good", **rows[0]), target(lastname="x" * 51, **rows[1])
    )
    assert (response.status_code, response.json()["error"]["code"]) == (400, "0x80044331")
    assert (count(sales), sales.contact(first, "lastname")["lastname"]) == (2, "A")
    counter = sales.get("msdynce_p2cautonumbers(msdynce_entityname='contact')")
    assert counter["msdynce_numbersequence"] == 1002


def test_rows_that_are_updated_must_be_there_and_count_once(sales: Caller) -> None:
    row_id = sales.create("contacts", lastname="A")
    response = act(
        sales,
        "UpdateMultiple",
        target(contactid=row_id, jobtitle="1"),
        target(contactid=row_id, jobtitle="2"),
    )
    assert response.status_code == 204
    assert sales.contact(row_id, "jobtitle")["jobtitle"] == "1"
    response = act(
        sales, "UpdateMultiple", target(contactid=row_id, jobtitle="3"), target(contactid=NOBODY)
    )
    assert response.json()["error"]["message"] == f"Contact With Ids = {NOBODY} Do Not Exist"
    assert sales.contact(row_id, "jobtitle")["jobtitle"] == "1"
    assert act(sales, "UpdateMultiple", target(jobtitle="4")).status_code == 400


def test_upserts_go_by_id_or_alternate_key_and_refuse_repeats(sales: Caller) -> None:
    keyed = {"@odata.id": "contacts(msdynce_contactnumber='K-1')"}
    assert (
        act(
            sales,
            "UpsertMultiple",
            target(lastname="A", **keyed),
            target(lastname="B", contactid=NOBODY),
        ).status_code
        == 204
    )
    assert count(sales) == 2
    absolute = {"@odata.id": f"{ROOT}/contacts(msdynce_contactnumber='K-1')"}
    assert (
        act(
            sales,
            "UpsertMultiple",
            target(lastname="C", **absolute),
            target(lastname="D", contactid=NOBODY),
        ).status_code
        == 204
    )
    assert count(sales) == 2
    assert sales.get("contacts(msdynce_contactnumber='K-1')")["lastname"] == "C"
    response = act(
        sales, "UpsertMultiple", target(lastname="E", **keyed), target(lastname="F", **keyed)
    )
    assert response.status_code == 400
    assert (
        act(
            sales, "UpsertMultiple", target(lastname="G", **{"@odata.id": "accounts(1)"})
        ).status_code
        == 400
    )


@pytest.mark.parametrize(
    ("message", "body", "status"),
    [
        ("CreateMultiple", {}, 400),
        ("CreateMultiple", {"Targets": [{"lastname": "A"}]}, 400),
        ("CreateMultiple", {"Targets": [{"@odata.type": f"{TYPE}.account", "name": "A"}]}, 400),
        ("DeleteMultiple", {"Targets": []}, 501),
        ("Explode", {}, 404),
    ],
)
def test_what_is_no_bulk_message_is_refused(
    sales: Caller, message: str, body: dict[str, Any], status: int
) -> None:
    assert sales.ask("POST", f"contacts/{TYPE}.{message}", json=body).status_code == status


def test_tables_tell_which_messages_they_take(sales: Caller) -> None:
    where = "sdkmessageid/name eq @m and primaryobjecttypecode eq @t"
    for message, table, there in (
        ("UpdateMultiple", "contact", 1),
        ("CreateMultiple", "systemuser", 0),
        ("UpsertMultiple", "contact", 0),
    ):
        named = f"@m='{message}'&@t='{table}'"
        url = f"sdkmessagefilters?$select=sdkmessagefilterid&$filter={where}&{named}"
        assert len(sales.get(url)["value"]) == there


def test_rows_are_deleted_in_bulk_by_their_ids(sales: Caller) -> None:
    ids = [sales.create("contacts", lastname=name) for name in "ABC"]
    condition = {
        "AttributeName": "contactid",
        "Operator": "In",
        "Values": [{"Value": one, "Type": "System.Guid"} for one in ids[:2]],
    }
    query = {"EntityName": "contact", "Criteria": {"Conditions": [condition]}}
    assert sales.ask("POST", "BulkDelete", json={"QuerySet": [query]}).json()["JobId"]
    assert count(sales) == 1


# $batch


def part(
    method: str,
    url: str,
    body: dict[str, Any] | None = None,
    *,
    content_id: str = "",
    headers: str = "",
) -> str:
    named = f"\r\nContent-ID: {content_id}" if content_id else ""
    mime = f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary{named}"
    content = "" if body is None else json.dumps(body)
    typed = "" if body is None else "Content-Type: application/json; type=entry\r\n"
    return f"{mime}\r\n\r\n{method} {url} HTTP/1.1\r\n{typed}{headers}\r\n{content}"


def changeset(*parts: str) -> str:
    inside = "".join(f"--changeset_y\r\n{one}\r\n" for one in parts)
    return f'Content-Type: multipart/mixed; boundary="changeset_y"\r\n\r\n{inside}--changeset_y--'


def send(
    sales: Caller, *parts: str, go_on: bool = False
) -> tuple[int, list[tuple[int, str | None, str]]]:
    """The outer status, and of every answer inside its status, Content-ID and all of its text."""
    content = "".join(f"--batch_x\r\n{one}\r\n" for one in parts) + "--batch_x--\r\n"
    headers = {"Content-Type": 'multipart/mixed; boundary="batch_x"'}
    prefer = "odata.continue-on-error" if go_on else ""
    response = sales.ask("POST", "$batch", content=content.encode(), headers=headers, prefer=prefer)
    text = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode() + response.content
    message = email.message_from_bytes(text, policy=email.policy.HTTP)
    answers = []
    for one in message.walk():
        if one.get_content_type() == "application/http":
            payload = one.get_payload(decode=True)
            assert isinstance(payload, bytes)
            answers.append((int(payload.split(b" ", 2)[1]), one["content-id"], payload.decode()))
    return response.status_code, answers


def test_a_changeset_makes_rows_that_refer_to_one_another(sales: Caller) -> None:
    account = part("POST", "accounts", {"name": "A"}, content_id="1")
    contact = part(
        "POST",
        f"{ROOT}/contacts",
        {"lastname": "C", "parentcustomerid_account@odata.bind": "$1"},
        content_id="2",
    )
    renamed = part("PATCH", "$2", {"jobtitle": "Boss"}, content_id="3")
    status, answers = send(sales, changeset(account, contact, renamed))
    assert (status, [(code, name) for code, name, _ in answers]) == (
        200,
        [(204, "1"), (204, "2"), (204, "3")],
    )
    assert f"OData-EntityId: {ROOT}/contacts(" in answers[1][2]
    row = sales.get(
        "contacts?$select=jobtitle,msdynce_iscompanyanaccount&"
        "$expand=parentcustomerid_account($select=name)"
    )["value"][0]
    assert (
        row["jobtitle"],
        row["msdynce_iscompanyanaccount"],
        row["parentcustomerid_account"]["name"],
    ) == ("Boss", True, "A")


def test_a_failed_changeset_leaves_nothing_and_has_one_answer(sales: Caller) -> None:
    bad = changeset(
        part("POST", "contacts", {"lastname": "A"}),
        part("POST", "contacts", {"lastname": "x" * 51}, content_id="9"),
    )
    status, answers = send(sales, bad, part("POST", "contacts", {"lastname": "after"}), go_on=True)
    assert (status, [(code, name) for code, name, _ in answers]) == (200, [(400, "9"), (204, None)])
    assert "0x80044331" in answers[0][2]
    assert count(sales) == 1


def test_a_batch_ends_at_its_first_failure_with_that_status(sales: Caller) -> None:
    first, bad, last = (
        part("POST", "contacts", {"lastname": name}) for name in ("A", "x" * 51, "C")
    )
    status, answers = send(sales, first, bad, last)
    assert (status, [code for code, _, _ in answers]) == (400, [204, 400])
    assert count(sales) == 1


def test_reads_and_conditions_work_inside_a_batch(sales: Caller) -> None:
    row_id = sales.create("contacts", lastname="A b")
    old = sales.contact(row_id, "lastname")["@odata.etag"]
    read = part("GET", "contacts?$select=lastname&$filter=lastname eq 'A b'&$count=true")
    guarded = [
        part("PATCH", f"contacts({row_id})", {"jobtitle": str(n)}, headers=f"If-Match: {old}\r\n")
        for n in (1, 2)
    ]
    status, answers = send(sales, read, *guarded, go_on=True)
    assert (status, [code for code, _, _ in answers]) == (200, [200, 204, 412])
    assert json.loads(answers[0][2].partition("\r\n\r\n")[2])["@odata.count"] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        (
            b"--batch_x\r\nContent-Type: application/http\r\n\r\nGET contacts "
            b"HTTP/1.1\r\n\r\n\r\n--batch_x--"
        ).replace(b"\r\n", b"\n"),
        b"--batch_x\r\n" + changeset(part("GET", "contacts")).encode() + b"\r\n--batch_x--",
    ],
)
def test_what_is_no_batch_is_refused(sales: Caller, content: bytes) -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=batch_x"}
    response = sales.ask("POST", "$batch", content=content, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "0x80048d19")


def test_a_batch_holds_a_thousand_requests(sales: Caller) -> None:
    one = f"--batch_x\r\n{part('GET', 'WhoAmI')}\r\n"
    for number, status in ((1000, 200), (1001, 400)):
        headers = {"Content-Type": "multipart/mixed; boundary=batch_x"}
        response = sales.ask(
            "POST", "$batch", content=(one * number + "--batch_x--").encode(), headers=headers
        )
        assert response.status_code == status
