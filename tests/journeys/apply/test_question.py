"""The question before rows are sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.apply.consent import Question, build_question
from pipeline.cli.prompt import make_asker
from pipeline.errors import UsageError
from pipeline.run.facts import Setting, make_blank_facts
from pipeline.run.summary import PlannedRowCount, make_blank_summary

FAR = {"destination.load": "packages", "destination.url": "https://contoso.operations.dynamics.com",
       "source.url": "https://contoso.crm4.dynamics.com"}  # fmt: skip
ACTIONS = [
    {"task": "ContactToCustomer", "legal_entity": "usmf", "action": "create", "rows": 1200},
    {"task": "Contacts", "legal_entity": "dk01", "action": "upsert", "rows": 7},
    {"task": "Contacts", "legal_entity": "dk01", "action": "unchanged", "rows": 5},
]


def asked(
    settings: dict[str, str] = FAR, actions: list[dict[str, object]] | None = None
) -> Question | None:
    run = make_blank_facts("20260101T000000Z-0001").model_copy(
        update={
            "live_source": True,
            "settings": {
                key: Setting(value=value, origin="p2c.toml") for key, value in settings.items()
            },
        }
    )
    rows = [
        PlannedRowCount.model_validate(one) for one in (ACTIONS if actions is None else actions)
    ]
    return build_question(
        run, make_blank_summary(run.run).model_copy(update={"actions": tuple(rows)})
    )


def test_it_names_both_systems_the_legal_entities_and_how_many_rows_of_what() -> None:
    found = asked()
    assert found is not None
    assert found.text.splitlines() == [
        "Run 20260101T000000Z-0001 will send 1,207 rows by packages",
        "  from  https://contoso.crm4.dynamics.com",
        "  into  https://contoso.operations.dynamics.com",
        "      7  dk01  Contacts  upsert",
        "  1,200  usmf  ContactToCustomer  create",
    ]


@pytest.mark.parametrize(
    "settings",
    [
        FAR | {"destination.load": "folder"},
        FAR | {"destination.url": "http://localhost:8001"},
        {"destination.load": "folder"},
    ],
)
def test_folders_and_systems_on_this_machine_are_not_asked_about(settings: dict[str, str]) -> None:
    assert asked(settings) is None


def test_nothing_to_send_is_not_asked_about() -> None:
    assert asked(actions=[dict(ACTIONS[2])]) is None


def test_without_a_terminal_nothing_is_sent_and_the_command_that_sends_is_named() -> None:
    ask = make_asker(Path("there"), yes=False)
    with pytest.raises(
        UsageError,
        match=r"nothing was sent.*`p2c apply 20260101T000000Z-0001 --runs there --yes` sends",
    ):
        ask(Question(run="20260101T000000Z-0001", text="lines"))


def test_with_yes_nobody_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    make_asker(Path("runs"), yes=True)(Question(run="any", text="lines"))
    assert capsys.readouterr() == ("", "")
