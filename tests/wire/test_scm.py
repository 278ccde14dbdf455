"""SCM on the wire: what a refusal says."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from pipeline.errors import AccessDenied, Stopped
from pipeline.wire.once import Declined
from pipeline.wire.scm import Scm
from pipeline.wire.system import System

ASKS: dict[str, Callable[[Scm], object]] = {
    "CustomersV2": lambda scm: list(scm.pages("CustomersV2")),
    "GetExecutionErrors": lambda scm: scm.ask("GetExecutionErrors", executionId="1"),
}


@pytest.mark.parametrize("subject", ASKS)
@pytest.mark.parametrize(("status", "kind"), [(403, AccessDenied), (404, Declined)])
def test_a_refusal_names_what_was_asked_for(subject: str, status: int, kind: type[Stopped]) -> None:
    answer = httpx.Response(status, json={"error": {"message": "no"}})
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _request: answer), base_url="https://scm.test"
    )
    system = System(name="SCM", client=client)
    with pytest.raises(kind, match=rf"no \(HTTP {status}\)\..* p2c asked for {subject}\."):
        ASKS[subject](Scm(system=system, blobs=system))
