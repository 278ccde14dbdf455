"""Logging in: tokens in requests and their renewal, credentials from settings, plain refusals."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import httpx
import pytest
import requests
import trustme
from azure.core.exceptions import ClientAuthenticationError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pipeline.errors import (
    AnswerUnreadable,
    ConfigurationError,
    LoginAway,
    LoginFailed,
    SystemStopped,
    Unreachable,
)
from pipeline.wire.client import connect, load_trust, make_client
from pipeline.wire.login.auth import TokenAuth
from pipeline.wire.login.azure import AzureLogin
from pipeline.wire.login.credentials import PlainLogin, make_credential_factory
from pipeline.wire.login.refusals import translate_login_refusal
from pipeline.wire.login.settings import AuthSettings, SystemSettings
from pipeline.wire.login.tokens import GivenToken
from pipeline.wire.once import Busy
from pipeline.wire.pace import Pace
from pipeline.wire.system import System

TENANT = "11111111-2222-3333-4444-555555555555"
VALUE = "Q~8very-secret-value"
LOGIN = {
    "kind": "client_secret",
    "tenant": TENANT,
    "client_id": "app-1",
    "secret_env": "SALES_SECRET",
}


class Credential:
    """Tokens numbered from 1; each lasts an hour of a clock."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.given = 0

    def get_token(self, *scopes: str, **_: Any) -> GivenToken:
        assert scopes == ("https://contoso.example/.default",)
        self.given += 1
        return GivenToken(token=f"t{self.given}", expires_on=int(self.clock[0]) + 3600)


def build_client(
    refused_tokens: set[str],
) -> tuple[httpx.Client, Credential, list[float], list[str]]:
    clock, seen = [1_000_000.0], list[str]()
    credential = Credential(clock)

    def handle(request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        seen.append(token)
        return httpx.Response(401 if token in refused_tokens else 200)

    auth = TokenAuth(lambda: credential, "https://contoso.example/.default", lambda: clock[0])
    return (
        make_client("https://contoso.example", auth=auth, transport=httpx.MockTransport(handle)),
        credential,
        clock,
        seen,
    )


def test_one_token_serves_many_requests_and_is_renewed_before_it_ends() -> None:
    sales, credential, clock, seen = build_client(set())
    for seconds in (0, 3000, 299, 2, 10):
        clock[0] += seconds
        sales.get("/x")
    assert seen == ["t1", "t1", "t1", "t2", "t2"]
    assert credential.given == 2


def test_a_refused_token_is_renewed_once_in_the_middle_of_a_run() -> None:
    sales, _, _, seen = build_client({"t1"})
    assert sales.get("/x").status_code == 200
    assert sales.post("/x", content=b"body").status_code == 200
    assert seen == ["t1", "t2", "t2"]
    sales, _, _, seen = build_client({"t1", "t2"})
    assert sales.get("/x").status_code == 401
    assert seen == ["t1", "t2"]


def test_a_token_that_was_given_is_not_asked_for_twice() -> None:
    seen = []
    settings = SystemSettings.model_validate(
        {"url": "https://contoso.example", "auth": {"kind": "token", "token_env": "T"}}
    )

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(401)

    with connect(
        settings, environment={"T": "abc"}, folder=Path(), transport=httpx.MockTransport(handle)
    ) as sales:
        assert sales.get("/x").status_code == 401
    assert seen == ["Bearer abc"]


def test_any_token_credential_of_python_will_do() -> None:
    clock = [1_000_000.0]
    settings = SystemSettings.model_validate(
        {"url": "https://contoso.example", "auth": {"kind": "azure_cli"}}
    )
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200)

    with connect(
        settings,
        environment={},
        folder=Path(),
        credential=Credential(clock),
        transport=httpx.MockTransport(handle),
    ) as sales:
        sales.get("/x")
    assert seen == ["Bearer t1"]


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (LOGIN, "the environment variable SALES_SECRET is not set"),
        ({"kind": "token", "token_env": "T"}, "the environment variable T is not set"),
        (
            {"kind": "certificate", "tenant": "t", "client_id": "c", "certificate": "no.pem"},
            "there is no certificate",
        ),
    ],
)
def test_what_a_login_needs_is_looked_for_before_anything_is_sent(
    auth: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_credential_factory(AuthSettings.model_validate(auth), {}, tmp_path, load_trust())


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (
            {"kind": "client_secret", "tenant": "t"},
            "kind 'client_secret' needs client_id, secret_env",
        ),
        ({"kind": "token", "token_env": "T", "tenant": "t"}, "kind 'token' does not use tenant"),
        ({**LOGIN, "secret": VALUE}, "Extra inputs"),
        ({**LOGIN, "authority": "http://login.example"}, "https://"),
    ],
)
def test_settings_that_do_not_fit_their_kind_are_refused(auth: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AuthSettings.model_validate(auth)


@pytest.mark.parametrize(
    "url",
    ["contoso.crm.dynamics.com", "http://contoso.example", "https://u:p@host", "https://h/?q=1"],
)
def test_an_address_that_would_give_the_login_away_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must "):
        SystemSettings.model_validate({"url": url, "auth": {"kind": "azure_cli"}})


def test_secrets_are_not_settings() -> None:
    settings = SystemSettings.model_validate({"url": "https://contoso.example/", "auth": LOGIN})
    assert VALUE not in repr(settings.model_dump())
    assert settings.url == "https://contoso.example"
    assert settings.scope == "https://contoso.example/.default"
    assert VALUE not in repr(PlainLogin(settings=settings.auth, secret=VALUE))
    assert VALUE not in repr(GivenToken(token=VALUE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AADSTS90002: Tenant 'x' not found.", f"knows no tenant '{TENANT}'. Check auth.tenant."),
        ("Unable to get authority configuration for https://…", f"knows no tenant '{TENANT}'"),
        (
            "AADSTS7000215: Invalid client secret provided.",
            "The variable SALES_SECRET must hold the secret's value",
        ),
        ("AADSTS7000222: The provided client secret keys are expired.", "it has expired"),
        ("AADSTS700016: Application not found", "finds no app registration 'app-1'"),
        (
            "AADSTS65001: something else. Trace ID: 1",
            "refuses the login: AADSTS65001: something else",
        ),
        ("", "refuses the login."),
    ],
)
def test_each_refusal_of_a_login_has_its_own_sentence(text: str, words: str) -> None:
    failure = translate_login_refusal(
        text, AuthSettings.model_validate(LOGIN), "Login (login.microsoftonline.com)"
    )
    assert words in failure.message
    assert (failure.exit_code, failure.again) == (2, False)


class LoginService(BaseHTTPRequestHandler):
    """A token endpoint.

    The right secret gets a token, a wrong one AADSTS7000215, a wrong tenant AADSTS90002.
    """

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if TENANT not in self.path:
            self._send(
                400,
                {"error": "invalid_request", "error_description": "AADSTS90002: Tenant not found."},
            )
        elif form.get("client_secret") == [VALUE] or "client_assertion" in form:
            self._send(
                200,
                {
                    "access_token": f"for {form['scope'][0].split()[0]}",
                    "expires_in": 3599,
                    "token_type": "Bearer",
                },
            )
        else:
            self._send(
                401,
                {
                    "error": "invalid_client",
                    "error_description": "AADSTS7000215: Invalid client secret provided.",
                },
            )

    def do_GET(self) -> None:
        root = f"https://{self.headers['Host']}/{TENANT}"
        if TENANT not in self.path:
            self._send(
                400,
                {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."},
            )
            return
        points = {
            "authorization_endpoint": f"{root}/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "issuer": root,
        }
        self._send(200, points)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority_ca() -> trustme.CA:
    return trustme.CA()


def serve(
    ca: trustme.CA | None, service: type[BaseHTTPRequestHandler] = LoginService
) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), service)
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"{'http' if ca is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def tls_login(authority_ca: trustme.CA) -> Iterator[str]:
    yield from serve(authority_ca)


@pytest.fixture(scope="module")
def plain_login() -> Iterator[str]:
    yield from serve(None)


def get_token_for(
    auth: dict[str, str], secret: str, folder: Path, ca_file: Path | None = None
) -> str:
    settings = AuthSettings.model_validate(auth)
    make = make_credential_factory(settings, {"SALES_SECRET": secret}, folder, load_trust(ca_file))
    return make().get_token("https://contoso.example/.default").token


def write_ca_file(ca: trustme.CA, folder: Path) -> Path:
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


def test_a_client_secret_gets_a_token_through_azure_identity(
    tls_login: str, authority_ca: trustme.CA, tmp_path: Path
) -> None:
    pem = write_ca_file(authority_ca, tmp_path)
    auth = {**LOGIN, "authority": tls_login}
    assert get_token_for(auth, VALUE, tmp_path, pem) == "for https://contoso.example/.default"
    with pytest.raises(LoginFailed, match="refuses the client secret") as caught:
        get_token_for(auth, "Q~wrong-secret", tmp_path, pem)
    assert "Q~wrong-secret" not in str(caught.value)
    with pytest.raises(LoginFailed, match=r"knows no tenant 'nobody\.example'\. Check auth"):
        get_token_for({**auth, "tenant": "nobody.example"}, VALUE, tmp_path, pem)


def test_a_login_service_with_a_foreign_certificate_is_not_believed(
    tls_login: str, tmp_path: Path
) -> None:
    with pytest.raises(Unreachable, match=r"does not verify.*auth\.ca_file"):
        get_token_for({**LOGIN, "authority": tls_login}, VALUE, tmp_path)


def test_a_login_service_that_is_not_there_is_said_to_be_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        get_token_for({**LOGIN, "authority": "https://127.0.0.1:9"}, VALUE, tmp_path)
    assert caught.value.again
    with pytest.raises(Unreachable, match="nothing listens"):
        get_token_for({**LOGIN, "authority": "http://127.0.0.1:9"}, VALUE, tmp_path)


def test_a_login_service_on_this_machine_may_do_without_tls(
    plain_login: str, tmp_path: Path
) -> None:
    auth = {**LOGIN, "authority": plain_login}
    assert get_token_for(auth, VALUE, tmp_path) == "for https://contoso.example/.default"
    with pytest.raises(LoginFailed, match="The variable SALES_SECRET must hold"):
        get_token_for(auth, "wrong", tmp_path)
    with pytest.raises(LoginFailed, match="knows no tenant"):
        get_token_for({**auth, "tenant": "nobody.example"}, VALUE, tmp_path)


def write_certificate(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "p2c")])
    begun = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(
            subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=1
        )
        .not_valid_before(begun)
        .not_valid_after(begun + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))


def test_a_certificate_gets_a_token(
    tls_login: str, authority_ca: trustme.CA, tmp_path: Path
) -> None:
    write_certificate(tmp_path / "app.pem")
    auth = {
        "kind": "certificate",
        "tenant": TENANT,
        "client_id": "app-1",
        "certificate": "app.pem",
        "authority": tls_login,
    }
    assert get_token_for(auth, "", tmp_path, write_ca_file(authority_ca, tmp_path)).startswith(
        "for "
    )
    (tmp_path / "app.pem").write_text("no certificate")
    with pytest.raises(LoginFailed, match="not a certificate with its private key"):
        get_token_for(auth, "", tmp_path)


def test_a_machine_without_the_azure_cli_hears_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        LoginFailed, match=r"Login \(azure_cli\): is not possible here: Azure CLI not found"
    ):
        get_token_for({"kind": "azure_cli"}, "", tmp_path)


def test_other_failures_of_azure_are_sentences_too() -> None:
    class Broken:
        def get_token(self, *_scopes: str, **_: Any) -> Any:
            raise ClientAuthenticationError("client_secret=Q~8abcdefgh is bad")

    with pytest.raises(SystemStopped) as caught:
        AzureLogin(AuthSettings.model_validate(LOGIN), Broken()).get_token("x")
    assert "Q~8" not in str(caught.value)


@pytest.mark.parametrize("error", [RecursionError(), KeyError("x"), AttributeError("get")])
def test_an_answer_of_another_form_is_no_refusal_of_the_login(error: Exception) -> None:
    class Odd:
        def get_token(self, *_scopes: str, **_: Any) -> Any:
            raise error

    with pytest.raises(AnswerUnreadable, match="something that is not a token") as caught:
        AzureLogin(AuthSettings.model_validate(LOGIN), Odd()).get_token("x")
    assert caught.value.again


@pytest.mark.parametrize("token", ["", "abc\r\nX: y", "abc😀", None, 5])
def test_a_service_that_gives_no_token_is_not_believed(token: Any) -> None:
    class Careless:
        def get_token(self, *_scopes: str, **_: Any) -> Any:
            return GivenToken(token=token)

    with pytest.raises(AnswerUnreadable, match="something that is not a token") as caught:
        AzureLogin(AuthSettings.model_validate(LOGIN), Careless()).get_token("x")
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("token", ["abc\n", "abcé", "a\x00b"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_being_shown(
    token: str, tmp_path: Path
) -> None:
    auth = AuthSettings(kind="token", token_env="MY_TOKEN")  # noqa: S106
    with pytest.raises(ConfigurationError, match="MY_TOKEN holds line ends or") as caught:
        make_credential_factory(auth, {"MY_TOKEN": token}, tmp_path, ssl.create_default_context())
    assert "abc" not in str(caught.value)


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file"):
        load_trust(tmp_path / "no.pem")
    (tmp_path / "ca.pem").write_text(base64.b64encode(b"nothing").decode())
    with pytest.raises(ConfigurationError, match="holds no certificates"):
        load_trust(tmp_path / "ca.pem")


def test_a_system_with_a_foreign_certificate_gets_nothing(
    tls_login: str, authority_ca: trustme.CA, tmp_path: Path
) -> None:
    with make_client(tls_login, verify=load_trust(write_ca_file(authority_ca, tmp_path))) as known:
        assert known.get(f"/{TENANT}/x").status_code == 200
    with make_client(tls_login) as foreign, pytest.raises(httpx.ConnectError):
        foreign.get("/x")


PASSING = [
    (500, {}, {}),
    (502, "<html>Bad Gateway</html>", {}),
    (503, {"error": "temporarily_unavailable"}, {"Retry-After": "7"}),
    (429, {"error_description": "AADSTS90055: too many requests."}, {"Retry-After": "7"}),
    (400, {"error": "x", "error_description": "AADSTS90033: A transient error has occurred."}, {}),
]


class TroubledService(LoginService):
    """Answers the first questions for a token with a failure of its own."""

    failures: ClassVar[list[tuple[int, Any, dict[str, str]]]] = []

    def do_POST(self) -> None:
        if not self.failures:
            super().do_POST()
            return
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body, headers = self.failures.pop(0)
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        kind = "text/html" if isinstance(body, str) else "application/json"
        for name, value in {**headers, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def troubled_tls(authority_ca: trustme.CA) -> Iterator[str]:
    yield from serve(authority_ca, TroubledService)


@pytest.fixture(scope="module")
def troubled_plain() -> Iterator[str]:
    yield from serve(None, TroubledService)


@pytest.mark.parametrize("place", ["troubled_tls", "troubled_plain"])
@pytest.mark.parametrize("failure", PASSING, ids=lambda one: str(one[0]))
def test_a_failure_of_the_login_service_passes(
    request: pytest.FixtureRequest,
    authority_ca: trustme.CA,
    tmp_path: Path,
    place: str,
    failure: tuple[int, Any, dict[str, str]],
) -> None:
    """It blames nobody's secret, has the time that the service asks for, and is asked again."""
    auth = {**LOGIN, "authority": request.getfixturevalue(place)}
    pem = write_ca_file(authority_ca, tmp_path)
    TroubledService.failures[:] = [failure]
    with pytest.raises(LoginAway, match=r"fails for now|asks us to wait") as caught:
        get_token_for(auth, VALUE, tmp_path, pem)
    assert caught.value.again
    assert caught.value.wait == (7.0 if failure[2] else None)
    assert "secret" not in caught.value.message
    assert get_token_for(auth, VALUE, tmp_path, pem) == "for https://contoso.example/.default"


def test_a_request_that_is_sent_once_waits_for_the_login_service(
    troubled_plain: str, tmp_path: Path
) -> None:
    """It was not sent, so nothing is in doubt."""
    TroubledService.failures[:] = [PASSING[2]]
    settings = AuthSettings.model_validate({**LOGIN, "authority": troubled_plain})
    make = make_credential_factory(settings, {"SALES_SECRET": VALUE}, tmp_path, load_trust(None))
    system = System(
        name="SCM",
        client=make_client(
            "https://contoso.example",
            auth=TokenAuth(make, "https://contoso.example/.default"),
            transport=httpx.MockTransport(lambda _: httpx.Response(200)),
        ),
        pace=Pace(sleep=lambda _: None),
    )
    send = partial(
        system.send_once,
        "POST",
        "x",
        lambda response: response.status_code,
        subject="x",
        headers={},
        content=b"",
    )
    with pytest.raises(Busy, match="fails for now") as caught:
        send()
    assert (caught.value.seconds, caught.value.throttled) == (7.0, False)


def test_a_silent_login_service_is_waited_for_like_any_other_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifteen seconds for a connection and 180 for an answer; azure-core would wait for 300."""
    waits: list[object] = []

    def request(*_: object, timeout: object = None, **__: object) -> None:
        waits.append(timeout)
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", request)
    with pytest.raises(LoginAway, match="cannot be reached") as caught:
        get_token_for({**LOGIN, "authority": "https://127.0.0.1:9"}, VALUE, tmp_path)
    assert caught.value.again
    assert waits == [(15.0, 180.0)]


def test_a_silent_login_service_without_tls_is_waited_for_like_any_other_system() -> None:
    waits: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"])
        raise httpx.ReadTimeout("silent", request=request)

    settings = AuthSettings.model_validate({**LOGIN, "authority": "http://127.0.0.1:9"})
    login = PlainLogin(settings=settings, secret=VALUE, transport=httpx.MockTransport(answer))
    with pytest.raises(LoginAway, match="does not answer within 180 s") as caught:
        login.get_token("x")
    assert caught.value.again
    assert [(one["connect"], one["read"]) for one in waits] == [(15.0, 180.0)]


class DroppingService(LoginService):
    """Answers byte by byte, each in time."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                self.wfile.write(b" ")
                time.sleep(0.02)


@pytest.fixture(scope="module")
def dropping_plain() -> Iterator[str]:
    yield from serve(None, DroppingService)


def test_a_login_service_that_sends_a_byte_now_and_then_is_not_waited_for_without_end(
    dropping_plain: str,
) -> None:
    settings = AuthSettings.model_validate({**LOGIN, "authority": dropping_plain})
    with pytest.raises(LoginAway, match=r"did not give a token within 0\.2 s") as caught:
        PlainLogin(settings=settings, secret=VALUE, longest=0.2).get_token("x")
    assert caught.value.again
    silent = Mute(threading.Event())
    azure = AzureLogin(AuthSettings.model_validate(LOGIN), silent, longest=0.05)
    with pytest.raises(LoginAway, match=r"did not give a token within 0\.05 s"):
        azure.get_token("x")
    silent.ends.set()


@dataclass
class Mute:
    """A credential that says nothing until it may."""

    ends: threading.Event

    def get_token(self, *_: str, **__: Any) -> Any:
        self.ends.wait(10)
        return GivenToken(token="late")  # noqa: S106 - no secret


@pytest.mark.parametrize("place", ["troubled_tls", "troubled_plain"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_login_service_that_sends_elsewhere_is_not_followed(
    request: pytest.FixtureRequest,
    authority_ca: trustme.CA,
    tmp_path: Path,
    place: str,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The secret reaches no other address than that of the settings."""
    here = request.getfixturevalue(place)
    there = request.getfixturevalue("tls_login" if place == "troubled_tls" else "plain_login")
    elsewhere = f"{there}/{TENANT}/oauth2/v2.0/token"
    TroubledService.failures[:] = [(status, "<html>moved</html>", {"Location": elsewhere})]
    with pytest.raises(
        AnswerUnreadable, match=rf"HTTP {status}\)\. Check auth\.authority"
    ) as caught:
        get_token_for(
            {**LOGIN, "authority": here}, VALUE, tmp_path, write_ca_file(authority_ca, tmp_path)
        )
    assert VALUE not in str(caught.value)
    assert "moved" not in capsys.readouterr().err
    assert not TroubledService.failures
