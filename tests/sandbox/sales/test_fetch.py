from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

import pytest

from pipeline.sandbox.sales.call import RowBounds
from pipeline.sandbox.wire import xmltree
from tests.scenes.sales_caller import TYPE, Caller

PAGING = f'odata.include-annotations="{TYPE}.fetchxmlpagingcookie,{TYPE}.morerecords"'
ALL = 'odata.include-annotations="*"'


@pytest.fixture(scope="module")
def sales() -> Iterator[Caller]:
    with Caller() as caller:
        fill(caller)
        yield caller


def fill(caller: Caller) -> None:
    """Two accounts; of the first four contacts, of the second one, and one without a company."""
    roast = caller.create("accounts", name="Roast", creditlimit=100)
    beans = caller.create("accounts", name="Beans")
    bind = "parentcustomerid_account@odata.bind"
    for number, name in enumerate(("Ann", "Bob", "cleo", "Dan"), start=1):
        body = {
            "firstname": name,
            "lastname": "Roaster",
            "gendercode": 1 + number % 2,
            "creditlimit": number * 10.5,
        }
        caller.create(
            "contacts",
            msdynce_contactnumber=f"F-{number}",
            **body,
            **{bind: f"/accounts({roast})"},
        )
    caller.create(
        "contacts",
        firstname="Eve",
        lastname="Bean",
        msdynce_contactnumber="F-5",
        **{bind: f"/accounts({beans})"},
    )
    caller.create("contacts", lastname="Alone", msdynce_contactnumber="F-6", birthdate="2001-05-06")


def ask(
    sales: Caller, inner: str, *, attributes: str = "", prefer: str = "", entity: str = "contact"
) -> Any:
    text = f"<fetch {attributes}><entity name='{entity}'>{inner}</entity></fetch>"
    return sales.get(
        "accounts" if entity == "account" else "contacts", params={"fetchXml": text}, prefer=prefer
    )


def numbers(sales: Caller, inner: str, **more: Any) -> list[str]:
    order = "<attribute name='msdynce_contactnumber'/><order attribute='msdynce_contactnumber'/>"
    return [row["msdynce_contactnumber"] for row in ask(sales, order + inner, **more)["value"]]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("attribute='firstname' operator='eq' value='ANN'", "1"),
        ("attribute='firstname' operator='ne' value='Ann'", "23456"),
        ("attribute='firstname' operator='like' value='%a%'", "14"),
        ("attribute='firstname' operator='not-like' value='%a%'", "2356"),
        ("attribute='firstname' operator='begins-with' value='C'", "3"),
        ("attribute='firstname' operator='null'", "6"),
        ("attribute='firstname' operator='not-null'", "12345"),
        ("attribute='creditlimit' operator='gt' value='21'", "34"),
        (
            (
                "attribute='creditlimit' "
                "operator='between'><value>10</value><value>21</value></condition"
            ),
            "12",
        ),
        (
            "attribute='gendercode' operator='in'><value>1</value><value>2</value></condition",
            "1234",
        ),
        ("attribute='gendercode' operator='not-in'><value>1</value></condition", "1356"),
        ("attribute='msdynce_iscompanyanaccount' operator='eq' value='0'", "6"),
        ("attribute='msdynce_iscompanyanaccount' operator='eq' value='true'", "12345"),
        ("attribute='birthdate' operator='on' value='2001-05-06'", "6"),
        ("attribute='birthdate' operator='on-or-before' value='2001-05-05'", ""),
        ("attribute='createdon' operator='olderthan-x-days' value='1'", "123456"),
        ("attribute='ownerid' operator='eq-userid'", "123456"),
        ("attribute='firstname' operator='eq' valueof='lastname'", ""),
        ("attribute='name' entityname='company' operator='eq' value='Beans'", "5"),
    ],
)
def test_conditions_find_what_they_mean(sales: Caller, condition: str, found: str) -> None:
    closing = ">" if condition.endswith("condition") else "/>"
    link = (
        "<link-entity name='account' from='accountid' to='parentcustomerid' alias='company' "
        "link-type='outer'/>"
    )
    assert numbers(sales, f"{link}<filter><condition {condition}{closing}</filter>") == [
        f"F-{one}" for one in found
    ]


def test_filters_nest(sales: Caller) -> None:
    two = (
        "<condition attribute='firstname' operator='eq' value='Ann'/><condition "
        "attribute='firstname' operator='eq' value='Bob'/>"
    )
    inner = (
        f"<filter type='and'><filter type='or'>{two}</filter><condition attribute='gendercode' "
        "operator='eq' value='1'/></filter>"
    )
    assert numbers(sales, inner) == ["F-2"]


def test_blank_columns_are_left_out_and_lookups_keep_their_spelling(sales: Caller) -> None:
    inner = (
        "<attribute name='firstname'/><attribute name='parentcustomerid'/><attribute "
        "name='lastname' alias='family'/>"
    )
    (row,) = ask(
        sales,
        f"{inner}<filter><condition attribute='lastname' operator='eq' value='Alone'/></filter>",
    )["value"]
    assert set(row) == {"@odata.etag", "contactid", "family"}
    eve = ask(
        sales,
        f"{inner}<filter><condition attribute='lastname' operator='eq' value='Bean'/></filter>",
        prefer=ALL,
    )["value"][0]
    assert eve[f"_parentcustomerid_value@{TYPE}.lookuplogicalname"] == "account"


def test_entities_are_joined_inner_and_outer(sales: Caller) -> None:
    link = (
        "<link-entity name='account' from='accountid' to='parentcustomerid' {0}><attribute "
        "name='name'/>{1}</link-entity>"
    )
    named = ask(sales, link.format("alias='a'", "") + "<attribute name='lastname'/>")["value"]
    assert sorted(row["a.name"] for row in named) == ["Beans", "Roast", "Roast", "Roast", "Roast"]
    assert len(ask(sales, link.format("", "") + "<attribute name='lastname'/>")["value"]) == 5
    only = link.format(
        "alias='a' link-type='outer'",
        "<filter><condition attribute='name' operator='eq' value='Beans'/></filter>",
    )
    rows = ask(sales, f"{only}<attribute name='lastname'/>")["value"]
    assert len(rows) == 6
    assert [row["lastname"] for row in rows if "a.name" in row] == ["Bean"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [("exists", ["Beans", "Roast"]), ("any", ["Beans", "Roast"]), ("not any", [])],
)
def test_related_rows_may_only_have_to_exist(sales: Caller, kind: str, found: list[str]) -> None:
    link = (
        f"<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='{kind}'/>"
    )
    rows = ask(sales, f"<attribute name='name'/><order attribute='name'/>{link}", entity="account")[
        "value"
    ]
    assert [row["name"] for row in rows] == found


def test_no_attribute_means_every_attribute(sales: Caller) -> None:
    row = ask(
        sales, "<filter><condition attribute='lastname' operator='eq' value='Bean'/></filter>"
    )["value"][0]
    assert (row["fullname"], row["statecode"], row["msdynce_iscompanyanaccount"]) == (
        "Eve Bean",
        0,
        True,
    )
    whole = ask(
        sales,
        (
            "<all-attributes/><filter><condition attribute='lastname' operator='eq' "
            "value='Bean'/></filter>"
        ),
    )["value"][0]
    assert whole == row


@pytest.mark.parametrize(
    "order", ["", "<order attribute='gendercode' descending='true'/><order attribute='firstname'/>"]
)
def test_cookies_lead_through_every_page(sales: Caller, order: str) -> None:
    """As the reference says: take the attribute, decode it twice, put it into the next query."""
    found: list[str] = []
    attributes = "count='4' page='1'"
    while True:
        page = ask(
            sales,
            f"<attribute name='msdynce_contactnumber'/>{order}",
            attributes=attributes,
            prefer=PAGING,
        )
        found += [row["msdynce_contactnumber"] for row in page["value"]]
        if not page.get(f"@{TYPE}.morerecords"):
            break
        outer = xmltree.parse_xml(page[f"@{TYPE}.fetchxmlpagingcookie"].encode())
        cookie = unquote(unquote(outer.attrib["pagingcookie"]))
        attributes = (
            f"count='4' page='{outer.attrib['pagenumber']}' paging-cookie={quoteattr(cookie)}"
        )
    assert sorted(found) == [f"F-{number}" for number in range(1, 7)]
    assert len(found) == 6
    if order:
        assert found[:2] == ["F-1", "F-3"]


def test_simple_paging_needs_no_cookie_and_has_an_end(sales: Caller) -> None:
    assert numbers(sales, "", attributes="count='4' page='2'") == ["F-5", "F-6"]
    text = "<fetch count='4' page='2'><entity name='contact'/></fetch>"
    with Caller(bounds=RowBounds(simple=6)) as small:
        fill(small)
        assert (
            "Paging cookie is required"
            in small.refused("GET", "contacts", 400, params={"fetchXml": text})[1]
        )


def test_an_order_by_another_entity_has_no_cookie(sales: Caller) -> None:
    link = (
        "<link-entity name='account' from='accountid' to='parentcustomerid' alias='a'><order "
        "attribute='name'/></link-entity>"
    )
    page = ask(sales, f"<attribute name='lastname'/>{link}", attributes="count='2'", prefer=PAGING)
    assert page[f"@{TYPE}.morerecords"] is True
    assert f"@{TYPE}.fetchxmlpagingcookie" not in page


def test_pages_say_nothing_of_themselves_unasked(sales: Caller) -> None:
    assert set(ask(sales, "<attribute name='lastname'/>", attributes="count='1'")) == {
        "@odata.context",
        "value",
    }


def test_top_and_totals(sales: Caller) -> None:
    page = ask(
        sales,
        "<attribute name='lastname'/>",
        attributes="top='2' returntotalrecordcount='true'",
        prefer=ALL,
    )
    assert len(page["value"]) == 2
    assert page[f"@{TYPE}.totalrecordcount"] == 6
    assert f"@{TYPE}.morerecords" not in page


def test_rows_are_grouped_and_aggregated(sales: Caller) -> None:
    inner = (
        "<attribute name='lastname' alias='family' groupby='true'/><attribute name='contactid' "
        "alias='n' aggregate='count'/><attribute name='creditlimit' alias='most' "
        "aggregate='max'/><attribute name='creditlimit' alias='mean' aggregate='avg'/><attribute "
        "name='gendercode' alias='kinds' aggregate='countcolumn' distinct='true'/><order alias='n' "
        "descending='true'/>"
    )
    rows = ask(sales, inner, attributes="aggregate='true'")["value"]
    assert rows[0] == {"family": "Roaster", "n": 4, "most": 42.0, "mean": 26.25, "kinds": 2}
    assert {row["family"] for row in rows[1:]} == {"Bean", "Alone"}
    by_year = "<attribute name='birthdate' alias='y' groupby='true' dategrouping='year'/>"
    years = ask(
        sales,
        f"{by_year}<attribute name='contactid' alias='n' aggregate='count'/>",
        attributes="aggregate='true'",
    )["value"]
    assert {row.get("y"): row["n"] for row in years} == {None: 5, 2001: 1}


def test_too_many_rows_are_not_aggregated() -> None:
    count = "<attribute name='contactid' alias='n' aggregate='count'/>"
    text = f"<fetch aggregate='true'><entity name='contact'>{count}</entity></fetch>"
    with Caller(bounds=RowBounds(aggregated=5)) as small:
        fill(small)
        asked = {"params": {"fetchXml": text}}
        assert small.refused("GET", "contacts", 400, **asked)[0] == "0x8004E023"


def test_distinct_rows_are_listed_once(sales: Caller) -> None:
    rows = ask(
        sales,
        "<attribute name='lastname'/><order attribute='lastname'/>",
        attributes="distinct='true'",
    )["value"]
    assert rows == [{"lastname": "Alone"}, {"lastname": "Bean"}, {"lastname": "Roaster"}]


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("<attribute name='nothing'/>", "doesn't contain attribute with Name = 'nothing'"),
        (
            "<filter><condition attribute='lastname' operator='sounds-like' value='x'/></filter>",
            "'sounds-like' is not supported",
        ),
        (
            "<filter><condition attribute='gendercode' operator='eq' value='male'/></filter>",
            "not of the type",
        ),
        ("<filter><condition attribute='gendercode' operator='eq'/></filter>", "takes one value"),
        (
            "<filter type='xor'><condition attribute='lastname' operator='null'/></filter>",
            "neither 'and' nor 'or'",
        ),
        (
            "<filter><condition attribute='lastname' entityname='x' operator='null'/></filter>",
            "alias 'x'",
        ),
        ("<link-entity name='nothing' from='a' to='b'/>", "'nothing'"),
        (
            (
                "<link-entity name='account' from='accountid' to='parentcustomerid' alias=\"a'; "
                'DROP"/>'
            ),
            "Invalid alias",
        ),
        ("<attribute name='lastname' alias='x\"y'/>", "Invalid alias"),
        (
            "<link-entity name='account' to='parentcustomerid'/>",
            "'from' of 'link-entity' is missing",
        ),
        ("<order alias='x'/>", "no attribute has"),
    ],
)
def test_what_cannot_be_understood_is_said(sales: Caller, inner: str, words: str) -> None:
    text = f"<fetch><entity name='contact'>{inner}</entity></fetch>"
    assert words in sales.refused("GET", "contacts", 400, params={"fetchXml": text})[1]


@pytest.mark.parametrize(
    "text",
    [
        "<fetch/>",
        "<get/>",
        "<fetch count='x'><entity name='contact'/></fetch>",
        "<fetch><entity name='account'/></fetch>",
    ],
)
def test_a_query_must_be_one_of_the_set_it_is_sent_to(sales: Caller, text: str) -> None:
    assert sales.ask("GET", "contacts", params={"fetchXml": text}).status_code == 400
