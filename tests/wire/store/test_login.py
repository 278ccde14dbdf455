"""Tokens for a store, while the login service has troubles of its own."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import LoginAway, Refusal
from pipeline.wire.login.tokens import GivenToken
from pipeline.wire.store.login import StoreLogin

GIVEN = "t"


class Troubled:
    """A credential whose service fails so many times."""

    def __init__(self, failures: int) -> None:
        self.left = failures

    def get_token(self, *_: str, **__: Any) -> GivenToken:
        if self.left:
            self.left -= 1
            said = Refusal(status=503)
            raise LoginAway("fails for now.", where="Login", again=True, wait=7.0, refusal=said)
        return GivenToken(token=GIVEN)


def test_a_store_waits_for_a_login_service_that_fails_for_now() -> None:
    slept: list[float] = []
    assert StoreLogin(lambda: Troubled(2), sleep=slept.append).token().token == GIVEN
    assert [int(one) for one in slept] == [7, 7]


def test_a_login_service_that_never_recovers_is_given_up() -> None:
    login = StoreLogin(lambda: Troubled(100), sleep=lambda _: None)
    with pytest.raises(LoginAway, match="fails for now"):
        login.token()
