"""A token that somebody gave us: what is said of one that has expired, or that is none."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from pipeline.errors import ConfigurationError, LoginFailed
from pipeline.wire.client import make_client
from pipeline.wire.login.auth import TokenAuth
from pipeline.wire.login.tokens import GivenToken, take_token
from pipeline.wire.system import System

NOW = 1_700_000_000


def jwt(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


def test_an_expired_token_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ConfigurationError) as caught:
        take_token(jwt(exp=NOW - 1), "SCM_TOKEN", NOW)
    assert caught.value.exit_code == 2
    assert caught.value.message == (
        "The access token in the variable SCM_TOKEN expired at 2023-11-14 22:13 UTC. Get a new "
        "token and put it into that variable."
    )


@pytest.mark.parametrize("end", [NOW + 60, None, "soon", True, 1e400, [], 10**30])
def test_a_token_that_may_be_good_is_taken(end: object) -> None:
    assert take_token(jwt(exp=end), "T", NOW).token


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "a..c", "a.e30.c", "a.W10.c"])
def test_what_is_no_token_is_left_to_the_system(token: str) -> None:
    assert take_token(token, "T", NOW).token == token


@pytest.mark.parametrize(
    ("token", "later", "words"),
    [
        ("garbage", 0, "is not an access token: a token has three parts"),
        (jwt(exp=NOW + 60), 0, "may be for another system or another tenant"),
        (jwt(exp=NOW + 60), 61, "expired at 2023-11-14 22:14 UTC. Get a new token"),
    ],
)
def test_a_refused_token_says_what_is_wrong_with_it(token: str, later: int, words: str) -> None:
    given: GivenToken = take_token(token, "SCM_TOKEN", NOW)
    auth = TokenAuth(lambda: given, "scope", lambda: NOW + later)
    answers = httpx.MockTransport(lambda _: httpx.Response(401))
    with make_client("https://contoso.example", auth=auth, transport=answers) as client:
        system = System(name="SCM", client=client)
        with pytest.raises(LoginFailed, match="HTTP 401") as caught:
            system.ask("GET", "data", lambda _: None)
    assert words in caught.value.message
    assert "SCM_TOKEN" in caught.value.message
    assert token not in caught.value.message
    assert caught.value.exit_code == 2
