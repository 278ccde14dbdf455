"""``[labels]``: a project's words for choices and two options."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.project.resolve import make_bare_project, restore_project
from schemas.labels import Labels, find_label_problems, name_members
from schemas.sales import CONTACTS, QUOTES

LABELS: Labels = {
    "Ja": "yes",
    "Aktiv": "0",
    "gendercode": {"Weiblich": "2"},
    "donotemail": {"Zulassen": "no"},
    "quotes": {"statecode": {"Gewonnen": "2", "Aktiv": "1"}},
}


def words(column: str) -> dict[str, int]:
    field = name_members(CONTACTS, LABELS).field(column)
    assert field is not None
    return dict(field.words)


def test_a_word_holds_for_columns_of_its_type() -> None:
    assert words("merged") == {"ja": 1, "aktiv": 0}
    assert words("donotemail") == {"ja": 1, "aktiv": 0, "zulassen": 0}
    assert words("gendercode") == {"aktiv": 0, "weiblich": 2}
    assert words("lastname") == {}


def test_a_word_of_another_table_is_its_own() -> None:
    field = name_members(QUOTES, LABELS).field("statecode")
    assert field is not None
    assert dict(field.words) == {"aktiv": 1, "gewonnen": 2}


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"Ja": "maybe"}, "'Ja' must stand for yes, no or a whole number, not for 'maybe'"),
        ({"gendercode": {"Weiblich": "yes"}}, "gendercode, 'Weiblich' must stand for a whole"),
        ({"merged": {"Ja": "2"}}, "merged, 'Ja' must stand for yes or no"),
        ({"lastname": {"Ja": "1"}}, "contacts has no choice and no two options called 'lastname'"),
        ({"quotes": {"status": {"x": "1"}}}, "quotes has no choice and no two options called"),
        ({"quotes": {"statecode": "1"}}, "statecode must be a table of words"),
        ({"gendercode": {"Frau": {"x": "1"}}}, "gendercode, 'Frau' must stand for a whole number"),
    ],
)
def test_a_label_that_means_nothing_is_refused(labels: dict[str, object], problem: str) -> None:
    [found] = find_label_problems(labels)  # type: ignore[arg-type]
    assert problem in found
    with pytest.raises(ConfigurationError, match="labels"):
        make_bare_project({"source": {"path": "."}, "labels": labels}, "test")


def test_a_run_remembers_the_words_of_its_project() -> None:
    given = {"Ja": True, "gendercode": {"Weiblich": 2}, "quotes": {"statecode": {"Aktiv": 1}}}
    project = make_bare_project({"source": {"path": "."}, "labels": given}, "test")
    expected = {
        "Ja": "yes", "gendercode": {"Weiblich": "2"}, "quotes": {"statecode": {"Aktiv": "1"}},
    }  # fmt: skip
    assert project.settings.labels == expected
    assert restore_project(project.effective(), None).settings.labels == expected


def test_a_value_map_knows_the_words_of_its_column() -> None:
    tables = {
        "source": {"path": "."},
        "labels": {"gendercode": {"Weiblich": "2"}},
        "tasks": {
            "Contacts": {"fields": {"Gender": {"value_map": {"Weiblich": "Female", "": "Unknown"}}}}
        },
    }
    mapping = make_bare_project(tables, "test").mappings()["Contacts"]
    [gender] = [one for one in mapping.targets if one.name == "Gender"]
    assert gender.lookup is not None
    assert gender.lookup.outcome("2") == ("Female", None, "2")
