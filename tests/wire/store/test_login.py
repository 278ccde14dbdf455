"""Tokens, as obstore asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.wire.login.credentials import GivenToken
from pipeline.wire.store.login import StoreLogin


@dataclass
class Giving:
    """A credential that counts."""

    expires_on: int = 2_000_000_000
    asked: list[str] = field(default_factory=list)

    def get_token(self, *scopes: str, **_: object) -> GivenToken:
        self.asked += scopes
        return GivenToken(token=f"token {len(self.asked)}", expires_on=self.expires_on)


def test_a_token_is_for_storage_and_says_when_it_expires() -> None:
    giving, made = Giving(), list[int]()

    def make() -> Giving:
        made.append(1)
        return giving

    login = StoreLogin(make)
    assert login() == {
        "token": "token 1",
        "expires_at": datetime.fromtimestamp(2_000_000_000, UTC),
    }
    assert next(iter(login().values())) == "token 2"
    assert giving.asked == ["https://storage.azure.com/.default"] * 2
    assert made == [1]


def test_a_token_that_was_given_never_expires() -> None:
    given = GivenToken(token="x")  # noqa: S106
    assert StoreLogin(lambda: given)() == {"token": "x", "expires_at": None}
