"""Problems of settings: a key, a sentence, and what the user may have meant."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.suggest import SettingProblem, explain_validation_error, suggest_nearest


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: int = Field(default=1, gt=0)
    action: Literal["hold", "reject"] = "hold"
    name: str = ""

    @field_validator("name")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        if ":" in value:
            raise ValueError("must not have a {colon}: write a dash")
        return value


class Outer(BaseModel):
    inner: dict[str, Inner]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rows": 0}, "must be more than 0."),
        ({"rows": "x"}, "must be a whole number."),
        ({"action": "hodl"}, "must be 'hold' or 'reject'. Did you mean 'hold'?"),
        ({"nme": "x"}, "unknown key 'nme'. Did you mean 'name'?"),
        ({"q": "x"}, "unknown key 'q'. Known are rows, action, name."),
        ({"name": "a:b"}, "must not have a {colon}: write a dash."),
    ],
)
def test_each_complaint_is_a_key_and_a_sentence(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"A: B": given}})
    (found,) = explain_validation_error(caught.value, lambda _: Inner.model_fields)
    (column,) = given
    assert found == SettingProblem(f"inner.A: B.{column}", sentence)
    assert str(found) == f"inner.A: B.{column}: {sentence}"


def test_a_near_word_is_suggested_in_any_case() -> None:
    assert suggest_nearest("CONTCTS", ["Contacts", "Accounts"]) == " Did you mean 'Contacts'?"
    assert suggest_nearest("zebra", ["Contacts"]) == ""
