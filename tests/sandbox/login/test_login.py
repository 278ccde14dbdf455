from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import jwt
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.sandbox.login.grants import ASSERTION, Application
from pipeline.sandbox.login.login import (
    CLIENT,
    DOMAIN,
    STRANGER,
    TENANT,
    LoginTwin,
    make_login_routes,
)
from pipeline.sandbox.login.tokens import Claims

ORIGIN: Final = "https://login.test"
V2: Final = f"{ORIGIN}/{TENANT}/oauth2/v2.0/token"
V1: Final = f"{ORIGIN}/{TENANT}/oauth2/token"
SCOPE: Final = f"{ORIGIN}/.default"
WORD: Final = "p:ss+w"
HOME: Final = "http://localhost:1234"

Ask = Callable[..., httpx.Response]


class Time:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def issued() -> trustme.LeafCert:
    return trustme.CA().issue_cert(common_name="client", key_type=trustme.KeyType.RSA)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def ask(clock: Time, issued: trustme.LeafCert) -> Iterator[Ask]:
    """A login with one client, and a resource behind it."""
    certificate = issued.cert_chain_pems[0].bytes().decode()
    clients = (
        Application(id=CLIENT, secret=WORD, certificate=certificate),
        Application(id=STRANGER, secret=WORD * 2),
    )
    login = LoginTwin(applications={one.id: one for one in clients}, lifetime=3600, now=clock)

    async def resource(request: Request) -> Response:
        claims = login.authorize(request, (HOME,), bare="bare" in request.query_params)
        return (
            JSONResponse({"application": claims.application})
            if isinstance(claims, Claims)
            else claims
        )

    app = Starlette(routes=[*make_login_routes(login), Route("/resource", resource)])
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN)

        def request(method: str, url: str, **more: Any) -> httpx.Response:
            return runner.run(client.request(method, url, **more))

        yield request
        runner.run(client.aclose())


def form(**changes: str | None) -> dict[str, str]:
    usual: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": WORD,
        "scope": SCOPE,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def token(ask: Ask, scope: str = SCOPE) -> str:
    found: str = ask("POST", V2, data=form(scope=scope)).json()["access_token"]
    return found


def resource(ask: Ask, given: str, url: str = "/resource", **headers: str) -> httpx.Response:
    return ask("GET", url, headers={"Authorization": f"Bearer {given}", **headers})


def test_a_secret_gets_a_token_that_the_published_key_vouches_for(ask: Ask) -> None:
    answer = ask("POST", V2, data=form()).json()
    assert (answer["token_type"], answer["expires_in"], answer["ext_expires_in"]) == (
        "Bearer",
        3600,
        3600,
    )
    document = ask("GET", f"/{TENANT}/v2.0/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(ask("GET", document["jwks_uri"]).json())
    identity = jwt.get_unverified_header(answer["access_token"])["kid"]
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(
        answer["access_token"],
        keys[identity],
        algorithms=["RS256"],
        audience=ORIGIN,
        options=options,
    )
    assert (claims["appid"], claims["tid"], claims["exp"] - claims["iat"]) == (CLIENT, TENANT, 3600)


def test_the_first_version_takes_a_resource_and_speaks_in_texts(ask: Ask) -> None:
    answer = ask("POST", V1, data=form(scope=None, resource=f"{ORIGIN}/")).json()
    assert (answer["expires_in"], answer["resource"]) == ("3600", f"{ORIGIN}/")
    assert int(answer["expires_on"]) - int(answer["not_before"]) == 3600
    assert resource(ask, answer["access_token"]).json() == {"application": CLIENT}


def test_the_tenant_has_a_name_as_well_and_the_secret_may_come_in_the_header(ask: Ask) -> None:
    url = f"{ORIGIN}/{DOMAIN}/oauth2/v2.0/token"
    assert ask("POST", url, data=form()).status_code == 200
    basic = ask(
        "POST",
        V2,
        data=form(client_id=None, client_secret=None),
        auth=httpx.BasicAuth(CLIENT, "p%3Ass%2Bw"),
    )
    assert basic.status_code == 200


@pytest.mark.parametrize(
    ("url", "changes", "status", "error", "number"),
    [
        (V2, {"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        (V2, {"client_secret": None}, 401, "invalid_client", 7000218),
        (V2, {"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        (V2, {"client_id": None}, 400, "invalid_request", 900144),
        (V2, {"scope": None}, 400, "invalid_request", 900144),
        (V2, {"scope": ORIGIN}, 400, "invalid_scope", 1002012),
        (V2, {"scope": f"{SCOPE} openid"}, 400, "invalid_scope", 1002012),
        (V2, {"scope": "graph/.default"}, 400, "invalid_resource", 500011),
        (V2, {"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        (V1, {}, 400, "invalid_request", 900144),
        (V2.replace(TENANT, "somewhere"), {}, 400, "invalid_request", 90002),
        (V2.replace(TENANT, "common"), {}, 400, "invalid_request", 90002),
    ],
)
def test_refusals_are_those_of_entra_id(
    ask: Ask, url: str, changes: dict[str, str | None], status: int, error: str, number: int
) -> None:
    response = ask("POST", url, data=form(**changes))
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= set(body)


def assertion(
    issued: trustme.LeafCert, clock: Time, algorithm: str = "PS256", **changes: Any
) -> str:
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    claims = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": V2,
        "exp": clock.now + 600,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    assert isinstance(key, rsa.RSAPrivateKey)
    return jwt.encode(claims, key, algorithm=algorithm)


def asserted(ask: Ask, text: str, kind: str = ASSERTION) -> httpx.Response:
    return ask(
        "POST", V2, data=form(client_secret=None, client_assertion=text, client_assertion_type=kind)
    )


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_certificate_is_as_good_as_a_secret(
    ask: Ask, issued: trustme.LeafCert, clock: Time, algorithm: str
) -> None:
    assert asserted(ask, assertion(issued, clock, algorithm)).status_code == 200
    assert (
        asserted(
            ask, assertion(issued, clock, algorithm, aud=f"{ORIGIN}/{TENANT}/v2.0")
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"exp": 1}, 700024),
        ({"aud": "https://elsewhere/"}, 700023),
        ({"iss": "x"}, 700021),
        ({"sub": "x"}, 700021),
    ],
)
def test_an_assertion_must_say_who_to_whom_and_until_when(
    ask: Ask, issued: trustme.LeafCert, clock: Time, changes: dict[str, Any], number: int
) -> None:
    assert asserted(ask, assertion(issued, clock, **changes)).json()["error_codes"] == [number]


def test_an_assertion_of_another_certificate_is_refused(
    ask: Ask, issued: trustme.LeafCert, clock: Time
) -> None:
    other = trustme.CA().issue_cert(common_name="client", key_type=trustme.KeyType.RSA)
    assert asserted(ask, assertion(other, clock)).json()["error_codes"] == [700027]
    assert asserted(ask, "nonsense").json()["error_codes"] == [700027]
    assert asserted(ask, assertion(issued, clock), kind="other").json()["error_codes"] == [50027]


@pytest.mark.parametrize("version", ["", "/v2.0"])
def test_discovery_documents_lead_to_this_host(ask: Ask, version: str) -> None:
    forwarded = {"X-Forwarded-Host": "login.example", "X-Forwarded-Proto": "https"}
    for headers, origin in (({}, ORIGIN), (forwarded, "https://login.example")):
        document = ask(
            "GET", f"/{TENANT}{version}/.well-known/openid-configuration", headers=headers
        ).json()
        assert document["token_endpoint"] == f"{origin}/{TENANT}/oauth2{version}/token"
        assert document["issuer"].startswith(f"{origin}/{TENANT}")
        assert document["authorization_endpoint"].startswith(origin)
    assert (
        ask("GET", f"/common{version}/.well-known/openid-configuration")
        .json()["issuer"]
        .startswith(f"{ORIGIN}/{{tenantid}}")
    )
    response = ask("GET", f"/nowhere{version}/.well-known/openid-configuration")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_tenant")


def test_instance_discovery_knows_this_host(ask: Ask) -> None:
    asked = {
        "authorization_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/authorize",
        "api-version": "1.1",
    }
    found = ask("GET", "/common/discovery/instance", params=asked).json()
    assert (
        found["tenant_discovery_endpoint"]
        == f"{ORIGIN}/{TENANT}/v2.0/.well-known/openid-configuration"
    )
    assert found["metadata"][0]["aliases"] == ["login.test"]
    assert ask("GET", "/common/discovery/instance").status_code == 400
    assert ask("GET", f"/{TENANT}/oauth2/authorize").status_code == 501


def test_without_a_token_a_401_says_where_to_get_one(ask: Ask) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        response = ask("GET", "/resource", headers=headers)
        assert response.status_code == 401
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.startswith(
            f'Bearer authorization_uri="{ORIGIN}/{TENANT}/oauth2/authorize"'
        )
        assert f'resource_id="{ORIGIN}/"' in challenge
        assert "error" not in challenge


def test_tokens_end(ask: Ask, clock: Time) -> None:
    given = token(ask)
    clock.now += 3599
    assert resource(ask, given).status_code == 200
    clock.now += 1
    response = resource(ask, given)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert resource(ask, token(ask)).status_code == 200


def test_tokens_that_somebody_wrote_himself_are_refused(ask: Ask) -> None:
    given = token(ask)
    head, body, signature = given.split(".")
    for bad in (
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body[:-4]}.{signature}",
        "nonsense",
        jwt.encode({"appid": CLIENT}, "k" * 32),
    ):
        assert resource(ask, bad).status_code == 401


def test_a_token_is_good_for_the_system_it_was_asked_for(ask: Ask) -> None:
    assert resource(ask, token(ask, "https://elsewhere.test/.default")).status_code == 401
    assert (
        resource(
            ask,
            token(ask, "https://elsewhere.test/.default"),
            **{"X-Forwarded-Host": "elsewhere.test"},
        ).status_code
        == 200
    )
    assert resource(ask, token(ask, "http://127.0.0.1:1234/.default")).status_code == 200
    assert resource(ask, token(ask, "http://127.0.0.1:1235/.default")).status_code == 401
    assert resource(ask, token(ask, f"{ORIGIN}//.default")).status_code == 200


@pytest.mark.parametrize("path", ["/api/data/v9.2", "/x", "/api/"])
def test_a_token_for_a_path_is_good_for_nothing(ask: Ask, path: str) -> None:
    given = token(ask, f"{ORIGIN}{path}/.default")
    for url in ("/resource", "/resource?bare"):
        refusal = resource(ask, given, url)
        assert refusal.status_code == 401
        assert f"The audience '{ORIGIN}{path}' is invalid." in refusal.headers["WWW-Authenticate"]


REFRESH: Final = {"grant_type": "refresh_token", "refresh_token": "0.AXoA-of-a-user"}


@pytest.mark.parametrize("tenant", [TENANT, DOMAIN, "common", "organizations"])
@pytest.mark.parametrize(
    "scope", [SCOPE, f"{ORIGIN}/user_impersonation offline_access", f"openid {SCOPE}"]
)
def test_a_refresh_token_gets_a_token_and_the_next_refresh_token(
    ask: Ask, tenant: str, scope: str
) -> None:
    url = V2.replace(TENANT, tenant)
    answer = ask("POST", url, data=form(**REFRESH, scope=scope)).json()
    assert resource(ask, answer["access_token"]).status_code == 200
    assert (answer["scope"], answer["refresh_token"][:3]) == (scope, "1.A")
    again = {**REFRESH, "refresh_token": answer["refresh_token"]}
    assert ask("POST", url, data=form(**again, scope=scope)).status_code == 200


def test_version_1_refreshes_for_a_resource(ask: Ask) -> None:
    url = V1.replace(TENANT, "common")
    answer = ask("POST", url, data=form(**REFRESH, resource=ORIGIN)).json()
    assert resource(ask, answer["access_token"]).status_code == 200
    assert (answer["resource"], answer["expires_in"]) == (ORIGIN, "3600")
    assert "refresh_token" in answer


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"refresh_token": None}, "invalid_request", 900144),
        ({"client_secret": "wrong"}, "invalid_client", 7000215),
        ({"client_secret": None}, "invalid_client", 7000218),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": "openid"}, "invalid_scope", 70011),
        ({"scope": f"{SCOPE} https://b.test/.default"}, "invalid_scope", 70011),
    ],
)
def test_a_refresh_is_refused_as_entra_id_does(
    ask: Ask, changes: dict[str, str | None], error: str, number: int
) -> None:
    body = ask("POST", V2, data=form(**{**REFRESH, **changes})).json()
    assert (body["error"], body["error_codes"]) == (error, [number])


def test_scm_minds_a_slash_at_the_end_of_the_resource(ask: Ask) -> None:
    assert resource(ask, token(ask), "/resource?bare").status_code == 200
    assert resource(ask, token(ask, f"{ORIGIN}//.default"), "/resource?bare").status_code == 401
