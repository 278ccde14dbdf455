"""The pages as text: the list of contacts, and the story of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from pipeline.audit.search import FAILED, NEEDS, Choice, FoundContact
from pipeline.audit.story import CheckStory, FieldStory, Story, list_deeds, list_facts
from pipeline.browse.form import ALL, NO_ENTITY, SearchForm
from pipeline.report.blocks import Cell, PageColumn, PageTable, Part, make_table
from pipeline.report.environment import build_environment
from schemas.codes import Decision
from schemas.text import parse_guid

_OWN: Final = "pipeline.browse"
_LONGEST: Final = 10_000
"""Characters of one value."""

ROWS: Final = 50
"""Contacts on a page."""
IDS: Final = 500
"""Contactids that can be copied from the page itself."""

_DECISIONS: Final = {
    NEEDS: "needs a person",
    ALL: "all contacts",
    **{one.value: one.value for one in Decision},
    FAILED: "failed or unknown in SCM",
}


FormList = tuple[str, str, str, Mapping[str, str]]
"""A list of the form: its name and heading, what is chosen, and what can be chosen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What all pages of a run have: its id, where Sales is, what can be chosen, what is missing."""

    run: str
    link_base: str | None
    codes: Sequence[str]
    entities: Sequence[Choice]
    owners: Sequence[Choice]
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One page of a list: its contacts, how many there are on all pages, and a few ids to copy."""

    contacts: Sequence[FoundContact]
    rows: int
    ids: Sequence[str]


def render_list(frame: Frame, form: SearchForm, page: Page) -> str:
    """The page of a list."""
    last = max(1, -(-page.rows // ROWS))
    return _render(
        "list.html",
        frame=frame,
        form=form,
        page=page,
        first=(form.page - 1) * ROWS + 1,
        before=form.address(form.page - 1) if form.page > 1 else "",
        following=form.address(form.page + 1) if form.page < last else "",
        everywhere=SearchForm(text=form.text, decision=ALL).address() if form.is_narrow else "",
        query=form.address(),
        contacts=_table_contacts(page.contacts),
        choices=_list_choices(frame, form),
    )


def _list_choices(frame: Frame, form: SearchForm) -> Iterator[FormList]:
    """The lists of the form; without owners there is none of them."""
    yield "decision", "Decision", form.decision, _DECISIONS
    codes = {"": "any code", **{one: one for one in frame.codes}}
    yield "code", "Code", form.code, codes
    entities = {
        one.name or NO_ENTITY: f"{one.name or 'none'} ({one.rows:,})" for one in frame.entities
    }
    yield "entity", "Legal entity", form.entity, {"": "any legal entity", **entities}
    owners = {one.name: f"{one.name} ({one.rows:,})" for one in frame.owners}
    if owners:
        yield "owner", "Owner", form.owner, {"": "any owner", **owners}


def _table_contacts(contacts: Sequence[FoundContact]) -> PageTable:
    with_owner = any(one.owner for one in contacts)
    headings = ["Contact", "Name", "Mail", "Account", "Decision", "Legal entity"]
    columns = [PageColumn(heading=one) for one in headings]
    rows: list[tuple[Cell, ...]] = []
    for one in contacts:
        place = urlencode({"line": one.source_line, "file": one.source_file})
        number = one.contact_number or one.contactid or f"line {one.source_line}"
        said = [Part(text=one.decision, style="tag"), Part(text=f" {one.reason}")]
        if one.outcome:
            said.append(Part(text=f"; {one.outcome} {one.outcome_code or ''}".rstrip()))
        if one.accepted_until:
            said.append(Part(text=f"; accepted until {one.accepted_until.isoformat()}"))
        cells: tuple[Cell, ...] = (
            (Part(text=number, style="key", href=f"contact?{place}"),),
            one.name,
            one.mail,
            one.company_key or one.company_id,
            tuple(said),
            one.legal_entity,
        )
        rows.append((*cells, one.owner) if with_owner else cells)
    if with_owner:
        columns.append(PageColumn(heading="Owner"))
    return make_table("Contacts", columns, rows)


def render_contact(frame: Frame, story: Story, folder: Path) -> str:
    """The page of one contact: all that ``p2c explain`` says."""
    contactid = story.decision["contactid"]
    guid = parse_guid(contactid or "")
    return _render(
        "contact.html",
        frame=frame,
        number=story.decision["contact_number"] or "without number",
        contactid=contactid,
        decision=story.decision["decision"],
        link=f"{frame.link_base}{guid}" if frame.link_base and guid else "",
        command=f"p2c explain {contactid or story.decision['contact_number']} --run {frame.run}",
        person=_read_name(story.source),
        facts={
            "What was decided": list(list_facts(story)),
            "What was done": list(list_deeds(story, folder)),
        },
        tables=[
            _table_fields(story.fields),
            make_table(
                "What the update changes",
                [PageColumn(heading=one) for one in ("Destination", "Before", "After")],
                [
                    (one["column"], one["old"] or "blank", one["new"] or "blank")
                    for one in story.changes
                ],
            ),
            make_table(
                "The row as it was read",
                [PageColumn(heading="Column", kind="key"), PageColumn(heading="Value")],
                list(story.source.items()),
            ),
        ],
    )


def _read_name(source: Mapping[str, str]) -> str:
    parts = (source.get("firstname", ""), source.get("lastname", ""))
    return source.get("fullname") or " ".join(part for part in parts if part)


def _table_fields(fields: Sequence[FieldStory]) -> PageTable:
    headings = ("Destination", "Source", "Value", "Transform", "Result", "Checks")
    rows = [
        (
            one["destination"],
            one["source"] or "constant",
            one["value"],
            one["transform"],
            _describe_result(one),
            tuple(_list_checks(one["checks"])),
        )
        for one in fields
    ]
    return make_table("Fields", [PageColumn(heading=one) for one in headings], rows)


def _describe_result(one: FieldStory) -> str:
    if one["result_from"] is None:
        return "not known"
    result = "blank" if one["result"] is None else str(one["result"])
    return f"would be: {result}" if one["result_from"] == "mapping" else result


def _list_checks(checks: Sequence[CheckStory]) -> Iterator[Part]:
    for place, check in enumerate(checks):
        if place:
            yield Part(text="", style="line")
        if check["holds"]:
            yield Part(text=check["rule"])
        else:
            yield Part(text="not", style="tag")
            yield Part(text=f" {check['rule']} ({check['code']})")


def render_problem(sentence: str) -> str:
    """The page that says why there is no other."""
    return _render("problem.html", sentence=sentence)


def _render(name: str, **values: object) -> str:
    return build_environment(_LONGEST, _OWN).get_template(name).render(limit=_LONGEST, **values)
