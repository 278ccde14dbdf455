"""What workers send back."""

from __future__ import annotations

import pytest

from pipeline import errors
from pipeline.engine.carried import Carried, WorkerFailed, carry_parts
from pipeline.engine.here import Here
from tests.scenes.engines import Awkward, Number


def test_answers_come_in_the_order_of_the_parts() -> None:
    assert [one.value for one in Here().map(Awkward(), [3, 0, 2])] == [6, 0, 4]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ("SourceError", errors.SourceError),
        ("ConfigurationError", errors.ConfigurationError),
        ("UsageError", errors.UsageError),
        ("InvariantBroken", errors.InvariantBroken),
        ("Stopped", errors.Stopped),
        ("LoginFailed", errors.Stopped),
        ("Defect", errors.InvariantBroken),
    ],
)
def test_an_error_of_ours_keeps_its_kind_and_its_words_on_the_way(
    raised: str, kind: type[errors.P2cError]
) -> None:
    sent = list(carry_parts(Awkward(bad=1, error=raised), [0, 1, 2]))
    assert [part for part, _ in sent] == [0, 1]
    assert Number.model_validate_json(sent[0][1].take()).value == 0
    arrived = Carried.model_validate_json(sent[1][1].model_dump_json())
    with pytest.raises(kind, match=r"^a\.csv: it is so\.$"):
        arrived.take()


def test_an_error_that_nobody_foresaw_leaves_its_text_behind() -> None:
    with pytest.raises(WorkerFailed, match=r"ValueError in engines.py line \d+") as caught:
        list(carry_parts(Awkward(bad=0, error="?"), [0]))
    assert "Lovelace" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
