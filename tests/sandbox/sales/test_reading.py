from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from pipeline.samples.generate import write_temporary_samples
from pipeline.sandbox.wire import xmltree
from tests.scenes.sales_caller import ORIGIN, ROOT, TYPE, Caller

COMPANY = "_parentcustomerid_value"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
ALL = 'odata.include-annotations="*"'
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def sales() -> Iterator[Caller]:
    """225 sample contacts, and a little world of one account with two contacts."""
    with write_temporary_samples(rows=230) as data, Caller(data=data) as caller:
        make(caller)
        yield caller


def make(sales: Caller) -> None:
    account = sales.create(
        "accounts", name="Reader Roast", accountnumber="ACC-1", numberofemployees=1234
    )
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    ann = sales.create(
        "contacts", firstname="Ann", lastname="Reader", msdynce_contactnumber="R-1", gendercode=2,
        creditlimit=-1234.5, birthdate="1990-02-03", donotemail=True,
        lastusedincampaign="2024-05-06T15:04:05+02:00", **bind,
    )  # fmt: skip
    company = {"parentcustomerid_contact@odata.bind": f"contacts({ann})"}
    sales.create(
        "contacts", firstname="Børge", lastname="Reader", msdynce_contactnumber="R-2", **company
    )
    sales.create("contacts", lastname="Reader", msdynce_contactnumber="R-3", **bind)
    sales.ask(
        "PATCH", f"accounts({account})", json={"primarycontactid@odata.bind": f"/contacts({ann})"}
    )


READERS = "$filter=lastname eq 'Reader'&$orderby=msdynce_contactnumber"


def test_a_row_has_its_etag_its_id_and_what_was_selected_blanks_as_null(sales: Caller) -> None:
    page = sales.get(f"contacts?{READERS}&$select=firstname,{COMPANY},gendercode&$top=1")
    (row,) = page["value"]
    assert list(row) == ["@odata.etag", "contactid", "firstname", COMPANY, "gendercode"]
    assert row["@odata.etag"].startswith('W/"')
    assert page["@odata.context"] == f"{ROOT}/$metadata#contacts(firstname,{COMPANY},gendercode)"
    third = sales.get(f"contacts?{READERS}&$select=firstname")["value"][2]
    assert third["firstname"] is None


def test_values_have_the_forms_of_their_types(sales: Caller) -> None:
    columns = (
        "creditlimit,donotemail,gendercode,birthdate,lastusedincampaign,createdon,exchangerate,"
        "versionnumber"
    )
    response = sales.ask("GET", f"contacts?{READERS}&$top=1&$select={columns}")
    (row,) = response.json()["value"]
    assert '"creditlimit":-1234.5000,' in response.text
    assert (row["donotemail"], row["gendercode"], row["birthdate"]) == (True, 2, "1990-02-03")
    assert (row["lastusedincampaign"], row["createdon"]) == (
        "2024-05-06T13:04:05Z",
        "2026-01-02T08:00:00Z",
    )
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'


def test_money_brings_its_currency(sales: Caller) -> None:
    (row,) = sales.get(f"contacts?{READERS}&$top=1&$select=creditlimit")["value"]
    assert row["_transactioncurrencyid_value"]


def test_annotations_come_when_they_are_asked_for(sales: Caller) -> None:
    columns = f"{COMPANY},gendercode,creditlimit,birthdate,lastusedincampaign,donotemail,statecode"
    url = f"contacts?{READERS}&$top=2&$select={columns}"
    ann, boerge = sales.get(url, prefer=ALL)["value"]
    assert ann[f"{COMPANY}@{FORMATTED}"] == "Reader Roast"
    assert ann[f"{COMPANY}@{TYPE}.lookuplogicalname"] == "account"
    assert ann[f"{COMPANY}@{TYPE}.associatednavigationproperty"] == "parentcustomerid_account"
    assert boerge[f"{COMPANY}@{TYPE}.lookuplogicalname"] == "contact"
    assert ann[f"creditlimit@{FORMATTED}"] == "-€1,234.50"
    assert (ann[f"gendercode@{FORMATTED}"], ann[f"donotemail@{FORMATTED}"]) == ("Female", "Yes")
    assert (ann[f"birthdate@{FORMATTED}"], ann[f"lastusedincampaign@{FORMATTED}"]) == (
        "2/3/1990",
        "5/6/2024 1:04 PM",
    )
    assert f"gendercode@{FORMATTED}" not in boerge
    plain = sales.get(url)["value"][0]
    assert not [name for name in plain if "@" in name and name != "@odata.etag"]


@pytest.mark.parametrize(
    ("pattern", "kinds"),
    [
        (FORMATTED, {FORMATTED}),
        ("OData.*", {FORMATTED}),
        (f"{TYPE}.lookuplogicalname", {f"{TYPE}.lookuplogicalname"}),
        (f"*,-{TYPE}.*", {FORMATTED}),
    ],
)
def test_annotations_are_chosen_by_patterns_and_echoed(
    sales: Caller, pattern: str, kinds: set[str]
) -> None:
    prefer = f'odata.include-annotations="{pattern}"'
    response = sales.ask("GET", f"contacts?{READERS}&$top=1&$select={COMPANY}", prefer=prefer)
    (row,) = response.json()["value"]
    assert {name.partition("@")[2] for name in row if name.startswith(f"{COMPANY}@")} == kinds
    assert response.headers["Preference-Applied"] == prefer


def test_pages_of_any_size_hold_every_row_once(sales: Caller) -> None:
    whole = sales.rows("contacts?$select=lastname")
    assert len(whole) == len({row["contactid"] for row in whole}) == 228
    for size in (11, 100):
        assert (
            sales.rows("contacts?$select=lastname", prefer=f"odata.maxpagesize={size}")[:40]
            == whole[:40]
        )
    by_name = sales.rows(
        "contacts?$select=lastname&$orderby=middlename desc,lastname", prefer="odata.maxpagesize=9"
    )
    assert sorted(row["contactid"] for row in by_name) == sorted(row["contactid"] for row in whole)
    assert by_name == sales.rows("contacts?$select=lastname&$orderby=middlename desc,lastname")


@pytest.mark.parametrize(
    "order",
    [
        "creditlimit",
        "creditlimit desc",
        "_parentcustomerid_value desc",
        "contactid desc",
        "statecode,createdon desc",
    ],
)
def test_pages_in_any_order_hold_every_row_once(sales: Caller, order: str) -> None:
    url = f"contacts?$select=contactid&$orderby={order}"
    assert sales.rows(url, prefer="odata.maxpagesize=50") == sales.rows(url)


def test_a_next_link_repeats_the_query_and_adds_a_cookie(sales: Caller) -> None:
    page = sales.get(
        "contacts?$select=lastname&$filter=statecode%20eq%200", prefer="odata.maxpagesize=2"
    )
    link = page["@odata.nextLink"]
    assert link.startswith(
        f"{ROOT}/contacts?$select=lastname&$filter=statecode%20eq%200&"
        "$skiptoken=%3Ccookie%20pagenumber"
    )
    outer = xmltree.parse_xml(dict(parse_qsl(urlsplit(link).query))["$skiptoken"].encode())
    assert (outer.tag, outer.get("pagenumber"), outer.get("istracking")) == ("cookie", "2", "False")
    inner = xmltree.parse_xml(unquote(unquote(outer.attrib["pagingcookie"])).encode())
    (last,) = inner
    assert last.get("last") == "{" + page["value"][-1]["contactid"].upper() + "}"
    assert last.get("first") == "{" + page["value"][0]["contactid"].upper() + "}"


def test_the_last_page_has_no_next_link_even_if_it_is_full(sales: Caller) -> None:
    page = sales.get(f"contacts?{READERS}&$select=lastname", prefer="odata.maxpagesize=3")
    assert len(page["value"]) == 3
    assert "@odata.nextLink" not in page
    by_id = sales.get(
        "contacts?$select=lastname&$filter=lastname eq 'Reader'", prefer="odata.maxpagesize=3"
    )
    assert "@odata.nextLink" not in by_id


def test_top_stops_and_is_ignored_beside_a_page_size(sales: Caller) -> None:
    page = sales.get("contacts?$select=lastname&$top=3")
    assert (len(page["value"]), "@odata.nextLink" in page) == (3, False)
    assert (
        len(sales.rows("contacts?$select=lastname&$top=3", prefer="odata.maxpagesize=100")) == 228
    )


def test_a_row_that_goes_away_between_pages_moves_no_other(sales: Caller) -> None:
    extra = [sales.create("accounts", name=f"Passing {number}") for number in range(4)]
    url = "accounts?$select=name&$filter=startswith(name,'Passing')&$orderby=name"
    first = sales.get(url, prefer="odata.maxpagesize=2")
    sales.ask("DELETE", f"accounts({extra[0]})")
    rest = sales.rows(first["@odata.nextLink"], prefer="odata.maxpagesize=2")
    assert [row["name"] for row in rest] == ["Passing 2", "Passing 3"]
    for row_id in extra[1:]:
        sales.ask("DELETE", f"accounts({row_id})")


def test_rows_are_counted_beside_a_page_and_alone(sales: Caller) -> None:
    page = sales.get(f"contacts?{READERS}&$count=true&$select=lastname&$top=1", prefer=ALL)
    assert (page["@odata.count"], page[f"@{TYPE}.totalrecordcount"]) == (3, 3)
    assert page[f"@{TYPE}.totalrecordcountlimitexceeded"] is False
    assert (
        sales.get("contacts?$top=1&$select=lastname", prefer=ALL)[f"@{TYPE}.totalrecordcount"] == -1
    )
    response = sales.ask("GET", "contacts/$count?$filter=lastname eq 'Reader'")
    assert (response.text, response.headers["content-type"].partition(";")[0]) == (
        "3",
        "text/plain",
    )


def test_counting_ends_at_five_thousand(tmp_path: Path) -> None:
    for name, count in (("contact", 5001), ("account", 250)):
        ids = "".join(f"{uuid.UUID(int=number)}\n" for number in range(count))
        (tmp_path / f"{name}s.csv").write_text(f"{name}id\n{ids}")
    with Caller(data=tmp_path) as sales:
        assert sales.ask("GET", "contacts/$count").text == "5000"
        page = sales.get("contacts?$count=true&$select=lastname", prefer=ALL)
        assert (page["@odata.count"], page[f"@{TYPE}.totalrecordcountlimitexceeded"]) == (
            5000,
            True,
        )
        assert len(page["value"]) == 5000
        assert len(sales.get(page["@odata.nextLink"])["value"]) == 1
        total = sales.get("RetrieveTotalRecordCount(EntityNames=['contact','account'])")[
            "EntityRecordCountCollection"
        ]
        assert dict(zip(total["Keys"], total["Values"], strict=True)) == {
            "contact": 5001,
            "account": 250,
        }
        found = sales.refused("GET", "contacts?$top=6000&$select=lastname&$skip=1", 400)
        assert found == ("0x80060888", "Skip Clause is not supported in CRM")
        assert len(sales.get("contacts?$top=6000&$select=lastname")["value"]) == 5000


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("parentcustomerid_account/name eq 'reader roast'", ["R-1", "R-3"]),
        ("parentcustomerid_account/primarycontactid/firstname eq 'Ann'", ["R-1", "R-3"]),
        ("parentcustomerid_contact/msdynce_contactnumber eq 'R-1'", ["R-2"]),
        ("contact_customer_contacts/any(c:c/firstname eq 'Børge')", ["R-1"]),
        ("contact_customer_contacts/any() and lastname eq 'Reader'", ["R-1"]),
        ("msdynce_iscompanyanaccount eq false and lastname eq 'Reader'", ["R-2"]),
        ("gendercode ne 2 and lastname eq 'Reader'", ["R-2", "R-3"]),
        (
            f"{TYPE}.In(PropertyName='msdynce_contactnumber',PropertyValues=['r-1','R-3'])",
            ["R-1", "R-3"],
        ),
        (f'{TYPE}.Between(PropertyName=\'creditlimit\',PropertyValues=["-2000","-1000"])', ["R-1"]),
        (f"{TYPE}.OnOrBefore(PropertyName='birthdate',PropertyValue='1990-02-03')", ["R-1"]),
        ("contains(lastname,'ead%r')", ["R-1", "R-2", "R-3"]),
        ("firstname eq null and lastname eq 'Reader'", ["R-3"]),
        ("lastname eq 'Reader' and createdon ge 2026-01-02T08:00:00Z", ["R-1", "R-2", "R-3"]),
    ],
)
def test_filters_find_what_they_mean(sales: Caller, text: str, numbers: list[str]) -> None:
    rows = sales.get(
        f"contacts?$select=msdynce_contactnumber&$orderby=msdynce_contactnumber&$filter={text}"
    )["value"]
    assert [row["msdynce_contactnumber"] for row in rows] == numbers


def test_rows_can_be_expanded_to_any_depth(sales: Caller) -> None:
    inner = (
        "contact_customer_accounts($select=firstname;$filter=firstname ne null;$orderby=firstname "
        "desc;$top=5)"
    )
    outer = f"parentcustomerid_account($select=name;$expand={inner})"
    url = f"contacts?{READERS}&$select=lastname&$expand={outer}"
    ann, boerge, _ = sales.get(url)["value"]
    account = ann["parentcustomerid_account"]
    assert account["name"] == "Reader Roast"
    assert [row["firstname"] for row in account["contact_customer_accounts"]] == ["Ann"]
    assert boerge["parentcustomerid_account"] is None
    assert boerge["contactid"]


@pytest.mark.parametrize(
    ("url", "status", "code", "words"),
    [
        ("nothing", 404, "0x8006088a", "Resource not found for the segment 'nothing'."),
        ("Contacts", 404, "0x8006088a", "Resource not found for the segment 'Contacts'."),
        (
            "contacts?$select=nothing",
            400,
            "0x80060888",
            "'nothing' on type 'Microsoft.Dynamics.CRM.contact'",
        ),
        ("contacts?$select=parentcustomerid", 400, "0x80060888", "'parentcustomerid'"),
        ("contacts?$filter=nothing eq 1", 400, "0x80060888", "'nothing'"),
        ("contacts?$orderby=nothing", 400, "0x80060888", "'nothing'"),
        ("contacts?$expand=nothing", 400, "0x80060888", "'nothing'"),
        ("contacts?$filter=contactid eq 'x'", 400, "0x80060888", "incompatible types"),
        ("contacts?$filter=trim(lastname) eq 'x'", 400, "0x80060888", "trim"),
        ("contacts?$search=x", 400, "0x80060888", "Search"),
        ("contacts?$skiptoken=x", 400, "0x80060888", "Malformed XML in the Paging Cookie"),
        ("contacts(5)", 400, "0x80060888", "GUID"),
        ("contacts(11111111-1111-1111-1111-111111111111)", 404, "0x80040217", "Does Not Exist"),
        ("contacts(lastname='Reader')", 400, "0x80060888", "not an entity key"),
        (
            "contacts(msdynce_contactnumber='nobody')",
            404,
            "0x80060891",
            "does not exist in contact",
        ),
        ("contacts(msdynce_contactnumber='a%2Fb')", 400, "0x80060888", "potentially dangerous"),
        ("contacts(msdynce_contactnumber=5)", 400, "0x80060888", "text in quotes"),
        ("contacts/nothing", 404, "0x8006088a", "'nothing'"),
        ("contacts(msdynce_contactnumber='R-1')/nothing", 404, "0x8006088a", "'nothing'"),
        (
            "contacts(msdynce_contactnumber='R-1')/parentcustomerid_account/x",
            404,
            "0x8006088a",
            "'x'",
        ),
        ("contacts?fetchXml=<fetch>", 400, "0x80060888", "Invalid XML"),
        ("contacts?sql=DELETE FROM contact", 400, "0x80060888", "SELECT"),
        ("WhoIsIt", 404, "0x8006088a", "'WhoIsIt'"),
    ],
)
def test_refusals_have_dataverses_codes(
    sales: Caller, url: str, status: int, code: str, words: str
) -> None:
    found = sales.refused("GET", url, status)
    assert found[0] == code
    assert words in found[1]


def test_a_refusal_says_more_when_all_annotations_are_asked_for(sales: Caller) -> None:
    error = sales.ask("GET", "nothing", prefer=ALL).json()["error"]
    assert error["@Microsoft.PowerApps.CDS.InnerError.Message"] == error["message"]
    assert error["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] == str(0x8006088A)


def test_one_row_is_read_by_id_and_by_alternate_key_and_not_again_while_it_is_the_same(
    sales: Caller,
) -> None:
    url = "contacts(msdynce_contactnumber='r-1')?$select=firstname"
    response = sales.ask("GET", url)
    row = response.json()
    assert row["@odata.context"] == f"{ROOT}/$metadata#contacts(firstname)/$entity"
    assert sales.get(f"contacts({row['contactid']})?$select=firstname")["firstname"] == "Ann"
    same = {"If-None-Match": response.headers["ETag"]}
    assert sales.ask("GET", url, headers=same).status_code == 304
    assert sales.ask("GET", url, headers=same, prefer=ALL).status_code == 200
    assert sales.ask("GET", url, headers={"If-None-Match": "null"}).status_code == 200
    assert sales.ask("GET", url, headers={"If-None-Match": 'W/"1"'}).status_code == 200


def test_properties_and_related_rows_have_addresses(sales: Caller) -> None:
    ann = "contacts(msdynce_contactnumber='R-1')"
    assert sales.get(f"{ann}/firstname")["value"] == "Ann"
    assert sales.ask("GET", f"{ann}/creditlimit/$value").text == "-1234.5000"
    assert sales.ask("GET", f"{ann}/middlename").status_code == 204
    account = sales.get(f"{ann}/parentcustomerid_account?$select=name")
    assert account["name"] == "Reader Roast"
    assert sales.ask("GET", f"{ann}/parentcustomerid_contact").status_code == 204
    members = f"accounts({account['accountid']})/contact_customer_accounts"
    assert len(sales.get(f"{members}?$select=lastname&$filter=firstname eq 'Ann'")["value"]) == 1
    assert sales.ask("GET", f"{members}/$count").text == "2"
    assert (
        sales.get(f"{ann}/parentcustomerid_account/$ref")["@odata.id"]
        == f"{ROOT}/accounts({account['accountid']})"
    )


def test_groups_are_aggregated(sales: Caller) -> None:
    apply = (
        "filter(lastname eq 'Reader')/groupby((gendercode),aggregate($count as n,creditlimit with "
        "sum as total))"
    )
    rows = sales.get(f"contacts?$apply={apply}", prefer=ALL)["value"]
    assert rows[0] == {"gendercode": None, "n": 2, "total": None}
    assert rows[1] == {
        "gendercode": 2,
        f"gendercode@{FORMATTED}": "Female",
        "n": 1,
        "total": -1234.5,
    }
    whole = sales.get(
        "contacts?$apply=aggregate(contactid with countdistinct as n)&$filter=lastname eq 'Reader'"
    )
    assert whole["value"] == [{"n": 3}]
    assert sales.refused("GET", "contacts?$apply=group((x))", 400)[1].startswith(
        "Syntax error in '$apply'"
    )


def test_sql_reads_and_nothing_else(sales: Caller) -> None:
    sql = (
        "SELECT TOP 2 c.msdynce_contactnumber, a.name, c.donotemail, c.creditlimit FROM contact c "
        "JOIN account AS a ON a.accountid = c.parentcustomerid WHERE c.lastname = 'Reader' ORDER "
        "BY c.msdynce_contactnumber"
    )
    first, second = sales.get("contacts", params={"sql": sql})["value"]
    assert first == {
        "msdynce_contactnumber": "R-1",
        "name": "Reader Roast",
        "donotemail": True,
        "creditlimit": -1234.5,
    }
    assert second["msdynce_contactnumber"] == "R-3"
    page = (
        "SELECT lastname FROM contact WHERE lastname = 'Reader' ORDER BY lastname OFFSET 1 ROWS "
        "FETCH NEXT 1 ROWS ONLY"
    )
    assert len(sales.get("contacts", params={"sql": page})["value"]) == 1
    for bad in (
        "SELECT * FROM contact",
        "SELECT x FROM sqlite_master",
        "SELECT load_extension('x')",
        "SELECT 1; DROP TABLE contact",
    ):
        assert sales.ask("GET", "contacts", params={"sql": bad}).status_code == 400, bad
    assert sales.ask("GET", "contacts/$count").text == "228"


@pytest.mark.parametrize(
    ("how", "has", "lacks"),
    [
        (
            {"Accept": "application/json;odata.metadata=none"},
            set(),
            {"@odata.context", "@odata.etag"},
        ),
        (
            {"Accept": "application/json; odata.metadata=full"},
            {"@odata.context", "@odata.etag", "@odata.id"},
            set(),
        ),
        ({}, {"@odata.context", "@odata.etag"}, {"@odata.id"}),
    ],
)
def test_metadata_come_in_three_levels(
    sales: Caller, how: dict[str, str], has: set[str], lacks: set[str]
) -> None:
    page = sales.get(f"contacts?{READERS}&$top=1&$select=firstname", headers=how)
    names = set(page) | set(page["value"][0])
    assert has <= names
    assert not lacks & names


def test_the_model_is_csdl_that_others_read(sales: Caller) -> None:
    response = sales.ask("GET", "$metadata")
    assert response.headers["content-type"].startswith("application/xml")
    schema = next(xmltree.parse_xml(response.content).iter(f"{EDM}Schema"))
    contact = next(one for one in schema.iter(f"{EDM}EntityType") if one.get("Name") == "contact")
    kinds = {one.get("Name"): one.get("Type") for one in contact.iter(f"{EDM}Property")}
    assert (kinds["creditlimit"], kinds[COMPANY], kinds["birthdate"]) == (
        "Edm.Decimal",
        "Edm.Guid",
        "Edm.Date",
    )
    links = {one.get("Name"): one.get("Type") for one in contact.iter(f"{EDM}NavigationProperty")}
    assert links["contact_customer_contacts"] == "Collection(mscrm.contact)"
    sets = {one.get("Name") for one in schema.iter(f"{EDM}EntitySet")}
    assert {row["name"] for row in sales.get("")["value"]} == sets
    row = sales.get(f"contacts?{READERS}&$top=1")["value"][0]
    assert {name for name in row if "@" not in name} == set(kinds)


def test_every_answer_tells_of_itself(sales: Caller) -> None:
    headers = sales.ask("GET", "contacts?$top=1&$select=lastname").headers
    assert headers["OData-Version"] == "4.0"
    assert headers["x-ms-service-request-id"] == headers["req_id"]
    assert headers["x-ms-dop-hint"] == "4"
    assert int(headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) < 6000
    assert sales.ask("HEAD", "contacts?$top=1").content == b""
    assert sales.refused("PUT", "contacts", 405)[0] == "0x80060888"


def test_links_follow_the_host_that_the_caller_sees(sales: Caller) -> None:
    forwarded = {"X-Forwarded-Host": "org.crm4.dynamics.com", "X-Forwarded-Proto": "https"}
    page = sales.get("contacts?$select=lastname", headers=forwarded, prefer="odata.maxpagesize=1")
    assert page["@odata.nextLink"].startswith(
        "https://org.crm4.dynamics.com/api/data/v9.2/contacts?"
    )
    assert sales.get("contacts?$top=1", headers={"Host": "other:8"})["@odata.context"].startswith(
        "https://other:8/"
    )


def test_earlier_versions_of_the_service_answer_under_their_own_root(sales: Caller) -> None:
    page = sales.get(
        f"{ORIGIN}/api/data/v9.1/contacts?$select=lastname", prefer="odata.maxpagesize=1"
    )
    assert "/api/data/v9.1/contacts?" in page["@odata.nextLink"]
    assert sales.ask("GET", f"{ORIGIN}/api/data/v8.2/contacts").status_code == 404
