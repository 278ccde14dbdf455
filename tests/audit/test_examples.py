"""Example rows against templates.

What differs is named; mistakes in the file are reported with a near miss.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.examples import try_examples as answer
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import ConfigurationError, UsageError
from pipeline.events import report_nothing
from tests.scenes.places import SAMPLES
from tests.scenes.small import PROJECT, write_small


def tried(tmp_path: Path, text: str, project: str = PROJECT) -> Result:
    home = tmp_path / "project"
    home.mkdir(exist_ok=True)
    (home / "p2c.toml").write_text(project, encoding="utf-8")
    (home / "examples.toml").write_text(text, encoding="utf-8")
    return answer(Flags(project=home / "p2c.toml"), (), report_nothing)


def differences(result: Result) -> list[tuple[Any, ...]]:
    items: Any = result.items
    return [
        (one["what"], one["expected"], one["got"]) for item in items for one in item["differences"]
    ]


def test_the_shipped_examples_hold() -> None:
    result = answer(Flags(project=SAMPLES / "p2c.toml"), (), report_nothing)
    assert result.exit_code == 0
    assert len(result.items) == 5
    assert str(result.text).endswith("5 examples, 0 failed.")


def test_a_row_that_comes_out_otherwise_is_shown_field_by_field(tmp_path: Path) -> None:
    result = tried(
        tmp_path,
        """
        [[example]]
        name = "the wrong way round"
        task = "Contacts"
        source = { firstname = "Ada", lastname = "King", donotemail = false }
        [example.row]
        FirstName = "Ada"
        LastName = "Queen"
        IsReceivingDirectMail = "No"
        MiddleName = "X"
        """,
    )
    assert result.exit_code == 1
    assert differences(result) == [
        ("LastName", "'Queen'", "'King'"),
        ("IsReceivingDirectMail", "'No'", "'Yes'"),
        ("MiddleName", "'X'", "blank"),
    ]
    assert "FAIL  the wrong way round" in str(result.text)


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ('source = { lastname = "K", address1_country = "Narnia" }\nreason = "country_unknown"',
         []),
        ('source = { lastname = "K", address1_country = "Narnia" }\ndecision = "customer"',
         [("decision", "customer", "rejected/country_unknown")]),
        ('source = { lastname = "K", address1_country = "Narnia" }\nrow = { PersonLastName = "K" }',
         [("row", "a planned row", "rejected/country_unknown")]),
        ('source = { lastname = "K", creditlimit = 12.5 }\nrow = { CreditLimit = 12.50 }', []),
        ('source = { lastname = "K", creditlimit = 12.5 }\nrow = { CreditLimit = 13 }',
         [("CreditLimit", "'13'", "'12.500000'")]),
        ('source = { lastname = "K" }\nrow = { PersonFirstName = "" }', []),
        ('source = { lastname = "K" }\nfindings = ["truncated"]',
         [("findings", "truncated", "none")]),
        (('source = { lastname = "K", msdynce_contactnumber = "" }\n'
          'reason = "contact_number_missing"'), []),
    ],
)  # fmt: skip
def test_decisions_reasons_findings_and_numbers_are_compared(
    tmp_path: Path, example: str, expected: list[Any]
) -> None:
    result = tried(tmp_path, f'[[example]]\nname = "n"\ntask = "ContactToCustomer"\n{example}\n')
    assert differences(result) == expected


def test_an_override_of_the_project_is_what_is_tried(tmp_path: Path) -> None:
    project = PROJECT + '\n[tasks.ContactToCustomer.fields.SiteId]\ndefault = "9"\n'
    text = (
        '[[example]]\nname = "n"\ntask = "ContactToCustomer"\nsource = { lastname = "K" }\nrow '
        '= { SiteId = "9" }\n'
    )
    assert tried(tmp_path, text, project).exit_code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[[example]]\nname = "n"\nsource = { lastnam = "K" }',
            "there is no such column. Did you mean 'lastname'",
        ),
        (
            '[[example]]\nname = "n"\nsource = {}\nrow = { PersonLastNam = "K" }',
            "Did you mean 'PersonLastName'",
        ),
        ('[[example]]\nname = "n"\nsource = {}\nreason = "to_long"', "Did you mean 'too_long'"),
        ('[[example]]\nname = "n"\nsource = {}\nrows = {}', "Did you mean 'row'"),
        ("[[examples]]\n", "Did you mean 'example'"),
        ("[[example]\n", "is not valid TOML"),
    ],
)
def test_mistakes_are_reported_before_anything_runs(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        tried(tmp_path, text)


def test_without_examples_the_command_says_where_they_belong(tmp_path: Path) -> None:
    project = write_small(tmp_path)
    with pytest.raises(UsageError, match=r"there are no examples\. Write .*examples\.toml"):
        answer(Flags(project=project), (), report_nothing)
    with pytest.raises(UsageError, match="there is no file"):
        answer(Flags(project=project), (tmp_path / "x.toml",), report_nothing)
