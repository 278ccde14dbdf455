"""The page of codes: a section for each, so that a report can link to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipeline.show.markdown import mark_code, render_markdown_table
from pipeline.show.run_text import plain_sentence
from schemas.codes import Code, Decision, load_codes

_HEAD: Final = """\
# Codes

<!-- Written by `python -m pipeline.manual`. Change schemas/codes.toml. -->

Every reason and every finding has a code. `p2c codes` prints this list, and `p2c findings RUN`
counts the codes of a run. Contacts pass six gates in order ([the gates](../explanation/gates.md));
the first code of the lowest gate decides. What a contact would fail later has severity `also`.

| severity | means |
| --- | --- |
| `error` | a row cannot go to SCM as it is, or SCM refused it |
| `hold` | the contact waits until something else is done |
| `warning` | the row goes to SCM; look at it if you did not expect this |
| `also` | a further problem of a contact that was stopped already |
"""

_GATES: Final = {
    None: "Planned",
    1: "Gate 1: readable",
    2: "Gate 2: route",
    3: "Gate 3: account",
    4: "Gate 4: key",
    5: "Gate 5: rules",
    6: "Gate 6: destination",
}
_RESULTS: Final = {
    Decision.CUSTOMER: "The contact becomes a customer",
    Decision.CONTACT: "The contact becomes a contact person",
    Decision.SKIPPED: "The contact is skipped",
    Decision.HELD: "The contact is held",
    Decision.REJECTED: "The contact is rejected",
}
_OTHERS: Final = "Findings that decide nothing, and outcomes"


def render_codes_page() -> str:
    """The page, as Markdown."""
    codes = list(load_codes().values())
    groups = {
        title: [one for one in codes if one.gate == gate and one.decision is not None]
        for gate, title in _GATES.items()
    }
    groups[_OTHERS] = [one for one in codes if one.decision is None]
    overview = render_markdown_table(
        ("Group", "Codes"),
        (
            (title, ", ".join(f"[{mark_code(one.code)}](#{one.code})" for one in few))
            for title, few in groups.items()
        ),
    )
    return "\n".join([_HEAD, overview, *_render_groups(groups)])


def _render_groups(groups: dict[str, list[Code]]) -> Iterator[str]:
    for title, few in groups.items():
        yield f"## {title}\n"
        for one in few:
            yield f"### {one.code}\n"
            yield f"*{_say_result(one)}.* {_escape(plain_sentence(one.sentence))}\n"
            yield f"**What to do:** {_escape(one.advice)}\n"


def _say_result(one: Code) -> str:
    """What the code makes of a contact, and how its finding counts."""
    parts = [] if one.decision is None else [_RESULTS[one.decision]]
    if one.severity is not None:
        parts.append(f"{'f' if parts else 'F'}inding of severity {one.severity}")
    return "; ".join(parts)


def _escape(text: str) -> str:
    """The text as Markdown that shows it unchanged; what stands in backticks is code."""
    return "".join(
        one if one.startswith("`") else re.sub(r"[\\`*_\[\]<>#|]", r"\\\g<0>", one)
        for one in re.split("(`[^`]+`)", text)
    )
