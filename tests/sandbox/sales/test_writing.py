from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenes.sales_caller import ROOT, Caller

NOBODY = "11111111-1111-1111-1111-111111111111"
REPRESENTATION = "return=representation"


@pytest.fixture
def sales() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def test_a_new_row_answers_with_its_address(sales: Caller) -> None:
    response = sales.ask("POST", "contacts", json={"lastname": "New"})
    assert response.status_code == 204
    assert re.fullmatch(
        rf"{re.escape(ROOT)}/contacts\([0-9a-f-]{{36}}\)", response.headers["OData-EntityId"]
    )
    assert response.headers["Location"] == response.headers["OData-EntityId"]


def test_a_new_row_answers_with_itself_if_it_is_asked_to(sales: Caller) -> None:
    response = sales.ask(
        "POST",
        "contacts?$select=fullname",
        json={"firstname": "A", "lastname": "B"},
        prefer=REPRESENTATION,
    )
    assert (response.status_code, response.json()["fullname"]) == (201, "A B")
    assert response.headers["Preference-Applied"] == REPRESENTATION
    assert response.json()["@odata.context"].endswith("#contacts(fullname)/$entity")
    row_id = response.json()["contactid"]
    changed = sales.ask(
        "PATCH",
        f"contacts({row_id})?$select=fullname",
        json={"firstname": "C"},
        prefer=REPRESENTATION,
    )
    assert (changed.status_code, changed.json()["fullname"]) == (200, "C B")


def test_the_platform_fills_what_nobody_says(sales: Caller) -> None:
    row = sales.get(f"contacts({sales.create('contacts', lastname='Plain')})")
    me = sales.get("WhoAmI")
    assert (row["_ownerid_value"], row["_owningbusinessunit_value"]) == (
        me["UserId"],
        me["BusinessUnitId"],
    )
    assert (row["_createdby_value"], row["createdon"], row["modifiedon"]) == (
        me["UserId"],
        *["2026-01-02T08:00:00Z"] * 2,
    )
    assert (
        row["statecode"],
        row["statuscode"],
        row["donotemail"],
        row["msdynce_isactivecustomer"],
    ) == (0, 1, False, False)


def test_a_change_raises_the_version_and_the_time_and_nothing_else(sales: Caller) -> None:
    row_id = sales.create("contacts", firstname="A", lastname="B", creditlimit=7)
    before = sales.get(f"contacts({row_id})")
    sales.clock.pass_(minutes=1)
    assert sales.ask("PATCH", f"contacts({row_id})", json={"jobtitle": "Boss"}).status_code == 204
    after = sales.get(f"contacts({row_id})")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"@odata.etag", "versionnumber", "modifiedon", "jobtitle"}


def test_an_id_can_be_chosen_once(sales: Caller) -> None:
    assert sales.create("contacts", lastname="Mine", contactid=NOBODY) == NOBODY
    found = sales.refused(
        "POST", "contacts", 412, json={"lastname": "Again", "contactid": NOBODY.upper()}
    )
    assert found == ("0x80040237", "Cannot insert duplicate key.")


def test_patch_is_an_upsert_unless_a_condition_forbids_it(sales: Caller) -> None:
    url = f"contacts({NOBODY})"
    code, message = sales.refused(
        "PATCH", url, 404, json={"lastname": "X"}, headers={"If-Match": "*"}
    )
    assert (code, message) == ("0x80040217", f"contact With Id = {NOBODY} Does Not Exist")
    made = sales.ask("PATCH", url, json={"lastname": "X"}, prefer=REPRESENTATION)
    assert (made.status_code, made.json()["contactid"]) == (201, NOBODY)
    code, message = sales.refused(
        "PATCH", url, 412, json={"lastname": "Y"}, headers={"If-None-Match": "*"}
    )
    assert (code, message) == ("0x80040237", "A record with matching key values already exists.")
    assert (
        sales.ask(
            "PATCH", url, json={"lastname": "Y"}, headers={"If-None-Match": "null"}
        ).status_code
        == 204
    )
    assert sales.contact(NOBODY, "lastname")["lastname"] == "Y"


def test_an_etag_guards_a_change_and_a_deletion(sales: Caller) -> None:
    row_id = sales.create("contacts", lastname="Guarded")
    old = sales.contact(row_id, "lastname")["@odata.etag"]
    assert (
        sales.ask(
            "PATCH", f"contacts({row_id})", json={"jobtitle": "1"}, headers={"If-Match": old}
        ).status_code
        == 204
    )
    for method in ("PATCH", "DELETE"):
        more = {"json": {"jobtitle": "2"}} if method == "PATCH" else {}
        code, message = sales.refused(
            method, f"contacts({row_id})", 412, headers={"If-Match": old}, **more
        )
        assert code == "0x80060882"
        assert "doesn't match the RowVersion" in message
    assert sales.contact(row_id, "jobtitle")["jobtitle"] == "1"
    assert sales.ask("DELETE", f"contacts({row_id})", headers={"If-Match": "*"}).status_code == 204
    assert sales.ask("GET", f"contacts({row_id})").status_code == 404


def test_alternate_keys_find_make_and_are_unique(sales: Caller) -> None:
    url = "contacts(msdynce_contactnumber='K-1')"
    assert sales.refused("PATCH", url, 404, json={}, headers={"If-Match": "*"})[0] == "0x80060891"
    assert sales.ask("PATCH", url, json={"lastname": "Keyed"}).status_code == 204
    row = sales.get(url)
    assert (row["lastname"], row["msdynce_contactnumber"]) == ("Keyed", "K-1")
    assert (
        sales.ask("PATCH", url, json={"lastname": "Same"}).headers["OData-EntityId"]
        == f"{ROOT}/contacts({row['contactid']})"
    )
    code, message = sales.refused(
        "POST", "contacts", 412, json={"lastname": "Other", "msdynce_contactnumber": "k-1"}
    )
    assert code == "0x80060892"
    assert "Contact Number" in message
    other = sales.create("contacts", lastname="Other")
    assert (
        sales.refused("PATCH", f"contacts({other})", 412, json={"msdynce_contactnumber": "K-1"})[0]
        == "0x80060892"
    )
    assert sales.ask("DELETE", url).status_code == 204


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"nothing": 1}, "0x80048d19", "The property 'nothing' does not exist"),
        ({"lastname": "x" * 51}, "0x80044331", "exceeded the maximum allowed length of '50'"),
        ({"lastname": "😀" * 26}, "0x80044331", "'lastname' attribute of the 'contact' entity"),
        ({"lastname": 5}, "0x80048d19", "'Edm.String'"),
        ({"gendercode": 3}, "0x8004431A", "Accepted Values: 1,2"),
        ({"gendercode": "Male"}, "0x80048d19", "'Edm.Int32'"),
        ({"gendercode": True}, "0x80048d19", "'Edm.Int32'"),
        ({"donotemail": 1}, "0x80048d19", "'Edm.Boolean'"),
        ({"numberofchildren": -1}, "0x80044330", "outside the valid range"),
        ({"numberofchildren": 1.5}, "0x80048d19", "'Edm.Int32'"),
        ({"creditlimit": 1e16}, "0x80044330", "outside the valid range"),
        ({"creditlimit": "a lot"}, "0x80048d19", "'Edm.Decimal'"),
        ({"birthdate": "1990-02-30"}, "0x80048d19", "'Edm.Date'"),
        ({"birthdate": "1990-02-03T00:00:00Z"}, "0x80048d19", "'Edm.Date'"),
        ({"birthdate": "1752-12-31"}, "0x80040239", "Minimum value supported: 01/01/1753"),
        ({"lastusedincampaign": "2024-05-06T15:04:05"}, "0x80048d19", "'Edm.DateTimeOffset'"),
        ({"lastusedincampaign": "2024-05-06"}, "0x80048d19", "'Edm.DateTimeOffset'"),
        ({"contactid": "x"}, "0x80048d19", "'Edm.Guid'"),
        ({"parentcustomerid": NOBODY}, "0x80048d19", "undeclared property"),
        ({"_parentcustomerid_value": NOBODY}, "0x80048d19", "Use Navigation properties"),
        (
            {"parentcustomerid_lead@odata.bind": "/leads(1)"},
            "0x80048d19",
            "'parentcustomerid_lead' does not exist",
        ),
        (
            {"parentcustomerid_account@odata.bind": f"/contacts({NOBODY})"},
            "0x80048d19",
            "not a valid target",
        ),
        (
            {"parentcustomerid_account@odata.bind": "accounts"},
            "0x80048d19",
            "Invalid entity reference",
        ),
        ({"parentcustomerid_account@odata.bind": 5}, "0x80048d19", "must be a text"),
        (
            {"statecode": 0, "statuscode": 2},
            "0x80048408",
            "2 is not a valid status code for state code contactState.Active",
        ),
    ],
)
def test_bad_values_are_refused_in_dataverses_words(
    shared: Caller, body: dict[str, Any], code: str, words: str
) -> None:
    found = shared.refused("POST", "contacts", 400, json={"lastname": "Bad", **body})
    assert found[0] == code
    assert words in found[1]
    assert shared.ask("GET", "contacts/$count").text == "0"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_object_is_refused(shared: Caller, body: bytes) -> None:
    assert shared.refused("POST", "contacts", 400, content=body)[0] == "0x80048d19"


def test_a_row_that_is_bound_must_be_there(shared: Caller) -> None:
    body = {"lastname": "Orphan", "parentcustomerid_account@odata.bind": f"/accounts({NOBODY})"}
    assert shared.refused("POST", "contacts", 404, json=body) == (
        "0x80040217",
        f"account With Id = {NOBODY} Does Not Exist",
    )
    body = {
        "lastname": "Orphan",
        "parentcustomerid_contact@odata.bind": "/contacts(msdynce_contactnumber='nobody')",
    }
    assert shared.refused("POST", "contacts", 404, json=body)[0] == "0x80060891"


def test_values_are_kept_as_the_platform_keeps_them(sales: Caller) -> None:
    row_id = sales.create(
        "contacts", lastname="x" * 50, firstname="", creditlimit="12.34567",
        lastusedincampaign="2024-05-06T15:04:05.999+02:00", fullname="ignored",
        createdon="1999-01-01T00:00:00Z", versionnumber=1, merged=True,
    )  # fmt: skip
    row = sales.get(f"contacts({row_id})")
    assert (row["firstname"], row["creditlimit"], row["lastusedincampaign"]) == (
        None,
        12.3457,
        "2024-05-06T13:04:05Z",
    )
    assert (row["fullname"], row["createdon"][:4], row["merged"]) == ("x" * 50, "2026", False)
    assert row["versionnumber"] > 1
    sales.ask("PATCH", f"contacts({row_id})", json={"creditlimit": None})
    assert sales.contact(row_id, "creditlimit")["creditlimit"] is None


def test_state_and_status_go_together(sales: Caller) -> None:
    row_id = sales.create("contacts", lastname="State")
    sales.ask("PATCH", f"contacts({row_id})", json={"statecode": 1})
    assert sales.contact(row_id, "statuscode")["statuscode"] == 2
    assert (
        sales.refused("PATCH", f"contacts({row_id})", 400, json={"statuscode": 1})[0]
        == "0x80048408"
    )
    assert (
        sales.ask(
            "PATCH", f"contacts({row_id})", json={"statecode": 0, "statuscode": 1}
        ).status_code
        == 204
    )


def test_lookups_are_bound_and_emptied(sales: Caller) -> None:
    account, other = sales.create("accounts", name="A"), sales.create("contacts", lastname="C")
    row_id = sales.create(
        "contacts",
        lastname="Bound",
        **{"parentcustomerid_account@odata.bind": f"{ROOT}/accounts({account})"},
    )
    url = f"contacts({row_id})"
    assert sales.contact(row_id, "_parentcustomerid_value")["_parentcustomerid_value"] == account
    sales.ask("PATCH", url, json={"parentcustomerid_contact@odata.bind": f"contacts({other})"})
    assert sales.get(f"{url}/parentcustomerid_contact?$select=lastname")["lastname"] == "C"
    assert sales.ask("GET", f"{url}/parentcustomerid_account").status_code == 204
    sales.ask("PATCH", url, json={"parentcustomerid_contact": None})
    assert sales.contact(row_id, "_parentcustomerid_value")["_parentcustomerid_value"] is None


def test_references_are_set_and_taken_away(sales: Caller) -> None:
    account, row_id = sales.create("accounts", name="A"), sales.create("contacts", lastname="C")
    members = f"accounts({account})/contact_customer_accounts"
    assert (
        sales.ask(
            "POST", f"{members}/$ref", json={"@odata.id": f"{ROOT}/contacts({row_id})"}
        ).status_code
        == 204
    )
    assert sales.ask("GET", f"{members}/$count").text == "1"
    assert sales.contact(row_id, "msdynce_iscompanyanaccount")["msdynce_iscompanyanaccount"] is True
    assert sales.ask("DELETE", f"{members}({row_id})/$ref").status_code == 204
    single = f"contacts({row_id})/parentcustomerid_account/$ref"
    assert sales.ask("PUT", single, json={"@odata.id": f"accounts({account})"}).status_code == 204
    assert sales.ask("GET", f"{members}/$count").text == "1"
    assert sales.ask("DELETE", single).status_code == 204
    assert sales.ask("GET", f"{members}/$count").text == "0"
    made = sales.ask("POST", members, json={"lastname": "Member"})
    assert made.status_code == 204
    assert sales.ask("GET", f"{members}/$count").text == "1"
    by_query = sales.ask(
        "DELETE", f"{members}/$ref", params={"$id": made.headers["OData-EntityId"]}
    )
    assert by_query.status_code == 204
    assert sales.ask("GET", f"{members}/$count").text == "0"


def test_a_single_property_is_set_and_cleared(sales: Caller) -> None:
    row_id = sales.create("contacts", lastname="P")
    url = f"contacts({row_id})/jobtitle"
    assert sales.ask("PUT", url, json={"value": "Boss"}).status_code == 204
    assert sales.get(url)["value"] == "Boss"
    assert sales.refused("PUT", url, 400, json={"value": "x" * 101})[0] == "0x80044331"
    assert sales.ask("DELETE", url).status_code == 204
    assert sales.ask("GET", url).status_code == 204


def test_related_rows_are_made_with_a_row(sales: Caller) -> None:
    body = {
        "name": "Deep",
        "primarycontactid": {"lastname": "First"},
        "contact_customer_accounts": [{"lastname": "M"}, {"lastname": "N"}],
    }
    account = sales.create("accounts", **body)
    members = "contact_customer_accounts($select=lastname;$orderby=lastname)"
    row = sales.get(f"accounts({account})?$expand=primarycontactid($select=lastname),{members}")
    assert row["primarycontactid"]["lastname"] == "First"
    assert [one["lastname"] for one in row["contact_customer_accounts"]] == ["M", "N"]
    bad = {"name": "Bad", "contact_customer_accounts": [{"lastname": "x" * 51}]}
    assert sales.ask("POST", "accounts", json=bad).status_code == 400
    assert sales.ask("GET", "accounts/$count").text == "1"


def test_a_deleted_row_leaves_no_lookup_behind(sales: Caller) -> None:
    account = sales.create("accounts", name="A")
    row_id = sales.create(
        "contacts", lastname="C", **{"parentcustomerid_account@odata.bind": f"accounts({account})"}
    )
    sales.ask("DELETE", f"accounts({account})")
    assert sales.contact(row_id, "_parentcustomerid_value")["_parentcustomerid_value"] is None
    assert sales.refused("DELETE", f"accounts({account})", 404)[0] == "0x80040217"


def test_who_has_no_role_may_say_who_he_is_and_no_more(shared: Caller) -> None:
    roleless = {"Authorization": "roleless"}
    assert shared.get("WhoAmI", headers=roleless)["UserId"] != shared.get("WhoAmI")["UserId"]
    code, message = shared.refused("GET", "contacts", 403, headers=roleless)
    assert code == "0x80040220"
    assert "is missing prvReadContact privilege" in message
    code, message = shared.refused("POST", "accounts", 403, json={"name": "A"}, headers=roleless)
    assert "prvCreateAccount" in message
    found = shared.refused("GET", "WhoAmI", 403, headers={"Authorization": "stranger"})
    assert found == ("0x80072560", "The user is not a member of the organization.")


# Prospect to Cash


def counter(sales: Caller, name: str = "contact") -> tuple[str, int]:
    row = sales.get(f"msdynce_p2cautonumbers(msdynce_entityname='{name}')")
    return row["@odata.etag"], row["msdynce_numbersequence"]


def test_a_new_contact_gets_its_number_from_the_counter(sales: Caller) -> None:
    (etag, first), _ = counter(sales), None
    numbers = [
        sales.contact(sales.create("contacts", lastname="N"), "msdynce_contactnumber")[
            "msdynce_contactnumber"
        ]
        for _ in "ab"
    ]
    assert first == 1000
    assert [number[:10] for number in numbers] == ["CON-01000-", "CON-01001-"]
    assert all(re.fullmatch(r"CON-[0-9]{5}-[A-Z0-9]{6}", number) for number in numbers)
    assert counter(sales)[1] == 1002
    assert counter(sales)[0] != etag


def test_the_counter_decides_prefix_width_and_suffix(sales: Caller) -> None:
    row = sales.get("msdynce_p2cautonumbers(msdynce_entityname='contact')")
    body = {"msdynce_prefix": "XY", "msdynce_numbersequence": 1234567, "msdynce_suffixlength": 4}
    sales.ask("PATCH", f"msdynce_p2cautonumbers({row['msdynce_p2cautonumberid']})", json=body)
    number = sales.contact(sales.create("contacts", lastname="N"), "msdynce_contactnumber")[
        "msdynce_contactnumber"
    ]
    assert re.fullmatch(r"XY-1234567-[A-Z0-9]{4}", number)
    for bad in ({"msdynce_suffixlength": 7}, {"msdynce_numbersequence": 0}):
        assert (
            sales.refused(
                "PATCH", f"msdynce_p2cautonumbers({row['msdynce_p2cautonumberid']})", 400, json=bad
            )[0]
            == "0x80044330"
        )


def test_a_number_that_is_given_stays_and_uses_none_up(sales: Caller) -> None:
    row_id = sales.create("contacts", lastname="N", msdynce_contactnumber="MINE")
    assert sales.contact(row_id, "msdynce_contactnumber")["msdynce_contactnumber"] == "MINE"
    assert counter(sales)[1] == 1000
    account = sales.create("accounts", name="A", accountnumber="")
    assert re.fullmatch(
        r"ACC-01000-[A-Z0-9]{6}", sales.get(f"accounts({account})")["accountnumber"]
    )


def test_without_a_counter_no_contact_is_made(sales: Caller) -> None:
    row = sales.get("msdynce_p2cautonumbers(msdynce_entityname='contact')")
    sales.ask("DELETE", f"msdynce_p2cautonumbers({row['msdynce_p2cautonumberid']})")
    assert sales.refused("POST", "contacts", 400, json={"lastname": "N"})[0] == "0x80040265"
    assert sales.ask("GET", "contacts/$count").text == "0"


def test_is_company_an_account_follows_the_company_and_nothing_else(sales: Caller) -> None:
    account, other = sales.create("accounts", name="A"), sales.create("contacts", lastname="C")
    row_id = sales.create("contacts", lastname="F", msdynce_iscompanyanaccount=True)

    def flag() -> bool:
        found: bool = sales.contact(row_id, "msdynce_iscompanyanaccount")[
            "msdynce_iscompanyanaccount"
        ]
        return found

    assert not flag()
    sales.ask(
        "PATCH",
        f"contacts({row_id})",
        json={"parentcustomerid_account@odata.bind": f"accounts({account})"},
    )
    assert flag()
    sales.ask("PATCH", f"contacts({row_id})", json={"msdynce_iscompanyanaccount": False})
    assert not flag()
    sales.ask("PATCH", f"contacts({row_id})", json={"jobtitle": "x"})
    assert not flag()
    sales.ask(
        "PATCH",
        f"contacts({row_id})",
        json={"parentcustomerid_account@odata.bind": f"accounts({account})"},
    )
    assert flag()
    sales.ask(
        "PATCH",
        f"contacts({row_id})",
        json={"parentcustomerid_contact@odata.bind": f"contacts({other})"},
    )
    assert not flag()


@pytest.mark.parametrize("entity_set", ["quotes", "salesorders", "invoices"])
def test_activity_makes_an_active_customer_and_nothing_unmakes_one(
    sales: Caller, entity_set: str
) -> None:
    first, second = sales.create("contacts", lastname="1"), sales.create("contacts", lastname="2")
    account = sales.create("accounts", name="A")

    def active(row_id: str) -> bool:
        found: bool = sales.contact(row_id, "msdynce_isactivecustomer")["msdynce_isactivecustomer"]
        return found

    before = sales.contact(first, "lastname")["@odata.etag"]
    document = sales.create(
        entity_set, name="D", **{"customerid_contact@odata.bind": f"contacts({first})"}
    )
    assert (active(first), active(second)) == (True, False)
    assert sales.contact(first, "lastname")["@odata.etag"] != before
    sales.ask(
        "PATCH",
        f"{entity_set}({document})",
        json={"customerid_contact@odata.bind": f"contacts({second})"},
    )
    assert (active(first), active(second)) == (True, True)
    etag = sales.contact(second, "lastname")["@odata.etag"]
    sales.ask(
        "PATCH",
        f"{entity_set}({document})",
        json={"customerid_account@odata.bind": f"accounts({account})"},
    )
    sales.ask("DELETE", f"{entity_set}({document})")
    assert (active(first), active(second)) == (True, True)
    assert sales.contact(second, "lastname")["@odata.etag"] == etag


def test_an_order_raises_the_flag_when_its_state_changes_a_quote_does_not(sales: Caller) -> None:
    for entity_set, raised in (("salesorders", True), ("quotes", False)):
        row_id = sales.create("contacts", lastname="S")
        document = sales.create(
            entity_set, name="D", **{"customerid_contact@odata.bind": f"contacts({row_id})"}
        )
        sales.ask("PATCH", f"contacts({row_id})", json={"msdynce_isactivecustomer": False})
        sales.ask("PATCH", f"{entity_set}({document})", json={"statecode": 1})
        assert (
            sales.contact(row_id, "msdynce_isactivecustomer")["msdynce_isactivecustomer"] is raised
        )
