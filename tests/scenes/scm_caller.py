"""One SCM twin without a network, and a client that calls it as any other would."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.sandbox.login.login import Authorize
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.scm.app import make_scm_app
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.scm.twin import ScmTwin

ROOT = "https://scm.test"
DMF = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def authorize(request: Request) -> Claims | Response:
    """Let in whoever has the token of the tests."""
    if request.headers.get("authorization") == "Bearer test":
        return Claims(application="tests", audience=ROOT, expires=0)
    return JSONResponse({"Message": "Unauthorized"}, status_code=401)


class Caller:
    """A twin with its clock, and requests to it."""

    def __init__(
        self,
        switches: Switches = STRICT,
        *,
        door: Authorize = authorize,
        background: bool = False,
        **more: Any,
    ) -> None:
        self.clock = Clock()
        self.twin = ScmTwin(switches=switches, clock=self.clock, background=background, **more)
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=make_scm_app(self.twin, door))
        self._client = httpx.AsyncClient(
            transport=transport, base_url=ROOT, headers={"Authorization": "Bearer test"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.twin.close()

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, url, **more))

    def get(self, url: str, **more: Any) -> Any:
        response = self.ask("GET", url, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, url: str, body: Any, **more: Any) -> httpx.Response:
        return self.ask("POST", url, json=body, **more)

    def act(self, action: str, **parameters: Any) -> Any:
        """The value that an action answers."""
        response = self.post(DMF + action, parameters)
        assert response.status_code == 200, response.text
        return response.json()["value"]

    def refused(self, action: str, **parameters: Any) -> str:
        """The message with which an action is refused."""
        return inner(self.post(DMF + action, parameters))

    def upload(self, content: bytes, name: str = "package.zip") -> str:
        """Upload a package as anybody would; the URL to import it from."""
        url = httpx.Response(200, content=self.act("GetAzureWriteUrl", uniqueFileName=name)).json()[
            "BlobUrl"
        ]
        put = self._runner.run(self._put(url, content))
        assert put.status_code == 201, put.text
        return str(url)

    async def _put(self, url: str, content: bytes) -> httpx.Response:
        """No token: the URL is signed."""
        transport = httpx.ASGITransport(app=make_scm_app(self.twin, authorize))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.put(url, content=content, headers={"x-ms-blob-type": "BlockBlob"})


def inner(response: httpx.Response, status: int = 400) -> str:
    """The inner message of a failure."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == ""
    if "innererror" not in error:
        return str(error["message"])
    assert set(error["innererror"]) == {"message", "type", "stacktrace"}
    return str(error["innererror"]["message"])
