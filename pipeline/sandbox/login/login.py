"""The login of both twins.

Microsoft Entra ID's token endpoints v1 and v2, its discovery documents, and the check of tokens.

One tenant. The client that the sandbox hands out may do everything; two more, with the same secret,
show what else can happen: one that is a user without a role in Sales and unknown in SCM, and one
that is unknown in both.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.sandbox.login import grants
from pipeline.sandbox.login.grants import Application, GrantRefused
from pipeline.sandbox.login.origin import find_origin, is_same_origin
from pipeline.sandbox.login.tokens import BadTokenError, Claims, Issuer, publish_keys

TENANT: Final = "7a5e2c40-1c1d-4b8e-9f3a-5a1e5ca11ed0"
DOMAIN: Final = "contoso.onmicrosoft.com"
CLIENT: Final = "c0ffee00-5a1e-4000-8000-000000000001"
WITHOUT_ROLE: Final = "c0ffee00-5a1e-4000-8000-000000000002"
STRANGER: Final = "c0ffee00-5a1e-4000-8000-000000000003"

Authorize: TypeAlias = Callable[[Request], Claims | Response]
"""Who is calling, or the refusal."""

_SHARED: Final = frozenset({"common", "organizations", "consumers"})
_DEFAULT: Final = "/.default"
_REFRESH: Final = "refresh_token"
_GRANTS: Final = frozenset({"client_credentials", _REFRESH})
_OPENID: Final = frozenset({"openid", "profile", "email", "offline_access"})
"""Scopes that name no system."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginTwin:
    """One tenant.

    ``lifetime`` of tokens in seconds; ``systems``: the origins that tokens may be for, besides
    forwarded ones.
    """

    applications: Mapping[str, Application]
    lifetime: int = 3599
    now: Callable[[], float] = time.time
    issuer: Issuer = field(init=False)

    def __post_init__(self) -> None:
        """The issuer has the login's clock."""
        object.__setattr__(self, "issuer", Issuer(TENANT, self.now))

    def authorize(
        self, request: Request, homes: tuple[str, ...] = (), *, bare: bool = False
    ) -> Claims | Response:
        """Who is calling, or the 401.

        A token must be for the host that the caller addresses, or for one of ``homes``, and not for
        a path there; ``bare``: without a slash behind it either.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _render_challenge(request)
        try:
            claims = self.issuer.read(token.strip())
        except BadTokenError as error:
            return _render_challenge(request, str(error))
        known = any(
            is_same_origin(claims.audience, home) for home in (find_origin(request), *homes)
        )
        path = urlsplit(claims.audience).path
        if not known or path.strip("/") or (bare and path):
            return _render_challenge(request, f"The audience '{claims.audience}' is invalid.")
        return claims


def make_login_routes(login: LoginTwin) -> list[Route]:
    """Where clients look for tokens and what they are signed with."""

    async def token(request: Request) -> Response:
        form = dict(
            parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        )
        return _answer(lambda: _token(login, request, form))

    async def openid(request: Request) -> Response:
        return _answer(lambda: _openid(request))

    async def keys(_: Request) -> Response:
        return JSONResponse(publish_keys())

    async def instance(request: Request) -> Response:
        return _answer(lambda: _instance(request))

    async def sign_in(_: Request) -> Response:
        text = (
            "The sandbox signs in applications only: ask the token endpoint, with "
            "grant_type=client_credentials."
        )
        return Response(text, status_code=HTTPStatus.NOT_IMPLEMENTED, media_type="text/plain")

    found = [Route("/common/discovery/instance", instance), Route("/{tenant}/discovery/keys", keys)]
    found += [Route("/{tenant}/discovery/v2.0/keys", keys)]
    for version in ("", "/v2.0"):
        found += [
            Route(f"/{{tenant}}{version}/.well-known/openid-configuration", openid),
            Route(f"/{{tenant}}/oauth2{version}/token", token, methods=["POST"]),
            Route(f"/{{tenant}}/oauth2{version}/authorize", sign_in),
        ]
    return found


def _answer(call: Callable[[], dict[str, Any]]) -> Response:
    try:
        return JSONResponse(
            call(), headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
        )
    except GrantRefused as refusal:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        text = (
            f"AADSTS{refusal.number}: {refusal.text} Trace ID: {trace} Correlation ID: "
            f"{correlation} Timestamp: {moment}"
        )
        body = {
            "error": refusal.error,
            "error_description": text,
            "error_codes": [refusal.number],
            "timestamp": moment,
        }
        uri = f"https://login.microsoftonline.com/error?code={refusal.number}"
        more = {"trace_id": trace, "correlation_id": correlation, "error_uri": uri}
        return JSONResponse({**body, **more}, status_code=refusal.status)


def _tenant(request: Request, *, shared: bool, error: str) -> str:
    """The tenant in the address. Raises ``GrantRefused`` for one that is not here."""
    name = str(request.path_params["tenant"])
    if name.lower() in {TENANT, DOMAIN}:
        return TENANT
    if name.lower() in _SHARED and shared:
        return name.lower()
    text = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant."
    )
    raise GrantRefused(status=400, error=error, number=90002, text=text)


def _token(login: LoginTwin, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
    """A token in exchange for a secret or an assertion, with or without a refresh token.

    A refresh token knows its tenant, so it may be shown at ``/common/``.
    """
    grant = form.get("grant_type", "")
    _tenant(request, shared=grant == _REFRESH, error="invalid_request")
    if grant not in _GRANTS:
        text = f"The app requested an unsupported grant type '{grant}'."
        raise GrantRefused(status=400, error="unsupported_grant_type", number=70003, text=text)
    application, secret = grants.find_application(
        form, request.headers.get("authorization", ""), login.applications
    )
    origin = find_origin(request)
    grants.check_grant(
        application, secret, form, lambda audience: _is_login(audience, origin), login.now()
    )
    refreshed = grants.renew(application, form) if grant == _REFRESH else {}
    second = "/v2.0/" in request.url.path
    audience = _scope(form, delegated=bool(refreshed)) if second else _resource(form)
    issuer = f"{origin}/{TENANT}/"
    token = login.issuer.issue(application.id, audience, login.lifetime, issuer)
    scope = {"scope": form.get("scope", "user_impersonation")} if refreshed else {}
    return {**_describe_life(login, audience, second=second), **scope, "access_token": token} | (
        refreshed
    )


def _describe_life(login: LoginTwin, audience: str, *, second: bool) -> dict[str, Any]:
    """How long a token lives, as both versions of the endpoint say it."""
    times = {"expires_in": login.lifetime, "ext_expires_in": login.lifetime}
    if second:
        return {"token_type": "Bearer", **times}
    begin = int(login.now())
    times |= {"expires_on": begin + login.lifetime, "not_before": begin}
    texts = {name: str(value) for name, value in times.items()}
    return {"token_type": "Bearer", **texts, "resource": audience}


def _is_login(audience: str, origin: str) -> bool:
    """Whether an assertion is meant for this tenant's token endpoint, or the tenant as a whole."""
    path = audience.split("://", 1)[-1].partition("/")[2]
    return is_same_origin(audience, origin) and path.partition("/")[0].lower() in {TENANT, DOMAIN}


def _scope(form: Mapping[str, str], *, delegated: bool) -> str:
    """The audience that a v2 request asks for.

    ``delegated``: in the name of a user, who grants scopes one by one. Raises ``GrantRefused``.
    """
    scopes = form.get("scope", "").split()
    if not scopes:
        text = "The request body must contain the following parameter: 'scope'."
        raise GrantRefused(status=400, error="invalid_request", number=900144, text=text)
    if delegated:
        wanted = {one.rpartition("/")[0] for one in scopes if one not in _OPENID}
        if len(wanted) != 1:
            text = f"The provided value for the input parameter 'scope' is not valid: {scopes}."
            raise GrantRefused(status=400, error="invalid_scope", number=70011, text=text)
        return _check_resource(wanted.pop())
    if len(scopes) != 1 or not scopes[0].endswith(_DEFAULT):
        text = (
            f"The provided value for scope {' '.join(scopes)} is not valid. Client credential "
            "flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        raise GrantRefused(status=400, error="invalid_scope", number=1002012, text=text)
    return _check_resource(scopes[0].removesuffix(_DEFAULT))


def _resource(form: Mapping[str, str]) -> str:
    """The audience that a v1 request asks for. Raises ``GrantRefused``."""
    resource = form.get("resource", "")
    if not resource:
        text = "The request body must contain the following parameter: 'resource'."
        raise GrantRefused(status=400, error="invalid_request", number=900144, text=text)
    return _check_resource(resource)


def _check_resource(resource: str) -> str:
    if not resource.startswith(("https://", "http://")):
        text = f"The resource principal named {resource} was not found in the tenant named Sandbox."
        raise GrantRefused(status=400, error="invalid_resource", number=500011, text=text)
    return resource


def _openid(request: Request) -> dict[str, Any]:
    tenant, origin = _tenant(request, shared=True, error="invalid_tenant"), find_origin(request)
    version = "/v2.0" if "/v2.0/" in request.url.path else ""
    named = "{tenantid}" if tenant in _SHARED else tenant
    return {
        "token_endpoint": f"{origin}/{tenant}/oauth2{version}/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{origin}/{tenant}/discovery{version}/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{origin}/{named}{version or '/'}",
        "authorization_endpoint": f"{origin}/{tenant}/oauth2{version}/authorize",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver", "appid"],
        "tenant_region_scope": None,
        "cloud_instance_name": origin.split("://", 1)[-1],
    }


def _instance(request: Request) -> dict[str, Any]:
    """Instance discovery: this host is an authority of its own."""
    asked = request.query_params.get("authorization_endpoint", "")
    if not asked:
        text = "The request must contain the following parameter: 'authorization_endpoint'."
        raise GrantRefused(status=400, error="invalid_request", number=900144, text=text)
    host = asked.split("://", 1)[-1].partition("/")[0]
    tenant = asked.split("://", 1)[-1].partition("/")[2].partition("/")[0] or "common"
    document = f"{find_origin(request)}/{tenant}/v2.0/.well-known/openid-configuration"
    names = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
    return {"tenant_discovery_endpoint": document, "api-version": "1.1", "metadata": [names]}


def _render_challenge(request: Request, problem: str = "") -> Response:
    """A 401 that says where tokens are to be had."""
    origin = find_origin(request)
    text = f'Bearer authorization_uri="{origin}/{TENANT}/oauth2/authorize", resource_id="{origin}/"'
    if problem:
        text += f', error="invalid_token", error_description="{problem}"'
    return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": text})
