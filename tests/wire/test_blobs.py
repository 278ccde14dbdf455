"""Signed URLs are followed to Azure Blob storage and to hosts that the project names, only."""

from __future__ import annotations

import httpx
import pytest

from pipeline.errors import AnswerUnreadable, ConfigurationError
from pipeline.project.resolve import make_bare_project
from pipeline.project.systems import connect_scm
from pipeline.wire.blobs import BlobHosts
from pipeline.wire.scm import Scm
from pipeline.wire.system import System

SCM = "https://contoso.operations.eu.dynamics.com"
SIGNED = "/dmf/a.zip?sv=2025&sig=abcdef"


def check(url: str, home: str = SCM, *added: str) -> str:
    return BlobHosts(home=httpx.URL(home), added=added).check(url, "packages")


@pytest.mark.parametrize(
    ("url", "home", "added"),
    [
        ("https://prod1.blob.core.windows.net", SCM, ()),
        ("https://PROD1.Blob.Core.Windows.Net", SCM, ()),
        ("https://prod1.blob.core.windows.net:443", SCM, ()),
        ("https://a.b.blob.core.windows.net", SCM, ()),
        ("https://blobs.contoso.com", SCM, ("blobs.contoso.com",)),
        ("https://eu.blobs.contoso.com", SCM, ("other.com", "*.blobs.contoso.com")),
        ("https://blobs.contoso.com:8443", SCM, ("Blobs.Contoso.com:8443",)),
        ("https://a.blob.core.chinacloudapi.cn", "https://a.operations.dynamics.cn", ()),
        ("https://a.blob.core.usgovcloudapi.net", "https://a.operations.high.dynamics.us", ()),
        ("http://127.0.0.1:10000", "http://127.0.0.1:8001", ()),
        ("https://localhost:8001", "https://localhost:8001", ()),
        ("http://[::1]:8001", "http://localhost:8001", ()),
    ],
)
def test_hosts_that_may_be_asked(url: str, home: str, added: tuple[str, ...]) -> None:
    assert check(url + SIGNED, home, *added) == url + SIGNED


@pytest.mark.parametrize(
    ("url", "home", "added", "words"),
    [
        ("http://prod1.blob.core.windows.net", SCM, (), "is not behind https"),
        ("ftp://prod1.blob.core.windows.net", SCM, (), "is not behind https"),
        ("https://blob.core.windows.net", SCM, (), "on another host, blob.core.windows.net"),
        ("https://evilblob.core.windows.net", SCM, (), "on another host"),
        ("https://a.blob.core.windows.net.evil.com", SCM, (), "another host, a.blob.core.win"),
        ("https://a.blob.core.windows.net@evil.com", SCM, (), "does not understand"),
        ("https://evil.com/.blob.core.windows.net", SCM, (), "on another host, evil.com;"),
        ("https://evil.com\\.blob.core.windows.net", SCM, (), "does not understand"),
        ("https://a.blob.core.windows.net:8443", SCM, (), "on another host, .*:8443"),
        ("https://blobs.contoso.com", SCM, ("blobs.contoso.com:8443",), "on another host"),
        ("https://contoso.com", SCM, ("*.contoso.com",), "on another host"),
        ("https://a.blob.core.chinacloudapi.cn", SCM, (), "on another host"),
        ("http://127.0.0.1:10000", SCM, (), "is not behind https"),
        ("https://127.0.0.1:10000", SCM, (), "on another host, 127.0.0.1:10000"),
        ("http://127.0.0.2:8001", "http://127.0.0.1:8001", (), "is not behind https"),
        ("https://169.254.169.254", SCM, (), "on another host, 169.254.169.254"),
        ("https://", SCM, (), "does not understand"),
        ("https://[::1", SCM, (), "no address for packages"),
        ("https://a.blob.core.windows.net:99999", SCM, (), "on another host, .*:99999"),
    ],
)
def test_hosts_that_are_not_asked(url: str, home: str, added: tuple[str, ...], words: str) -> None:
    with pytest.raises(AnswerUnreadable, match=words) as caught:
        check(url + SIGNED, home, *added)
    assert "sig=" not in str(caught.value)


def make_scm(*added: str) -> tuple[Scm, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, content=b"{}")

    client = httpx.Client(base_url=SCM, transport=httpx.MockTransport(answer))
    system = System(name="SCM", client=client)
    return Scm(system=system, blobs=system, blob_hosts=added), asked


def test_no_package_goes_to_another_host_and_no_file_comes_from_there() -> None:
    scm, asked = make_scm()
    with pytest.raises(AnswerUnreadable, match=r"a place for packages on another host, evil\.com"):
        scm.upload(f"https://evil.com{SIGNED}", b"contacts")
    with pytest.raises(AnswerUnreadable, match=r"for a file of errors on another host, evil\.com"):
        scm.download(f"https://evil.com{SIGNED}")
    assert asked == []
    scm, asked = make_scm("evil.com")
    scm.upload(f"https://evil.com{SIGNED}", b"contacts")
    assert [one.url.host for one in asked] == ["evil.com"]


LOGIN = {"kind": "token", "token_env": "SCM_TOKEN"}


def test_the_setting_adds_hosts() -> None:
    given = {"load": "packages", "url": SCM, "auth": LOGIN, "blob_hosts": "a.com, *.b.com"}
    project = make_bare_project({"destination": given}, "test")
    with connect_scm(project, environment={"SCM_TOKEN": "t"}) as scm:
        assert scm.blob_hosts == ["a.com", "*.b.com"]


@pytest.mark.parametrize("host", ["https://a.com", "*", "*.com", "a.com/b", "a b.com", "*.*.com"])
def test_a_host_is_a_host(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"blob_hosts.*must be a host"):
        make_bare_project({"destination": {"blob_hosts": [host]}}, "test")
